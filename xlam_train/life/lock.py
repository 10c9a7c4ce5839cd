"""One run writes an output folder at a time, over all its ranks and nodes, also after a kill."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from accelerate import PartialState
from accelerate.utils import gather_object

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import explain_os_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = ".lock"
PATIENCE = 5.0  # seconds in which the ranks of a run that was just killed are gone
UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold `out` for this run; every rank must call it. The lock ends with the process, however it ends.

    Rank r locks byte r. The first rank begins with all bytes at once, so that not even a straggler of another run
    can still be writing, then lets go of all but its own. POSIX locks, unlike flock, are not handed on to the
    data loader's workers, which outlive a killed rank by seconds, and work over NFS.

    Raises:
        InputError: another run holds it, or it cannot be written.
    """
    state = PartialState()
    stream = _open(out)
    with stream:
        refused = _take_all(stream, out) if state.is_main_process else None
        if (reason := _first(refused)) is not None:
            raise InputError(reason)
        if not state.is_main_process:
            _lock(stream, state.process_index, 1)
        state.wait_for_everyone()
        yield


def _open(out: Path) -> TextIO:
    try:
        out.mkdir(parents=True, exist_ok=True)
        return (out / LOCK).open("w")
    except OSError as error:
        raise explain_os_error(error, out) from error


def _take_all(stream: TextIO, out: Path) -> str | None:
    """Lock the first rank's byte, once no other byte is locked; the reason why not, if so."""
    deadline = time.monotonic() + PATIENCE
    while not _lock(stream, 0, 0):
        if time.monotonic() > deadline:
            return f"out: another run is writing to '{out}'; wait for it, or give another out=..."
        time.sleep(0.1)
    fcntl.lockf(stream, fcntl.LOCK_UN, 0, 1, os.SEEK_SET)
    return None


def _first(reason: str | None) -> str | None:
    """What the first rank says, on all ranks: they fail together, and none waits for the others."""
    told: list[str | None] = gather_object([reason])
    return told[0]


def _lock(stream: TextIO, start: int, length: int) -> bool:
    """Whether bytes `start` to `start + length` (0: to the end) are this process's now."""
    try:
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start, os.SEEK_SET)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            print(f"{stream.name}: this file system has no locks; start no second run here", file=sys.stderr)  # noqa: T201
            return True
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        return False
    return True
