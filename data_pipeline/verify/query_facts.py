"""What a query states, read from its text: words, numbers, dates and times of day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from math import inf

_MONTH_NAMES = "january february march april may june july august september october november december"
MONTHS = {
    **{name: number for number, name in enumerate(_MONTH_NAMES.split(), start=1)},
    **{name[:3]: number for number, name in enumerate(_MONTH_NAMES.split(), start=1)},
    "sept": 9,
}
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_SPELLED = {
    **{word: float(number) for number, word in enumerate(_SMALL.split())},
    **{word: 10.0 * number for number, word in enumerate(_TENS.split(), start=2)},
}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_OTHER_NUMBERS = {
    **{word: float(number) for number, word in enumerate(_ORDINALS.split(), start=1)},
    "half": 0.5,
    "quarter": 0.25,
    "once": 1.0,
    "single": 1.0,
    "twice": 2.0,
    "couple": 2.0,
    "pair": 2.0,
    "dozen": 12.0,
}

_MONTH = rf"({'|'.join(sorted(MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?\b"
_DATES = {
    "ymd": re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b"),
    "dmy or mdy": re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b"),
    "d month y": re.compile(rf"\b{_DAY}(?:\s+of)?\s+{_MONTH},?\s+(\d{{4}})\b"),
    "month d y": re.compile(rf"\b{_MONTH}\s+{_DAY},?\s+(\d{{4}})\b"),
    "month y": re.compile(rf"\b{_MONTH},?\s+(\d{{4}})\b"),
    "d month": re.compile(rf"\b{_DAY}(?:\s+of)?\s+{_MONTH}"),
    "month d": re.compile(rf"\b{_MONTH}\s+{_DAY}"),
}
_TIME = re.compile(r"\b(\d{1,2})(?::(\d{2}))(?::\d{2})?(?:\s*([ap])\.?m\b)?|\b(\d{1,2})\s*([ap])\.?m\b")
_NAMED_TIMES = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}
_NUMBER = re.compile(
    r"""(?P<sign>(?<![\w)])[-−])?[$€£¥₹₩]?
    (?<![^\W\d_])(?<![\d.])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?(?:e[-+]?\d+)?|\.\d+)
    (?:\s?(?P<percent>%|per\s?cent\b)|\s?(?P<scale>k|thousand|million|billion)\b|/(?P<under>[1-9]\d*)(?![\d/]))?""",
    re.VERBOSE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")


@dataclass(frozen=True)
class StatedNumber:
    """A number written in digits, and the ways to read it: '1,250' is one number, or two."""

    text: str
    readings: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Facts:
    """What a text states.

    Attributes:
        raw: the text as it is.
        words: its words in order, lower case, without possessive endings.
        numbers: every value that some reading of its digits or number words gives.
        loose_numbers: the numbers in digits that are not part of a date or a time.
        dates: YYYY-MM-DD, or YYYY-MM for a month.
        times: HH:MM.
    """

    raw: str
    words: tuple[str, ...]
    numbers: frozenset[float]
    loose_numbers: tuple[StatedNumber, ...]
    dates: frozenset[str]
    times: frozenset[str]


def word_set(text: str) -> frozenset[str]:
    """The words of a space-separated list, as they are."""
    return frozenset(text.split())


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, lower case; digits and letters are apart, '100m' is '100', 'm'."""
    found = (word.replace("’", "'") for word in _WORD.findall(text.casefold()))
    return tuple(word.removesuffix("'s") for word in found)


def as_float(value: float) -> float:
    """The number as a float; an integer too large for one is infinite."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def identifier_words(name: str) -> tuple[str, ...]:
    """The words of an identifier: `unitPrice_usd` -> unit, price, usd."""
    return words_of(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))


def read_facts(text: str) -> Facts:
    """Read what a text states; every number of a date or a time also counts as a number."""
    words = words_of(text)
    lowered = re.sub(r"(?<=\d)t(?=\d)", " ", text.casefold())  # 2026-03-03T14:00 is two words
    dates, spans, rest = _take_dates(lowered)
    times, time_spans, rest = _take_times(rest)
    times.update(moment for name, moment in _NAMED_TIMES.items() if name in words)
    loose = tuple(_stated_numbers(rest))
    numbers = {value for stated in loose for reading in stated.readings for value in reading}
    for part in (*dates, *times, *spans, *time_spans):
        numbers.update(float(digits) for digits in re.findall(r"\d+", part))
    # Digits inside a word, as in 'USD100', belong to nothing else.
    numbers.update(float(digits) for digits in re.findall(r"(?<=[^\W\d_])\d+(?:\.\d+)?", rest))
    numbers.update(_spelled_numbers(words))
    return Facts(text, words, frozenset(numbers), loose, frozenset(dates), frozenset(times))


def _take_dates(text: str) -> tuple[set[str], list[str], str]:
    """The dates of a text, how each is written, and the text with a gap where each stood."""
    found: set[str] = set()
    spans: list[str] = []
    if not any(map(str.isdigit, text)):
        return found, spans, text
    for kind, pattern in _DATES.items():
        for match in pattern.finditer(text):
            found.update(_iso_dates(kind, match.groups()))
            spans.append(match[0])
        text = pattern.sub(" ; ", text)
    return found, spans, text


def _iso_dates(kind: str, parts: tuple[str, ...]) -> Iterator[str]:
    first, second, third = (MONTHS.get(part) or int(part) for part in (*parts, "0")[:3])
    if kind == "month y":
        yield f"{second:04d}-{first:02d}"
    orders = {
        "ymd": [(first, second, third)],
        "dmy or mdy": [(third, second, first), (third, first, second)],
        "d month y": [(third, second, first)],
        "month d y": [(third, first, second)],
    }
    for year, month, day in orders.get(kind, ()):
        try:
            yield date(year, month, day).isoformat()
        except ValueError:
            continue


def _take_times(text: str) -> tuple[set[str], list[str], str]:
    """The times of a text, how each is written, and the text with a gap where each stood."""
    found, spans = set(), []
    for match in _TIME.finditer(text):
        hour, minute, half, full_hour, full_half = match.groups()
        found.add(_clock(int(hour or full_hour), int(minute or 0), half or full_half))
        spans.append(match[0])
    return found, spans, _TIME.sub(" ; ", text)


def _clock(hour: int, minute: int, half: str | None) -> str:
    if half is not None:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02d}:{minute:02d}"


def _stated_numbers(text: str) -> Iterator[StatedNumber]:
    for match in _NUMBER.finditer(text):
        readings = _readings(match)
        if match["sign"]:
            readings = [tuple(-number for number in reading) for reading in readings]
        yield StatedNumber(match[0].strip(), tuple(readings))


def _readings(match: re.Match[str]) -> list[tuple[float, ...]]:
    """The ways to read a number: '5%' is 5 or 0.05, '1/2' is a half or 1 and 2."""
    digits = match["digits"]
    value = float(digits.replace(",", ""))
    if match["under"]:
        return [(value / float(match["under"]),), (value, float(match["under"]))]
    readings: list[tuple[float, ...]] = [(value,)]
    if "," in digits and "." not in digits:
        readings.append(tuple(float(part) for part in digits.split(",")))
    if match["percent"]:
        readings.append((value / 100,))
    if match["scale"]:
        readings.append((value * _SCALES.get(match["scale"], 1e3),))
    return readings


def _spelled_numbers(words: Iterable[str]) -> Iterator[float]:
    """Numbers in words: each word by itself, and runs such as 'two hundred and fifty'."""
    total, current, running = 0.0, 0.0, False
    for word in (*words, ""):
        if word in _OTHER_NUMBERS:
            yield _OTHER_NUMBERS[word]
        if word in _SPELLED:
            yield _SPELLED[word]
            if running and not _continues(current, _SPELLED[word]):
                yield total + current
                total = current = 0.0
            current, running = current + _SPELLED[word], True
        elif word in _SCALES and running:
            current *= _SCALES[word]
            if word != "hundred":
                total, current = total + current, 0.0
        elif word != "and" and running:
            yield total + current
            total, current, running = 0.0, 0.0, False


def _continues(current: float, value: float) -> bool:
    """Whether a number word goes on with the number before it: 'twenty five', not 'two three'."""
    return current % 100 == 0 or (value < 10 and current % 10 == 0 and current % 100 >= 20)
