"""Windows: stretches of a dataset's shards that are read, tokenized and packed together.

A dataset is one long file in the mind, shard after shard, cut into equal stretches of bytes; a line belongs to
the stretch in which it begins. So the cuts need no index, and reading starts at once in a dataset of any size.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from data_pipeline.core.dataset import shard_paths
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import parse_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Line:
    """One line of a shard, by the byte at which it begins."""

    path: Path
    offset: int
    data: bytes

    @property
    def where(self) -> str:
        """`file:line`; counted when asked, because only a mistake asks."""
        with self.path.open("rb") as stream:
            number = stream.read(self.offset).count(b"\n") + 1
        return f"{self.path}:{number}"

    def row(self) -> dict[str, Any]:
        """What stands in the line.

        Raises:
            InputError: no JSON object.
        """
        try:
            return parse_line(self.data.decode(), "")
        except (InputError, UnicodeDecodeError):
            return parse_line(self.data.decode(errors="replace"), self.where)


@dataclass(frozen=True)
class Span:
    """The lines of a file that begin in the bytes from `start` up to `stop`."""

    path: Path
    start: int
    stop: int

    def lines(self) -> Iterator[Line]:
        """In order.

        Raises:
            InputError: the file cannot be read.
        """
        try:
            stream = self.path.open("rb")
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror}); check the path") from error
        with stream:
            if self.start:  # a line that begins before the span is not its own
                stream.seek(self.start - 1)
                stream.readline()
            while (offset := stream.tell()) < self.stop and (data := stream.readline()):
                yield Line(self.path, offset, data)


@dataclass(frozen=True)
class Window:
    """What is packed together, in one or several files.

    Attributes:
        spans: in the order of the shards.
        share: part of the dataset's bytes.
    """

    spans: tuple[Span, ...]
    share: float

    def lines(self) -> Iterator[Line]:
        """The samples, one a line."""
        for span in self.spans:
            yield from span.lines()


def cut_windows(folder: Path, megabytes: float) -> list[Window]:
    """The windows of a dataset folder, in order, of about `megabytes` each.

    Raises:
        InputError: no shards in the folder, or nothing in the shards.
    """
    sizes = [(path, path.stat().st_size) for path in shard_paths(folder)]
    total = sum(size for _, size in sizes)
    if not total:
        raise InputError(f"data.path: '{folder}' holds no samples; loosen the data recipe")
    count = max(1, round(total / (megabytes * MEGABYTE)))
    edges = [total * index // count for index in range(count + 1)]
    return [Window(tuple(_spans(sizes, start, stop)), (stop - start) / total) for start, stop in pairwise(edges)]


def _spans(sizes: list[tuple[Path, int]], start: int, stop: int) -> Iterator[Span]:
    """The parts of files between two positions of the one long file."""
    offset = 0
    for path, size in sizes:
        first, last = max(start - offset, 0), min(stop - offset, size)
        if first < last:
            yield Span(path, first, last)
        offset += size


def epoch_order(count: int, mixed: int, seed: int, epoch: int) -> list[list[int]]:
    """Window numbers in the order of an epoch, in groups of `mixed` whose trees are mixed with one another."""
    order = list(range(count))
    random.Random(f"{seed}/{epoch}/windows").shuffle(order)
    return [order[start : start + mixed] for start in range(0, count, mixed)]
