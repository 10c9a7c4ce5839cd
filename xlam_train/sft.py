"""Supervised fine-tuning, from a recipe to an adapter with its report."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate import PartialState
from transformers import set_seed

from data_pipeline.core.dataset import dataset_fingerprint, read_dataset
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from xlam_train.allocator import keep_freed_memory
from xlam_train.data.collate import TreeDataset
from xlam_train.data.pack import build_tree, plan_windows
from xlam_train.data.render import Renderer
from xlam_train.data.views import Views
from xlam_train.model import default_cache, load_for_training, load_tokenizer, native_bf16, prepare_base
from xlam_train.trainer import TreeTrainer, drop_incomplete, last_checkpoint, training_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlam_train.data.render import Encoded
    from xlam_train.recipe import TrainRecipe

REPORT = "train_report.json"
SNAPSHOT = "recipe.json"
LOSS_WINDOW = 10  # steps whose mean is called the first and the last loss


@dataclass(frozen=True)
class TrainReport:
    """What a run did. Counts are over the whole run, all epochs and ranks.

    Attributes:
        steps: optimizer steps.
        first_loss: mean loss of the first ten steps, nats a label.
        last_loss: mean loss of the last ten steps, nats a label.
        samples: samples of the dataset.
        tokens_before: tokens that training one sample at a time would have computed.
        tokens_packed: tokens that were computed.
        label_tokens: tokens that were trained, counted once for each sample.
        seconds: wall-clock time of the training loop, from the last resume on.
        processes: ranks that trained together.
        precision: `bf16` or `fp32`.
        adapter_dir: folder of the adapter.
        base_dir: folder of the base model.
    """

    steps: int
    first_loss: float
    last_loss: float
    samples: int
    tokens_before: int
    tokens_packed: int
    label_tokens: int
    seconds: float
    processes: int
    precision: str
    adapter_dir: str
    base_dir: str


def run_sft(recipe: TrainRecipe) -> TrainReport:
    """Train, or go on where the same recipe on the same data was stopped; a finished run is only read.

    Raises:
        InputError: something in the recipe or the dataset is wrong, or `out` holds another run.
    """
    state = PartialState(cpu=not torch.cuda.is_available())
    finished = _claim_output(recipe)
    if finished is not None:
        return finished
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)
    keep_freed_memory()
    set_seed(recipe.seed)
    with state.main_process_first():
        base = prepare_base(recipe.model.base, default_cache())
    encoded = _encode(recipe, base)
    windows = _plan(recipe, encoded)
    bf16 = recipe.precision == "bf16" or (recipe.precision == "auto" and native_bf16())
    arguments = training_arguments(recipe, bf16, state.num_processes)
    model = load_for_training(recipe, base, bf16)
    trainer = TreeTrainer(model, arguments, TreeDataset(windows, state.num_processes))
    seconds = _train(trainer, recipe.out / "checkpoints")
    adapter = _save_adapter(trainer, recipe.out / "adapter")
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    report = TrainReport(
        steps=trainer.state.global_step,
        first_loss=_mean_loss(history[:LOSS_WINDOW]),
        last_loss=_mean_loss(history[-LOSS_WINDOW:]),
        samples=len(encoded[0]),
        seconds=round(seconds, 3),
        processes=state.num_processes,
        precision="bf16" if bf16 else "fp32",
        adapter_dir=str(adapter),
        base_dir=str(base),
        **_count(windows),
    )
    if state.is_main_process:
        write_json(recipe.out / REPORT, {**asdict(report), "log_history": history})
    return report


def _claim_output(recipe: TrainRecipe) -> TrainReport | None:
    """Make sure that what `out` holds came from this recipe and data; the report if the run is done.

    Before its first checkpoint a run has nothing to lose, so a corrected recipe just takes its place.
    """
    identity = {
        "recipe": recipe.model_dump(mode="json"),
        "dataset_sha256": dataset_fingerprint(recipe.data.path),
    }
    report = recipe.out / REPORT
    if report.is_file() or last_checkpoint(recipe.out / "checkpoints") is not None:
        _refuse_other_run(read_json(recipe.out / SNAPSHOT), identity, recipe.out)
    elif PartialState().is_main_process:
        write_json(recipe.out / SNAPSHOT, identity)
    PartialState().wait_for_everyone()
    return _read_report(report) if report.is_file() else None


def _refuse_other_run(there: dict[str, Any], here: dict[str, Any], out: Path) -> None:
    old, new = _flatten(there), _flatten(here)
    changed = next((key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)), None)
    if changed is not None:
        raise InputError(
            f"out: '{out}' holds a run with {changed} = {old.get(changed)}, now it is {new.get(changed)}; "
            "give another out=... or delete the folder"
        )


def _flatten(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, entry in value.items():
        name = f"{prefix}{key}"
        flat.update(_flatten(entry, f"{name}.") if isinstance(entry, dict) else {name: entry})
    return {key.removeprefix("recipe."): entry for key, entry in flat.items()}


def _read_report(path: Path) -> TrainReport:
    data = read_json(path)
    return TrainReport(**{field.name: data[field.name] for field in fields(TrainReport)})


def _encode(recipe: TrainRecipe, base: Path) -> list[list[Encoded]]:
    """The samples of each epoch; without views, they are the same ones."""
    data, epochs = recipe.data, recipe.optim.epochs
    renderer = Renderer(load_tokenizer(base), data.variant, data.conversion)
    views = Views(data, recipe.seed)
    encoded = [
        renderer.encode_views(read_dataset(data.path), views, epoch, data.max_length)
        for epoch in range(epochs if data.views.drawn else 1)
    ]
    if not encoded[0]:
        raise InputError(f"data.path: '{data.path}' holds no samples; loosen the data recipe")
    return encoded if data.views.drawn else encoded * epochs


def _plan(recipe: TrainRecipe, encoded: Sequence[Sequence[Encoded]]) -> list[list[Encoded]]:
    """The windows of all epochs in order, each epoch packed and shuffled anew."""
    return [
        window
        for epoch, samples in enumerate(encoded)
        for window in plan_windows(samples, recipe.packing.tokens_per_tree, recipe.seed, epoch)
    ]


def _train(trainer: TreeTrainer, checkpoints: Path) -> float:
    """Seconds that the loop took."""
    if trainer.args.should_save:
        drop_incomplete(checkpoints)
    trainer.accelerator.wait_for_everyone()
    resume = last_checkpoint(checkpoints)
    started = time.monotonic()
    trainer.run(resume)
    return time.monotonic() - started


def _save_adapter(trainer: TreeTrainer, target: Path) -> Path:
    """Save on all ranks, since sharded weights are gathered; the folder appears whole or not at all."""
    partial = target.with_name(f".{target.name}.partial")
    if trainer.args.should_save:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(target, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(partial))
    if trainer.args.should_save:
        (partial / "training_args.bin").unlink(missing_ok=True)  # a pickle that nothing reads
        partial.rename(target)
    trainer.accelerator.wait_for_everyone()
    return target


def _mean_loss(entries: Sequence[dict[str, float]]) -> float:
    return sum(entry["loss"] for entry in entries) / len(entries)


def _count(windows: Sequence[Sequence[Encoded]]) -> dict[str, int]:
    trees = [build_tree(window) for window in windows]
    return {
        "tokens_before": sum(tree.tokens_before for tree in trees),
        "tokens_packed": sum(len(tree.input_ids) for tree in trees),
        "label_tokens": sum(int(tree.label_weight.sum()) for tree in trees),
    }
