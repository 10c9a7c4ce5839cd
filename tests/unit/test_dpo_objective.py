"""The objective of preference training: its numbers, and that it works wrapped for several processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from tiny_pairs import adapted_model, base_model, pairs, trees
from torch.nn.parallel import DistributedDataParallel

from xlam_train.data.pairs import build_pair_tree, collate_pairs
from xlam_train.dpo_objective import DpoObjective
from xlam_train.preference import answer_log_probabilities

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def one_rank(tmp_path: Path) -> Iterator[None]:
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def test_the_numbers_of_a_step() -> None:
    model, objective, beta = adapted_model(), DpoObjective(beta=0.5), 0.5
    batches = [collate_pairs(tree) for tree in trees(2)]
    for batch in batches:
        objective(model, batch)
    with torch.no_grad():
        ratios = [answer_log_probabilities(model, b) - answer_log_probabilities(base_model(), b) for b in batches]
    chosen, rejected = (beta * torch.cat(ratios)).unbind(1)
    found = objective.metrics()
    assert found.pop("rewards/accuracy") == pytest.approx((chosen > rejected).float().mean().item())
    expected = [(chosen - rejected).mean().item(), chosen.mean().item(), rejected.mean().item()]
    assert list(found.values()) == pytest.approx(expected, rel=1e-5)
    assert list(found) == ["rewards/margin", "rewards/chosen", "rewards/rejected"]
    assert objective.metrics() == {}, "they begin anew after every call"


def test_a_filler_has_no_loss_and_no_numbers() -> None:
    model, objective = adapted_model(), DpoObjective(beta=0.5, sft_weight=1.0)
    counted, filler = (collate_pairs(tree) for tree in trees(2))
    objective(model, counted)
    alone = objective.metrics()
    filler["weight"].zero_()
    loss = objective(model, filler)
    assert loss.item() == 0
    assert not any(
        slope.any() for slope in torch.autograd.grad(loss, [w for w in model.parameters() if w.requires_grad])
    )
    assert objective.metrics() == {}
    objective(model, counted)
    objective(model, filler)
    assert objective.metrics() == alone


def test_the_cross_entropy_of_the_chosen_answer_is_averaged_over_its_tokens() -> None:
    model = adapted_model()
    batch = collate_pairs(build_pair_tree(pairs(2)))
    plain, mixed = (DpoObjective(beta=0.5, sft_weight=weight)(model, batch) for weight in (0.0, 0.3))
    chosen = answer_log_probabilities(model, batch)[:, 0]
    assert (mixed - plain).item() == pytest.approx(-0.3 * (chosen / 3).sum().item(), rel=1e-5)


@pytest.mark.usefixtures("one_rank")
def test_wrapped_by_ddp_it_is_the_same() -> None:
    """The pass without gradients must leave DDP's reducer and the adapters ready for the other one."""
    plain, wrapped = adapted_model(), DistributedDataParallel(adapted_model())
    objective = DpoObjective(beta=0.5)
    for tree in trees(3):
        batch = collate_pairs(tree)
        losses = [objective(model, batch) for model in (plain, wrapped)]
        assert losses[0].item() == losses[1].item()
        for loss in losses:
            loss.backward()
    trained = [weight for weight in plain.parameters() if weight.requires_grad]
    assert len(trained) == 28
    others = [weight for weight in wrapped.parameters() if weight.requires_grad]
    for left, right in zip(trained, others, strict=True):
        assert left.grad is not None
        assert left.grad.any()
        torch.testing.assert_close(right.grad, left.grad, rtol=1e-6, atol=0)
    assert objective.metrics()["rewards/accuracy"] in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def test_a_few_steps_teach_the_preference() -> None:
    model, objective = adapted_model(), DpoObjective(beta=0.5)
    batch = collate_pairs(build_pair_tree(pairs(4)))
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-2)
    seen = []
    for _ in range(12):
        loss = objective(model, batch) / 4
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seen.append((loss.item(), objective.metrics()["rewards/accuracy"]))
    assert seen[-1][0] < 0.3 * seen[0][0]
    assert seen[-1][1] == 1.0
