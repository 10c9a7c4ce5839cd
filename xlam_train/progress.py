"""How far a run is, on stderr."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback


class ProgressLine(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """A bar on stderr with loss and speed; a line a step where stderr is no terminal."""

    def __init__(self) -> None:
        """Nothing is drawn before training begins."""
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("train"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("train", note="")

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open the bar where training resumes; it shows the share done, since steps are not counted beforehand."""
        if state.is_world_process_zero:
            self._progress.update(self._task, total=1.0, completed=state.epoch or 0.0)
            self._progress.start()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        """Show what was logged."""
        if not state.is_world_process_zero or "loss" not in logs:
            return
        note = f"loss {logs['loss']:.4f}, {logs['tokens_per_second']:.0f} tokens/s"
        self._progress.update(self._task, completed=state.epoch, note=f"step {state.global_step}, {note}")
        if not self._console.is_terminal:
            text = f"train: step {state.global_step}, {state.epoch:.0%} done, {note}"
            self._console.print(text, highlight=False)

    def reference(self, share: float) -> None:
        """Show how far the reference model has read the data."""
        self._progress.update(self._task, note=f"reference model: {share:.0%} of the data")

    def show(self, text: str) -> None:
        """Lines of their own, above the bar."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Stop drawing."""
        self._progress.stop()
