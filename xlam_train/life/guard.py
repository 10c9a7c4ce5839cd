"""Stop a run whose loss is no longer one, before the weights are ruined, and name what was being learned."""

from __future__ import annotations

import math
from collections import deque
from statistics import fmean
from typing import TYPE_CHECKING, Any, Protocol

import torch
from accelerate import PartialState
from accelerate.utils import gather_object, reduce
from transformers import TrainerCallback

from data_pipeline.core.errors import CheckFailed
from data_pipeline.core.jsonl import write_json
from xlam_train.checkpoints import last_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DIVERGED = "diverged.json"
STEPS = 20
NAMED = 10
FLOOR = 0.1  # nats: below, ten times as much is still a good loss, and happens on the first unusual sample


class Step(Protocol):
    """What the guard asks a trainer about the optimizer step that is about to be applied.

    Attributes:
        step_trees: per micro-batch of this rank, the sample ids and the detached mean loss, nats a label.
        step_grad_norm: global 2-norm of the gradient, or None where it is unknown.
    """

    step_trees: list[tuple[tuple[str, ...], torch.Tensor]]
    step_grad_norm: torch.Tensor | float | None


class LossGuard(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Raises when a step's mean loss over all ranks is no number, or far above the last 20, or its gradient is none.

    The optimizer has not applied the step yet; only DeepSpeed applies it with the last backward pass, and then the
    ruined weights are dropped with the process: nothing is saved after the check.
    """

    def __init__(self, step: Step, ratio: float, out: Path, scaled: bool) -> None:
        """Nothing is read yet.

        Args:
            step: the trainer.
            ratio: a loss this many times the mean of the last 20 steps has diverged.
            out: folder of the run, with its checkpoints/; diverged.json is written there.
            scaled: fp16 with a loss scale, where an infinite gradient is ordinary: the step is skipped.
        """
        self._step = step
        self._ratio = ratio
        self._out = out
        self._scaled = scaled
        self._recent: deque[float] = deque(maxlen=STEPS)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A resumed run remembers the steps before."""
        self._recent.extend(entry["loss"] for entry in state.log_history[-4 * STEPS :] if "loss" in entry)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Look at the step.

        Raises:
            CheckFailed: on all ranks.
        """
        loss = self._mean_loss()
        problem = self._problem(loss)
        # Each rank sees its own gradient norm under some engines; they must agree or some would wait for ever.
        flag = torch.tensor(float(problem is not None), device=PartialState().device)
        if reduce(flag, "sum").item() > 0:
            self._fail(problem or "another rank's gradient is no number", loss, state.global_step)
        self._recent.append(loss)

    def _mean_loss(self) -> float:
        """Over the step's trees on all ranks."""
        losses = [loss.float() for ids, loss in self._step.step_trees if ids]  # what has none fills up the step
        own = torch.stack([*losses, torch.zeros((), device=PartialState().device)]).sum()
        total, count = reduce(torch.stack([own, own.new_tensor(len(losses))]), "sum").tolist()
        return float(total / count)

    def _problem(self, loss: float) -> str | None:
        """What is wrong with the step, if anything."""
        norm = self._step.step_grad_norm
        if not math.isfinite(loss):
            return f"the loss is {loss}"
        if norm is not None and not self._scaled and not math.isfinite(float(norm)):
            return f"the gradient's norm is {float(norm)} (loss {loss:.4g})"
        if self._recent and loss > self._ratio * max(fmean(self._recent), FLOOR):
            return f"the loss is {loss:.4g}, that of the {len(self._recent)} before was {fmean(self._recent):.4g}"
        return None

    def _fail(self, problem: str, loss: float, done: int) -> None:
        trees = _worst_first(gather_object([(list(ids), value.item()) for ids, value in self._step.step_trees]))
        good = last_checkpoint(self._out / "checkpoints", before=done)
        message = (
            f"step {done + 1}: {problem}, at samples {_name([i for ids, _ in trees for i in ids])}, see "
            f"{self._out / DIVERGED}; {_advice(good)}"
        )
        if PartialState().is_main_process:
            write_json(self._out / DIVERGED, {"step": done + 1, "problem": problem, "trees": _rows(trees)})
        raise CheckFailed(message)


def _worst_first(trees: Sequence[tuple[list[str], float]]) -> list[tuple[list[str], float]]:
    return sorted(trees, key=lambda tree: -tree[1] if math.isfinite(tree[1]) else -math.inf)


def _rows(trees: Sequence[tuple[list[str], float]]) -> list[dict[str, Any]]:
    """JSON has no nan and no infinity, so these losses are text."""
    return [{"loss": loss if math.isfinite(loss) else str(loss), "samples": ids} for ids, loss in trees]


def _name(ids: Sequence[str]) -> str:
    """At most ten, and how many more."""
    rest = len(ids) - NAMED
    return ", ".join(ids[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _advice(good: Path | None) -> str:
    """What to do; a checkpoint of the step just before does not count, no loss has proven its weights yet."""
    known = f"{good.name} is the newest that is known to be good" if good else "no checkpoint is known to be good"
    return f"{known}; lower optim.learning_rate or mend the samples, and give another out=..."
