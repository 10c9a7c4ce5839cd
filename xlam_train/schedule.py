"""The learning rate as a function of the share of a run that is done, which is of its data or of its minutes.

Steps cannot carry the schedule: how many there are is known when the last window is packed.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlam_train.recipe import OptimSection


def rate_factor(optim: OptimSection, progress: float) -> float:
    """Share of the peak rate.

    Args:
        optim: names the course and the share of the run spent on the warm-up.
        progress: share of the run that is done, from 0 to 1.
    """
    if progress < optim.warmup_ratio:
        return progress / optim.warmup_ratio
    rest = min((1 - progress) / (1 - optim.warmup_ratio), 1.0)
    if optim.schedule == "constant_with_warmup":
        return 1.0
    return rest if optim.schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * rest)


class TimeBudget:
    """The minutes a run has, over all its restarts.

    Attributes:
        minutes: spent before the current step, as all ranks see it.
        is_spent: no other step fits behind the current one.
        share: of the budget, in the middle of the current step; 0 without a budget.
    """

    def __init__(self, limit: float | None) -> None:
        """Nothing is spent.

        Args:
            limit: minutes; None is without end.
        """
        self._limit = limit
        self._before = 0.0
        self._began: float | None = None
        self.minutes, self.share, self.is_spent = 0.0, 0.0, False

    def restore(self, minutes: float) -> None:
        """Go on from what earlier parts of the run have spent."""
        self._before = self.minutes = minutes

    def spent(self) -> float:
        """Minutes up to now on this rank; the clock starts with the first call."""
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        return self._before + (now - self._began) / 60

    def begin_step(self, minutes: float) -> None:
        """A step begins, and will take as long as the one before.

        Args:
            minutes: what `spent` gave on the slowest rank, so that all ranks end at the same step.
        """
        length, self.minutes = minutes - self.minutes, minutes
        if self._limit is not None:
            self.share = min((minutes + length / 2) / self._limit, 1.0)
            self.is_spent = minutes + 2 * length > self._limit
