"""Numbers of the size that a parameter's words suggest, inside the bounds of its schema."""

from __future__ import annotations

import math
import random
import re
from typing import Any, NamedTuple

from data_pipeline.generate.schemas import Schema


class Range(NamedTuple):
    """Numbers to draw from: `low` to `high`, with decimals or without."""

    low: float
    high: float
    decimals: bool


# Words of a tool's name and of a numeric parameter's name -> range; what a score is depends on the game.
TOPIC_RANGES: tuple[tuple[str, str, Range], ...] = (
    (r"\belo\b|chess", "rating", Range(900, 2600, False)),
    (r"golf", "course rating", Range(66, 77, True)),
    (r"golf", "score", Range(68, 118, False)),
    (r"exam|test|quiz|grade", "score", Range(25, 98, False)),
)
# Words of a numeric parameter's name -> range. First match wins.
NUMBER_RANGES: tuple[tuple[str, Range], ...] = (
    (r"latitude|\blat\b", Range(-60, 70, True)),
    (r"longitude|\blon\b|\blng\b", Range(-170, 170, True)),
    (r"humidity|percentage", Range(5, 95, False)),
    (r"nightly|per night", Range(45, 420, False)),
    (r"hourly (rate|wage|pay|cost|price)|price per hour", Range(9, 140, True)),
    (r"percent|\brate\b|discount|\btip\b|\btax\b|margin", Range(1, 30, True)),
    (r"\byears\b|\bterm\b", Range(1, 30, False)),
    (r"\byear\b", Range(1995, 2035, False)),
    (r"\bmonth\b", Range(1, 12, False)),
    (r"\bmonths\b", Range(1, 48, False)),
    (r"\bage\b", Range(18, 85, False)),
    (r"rating|score|grade", Range(1, 5, True)),
    (
        r"people|guests|party|servings|players|participants|attendees|travelers|passengers|persons",
        Range(2, 14, False),
    ),
    (r"\bhours?\b", Range(1, 14, True)),
    (r"minutes?|seconds?|\bdays?\b", Range(5, 120, False)),
    (r"celsius|\bc$|temperature|\btemp\b", Range(-5, 38, True)),
    (r"price per kwh|kwh (price|cost|rate)|per kwh", Range(0.08, 0.6, True)),
    (r"(price|cost) per (liter|litre|gallon)", Range(0.9, 4, True)),
    (r"unit (price|cost)|item price|price per|cost per|\bfee\b|shipping", Range(1, 180, True)),
    (r"monthly rent|\brent\b", Range(350, 4_500, False)),
    (r"salary|income", Range(12_000, 160_000, False)),
    (
        r"(house|home|property|purchase|sale|list) price|property value|principal|mortgage",
        Range(15_000, 900_000, False),
    ),
    (r"wind speed", Range(2, 110, True)),
    (r"speed", Range(5, 130, False)),
    (r"altitude|elevation", Range(5, 3_400, False)),
    (r"pressure hpa|\bhpa\b", Range(960, 1_045, False)),
    (r"heart rate|\bbpm\b|tempo", Range(45, 180, False)),
    (r"\bpages\b", Range(20, 900, False)),
    (r"\bph\b|\bpka\b", Range(2, 12, True)),
    (r"\bweeks\b", Range(1, 40, False)),
    (r"\bwatts\b|power", Range(5, 3_000, False)),
    (r"pixels|\bpx\b", Range(300, 6_000, False)),
    (
        r"price|amount|cost|principal|salary|income|budget|revenue|balance|deposit|fee|\brent\b|value of",
        Range(20, 90_000, True),
    ),
    (r"height|\bcm\b", Range(45, 210, False)),
    (r"weight|\bkg\b|mass", Range(2, 120, True)),
    (r"distance|\bkm\b|miles", Range(2, 900, True)),
    (r"count|number of|quantity|size|length of|\btop\b|limit", Range(2, 25, False)),
)
DEFAULT_RANGE = Range(2.0, 400.0, True)
_SHARE_DECIMALS = (1, 2, 2, 2, 3)
"""Decimal places of probabilities and rates up to 1, which none at all would round away."""


def number_range(words: str, schema: Schema, topic: str = "") -> Range:
    """The numbers to draw from for a parameter of these words, in a tool whose name has the words `topic`."""
    low, high, decimals = _usual_range(words, schema, topic)
    least = bound(schema, "minimum", "exclusiveMinimum")
    most = bound(schema, "maximum", "exclusiveMaximum")
    if least is not None and not least <= low < (high if most is None else most):
        low = least
    if most is not None and not low < high <= most:
        high = most
    # A single bound may lie beyond the usual range.
    high = max(high, low + 1) if most is None else high
    low = min(low, high - 1) if least is None else low
    return Range(low, high, decimals)


def _usual_range(words: str, schema: Schema, topic: str) -> Range:
    told = f"{words} {schema.get('description') or ''}".lower()
    for about, name, found in TOPIC_RANGES:
        if re.search(about, topic) and name in words:
            return found
    for text in (words, told):
        match = next((found for pattern, found in NUMBER_RANGES if re.search(pattern, text)), None)
        if match:
            return match
    return DEFAULT_RANGE


def bound(schema: Schema, *keys: str) -> float | None:
    """The first of the bounds that is given; draft 4 wrote `exclusiveMinimum: true`, and some write text."""
    for key in keys:
        value = schema.get(key)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                continue
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return value
    return None


def whole_number(found: Range, schema: Schema, rng: random.Random) -> int:
    """An integer of the range that the schema allows."""
    low, high, _ = found
    first, last = math.ceil(low), math.floor(high)
    first += schema.get("exclusiveMinimum") == first
    last -= schema.get("exclusiveMaximum") == last
    step = schema.get("multipleOf")
    if isinstance(step, int) and step > 1:
        multiples = range(-(-first // step), last // step + 1)
        return rng.choice(multiples) * step if multiples else first
    if high > 1000 and low >= 0 and last - first > 1000:
        return min(last, max(first, round(_log_uniform(low, high, rng))))
    return rng.randint(first, max(first, last))


def real_number(found: Range, schema: Schema, rng: random.Random) -> float | int:
    """A number of the range that the schema allows, with as many decimals as people give."""
    low, high, decimals = found
    step = schema.get("multipleOf")
    if isinstance(step, (int, float)) and step > 0:
        return _multiple(low, high, step, rng)
    value = _log_uniform(low, high, rng) if low >= 0 and high > 1000 else rng.uniform(low, high)
    usual = _SHARE_DECIMALS if high <= 1 else _usual_decimals(value)
    digits = rng.choice(usual if decimals else (0, 0, 0, 1))
    middle = low / 2 + high / 2  # their sum may be too large
    excluded = (schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum"))
    candidates = (round(value, digits), round(middle, 2))
    rounded = next((number for number in candidates if low <= number <= high and number not in excluded), middle)
    return int(rounded) if rounded == int(rounded) else rounded


def _multiple(low: float, high: float, step: float, rng: random.Random) -> float | int:
    decimals = len(f"{step:.10f}".rstrip("0").partition(".")[2])
    value = round(
        rng.randint(math.ceil(low / step), max(math.ceil(low / step), math.floor(high / step))) * step, decimals
    )
    return int(value) if value == int(value) else value


def _usual_decimals(value: float) -> tuple[int, ...]:
    """Decimal places as people give them: 2.5 kg and 19.99, but 184 rather than 184.37."""
    size = abs(value)
    return (0, 0, 1, 1, 1, 2) if size < 10 else (0, 0, 0, 0, 1, 2) if size < 100 else (0, 0, 0, 0, 0, 0, 0, 1)


def _log_uniform(low: float, high: float, rng: random.Random) -> float:
    value = float(max(low, 1) * (high / max(low, 1)) ** rng.random())
    magnitude = 10 ** max(0, len(str(int(value))) - 2)
    return round(value / magnitude) * magnitude if rng.random() < 0.65 else value


def between(low: float, high: float, like: Any, rng: random.Random) -> float | int:
    """A round number between the two, an integer if `like` is one."""
    value = rng.uniform(low, high)
    if isinstance(like, int):
        return max(math.ceil(low), min(math.floor(high), round(value)))
    return round(value, 2)
