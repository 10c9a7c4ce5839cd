"""Is a GGUF file whole? Told from its header, before llama.cpp maps it.

Source: the GGUF specification, version 3 (ggml-org/ggml, docs/gguf.md).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from data_pipeline.core.errors import InputError

_VERSIONS = (2, 3)
_ALIGNMENT = "general.alignment"
_STRING, _ARRAY, _UINT32 = 8, 9, 4
_SIZES = MappingProxyType({0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8})
"""Bytes of each metadata type of fixed size."""

F32 = 0
BLOCKS = MappingProxyType(
    {
        F32: (1, 4),
        1: (1, 2),  # F16
        2: (32, 18),  # Q4_0
        3: (32, 20),  # Q4_1
        6: (32, 22),  # Q5_0
        7: (32, 24),  # Q5_1
        8: (32, 34),  # Q8_0
        10: (256, 84),  # Q2_K
        11: (256, 110),  # Q3_K
        12: (256, 144),  # Q4_K
        13: (256, 176),  # Q5_K
        14: (256, 210),  # Q6_K
        30: (1, 2),  # BF16
    }
)
"""Tensor type -> values and bytes of a block, for the types that this project writes."""

_MOST_ITEMS = 10_000_000
_MOST_TEXT = 64 << 20
_MOST_DIMENSIONS = 8


class _Broken(Exception):
    """The header says what cannot be."""


@dataclass
class _Reader:
    """Reads a header and never past the end of the file."""

    stream: BinaryIO
    size: int

    def take(self, count: int) -> bytes:
        data = self.stream.read(count)
        if len(data) < count:
            raise _Broken("it ends within its header")
        return data

    def skip(self, count: int) -> None:
        if self.stream.seek(count, 1) > self.size:
            raise _Broken("it ends within its header")

    def number(self, form: str) -> int:
        return int(struct.unpack(f"<{form}", self.take(struct.calcsize(form)))[0])

    def count(self, most: int) -> int:
        found = self.number("Q")
        if found > most:
            raise _Broken(f"its header counts {found} where {most} would be many")
        return found

    def text(self) -> bytes:
        return self.take(self.count(_MOST_TEXT))

    def skip_value(self, kind: int) -> None:
        if kind == _STRING:
            self.skip(self.count(_MOST_TEXT))
        elif kind == _ARRAY:
            inner, length = self.number("I"), self.count(_MOST_ITEMS)
            if inner in _SIZES:
                self.skip(_SIZES[inner] * length)
            else:
                for _ in range(length):
                    self.skip_value(inner)
        elif kind in _SIZES:
            self.skip(_SIZES[kind])
        else:
            raise _Broken(f"its header holds a value of the unknown type {kind}")


def check_gguf(path: Path) -> frozenset[int]:
    """Refuse what is no GGUF file, and one that ends before its tensors do.

    Returns:
        The types of its tensors, as in `BLOCKS`.

    Raises:
        InputError: in one line, what is wrong with the file.
    """
    try:
        with path.open("rb") as stream:
            size = path.stat().st_size
            kinds, needed = _described(_Reader(stream, size))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (_Broken, RecursionError) as error:
        raise InputError(f"{path}: no whole GGUF file: {error}; copy or export it again") from error
    if size < needed:
        raise InputError(f"{path}: cut short: {size} bytes of {needed}; copy or export it again")
    return kinds


def _described(reader: _Reader) -> tuple[frozenset[int], int]:
    """Tensor types that the header lists, and the least size in bytes of the file that it describes."""
    if reader.stream.read(4) != b"GGUF":
        raise _Broken("it does not begin with 'GGUF'")
    if (version := reader.number("I")) not in _VERSIONS:
        raise _Broken(f"version {version} is not one of {_VERSIONS}")
    tensors, values = reader.count(_MOST_ITEMS), reader.count(_MOST_ITEMS)
    alignment = 32
    for _ in range(values):
        key, kind = reader.text(), reader.number("I")
        if key == _ALIGNMENT.encode() and kind == _UINT32:
            alignment = max(1, reader.number("I"))
        else:
            reader.skip_value(kind)
    listed = [_tensor(reader) for _ in range(tensors)]
    header = reader.stream.tell()
    end = max((end for _, end in listed), default=0)
    needed = math.ceil(header / alignment) * alignment + end if tensors else header
    return frozenset(kind for kind, _ in listed), needed


def _tensor(reader: _Reader) -> tuple[int, int]:
    """A tensor's type, and where it ends within the data; where it begins if this project does not know the type."""
    reader.skip(reader.count(_MOST_TEXT))
    if (dimensions := reader.number("I")) > _MOST_DIMENSIONS:
        raise _Broken(f"a tensor has {dimensions} dimensions")
    values = math.prod(reader.number("Q") for _ in range(dimensions))
    kind, offset = reader.number("I"), reader.number("Q")
    block, size = BLOCKS.get(kind, (1, 0))
    return kind, offset + values // block * size
