"""Duplicates across shards: decided in the order of the shards, whoever made them first."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from data_pipeline.core.dataset import read_shard
from data_pipeline.core.jsonl import read_json, write_atomic
from data_pipeline.core.schema import Trajectory, Verdict, dumps
from data_pipeline.curate.dedup import DuplicateIndex, signatures
from data_pipeline.report.funnel import Funnel

if TYPE_CHECKING:
    from pathlib import Path

    from data_pipeline.job.folder import DatasetFolder


class Curation:
    """Turns shards that workers made into finished ones, or recalls finished ones; each shard once, in order."""

    def __init__(self, folder: DatasetFolder, threshold: float) -> None:
        """Nothing is known yet.

        Args:
            folder: the dataset folder.
            threshold: Jaccard similarity from which samples are duplicates.
        """
        self._folder = folder
        self._threshold = threshold
        self._index = DuplicateIndex(threshold)

    def is_made(self, shard: int) -> bool:
        """Whether a worker has left the shard for curation."""
        return (self._made(shard) / "summary.json").exists()

    def recall(self, shard: int, manifest: dict[str, Any]) -> Funnel:
        """Count a shard finished earlier as seen."""
        path = self._signatures(shard)
        if path.exists():
            self._index.add(np.load(path))
        else:
            kept, _ = self._folder.paths(shard)
            self._index.add(signatures(list(read_shard(kept)), self._threshold))
        return Funnel.from_dict(manifest["funnel"])

    def finish(self, shard: int) -> Funnel:
        """Take duplicates of earlier samples out of a made shard and write it.

        Raises:
            InputError: no space left, or the folder cannot be written.
        """
        made = self._made(shard)
        marks = np.load(made / "signatures.npy")
        reasons = self._index.admit(marks)
        funnel = Funnel.from_dict(read_json(made / "summary.json"))
        accepted = (made / "accepted.jsonl").read_bytes()
        rejected = (made / "rejected.jsonl").read_bytes()
        if any(reasons):
            accepted, dropped = _split(accepted, reasons)
            funnel.refuse_accepted(dropped)
            rejected += "".join(dumps(sample.to_row()) + "\n" for sample in dropped).encode()
        self._keep_signatures(shard, marks[[reason is None for reason in reasons]])
        self._folder.finish(shard, accepted, rejected, funnel.to_dict())
        for path in made.iterdir():
            path.unlink()
        made.rmdir()
        return funnel

    def _keep_signatures(self, shard: int, marks: np.ndarray[Any, np.dtype[np.uint64]]) -> None:
        """For a run that goes on later; to compute them again would take longer than to make some shards."""
        buffer = io.BytesIO()
        np.save(buffer, marks)
        write_atomic(self._signatures(shard), buffer.getvalue())

    def _made(self, shard: int) -> Path:
        return self._folder.work / f"{shard:04d}"

    def _signatures(self, shard: int) -> Path:
        return self._folder.work / "signatures" / f"{shard:04d}.npy"


def _split(accepted: bytes, reasons: list[str | None]) -> tuple[bytes, list[Trajectory]]:
    """The lines that stay, and the samples of those that go, with the reason for it."""
    lines = accepted.splitlines(keepends=True)
    dropped = []
    for line, reason in zip(lines, reasons, strict=True):
        if reason is not None:
            sample = Trajectory.from_row(json.loads(line))
            verdict = Verdict(stage="curate", passed=False, reason=reason, detail=sample.query[:200])
            dropped.append(sample.model_copy(update={"verdicts": (*sample.verdicts[:-1], verdict)}))
    return b"".join(line for line, reason in zip(lines, reasons, strict=True) if reason is None), dropped
