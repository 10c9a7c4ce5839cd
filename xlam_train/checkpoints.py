"""Checkpoints that count only when whole: a manifest, written last, says what belongs to them.

checkpoint-N/            what transformers and DeepSpeed write, a file or more for each rank
checkpoint-N/manifest.json   written by one rank after all others are done; without it, the folder is debris
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelerate import PartialState
from safetensors import SafetensorError

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import explain_os_error, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANIFEST = "manifest.json"
FORMAT = 1
HASHED_BYTES = 16 * 2**20  # larger files are checked by size alone: hashing 80 GB takes minutes of all ranks' time
NAME = re.compile(r"checkpoint-(\d+)")
# How torch and safetensors, which hide the errno, say that a write failed.
WRITE_FAILED = ("PytorchStreamWriter", "inline_container", "I/O error")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Layout:
    """How a run is spread, which decides what its optimizer state looks like on disk.

    Attributes:
        processes: ranks.
        zero_stage: DeepSpeed's, 0 without DeepSpeed.
    """

    processes: int
    zero_stage: int

    def __str__(self) -> str:
        how = f"ZeRO-{self.zero_stage}" if self.zero_stage else "no ZeRO"
        return f"{self.processes} processes with {how}"


def save_checkpoint(checkpoint: Path, write: Callable[[], None], layout: Layout, recipe_sha256: str, kept: int) -> None:
    """Write a checkpoint on all ranks, make it count, and only then delete the oldest.

    Args:
        checkpoint: folder `checkpoint-N`, on a file system that all ranks share.
        write: puts this rank's files there.
        layout: of this run.
        recipe_sha256: of the resolved recipe.
        kept: complete checkpoints that remain.

    Raises:
        InputError: no space left, or the folder cannot be written; what was written of it is gone again, and
            earlier checkpoints are untouched. The other ranks end with the connection to this one.
    """
    state = PartialState()
    with removed_if_unwritable(checkpoint):
        write()
    state.wait_for_everyone()
    if state.is_main_process:
        with removed_if_unwritable(checkpoint):
            seal(checkpoint, layout, recipe_sha256)
        rotate(checkpoint.parent, kept)
    state.wait_for_everyone()


@contextmanager
def removed_if_unwritable(checkpoint: Path) -> Iterator[None]:
    """Turn a failed write into one line, and give back the space that the torso takes.

    Raises:
        InputError: in place of the library's error.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError, InputError) as error:
        reason = _explain(error, checkpoint)
        if reason is None:
            raise
        _remove(checkpoint)
        raise reason from error


def _explain(error: Exception, checkpoint: Path) -> InputError | None:
    """A failed write in one line; None for any other error."""
    if isinstance(error, InputError):
        return error
    full = isinstance(error, OSError) and error.errno in FULL
    if not full and isinstance(error, OSError):
        return explain_os_error(error, checkpoint)
    if not full and not any(text in str(error) for text in WRITE_FAILED):
        return None
    return InputError(
        f"{checkpoint}: cannot be written, no space left; earlier checkpoints are intact: free some "
        "and run the same command again"
    )


def seal(checkpoint: Path, layout: Layout, recipe_sha256: str) -> None:
    """Make a checkpoint count: flush its files to the disk, then write the manifest atomically.

    Raises:
        InputError: files of some ranks are missing, or the disk is full.
    """
    _expect_all_ranks(checkpoint, layout)
    files = _files(checkpoint)
    for path in files:
        _flush(path)
    entries = {path.relative_to(checkpoint).as_posix(): _describe(path) for path in files}
    for folder in {path.parent for path in files}:
        _flush(folder)
    about = {"format": FORMAT, **asdict(layout), "recipe_sha256": recipe_sha256}
    write_json(checkpoint / MANIFEST, {**about, "files": entries})
    _flush(checkpoint)
    _flush(checkpoint.parent)


def _expect_all_ranks(checkpoint: Path, layout: Layout) -> None:
    """Nodes that do not share the folder write into folders of their own, and nobody notices before the resume."""
    states = len(list(checkpoint.glob("rng_state_*.pth")))
    shards = len(list(checkpoint.glob("global_step*/*zero_pp_rank_*_optim_states.pt")))
    lacking = [states < layout.processes and layout.processes > 1, layout.zero_stage > 0 and shards < layout.processes]
    if any(lacking):
        raise InputError(
            f"{checkpoint}: holds files of fewer than {layout.processes} processes; put `out` on a file system that "
            "all nodes share"
        )


def is_complete(checkpoint: Path) -> bool:
    """Whether a checkpoint has the files that it had when it was finished: all sizes, and hashes of the small.

    Raises:
        InputError: another version of this program wrote it.
    """
    manifest = _manifest(checkpoint)
    return manifest is not None and manifest["files"] == {
        path.relative_to(checkpoint).as_posix(): _describe(path) for path in _files(checkpoint)
    }


def last_checkpoint(folder: Path, before: int | None = None) -> Path | None:
    """The newest complete checkpoint; incomplete ones are left alone.

    Args:
        folder: of the checkpoints.
        before: only those of earlier steps.
    """
    found = (path for path in _newest_first(folder) if before is None or _step(path) < before)
    return next((path for path in found if is_complete(path)), None)


def drop_incomplete(folder: Path) -> None:
    """Delete what a kill left half-written, so that it never counts as one of those kept."""
    for path in _newest_first(folder):
        if not is_complete(path):
            _remove(path)


def rotate(folder: Path, kept: int) -> None:
    """Delete all complete checkpoints but the newest ones."""
    complete = [path for path in _newest_first(folder) if is_complete(path)]
    for path in complete[kept:]:
        _remove(path)


def saved_layout(checkpoint: Path) -> Layout:
    """How the run was spread that wrote a complete checkpoint."""
    manifest = _manifest(checkpoint)
    assert manifest is not None, "only complete checkpoints are resumed"
    return Layout(manifest["processes"], manifest["zero_stage"])


def check_resume(checkpoint: Path, layout: Layout) -> None:
    """Refuse to go on where the optimizer's state does not fit the run.

    Any number of processes goes on from it: same data order, optimizer and schedule, but ranks that were not there
    before draw other dropout masks. ZeRO's stage must stay; its shards are cut anew, see life/reshard.py.

    Raises:
        InputError: ZeRO's stage differs.
    """
    saved = saved_layout(checkpoint)
    if saved.zero_stage != layout.zero_stage:
        raise InputError(
            f"{checkpoint}: was written by {saved}, this run has {layout}; launch it with the same ZeRO stage, or "
            "begin anew in another out=..."
        )


def _manifest(checkpoint: Path) -> dict[str, Any] | None:
    """None for a folder without."""
    path = checkpoint / MANIFEST
    if not path.is_file():
        return None
    manifest: dict[str, Any] = read_json(path)
    if manifest.get("format") != FORMAT:
        raise InputError(
            f"{path}: format {manifest.get('format')} is not {FORMAT}, the one of this version; go on with the version "
            "that wrote it, or give another out=..."
        )
    return manifest


def _newest_first(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("checkpoint-*") if NAME.fullmatch(path.name)), key=_step, reverse=True)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _files(checkpoint: Path) -> list[Path]:
    return sorted(path for path in checkpoint.rglob("*") if path.is_file() and path.name != MANIFEST)


def _describe(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    if size > HASHED_BYTES:
        return {"bytes": size}
    return {"bytes": size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _flush(path: Path) -> None:
    """To the disk, whoever wrote it; for a folder, the names in it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(checkpoint: Path) -> None:
    """The manifest first: a kill in between leaves a folder that does not count."""
    (checkpoint / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(checkpoint, ignore_errors=True)
