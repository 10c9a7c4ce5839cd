"""Units of measure: which one a parameter wants, and what a quantity is in another."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from data_pipeline.verify.words import identifier_words, word_set, words_of


class Unit(NamedTuple):
    """A unit of measure.

    Attributes:
        dimension: what it measures.
        size: in the dimension's smallest unit below; exact.
    """

    dimension: str
    size: float


class Quantity(NamedTuple):
    """A number with a unit, as '2 hours'.

    Attributes:
        value: the number.
        unit: its unit.
        parts: of '1 hour and 30 minutes': the numbers it is put together from.
    """

    value: float
    unit: Unit
    parts: tuple[float, ...] = ()

    @property
    def amount(self) -> float:
        """In the dimension's smallest unit, so that quantities can be compared."""
        return self.value * self.unit.size

    def in_unit(self, unit: Unit) -> float:
        """The number in another unit of the same dimension."""
        return self.amount / unit.size


# Sizes of the imperial ones are exact by definition (international yard and pound, 1959).
_TABLE: dict[str, dict[str, float]] = {
    "milliseconds": {
        "ms millisecond milliseconds": 1,
        "s sec secs second seconds": 1_000,
        "min mins minute minutes": 60_000,
        "h hr hrs hour hours": 3_600_000,
        "day days": 86_400_000,
        "week weeks": 604_800_000,
    },
    "tenths of a millimetre": {
        "mm millimetre millimetres millimeter millimeters": 10,
        "cm centimetre centimetres centimeter centimeters": 100,
        "m metre metres meter meters": 10_000,
        "km kilometre kilometres kilometer kilometers": 10_000_000,
        "inch inches": 254,
        "ft foot feet": 3_048,
        "yd yard yards": 9_144,
        "mi mile miles": 16_093_440,
    },
    "milligrams": {
        "mg milligram milligrams": 1,
        "g gram grams": 1_000,
        "kg kilo kilos kilogram kilograms": 1_000_000,
        "tonne tonnes": 1_000_000_000,
        "oz ounce ounces": 28_349.523125,
        "lb lbs pound pounds": 453_592.37,
    },
    "millilitres": {
        "ml millilitre millilitres milliliter milliliters": 1,
        "cl centilitre centilitres centiliter centiliters": 10,
        "l litre litres liter liters": 1_000,
    },
}
UNITS = {
    word: Unit(dimension, size)
    for dimension, units in _TABLE.items()
    for words, size in units.items()
    for word in words.split()
}
"""A unit's word or sign, lower case -> the unit."""

# A unit only behind another word, as in `distance_m`: alone, or in a description, these mean something else.
_SHORT = word_set("m g l s h min sec hr mi second")
_OF_TWO_UNITS = word_set("per square cubic sq")


@lru_cache(maxsize=8192)
def unit_of(name: str, description: str) -> Unit | None:
    """The unit a parameter's number is in, as its name says, or else its description; None where neither does."""
    words = identifier_words(name)
    if not _OF_TWO_UNITS.isdisjoint(words):
        return None
    named = [word for word in words if word in UNITS and word not in _SHORT]
    if named:
        return UNITS[named[0]]
    if len(words) > 1 and words[-1] in UNITS:
        return UNITS[words[-1]]
    return _described(description)


def _described(description: str) -> Unit | None:
    words = words_of(description)
    if not _OF_TWO_UNITS.isdisjoint(words) or "/" in description:
        return None
    wanted = [word for before, word in pairwise(words) if before == "in" and word in UNITS]
    found = {UNITS[word] for word in wanted or (word for word in words if word in UNITS and word not in _SHORT)}
    return found.pop() if len(found) == 1 else None
