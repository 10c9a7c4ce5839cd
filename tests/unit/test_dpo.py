"""A preference run from recipe to result: it prefers what was chosen, with either kind of reference, and resumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_jsonl
from data_pipeline.core.schema import Message, Preference, ToolCall, Trajectory
from xlam_train.progress import ProgressLine
from xlam_train.recipe import EvalSection, TrainRecipe
from xlam_train.training import run_training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def pair_of(sample: Trajectory) -> Preference:
    """The right calls against a refusal, or another value where that is right."""
    rejected = Message(role="assistant", tool_calls=(ToolCall(name=sample.tools[0].name, arguments={"x": 99}),))
    return Preference(
        id=sample.id,
        style=sample.style,
        tools=sample.tools,
        messages=sample.messages[:-1],
        chosen=sample.messages[-1],
        rejected=rejected,
    )


@pytest.fixture
def make_recipe(
    tmp_path: Path, tiny_base: Path, make_samples: Callable[..., list[Trajectory]]
) -> Callable[..., TrainRecipe]:
    """Twelve pairs on four tool sets, two trees a step."""
    write_jsonl(tmp_path / "pairs" / "shards" / "0.jsonl", [pair_of(sample).to_row() for sample in make_samples(4, 3)])

    def make(out: str = "out", **changes: Any) -> TrainRecipe:
        return TrainRecipe.model_validate(
            {
                "model": {"base": str(tiny_base)},
                "data": {"path": str(tmp_path / "pairs")},
                "out": str(tmp_path / out),
                "dpo": {"beta": 0.5},
                "packing": {"tokens_per_tree": 1, "trees_per_step": 2},
                "optim": {"epochs": 4, "learning_rate": 5e-3},
                "precision": "fp32",
                "threads": 1,
                "checkpoint_every": 4,
                **changes,
            }
        )

    return make


@pytest.mark.parametrize(
    "changes",
    [
        {"lora": {"rank": 4}},
        {"lora": {"rank": 4}, "dpo": {"beta": 0.5, "reference": "precomputed"}},
        {"method": "full", "optim": {"epochs": 4, "learning_rate": 1e-3}},
    ],
    ids=["adapter", "precomputed", "full"],
)
def test_a_run_prefers_what_was_chosen(make_recipe: Callable[..., TrainRecipe], changes: dict[str, Any]) -> None:
    recipe = make_recipe(**changes)
    report = run_training(recipe)
    history = read_json(recipe.out / "train_report.json")["log_history"]
    assert history[0]["loss"] == pytest.approx(0.6931, abs=1e-3), "both models are the same at first"
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert history[-1]["rewards/accuracy"] > 0.9
    assert report.samples == 4 * 2 * 12
    assert (recipe.out / "reference.json").exists() == ("lora" not in changes or "dpo" in changes)


def test_both_references_are_the_same_model(make_recipe: Callable[..., TrainRecipe]) -> None:
    losses = []
    for reference in ("adapter", "precomputed"):
        recipe = make_recipe(reference, lora={"rank": 4}, dpo={"reference": reference})
        run_training(recipe)
        losses.append([entry["loss"] for entry in read_json(recipe.out / "train_report.json")["log_history"]])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_resume_is_identical_to_the_bit(
    make_recipe: Callable[..., TrainRecipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, Any] = {"method": "full", "optim": {"epochs": 2, "learning_rate": 1e-3}}
    whole, stopped = make_recipe("whole", **changes), make_recipe("stopped", **changes)
    run_training(whole)

    def interrupt(self: ProgressLine, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressLine, "on_log", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_training(stopped)
    monkeypatch.undo()
    run_training(stopped)
    weights = [load_file(recipe.out / "model" / "model.safetensors") for recipe in (whole, stopped)]
    assert all(torch.equal(weight, weights[1][name]) for name, weight in weights[0].items())


def test_held_out_pairs_are_compared_with_their_own_reference(
    make_recipe: Callable[..., TrainRecipe], make_samples: Callable[..., list[Trajectory]]
) -> None:
    """They have the ids of the training pairs, and other answers."""
    recipe = make_recipe(method="full", optim={"epochs": 2, "learning_rate": 1e-3})
    rows = [pair_of(sample) for sample in make_samples(4, 3)]
    other = Message(role="assistant", content="I cannot.")
    write_jsonl(
        recipe.data.path.parent / "held_out" / "shards" / "0.jsonl",
        [row.model_copy(update={"rejected": other}).to_row() for row in rows],
    )
    watched = recipe.model_copy(
        update={"eval": EvalSection(path=recipe.data.path.parent / "held_out", every=3, samples=6, decoded=2)}
    )
    run_training(watched)
    report = read_json(recipe.out / "train_report.json")
    assert report["log_history"][0]["loss"] == pytest.approx(0.6931, abs=1e-3)
    assert len(report["evaluations"]) >= 2
    assert all(0 < entry["eval_loss"] < 0.8 for entry in report["evaluations"])
    assert all(len(entry["decoded"]) == 2 for entry in report["evaluations"])


def test_samples_of_one_answer_are_refused(
    make_recipe: Callable[..., TrainRecipe], make_samples: Callable[..., list[Trajectory]]
) -> None:
    recipe = make_recipe()
    path = recipe.data.path / "shards" / "0.jsonl"
    write_jsonl(path, [sample.to_row() for sample in make_samples(1, 2)])
    with pytest.raises(InputError, match=r"0\.jsonl:1: a sample of one answer, where a preference pair is wanted"):
        run_training(recipe)
