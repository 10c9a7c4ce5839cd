"""Exports that appear whole or not at all: write beside the target, sync to the disk, rename."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import explain_os_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def whole_file(out: Path, needed: int) -> Iterator[Path]:
    """A temporary path beside `out` to write to; it becomes `out` when the block ends without an error.

    Args:
        out: the file to make; its folder is created, an older file stays until the new one is whole.
        needed: bytes the file will take.

    Raises:
        InputError: `out` is a folder, the disk has too little space, or it cannot be written.
    """
    if out.is_dir():
        raise InputError(f"{out} is a folder; give a file name, for example {out / 'model.gguf'}")
    temporary = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        _prepare(out, needed)
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
        InputError: the disk has too little space, or it cannot be written.
    """
    temporary = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        _prepare(out, needed)
        temporary.mkdir()
        yield temporary
        for path in sorted(temporary.rglob("*")):
            _sync(path)
        _swap(temporary, out)
        _sync(out.parent)
    except OSError as error:
        raise _explain(error, out, needed) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


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
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        megabytes = needed // 1_000_000 + 1
        return InputError(f"no space left writing {out}: free {megabytes} MB or choose another --out")
    return explain_os_error(error, out)
