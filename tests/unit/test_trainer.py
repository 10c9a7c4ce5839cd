"""The trainer: exact normalisation, checkpoints that count only when whole, resume to the bit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_jsonl
from xlam_train.checkpoints import last_checkpoint
from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Renderer
from xlam_train.data.stream import FixedFeed, TreeStream
from xlam_train.model import load_for_training, load_tokenizer
from xlam_train.objective import SftObjective, tree_loss
from xlam_train.progress import ProgressLine
from xlam_train.recipe import TrainRecipe
from xlam_train.sft import run_sft
from xlam_train.trainer import TreeTrainer, training_arguments
from xlam_train.training_run import TrainReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_pipeline.core.schema import Trajectory
    from xlam_train.data.render import Encoded

    Samples = Callable[..., list[Trajectory]]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dataset(tmp_path: Path, make_samples: Samples) -> Path:
    rows = [sample.to_row() for sample in make_samples(4, 3)]
    write_jsonl(tmp_path / "data" / "shards" / "0000.jsonl", rows)
    return tmp_path / "data"


@pytest.fixture
def make_recipe(tmp_path: Path, tiny_base: Path, dataset: Path) -> Callable[..., TrainRecipe]:
    """Four tool sets, one a tree, two trees a step, three epochs: six steps."""

    def make(out: str = "out", **changes: Any) -> TrainRecipe:
        return TrainRecipe.model_validate(
            {
                "model": {"base": str(tiny_base)},
                "data": {"path": str(dataset)},
                "out": str(tmp_path / out),
                "lora": {"rank": 4, "dropout": 0.1},
                "packing": {"tokens_per_tree": 1, "trees_per_step": 2},
                "optim": {"epochs": 1, "learning_rate": 1e-2},
                "precision": "fp32",
                "threads": 1,
                "checkpoint_every": 2,
                **changes,
            }
        )

    return make


def adapter(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "adapter" / "adapter_model.safetensors")


class KeepGradients(TrainerCallback):  # type: ignore[misc]
    """Copies the gradients of the first step before they are clipped away."""

    def __init__(self) -> None:
        self.seen: dict[str, torch.Tensor] = {}

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        self.seen = {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}


def step_gradients(recipe: TrainRecipe, base: Path, windows: list[list[Encoded]]) -> dict[str, torch.Tensor]:
    """In fp64, so that a difference is a mistake and no rounding; only the norms compute in fp32 all the same."""
    torch.manual_seed(0)
    keep = KeepGradients()
    model = load_for_training(recipe, base, bf16=False).double()
    stream = TreeStream(FixedFeed(list(map(build_tree, windows))), collate_tree, recipe.packing.trees_per_step)
    trainer = TreeTrainer(model, recipe, training_arguments(recipe, "fp32", 1), stream, SftObjective())
    trainer.add_callback(keep)
    trainer.run(resume=None)
    return keep.seen


def test_two_trees_accumulated_are_one_tree(
    make_recipe: Callable[..., TrainRecipe], tiny_base: Path, make_samples: Samples
) -> None:
    """The trees differ in their number of labels, so a mean of means would be another gradient."""
    free = {"lora": {"rank": 4}, "optim": {"max_grad_norm": 1e9, "warmup_ratio": 0}, "checkpoint_every": 99}
    samples = Renderer(load_tokenizer(tiny_base)).encode_all(make_samples(2, 4), 9999)
    few, many = samples[:1], samples[1:]
    apart = step_gradients(make_recipe("apart", **free), tiny_base, [few, many])
    one = {**free, "packing": {"trees_per_step": 1}}
    together = step_gradients(make_recipe("together", **one), tiny_base, [few + many])
    assert any(gradient.any() for gradient in together.values())
    for name, gradient in together.items():
        torch.testing.assert_close(apart[name], gradient, rtol=1e-5, atol=1e-8)


def test_only_labelled_positions_reach_the_output_head(
    make_recipe: Callable[..., TrainRecipe], tiny_base: Path, make_samples: Samples
) -> None:
    model = load_for_training(make_recipe(), tiny_base, bf16=False)
    rows = []
    head = model.get_output_embeddings()  # type: ignore[operator]
    head.register_forward_hook(lambda _m, inputs, _o: rows.append(inputs[0].shape[1]))
    batch = collate_tree(build_tree(Renderer(load_tokenizer(tiny_base)).encode_all(make_samples(), 9999)))
    tree_loss(model, batch)
    assert rows == [len(batch["positions"])]


def test_a_run_learns_and_reports(make_recipe: Callable[..., TrainRecipe]) -> None:
    recipe = make_recipe(
        optim={"epochs": 12, "learning_rate": 2e-2}, packing={"tokens_per_tree": 4096, "trees_per_step": 1}
    )
    report = run_sft(recipe)
    saved = read_json(recipe.out / "train_report.json")
    history, evaluations = saved.pop("log_history"), saved.pop("evaluations")
    assert evaluations == []
    assert saved == json.loads(json.dumps(report.__dict__))
    assert report.samples == 12 * 12
    assert report.steps == len(history)
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert report.tokens_packed < 0.7 * report.tokens_before
    assert all(entry["tokens_per_second"] > 0 for entry in history)
    assert read_json(recipe.out / "recipe.json")["recipe"] == recipe.model_dump(mode="json")
    names = sorted(path.name for path in (recipe.out / "adapter").iterdir())
    assert {"adapter_config.json", "adapter_model.safetensors", "base_model.json"} <= set(names)
    assert run_sft(recipe) == report, "a finished run is read, not repeated"


def test_resume_is_identical_to_the_bit(
    make_recipe: Callable[..., TrainRecipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = make_recipe("whole"), make_recipe("stopped")
    report = run_sft(whole)
    assert report.steps == 6
    _stop_at(5, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run_sft(stopped)
    monkeypatch.undo()
    assert not (stopped.out / "adapter").exists()
    assert last_checkpoint(stopped.out / "checkpoints") == stopped.out / "checkpoints" / "checkpoint-4"
    # A kill in the middle of the next checkpoint leaves a folder without its mark.
    torn = stopped.out / "checkpoints" / "checkpoint-5"
    torn.mkdir()
    (torn / "trainer_state.json").write_text("{")
    resumed = run_sft(stopped)
    assert (resumed.first_loss, resumed.last_loss) == (report.first_loss, report.last_loss)
    expected = adapter(whole.out)
    for name, weight in adapter(stopped.out).items():
        assert torch.equal(weight, expected[name]), name
    kept = sorted(path.name for path in (stopped.out / "checkpoints").iterdir())
    assert kept == ["checkpoint-4", "checkpoint-6"]


def test_a_run_ends_when_its_minutes_are_spent(make_recipe: Callable[..., TrainRecipe]) -> None:
    recipe = make_recipe(optim={"epochs": 1, "learning_rate": 1e-2, "max_minutes": 1e-4})
    report = run_sft(recipe)
    assert report.steps == 2, "the first step tells how long one takes"
    assert (recipe.out / "adapter" / "adapter_model.safetensors").is_file()
    state = read_json(last_checkpoint(recipe.out / "checkpoints") / "stream.json")
    assert state["last"] is True
    assert state["minutes"] > 1e-4
    rates = [
        entry["learning_rate"]
        for entry in read_json(last_checkpoint(recipe.out / "checkpoints") / "trainer_state.json")["log_history"]
    ]
    assert rates[-1] < 1e-4, "the schedule has come to its end"


@pytest.mark.parametrize("limit", [{}, {"max_steps": 4}, {"max_minutes": 1e-4}], ids=["data", "steps", "minutes"])
def test_a_run_that_ended_but_was_not_saved_needs_no_other_step(
    make_recipe: Callable[..., TrainRecipe], limit: dict[str, float], caplog: pytest.LogCaptureFixture
) -> None:
    """As a kill or a full disk leaves it, behind the last checkpoint."""
    recipe = make_recipe(optim={"epochs": 1, "learning_rate": 1e-2, **limit})
    report, saved = run_sft(recipe), adapter(recipe.out)
    shutil.rmtree(recipe.out / "adapter")
    (recipe.out / "train_report.json").unlink()
    again = run_sft(recipe)
    assert (again.steps, again.samples, again.last_loss) == (report.steps, report.samples, report.last_loss)
    assert 0 < again.startup_seconds < 1e6
    assert "sample" not in caplog.text, "the Trainer's advice would lead astray"
    for name, weight in adapter(recipe.out).items():
        assert torch.equal(weight, saved[name]), name


def test_a_run_goes_on_with_the_base_it_began_with(
    make_recipe: Callable[..., TrainRecipe], tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Path(shutil.copytree(tiny_base, tmp_path / "base"))
    recipe = make_recipe(model={"base": str(base)})
    _stop_at(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run_sft(recipe)
    monkeypatch.undo()
    weights = base / "model.safetensors"
    kept = weights.read_bytes()
    save_file({name: weight + 1 for name, weight in load_file(weights).items()}, weights, {"format": "pt"})
    with pytest.raises(InputError, match=r"holds a run with resolved\.base_sha256 = .*; give another out"):
        run_sft(recipe)
    weights.write_bytes(kept)
    report = run_sft(recipe)
    shutil.rmtree(base)
    assert run_sft(recipe) == report, "a finished run is read without it"


def _stop_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: ProgressLine, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressLine, "on_log", interrupt)


def test_out_of_another_run_is_refused(make_recipe: Callable[..., TrainRecipe], dataset: Path) -> None:
    run_sft(make_recipe())
    with pytest.raises(InputError, match=r"holds a run with lora.rank = 4, now it is 8; give another out"):
        run_sft(make_recipe(lora={"rank": 8, "dropout": 0.1}))
    (dataset / "shards" / "0001.jsonl").write_text("")
    with pytest.raises(InputError, match="dataset_sha256"):
        run_sft(make_recipe())


def test_a_run_that_never_began_blocks_nothing(make_recipe: Callable[..., TrainRecipe]) -> None:
    with pytest.raises(InputError, match=r"model\.base: no folder 'nowhere'"):
        run_sft(make_recipe(model={"base": "nowhere"}))
    assert run_sft(make_recipe()).steps > 0


def test_trees_that_ranks_cannot_share(make_recipe: Callable[..., TrainRecipe]) -> None:
    with pytest.raises(InputError, match=r"packing\.trees_per_step: 2 trees do not divide among 3 processes"):
        training_arguments(make_recipe(), "fp32", ranks=3)


def _launch(recipe: TrainRecipe, folder: Path, processes: int) -> TrainReport:
    """Train by scripts/train.py under torchrun, with gloo on the CPU."""
    path = folder / f"{processes}.yaml"
    path.write_text(json.dumps(recipe.model_dump(mode="json")))
    launcher = ["torch.distributed.run", "--nproc-per-node", str(processes), "--master-port", "29611"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", *launcher, str(ROOT / "scripts" / "train.py"), str(path)]
    done = subprocess.run(command, env=environment, timeout=300, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    data = read_json(recipe.out / "train_report.json")
    del data["log_history"], data["evaluations"]
    return TrainReport(**data)


@pytest.mark.slow
def test_two_ranks_are_one_with_double_accumulation(
    make_recipe: Callable[..., TrainRecipe], tmp_path: Path, dataset: Path, make_samples: Samples
) -> None:
    """An odd number of trees of uneven labels: the second rank's last tree is filler."""
    write_jsonl(dataset / "shards" / "0000.jsonl", [sample.to_row() for sample in make_samples(5, 3)[:-2]])
    alone = make_recipe("alone", lora={"rank": 4}, world={"processes": 1})
    pair = make_recipe("pair", lora={"rank": 4})
    one, two = _launch(alone, tmp_path, 1), _launch(pair, tmp_path, 2)
    assert (one.processes, two.processes) == (1, 2)
    assert one.steps == two.steps
    histories = [read_json(recipe.out / "train_report.json")["log_history"] for recipe in (alone, pair)]
    for left, right in zip(*histories, strict=True):
        assert left["loss"] == pytest.approx(right["loss"], rel=1e-5)
        assert left["grad_norm"] == pytest.approx(right["grad_norm"], rel=1e-4)


@pytest.mark.slow
def test_smollm2_trains_two_steps(make_recipe: Callable[..., TrainRecipe], smollm2_dir: Path) -> None:
    recipe = make_recipe(
        model={"base": str(smollm2_dir)},
        packing={"tokens_per_tree": 700, "trees_per_step": 1},
        optim={"epochs": 1},
        precision="auto",
    )
    report = run_sft(recipe)
    assert report.steps >= 2
    assert 0 < report.first_loss < 5
