"""A dataset folder while it is made: whose it is, which shards are finished, and that they are whole.

recipe.json  tools.jsonl  provenance.json  stats.json  README.md
shards/NNNN.jsonl  rejects/NNNN.jsonl  manifest/NNNN.json   a finished shard; its manifest is written last
work/                                                       shards made but not yet curated; gone at the end
cache/                                                      answers of language models
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import PARTIAL, explain_os_error, read_json, write_atomic, write_json, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data_pipeline.core.schema import Tool


class DatasetFolder:
    """The files of one job."""

    def __init__(self, path: Path) -> None:
        """Nothing is read or written yet."""
        self.path = path
        self.work = path / "work"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process alone; the lock ends with the process, however it ends.

        Raises:
            InputError: another run holds it, or it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            stream = (self.path / ".lock").open("w")
        except OSError as error:
            raise explain_os_error(error, self.path) from error
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                hint = "wait for it, or choose another --out"
                raise InputError(f"{self.path}: another run is writing here; {hint}") from error
            yield

    def claim(self, resolved: dict[str, Any], tools: tuple[Tool, ...], provenance: dict[str, Any]) -> None:
        """Write what the job is, or refuse a folder that holds another job's output.

        Raises:
            InputError: the folder holds another dataset, or cannot be written.
        """
        path = self.path / "recipe.json"
        if path.exists():
            if read_json(path) != resolved:
                raise InputError(
                    f"{self.path}: holds a dataset of another recipe, tool pool or version; choose another --out"
                )
        elif (self.path / "shards").exists():
            raise InputError(f"{self.path}: holds shards without a recipe.json; choose another --out")
        for left in self.path.rglob(f".*{PARTIAL}"):
            left.unlink(missing_ok=True)
        write_jsonl(self.path / "tools.jsonl", (tool.to_dict() for tool in tools))
        write_json(self.path / "provenance.json", provenance)
        write_json(path, resolved)

    def manifest(self, shard: int) -> dict[str, Any] | None:
        """What is on record of a finished shard; None for one that is not.

        Raises:
            InputError: its files are not the ones that were written.
        """
        path = self.path / "manifest" / f"{shard:04d}.json"
        if not path.exists():
            return None
        found: dict[str, Any] = read_json(path)
        for part in self.paths(shard):
            name = str(part.relative_to(self.path))
            if not part.exists():
                return None
            if _sha256(part.read_bytes()) != found["sha256"].get(name):
                raise InputError(f"{part}: is not as it was written (checksum); delete it to have the shard made again")
        return found

    def paths(self, shard: int) -> tuple[Path, Path]:
        """Where the accepted and the rejected samples of a shard are."""
        return self.path / "shards" / f"{shard:04d}.jsonl", self.path / "rejects" / f"{shard:04d}.jsonl"

    def finish(self, shard: int, accepted: bytes, rejected: bytes, funnel: dict[str, Any]) -> None:
        """Write a shard: its rejects, its samples, and last the manifest that makes it count.

        Raises:
            InputError: no space left, or the folder cannot be written.
        """
        kept, refused = self.paths(shard)
        write_atomic(refused, rejected)
        write_atomic(kept, accepted)
        checksums = {
            str(path.relative_to(self.path)): _sha256(data) for path, data in ((kept, accepted), (refused, rejected))
        }
        write_json(self.path / "manifest" / f"{shard:04d}.json", {"sha256": checksums, "funnel": funnel})

    def clean(self) -> None:
        """Remove what only an unfinished job needs."""
        shutil.rmtree(self.work, ignore_errors=True)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
