"""Arguments that must agree with each other: an end after its start, a part within its whole, lists of one length.

Read from the words of parameter names, so a relation that the names do not tell is not kept.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import permutations
from typing import Any, Protocol

from data_pipeline.generate.values_number import between, bound

Rule = Callable[[dict[str, Any], random.Random], None]

# (word of the smaller, word of the larger): of numbers, dates or times.
ORDERED: tuple[tuple[str, str], ...] = (
    ("start", "end"),
    ("starts", "ends"),
    ("begin", "end"),
    ("start", "target"),
    ("start", "finish"),
    ("start", "stop"),
    ("from", "to"),
    ("since", "until"),
    ("after", "before"),
    ("min", "max"),
    ("minimum", "maximum"),
    ("low", "high"),
    ("lower", "upper"),
    ("lowest", "highest"),
    ("smallest", "largest"),
    ("first", "last"),
    ("earliest", "latest"),
    ("departure", "arrival"),
    ("check in", "check out"),
    ("checkin", "checkout"),
    ("opening", "closing"),
    ("open", "close"),
    ("diastolic", "systolic"),
    ("cost", "price"),
    ("salvage", "purchase"),
    ("residual", "purchase"),
    ("down", "price"),
    ("deposit", "price"),
    ("used", "total"),
    ("paid", "total"),
    ("part", "total"),
    ("part", "whole"),
    ("correct", "total"),
    ("completed", "total"),
    ("successes", "trials"),
    ("wins", "games"),
    ("net", "gross"),
)
# (word of one, word of the other): two different things of one sort.
DIFFERENT = (("from", "to"), ("source", "target"), ("home", "away"), ("first", "second"), ("origin", "destination"))
OWED = ("balance", "principal", "debt")
# A choice -> the numbers that make sense on that scale, where a neighbour is a temperature.
SCALES = {"gas_mark": (1, 9), "fahrenheit": (15, 100), "kelvin": (255, 320), "f": (15, 100), "k": (255, 320)}
_SIZES = {"width", "height", "length", "weight", "volume", "size"}
_MOMENTS = ("date", "time", "date-time")
_TRIES = 12
_SOON_SHARE = 0.7


class Field(Protocol):
    """What the rules ask of a parameter; see `values.Field`."""

    name: str
    words: str
    schema: dict[str, Any]
    kind: str
    text_kind: str | None
    draw: Callable[[random.Random], Any]

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of an `enum`."""


def agreements(fields: Mapping[str, Field]) -> list[Rule]:
    """What to do to drawn arguments so that they agree, in order."""
    rules: list[Rule] = []
    for one, other in permutations(fields.values(), 2):
        rules += _pair_rules(one, other)
    return rules


def _pair_rules(one: Field, other: Field) -> Iterator[Rule]:
    if one.kind == other.kind or {one.kind, other.kind} == {"integer", "number"}:
        if _is_ordered(one) and _is_ordered(other) and _has_pair(one, other, ORDERED):
            yield _in_order(one, other)
            if _is_free_date(one) and _is_free_date(other):
                yield _soon_after(one.name, other.name)
        if one.kind in ("string", "integer", "number") and _has_pair(one, other, DIFFERENT):
            yield _different(one, other)
        if one.kind == "array" and one.name < other.name and _stem(one) & _stem(other):
            yield _equally_long(one.name, other.name)
    yield from _sum_rule(one, other)
    yield from _special_rules(one, other)


def _sum_rule(sizes: Field, whole: Field) -> Iterator[Rule]:
    """Widths of pictures fit the width of a wall."""
    shared = _stem(sizes) & _stem(whole) & _SIZES
    if sizes.kind == "array" and whole.kind in ("integer", "number") and shared:
        yield _fitting(sizes.name, whole)


def _special_rules(one: Field, other: Field) -> Iterator[Rule]:
    numeric = one.kind in ("integer", "number")
    if numeric and "payment" in one.words.split() and any(word in other.words.split() for word in OWED):
        yield _share_of(one, other)
    if numeric and "temperature" in one.words and other.choices:
        yield _on_scale(one, other.name)
    if one.kind == "string" and other.words == "word" and "letter" in one.words:
        yield _letters_of(one.name, other.name)


def _is_ordered(field: Field) -> bool:
    return not field.choices and (field.kind in ("integer", "number") or field.text_kind in _MOMENTS)


def _has_pair(one: Field, other: Field, pairs: tuple[tuple[str, str], ...]) -> bool:
    """Whether the names have the two words, and nothing in the rest says that they are of different sorts."""
    if one.text_kind != other.text_kind:
        return False
    mine, others = f" {one.words} ", f" {other.words} "
    for low, high in pairs:
        if f" {low} " in mine and f" {high} " in others:
            rest = set(mine.split()) - set(low.split()), set(others.split()) - set(high.split())
            return one.kind != "string" or rest[0] == rest[1] or not (rest[0] and rest[1])
    return False


def _stem(field: Field) -> set[str]:
    return {word.removesuffix("s") for word in field.words.split()}


def _in_order(low: Field, high: Field) -> Rule:
    def order(drawn: dict[str, Any], rng: random.Random) -> None:
        for _ in range(_TRIES):
            one, other = (drawn.get(field.name, field.schema.get("default")) for field in (low, high))
            if one is None or other is None or (type(one) is not type(other) and isinstance(one, str)):
                return
            if one < other:
                return
            if low.name in drawn and high.name in drawn and one != other and _swappable(low, high):
                drawn[low.name], drawn[high.name] = other, one
                return
            again = rng.choice([field for field in (low, high) if field.name in drawn] or [None])
            if again is None:
                return
            drawn[again.name] = again.draw(rng)

    return order


def _is_free_date(field: Field) -> bool:
    """Whether any date will do."""
    bounds = {"examples", "enum", "const", "pattern", "minLength", "maxLength"}
    return field.kind == "string" and field.text_kind == "date" and bounds.isdisjoint(field.schema)


def _soon_after(first: str, last: str) -> Rule:
    """Most stays, trips and rents last days, not years."""

    def shorten(drawn: dict[str, Any], rng: random.Random) -> None:
        if first in drawn and last in drawn and rng.random() < _SOON_SHARE:
            days = timedelta(days=rng.choice((1, 2, 3, 4, 5, 7, 10, 14, 21, 30)))
            drawn[last] = (date.fromisoformat(drawn[first]) + days).isoformat()

    return shorten


def _swappable(low: Field, high: Field) -> bool:
    keys = ("type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format", "pattern")
    return all(low.schema.get(key) == high.schema.get(key) for key in keys)


def _different(one: Field, other: Field) -> Rule:
    def differ(drawn: dict[str, Any], rng: random.Random) -> None:
        for _ in range(_TRIES):
            second = drawn.get(other.name)
            if second is None or drawn.get(one.name, one.schema.get("default")) != second:
                return
            drawn[other.name] = other.draw(rng)

    return differ


def _equally_long(one: str, other: str) -> Rule:
    def cut(drawn: dict[str, Any], _rng: random.Random) -> None:
        lists = drawn.get(one), drawn.get(other)
        if isinstance(lists[0], list) and isinstance(lists[1], list):
            length = min(len(lists[0]), len(lists[1]))
            drawn[one], drawn[other] = lists[0][:length], lists[1][:length]

    return cut


def _fitting(sizes: str, whole: Field) -> Rule:
    def fit(drawn: dict[str, Any], rng: random.Random) -> None:
        found = drawn.get(sizes)
        if whole.name not in drawn or not isinstance(found, list):
            return
        total = sum(size for size in found if isinstance(size, (int, float)))
        most = bound(whole.schema, "maximum") or 4 * total
        if drawn[whole.name] < total < most:
            drawn[whole.name] = math.ceil(rng.uniform(total, min(most, 2 * total)) / 10) * 10
            drawn[whole.name] = min(drawn[whole.name], most)

    return fit


def _share_of(payment: Field, owed: Field) -> Rule:
    def share(drawn: dict[str, Any], rng: random.Random) -> None:
        debt = drawn.get(owed.name)
        if payment.name in drawn and isinstance(debt, (int, float)) and debt >= 20:
            low, high = bound(payment.schema, "minimum") or 0, bound(payment.schema, "maximum") or debt
            wanted = between(debt * 0.04, debt * 0.3, debt, rng)
            drawn[payment.name] = min(max(wanted, low), high)

    return share


def _on_scale(temperature: Field, scale: str) -> Rule:
    def rescale(drawn: dict[str, Any], rng: random.Random) -> None:
        bounds = SCALES.get(str(drawn.get(scale)).lower())
        low, high = bound(temperature.schema, "minimum"), bound(temperature.schema, "maximum")
        allowed = bounds and (low is None or low <= bounds[0]) and (high is None or high >= bounds[1])
        if bounds and allowed and temperature.name in drawn:
            drawn[temperature.name] = rng.randint(*bounds)

    return rescale


def _letters_of(letters: str, word: str) -> Rule:
    def pick(drawn: dict[str, Any], rng: random.Random) -> None:
        if letters in drawn and isinstance(drawn.get(word), str) and drawn[word]:
            drawn[letters] = rng.choice(drawn[word])

    return pick
