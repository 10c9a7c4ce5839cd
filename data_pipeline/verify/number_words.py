"""Numbers in words: 'twenty-five', 'two hundred and fifty', 'one and a half', 'a dozen', 'half an hour'."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from data_pipeline.verify.units import UNITS, Quantity
from data_pipeline.verify.words import word_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth"
)
SPELLED = {
    **{word: float(number) for number, word in enumerate(_SMALL.split())},
    **{word: 10.0 * number for number, word in enumerate(_TENS.split(), start=2)},
}
"""Cardinal number words below a hundred."""

ORDINALS = {
    **{word: float(number) for number, word in enumerate(_ORDINALS.split(), start=1)},
    **{f"{word[:-1]}ieth": 10.0 * number for number, word in enumerate(_TENS.split(), start=2)},
}
"""Ordinal number words: first to nineteenth, and the tens."""

SCALES = {"dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
"""Words that multiply the number before them."""

_ALONE = {"half": 0.5, "quarter": 0.25, "once": 1.0, "single": 1.0, "twice": 2.0, "couple": 2.0, "pair": 2.0}
_ONE = ("a", "an")
_PARTS = {"half": 0.5, "quarter": 0.25, "quarters": 0.25}
_SINGLE = {**_ALONE, **ORDINALS, "dozen": 12.0}
_STARTS = frozenset((*SPELLED, *_SINGLE))
_SIGNALS = _STARTS.union(SCALES)
_BEGINS = _STARTS.union(_ONE)
# "an hour" is a rate behind these, as in 'once an hour', and behind plurals: 'hours a day'.
_BEFORE_RATE = word_set("once twice thrice often much many percent")
_NO_PLURAL = word_set("is takes lasts was this comes equals exceeds needs plus its less")
_MOST_WORDS = 32  # Of one number: from 'nine hundred and ninety-nine billion' down to the ones it takes 23.
UNUSUALLY_SMALL = 12
"""Up to here number words are used so loosely ('one more thing') that leaving one out means nothing."""


class SaidNumber(NamedTuple):
    """A number that some words state.

    Attributes:
        text: the words.
        values: what they can mean.
        quantity: with the unit that follows, if one does.
        is_loose: whether a call that leaves it out leaves something out.
    """

    text: str
    values: tuple[float, ...]
    quantity: Quantity | None
    is_loose: bool


class _Run(NamedTuple):
    """Number words up to `end`; `others` are the values if an 'and' among them is one between two numbers."""

    value: float
    end: int
    others: tuple[float, ...] = ()


def said_numbers(words: Sequence[str], text: str) -> Iterator[SaidNumber]:
    """Every number that words state.

    Args:
        words: of the text, in order.
        text: lower case; tells 'twenty-five' from 'twenty, five'.
    """
    if has_number_words(words):
        has_parts = not _PARTS.keys().isdisjoint(words)
        end = 0
        for index, word in enumerate(words):
            if index < end or not (word in _BEGINS or (has_parts and word.isdecimal())):
                continue
            run = _run_at(words, index)
            if run is not None:
                yield _said(words, index, run, text)
                end = run.end
    if not UNITS.keys().isdisjoint(words):
        yield from _durations(words)


def has_number_words(words: Sequence[str]) -> bool:
    """Whether a word occurs that is a number or belongs to one."""
    return not _SIGNALS.isdisjoint(words)


def spelled_value(text: str) -> float | None:
    """The number that a few words make up as a whole, 'twenty-five', or None."""
    words = text.replace("-", " ").split()
    run = _run_at(words, 0) if words and (words[0] in _STARTS or words[0] in _ONE) else None
    return run.value if run is not None and run.end == len(words) else None


def _said(words: Sequence[str], start: int, run: _Run, text: str) -> SaidNumber:
    said = words[start : run.end]
    values: tuple[float, ...] = (run.value, *run.others)
    if len(said) > 1:
        values += tuple(_listed(said, text.replace("-", " ")))
    is_percent = "percent" in words[run.end : run.end + 1] or tuple(words[run.end : run.end + 2]) == ("per", "cent")
    if is_percent:
        values += (run.value / 100,)
    is_ordinal = said[-1] in ORDINALS
    quantity = None if is_ordinal else _quantity(words, start, run)
    is_telling = run.value > UNUSUALLY_SMALL or (run.value != 1 and (is_percent or quantity is not None))
    is_loose = is_telling and not is_ordinal and not said[0].isdecimal()
    return SaidNumber(" ".join(said), values, quantity, is_loose)


def _listed(said: Sequence[str], text: str) -> Iterator[float]:
    """The numbers of 'twenty, five', whose words alone would make one number; none if the text has them in one."""
    if " ".join(said) in text:
        return
    is_in = cache(text.__contains__)  # where thousands of number words follow one another, the same few come again
    start = 0
    while start < len(said):
        end, last = start + 1, min(len(said), start + _MOST_WORDS)
        while end < last and is_in(" ".join(said[start : end + 1])):
            end += 1
        run = _run_at(said[start:end], 0)
        if run is not None:
            yield run.value
        start = end


def _quantity(words: Sequence[str], start: int, run: _Run) -> Quantity | None:
    """The number with the unit behind it: 'two hours', 'two hours and a half', not 'two miles per hour'."""
    unit = UNITS.get(words[run.end]) if run.end < len(words) else None
    if unit is None or "per" in words[run.end + 1 : run.end + 2]:
        return None
    first = float(words[start][:18]) if words[start].isdecimal() else run.value
    return Quantity(run.value + _and_a_part(words, run.end + 1)[0], unit, (first,))


def _run_at(words: Sequence[str], start: int) -> _Run | None:
    """The longest number that begins at a word, or None."""
    word = words[start]
    if word in SPELLED:
        return _with_part(words, _cardinal(words, start))
    if word in _STARTS:
        return _part_of(words, start) if word in _PARTS else _Run(_SINGLE[word], start + 1)
    if word in _ONE:
        scaled = start + 1 < len(words) and words[start + 1] in SCALES
        return _with_part(words, _cardinal(words, start)) if scaled else None
    return _digits_and_a_part(words, start) if word.isdecimal() else None


def _digits_and_a_part(words: Sequence[str], start: int) -> _Run | None:
    """'2 and a half' and '2 hours and a half': other digits are read elsewhere."""
    value = float(words[start][:18])
    added, end = _and_a_part(words, start + 1)
    if added:
        return _Run(value + added, end)
    has_unit = words[start + 1 : start + 2] and words[start + 1] in UNITS
    return _Run(value, start + 1) if has_unit and _and_a_part(words, start + 2)[0] else None


def _part_of(words: Sequence[str], start: int) -> _Run:
    """'half', 'half a dozen', 'half a million'."""
    value = _ALONE[words[start]]
    scale = SCALES.get(words[start + 2]) if start + 2 < len(words) and words[start + 1] in _ONE else None
    if scale is not None:
        return _Run(value * scale, start + 3)
    return _Run(value, start + 1)


def _cardinal(words: Sequence[str], start: int) -> _Run:
    """A run such as 'two hundred and fifty' or 'twenty-first'."""
    total, current, index = 0.0, 1.0 if words[start] in _ONE else SPELLED[words[start]], start + 1
    before_and: float | None = None
    while index < len(words):
        word = words[index]
        follows = index + 1 < len(words) and words[index + 1] in SPELLED
        if word in SCALES:
            current *= SCALES[word]
            if word != "hundred":
                total, current = total + current, 0.0
        elif word in SPELLED and _continues(total, current, SPELLED[word]):
            current += SPELLED[word]
        elif word in ORDINALS and ORDINALS[word] < 10 and current % 100 >= 20 and current % 10 == 0:
            return _Run(total + current + ORDINALS[word], index + 1)
        elif word == "and" and follows and current % 100 == 0 and (total or current):
            before_and = total + current
        else:
            break
        index += 1
    value = total + current
    return _Run(value, index, () if before_and is None else (before_and, value - before_and))


def _continues(total: float, current: float, value: float) -> bool:
    """Whether a number word goes on with the number before it: 'twenty five', not 'two three'."""
    if current % 100 == 0:
        return total + current > 0
    return value < 10 and current % 10 == 0 and current % 100 >= 20


def _with_part(words: Sequence[str], run: _Run) -> _Run:
    """'one and a half', 'three quarters', 'two point five'."""
    added, end = _and_a_part(words, run.end)
    if added:
        return _Run(run.value + added, end)
    following = words[run.end] if run.end < len(words) else ""
    if following == "quarters":
        return _Run(run.value / 4, run.end + 1)
    digits = ""
    while (
        following == "point"
        and (place := run.end + 1 + len(digits)) < len(words)
        and SPELLED.get(words[place], 10) < 10
    ):
        digits += str(int(SPELLED[words[place]]))
    return _Run(run.value + float(f"0.{digits}"), run.end + 1 + len(digits)) if digits else run


def _and_a_part(words: Sequence[str], index: int) -> tuple[float, int]:
    """What 'and a half' or 'and three quarters' adds, and where it ends."""
    said = tuple(words[index : index + 3])
    if len(said) == 3 and said[0] == "and" and said[1] in ("a", "an", "one", "three"):
        part = _PARTS.get(said[2], 0.0)
        return part * (3 if said[1] == "three" else 1), index + 3
    return 0.0, index


def _durations(words: Sequence[str]) -> Iterator[SaidNumber]:
    """'half an hour', 'three quarters of an hour', 'an hour and a half', 'for an hour'."""
    for index, word in enumerate(words[1:], start=1):
        if word not in UNITS or words[index - 1] not in _ONE:
            continue
        added, _ = _and_a_part(words, index + 1)
        before = words[max(0, index - 4) : index - 1]
        share = _share(before)
        if share is None and not added and _makes_a_rate(before[-1] if before else ""):
            continue
        value = 1 + added if share is None else share
        text = " ".join(words[index - 1 : index + 1])
        yield SaidNumber(text, (value,), Quantity(value, UNITS[word]), is_loose=value != 1)


def _makes_a_rate(word: str) -> bool:
    """Whether 'an hour' behind the word means per hour."""
    if word.isdecimal() or word in _STARTS or word in UNITS or word in _BEFORE_RATE:
        return True
    return word.endswith("s") and word not in _NO_PLURAL


def _share(before: Sequence[str]) -> float | None:
    """The share of a unit that the words before it name: 'half', 'a quarter of', 'three quarters of'."""
    said = before[:-1] if before and before[-1] == "of" else before
    if not said or said[-1] not in _PARTS:
        return None
    times = SPELLED.get(said[-2], 1.0) if len(said) > 1 and said[-1] == "quarters" else 1.0
    return times * _PARTS[said[-1]]
