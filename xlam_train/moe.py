"""Mixture-of-experts models on trees: their experts stay evenly used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PretrainedConfig

    from xlam_train.data.collate import TreeBatch


def load_balancing_loss(router_logits: Sequence[torch.Tensor], multiplicity: torch.Tensor, top_k: int) -> torch.Tensor:
    """Switch Transformer's auxiliary loss (Fedus et al. 2021, equations 4 to 6) as over the samples one by one.

    A node counts as often as samples pass through it, so that the shared prompt weighs what it weighs in
    unpacked training. As in transformers, shares are taken over all layers together.

    Args:
        router_logits: of each layer, [T, E].
        multiplicity: [1, T] or [T], samples through each node.
        top_k: experts that compute a token.

    Returns:
        Scalar in fp32 or wider: `top_k` if experts are used evenly, up to E if always the same ones are.
    """
    dtype = torch.promote_types(router_logits[0].dtype, torch.float32)
    samples = multiplicity.reshape(-1).to(dtype)
    rows = samples.sum() * len(router_logits)
    chosen, probability = router_logits[0].new_zeros(2, router_logits[0].shape[-1], dtype=dtype)
    for logits in router_logits:
        probabilities = logits.to(dtype).softmax(-1)
        picks = torch.zeros_like(probabilities).scatter_(1, probabilities.topk(top_k).indices, 1.0)
        chosen = chosen + samples @ picks
        probability = probability + samples @ probabilities
    loss: torch.Tensor = len(chosen) * (chosen / rows) @ (probability / rows)
    return loss


@dataclass(frozen=True)
class RouterBalance:
    """What an objective adds for a mixture of experts.

    Attributes:
        coefficient: of the auxiliary loss, the model's own `router_aux_loss_coef`.
        top_k: experts that compute a token.
    """

    coefficient: float
    top_k: int

    @classmethod
    def of(cls, config: PretrainedConfig) -> RouterBalance | None:
        """From a model's configuration; None if it has no experts or asks for no balance."""
        coefficient = float(getattr(config, "router_aux_loss_coef", 0.0))
        return cls(coefficient, int(config.num_experts_per_tok)) if coefficient else None

    def term(self, output: Any, batch: TreeBatch) -> torch.Tensor:
        """To be added to a tree's summed loss.

        The step divides by the weight of all its labels, so this is the trees' mean auxiliary loss, each tree
        counting by its labels; plain training adds the same mean over micro-batches, each counting once.

        Args:
            output: of a forward pass with `output_router_logits=True`.
            batch: the tree, with `multiplicity`.
        """
        loss = load_balancing_loss(output.router_logits, batch["multiplicity"], self.top_k)
        return self.coefficient * batch["weight"].sum() * loss
