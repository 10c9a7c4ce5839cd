"""How sure a share is, and whether two models differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DRAWS = 2000
BLOCK = 1 << 16  # values drawn at once
Z95 = 1.96


def bootstrap_interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval of a mean, from `DRAWS` resamples (Efron 1979).

    Args:
        values: one a sample, at least one.
        seed: of the resamples.
    """
    found = np.asarray(values, dtype=float)
    generator, rows = np.random.default_rng(seed), max(1, BLOCK // len(found))
    means = np.empty(DRAWS)
    for start in range(0, DRAWS, rows):
        part = means[start : start + rows]
        part[:] = found[generator.integers(len(found), size=(len(part), len(found)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def wilson_interval(right: int, cases: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which holds for few cases and for shares near 0 and 1 too."""
    share, square = right / cases, Z95**2 / cases
    middle, half = share + square / 2, Z95 * math.sqrt((share * (1 - share) + square / 4) / cases)
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def combined_interval(parts: Iterable[tuple[float, float, float, float]]) -> tuple[float, float]:
    """The 95 % interval of a weighted sum of shares, from their own intervals squared and added (Zou & Donner 2008).

    Args:
        parts: of each share its weight, itself, and the lower and upper end of its interval.
    """
    found = [*parts]
    total = sum(weight * share for weight, share, _, _ in found)
    below = math.sqrt(sum((weight * (share - low)) ** 2 for weight, share, low, _ in found))
    above = math.sqrt(sum((weight * (high - share)) ** 2 for weight, share, _, high in found))
    return total - below, total + above


def paired_p_value(only_first: int, only_second: int) -> float:
    """McNemar's exact test (1947): how likely so lopsided a split is if both models were equally good.

    Args:
        only_first: samples that the first model alone got right.
        only_second: samples that the second alone got right.
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    tail: float = sum(math.comb(total, k) for k in range(fewer + 1)) / 2**total
    return min(1.0, 2 * tail)
