"""The check that gradients reach what is trained, because a part of the network without gradient raises no error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback

from data_pipeline.core.errors import CheckFailed
from xlam_train.quantize import check_differentiable

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle


class GradientWitness(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Watches one optimizer step, the first and the first after each evaluation.

    A matrix B of an adapter begins at 0 and has a gradient from the first step on; a matrix A has none until then. So
    every B must see a gradient that is not 0, and everything else that is trained must at least be reached.
    Hooks on the tensors work alike with DDP, ZeRO and one process, where gradients are kept elsewhere.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        """`model` is what `load_for_training` returned."""
        self._model = model
        self._armed = True
        self._handles: list[RemovableHandle] = []
        self._seen: dict[str, list[torch.Tensor]] = {}

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Hook every trained tensor, once a step: accumulation calls this at its first micro-batch only."""
        if self._armed and not self._handles:
            trained = [(name, weight) for name, weight in self._model.named_parameters() if weight.requires_grad]
            self._seen = {name: [] for name, _ in trained}
            self._handles = [self._hook(name, weight) for name, weight in trained]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Raises:
        CheckFailed: naming a tensor that the gradient did not reach.
        """
        if self._handles:
            self._release()
            self.check()

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Evaluation may have left the model without gradient: look at the next step again."""
        check_differentiable(self._model)
        self._armed = True

    def check(self) -> None:
        """Raises:
        CheckFailed: naming a tensor that the gradient did not reach.
        """
        missed = [name for name, seen in self._seen.items() if not seen]
        zero = [name for name, seen in self._seen.items() if "lora_B" in name and seen and not any(map(bool, seen))]
        # A rank whose trees are all filler has no gradient at all; it says nothing about the network.
        if missed or (zero and any(any(map(bool, seen)) for seen in self._seen.values())):
            raise CheckFailed(f"no gradient reaches {(missed + zero)[0]}, so it would never learn; the run was stopped")
        self._armed = not any(any(map(bool, seen)) for seen in self._seen.values())

    def _hook(self, name: str, weight: torch.Tensor) -> RemovableHandle:
        def note(gradient: torch.Tensor) -> None:
            self._seen[name].append(gradient.detach().ne(0).any())

        handle: RemovableHandle = weight.register_hook(note)  # type: ignore[no-untyped-call]
        return handle

    def _release(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
