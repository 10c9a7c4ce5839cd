"""What a run minimises: a callable from model and batch to the sum of the batch's weighted losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from xlam_train.loss import weighted_cross_entropy

if TYPE_CHECKING:
    import torch

    from xlam_train.data.collate import Nodes, TreeBatch
    from xlam_train.moe import RouterBalance


class Objective(Protocol):
    """The sum, not the mean, of a micro-batch's losses.

    `batch["weight"].sum()` is the micro-batch's part of the step's divisor, which the trainer gathers from all
    trees and ranks, so that the gradient is that of the mean over the whole step.
    """

    def __call__(self, model: torch.nn.Module, batch: Any) -> torch.Tensor:
        """A scalar that gradients flow from."""

    def metrics(self) -> dict[str, float]:
        """Means of further numbers since the last call; {} if there are none."""


class SftObjective:
    """Cross entropy of the answers."""

    def __init__(self, balance: RouterBalance | None = None) -> None:
        """With what a mixture of experts adds, if the model is one."""
        self._balance = balance

    def __call__(self, model: torch.nn.Module, batch: TreeBatch) -> torch.Tensor:
        """Sum of weight x cross entropy over the labels of a tree, in nats."""
        return tree_loss(model, batch, self._balance)

    def metrics(self) -> dict[str, float]:
        """None."""
        return {}


def tree_loss(model: torch.nn.Module, batch: TreeBatch, balance: RouterBalance | None = None) -> torch.Tensor:
    """Sum of weight x cross entropy over a tree's labels, and of a mixture of experts its auxiliary loss."""
    output = labelled_output(model, batch, **({"output_router_logits": True} if balance else {}))
    loss = weighted_cross_entropy(output.logits.squeeze(0), batch["row"], batch["target"], batch["weight"])
    return loss + balance.term(output, batch) if balance else loss


def labelled_output(model: torch.nn.Module, batch: Nodes, **more: bool) -> Any:
    """A forward pass with logits at the labelled positions alone, [1, U, V].

    The model is called as a whole, so that DDP and DeepSpeed see it.
    """
    return model(
        input_ids=batch["input_ids"],
        position_ids=batch["position_ids"],
        plan=batch["plan"],
        logits_to_keep=batch["positions"],
        use_cache=False,
        **more,
    )
