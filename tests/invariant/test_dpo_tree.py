"""Preference training on trees is preference training on its pairs one at a time: same loss, same gradient."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import torch
from tiny_pairs import VOCAB, adapted_model, base_model, pair, plain_log_probability

from xlam_train.data.pairs import build_pair_tree, collate_pairs
from xlam_train.dpo_objective import DpoObjective

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tiny_pairs import Pair

OBJECTIVE = {"beta": 0.3, "label_smoothing": 0.1, "sft_weight": 0.2}

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def by_hand() -> list[Pair]:
    """Answers that begin alike, a pair twice, a chosen answer with two rejected ones or at the start of one."""
    tools = [1, 2, 3, 4, 5, 6, 7]
    return [
        pair("a", [*tools, 10, 11], [20, 21, 22], [20, 21, 23, 24]),
        pair("b", [*tools, 10, 11], [20, 21, 22], [20, 21, 23, 24]),
        pair("c", [*tools, 10, 11], [20, 21, 22], [30]),
        pair("d", [*tools, 12], [13, 14], [13, 14, 15]),
        pair("e", [1, 2, 30], [31, 32], [32, 31]),
    ]


def at_random(seed: int) -> list[Pair]:
    """Two tool sets and more nodes than a block of attention."""
    rng = random.Random(seed)

    def tokens(low: int, high: int) -> list[int]:
        return [rng.randrange(VOCAB) for _ in range(rng.randint(low, high))]

    tool_sets = [tokens(40, 80), tokens(40, 80)]
    return [pair(str(n), rng.choice(tool_sets) + tokens(2, 9), tokens(1, 12), tokens(1, 12)) for n in range(10)]


def plain_loss(model: torch.nn.Module, reference: torch.nn.Module, pairs: Sequence[Pair]) -> torch.Tensor:
    """The definition, pair by pair."""
    beta, smoothing, sft_weight = OBJECTIVE.values()
    total = torch.zeros((), dtype=torch.float64)
    for chosen, rejected in pairs:
        with torch.no_grad():
            before = [plain_log_probability(reference, row) for row in (chosen, rejected)]
        now = [plain_log_probability(model, row) for row in (chosen, rejected)]
        margin = beta * ((now[0] - before[0]) - (now[1] - before[1]))
        total = total - (1 - smoothing) * torch.sigmoid(margin).log() - smoothing * torch.sigmoid(-margin).log()
        total = total - sft_weight * now[0] / sum(chosen.trainable)
    return total


def gradients(model: torch.nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    named = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    return dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))


def assert_equal(
    model: torch.nn.Module, loss: torch.Tensor, wanted: tuple[torch.Tensor, dict[str, torch.Tensor]]
) -> None:
    """Loss and every weight's gradient; the rotary embedding computes in fp32, hence the tolerance."""
    expected, slopes = wanted
    assert loss.item() == pytest.approx(expected.item(), rel=1e-9)
    found = gradients(model, loss)
    assert found.keys() == slopes.keys()
    for name, slope in slopes.items():
        assert (found[name] - slope).norm() <= 1e-6 * slope.norm() + 1e-12, name
    norms = [torch.stack([g.norm() for g in group.values()]).norm().item() for group in (found, slopes)]
    assert norms[1] > 0.1
    assert norms[0] == pytest.approx(norms[1], rel=1e-6)


PAIRS = pytest.mark.parametrize("pairs", [by_hand(), at_random(0), at_random(1)], ids=["by_hand", "0", "1"])


@PAIRS
def test_a_tree_of_pairs_is_each_pair_alone_with_adapters(pairs: list[Pair]) -> None:
    plain = adapted_model("sdpa").double()
    expected = plain_loss(plain, base_model("sdpa").double(), pairs)
    model = adapted_model().double()
    tree = build_pair_tree(pairs)
    assert tree.tokens_packed < 0.7 * tree.tokens_before
    loss = DpoObjective(**OBJECTIVE)(model, collate_pairs(tree))
    assert_equal(model, loss, (expected, gradients(plain, expected)))


@PAIRS
def test_a_tree_of_pairs_is_each_pair_alone_in_full(pairs: list[Pair]) -> None:
    plain, before = base_model("sdpa", seed=1).double(), base_model("sdpa").double()
    expected = plain_loss(plain, before, pairs)
    known = {row.sample_id: plain_log_probability(before, row).item() for rows in pairs for row in rows}
    model = base_model(seed=1).double()
    batch = collate_pairs(build_pair_tree(pairs), known)
    batch["reference"] = torch.tensor([[known[row.sample_id] for row in rows] for rows in pairs], dtype=torch.float64)
    assert_equal(model, DpoObjective(**OBJECTIVE)(model, batch), (expected, gradients(plain, expected)))


def test_two_trees_accumulated_are_one_tree() -> None:
    """Of uneven size, so that a mean of means would be another gradient."""
    pairs, model = at_random(2), adapted_model().double()
    objective = DpoObjective(**OBJECTIVE)
    together = objective(model, collate_pairs(build_pair_tree(pairs)))
    wanted = together, gradients(model, together)
    whole = objective.metrics()
    apart = [objective(model, collate_pairs(build_pair_tree(part))) for part in (pairs[:3], pairs[3:])]
    assert_equal(model, apart[0] + apart[1], wanted)
    parts = objective.metrics()
    assert parts.keys() == whole.keys()
    assert all(parts[name] == pytest.approx(value, rel=1e-9) for name, value in whole.items())


def test_checkpointed_activations_change_nothing() -> None:
    batch = collate_pairs(build_pair_tree(by_hand()))
    model, objective = adapted_model().double().train(), DpoObjective(**OBJECTIVE)
    expected = objective(model, batch)
    wanted = expected, gradients(model, expected)
    model.activation_checkpointing_enable()  # type: ignore[operator]
    assert_equal(model, objective(model, batch), wanted)
