"""Ends that are asked for: a signal saves and stops, and no rank outlives its launcher."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import torch
from accelerate import PartialState
from accelerate.utils import reduce
from transformers import TrainerCallback

from data_pipeline.core.errors import XlamError

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
TOGETHER = 5.0  # seconds in which signals are one: a batch system tells all processes, and then the launcher its ranks
PR_SET_PDEATHSIG = 1


class Stopped(XlamError):
    """A signal ended the run after a checkpoint; the same command goes on from there."""

    exit_code = 128 + signal.SIGTERM


class StopOnSignal(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """SIGTERM or SIGUSR1 on any rank: finish the step, save, stop, all ranks together. A second one ends at once.

    SIGUSR1 is what Slurm sends ahead of the time limit when asked to (`--signal=USR1@300`).
    """

    def __init__(self) -> None:
        """No signal is caught before training begins: there is nothing to save."""
        self._asked: float | None = None
        self._stopped_at: int | None = None
        self._before: dict[int, Any] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Catch the signals from here on."""
        self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask all ranks: those that got no signal must save and stop at the same step."""
        asked = torch.tensor(float(self._asked is not None), device=PartialState().device)
        if reduce(asked, "sum").item() > 0:
            self._stopped_at = state.global_step
            control.should_save = control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Leave the signals as they were."""
        self.release()

    def release(self) -> None:
        """Leave the signals as they were, also after an error."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def raise_if_stopped(self) -> None:
        """Call it after training.

        Raises:
            Stopped: a signal has ended it.
        """
        if self._stopped_at is not None:
            raise Stopped(f"stopped by a signal and saved at step {self._stopped_at}; run the same command to go on")

    def _ask(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked is None:
            self._asked = now
        elif now - self._asked > TOGETHER:
            self.release()
            signal.raise_signal(signal.Signals(number))


def die_with_launcher() -> None:
    """Have the kernel kill this rank when its launcher dies, which would otherwise leave it running, and writing.

    Without a launcher, as in `xlam train` left alone by a closed terminal, nothing changes.
    """
    if "LOCAL_RANK" in os.environ and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
