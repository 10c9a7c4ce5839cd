"""Losses as pure functions."""

from __future__ import annotations

from typing import Any

import torch

CHUNK = 16  # rows of 50,000 fp32 logits that stay in a CPU's cache between the passes over them


class _WeightedCrossEntropy(torch.autograd.Function):
    """The gradient is written out: autograd would keep three fp32 copies of the logits and pass over each."""

    @staticmethod
    def forward(
        ctx: Any, logits: torch.Tensor, row: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        """Loss, and d loss / d logits = (weight at the position) * probability - weight of the label."""
        wide = torch.promote_types(logits.dtype, torch.float32)
        weight = weight.to(wide)
        total = torch.zeros(len(logits), dtype=wide, device=logits.device).index_add_(0, row, weight)
        gradient = torch.empty_like(logits)
        chosen = torch.empty_like(weight)
        for start in range(0, len(logits), CHUNK):
            rows = slice(start, start + CHUNK)
            here = (row >= start) & (row < start + CHUNK)
            index = row[here] - start, target[here]
            log_probability = logits[rows].to(wide).log_softmax(-1)
            chosen[here] = log_probability[index]
            slope = log_probability.exp_().mul_(total[rows, None])
            slope.index_put_(index, -weight[here], accumulate=True)
            gradient[rows] = slope
        ctx.save_for_backward(gradient)
        return -(chosen * weight).sum()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Scale the gradient that the forward pass has kept, in place: it is the largest tensor of a step."""
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(grad_outputs[0]), None, None, None


def weighted_cross_entropy(
    logits: torch.Tensor, row: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """Sum over labels of weight x cross entropy, in nats.

    The sum is not divided here: a step's divisor is the weight of all its trees on all ranks. It can be
    differentiated once.

    Args:
        logits: [U, V] logits at the distinct labelled positions; bf16 is raised to fp32 first, because
            a sum of 50,000 exponentials loses the small ones in 8 bits.
        row: [L] which row of `logits` predicts the label.
        target: [L] token id.
        weight: [L] number of samples that train the label.

    Returns:
        Scalar, in fp32 or wider.
    """
    loss: torch.Tensor = _WeightedCrossEntropy.apply(logits, row, target, weight)  # type: ignore[no-untyped-call]
    return loss
