"""Losses as pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def weighted_cross_entropy(
    logits: torch.Tensor, row: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """Sum over labels of weight x cross entropy, in nats.

    The sum is not divided here: a step's divisor is the weight of all its trees on all ranks.

    Args:
        logits: [U, V] logits at the distinct labelled positions; bf16 is raised to fp32 first, because
            a sum of 50,000 exponentials loses the small ones in 8 bits.
        row: [L] which row of `logits` predicts the label.
        target: [L] token id.
        weight: [L] number of samples that train the label.

    Returns:
        Scalar, in fp32 or wider.
    """
    wide = logits if logits.itemsize >= 4 else logits.float()
    log_probability = wide.log_softmax(-1)[row, target]
    return -(log_probability * weight.to(wide.dtype)).sum()
