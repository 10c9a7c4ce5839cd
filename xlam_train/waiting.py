"""How long threads that compute together wait awake for one another. Only before PyTorch is imported can it be said."""

from __future__ import annotations

import os

SPINS = 20_000
"""Turns of a thread's waiting loop, some tens of microseconds, before it sleeps.

GNU OpenMP's own choice is to wait awake for milliseconds. Two threads that a third process has driven onto one core
then hold it in turns without working. SmolLM2-135M on two cores beside a busy process of one thread at nice 19, two
minutes: 41 to 56 tokens/s with this number, not one step in a minute without. Alone: 275 with it, 273 without.
"""


def wait_briefly() -> None:
    """Tell GNU OpenMP, which reads its environment when it is loaded; what the user has set stays."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
