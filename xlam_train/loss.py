"""Losses as pure functions."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        for rows, labels in _chunks(row, len(logits)):
            index = row[labels] - rows.start, target[labels]
            log_probability = logits[rows].to(wide).log_softmax(-1)
            chosen[labels] = log_probability[index]
            slope = log_probability.exp_().mul_(total[rows, None])
            slope.index_put_(index, -weight[labels], accumulate=True)
            gradient[rows] = slope
        ctx.save_for_backward(gradient)
        return -(chosen * weight).sum()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Scale the gradient that the forward pass has kept, in place: it is the largest tensor of a step."""
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(grad_outputs[0]), None, None, None


class _LabelLogProbability(torch.autograd.Function):
    """Keeps the logits alone; what the labels are worth is not known before all of them are summed."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, row: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Log-softmax, read at the labels."""
        wide = torch.promote_types(logits.dtype, torch.float32)
        chosen = torch.empty(len(row), dtype=wide, device=logits.device)
        for rows, labels in _chunks(row, len(logits)):
            log_probability = logits[rows].to(wide).log_softmax(-1)
            chosen[labels] = log_probability[row[labels] - rows.start, target[labels]]
        ctx.save_for_backward(logits, row, target)
        return chosen

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """d / d logits = worth of the label - (worth at the position) * probability."""
        logits, row, target = ctx.saved_tensors
        (worth,) = grad_outputs
        total = torch.zeros(len(logits), dtype=worth.dtype, device=logits.device).index_add_(0, row, worth)
        gradient = torch.empty_like(logits)
        for rows, labels in _chunks(row, len(logits)):
            slope = logits[rows].to(worth.dtype).softmax(-1).mul_(-total[rows, None])
            slope.index_put_((row[labels] - rows.start, target[labels]), worth[labels], accumulate=True)
            gradient[rows] = slope
        return gradient, None, None


def _chunks(row: torch.Tensor, size: int) -> Iterator[tuple[slice, torch.Tensor]]:
    """Stretches of rows, each with the numbers of the labels in it; the host waits for the device once."""
    order = row.argsort(stable=True)
    starts = torch.arange(0, size + CHUNK, CHUNK, device=row.device)
    edges = torch.searchsorted(row[order], starts).tolist()
    for number, (first, last) in enumerate(pairwise(edges)):
        yield slice(number * CHUNK, (number + 1) * CHUNK), order[first:last]


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


def label_log_probabilities(logits: torch.Tensor, row: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Log-probability of each label, in nats; beside the logits, only their gradient takes memory.

    Args:
        logits: [U, V] logits at the distinct labelled positions; raised to fp32 a few rows at a time.
        row: [L] which row of `logits` predicts the label.
        target: [L] token id.

    Returns:
        [L], in fp32 or wider.
    """
    chosen: torch.Tensor = _LabelLogProbability.apply(logits, row, target)  # type: ignore[no-untyped-call]
    return chosen


def dpo_loss(policy: torch.Tensor, reference: torch.Tensor, beta: float, label_smoothing: float = 0.0) -> torch.Tensor:
    """Direct preference optimization (Rafailov et al. 2023, eq. 7), in nats a pair.

    With label smoothing e it is conservative DPO (Mitchell 2023): (1 - e) of the loss, and e of the loss of the
    pair the other way round.

    Args:
        policy: [P, 2] log-probability of the chosen and the rejected answer under the model.
        reference: [P, 2] the same under the reference model.
        beta: scale of the implicit rewards.
        label_smoothing: share of pairs taken to be the wrong way round, below 0.5.

    Returns:
        [P].
    """
    reward = beta * (policy - reference)
    margin = reward[:, 0] - reward[:, 1]
    return -(1 - label_smoothing) * functional.logsigmoid(margin) - label_smoothing * functional.logsigmoid(-margin)
