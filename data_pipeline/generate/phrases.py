"""Argument phrases: how people say a parameter and its value, derived from the schema's words."""

from __future__ import annotations

import random
import re
from typing import Any

from data_pipeline.generate.values import Schema, words_of

# Last word of a parameter's name -> how the unit is said after a number.
UNITS: dict[str, tuple[str, ...]] = {
    "kg": ("kg", "kilograms"),
    "g": ("g", "grams"),
    "grams": ("grams", "g"),
    "mg": ("mg",),
    "km": ("km", "kilometers"),
    "m": ("m", "meters"),
    "meters": ("meters", "m"),
    "cm": ("cm", "centimeters"),
    "mm": ("mm",),
    "m2": ("square meters", "m2"),
    "miles": ("miles",),
    "kmh": ("km/h",),
    "minutes": ("minutes", "min"),
    "hours": ("hours",),
    "seconds": ("seconds",),
    "days": ("days",),
    "weeks": ("weeks",),
    "months": ("months",),
    "years": ("years",),
    "percent": ("percent", "%"),
    "celsius": ("degrees Celsius", "°C"),
    "c": ("°C", "degrees Celsius"),
    "kwh": ("kWh",),
    "hz": ("Hz", "hertz"),
    "db": ("dB",),
    "mph": ("mph",),
    "kw": ("kW",),
    "watts": ("watts",),
    "liters": ("liters",),
    "litres": ("litres",),
    "ml": ("ml",),
    "kcal": ("kcal",),
    "calories": ("calories",),
    "hpa": ("hPa",),
    "usd": ("USD", "dollars"),
    "eur": ("EUR", "euros"),
}
PREPOSITIONS = {"at", "by", "for", "from", "in", "of", "on", "per", "to", "with"}
SMALL_WORDS = {"a", "an", "the", "of", "one", "two", "other", "first", "second"}
ACTION_WORDS = {
    "include",
    "use",
    "show",
    "allow",
    "ignore",
    "keep",
    "return",
    "sort",
    "remove",
    "apply",
    "exclude",
}


def split_unit(name: str) -> tuple[str, tuple[str, ...]]:
    """`weight_kg` -> ('weight', ('kg', 'kilograms')); no unit -> (words, ())."""
    words = words_of(name).split()
    # In "price per kWh" the last word is not the value's unit.
    units = UNITS.get(words[-1], ()) if words and "per" not in words else ()
    return (" ".join(words[:-1]) if units else " ".join(words)), units


def distinct_heads(properties: dict[str, Schema]) -> dict[str, Schema]:
    """The schemas, without each description whose head may mean a neighbour too.

    "Electricity used by day" and "Electricity used at night" have the same head, so people say "day" and "night".
    """
    told = {
        name: {*words_of(name).split(), *re.findall(r"\w+", str(schema.get("description", "")).lower())}
        for name, schema in properties.items()
    }

    def is_distinct(name: str, schema: Schema) -> bool:
        head = {*_head(schema).lower().split()} - SMALL_WORDS
        return not any(head <= words for other, words in told.items() if other != name)

    return {
        name: schema if is_distinct(name, schema) else {**schema, "description": ""}
        for name, schema in properties.items()
    }


def _head(schema: Schema) -> str:
    """The noun that a description begins with."""
    head = re.split(
        r"[,;:.(]| as | in | e\.g| for | to | at | when | on | used | from ",
        str(schema.get("description", "")),
    )[0]
    return re.sub(r"^(the|a|an|your|optional)\s+", "", head.strip(), flags=re.IGNORECASE)


def noun_phrase(name: str, schema: Schema, rng: random.Random) -> str:
    """What the parameter is called in a sentence: its name's words, or the head of its description."""
    words, _ = split_unit(name)
    head = _head(schema)
    if 1 <= len(head.split()) <= 4 and (not words or rng.random() < 0.25):
        return head[0].lower() + head[1:] if not head.split()[0].isupper() else head
    return words or words_of(name).strip() or name


def say_number(value: float, rng: random.Random) -> str:
    """A number as people type it: sometimes with thousands separators, never rounded."""
    if isinstance(value, int) and abs(value) >= 1000 and not 1900 <= value <= 2100 and rng.random() < 0.25:
        return f"{value:,}"
    return str(value)


def say_value(value: Any, schema: Schema, rng: random.Random) -> str:
    """A value in words; text long enough to blur into the sentence is quoted."""
    if isinstance(value, bool):
        return rng.choice(("yes", "true") if value else ("no", "false"))
    if isinstance(value, (int, float)):
        return say_number(value, rng)
    if isinstance(value, dict):
        properties = distinct_heads(schema.get("properties") or {})
        return join([say_argument(k, properties.get(k, {}), v, rng) for k, v in value.items()])
    if isinstance(value, list):
        return _say_list(value, schema.get("items") or {}, rng)
    if schema.get("enum"):
        return str(value).replace("_", " ") if rng.random() < 0.5 else str(value)
    quoted = len(value.split()) > 3 or rng.random() < 0.25
    quote = rng.choice("\"'") if "'" not in value else '"'
    return f"{quote}{value}{quote}" if quoted else value


def _say_list(values: list[Any], items: Schema, rng: random.Random) -> str:
    said = [say_value(value, items, rng) for value in values]
    if values and isinstance(values[0], dict):
        return " and ".join(f"({entry})" for entry in said)
    if rng.random() < 0.3:
        return "[" + ", ".join(said) + "]"
    return join(said)


def join(parts: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def say_argument(name: str, schema: Schema, value: Any, rng: random.Random) -> str:
    """An argument inside a sentence: 'a weight of 70 kg', 'currency EUR', 'without tax'."""
    if isinstance(value, bool):
        return _say_flag(name, value, rng)
    noun, (_, units) = noun_phrase(name, schema, rng), split_unit(name)
    said = say_value(value, schema, rng)
    if isinstance(value, (int, float)) and units:
        said = _with_unit(said, rng.choice(units))
        if words_of(name) == noun:  # the name is the unit: "12 months"
            return said
    if isinstance(value, dict):
        return f"{noun} ({said})"
    forms = [
        f"{noun} {said}",
        f"{noun} of {said}",
        f"{said} as the {noun}",
        f"{noun}: {said}",
        f"{noun} = {said}",
    ]
    if isinstance(value, (int, float)) and not _is_plural(noun) and noun.split()[-1] not in PREPOSITIONS:
        forms += [f"{article(noun)} {noun} of {said}"] * 3
    if isinstance(value, list):
        forms = [f"{noun} {said}", f"the {noun} {said}", f"{noun}: {said}"]
    # "from Oslo" says what "from 40" does not: a latitude, a percentage?
    if isinstance(value, str) and words_of(name).startswith(("from ", "to ", "by ", "in ")):
        preposition = words_of(name).split()[0]
        forms += [f"{preposition} {said}"] * 3
    return rng.choice(forms)


def _with_unit(said: str, unit: str) -> str:
    return f"{said}{unit}" if unit in ("%", "°C") else f"{said} {unit}"


def _say_flag(name: str, value: bool, rng: random.Random) -> str:
    words = words_of(name)
    if words.split(" ", 1)[0] in ACTION_WORDS:
        return words if value else f"do not {words}"
    noun = words.removeprefix("is ").removeprefix("has ").removeprefix("with ")
    if value:
        return rng.choice((f"{noun}: yes", f"with {noun}", f"{noun} set to true", f"{noun} on"))
    return rng.choice((f"{noun}: no", f"without {noun}", f"{noun} set to false", f"{noun} off"))


def say_clause(name: str, schema: Schema, value: Any, rng: random.Random) -> str:
    """An argument as a clause of its own: 'the weight is 70 kg'."""
    if isinstance(value, (bool, dict)):
        return say_argument(name, schema, value, rng)
    noun, (_, units) = noun_phrase(name, schema, rng), split_unit(name)
    said = say_value(value, schema, rng)
    if isinstance(value, (int, float)) and units:
        said = _with_unit(said, rng.choice(units))
    many = isinstance(value, list) or _is_plural(noun)
    verb = "are" if many else rng.choice(("is", "is", "should be"))
    return f"the {noun} {verb} {said}"


def _is_plural(noun: str) -> bool:
    """'hours per day' and 'fixed costs' are; 'starts at', 'bonus' and 'mass' are not."""
    words = noun.split()
    end = next((index for index, word in enumerate(words) if index and word in PREPOSITIONS), len(words))
    if end == len(words) - 1:  # The preposition ends the name, so what it follows is a verb.
        return False
    return words[end - 1].endswith("s") and not words[end - 1].endswith(("ss", "us", "is"))


def article(noun: str) -> str:
    """'an' before a vowel letter, else 'a'."""
    return "an" if noun[:1].lower() in "aeiou" else "a"
