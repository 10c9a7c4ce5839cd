"""Read a dataset folder: shards/*.jsonl, one `Trajectory.to_row` a line."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_jsonl
from data_pipeline.core.schema import Trajectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def shard_paths(path: Path) -> list[Path]:
    """The shards of a dataset folder, in order.

    Raises:
        InputError: no such folder, or no shard in it.
    """
    if not path.is_dir():
        raise InputError(f"data.path: no folder '{path}'; make a dataset with `xlam data generate`")
    shards = sorted((path / "shards").glob("*.jsonl"))
    if not shards:
        raise InputError(f"data.path: '{path}' has no shards/*.jsonl; make a dataset with `xlam data generate`")
    return shards


def read_dataset(path: Path) -> list[Trajectory]:
    """All samples of a dataset folder, in shard order.

    Raises:
        InputError: the folder is missing or empty, or a line is broken (names file and line).
    """
    samples = [sample for shard in shard_paths(path) for sample in _read_shard(shard)]
    if not samples:
        raise InputError(f"data.path: the shards of '{path}' hold no samples; loosen the data recipe's checks")
    return samples


def dataset_fingerprint(path: Path) -> str:
    """SHA-256 over the names and bytes of the shards."""
    digest = hashlib.sha256()
    for shard in shard_paths(path):
        digest.update(f"{shard.name}\0{shard.stat().st_size}\0".encode())
        digest.update(shard.read_bytes())
    return digest.hexdigest()


def _read_shard(shard: Path) -> Iterator[Trajectory]:
    for number, row in enumerate(read_jsonl(shard), start=1):
        try:
            yield Trajectory.from_row(row)
        except InputError as error:
            raise InputError(f"{shard}:{number}: {error}; mend or remove the line") from error
