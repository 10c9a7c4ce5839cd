"""Go on with another number of processes: ZeRO's shards are put together and cut anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from accelerate import PartialState

from data_pipeline.core.errors import InputError
from xlam_train.checkpoints import Layout, check_resume, saved_layout

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = ".universal-"
READY = "latest_universal"  # DeepSpeed writes it last


def fitting(checkpoint: Path, layout: Layout, plugin: Any) -> Path:
    """The folder to resume from; all ranks must call it, before the engine exists.

    The checkpoint itself, unless ZeRO's shards in it belong to another number of processes. Then the first rank
    makes a universal checkpoint of it (Lian et al. 2024) beside it, for about the time of reading and writing it
    once, and DeepSpeed is told to load that. It takes the room of the optimizer's state until `drop_universal`.

    Args:
        checkpoint: complete.
        layout: of this run.
        plugin: accelerate's for DeepSpeed, or None.

    Raises:
        InputError: ZeRO's stage differs, or the conversion failed.
    """
    check_resume(checkpoint, layout)
    if not layout.zero_stage or saved_layout(checkpoint).processes == layout.processes:
        return checkpoint
    target = checkpoint.with_name(f"{PREFIX}{checkpoint.name}")
    if PartialState().is_main_process:
        _convert(checkpoint, target)
    while not (target / READY).exists():  # no barrier: that would time out while hundreds of GB are converted
        time.sleep(0.1)
    for settings in (plugin.deepspeed_config, plugin.hf_ds_config.config):
        settings["checkpoint"] = {"load_universal": True}
    return target


def drop_universal(folder: Path) -> None:
    """Delete what `fitting` made; at the start of a run, and when it is over."""
    for path in folder.glob(f"{PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)


def _convert(checkpoint: Path, target: Path) -> None:
    """Everything as it is, by links, and the shards once more in DeepSpeed's form for any number of ranks."""
    shutil.copytree(checkpoint, target, copy_function=_link)
    (shards,) = target.glob("global_step*")
    module = "deepspeed.checkpoint.ds_to_universal"
    folders = ["--input_folder", str(shards), "--output_folder", f"{shards}_universal"]
    # Only Megatron's models leave hints for merging; without them, shards are simply joined, which is right here.
    command = [sys.executable, "-m", module, *folders, "--inject_missing_state"]
    alone = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=alone)
    if done.returncode:
        shutil.rmtree(target, ignore_errors=True)
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(
            f"{checkpoint}: cannot be cut anew for this number of processes ({reason}); launch as many as before, "
            f"{saved_layout(checkpoint)}"
        )


def _link(source: str, target: str) -> None:
    """A second name for the same bytes, or a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
