"""What was published in July 2024, and what of it can still be measured.

The board of July 2024 had 2,000 cases. Its executed categories are gone, and some labels have been mended since, so
only these remain comparable: 550 of one function (400 in Python, 100 in Java, 50 in JavaScript), 200 each of
several functions, several calls and both, and 240 that no function answers. xLAM-7b-fc-r reached 88.24 % and
xLAM-1b-fc-r 78.94 % on all of that board; on what remains, weighted by cases, 87.63 % and 77.84 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Row:
    """Cases that were one number: today's categories with their cases, and each model's share in percent."""

    name: str
    categories: Mapping[str, int]
    shares: Mapping[str, float]

    @property
    def cases(self) -> int:
        """Of all categories."""
        return sum(self.categories.values())

    def share(self, measured: Mapping[str, float]) -> float:
        """Category -> share, each weighted by all cases it has, also where only a sample was asked."""
        return sum(cases * measured[name] for name, cases in self.categories.items()) / self.cases


def _row(name: str, categories: dict[str, int], seven: float, one: float) -> Row:
    return Row(name, MappingProxyType(categories), MappingProxyType({"xLAM-7b-fc-r": seven, "xLAM-1b-fc-r": one}))


ROWS = (
    _row("simple", {"simple_python": 400, "simple_java": 100, "simple_javascript": 50}, 85.64, 81.27),
    _row("multiple", {"multiple": 200}, 94.0, 87.0),
    _row("parallel", {"parallel": 200}, 91.0, 78.0),
    _row("parallel_multiple", {"parallel_multiple": 200}, 87.0, 76.0),
    _row("irrelevance", {"irrelevance": 240}, 84.58, 63.75),
)
MODELS = ("xLAM-7b-fc-r", "xLAM-1b-fc-r")


def together(model: str) -> float:
    """A published model's share over all rows, weighted by cases, in percent."""
    return sum(row.cases * row.shares[model] for row in ROWS) / sum(row.cases for row in ROWS)


def weighted(shares: Mapping[str, float]) -> float:
    """Row name -> share, weighted by the cases each row had in July 2024."""
    return sum(row.cases * shares[row.name] for row in ROWS) / sum(row.cases for row in ROWS)
