"""A dataset folder while it is made: whose it is, which shards are finished, and that they are whole.

recipe.json  tools.jsonl  provenance.json  stats.json  README.md
shards/NNNN.jsonl  rejects/NNNN.jsonl  manifest/NNNN.json   a finished shard; its manifest is written last
work/                                                       shards made but not yet curated; gone at the end
cache/                                                      answers of language models
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import PARTIAL, explain_os_error, read_json, write_atomic, write_json, write_jsonl

if TYPE_CHECKING:
    from data_pipeline.core.schema import Tool


class DatasetFolder:
    """The files of one job."""

    def __init__(self, path: Path) -> None:
        """Nothing is read or written yet."""
        self.path = path
        self.work = path / "work"

    def claim(self, resolved: dict[str, Any], tools: tuple[Tool, ...], provenance: dict[str, Any]) -> None:
        """Write what the job is, or refuse a folder that holds another job's output.

        As long as no shard is there, another job may take the place of the one before: a setting was wrong, perhaps.

        Raises:
            InputError: the folder holds another dataset, or cannot be written.
        """
        path = self.path / "recipe.json"
        if path.exists():
            self._compare(read_json(path), resolved, provenance)
        elif (self.path / "shards").exists():
            raise InputError(f"{self.path}: holds shards without a recipe.json; choose another --out")
        for left in self.path.rglob(f".*{PARTIAL}"):
            left.unlink(missing_ok=True)
        write_jsonl(self.path / "tools.jsonl", (tool.to_dict() for tool in tools))
        write_json(self.path / "provenance.json", provenance)
        write_json(path, resolved)

    def _compare(self, stored: Any, resolved: dict[str, Any], provenance: dict[str, Any]) -> None:
        """Refuse the folder if its job is another one, unless that has come to nothing yet."""
        other = _difference(stored, resolved)
        if other is None:
            other = self._other_benchmark(provenance)
        if other is None:
            return
        is_job = isinstance(stored, dict) and {"recipe", "tools", "version"} <= stored.keys()
        made = any((self.path / "manifest").glob("*.json")) or any((self.path / "shards").glob("*.jsonl"))
        if made or not is_job:
            what = f"a dataset of another recipe, tool pool or version{other}"
            raise InputError(f"{self.path}: holds {what}; choose another --out")
        # The models' answers in cache/ stay: each is kept under all that was asked, so none is taken for another's.
        try:
            shutil.rmtree(self.work)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise explain_os_error(error, self.work) from error

    def _other_benchmark(self, provenance: dict[str, Any]) -> str | None:
        """What to say of another version of the benchmark than samples were compared with; None if it is the same.

        It is read from provenance.json, where folders have always had it, so that all of them still go on.
        """
        path = self.path / "provenance.json"
        before = (read_json(path).get("benchmark") or {}).get("package") if path.exists() else None
        now = (provenance.get("benchmark") or {}).get("package")
        return f" (samples were compared with {before}, now it is {now})" if before and before != now else None

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


_UNSEEN = {
    "references": "what distinct_from names has changed since, or is not on record",
    "secrets_sha256": "a password or key in it is another one",
}
"""Keys of recipe.json for what its recipe does not show, each with what to say where it differs."""


def _difference(stored: Any, resolved: dict[str, Any]) -> str | None:
    """What to say of another job beside that it is one, '' where that is plain; None if it is the same."""
    if stored == resolved:
        return None
    if not isinstance(stored, dict):
        return ""
    keys = {key for key in stored.keys() | resolved.keys() if stored.get(key) != resolved.get(key)}
    return f" ({'; '.join(_UNSEEN[key] for key in sorted(keys))})" if keys <= _UNSEEN.keys() else ""
