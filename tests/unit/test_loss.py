"""The loss, derived by hand."""

from __future__ import annotations

import math

import pytest
import torch

from xlam_train.loss import CHUNK, weighted_cross_entropy


def test_by_hand() -> None:
    # Two positions over two tokens: p = (1/4, 3/4) and (1/2, 1/2).
    logits = torch.tensor([[0.0, math.log(3)], [1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    row, target = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1])
    weight = torch.tensor([2.0, 1.0, 3.0])
    loss = weighted_cross_entropy(logits, row, target, weight)
    assert loss.item() == pytest.approx(2 * math.log(4) + math.log(4 / 3) + 3 * math.log(2), rel=1e-12)
    loss.backward()
    # d loss / d logit = (weight at the position) * p - weight of the label
    assert logits.grad is not None
    expected = [[3 * 0.25 - 2, 3 * 0.75 - 1], [3 * 0.5, 3 * 0.5 - 3]]
    torch.testing.assert_close(logits.grad, torch.tensor(expected, dtype=torch.float64))


def test_bf16_logits_are_summed_in_fp32() -> None:
    logits = torch.zeros(1, 50_000, dtype=torch.bfloat16)
    loss = weighted_cross_entropy(logits, torch.tensor([0]), torch.tensor([7]), torch.ones(1))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(math.log(50_000), rel=1e-6)


def test_gradient_is_that_of_autograd_over_many_rows() -> None:
    """More rows than a chunk, rows with several labels, a row with none."""
    torch.manual_seed(0)
    logits = torch.randn(2 * CHUNK + 3, 11, dtype=torch.float64, requires_grad=True)
    row = torch.randint(0, 2 * CHUNK, (90,))
    target, weight = torch.randint(0, 11, (90,)), torch.randint(0, 4, (90,)).double()
    ours = weighted_cross_entropy(logits, row, target, weight)
    plain = -(logits.log_softmax(-1)[row, target] * weight).sum()
    (expected,) = torch.autograd.grad(plain, logits)
    (gradient,) = torch.autograd.grad(ours, logits)
    torch.testing.assert_close(ours, plain, rtol=1e-12, atol=0)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-12)


def test_weight_zero_has_no_gradient() -> None:
    logits = torch.randn(1, 5, requires_grad=True)
    weighted_cross_entropy(logits, torch.tensor([0]), torch.tensor([1]), torch.zeros(1)).backward()
    assert logits.grad is not None
    assert not logits.grad.any()
