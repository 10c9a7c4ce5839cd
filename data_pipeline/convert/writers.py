"""Writes samples one at a time: a dataset of any size takes the same memory. Files appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import PARTIAL, explain_os_error, write_atomic
from data_pipeline.core.schema import dumps
from data_pipeline.core.staged import staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory

SHARD_SAMPLES = 1000
SHARD_CHARS = 32 << 20
"""A shard ends with whichever of the two comes first."""


@contextmanager
def record_file(path: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that adds a record to the file: to a list if its suffix is .json, else one a line.

    The file appears when the block ends; an error within leaves the old file or none.

    Raises:
        InputError: no space left, or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    first, between, last = ("[\n", ",\n", "]\n") if path.suffix == ".json" else ("", "\n", "")
    written = 0

    def add(record: dict[str, Any]) -> None:
        nonlocal written
        stream.write((between if written else first) + dumps(record))
        written += 1

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8", newline="\n") as stream:
            yield add
            stream.write(("\n" if written else first) + last if written or first else "")
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise explain_os_error(error, path) from error
    finally:
        # Where the folder could not be made, there is nothing to remove, and saying so would hide why.
        with suppress(OSError):
            temporary.unlink()


class DatasetWriter:
    """A dataset folder that grows shard by shard; what a check refused goes to its rejects.

    Attributes:
        folder: where it is written.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is written yet.

        Raises:
            InputError: the folder holds a dataset already.
        """
        _refuse_dataset(folder)
        self.folder = folder
        self._shard = 0
        self._kept: tuple[list[str], list[str]] = ([], [])
        self._chars = 0

    def add(self, sample: Trajectory) -> None:
        """Add one sample; a full shard is written.

        Raises:
            InputError: no space left, or the folder cannot be written.
        """
        text = dumps(sample.to_row()) + "\n"
        self._kept[sample.failed is not None].append(text)
        self._chars += len(text)
        if sum(map(len, self._kept)) >= SHARD_SAMPLES or self._chars >= SHARD_CHARS:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered as a shard, even an empty one where there is none yet: its rejects, then itself.

        Raises:
            InputError: no space left, or the folder cannot be written.
        """
        if self._shard and not any(self._kept):
            return
        name = f"{self._shard:04d}.jsonl"
        for part, texts in zip(("rejects", "shards"), reversed(self._kept), strict=True):
            write_atomic(self.folder / part / name, "".join(texts).encode())
        self._shard += 1
        self._kept, self._chars = ([], []), 0


@contextmanager
def dataset_writer(folder: Path) -> Iterator[DatasetWriter]:
    """A writer whose dataset appears in `folder` when the block ends; an error or a kill within leaves none.

    Raises:
        InputError: the folder holds a dataset already, another run is writing there, or it cannot be written.
    """
    _refuse_dataset(folder)
    with staged(folder) as unfinished:
        writer = DatasetWriter(unfinished)
        yield writer
        writer.flush()


def _refuse_dataset(folder: Path) -> None:
    if (folder / "shards").exists() or (folder / "recipe.json").exists():
        raise InputError(f"{folder}: holds a dataset already; choose another folder, or remove it")
