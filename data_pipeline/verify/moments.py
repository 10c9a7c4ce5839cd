"""Dates and times of day in any notation."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from data_pipeline.verify.number_words import ORDINALS, SPELLED
from data_pipeline.verify.words import word_set

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTH_NAMES = "january february march april may june july august september october november december"
MONTHS = {
    **{name: number for number, name in enumerate(_MONTH_NAMES.split(), start=1)},
    **{name[:3]: number for number, name in enumerate(_MONTH_NAMES.split(), start=1)},
    "sept": 9,
}
"""A month's name or its beginning -> its number."""

_MONTH = rf"({'|'.join(sorted(MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?\b"
_IN_DIGITS = {
    "ymd": re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b"),
    "dmy or mdy": re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b"),
}
_WITH_MONTH = {
    "d month y": re.compile(rf"\b{_DAY}(?:\s+of)?\s+{_MONTH},?\s+(\d{{4}})\b"),
    "month d y": re.compile(rf"\b{_MONTH}\s+{_DAY},?\s+(\d{{4}})\b"),
    "month y": re.compile(rf"\b{_MONTH},?\s+(\d{{4}})\b"),
    "d month": re.compile(rf"\b{_DAY}(?:\s+of)?\s+{_MONTH}"),
    "month d": re.compile(rf"\b{_MONTH}\s+{_DAY}"),
}
_DIGITS_DATE = re.compile(r"\d[-/.]\d{1,2}[-/.]\d")
_ORDINAL_DAY = re.compile(
    rf"\b(?:(twenty|thirty)[\s-])?({'|'.join(ORDINALS)})\b(?=(?:\s{{1,3}}of)?\s{{1,3}}{_MONTH}|,?\s{{1,3}}\d{{4}}\b)"
)

_HALF = r"[ap](?=\.?\s?m\b)"
_PART_WORDS = r"morning\b|afternoon\b|evening\b|night\b"
_PART = (
    rf"(?:,?\s{{0,3}}(?:\b(?:in\s{{1,3}}the|at|this|tomorrow)\s{{1,3}}(?={_PART_WORDS})|(?=tonight\b)|(?={_HALF}))"
    rf"({_PART_WORDS}|tonight\b|{_HALF})(?:\.?\s?m\b)?)"
)
_HOURS = {word: number for word, number in SPELLED.items() if 1 <= number <= 12}
_HOUR = rf"(\d{{1,2}}|{'|'.join(_HOURS)})"
_CLOCK = re.compile(rf"\b(\d{{1,2}}):(\d{{2}})(?::\d{{2}})?(?:\s*([ap])\.?m\b|{_PART})?|\b(\d{{1,2}})\s*([ap])\.?m\b")
_COLON = re.compile(r":\d\d")
_PAST = re.compile(
    rf"(?<!from )(?<!between )\b(half|quarter|five|ten|twenty[\s-]five|twenty)\s{{1,3}}(past|after|to)\s{{1,3}}"
    rf"{_HOUR}\b{_PART}?"
)
_FULL_HOUR = re.compile(rf"(?<![\d.,:])\b{_HOUR}(?:\s{{1,3}}o['’]clock\b{_PART}?|{_PART})")
_MINUTES = {"half": 30, "quarter": 15, "five": 5, "ten": 10, "twenty": 20}
_NAMED_TIMES = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}
# Which words call for which pattern: searching for all of them in every text would cost more than all else.
_HALVES = word_set("am pm m")
_PARTS_OF_DAY = word_set("morning afternoon evening night tonight o'clock") | _HALVES
_PAST_WORDS = word_set("past quarter")
_TO_WORDS, _MINUTE_WORDS = word_set("to after"), word_set("five ten twenty")


class Moments(NamedTuple):
    """What was found.

    Attributes:
        dates: YYYY-MM-DD, or YYYY-MM for a month.
        times: HH:MM; a clock hour without its half of the day is both.
        spans: how each is written.
        rest: the text with a gap where each stood.
    """

    dates: set[str]
    times: set[str]
    spans: list[str]
    rest: str


def take_moments(text: str, words: frozenset[str]) -> Moments:
    """The dates and times of a text.

    Args:
        text: lower case.
        words: that occur in it.
    """
    found = Moments(set(), set(), [], text)
    if not words.isdisjoint(MONTHS):
        found = _take_dates(_WITH_MONTH, found._replace(rest=_ORDINAL_DAY.sub(_in_digits, text)))
    if _DIGITS_DATE.search(text):
        found = _take_dates(_IN_DIGITS, found)
    found = _take_times(found, words)
    found.times.update(moment for name, moment in _NAMED_TIMES.items() if name in words)
    return found


def _in_digits(match: re.Match[str]) -> str:
    tens = SPELLED.get(match[1] or "", 0.0)
    return f"{tens + ORDINALS[match[2]]:.0f}"


def _take_dates(patterns: dict[str, re.Pattern[str]], so_far: Moments) -> Moments:
    text = so_far.rest
    for kind, pattern in patterns.items():

        def taken(match: re.Match[str], kind: str = kind) -> str:
            so_far.dates.update(_iso_dates(kind, match.groups()))
            so_far.spans.append(match[0])
            return " ; "

        text = pattern.sub(taken, text)
    return so_far._replace(rest=text)


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


def _take_times(so_far: Moments, words: frozenset[str]) -> Moments:
    text = so_far.rest

    def taken(match: re.Match[str]) -> str:
        so_far.spans.append(match[0])
        so_far.times.update(_READERS[match.re](match))
        return " ; "

    if _COLON.search(text) or not words.isdisjoint(_HALVES):
        text = _CLOCK.sub(taken, text)
    minutes_to = not words.isdisjoint(_MINUTE_WORDS) and not words.isdisjoint(_TO_WORDS)
    if minutes_to or not words.isdisjoint(_PAST_WORDS):
        text = _PAST.sub(taken, text)
    if not words.isdisjoint(_PARTS_OF_DAY):
        text = _FULL_HOUR.sub(taken, text)
    return so_far if text is so_far.rest else so_far._replace(rest=text)


def _read_clock(match: re.Match[str]) -> Iterator[str]:
    hour, minute, half, part, full_hour, full_half = match.groups()
    if full_hour:
        yield from _at(int(full_hour), 0, full_half)
    elif half or part:
        yield from _at(int(hour), int(minute), half or part)
    else:
        yield f"{int(hour):02d}:{minute}"


def _read_past(match: re.Match[str]) -> Iterator[str]:
    minutes = 25 if match[1].endswith("five") and match[1] != "five" else _MINUTES[match[1]]
    hour = int(_HOURS.get(match[3]) or match[3])
    if match[2] == "to":
        if match[1] != "half":
            yield from _at(hour - 1, 60 - minutes, match[4])
    else:
        yield from _at(hour, minutes, match[4])


def _read_full_hour(match: re.Match[str]) -> Iterator[str]:
    yield from _at(int(_HOURS.get(match[1]) or match[1]), 0, match[2] or match[3])


_READERS = {_CLOCK: _read_clock, _PAST: _read_past, _FULL_HOUR: _read_full_hour}


def _at(hour: int, minute: int, part: str | None) -> Iterator[str]:
    """The times that an hour on a clock face can be; without a part of the day that is two."""
    before, behind = f"{hour % 12:02d}:{minute:02d}", f"{hour % 12 + 12:02d}:{minute:02d}"
    if hour > 12:
        yield f"{hour:02d}:{minute:02d}"
        return
    if part in (None, "a", "morning") or (part in ("night", "tonight") and not 6 <= hour <= 11):
        yield before
    if part in (None, "p", "afternoon", "evening") or (part in ("night", "tonight") and 6 <= hour <= 11):
        yield behind
