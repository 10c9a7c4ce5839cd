"""A run whose loss is no longer one stops, and says on what."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from transformers import LlamaForCausalLM

from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.errors import CheckFailed
from data_pipeline.core.jsonl import read_json
from xlam_train.base import load_tokenizer
from xlam_train.checkpoints import last_checkpoint
from xlam_train.data.render import Renderer
from xlam_train.life.guard import LossGuard
from xlam_train.sft import run_sft

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xlam_train.recipe import TrainRecipe

    Recipes = Callable[..., TrainRecipe]


def test_an_absurd_rate_ends_the_run(make_recipe: Recipes) -> None:
    recipe = make_recipe(optim={"learning_rate": 1e30, "warmup_ratio": 0}, checkpoint_every=1)
    with pytest.raises(
        CheckFailed, match=r"step [23]: the (loss|gradient's norm) is (nan|inf).*at samples s\d-\d"
    ) as e:
        run_sft(recipe)
    assert "\n" not in str(e.value)
    assert "give another out=" in str(e.value)
    assert not (recipe.out / "adapter").exists()
    told = read_json(recipe.out / "diverged.json")
    assert told["trees"][0]["samples"]


def test_a_checkpoint_of_ruined_weights_is_not_called_good(make_recipe: Recipes) -> None:
    """Step 1 was fine and made bad weights, which were saved: the loss of step 2 tells."""
    recipe = make_recipe(optim={"learning_rate": 1e30, "warmup_ratio": 0}, checkpoint_every=1)
    with pytest.raises(CheckFailed, match="no checkpoint is known to be good"):
        run_sft(recipe)
    assert last_checkpoint(recipe.out / "checkpoints") is not None


def poison(base: Path, target: Path, token: int) -> Path:
    """The base with one input embedding that is no number."""
    load_tokenizer(base).save_pretrained(target)
    model = LlamaForCausalLM.from_pretrained(base)
    model.config.tie_word_embeddings = False
    embedding = model.get_input_embeddings().weight.data
    model.lm_head.weight = torch.nn.Parameter(embedding.clone())
    embedding[token] = math.nan
    model.save_pretrained(target)
    return target


def only_in(recipe: TrainRecipe, base: Path, ending: str) -> int:
    """A token that only samples with some ids have."""
    renderer = Renderer(load_tokenizer(base))
    with_it, without = set[int](), set[int]()
    for sample in read_dataset(recipe.data.path):
        (with_it if sample.id.endswith(ending) else without).update(renderer.encode_rows(sample)[0].ids)
    return min(with_it - without)


def test_the_samples_that_make_the_loss_no_number_are_named(
    make_recipe: Recipes, tiny_base: Path, tmp_path: Path
) -> None:
    """Trees of one sample each; those of three lead through a ruined weight."""
    base = poison(tiny_base, tmp_path / "poisoned", only_in(make_recipe(), tiny_base, "-1"))
    packing = {"tokens_per_tree": 1, "trees_per_step": 6}
    recipe = make_recipe(model={"base": str(base)}, packing=packing, checkpoint_every=1)
    with pytest.raises(
        CheckFailed, match=r"step 1: the loss is nan, at samples s\d-1, s\d-1, s\d-1, s\d-0, .*diverged.json"
    ):
        run_sft(recipe)
    trees = read_json(recipe.out / "diverged.json")["trees"]
    assert [tree["loss"] for tree in trees[:3]] == ["nan", "nan", "nan"]
    assert {sample for tree in trees[:3] for sample in tree["samples"]} == {"s0-1", "s1-1", "s2-1"}
    assert all(0 < tree["loss"] < 100 for tree in trees[3:])
    assert len(trees) == 6


@dataclass
class Step:
    """An optimizer step that is about to be applied."""

    step_trees: list[tuple[tuple[str, ...], torch.Tensor]] = field(default_factory=list)
    step_grad_norm: float | None = 1.0


def check(guard: LossGuard, step: Step, *losses: float, done: int = 0, ids: int = 1) -> None:
    step.step_trees = [
        (tuple(f"t{tree}-{i}" for i in range(ids)), torch.tensor(loss)) for tree, loss in enumerate(losses)
    ]
    guard.on_pre_optimizer_step(None, SimpleNamespace(global_step=done), None)


def guarded(tmp_path: Path, **changes: Any) -> tuple[LossGuard, Step]:
    step = Step()
    return LossGuard(step, **{"ratio": 10.0, "out": tmp_path, "scaled": False, **changes}), step


def test_a_loss_far_above_the_last_twenty(tmp_path: Path) -> None:
    guard, step = guarded(tmp_path)
    for loss in (90.0, *[1.0, 3.0] * 10):  # the first is forgotten
        check(guard, step, loss)
    check(guard, step, 10.0, 29.0)  # 19.5 is below ten times 2
    worst_first = "at samples t1-0, t1-1, t1-2, t1-3, t1-4, t1-5, t0-0, t0-1, t0-2, t0-3 and 2 more"
    with pytest.raises(CheckFailed, match=rf"step 8: the loss is 60, that of the 20 before was 2.925, {worst_first}"):
        check(guard, step, 20.0, 100.0, done=7, ids=6)


def test_ten_times_almost_nothing_is_a_good_loss(tmp_path: Path) -> None:
    guard, step = guarded(tmp_path)
    for loss in (0.001, 0.5, 0.001):
        check(guard, step, loss)
    with pytest.raises(CheckFailed):
        check(guard, step, 3.0)


def test_a_resumed_run_remembers(tmp_path: Path) -> None:
    guard, step = guarded(tmp_path)
    guard.on_train_begin(None, SimpleNamespace(log_history=[{"loss": 1.0}, {"eval_loss": 500.0}]), None)
    with pytest.raises(CheckFailed, match="that of the 1 before was 1"):
        check(guard, step, 11.0)


def test_an_infinite_gradient_is_ordinary_only_with_a_loss_scale(tmp_path: Path) -> None:
    guard, step = guarded(tmp_path, scaled=True)
    step.step_grad_norm = math.inf
    check(guard, step, 1.0)
    guard, step = guarded(tmp_path)
    step.step_grad_norm = math.inf
    with pytest.raises(CheckFailed, match=r"the gradient's norm is inf \(loss 1\)"):
        check(guard, step, 1.0)


def test_filler_is_no_part_of_the_mean(tmp_path: Path) -> None:
    guard, step = guarded(tmp_path)
    check(guard, step, 1.0)
    step.step_trees = [(("a",), torch.tensor(12.0)), ((), torch.tensor(0.0))]
    with pytest.raises(CheckFailed, match="the loss is 12,"):
        guard.on_pre_optimizer_step(None, SimpleNamespace(global_step=1), None)
