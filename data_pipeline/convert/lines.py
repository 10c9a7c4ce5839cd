"""The records of a file, one at a time, whatever is in it: JSON lines, or one JSON list.

Memory stays bounded: of a record longer than `MAX_BYTES` no more than that is held, the rest is skipped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Trajectory
from data_pipeline.core.strict_json import JSON_REASONS, BadRecord, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 1 << 20
"""Longest record read, in bytes; those of the published dataset have 2,000 on average."""
_CHUNK = 1 << 16
_BOM = b"\xef\xbb\xbf"

CONVERT_REASONS = {
    **JSON_REASONS,
    "not_utf8": "the bytes are not UTF-8",
    "too_long": f"the record has more than {MAX_BYTES:,} bytes",
    "not_an_object": "the record is no JSON object",
    "missing_field": "the record lacks a field of its format",
    "wrong_type": "a field has another type than its format says",
    "bad_tool": "a tool's description cannot be read",
    "bad_call": "a call is not a name with arguments",
    "not_single_turn": "the conversation is not one message of the user with one answer",
    "bad_sample": "a field of a dataset row holds what it should not",
}
"""Reason codes of `BadLine`, each with its meaning."""


class Record(NamedTuple):
    """One JSON value of a file.

    Attributes:
        path: of the file.
        line: where it begins, counted from 1.
        size: its length in bytes.
        value: parsed.
    """

    path: Path
    line: int
    size: int
    value: Any


class BadLine(NamedTuple):
    """A record that is not to be read, and why; see `CONVERT_REASONS`."""

    path: Path
    line: int
    reason: str
    detail: str


class GoodLine(NamedTuple):
    """A sample, where it stood, and how long it was in bytes."""

    path: Path
    line: int
    size: int
    sample: Trajectory


def read_records(path: Path) -> Iterator[Record | BadLine]:
    """The records of a file, in order, each parsed or refused; blank lines are passed over.

    A file of the suffix .json that begins with '[' is one list whose items are the records; anything else holds
    one record a line.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    with stream:
        is_list = path.suffix == ".json" and stream.read(_CHUNK).removeprefix(_BOM).lstrip()[:1] == b"["
        stream.seek(0)
        for line, raw in list_items(stream) if is_list else lines(stream):
            if isinstance(raw, BadRecord):
                yield BadLine(path, line, raw.reason, raw.detail)
            elif raw.strip():
                yield _parsed(path, line, raw)


def _parsed(path: Path, line: int, raw: bytes) -> Record | BadLine:
    try:
        return Record(path, line, len(raw), parse(raw.decode().rstrip()))
    except UnicodeDecodeError as error:
        return BadLine(path, line, "not_utf8", f"byte 0x{raw[error.start]:02x} at {error.start + 1} is not UTF-8")
    except BadRecord as error:
        return BadLine(path, line, error.reason, error.detail)


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | BadRecord]]:
    """(line number, its bytes), or why they are not to be had."""
    number = 0
    while raw := stream.readline(MAX_BYTES + 1):
        number += 1
        if number == 1:
            raw = raw.removeprefix(_BOM)
        if len(raw) <= MAX_BYTES:
            yield number, raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = stream.readline(MAX_BYTES)
        yield number, _too_long()


def _too_long() -> BadRecord:
    return BadRecord("too_long", f"more than {MAX_BYTES:,} bytes")


# Within text only its end and escapes count; outside, what opens, closes and separates.
_IN_TEXT = re.compile(rb'["\\]')
_OUTSIDE = re.compile(rb'["\[\]{},]')


class _Splitter:
    """Finds where the items of a list end, fed with chunks; it counts brackets and leaves the rest to the parser."""

    def __init__(self) -> None:
        self.begun = False
        self._depth = 0
        self._in_text = False
        self._skip = 0

    @property
    def awaits_item(self) -> bool:
        """Whether the list goes on here, and not an item within it."""
        return self._depth == 1 and not self._in_text

    def ends(self, chunk: bytes) -> Iterator[int]:
        """Positions within the chunk of what ends an item: a separator, or the end of the list."""
        self.begun = True
        position, self._skip = self._skip, 0
        while found := (_IN_TEXT if self._in_text else _OUTSIDE).search(chunk, position):
            position = found.end()
            sign = found[0]
            if sign == b"\\":
                # The escaped byte may be the next chunk's first.
                self._skip = int(position == len(chunk))
                position += 1
            elif sign == b'"':
                self._in_text = not self._in_text
            elif sign in b"[{":
                self._depth += 1
            elif sign in b"]}":
                self._depth -= 1
                if self._depth == 0:
                    yield found.start()
            elif self._depth == 1:
                yield found.start()


def list_items(stream: BinaryIO) -> Iterator[tuple[int, bytes | BadRecord]]:
    """(line it begins on, its bytes) of the items of a JSON list, or why they are not to be had.

    Brackets are believed: an item that lacks one takes those after it with it, and what stands behind the end of the
    list is one item more, which the parser will refuse.
    """
    splitter, item = _Splitter(), _Item()
    for chunk in iter(lambda: stream.read(_CHUNK), b""):
        begin = 0
        if not splitter.begun:
            begin = chunk.index(b"[") + 1
            item.line += chunk.count(b"\n", 0, begin)
        for end in splitter.ends(chunk):
            item.add(chunk[begin:end])
            yield from item.finish()
            begin = end + 1
        item.add(chunk[begin:])
    yield from item.finish()
    if splitter.awaits_item:
        yield item.line, BadRecord("not_json", "the list does not end: the file was cut off")


class _Item:
    """The bytes of the item being read."""

    def __init__(self) -> None:
        self.line = 1
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, part: bytes) -> None:
        self._size += len(part)
        self._parts.append(part if self._size <= MAX_BYTES else b"\n" * part.count(b"\n"))

    def finish(self) -> Iterator[tuple[int, bytes | BadRecord]]:
        """The item, if it is more than blanks, and the next one begins."""
        raw = b"".join(self._parts)
        content = raw.strip()
        first = self.line + raw[: len(raw) - len(raw.lstrip())].count(b"\n")
        if self._size > MAX_BYTES:
            yield first, _too_long()
        elif content:
            yield first, content
        self.line += raw.count(b"\n")
        self._parts, self._size = [], 0
