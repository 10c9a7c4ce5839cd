"""transformers.Trainer with one tree a micro-batch and logits at labelled positions only."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from xlam_train.loss import weighted_cross_entropy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlam_train.data.collate import TreeBatch, TreeDataset
    from xlam_train.recipe import TrainRecipe

COMPLETE = "complete.json"
CHECKPOINTS_KEPT = 2  # the older one is the safety net while the newer one is being written


class TreeTrainer(Trainer):  # type: ignore[misc]  # transformers is untyped here
    """Trains on trees in the order the dataset gives them."""

    # compute_loss divides by the weight of the whole step, so the Trainer must not divide again.
    loss_is_scaled_for_ga = True

    def __init__(self, model: torch.nn.Module, args: TrainingArguments, dataset: TreeDataset) -> None:
        """Set up without the callbacks that print to stdout."""
        super().__init__(model=model, args=args, train_dataset=dataset, data_collator=_only_tree)
        self.remove_callback(PrinterCallback)
        self._line = ProgressLine()
        self.add_callback(self._line)
        self._tokens = 0
        self._since = time.monotonic()

    def run(self, resume: Path | None) -> None:
        """Train to the end, from a checkpoint or from the start."""
        try:
            self.train(resume_from_checkpoint=str(resume) if resume else None)
        finally:
            self._line.close()  # also on Ctrl-C, or the terminal is left without its cursor

    def _get_train_sampler(self, train_dataset: Any = None) -> torch.utils.data.Sampler[int]:
        """The dataset is the plan of the whole run; shuffling it again would only undo the plan."""
        return torch.utils.data.SequentialSampler(train_dataset or self.train_dataset)

    def _get_num_items_in_batch(self, batch_samples: Sequence[TreeBatch], device: torch.device) -> torch.Tensor:
        """Label weight of the optimizer step, over its trees and all ranks."""
        own = torch.stack([batch["weight"].sum() for batch in batch_samples]).sum().to(device)
        everywhere: torch.Tensor = self.accelerator.gather(own)
        return everywhere.sum()

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: TreeBatch,
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """This tree's share of the step's mean loss.

        Ranks average their gradients, hence the factor of the number of ranks: together they then
        give the sum over all trees divided by the sum of all weights.
        """
        assert num_items_in_batch is not None
        assert not return_outputs, "there is no evaluation during training"
        self._tokens += inputs["input_ids"].numel()
        share: torch.Tensor = tree_loss(model, inputs) / num_items_in_batch * self.accelerator.num_processes
        return share

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the speed since the last log, in distinct tokens a second and rank."""
        if "loss" in logs:
            now = time.monotonic()
            logs["tokens_per_second"] = self._tokens / max(now - self._since, 1e-9)
            self._tokens, self._since = 0, now
        super().log(logs, start_time)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Save, then say that it is complete: what a kill leaves half-written carries no such mark."""
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            mark_complete(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")


class ProgressLine(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """A bar on stderr with loss and speed; a line a step where stderr is no terminal."""

    def __init__(self) -> None:
        """Nothing is drawn before training begins."""
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("train"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("train", note="")

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open the bar at the step that training resumes from."""
        if state.is_world_process_zero:
            self._progress.update(self._task, total=state.max_steps, completed=state.global_step)
            self._progress.start()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        """Show what was logged."""
        if not state.is_world_process_zero or "loss" not in logs:
            return
        note = f"loss {logs['loss']:.4f}, {logs['tokens_per_second']:.0f} tokens/s"
        self._progress.update(self._task, completed=state.global_step, note=note)
        if not self._console.is_terminal:
            self._console.print(f"train: step {state.global_step}/{state.max_steps}, {note}", highlight=False)

    def close(self) -> None:
        """Stop drawing."""
        self._progress.stop()


def tree_loss(model: torch.nn.Module, batch: TreeBatch) -> torch.Tensor:
    """Sum of weight x cross entropy over a tree's labels.

    The model is called as a whole, so that DDP and DeepSpeed see the forward pass; it computes its
    output head at the labelled positions alone.
    """
    output = model(
        input_ids=batch["input_ids"],
        position_ids=batch["position_ids"],
        plan=batch["plan"],
        logits_to_keep=batch["positions"],
        use_cache=False,
    )
    return weighted_cross_entropy(output.logits.squeeze(0), batch["row"], batch["target"], batch["weight"])


def training_arguments(recipe: TrainRecipe, bf16: bool, ranks: int) -> TrainingArguments:
    """A recipe in transformers' terms.

    Raises:
        InputError: the ranks cannot share a step's trees evenly.
    """
    trees, rest = divmod(recipe.packing.trees_per_step, ranks)
    if rest or not trees:
        raise InputError(
            f"packing.trees_per_step: {recipe.packing.trees_per_step} trees do not divide among {ranks} "
            f"processes; use a multiple of {ranks}"
        )
    optim = recipe.optim
    return TrainingArguments(
        output_dir=str(recipe.out / "checkpoints"),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=trees,
        num_train_epochs=1,  # the dataset holds the windows of all epochs
        learning_rate=optim.learning_rate,
        warmup_steps=optim.warmup_ratio,
        weight_decay=optim.weight_decay,
        max_grad_norm=optim.max_grad_norm,
        lr_scheduler_type=optim.schedule,
        optim="adamw_torch_fused",
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        seed=recipe.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=recipe.checkpoint_every,
        save_total_limit=CHECKPOINTS_KEPT,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        disable_tqdm=True,
        report_to="none",
    )


def mark_complete(checkpoint: Path) -> None:
    """Record the size of every file; written last and atomically."""
    write_json(checkpoint / COMPLETE, _sizes(checkpoint))


def is_complete(checkpoint: Path) -> bool:
    """Whether a checkpoint has all the files, in full size, that it had when it was finished."""
    mark = checkpoint / COMPLETE
    return mark.is_file() and read_json(mark) == _sizes(checkpoint)


def last_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint; incomplete ones are left alone."""
    return next((path for path in _newest_first(folder) if is_complete(path)), None)


def drop_incomplete(folder: Path) -> None:
    """Delete what a kill left half-written, so that it never counts as one of those kept."""
    for path in _newest_first(folder):
        if not is_complete(path):
            shutil.rmtree(path)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"), key=lambda path: -int(path.name.rpartition("-")[2]))


def _sizes(checkpoint: Path) -> dict[str, int]:
    files = (path for path in checkpoint.rglob("*") if path.is_file() and path.name != COMPLETE)
    return {path.relative_to(checkpoint).as_posix(): path.stat().st_size for path in sorted(files)}


def _only_tree(batches: list[TreeBatch]) -> TreeBatch:
    (batch,) = batches
    return batch
