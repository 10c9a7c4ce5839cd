"""What every kind of training does before its first step and after its last."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

import psutil
import torch
from accelerate import PartialState
from transformers import AutoConfig, set_seed

from data_pipeline.core.dataset import dataset_fingerprint
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from xlam_train.allocator import keep_freed_memory
from xlam_train.base import default_cache, load_tokenizer, prepare_base
from xlam_train.checkpoints import drop_incomplete, last_checkpoint
from xlam_train.data.render import Renderer, check_vocabulary
from xlam_train.data.stream import ShardFeed, TreeStream, TreeT
from xlam_train.fingerprint import file_sha256, files_sha256
from xlam_train.gradients import GradientWitness
from xlam_train.life.guard import LossGuard
from xlam_train.life.lock import locked
from xlam_train.life.provenance import write_provenance
from xlam_train.life.reshard import drop_universal, fitting
from xlam_train.life.stop import StopOnSignal, die_with_launcher
from xlam_train.life.track import Tracking, check_trackers
from xlam_train.life.watch import Watch, read_held_out, without_views
from xlam_train.model import load_for_training, native_bf16
from xlam_train.quantize import check_differentiable
from xlam_train.trained import save_trained, trainable_state
from xlam_train.trainer import TreeTrainer, training_arguments
from xlam_train.vocabulary import embedding_rows
from xlam_train.world import check_world, launched_world, prepare_deepspeed
from xlam_train.world_check import WorldCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from transformers import PretrainedConfig, PreTrainedTokenizerBase, TrainerCallback

    from xlam_train.data.stream import Source
    from xlam_train.life.watch import HeldOut
    from xlam_train.objective import Objective
    from xlam_train.recipe import TrainRecipe

REPORT = "train_report.json"
SNAPSHOT = "recipe.json"
HARMLESS = ("world.", "track.", "threads", "checkpoints_kept", "packing.workers")
"""Settings that may change between a stop and a resume, because the same weights come out."""
LOSS_WINDOW = 10  # steps whose mean is called the first and the last loss


@dataclass(frozen=True)
class TrainReport:
    """What a run did. Counts are over the whole run, all epochs and ranks.

    Attributes:
        steps: optimizer steps.
        first_loss: mean loss of the first ten steps, nats a label (DPO: a pair).
        last_loss: mean loss of the last ten steps.
        samples: rows that were trained: one a turn of the assistant, two a pair.
        tokens_before: tokens that training one row at a time would have computed.
        tokens_packed: tokens that were computed.
        label_tokens: tokens that were trained, counted once for each row.
        dropped: rows left out because they were longer than `data.max_length`.
        truncated: samples trained without their oldest turns for the same reason.
        startup_seconds: from the start of the process to the first step, without loading the weights.
        seconds: wall-clock time of the training loop, from the last resume on.
        packing_share: seconds spent on reading, tokenizing and packing, as a share of `seconds`.
        waiting_share: seconds that training waited for them, as a share of `seconds`.
        processes: ranks that trained together.
        precision: `bf16`, `fp16` or `fp32`.
        method: `full`, `lora` or `qlora`.
        result_dir: folder of the adapter, or of the model.
        base_dir: folder of the base model.
    """

    steps: int
    first_loss: float
    last_loss: float
    samples: int
    tokens_before: int
    tokens_packed: int
    label_tokens: int
    dropped: int
    truncated: int
    startup_seconds: float
    seconds: float
    packing_share: float
    waiting_share: float
    processes: int
    precision: str
    method: str
    result_dir: str
    base_dir: str


@dataclass(frozen=True)
class Kind(Generic[TreeT]):
    """What one kind of training does in its own way.

    Attributes:
        source: makes what reads the dataset.
        collate: a tree -> a batch.
        objective: makes what is minimised.
        collate_held_out: a tree of held-out samples -> a batch.
        answer: which row of a held-out sample is decoded: -1 for the last turn, 0 for a pair's chosen answer.
        before: makes a callback for what is needed before the first step; of the trainer and the held-out data.
    """

    source: Callable[[TrainRecipe], Source[TreeT]]
    collate: Callable[[TreeT], Any]
    objective: Callable[[], Objective]
    collate_held_out: Callable[[TreeT], Any]
    answer: int = -1
    before: Callable[[TreeTrainer, HeldOut[TreeT] | None], TrainerCallback] | None = None


class TrainingRun:
    """One run: its recipe, its place in the world, its base model."""

    def __init__(self, recipe: TrainRecipe, launched: bool = False) -> None:
        """Join the other ranks, and make sure that they are those that the recipe says.

        Args:
            recipe: of the run.
            launched: whether a launcher started this process, so that a single one is a mistake.

        Raises:
            InputError: the world differs, or `out` holds another run.
        """
        die_with_launcher()
        prepare_deepspeed()
        self.recipe = recipe
        self._process_began = psutil.Process().create_time()
        self.state = PartialState(cpu=not torch.cuda.is_available())
        self.precision = _precision(recipe.precision)
        self.arguments = training_arguments(recipe, self.precision, self.state.num_processes)
        self.world = launched_world(self.arguments)
        check_world(self.world, recipe.world, launched)

    @cached_property
    def base(self) -> Path:
        """Folder of the base model; the first rank fetches it."""
        with self.state.main_process_first():
            return prepare_base(self.recipe.model.base, default_cache(), self.recipe.model.revision)

    @cached_property
    def config(self) -> PretrainedConfig:
        """Of the base model."""
        return AutoConfig.from_pretrained(self.base, local_files_only=True, trust_remote_code=False)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Of the base, with the recipe's added tokens."""
        return load_tokenizer(self.base, self.recipe.model.added_tokens)

    @cached_property
    def renderer(self) -> Renderer:
        """Samples -> tokens."""
        return Renderer(self.tokenizer, self.recipe.data.variant, self.recipe.data.conversion)

    def train(self, kind: Kind[TreeT]) -> TrainReport:
        """Train, or go on where the same recipe on the same data was stopped; a finished run is only read.

        Raises:
            InputError: something in the recipe or the dataset is wrong, or `out` holds another run.
            CheckFailed: the loss is no number any more, or has diverged.
            Stopped: a signal ended the run after a checkpoint.
        """
        check_trackers(self.recipe)
        with locked(self.recipe.out):
            finished = self._claim_output()
            return finished or self._train(kind)

    def feed(self, source: Source[TreeT], epochs: int) -> ShardFeed[TreeT]:
        """The dataset's trees."""
        recipe = self.recipe
        workers = recipe.packing.workers
        if workers is None:  # on a CPU a worker would take the cores from training
            workers = int(self.world.device == "cuda")
        return ShardFeed(recipe.data.path, source, recipe.packing, workers, recipe.seed, epochs)

    def _train(self, kind: Kind[TreeT]) -> TrainReport:
        recipe, began = self.recipe, datetime.now(timezone.utc)
        if recipe.threads is not None:
            torch.set_num_threads(recipe.threads)
        keep_freed_memory()
        set_seed(recipe.seed)
        feed = self.feed(kind.source(recipe), recipe.optim.epochs)
        ranks, rank = self.state.num_processes, self.state.process_index
        stream = TreeStream(feed, kind.collate, recipe.packing.trees_per_step, ranks, rank)
        held_out = self._held_out(kind)
        trainer = TreeTrainer(self._load(), recipe, self.arguments, stream, kind.objective())
        seconds = self._run(trainer, kind, held_out)
        return self._report(trainer, feed, seconds, self._save(trainer, began))

    def _held_out(self, kind: Kind[TreeT]) -> HeldOut[TreeT] | None:
        if self.recipe.eval.path is None:
            return None
        recipe = without_views(self.recipe)
        return read_held_out(recipe, kind.source(recipe), kind.answer)

    def _load(self) -> torch.nn.Module:
        started = time.time()
        model = load_for_training(self.recipe, self.base, bf16=self.precision == "bf16")
        self._loading = time.time() - started
        check_vocabulary(self.tokenizer, embedding_rows(model))
        return model

    def _run(self, trainer: TreeTrainer, kind: Kind[TreeT], held_out: HeldOut[TreeT] | None) -> float:
        """Seconds that the loop took."""
        resume = self._last_checkpoint(trainer)
        stop, tracking = StopOnSignal(), Tracking(self.recipe)
        watch = self._watch(trainer, kind, held_out) if held_out is not None else None
        before = kind.before(trainer, held_out) if kind.before is not None else None
        world, witness = WorldCheck(trainer, self.world), GradientWitness(trainer.model)
        for callback in (before, world, self._guard(trainer), witness, stop, watch, tracking):
            if callback is not None:
                trainer.add_callback(callback)
        started = time.monotonic()
        try:
            trainer.run(resume)
            seconds = time.monotonic() - started
            if self.state.is_main_process:
                drop_universal(self.recipe.out / "checkpoints")
            stop.raise_if_stopped()
            if watch is not None:
                watch.finish()
                check_differentiable(trainer.model)
        finally:
            stop.release()
            tracking.close()
        return seconds

    def _last_checkpoint(self, trainer: TreeTrainer) -> Path | None:
        checkpoints = self.recipe.out / "checkpoints"
        if self.state.is_main_process:
            drop_incomplete(checkpoints)
            drop_universal(checkpoints)
        self.state.wait_for_everyone()
        resume = last_checkpoint(checkpoints)
        return resume and fitting(resume, trainer.layout, trainer.args.deepspeed_plugin)

    def _watch(self, trainer: TreeTrainer, kind: Kind[TreeT], held_out: HeldOut[TreeT]) -> Watch[TreeT]:
        every, show, variant = self.recipe.eval.every, trainer.progress.show, self.recipe.data.variant
        return Watch(trainer, held_out, kind.collate_held_out, kind.objective(), self.tokenizer, every, show, variant)

    def _guard(self, trainer: TreeTrainer) -> LossGuard:
        return LossGuard(trainer, self.recipe.max_loss_ratio, self.recipe.out, scaled=self.precision == "fp16")

    def _save(self, trainer: TreeTrainer, began: datetime) -> Path:
        """The result's folder, which appears whole or not at all."""
        target = self.recipe.out / ("model" if self.recipe.method == "full" else "adapter")
        partial = target.with_name(f".{target.name}.partial")
        state = self._gathered(trainer) if self.world.zero_stage == 3 else None
        if self.state.is_main_process:
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(target, ignore_errors=True)
            end = self.renderer.end_token_id
            save_trained(trainer.model, partial, self.base, tokenizer=self.tokenizer, end_token_id=end, state=state)
            fingerprint = dataset_fingerprint(self.recipe.data.path)
            write_provenance(partial, self.recipe, self.base, fingerprint, began, self.state.num_processes)
            partial.rename(target)
        self.state.wait_for_everyone()
        return target

    def _gathered(self, trainer: TreeTrainer) -> Mapping[str, torch.Tensor]:
        """What is trained, from the shards of all ranks, which all take part."""
        if self.recipe.method != "full":
            return trainable_state(trainer.model)
        state: Mapping[str, torch.Tensor] = trainer.accelerator.get_state_dict(trainer.model_wrapped)
        return state

    def _report(self, trainer: TreeTrainer, feed: ShardFeed[Any], seconds: float, result: Path) -> TrainReport:
        history = [entry for entry in trainer.state.log_history if "loss" in entry]
        report = TrainReport(
            steps=trainer.state.global_step,
            first_loss=_mean_loss(history[:LOSS_WINDOW]),
            last_loss=_mean_loss(history[-LOSS_WINDOW:]),
            **asdict(trainer.position.counts),
            startup_seconds=round(trainer.began - self._process_began - self._loading, 3),
            seconds=round(seconds, 3),
            packing_share=round(feed.packing / seconds, 4),
            waiting_share=round(feed.waited / seconds, 4),
            processes=self.state.num_processes,
            precision=self.precision,
            method=self.recipe.method,
            result_dir=str(result),
            base_dir=str(self.base),
        )
        if self.state.is_main_process:
            evaluations = [entry for entry in trainer.state.log_history if "eval_loss" in entry]
            written = {**asdict(report), "log_history": history, "evaluations": evaluations}
            write_json(self.recipe.out / REPORT, written)
        return report

    def _claim_output(self) -> TrainReport | None:
        """Make sure that what `out` holds came from this recipe and data; the report if the run is done.

        Before its first checkpoint a run has nothing to lose, so a corrected recipe just takes its place.
        """
        out = self.recipe.out
        report = out / REPORT
        identity = {
            "recipe": self.recipe.model_dump(mode="json"),
            "dataset_sha256": dataset_fingerprint(self.recipe.data.path),
        }
        if report.is_file():
            there = read_json(out / SNAPSHOT)
            _refuse_other_run({key: there.get(key, {}) for key in identity}, identity, out)
            return _read_report(report)
        # What the same recipe may come to on another day or machine.
        identity["resolved"] = {"base_sha256": files_sha256(self.base), "precision": self.precision, **self._offered()}
        if last_checkpoint(out / "checkpoints") is not None:
            _refuse_other_run(read_json(out / SNAPSHOT), identity, out)
        elif self.state.is_main_process:
            write_json(out / SNAPSHOT, identity)
        self.state.wait_for_everyone()
        return None

    def _offered(self) -> dict[str, str]:
        """The tools that distractors are drawn from, which stand beside the shards."""
        tools = self.recipe.data.path / "tools.jsonl"
        return {"tools_sha256": file_sha256(tools)} if self.recipe.data.views.distractors and tools.is_file() else {}


def _precision(wanted: str) -> str:
    if wanted == "auto":
        return "bf16" if native_bf16() else "fp32"
    return wanted


def _refuse_other_run(there: dict[str, Any], here: dict[str, Any], out: Path) -> None:
    old, new = _flatten(there), _flatten(here)
    keys = sorted(key for key in old.keys() | new.keys() if not key.startswith(HARMLESS))
    changed = next((key for key in keys if old.get(key) != new.get(key)), None)
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


def _mean_loss(entries: Sequence[dict[str, float]]) -> float:
    return sum(entry["loss"] for entry in entries) / len(entries)
