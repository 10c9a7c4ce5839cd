"""Exports that appear whole or not at all: write beside the target, sync to the disk, rename."""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import explain_os_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# EFBIG: the file system's, or the user's limit of a file's size.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def whole_file(out: Path, needed: int) -> Iterator[Path]:
    """A temporary path beside `out` to write to; it becomes `out` when the block ends without an error.

    Args:
        out: the file to make; its folder is created, an older file stays until the new one is whole.
        needed: bytes the file will take.

    Raises:
        InputError: `out` is a folder, another export writes it, the disk has too little space, or it cannot be
            written.
    """
    if out.is_dir():
        raise InputError(f"{out} is a folder; give a file name, for example {out / 'model.gguf'}")
    temporary = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        _prepare(out, needed)
        with _claimed(out):
            yield temporary
            _sync(temporary)
            temporary.replace(out)
            _sync(out.parent)
    except OSError as error:
        raise _explain(error, out, needed) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(out: Path, needed: int) -> Iterator[Path]:
    """The same for a folder: yields an empty temporary folder that takes the place of `out` at the end.

    Args:
        out: the folder to make; an older one is moved away only after the block succeeded.
        needed: bytes its files will take.

    Raises:
        InputError: another export writes it, the disk has too little space, or it cannot be written.
    """
    temporary = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        _prepare(out, needed)
        with _claimed(out):
            temporary.mkdir()
            yield temporary
            for path in sorted(temporary.rglob("*")):
                _sync(path)
            _swap(temporary, out)
            _sync(out.parent)
    except OSError as error:
        raise _explain(error, out, needed) from error
    except SafetensorError as error:
        # safetensors wraps what the system said.
        code = next((code for code in _FULL if f"os error {code}" in str(error)), None)
        if code is None:
            raise
        raise _explain(OSError(code, os.strerror(code)), out, needed) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_replaceable(out: Path, sources: Sequence[Path]) -> None:
    """Replacing a folder deletes what was there, so it must be an old result and hold none of the inputs.

    Raises:
        InputError: it is something else.
    """
    if any(source.resolve().is_relative_to(out.resolve()) for source in sources):
        raise InputError(f"{out}: holds what is read and would be replaced; choose another OUT")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: a file is in the way; choose another OUT")
    made = ("config.json", "adapter_config.json")
    if out.is_dir() and any(out.iterdir()) and not any((out / name).is_file() for name in made):
        raise InputError(f"{out}: has files that are no model and would be replaced; choose another OUT")


@contextmanager
def _claimed(out: Path) -> Iterator[None]:
    """Keep other exports from writing the same target; the lock ends with the process, however it ends."""
    path = out.with_name(f".{out.name}.lock")
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{out}: another export is writing it; wait for it, or choose another OUT") from error
        try:
            _drop_debris(out)
            yield
        finally:
            path.unlink(missing_ok=True)


def _drop_debris(out: Path) -> None:
    """What killed exports of the same target left; whoever holds the lock knows that nobody writes it any more."""
    stem = f".{glob.escape(out.name)}.*"
    for old in out.parent.glob(f"{stem}.old"):
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:  # killed between the two renames of `_swap`
            old.rename(out)
    for path in out.parent.glob(f"{stem}.partial"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _swap(temporary: Path, out: Path) -> None:
    if not out.exists():
        temporary.rename(out)
        return
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    out.rename(old)
    try:
        temporary.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old)


def _prepare(out: Path, needed: int) -> None:
    """Make the folder and fail before the work when the space cannot suffice."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(out.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _sync(path: Path) -> None:
    """Push a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explain(error: OSError, out: Path, needed: int) -> InputError:
    if error.errno in _FULL:
        megabytes = needed // 1_000_000 + 1
        return InputError(f"no space left writing {out}: free {megabytes} MB or choose another OUT")
    return explain_os_error(error, out)
