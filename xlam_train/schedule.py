"""The learning rate as a function of the share of the data that is done.

Steps cannot carry the schedule: how many there are is known when the last window is packed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlam_train.recipe import OptimSection


def rate_factor(optim: OptimSection, progress: float) -> float:
    """Share of the peak rate.

    Args:
        optim: names the course and the share of the data spent on the warm-up.
        progress: share of the run's data that is done, from 0 to 1.
    """
    if progress < optim.warmup_ratio:
        return progress / optim.warmup_ratio
    rest = min((1 - progress) / (1 - optim.warmup_ratio), 1.0)
    if optim.schedule == "constant_with_warmup":
        return 1.0
    return rest if optim.schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * rest)
