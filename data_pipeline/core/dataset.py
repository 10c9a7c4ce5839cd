"""A dataset folder: shards/*.jsonl holds the accepted samples, rejects/*.jsonl the refused ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_jsonl
from data_pipeline.core.schema import Trajectory


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
        InputError: a broken line, named by file and line.
    """
    for number, row in enumerate(read_jsonl(path), start=1):
        try:
            yield Trajectory.from_row(row)
        except InputError as error:
            raise InputError(f"{path}:{number}: {error}; mend or remove the line") from error


def dataset_fingerprint(folder: Path) -> str:
    """SHA-256 over the names and bytes of the shards."""
    digest = hashlib.sha256()
    for path in shard_paths(folder):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
