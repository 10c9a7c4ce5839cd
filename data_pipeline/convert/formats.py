"""The formats by name, and files of them read as samples."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from data_pipeline.convert import dataset, openai_messages, xlam_60k
from data_pipeline.convert.lines import BadLine, GoodLine, Record, read_records
from data_pipeline.convert.parts import ToolReader
from data_pipeline.core.dataset import shard_paths
from data_pipeline.core.errors import InputError, nearest
from data_pipeline.core.strict_json import BadRecord
from data_pipeline.tools.json_formats import from_openai, from_xlam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from data_pipeline.core.schema import Tool, Trajectory

SUFFIXES = (".jsonl", ".ndjson", ".json")
SNIFFED = 100
"""Records looked at to tell a format: as many may be broken at the beginning of a file."""


class Format(NamedTuple):
    """One format.

    Attributes:
        fits: whether a record looks like it.
        read: a record, its line and the reader of its tools -> a sample; raises `BadRecord`.
        read_tool: a tool's description and source -> the tool; raises `Unfit`.
        write: a sample -> a record.
    """

    fits: Callable[[dict[str, Any]], bool]
    read: Callable[[dict[str, Any], int, ToolReader], Trajectory]
    read_tool: Callable[[Any, str], Tool]
    write: Callable[[Trajectory], dict[str, Any]]


FORMATS = {
    "xlam-60k": Format(xlam_60k.fits, xlam_60k.read, from_xlam, xlam_60k.write),
    "openai": Format(openai_messages.fits, openai_messages.read, from_openai, openai_messages.write),
    "dataset": Format(dataset.fits, dataset.read, from_openai, dataset.write),
}
"""Name of a format -> how it is read and written; the first that fits a record is taken."""


def format_of(path: Path) -> str:
    """Which format a file or folder holds, told by its first records.

    Raises:
        InputError: no such file, or none of the formats.
    """
    for file in input_files(path):
        for record in islice(read_records(file), SNIFFED):
            if isinstance(record, Record) and isinstance(record.value, dict):
                for name, known in FORMATS.items():
                    if known.fits(record.value):
                        return name
    raise InputError(f"{path}: none of its first records is of a known format; name one: {', '.join(FORMATS)}")


def input_files(path: Path) -> list[Path]:
    """The files to read: the shards of a dataset folder, or the one file.

    Raises:
        InputError: no such file, or one that holds something else.
    """
    if path.is_dir():
        return shard_paths(path)
    if not path.exists():
        raise InputError(f"{path}: no such file; check the path")
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: expected a file of the suffix {', '.join(SUFFIXES)}, or a dataset folder")
    return [path]


def read_samples(path: Path, name: str) -> Iterator[GoodLine | BadLine]:
    """The samples of a file or folder, in order, and in their place what cannot be read.

    Args:
        path: JSON lines, one JSON list, or a dataset folder.
        name: of the format, one of `FORMATS`.

    Raises:
        InputError: an unknown format, or a file that cannot be opened.
    """
    if name not in FORMATS:
        raise InputError(f"unknown format '{name}'; {nearest(name, FORMATS)}")
    known = FORMATS[name]
    for file in input_files(path):
        tools = ToolReader(known.read_tool, f"json:{file.name}")
        for record in read_records(file):
            yield record if isinstance(record, BadLine) else _sample(record, known, tools)


def _sample(record: Record, known: Format, tools: ToolReader) -> GoodLine | BadLine:
    path, line, size, value = record
    if not isinstance(value, dict):
        return BadLine(path, line, "not_an_object", f"expected an object, got {type(value).__name__}")
    try:
        return GoodLine(path, line, size, known.read(value, line, tools))
    except BadRecord as error:
        return BadLine(path, line, error.reason, error.detail)
