"""Objects in a list as people say them: '2 x yoga mat at 30 dollars', 'Lyon: 3 nights, Bergen: 2 nights'."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data_pipeline.generate.text import join

if TYPE_CHECKING:
    from data_pipeline.generate.phrases import Phrase
    from data_pipeline.generate.values import Field
    from data_pipeline.generate.voice import Voice

_QUANTITY = frozenset({"quantity", "qty", "count", "portions", "pieces"})
_PRICE = re.compile(r"\bprice\b")
_DOLLARS = re.compile(r"\bin (?:US )?dollars\b|\$")
# What numbers stand before rather than behind.
_COUNTED = frozenset({"nights", "points", "votes", "wins", "losses", "shares", "sets", "reps", "defects", "calories"})
_QUANTITY_SHARE, _PRICE_SHARE = 0.5, 0.6


def are_scalars(values: Sequence[Any], inner: Mapping[str, Phrase]) -> bool:
    """Whether all values are objects of entries that have phrases and hold no lists or objects of their own."""
    return all(
        isinstance(value, dict)
        and value
        and all(name in inner and isinstance(entry, (str, int, float)) for name, entry in value.items())
        for value in values
    )


def entries_spoken(value: Mapping[str, Any], inner: Mapping[str, Phrase], voice: Voice) -> str:
    """One object, each entry by its name: 'length 5 m, width 4 m'."""
    mark = voice.pick((" ", " ", ": ", " = "))
    return ", ".join(
        _named(inner[name], entry, voice, voice.pick(inner[name].nouns), mark) for name, entry in value.items()
    )


def objects_spoken(values: Sequence[Mapping[str, Any]], inner: Mapping[str, Phrase], voice: Voice) -> str:
    """The objects of a list, all in one manner and with the same nouns."""
    nouns = {name: voice.pick(phrase.nouns) for name, phrase in inner.items()}
    head = _head(values, inner)
    if head is not None:
        return _headed(values, inner, nouns, head, voice)
    mark = voice.pick((" ", " ", ": ", " = "))
    said = [[_named(inner[name], value[name], voice, nouns[name], mark) for name in value] for value in values]
    return join([f"({', '.join(entries)})" for entries in said])


def _head(values: Sequence[Mapping[str, Any]], inner: Mapping[str, Phrase]) -> str | None:
    """The first entry, if it is a text unlike the other texts in all objects: what the others are told of."""
    names = list(values[0])
    if len(names) < 2 or any(list(value) != names or not value[names[0]] for value in values):
        return None
    texts = [inner[name].field for name in names if inner[name].field.kind == "string"]
    is_first = bool(texts) and texts[0] is inner[names[0]].field
    return names[0] if is_first and not any(_alike(texts[0], other) for other in texts[1:]) else None


def _alike(first: Field, other: Field) -> bool:
    return first.text_kind == other.text_kind and bool(first.choices) == bool(other.choices)


def _headed(
    values: Sequence[Mapping[str, Any]],
    inner: Mapping[str, Phrase],
    nouns: Mapping[str, str],
    head: str,
    voice: Voice,
) -> str:
    others = [name for name in values[0] if name != head]
    counts = [name for name in others if inner[name].field.kind == "integer" and inner[name].noun in _QUANTITY]
    counted = counts[0] if len(counts) == 1 and voice.chance(_QUANTITY_SHARE) else ""
    others = [name for name in others if name != counted]
    is_priced = counted and len(others) == 1 and _is_price(inner[others[0]]) and voice.chance(_PRICE_SHARE)
    manner = "at" if is_priced else voice.pick(_MANNERS_OF_ONE if len(others) == 1 else _MANNERS_OF_MORE)
    said = []
    for value in values:
        start = f"{_counted(value[counted], voice)} x " if counted else ""
        start += inner[head].value(value[head], voice)
        if is_priced:
            rest = [_dollars(value[others[0]], voice)]
        else:
            rest = [_named(inner[name], value[name], voice, nouns[name], " ") for name in others]
        said.append(_MANNERS[manner](start, rest) if rest else start)
    # Where an object has commas of its own, semicolons hold the objects apart.
    return "; ".join(said) if manner == "colon" and len(others) > 1 else join(said)


_MANNERS = {
    "at": lambda start, rest: f"{start} at {rest[0]}",
    "brackets": lambda start, rest: f"{start} ({', '.join(rest)})",
    "colon": lambda start, rest: f"{start}: {', '.join(rest)}",
    "with": lambda start, rest: f"{start} with {rest[0]}",
}
_MANNERS_OF_ONE = ("brackets", "brackets", "colon", "with")
# 'rowing with 4 sets and 8 reps and 12 days': where would the object end?
_MANNERS_OF_MORE = ("brackets", "brackets", "colon")


def _is_price(phrase: Phrase) -> bool:
    told = str(phrase.field.schema.get("description") or "")
    return phrase.field.kind in ("integer", "number") and bool(_PRICE.search(phrase.noun) and _DOLLARS.search(told))


def _counted(value: int, voice: Voice) -> str:
    voice.said.append(str(value))
    return str(value)


def _dollars(value: float, voice: Voice) -> str:
    said = f"${value}" if voice.chance(0.5) else f"{value} dollars"
    voice.said.append(said)
    return said


def _named(phrase: Phrase, value: Any, voice: Voice, noun: str, mark: str) -> str:
    """'grade B-', '3 nights', 'roof: yes'."""
    if isinstance(value, bool):
        return phrase.flag(value, voice)
    said = phrase.value(value, voice)
    is_unit = phrase.bare and noun == phrase.nouns[0] and not isinstance(value, str)
    is_number = isinstance(value, (int, float))
    if is_unit or (is_number and mark == " " and noun == phrase.noun and noun in _COUNTED):
        return said if is_unit else f"{said} {noun}"
    return f"{noun}{mark}{said}"
