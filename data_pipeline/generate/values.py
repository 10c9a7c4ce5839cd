"""Plausible argument values from a parameter's schema alone.

What a value should look like is read from, in this order: `enum`, `examples`, the type's own bounds,
and the words of the parameter's name and description (a "city" gets a city, a "_kg" a weight).
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from typing import Any

from data_pipeline.generate import lexicon

Schema = dict[str, Any]

# Words of a numeric parameter's name -> (low, high, may have decimals). First match wins.
NUMBER_RANGES: tuple[tuple[str, float, float, bool], ...] = (
    (r"latitude|\blat\b", -60, 70, True),
    (r"longitude|\blon\b|\blng\b", -170, 170, True),
    (r"humidity|percentage", 5, 95, False),
    (r"percent|\brate\b|discount|\btip\b|\btax\b|margin", 1, 30, True),
    (r"\byears\b|\bterm\b", 1, 30, False),
    (r"\byear\b", 1995, 2035, False),
    (r"\bmonth\b", 1, 12, False),
    (r"\bmonths\b", 1, 48, False),
    (r"\bage\b", 18, 85, False),
    (r"rating|score|grade", 1, 5, True),
    (
        r"people|guests|party|servings|players|participants|attendees|travelers|passengers|persons",
        2,
        14,
        False,
    ),
    (r"\bhours?\b", 1, 14, True),
    (r"minutes?|seconds?|\bdays?\b", 5, 120, False),
    (r"celsius|\bc$|temperature|\btemp\b", -5, 38, True),
    (
        r"price|amount|cost|principal|salary|income|budget|revenue|balance|deposit|fee|rent|value of",
        20,
        90_000,
        True,
    ),
    (r"height|\bcm\b", 45, 210, False),
    (r"weight|\bkg\b|mass", 2, 120, True),
    (r"distance|\bkm\b|miles", 2, 900, True),
    (r"count|number of|quantity|size|length of|\btop\b|limit", 2, 25, False),
)
DEFAULT_RANGE = (2.0, 400.0, True)

# Words of a text parameter's name or description -> the bank it draws from. First match wins.
TEXT_KINDS: tuple[tuple[str, str], ...] = (
    (r"yyyy-mm-dd|\bdate\b|birthday", "date"),
    (r"mm:ss", "duration"),
    (r"hh:mm|\btime\b", "time"),
    (r"barcode|digits", "digits"),
    (r"e-?mail", "email"),
    (r"\burl\b|website|link", "url"),
    (r"\bcity\b|cities|destination|origin|\btown\b|\bstop\b|location|\bplace\b|venue|airport", "city"),
    (r"countr", "country"),
    (r"sentence|\btext\b|paragraph|message|comment|note|headline|caption|review|phrase|content", "sentence"),
    (r"product|\bitem\b|items|\bsku\b", "product"),
    (r"ingredient|\bfood\b|dish|recipe|meal", "food"),
    (r"subject|topic|course|skill|lesson|\bterm\b|concept", "subject"),
    (r"colou?r", "color"),
    (r"\bcode\b|\bid\b|identifier|reference", "code"),
    (
        r"person|customer|author|student|teacher|\buser\b|player|guest|patient|participant|\bnames\b|attendee",
        "person",
    ),
    (r"title|movie|film|book|song|album|playlist|project|team|company|brand|event|\bname\b|label", "title"),
    (r"\bword|letter|keyword|\btag", "word"),
)
# A description that spells a format out knows better than the name.
FORMAT_HINTS = r"yyyy-mm-dd|hh:mm|mm:ss|digits"


def words_of(name: str) -> str:
    """`unitPrice_usd` -> 'unit price usd'."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").lower()


# Some catalogues write the names of Python's types.
PYTHON_TYPES = {
    "int": "integer",
    "float": "number",
    "str": "string",
    "bool": "boolean",
    "dict": "object",
    "list": "array",
}


def sample_arguments(schema: Schema, rng: random.Random, optional_share: float) -> dict[str, Any]:
    """Arguments for an object schema: all required ones, each optional one with `optional_share`."""
    properties: dict[str, Schema] = schema.get("properties") or {}
    required = schema.get("required") or []
    chosen = [name for name in properties if name in required or rng.random() < optional_share]
    return {name: sample_value(name, properties[name], rng) for name in chosen}


def sample_value(name: str, schema: Schema, rng: random.Random) -> Any:
    """One JSON value that fits the schema and reads plausibly for its name."""
    if schema.get("enum"):
        return rng.choice([value for value in schema["enum"] if value is not None] or [None])
    if schema.get("examples") and rng.random() < 0.5:
        return rng.choice(schema["examples"])
    return SAMPLERS.get(_type_of(schema), _text)(name, schema, rng)


def _type_of(schema: Schema) -> str:
    kind = schema.get("type", "string")
    if isinstance(kind, list):
        kind = next((entry for entry in kind if entry != "null"), "string")
    return PYTHON_TYPES.get(str(kind), str(kind))


def _boolean(_name: str, schema: Schema, rng: random.Random) -> bool:
    # Stating a flag mostly means to change it.
    default = schema.get("default")
    return (not default) if isinstance(default, bool) and rng.random() < 0.8 else rng.random() < 0.5


def _number_range(name: str, schema: Schema) -> tuple[float, float, bool]:
    words = f"{words_of(name)} {schema.get('description', '')}".lower()
    found = next((row[1:] for row in NUMBER_RANGES if re.search(row[0], words_of(name))), None)
    found = found or next((row[1:] for row in NUMBER_RANGES if re.search(row[0], words)), DEFAULT_RANGE)
    low, high, decimals = found
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if least is not None and not least <= low < (high if most is None else most):
        low = least
    if most is not None and not low < high <= most:
        high = most
    # A single bound may lie beyond the usual range.
    high = max(high, low + 1) if most is None else high
    low = min(low, high - 1) if least is None else low
    return low, high, decimals


def _integer(name: str, schema: Schema, rng: random.Random) -> int:
    low, high, _ = _number_range(name, schema)
    first, last = math.ceil(low), math.floor(high)
    first += schema.get("exclusiveMinimum") == first
    last -= schema.get("exclusiveMaximum") == last
    if high > 1000 and low >= 0 and last - first > 1000:
        return min(last, max(first, round(_log_uniform(low, high, rng))))
    return rng.randint(first, max(first, last))


def _number(name: str, schema: Schema, rng: random.Random) -> float | int:
    low, high, decimals = _number_range(name, schema)
    value = _log_uniform(low, high, rng) if low >= 0 and high > 1000 else rng.uniform(low, high)
    digits = rng.choice(_usual_decimals(value) if decimals else (0, 0, 0, 1))
    middle = (low + high) / 2
    excluded = (schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum"))
    candidates = (round(value, digits), round(middle, 2))
    rounded = next((number for number in candidates if low <= number <= high and number not in excluded), middle)
    return int(rounded) if rounded == int(rounded) else rounded


def _usual_decimals(value: float) -> tuple[int, ...]:
    """Decimal places as people give them: 2.5 kg and 19.99, but 184 rather than 184.37."""
    size = abs(value)
    return (0, 0, 1, 1, 1, 2) if size < 10 else (0, 0, 0, 0, 1, 2) if size < 100 else (0, 0, 0, 0, 0, 0, 0, 1)


def _log_uniform(low: float, high: float, rng: random.Random) -> float:
    value = float(max(low, 1) * (high / max(low, 1)) ** rng.random())
    magnitude = 10 ** max(0, len(str(int(value))) - 2)
    return round(value / magnitude) * magnitude if rng.random() < 0.8 else value


def _array(name: str, schema: Schema, rng: random.Random) -> list[Any]:
    items = schema.get("items") or {"type": "string"}
    low = max(schema.get("minItems", 0), 2)
    high = low if _type_of(items) == "object" else max(low, 4)
    low, high = (min(count, schema.get("maxItems", high)) for count in (low, high))
    singular = name[:-1] if name.endswith("s") else name
    description = items.get("description") or schema.get("description", "")
    item = {**items, "description": description}
    found: list[Any] = []
    for _ in range(rng.randint(low, high) * 4):
        value = sample_value(singular, item, rng)
        if value not in found:
            found.append(value)
        if len(found) >= low and (len(found) == high or rng.random() < 0.3):
            break
    # Fewer different values than `minItems`: then some repeat.
    return found + [sample_value(singular, item, rng) for _ in range(low - len(found))]


def _object(_name: str, schema: Schema, rng: random.Random) -> dict[str, Any]:
    return sample_arguments(schema, rng, optional_share=0.3)


def _text(name: str, schema: Schema, rng: random.Random) -> str:
    words, description = words_of(name), str(schema.get("description", "")).lower()
    kind = next((kind for pattern, kind in TEXT_KINDS if re.search(pattern, words)), None)
    if kind is None or re.search(FORMAT_HINTS, description):
        kind = next((kind for pattern, kind in TEXT_KINDS if re.search(pattern, description)), kind)
    return TEXT_MAKERS[kind or "title"](rng)


def _date(rng: random.Random) -> str:
    return f"{rng.randint(2023, 2028)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def _time(rng: random.Random) -> str:
    return f"{rng.randint(6, 22):02d}:{rng.choice((0, 5, 10, 15, 20, 30, 40, 45, 50)):02d}"


def _duration(rng: random.Random) -> str:
    return f"{rng.randint(1, 9)}:{rng.randint(0, 59):02d}"


def _digits(rng: random.Random) -> str:
    return "".join(rng.choice("0123456789") for _ in range(rng.choice((8, 12, 13, 13))))


def _person(rng: random.Random) -> str:
    return f"{rng.choice(lexicon.FIRST_NAMES)} {rng.choice(lexicon.LAST_NAMES)}"


def _title(rng: random.Random) -> str:
    return f"{rng.choice(lexicon.ADJECTIVES)} {rng.choice(lexicon.NOUNS)}".title()


def _word(rng: random.Random) -> str:
    return rng.choice(lexicon.NOUNS + lexicon.ADJECTIVES)


def _sentence(rng: random.Random) -> str:
    return rng.choice(lexicon.SENTENCES).format(
        adj=rng.choice(lexicon.ADJECTIVES),
        noun=rng.choice(lexicon.NOUNS[:11]),
        noun2=rng.choice(lexicon.NOUNS[11:]),
        name=rng.choice(lexicon.FIRST_NAMES),
        city=rng.choice(lexicon.CITIES),
    )


def _code(rng: random.Random) -> str:
    letters = "".join(rng.choice("ABCDEFGHKLMNPRSTVWX") for _ in range(rng.randint(2, 3)))
    return f"{letters}-{rng.randint(100, 9999)}"


def _email(rng: random.Random) -> str:
    return f"{rng.choice(lexicon.FIRST_NAMES)}.{rng.choice(lexicon.NOUNS)}@example.com".lower().replace("á", "a")


def _url(rng: random.Random) -> str:
    return f"https://{rng.choice(lexicon.NOUNS)}.example.org/{rng.choice(lexicon.ADJECTIVES)}"


TEXT_MAKERS: dict[str, Callable[[random.Random], str]] = {
    "date": _date,
    "time": _time,
    "duration": _duration,
    "digits": _digits,
    "email": _email,
    "url": _url,
    "city": lambda rng: rng.choice(lexicon.CITIES),
    "country": lambda rng: rng.choice(lexicon.COUNTRIES),
    "sentence": _sentence,
    "product": lambda rng: rng.choice(lexicon.PRODUCTS),
    "food": lambda rng: rng.choice(lexicon.FOODS),
    "subject": lambda rng: rng.choice(lexicon.SUBJECTS),
    "color": lambda rng: rng.choice(lexicon.COLORS),
    "code": _code,
    "person": _person,
    "title": _title,
    "word": _word,
}

SAMPLERS: dict[str, Callable[[str, Schema, random.Random], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "array": _array,
    "object": _object,
    "string": _text,
}
