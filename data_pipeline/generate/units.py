"""Units in parameter names: `weight_kg` is a weight, said in kg or kilograms."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from data_pipeline.generate.schemas import words_of


class Unit(NamedTuple):
    """How an amount of a unit is said.

    Attributes:
        key: the unit by its plain name, for conversions.
        forms: behind a number in digits.
        word: behind a number in words.
        sign: before a number in digits, such as '$'; '' without one.
    """

    key: str
    forms: tuple[str, ...]
    word: str
    sign: str = ""


def _unit(key: str, *forms: str, sign: str = "") -> Unit:
    return Unit(key, forms, next((form for form in reversed(forms) if len(form) > 3), forms[-1]), sign)


# Last word of a parameter's name -> its unit.
UNITS: dict[str, Unit] = {
    "kg": _unit("kg", "kg", "kilograms"),
    "kilograms": _unit("kg", "kilograms", "kg"),
    "g": _unit("g", "g", "grams"),
    "grams": _unit("g", "grams", "g"),
    "mg": _unit("mg", "mg", "milligrams"),
    "lbs": _unit("lb", "lbs", "pounds"),
    "lb": _unit("lb", "lb", "pounds"),
    "oz": _unit("oz", "oz", "ounces"),
    "km": _unit("km", "km", "kilometers"),
    "kilometers": _unit("km", "kilometers", "km"),
    "m": _unit("m", "m", "meters"),
    "meters": _unit("m", "meters", "m"),
    "metres": _unit("m", "metres", "m"),
    "cm": _unit("cm", "cm", "centimeters"),
    "centimeters": _unit("cm", "centimeters", "cm"),
    "mm": _unit("mm", "mm", "millimeters"),
    "m2": _unit("m2", "square meters", "m2"),
    "sqm": _unit("m2", "square meters", "sqm"),
    "sqft": _unit("sqft", "sqft", "square feet"),
    "m3": _unit("m3", "cubic meters", "m3"),
    "hectares": _unit("ha", "hectares", "ha"),
    "acres": _unit("acre", "acres"),
    "miles": _unit("mi", "miles"),
    "feet": _unit("ft", "feet", "ft"),
    "ft": _unit("ft", "ft", "feet"),
    "inches": _unit("in", "inches"),
    "kmh": _unit("kmh", "km/h"),
    "mph": _unit("mph", "mph"),
    "knots": _unit("knots", "knots"),
    "milliseconds": _unit("ms", "milliseconds", "ms"),
    "ms": _unit("ms", "ms", "milliseconds"),
    "seconds": _unit("seconds", "seconds"),
    "minutes": _unit("minutes", "minutes", "min"),
    "hours": _unit("hours", "hours"),
    "days": _unit("days", "days"),
    "weeks": _unit("weeks", "weeks"),
    "months": _unit("months", "months"),
    "years": _unit("years", "years"),
    "percent": _unit("percent", "percent", "%"),
    "celsius": _unit("c", "degrees Celsius", "°C"),
    "c": _unit("c", "°C", "degrees Celsius"),
    "fahrenheit": _unit("f", "degrees Fahrenheit", "°F"),
    "degrees": _unit("degree", "degrees"),
    "wh": _unit("wh", "Wh"),
    "kwh": _unit("kwh", "kWh"),
    "mah": _unit("mah", "mAh"),
    "kw": _unit("kw", "kW"),
    "watts": _unit("w", "watts", "W"),
    "volts": _unit("v", "volts", "V"),
    "amps": _unit("a", "amps", "A"),
    "ohms": _unit("ohm", "ohms"),
    "hz": _unit("hz", "Hz", "hertz"),
    "khz": _unit("khz", "kHz", "kilohertz"),
    "mhz": _unit("mhz", "MHz", "megahertz"),
    "ghz": _unit("ghz", "GHz", "gigahertz"),
    "db": _unit("db", "dB", "decibels"),
    "lux": _unit("lux", "lux"),
    "lumens": _unit("lm", "lumens"),
    "dpi": _unit("dpi", "dpi", "dots per inch"),
    "pixels": _unit("px", "pixels", "px"),
    "px": _unit("px", "px", "pixels"),
    "bytes": _unit("byte", "bytes"),
    "kb": _unit("kb", "KB", "kilobytes"),
    "mb": _unit("mb", "MB", "megabytes"),
    "gb": _unit("gb", "GB", "gigabytes"),
    "tb": _unit("tb", "TB", "terabytes"),
    "mbps": _unit("mbps", "Mbps", "megabits per second"),
    "bpm": _unit("bpm", "bpm", "beats per minute"),
    "rpm": _unit("rpm", "rpm"),
    "liters": _unit("liters", "liters"),
    "litres": _unit("liters", "litres"),
    "ml": _unit("ml", "ml", "milliliters"),
    "kcal": _unit("kcal", "kcal"),
    "calories": _unit("cal", "calories"),
    "hpa": _unit("hpa", "hPa", "hectopascals"),
    "kpa": _unit("kpa", "kPa", "kilopascals"),
    "psi": _unit("psi", "psi"),
    "mmhg": _unit("mmhg", "mmHg"),
    "usd": _unit("usd", "USD", "dollars", sign="$"),
    "eur": _unit("eur", "EUR", "euros", sign="€"),
    "gbp": _unit("gbp", "GBP", "pounds", sign="£"),
    "dollars": _unit("usd", "dollars", sign="$"),
    "euros": _unit("eur", "euros", sign="€"),
}
_ADJECTIVES = frozenset(
    (
        "regular", "longest", "shortest", "current", "target", "total", "maximum", "max", "minimum", "min", "average",
        "first", "last", "next", "daily", "weekly", "monthly", "yearly", "annual", "free", "initial", "final", "extra",
        "used", "paid",
    )
)  # fmt: skip
_TOLD = re.compile(r"\bin (?:whole |full )?([a-z]+[23]?)\b")
_LETTERED = frozenset({"side", "angle", "edge", "leg", "point"})
GLUED = frozenset({"%", "°C", "°F"})
"""Forms that stand at the number without a space."""
_FORMS = sorted({form for unit in UNITS.values() for form in (*unit.forms, unit.word)}, key=len, reverse=True)
_EITHER = "|".join(re.sub(r"(?<=\w{3})s$", "s?", re.escape(form)) for form in _FORMS)
UNIT_BEHIND = re.compile(rf"[ -]?(?:{_EITHER})(?!\w)")
"""A unit that stands behind a number."""
PREPOSITIONS = frozenset({"at", "by", "for", "from", "in", "of", "on", "per", "to", "with"})


@lru_cache(maxsize=20_000)
def split_unit(name: str) -> tuple[str, Unit | None]:
    """`weight_kg` -> ('weight', kilograms); `times_in_milliseconds` -> ('times', ...); no unit -> (words, None)."""
    words = words_of(name).split()
    # In "price per kWh" the last word is not the value's unit.
    unit = UNITS.get(words[-1]) if words and "per" not in words and not _is_letter(words) else None
    if unit is None:
        return " ".join(words), None
    words.pop()
    if words and words[-1] in UNITS:  # kWh per m2
        return " ".join([*words, unit.key]), None
    while words and words[-1] in PREPOSITIONS:
        words.pop()
    if words and words[-1] in _ADJECTIVES:  # "regular hours", not "regular"
        return words_of(name), None
    return " ".join(words), unit


def _is_letter(words: list[str]) -> bool:
    """Whether the last word counts, as the c of 'side c', or is a name, as the c of a formula, and measures nothing."""
    return len(words[-1]) == 1 and (len(words) == 1 or words[-2] in _LETTERED)


def unit_told(description: str) -> Unit | None:
    """Minutes, of 'Length of the stay in minutes'; None where no unit is told, or one of several."""
    if re.search(r"/|\bper\b", description):
        return None
    found = {UNITS[word].key: UNITS[word] for word in _TOLD.findall(description.lower()) if word in UNITS}
    return found.popitem()[1] if len(found) == 1 else None


def british(text: str) -> str:
    """Units in the spelling of Britain: 'kilometers' -> 'kilometres'."""
    return text.replace("meter", "metre").replace("liter", "litre")


def with_unit(number: str, form: str) -> str:
    """'70 kg', '5%'."""
    return f"{number}{form}" if form in GLUED else f"{number} {form}"


def singular(form: str) -> str:
    """The form behind a one: 'hours' -> 'hour', 'degrees Celsius' -> 'degree Celsius'."""
    if form in ("feet", "inches"):
        return {"feet": "foot", "inches": "inch"}[form]
    head, space, tail = form.partition(" ")
    if head in ("square", "cubic"):
        return f"{head} {singular(tail)}"
    if len(head) > 3 and head.endswith("s") and head not in ("knots", "lumens"):
        return f"{head[:-1]}{space}{tail}"
    return form
