"""One format to another, sample by sample."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data_pipeline.convert.formats import FORMATS, SUFFIXES, format_of, read_samples
from data_pipeline.convert.lines import BadLine, GoodLine
from data_pipeline.convert.writers import DatasetWriter, record_file
from data_pipeline.core.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory

LISTED = 20
"""Unreadable records told one by one; of the others there is a count."""


@dataclass
class Converted:
    """What came of it.

    Attributes:
        written: samples.
        reasons: reason code -> records that could not be read.
        unread: the first of them.
    """

    written: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    unread: list[BadLine] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        unread = [{**line._asdict(), "path": str(line.path)} for line in self.unread]
        return {"written": self.written, "not_read": dict(self.reasons), "first_not_read": unread}


def convert(source: Path, source_format: str, target: Path, target_format: str) -> Converted:
    """Read every sample of a file or folder and write it in another format; a bad record is passed over and told.

    Args:
        source: JSON lines, one JSON list, or a dataset folder.
        source_format: one of `FORMATS`, or `auto`.
        target: a file, a list if its suffix is .json; for `dataset` a new folder.
        target_format: one of `FORMATS`.

    Raises:
        InputError: a format is unknown, or a path cannot be read or written.
    """
    if target_format not in FORMATS:
        raise InputError(f"unknown format '{target_format}'; {nearest(target_format, FORMATS)}")
    name = format_of(source) if source_format == "auto" else source_format
    done = Converted()
    samples = _readable(source, name, done)
    if target_format == "dataset":
        writer = DatasetWriter(target)
        for sample in samples:
            writer.add(sample)
        writer.flush()
        return done
    if target.suffix not in SUFFIXES:
        raise InputError(f"{target}: give the file one of the suffixes {', '.join(SUFFIXES)}")
    write = FORMATS[target_format].write
    with record_file(target) as add:
        for sample in samples:
            add(write(sample))
    return done


def _readable(source: Path, name: str, done: Converted) -> Iterator[Trajectory]:
    """The samples, counted; what cannot be read is only counted and told."""
    for line in read_samples(source, name):
        if isinstance(line, GoodLine):
            done.written += 1
            yield line.sample
            continue
        done.reasons[line.reason] += 1
        if len(done.unread) < LISTED:
            done.unread.append(line)
