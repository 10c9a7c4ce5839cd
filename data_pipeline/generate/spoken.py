"""Numbers, dates, times and units as people say them; each function keeps the exact value or gives None."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from data_pipeline.generate.lexicon import MONTHS

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
MOST_IN_WORDS = 999_999
"""Integers above this are not spelled out."""

MOST_MADE_SMALLER = 4
"""Amounts above this are not said in a smaller unit: nobody makes 402 minutes of 6.7 hours."""

# Unit -> (other unit, how many of this make one of that, its singular, its plural).
_CONVERSIONS: dict[str, tuple[tuple[float, str, str], ...]] = {
    "minutes": ((60, "hour", "hours"),),
    "seconds": ((60, "minute", "minutes"), (3600, "hour", "hours")),
    "hours": ((1 / 60, "minute", "minutes"),),
    "days": ((7, "week", "weeks"),),
    "weeks": ((1 / 7, "day", "days"),),
    "m": ((1000, "km", "km"), (0.01, "cm", "cm")),
    "km": ((0.001, "m", "meters"),),
    "cm": ((100, "m", "meters"), (0.1, "mm", "mm")),
    "mm": ((10, "cm", "cm"),),
    "g": ((1000, "kg", "kg"),),
    "kg": ((0.001, "g", "grams"),),
    "ml": ((1000, "liter", "liters"),),
    "liters": ((0.001, "ml", "ml"),),
}


def number_words(value: int) -> str:
    """`250` -> 'two hundred and fifty'; for 0 to `MOST_IN_WORDS`."""
    if value >= 1000:
        thousands, rest = divmod(value, 1000)
        joint = "" if not rest else " and " if rest < 100 else " "
        return f"{number_words(thousands)} thousand{joint}{number_words(rest) if rest else ''}"
    if value >= 100:
        hundreds, rest = divmod(value, 100)
        return f"{_SMALL[hundreds]} hundred" + (f" and {number_words(rest)}" if rest else "")
    if value >= 20:
        tens, ones = divmod(value, 10)
        return _TENS[tens] + (f"-{_SMALL[ones]}" if ones else "")
    return _SMALL[value]


def ordinal_words(value: int) -> str:
    """`23` -> 'twenty-third'; for 1 to 99."""
    head, dash, last = number_words(value).rpartition("-")
    last = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{head}{dash}{last}"


def ordinal_digits(value: int) -> str:
    """`23` -> '23rd'."""
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


def number_spoken(value: float, rng: random.Random) -> str | None:
    """'twenty-five', 'a dozen', '2.5k', '1.5 million', 'two and a half'; None if the value is better in digits."""
    if value == 12 and rng.random() < 0.4:
        return "a dozen"
    if value < 0 or 1900 <= value <= 2100:
        return None
    whole = int(value)
    if value != whole:
        half = value - whole == 0.5
        return (f"{number_words(whole)} and a half" if whole else "half") if half and whole < 100 else None
    if value >= 1_000_000 and value % 100_000 == 0:
        return f"{value / 1_000_000:g} million"
    if value >= 1000 and value % 100 == 0 and value < 1_000_000:
        return f"{value / 1000:g}k" if rng.random() < 0.5 else number_words(whole)
    return number_words(whole) if value <= 100 or (value % 50 == 0 and value <= MOST_IN_WORDS) else None


def unit_spoken(value: float, unit: str, rng: random.Random) -> str | None:
    """The amount in another unit of the same kind, exactly: 90 minutes -> 'an hour and a half'."""
    factor, one, many = rng.choice(_CONVERSIONS.get(unit) or ((1.0, "", ""),))
    if not one or value <= 0:
        return None
    if factor < 1 and value > MOST_MADE_SMALLER:
        return None
    # Whole and half amounts of larger units, whole ones of smaller units: what people say.
    amount = value / factor if factor >= 1 else value * round(1 / factor)
    doubled = amount * (2 if factor >= 7 else 1)
    if doubled != int(doubled) or not 1 <= amount <= 5000 or (factor in (7,) and amount != int(amount)):
        return None
    if amount == 1:
        return f"{'an' if one == 'hour' else 'one' if len(one) < 3 else 'a'} {one}" if len(one) > 2 else f"1 {one}"
    if amount == 1.5 and len(one) > 2:
        return f"{'an' if one == 'hour' else 'a'} {one} and a half"
    if amount != int(amount) and amount < 20 and len(one) > 2:
        return f"{number_words(int(amount))} and a half {many}"
    return f"{amount:g} {many}"


def date_spoken(date: str, british: bool, rng: random.Random) -> str | None:
    """`2026-03-03` -> '3 March 2026', 'March 3rd, 2026', 'the third of March 2026'."""
    if not re.fullmatch(r"[12]\d{3}-[01]\d-[0-3]\d", date):
        return None
    year, month, day = (int(part) for part in date.split("-"))
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    name = MONTHS[month - 1]
    if british:
        forms = (
            f"{day} {name} {year}",
            f"{day} {name} {year}",
            f"{ordinal_digits(day)} {name} {year}",
            f"the {ordinal_digits(day)} of {name} {year}",
            f"the {ordinal_words(day)} of {name} {year}",
        )
    else:
        forms = (
            f"{name} {day}, {year}",
            f"{name} {day}, {year}",
            f"{name} {day} {year}",
            f"{name} {ordinal_digits(day)}, {year}",
            f"the {ordinal_digits(day)} of {name} {year}",
        )
    return rng.choice(forms)


def time_spoken(time: str, rng: random.Random) -> str | None:
    """`14:30` -> '2:30 pm', 'half past two in the afternoon'."""
    if not re.fullmatch(r"[012]\d:[0-5]\d", time):
        return None
    hour, minute = int(time[:2]), int(time[3:])
    if hour > 23:
        return None
    if minute == 0 and hour in (0, 12) and rng.random() < 0.5:
        return "noon" if hour else "midnight"
    said = _CLOCK_WORDS.get(minute)
    if said is not None and rng.random() < 0.5:
        return said(hour)
    suffix = "pm" if hour >= 12 else "am"
    return f"{_twelve(hour)}:{minute:02d} {suffix}" if minute else f"{_twelve(hour)} {suffix}"


def _twelve(hour: int) -> int:
    return (hour - 1) % 12 + 1


def _part_of_day(hour: int) -> str:
    if hour < 12:
        return "in the morning"
    return "in the afternoon" if hour < 18 else "in the evening" if hour < 21 else "at night"


def _past(words: str) -> Callable[[int], str]:
    return lambda hour: f"{words} past {number_words(_twelve(hour))} {_part_of_day(hour)}"


_CLOCK_WORDS: dict[int, Callable[[int], str]] = {
    15: _past("quarter"),
    30: _past("half"),
    # The part of the day is that of the moment, not of the hour that is named.
    45: lambda hour: f"quarter to {number_words(_twelve((hour + 1) % 24))} {_part_of_day(hour)}",
}
