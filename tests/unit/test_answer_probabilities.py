"""The reference of preference training: adapters switched off, and the pass before the first step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from tiny_pairs import adapted_model, base_model, pairs, plain_log_probability, trees

from data_pipeline.core.errors import InputError
from xlam_train import preference
from xlam_train.data.pairs import build_pair_tree, collate_pairs
from xlam_train.data.stream import FixedFeed, TreeStream
from xlam_train.dpo_objective import DpoObjective
from xlam_train.preference import adapters_off, answer_log_probabilities, reference_log_probabilities

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xlam_train.data.pairs import PairTree
    from xlam_train.data.render import Encoded

KEY = {"base": "b", "dataset": "d"}

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def stream(made: list[PairTree], ranks: int = 1, rank: int = 0) -> TreeStream[PairTree]:
    return TreeStream(FixedFeed(made), collate_pairs, ranks, ranks, rank)


def expected_of(rows: list[Encoded]) -> dict[str, float]:
    model = base_model("sdpa")
    with torch.no_grad():
        return {row.sample_id: plain_log_probability(model, row).item() for row in rows}


def test_answers_have_the_log_probability_of_one_at_a_time() -> None:
    made = pairs(2)
    values = answer_log_probabilities(base_model(), collate_pairs(build_pair_tree(made)))
    expected = expected_of([row for rows in made for row in rows])
    assert values.flatten().tolist() == pytest.approx(list(expected.values()), rel=1e-6)


@pytest.mark.parametrize(
    "changes",
    [{}, {"use_dora": True}, {"trainable_token_indices": {"embed_tokens": [4, 5]}}],
    ids=["lora", "dora", "added_tokens"],
)
def test_a_model_without_its_adapters_is_its_base(changes: dict[str, Any]) -> None:
    model, batch = adapted_model(**changes), collate_pairs(trees(1)[0])
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    with torch.no_grad(), adapters_off(model):
        found = answer_log_probabilities(model, batch)
    assert torch.equal(found, answer_log_probabilities(base_model(), batch))
    with torch.no_grad(), model.disable_adapter():
        assert torch.equal(found, answer_log_probabilities(model, batch))
    assert (answer_log_probabilities(model, batch) - found).abs().max() > 0.1, "the adapters are back on"
    assert [name for name, weight in model.named_parameters() if weight.requires_grad] == trained


def test_adapters_are_back_on_after_an_error() -> None:
    model = adapted_model()
    with pytest.raises(ZeroDivisionError), adapters_off(model) as layers:
        raise ZeroDivisionError
    assert len(layers) == 14
    assert not any(layer.disable_adapters for layer in layers)


def test_neither_adapters_nor_reference_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="neither"):
        DpoObjective(beta=0.1)(base_model(), collate_pairs(trees(1)[0]))


def reference_on(model: torch.nn.Module, made: list[PairTree], path: Path, **more: Any) -> dict[str, float]:
    return reference_log_probabilities(model, stream(made), path, KEY, **more)


def test_every_answer_gets_its_reference(tmp_path: Path) -> None:
    told: list[float] = []
    found = reference_on(adapted_model(), trees(5), tmp_path / "reference.json", notify=told.append)
    assert found == pytest.approx(expected_of([row for rows in pairs(9) for row in rows]), rel=1e-6)
    assert told == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_precomputed_and_switched_off_adapters_train_alike(tmp_path: Path) -> None:
    """Also under autocast, whose cache must not carry weights from the pass without gradients into the other."""
    model, (tree, *_) = adapted_model().eval(), trees(5)
    with torch.autocast("cpu", torch.bfloat16):
        known = reference_on(model, trees(5), tmp_path / "reference.json")
        losses = [DpoObjective(beta=0.5)(model, batch) for batch in (collate_pairs(tree), collate_pairs(tree, known))]
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    slopes = [torch.autograd.grad(loss, weights) for loss in losses]
    assert losses[0].item() == losses[1].item()
    assert all(torch.equal(left, right) for left, right in zip(*slopes, strict=True))
    assert all(slope.any() for slope in slopes[0])


def test_a_finished_pass_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    found = reference_on(base_model(), trees(5), path)
    assert reference_on(torch.nn.Module(), trees(5), path, begun=True) == found
    other = reference_log_probabilities(base_model(), stream(trees(2)), path, {**KEY, "dataset": "other"})
    # Computed anew, and matrix products may sum in another order when their memory is aligned otherwise.
    assert other == pytest.approx({name: found[name] for name in other}, rel=1e-6)
    assert len(other) == 6


class _Killed(Exception):
    pass


def test_a_stopped_pass_goes_on_where_it_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preference, "SAVE_EVERY", 2)
    path, model, computed = tmp_path / "reference.json", base_model(), []
    model.register_forward_pre_hook(lambda *_: computed.append(1))

    def stop(share: float) -> None:
        if share > 0.5:
            raise _Killed

    with pytest.raises(_Killed):
        reference_on(model, trees(5), path, notify=stop)
    saved = json.loads(path.read_text())
    assert (saved["done"], saved["position"]["tree"], len(saved["log_probabilities"])) == (False, 2, 8)
    found = reference_on(model, trees(5), path)
    assert len(computed) == 3 + 3
    assert found == reference_on(base_model(), trees(5), tmp_path / "whole.json")


def test_ranks_share_the_trees_and_fillers_do_not_count(tmp_path: Path) -> None:
    """Two ranks one after the other: each has computed its own trees alone."""
    whole = reference_on(base_model(), trees(5), tmp_path / "whole.json")
    parts = [
        reference_log_probabilities(base_model(), stream(trees(5), 2, rank), tmp_path / f"{rank}.json", KEY)
        for rank in range(2)
    ]
    assert [len(part) for part in parts] == [10, 8]
    assert parts[0] | parts[1] == whole


def test_trained_weights_are_no_reference(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"reference\.json: is missing, and the weights have moved on"):
        reference_on(base_model(), trees(5), tmp_path / "reference.json", begun=True)
    assert reference_on(adapted_model(), trees(5), tmp_path / "reference.json", begun=True), (
        "adapters can be switched off"
    )


def test_pairs_of_the_same_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two answers 'p0/chosen'; give every pair an id of its own"):
        reference_on(base_model(), [trees(1)[0], trees(1)[0]], tmp_path / "reference.json")


def test_a_broken_base_model_is_told(tmp_path: Path) -> None:
    model = base_model()
    torch.nn.init.constant_(model.model.norm.weight, float("nan"))
    with pytest.raises(InputError, match="answer p0/chosen: log-probability nan under the base model"):
        reference_on(model, trees(1), tmp_path / "reference.json")
