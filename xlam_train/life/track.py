"""Numbers of a run in wandb and TensorBoard, named as transformers names them: train/loss, eval/loss."""

from __future__ import annotations

import hashlib
import importlib.util
import netrc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit

from transformers import TrainerCallback

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlam_train.recipe import TrainRecipe

WANDB_HOST = "https://api.wandb.ai"
OFFLINE = ("offline", "disabled", "dryrun")


class Tracker(Protocol):
    """Where numbers go."""

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Of one optimizer step."""

    def close(self) -> None:
        """Write what is left."""


def check_trackers(recipe: TrainRecipe) -> None:
    """Before anything else is done.

    Raises:
        InputError: a tracker is not installed.
    """
    for name in recipe.track.to:
        if importlib.util.find_spec(name) is None:
            raise InputError(f"track.to: {name} is not installed; pip install {name}, or leave it out")


class Tracking(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Opens the recipe's trackers on the first rank and hands them every number that is logged."""

    def __init__(self, recipe: TrainRecipe) -> None:
        """Nothing is opened before training begins."""
        self._recipe = recipe
        self._trackers: list[Tracker] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open; a resumed run goes on with its curves."""
        if state.is_world_process_zero:
            self._trackers = [_open(name, self._recipe, state.global_step) for name in self._recipe.track.to]

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any], **_: Any) -> None:
        """Hand on."""
        numbers = {_rename(name): float(value) for name, value in logs.items() if isinstance(value, (int, float))}
        for tracker in self._trackers:
            tracker.log(numbers, state.global_step)

    def close(self) -> None:
        """Write what is left; to be called however the run ends."""
        for tracker in self._trackers:
            tracker.close()
        self._trackers = []


def _rename(name: str) -> str:
    return f"eval/{name.removeprefix('eval_')}" if name.startswith("eval_") else f"train/{name}"


def _open(name: str, recipe: TrainRecipe, done: int) -> Tracker:
    return _Wandb(recipe) if name == "wandb" else _TensorBoard(recipe.out / "tensorboard", done)


class _Wandb:
    """One run in wandb, in folders of its own under `out`; only numbers and the recipe leave the machine."""

    def __init__(self, recipe: TrainRecipe) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # its own, to its makers, also offline
        os.environ.setdefault(
            "WANDB_DISABLE_WEAVE", "true"
        )  # an advertisement where a language model's client is loaded
        import wandb

        name = recipe.track.name or recipe.out.name
        # The same id after a resume, so that the curves go on; an offline run gets a second folder and the same id.
        identity = hashlib.sha256(f"{recipe.track.project}/{name}/{recipe.out.absolute()}".encode()).hexdigest()[:16]
        self._run = wandb.init(
            project=recipe.track.project,
            name=name,
            id=identity,
            resume="allow",
            dir=str(recipe.out),
            mode=wandb_mode(os.environ),
            config=recipe.model_dump(mode="json"),
            settings=wandb.Settings(
                silent=True, console="off", disable_git=True, disable_code=True, x_disable_meta=True
            ),
        )

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        self._run.log(dict(numbers), step=step)

    def close(self) -> None:
        self._run.finish()


class _TensorBoard:
    """Event files."""

    def __init__(self, folder: Path, done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # Steps after the checkpoint were logged before the kill, and come again.
        self._writer = SummaryWriter(str(folder), purge_step=done + 1)

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


def wandb_mode(environ: Mapping[str, str]) -> Literal["online", "offline", "disabled"]:
    """Online only where this machine is logged in and WANDB_MODE does not say otherwise; so wandb never asks."""
    wish = environ.get("WANDB_MODE", "online").lower()
    if wish == "disabled":
        return "disabled"
    return "online" if wish not in OFFLINE and _logged_in(environ) else "offline"


def _logged_in(environ: Mapping[str, str]) -> bool:
    """Whether there is a key, by the rules of wandb and netrc; nothing of it is kept or printed."""
    if environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(environ.get("WANDB_BASE_URL", WANDB_HOST)).hostname
    path = Path(environ.get("NETRC") or Path(environ.get("HOME", "~")).expanduser() / ".netrc")
    try:
        return host in netrc.netrc(str(path)).hosts
    except (OSError, netrc.NetrcParseError):
        return False
