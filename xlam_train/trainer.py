"""transformers.Trainer on a stream of trees, with an exact mean over an optimizer step."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from xlam_train.checkpoints import Layout, save_checkpoint
from xlam_train.data.collate import to_device
from xlam_train.data.stream import Position
from xlam_train.life.provenance import recipe_sha256
from xlam_train.progress import ProgressLine
from xlam_train.schedule import TimeBudget, rate_factor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlam_train.data.stream import Microbatch, StepEnd, TreeStream
    from xlam_train.objective import Objective
    from xlam_train.recipe import TrainRecipe

STREAM_STATE = "stream.json"


class TreeTrainer(Trainer):  # type: ignore[misc]  # transformers is untyped here
    """Trains on the micro-batches of a stream, in its order, to its end.

    Attributes:
        step_end: where the current optimizer step ends; None before the first one that is trained here.
        step_trees: of the current optimizer step on this rank: the samples of each tree, and its mean loss.
        step_grad_norm: global 2-norm of its gradient before clipping, or None where it is unknown.
        layout: of the checkpoints.
        began: when the first step began, in seconds since the epoch; 0 before.
    """

    # compute_loss divides by the weight of the whole step, so the Trainer must not divide again.
    loss_is_scaled_for_ga = True

    lr_scheduler: torch.optim.lr_scheduler.LRScheduler | None

    def __init__(
        self,
        model: torch.nn.Module,
        recipe: TrainRecipe,
        args: TrainingArguments,
        stream: TreeStream[Any],
        objective: Objective,
    ) -> None:
        """Set up without the callbacks that print to stdout."""
        super().__init__(model=model, args=args, train_dataset=stream)
        self.remove_callback(PrinterCallback)
        self.progress = ProgressLine()
        self.add_callback(_UntilTheStreamEnds(self))
        self.add_callback(self.progress)
        self.step_trees: list[tuple[tuple[str, ...], torch.Tensor]] = []
        self.step_grad_norm: torch.Tensor | float | None = None
        plugin = args.deepspeed_plugin
        self.layout = Layout(args.world_size, int(plugin.zero_stage) if plugin else 0)
        self._recipe_sha256 = recipe_sha256(recipe)
        self._kept = recipe.checkpoints_kept
        self._optim, self._stream, self._objective = recipe.optim, stream, objective
        self._ids: list[tuple[str, ...]] = []
        self._rate = 0.0
        self._done = 0.0  # share of the data behind the last step
        self._budget = TimeBudget(recipe.optim.max_minutes)
        self._speed = _Speed()
        self._finished = False
        self.step_end: StepEnd | None = None
        self.began = 0.0

    @property
    def position(self) -> Position:
        """Behind the last step that was trained."""
        return self._stream.start if self.step_end is None else self.step_end.position

    @property
    def is_over(self) -> bool:
        """Whether the current step is the last one, of the data or of the time."""
        return self._budget.is_spent or (self.step_end is not None and self.step_end.last)

    @property
    def share(self) -> float:
        """How much of the run is done, from 0 to 1."""
        return 1.0 if self.is_over else max(self.position.progress, self._budget.share)

    def run(self, resume: Path | None) -> None:
        """Train to the end, from a checkpoint or from the start."""
        if resume is not None:
            state = read_json(resume / STREAM_STATE)
            self._stream.start = Position.from_dict(state["position"])
            self._budget.restore(state["minutes"])
            steps = read_json(resume / "trainer_state.json")["global_step"]
            if state["last"] or steps == self._optim.max_steps:  # all is done but the result and the report
                self._finished, self.args.max_steps = True, steps
        self._done = self._stream.start.progress
        try:
            with _without_advice() if self._finished else nullcontext():
                self.train(resume_from_checkpoint=str(resume) if resume else None)
        finally:
            self.progress.close()  # also on Ctrl-C, or the terminal is left without its cursor

    def get_train_dataloader(self) -> TreeStream[Any]:
        """The stream itself: it deals to the ranks on its own, and a loader around it would read ahead."""
        return self._stream

    def get_batch_samples(
        self, epoch_iterator: Iterator[Microbatch], num_batches: int, device: torch.device
    ) -> tuple[list[Any], torch.Tensor]:
        """The batches of one optimizer step, and the weight of its labels over all ranks."""
        self.began = self.began or time.time()
        if self._finished:  # the Trainer begins another epoch behind the last step, and ends it without a batch
            self.control.should_training_stop = True
            return [], torch.ones((), device=device)
        step = list(islice(epoch_iterator, num_batches))
        self.step_end = step[0].end
        self._ids = [batch.sample_ids for batch in step]
        self.step_trees = []
        own = torch.stack([batch.batch["weight"].sum() for batch in step]).sum().to(device)
        spent = torch.full_like(own, self._budget.spent())
        everywhere: torch.Tensor = self.accelerator.gather(torch.stack([own, spent])).view(-1, 2)
        self._budget.begin_step(everywhere[:, 1].max().item())
        self._set_rate(max((self._done + self.position.progress) / 2, self._budget.share))
        self._done = self.position.progress
        return [batch.batch for batch in step], everywhere[:, 0].sum()

    def _set_rate(self, progress: float) -> None:
        """The rate of a step is the schedule's in its middle: neither the first nor the last step is wasted."""
        self._rate = self._optim.learning_rate * rate_factor(self._optim, progress)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate

    def _get_learning_rate(self) -> float:
        """For the log: DeepSpeed may have put an optimizer of its own in the place of the scheduler's."""
        return self._rate

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> torch.optim.lr_scheduler.LRScheduler:
        """One that leaves the rate as `get_batch_samples` has set it."""
        if self.lr_scheduler is None:
            self.lr_scheduler = _KeepRate(optimizer or self.optimizer)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: Any,
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """This tree's share of the step's mean loss.

        Ranks average their gradients, hence the factor of the number of ranks: together they then
        give the sum over all trees divided by the sum of all weights.
        """
        assert num_items_in_batch is not None
        assert not return_outputs, "the Trainer's own evaluation is not used"
        loss = self._objective(model, inputs)
        self._speed.tokens += inputs["input_ids"].numel()
        weight = inputs["weight"].sum().clamp(min=1e-9)
        self.step_trees.append((self._ids[len(self.step_trees)], loss.detach() / weight))
        share: torch.Tensor = loss / num_items_in_batch * self.accelerator.num_processes
        return share

    def _prepare_inputs(self, inputs: Any) -> Any:
        """On the device, in their own types: the Trainer would round weights to DeepSpeed's bf16."""
        return to_device(inputs, self.args.device)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the speed since the last log, in distinct tokens a second and rank, and the objective's numbers."""
        if "loss" in logs:
            logs["tokens_per_second"] = self._speed.since_last()
            logs.update(self._objective.metrics())
        super().log(logs, start_time)

    def _get_grad_norm(self, model: torch.nn.Module, grad_norm: Any = None) -> Any:
        """Remember it, for the guard against divergence."""
        self.step_grad_norm = super()._get_grad_norm(model, grad_norm=grad_norm)
        return self.step_grad_norm

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """A checkpoint that counts when it is whole, with the position of the stream."""
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"

        def write() -> None:
            super(TreeTrainer, self)._save_checkpoint(model, trial)
            if self.args.should_save:
                state = {"position": self.position.to_dict(), "last": self.is_over, "minutes": self._budget.spent()}
                write_json(folder / STREAM_STATE, state)

        save_checkpoint(folder, write, self.layout, self._recipe_sha256, self._kept)


@contextmanager
def _without_advice() -> Iterator[None]:
    """The Trainer would call a run that has nothing left to train a mistake in its data."""
    log = logging.getLogger("transformers.trainer")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


class _UntilTheStreamEnds(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Ends training with the data or the time: the Trainer itself only counts steps."""

    def __init__(self, trainer: TreeTrainer) -> None:
        self._trainer = trainer

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell how far the run is, and save and stop behind its last step."""
        state.epoch = self._trainer.share
        if self._trainer.is_over:
            control.should_training_stop = control.should_save = True


class _KeepRate(torch.optim.lr_scheduler.LRScheduler):
    """The interface of a scheduler without a schedule."""

    def get_lr(self) -> list[float | torch.Tensor]:
        """The rates as they are."""
        return [group["lr"] for group in self.optimizer.param_groups]


class _Speed:
    """Tokens a second between logs."""

    def __init__(self) -> None:
        self.tokens = 0
        self._since = time.monotonic()

    def since_last(self) -> float:
        """Tokens a second since the last call."""
        now = time.monotonic()
        speed = self.tokens / max(now - self._since, 1e-9)
        self.tokens, self._since = 0, now
        return speed


def training_arguments(recipe: TrainRecipe, precision: str, ranks: int) -> TrainingArguments:
    """A recipe in transformers' terms.

    Args:
        recipe: of the run.
        precision: `bf16`, `fp16` or `fp32`.
        ranks: processes that train together.

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
        max_steps=optim.max_steps or sys.maxsize,  # the stream ends the run; how many steps it has is not known yet
        learning_rate=optim.learning_rate,
        weight_decay=optim.weight_decay,
        max_grad_norm=optim.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=not torch.cuda.is_available(),
        seed=recipe.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=recipe.checkpoint_every,
        ignore_data_skip=True,  # the stream starts where it stopped
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        disable_tqdm=True,
        report_to="none",
    )
