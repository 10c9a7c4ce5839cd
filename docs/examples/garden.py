"""An example of tools of one's own: public functions with types and docstrings, nothing else."""

from dataclasses import dataclass
from enum import Enum


class Pattern(Enum):
    """How plants stand to one another."""

    SQUARE = "square"
    STAGGERED = "staggered"


@dataclass
class Bed:
    """A rectangular bed: its length and width in meters."""

    length_m: float
    width_m: float


def count_plants(bed: Bed, spacing_cm: float, pattern: Pattern = Pattern.SQUARE) -> int:
    """Count the plants that fit into a garden bed.

    Args:
        bed: Length and width of the bed in meters
        spacing_cm: Distance between two plants in centimeters
        pattern: How the plants stand to one another
    """
    if spacing_cm <= 0:
        raise ValueError("The spacing must be more than 0 cm.")
    share = 1.0 if pattern is Pattern.SQUARE else 0.866  # rows move together by sin 60 degrees
    return int(bed.length_m * bed.width_m / (share * (spacing_cm / 100) ** 2))


def convert_rain(rain_mm: float, area_m2: float) -> dict[str, float]:
    """Convert rainfall to the water that falls on an area.

    Queries:
        How much water do {rain_mm} of rain bring to {area_m2} of lawn?
        We had {rain_mm} of rain last night. How many liters fell on our roof of {area_m2}?

    Args:
        rain_mm: Rainfall in millimeters
        area_m2: Area in square meters
    """
    return {"liters": round(rain_mm * area_m2, 1)}
