"""What a query states, read from its text: words, numbers, quantities, dates and times of day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from math import inf, isclose
from typing import TYPE_CHECKING, NamedTuple

from data_pipeline.verify.moments import take_moments
from data_pipeline.verify.number_words import SCALES, SPELLED, has_number_words, said_numbers, spelled_value
from data_pipeline.verify.units import UNITS, Quantity, Unit
from data_pipeline.verify.words import Vocabulary, singular, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DATE_T_TIME = re.compile(r"t(?=\d)(?<=\dt)")  # 2026-03-03T14:00 is two words.
_DIGIT = re.compile(r"\d")
_ZERO = re.compile(r"(?<!\d)0+(?!\d)")
_INSIDE = re.compile(r"(?<=[^\W\d_])\d+(?:\.\d+)?")
_BEFORE_DIGITS = ".$€£¥₹₩-−"
_NUMBER = re.compile(
    r"""(?P<sign>(?<![\w)])[-−])?[$€£¥₹₩]?
    (?<![^\W\d_])(?<![\d.])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?(?:e[-+]?\d+)?|\.\d+)
    (?:\s?(?P<percent>%|per\s?cent\b)
      |/(?P<under>[1-9]\d*)(?![\d/])
      |\s(?P<over>[1-9])/(?P<below>[2-9])(?![\d/])
      |(?:\s?(?P<scale>k|dozen|hundred|thousand|million|billion)\b)?)
    (?:[\s-]?(?P<unit>[a-z]{1,12})(?![\w/²³^])(?!\s(?:per\b|an?\s)))?""",
    re.VERBOSE,
)
_PIECE = r"\b(\d{1,9}|an?|[a-z]{3,9}(?:-[a-z]{3,5})?)[ -]?\b([a-z]{1,12})\b"
_COMPOUND = re.compile(rf"(?={_PIECE},? (?:and )?{_PIECE})")  # Looked ahead, since 'for 1' would take the 1 along.
_SKIPPED = frozenset(("and", "or", "the", "a", "an"))


class StatedNumber(NamedTuple):
    """A number written out, and the ways to read it: '1,250' is one number, or two.

    Attributes:
        text: as it is written.
        readings: each the numbers it would be.
        amounts: the quantities it is, or is a part of.
    """

    text: str
    readings: tuple[tuple[float, ...], ...]
    amounts: tuple[Quantity, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What a text states.

    Attributes:
        raw: the text as it is.
        lowered: the text in lower case.
        words: its words in order, lower case, without possessive endings.
        plain: every value that some reading of its digits or number words gives, but for those with a unit.
        quantities: numbers with a unit of measure.
        loose_numbers: the numbers that are not part of a date or a time; of those in words, the telling ones.
        dates: YYYY-MM-DD, or YYYY-MM for a month.
        times: HH:MM.
    """

    raw: str
    lowered: str
    words: tuple[str, ...]
    plain: frozenset[float]
    quantities: tuple[Quantity, ...]
    loose_numbers: tuple[StatedNumber, ...]
    dates: frozenset[str]
    times: frozenset[str]

    @cached_property
    def numbers(self) -> frozenset[float]:
        """Every value stated, with a unit or without."""
        return self.plain.union(quantity.value for quantity in self.quantities) if self.quantities else self.plain

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words, to be found in any inflection."""
        return Vocabulary(self.words)

    @cached_property
    def phrase(self) -> str:
        """The words in order, each between two spaces, singular and without articles."""
        return phrase_of(self.words)

    def states(self, number: float, unit: Unit | None = None) -> bool:
        """Whether some number has this value; with a unit, in that unit, however the text says it."""
        if number in self.plain:
            return True
        if unit is None or not self.quantities:
            return is_among(number, self.numbers)
        said = (
            quantity.in_unit(unit) if quantity.unit.dimension == unit.dimension else quantity.value
            for quantity in self.quantities
        )
        return is_among(number, self.plain) or is_among(number, said)


def is_among(value: float, numbers: Iterable[float]) -> bool:
    """Whether one of the numbers has this value, up to rounding."""
    return any(isclose(value, number, rel_tol=1e-9, abs_tol=1e-12) for number in numbers)


def phrase_of(words: Iterable[str]) -> str:
    """Words in one string, each between two spaces, singular and without articles; '  ' if none is left."""
    return f" {' '.join([singular(word) for word in words if word not in _SKIPPED])} "


def as_float(value: float) -> float:
    """The number as a float; an integer too large for one is infinite."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def numbers_of(text: str) -> frozenset[float]:
    """Every value that a text states; quick for one that states none."""
    if _DIGIT.search(text) is None and not has_number_words(words_of(text)):
        return frozenset()
    return read_facts(text).numbers


def states_no_number(text: str) -> bool:
    """Whether a text plainly holds no number and no quantity, told without reading all of it."""
    words = words_of(text)
    return _DIGIT.search(text) is None and not has_number_words(words) and UNITS.keys().isdisjoint(words)


def read_facts(text: str) -> Facts:
    """Read what a text states; every number of a date or a time also counts as a number."""
    words = words_of(text)
    lowered = text.casefold()
    moments = take_moments(_DATE_T_TIME.sub(" ", lowered), frozenset(words))
    plain: set[float] = set()
    for part in (*moments.dates, *moments.times, *moments.spans):
        plain.update(float(digits) for digits in re.findall(r"\d+", part))
    if moments.times and not any(_ZERO.search(span) for span in moments.spans):
        plain.discard(0.0)  # 'noon' is 12:00, and states no zero.
    quantities: list[Quantity] = []
    loose = list(_in_digits(moments.rest, plain, quantities))
    for said in said_numbers(words, lowered):
        if said.quantity is None:
            plain.update(said.values)
        else:
            quantities.append(said.quantity)
        if said.is_loose:
            amounts = () if said.quantity is None else (said.quantity,)
            loose.append(StatedNumber(said.text, tuple((value,) for value in said.values), amounts))
    if len(quantities) > 1:
        quantities.extend(_compounds(moments.rest))
    quantities = list(dict.fromkeys(quantities))
    dates, times = frozenset(moments.dates), frozenset(moments.times)
    numbers = tuple(_with_wholes(loose, quantities) if quantities else loose)
    return Facts(text, lowered, words, frozenset(plain), tuple(quantities), numbers, dates, times)


def _with_wholes(loose: Iterable[StatedNumber], quantities: Iterable[Quantity]) -> Iterator[StatedNumber]:
    """Each number with the quantities it is a part of: the 30 of '1 hour and 30 minutes'."""
    wholes: dict[float, list[Quantity]] = {}
    for quantity in quantities:
        for part in quantity.parts:
            wholes.setdefault(part, []).append(quantity)
    for stated in loose:
        found = [whole for reading in stated.readings if len(reading) == 1 for whole in wholes.get(reading[0], ())]
        yield stated._replace(amounts=(*stated.amounts, *found)) if found else stated


def _in_digits(text: str, plain: set[float], quantities: list[Quantity]) -> Iterator[StatedNumber]:
    """The numbers in digits; what they state is added to the two collections."""
    position = 0
    while digit := _DIGIT.search(text, position):
        start = digit.start()
        first = start
        while first > max(position, start - 3) and text[first - 1] in _BEFORE_DIGITS:
            first -= 1
        tries = (_NUMBER.match(text, begin) for begin in range(first, start + 1))
        match = next((found for found in tries if found), None)
        if match is not None:
            position = match.end()
            yield _stated(match, plain, quantities)
            continue
        # Digits inside a word, as in 'USD100', belong to nothing else.
        inside = _INSIDE.match(text, start)
        plain.update([float(inside[0])] if inside else ())
        position = max(start + 1, inside.end() if inside else 0)


def _stated(match: re.Match[str], plain: set[float], quantities: list[Quantity]) -> StatedNumber:
    readings = _readings(match)
    if match["sign"]:
        readings = [tuple(-number for number in reading) for reading in readings]
    unit = UNITS.get(match["unit"] or "")
    if unit is None:
        plain.update(value for reading in readings for value in reading)
        # A word behind a number is read with it, but is no part of it.
        text = match[0][: match.start("unit") - match.start()] if match["unit"] else match[0]
        return StatedNumber(text.strip(" -\t\n"), tuple(readings))
    said = tuple(Quantity(reading[0], unit) for reading in readings if len(reading) == 1)
    quantities.extend(said)
    return StatedNumber(match[0].strip(), tuple(readings), said)


def _readings(match: re.Match[str]) -> list[tuple[float, ...]]:
    """The ways to read a number: '5%' is 5 or 0.05, '1/2' is a half or 1 and 2."""
    digits = match["digits"]
    value = float(digits.replace(",", ""))
    if match["under"]:
        return [(value / float(match["under"]),), (value, float(match["under"]))]
    readings: list[tuple[float, ...]] = [(value,)]
    parts = digits.split(",")
    # Nobody writes the list 55, 0 as '55,000'.
    if len(parts) > 1 and "." not in digits and not any(part.startswith("0") for part in parts[1:]):
        readings.append(tuple(map(float, parts)))
    if match["over"]:
        return [(value + float(match["over"]) / float(match["below"]),)]
    if match["percent"]:
        readings.append((value / 100,))
    if match["scale"]:
        readings.append((value * SCALES.get(match["scale"], 1e3),))
    return readings


def _compounds(text: str) -> Iterator[Quantity]:
    """'1 hour and 30 minutes' as one quantity."""
    for match in _COMPOUND.finditer(text):
        larger, smaller = UNITS.get(match[2]), UNITS.get(match[4])
        if larger is None or smaller is None or larger.dimension != smaller.dimension or larger.size <= smaller.size:
            continue
        first, second = _piece(match[1]), _piece(match[3])
        if first is not None and second is not None:
            amount = first * larger.size + second * smaller.size
            yield Quantity(amount / smaller.size, smaller, (first, second))


def _piece(text: str) -> float | None:
    if text in ("a", "an"):
        return 1.0
    return float(text) if text.isdecimal() else SPELLED.get(text, spelled_value(text))
