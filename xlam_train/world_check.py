"""The second look at the world, once the engine is around the model; and the table that tells what trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from rich.console import Console
from rich.table import Table
from transformers import TrainerCallback

from data_pipeline.core.errors import InputError
from xlam_train.trained import trainable_summary
from xlam_train.world import check_same, real_world

if TYPE_CHECKING:
    from transformers import Trainer

    from xlam_train.world import World

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


class WorldCheck(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Checks engine, ZeRO stage, offload and trained weights before the first step, and the precision in it."""

    def __init__(self, trainer: Trainer, launched: World) -> None:
        """Remember what was launched.

        Args:
            trainer: whose world is looked at.
            launched: from `world.launched_world`.
        """
        self._trainer = trainer
        self._launched = launched
        self._probe: _OutputType | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Compare, and show the table on the first rank.

        Raises:
            InputError: the engine is not the one that was launched, or ranks train different weights.
        """
        real = real_world(self._trainer)
        check_same(real, self._launched)
        trained, total = self._same_weights()
        self._probe = _OutputType(self._trainer.model)
        if state.is_world_process_zero:
            Console(stderr=True).print(world_table(self._trainer, real, trained, total))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Compare the type that the first step computed in.

        Raises:
            InputError: it is another one than the recipe's precision.
        """
        if self._probe is None:
            return
        found, wanted = self._probe.found, DTYPES[self._launched.precision]
        self._probe = None
        if found != wanted:
            raise InputError(
                f"precision: the model computes in {found}, the recipe means {wanted}; see docs/distributed.md"
            )

    def _same_weights(self) -> tuple[int, int]:
        """Trained and all parameters, the same on every rank."""
        summary = trainable_summary(self._trainer.model)
        own = torch.tensor([[summary.trainable, summary.total]], device=self._trainer.accelerator.device)
        everywhere = self._trainer.accelerator.gather(own)
        if (everywhere != own).any():
            raise InputError(
                f"world: ranks train different weights, {everywhere.tolist()} trained and all; give every machine the "
                "same base model and recipe"
            )
        return summary.trainable, summary.total


class _OutputType:
    """The type of what the first linear layer gives, in its first forward pass."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.found: torch.dtype | None = None
        layer = next(module for module in model.modules() if isinstance(module, torch.nn.Linear))
        self._handle = layer.register_forward_hook(self._look)

    def _look(self, module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
        self.found = output.dtype
        self._handle.remove()


def world_table(trainer: Trainer, world: World, trained: int, total: int) -> Table:
    """What trains, a row each."""
    table = Table("world", "found", title=None, header_style="bold")
    for name, value in _rows(trainer, world, trained, total).items():
        table.add_row(name, value)
    return table


def _rows(trainer: Trainer, world: World, trained: int, total: int) -> dict[str, str]:
    model = trainer.model
    checkpointed = any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
    return {
        "processes": str(world.processes),
        "nodes": str(world.nodes),
        "device": world.device,
        "backend": world.backend,
        "engine": world.engine,
        "ZeRO stage": str(world.zero_stage),
        "offload": world.offload,
        "precision": world.precision,
        "trained parameters": f"{trained:,} of {total:,} ({trained / total:.2%})",
        "trees a step and rank": str(trainer.args.gradient_accumulation_steps),
        "gradient checkpointing": "on" if checkpointed else "off",
        "attention": str(model.config._attn_implementation),
    }
