"""One format to another, sample by sample."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data_pipeline.convert.formats import FORMATS, SUFFIXES, format_of, read_samples
from data_pipeline.convert.lines import BadLine, GoodLine
from data_pipeline.convert.writers import dataset_writer, record_file
from data_pipeline.core.errors import InputError, nearest
from data_pipeline.core.strict_json import BadRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory

LISTED = 20
"""Records told one by one that could not be converted; of the others there is a count."""


@dataclass
class Converted:
    """What came of it.

    Attributes:
        written: samples.
        reasons: reason code -> records that could not be read, or that the other format cannot hold.
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
    lines = read_samples(source, name)
    if target_format == "dataset":
        with dataset_writer(target) as writer:
            _hand_on(lines, writer.add, done)
        return done
    if target.suffix not in SUFFIXES:
        raise InputError(f"{target}: give the file one of the suffixes {', '.join(SUFFIXES)}")
    write = FORMATS[target_format].write
    with record_file(target) as add:
        _hand_on(lines, lambda sample: add(write(sample)), done)
    return done


def _hand_on(lines: Iterable[GoodLine | BadLine], add: Callable[[Trajectory], None], done: Converted) -> None:
    """Add the samples, counted; what cannot be read, or held by the other format, is only counted and told."""
    for line in lines:
        refused = _refused(line, add)
        if refused is None:
            done.written += 1
            continue
        done.reasons[refused.reason] += 1
        if len(done.unread) < LISTED:
            done.unread.append(refused)


def _refused(line: GoodLine | BadLine, add: Callable[[Trajectory], None]) -> BadLine | None:
    """Add a sample; why that was not possible, or None."""
    if isinstance(line, BadLine):
        return line
    try:
        add(line.sample)
    except BadRecord as error:
        return BadLine(line.path, line.line, error.reason, error.detail)
    return None
