"""A dataset folder: shards/*.jsonl holds the accepted samples, rejects/*.jsonl the refused ones.

A preference folder holds pairs of a chosen and a rejected answer in its shards instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_jsonl
from data_pipeline.core.schema import Preference, Trajectory

T = TypeVar("T")


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a dataset folder, in order.

    Raises:
        InputError: no such folder, or no shard in it.
    """
    paths = sorted((folder / "shards").glob("*.jsonl"))
    if not paths:
        raise InputError(f"{folder}: no dataset here (shards/*.jsonl); make one with `xlam data generate`")
    return paths


def read_dataset(folder: Path) -> Iterator[Trajectory]:
    """The accepted samples, in order.

    Raises:
        InputError: no shards, or a broken line (named by file and line).
    """
    for path in shard_paths(folder):
        yield from read_shard(path)


def read_rejects(folder: Path) -> Iterator[Trajectory]:
    """The refused samples, in order; their last verdict says why."""
    for path in shard_paths(folder):
        yield from read_shard(folder / "rejects" / path.name)


def read_shard(path: Path) -> Iterator[Trajectory]:
    """The samples of one file.

    Raises:
        InputError: a broken line, named by file and line, or the file holds preference pairs.
    """
    return _read(path, Trajectory.from_row)


def read_preferences(folder: Path) -> Iterator[Preference]:
    """The pairs of a preference folder, in order.

    Raises:
        InputError: no shards, a broken line (named by file and line), or samples of one answer.
    """
    for path in shard_paths(folder):
        yield from read_preference_shard(path)


def read_preference_shard(path: Path) -> Iterator[Preference]:
    """The pairs of one file.

    Raises:
        InputError: a broken line, named by file and line, or the file holds samples of one answer.
    """
    return _read(path, Preference.from_row)


def _read(path: Path, parse: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    for number, row in enumerate(read_jsonl(path), start=1):
        try:
            yield parse(row)
        except InputError as error:
            raise InputError(f"{path}:{number}: {error}") from error


def dataset_fingerprint(folder: Path) -> str:
    """SHA-256 over the names and bytes of the shards."""
    digest = hashlib.sha256()
    for path in shard_paths(folder):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
