"""What makes up a dataset folder appears when all of it is written: a killed run leaves nothing that looks whole."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data_pipeline.core.jsonl import explain_os_error
from data_pipeline.core.lock import LOCK, locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNFINISHED = ".unfinished"
"""Hidden folder of what is being written, within the one that it is for."""


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to write into, whose files and folders move to `folder` when the block ends, the shards last.

    What a killed run left of an older one is removed first; an error within leaves nothing.

    Raises:
        InputError: another run is writing there, or the folder cannot be written.
    """
    unfinished = folder / UNFINISHED
    with locked(unfinished):
        try:
            _clear(unfinished)
            yield unfinished
            _publish(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _clear(unfinished: Path) -> None:
    try:
        for left in list(unfinished.iterdir()):
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != LOCK:
                left.unlink()
    except OSError as error:
        raise explain_os_error(error, unfinished) from error


def _publish(unfinished: Path, folder: Path) -> None:
    try:
        for part in sorted(unfinished.iterdir(), key=lambda path: (path.name == "shards", path.name)):
            if part.name != LOCK:
                _move(part, folder / part.name)
    except OSError as error:
        raise explain_os_error(error, folder) from error


def _move(part: Path, target: Path) -> None:
    if part.is_dir() and target.is_dir():
        # A kill between two moves left it there, or its owner made it; what else it holds is not ours to remove.
        for file in list(part.iterdir()):
            file.replace(target / file.name)
    else:
        part.replace(target)
