"""The losses, derived by hand."""

from __future__ import annotations

import math

import pytest
import torch

from xlam_train.loss import CHUNK, dpo_loss, label_log_probabilities, weighted_cross_entropy


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


def test_label_log_probabilities_by_hand() -> None:
    # p = (1/4, 3/4) and (1/2, 1/2); the first position has a label twice, as two answers of a pair do.
    logits = torch.tensor([[0.0, math.log(3)], [1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    row, target = torch.tensor([1, 0, 0]), torch.tensor([1, 0, 0])
    values = label_log_probabilities(logits, row, target)
    expected = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64).log()
    torch.testing.assert_close(values, expected, rtol=1e-12, atol=0)
    values.backward(torch.tensor([2.0, 1.0, -3.0], dtype=torch.float64))
    # d / d logit = worth of the label - (worth at the position) * p
    assert logits.grad is not None
    slope = [[-2 + 2 * 0.25, 2 * 0.75], [-2 * 0.5, 2 - 2 * 0.5]]
    torch.testing.assert_close(logits.grad, torch.tensor(slope, dtype=torch.float64))


def test_label_log_probabilities_have_the_gradient_of_autograd_over_many_rows() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2 * CHUNK + 3, 11, dtype=torch.float64, requires_grad=True)
    row, target = torch.randint(0, 2 * CHUNK, (90,)), torch.randint(0, 11, (90,))
    worth = torch.randn(90, dtype=torch.float64)
    ours, plain = label_log_probabilities(logits, row, target), logits.log_softmax(-1)[row, target]
    (expected,) = torch.autograd.grad(plain, logits, worth)
    (gradient,) = torch.autograd.grad(ours, logits, worth)
    torch.testing.assert_close(ours, plain, rtol=1e-12, atol=0)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-12)


def test_bf16_log_probabilities_are_fp32_and_their_gradient_is_rounded_once() -> None:
    """A probability near one leaves little of the gradient, which bf16 sums would lose."""
    logits = torch.zeros(1, 100, dtype=torch.bfloat16)
    logits[0, 7] = 8.0
    logits.requires_grad_()
    value = label_log_probabilities(logits, torch.tensor([0]), torch.tensor([7]))
    assert value.dtype == torch.float32
    exact = 1 - math.exp(8) / (math.exp(8) + 99)
    assert value.item() == pytest.approx(math.log1p(-exact), rel=1e-4)
    value.backward()
    assert logits.grad is not None
    assert logits.grad[0, 7].item() == pytest.approx(exact, rel=2**-8)


POLICY = torch.tensor([[-3.0, -4.0], [-2.0, -1.0]], dtype=torch.float64)
REFERENCE = torch.tensor([[-5.0, -3.0], [-2.0, -2.0]], dtype=torch.float64)


def test_dpo_loss_by_hand() -> None:
    # Rewards are beta times (2, -1) and (0, 1), so the margins are beta times 3 and -1.
    losses = dpo_loss(POLICY, REFERENCE, beta=0.5)
    expected = [math.log1p(math.exp(-1.5)), math.log1p(math.exp(0.5))]
    torch.testing.assert_close(losses, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=0)


def test_label_smoothing_mixes_in_the_pair_the_other_way_round() -> None:
    smooth = dpo_loss(POLICY, REFERENCE, beta=0.5, label_smoothing=0.1)
    other_way = dpo_loss(POLICY.flip(1), REFERENCE.flip(1), beta=0.5)
    expected = 0.9 * dpo_loss(POLICY, REFERENCE, beta=0.5) + 0.1 * other_way
    torch.testing.assert_close(smooth, expected, rtol=1e-12, atol=0)


def test_dpo_loss_before_the_first_step_is_that_of_a_coin() -> None:
    losses = dpo_loss(REFERENCE, REFERENCE, beta=0.1, label_smoothing=0.2)
    torch.testing.assert_close(losses, torch.full_like(losses, math.log(2)))


def test_dpo_loss_of_a_hopeless_pair_is_finite() -> None:
    hopeless = torch.tensor([[-3000.0, 0.0]], requires_grad=True)
    loss = dpo_loss(hopeless, torch.zeros(1, 2), beta=1.0)
    loss.sum().backward()
    assert loss.item() == pytest.approx(3000)
    assert hopeless.grad is not None
    assert hopeless.grad.tolist() == [[-1.0, 1.0]]
