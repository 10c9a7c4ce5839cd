"""Safetensors shards written tensor by tensor, so that a model larger than the memory can be saved.

The format (huggingface/safetensors, "Format") is a length, a JSON header with each tensor's type, shape and place, and
the bytes. All of the header is known beforehand, so nothing but the tensor that is being written is in memory.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import torch

from data_pipeline.core.errors import CheckFailed, InputError
from data_pipeline.core.jsonl import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    TensorStream = Iterator[tuple[str, torch.Tensor]]

SHARD_SIZE = "5GB"
_TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


@dataclass(frozen=True)
class Slot:
    """A tensor that is going to be written."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def nbytes(self) -> int:
        """Bytes in the file."""
        return torch.Size(self.shape).numel() * self.dtype.itemsize


def parse_size(text: str) -> int:
    """Bytes of `500MB` or `5GB`; units are powers of ten, as in transformers.

    Raises:
        InputError: no such size.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(KB|MB|GB)", text.strip().upper())
    if found is None or float(found[1]) <= 0:
        raise InputError(f"shard size '{text}': give a number with KB, MB or GB, for example {SHARD_SIZE}")
    return int(float(found[1]) * _UNITS[found[2]])


def write_shards(folder: Path, slots: Sequence[Slot], tensors: TensorStream, max_bytes: int) -> int:
    """Write `model.safetensors`, or numbered shards and their index where one is not enough.

    Args:
        folder: exists.
        slots: of all tensors.
        tensors: the same ones, in the same order.
        max_bytes: of a shard's tensors; a larger tensor gets a shard of its own.

    Returns:
        The number of shards.

    Raises:
        CheckFailed: a value is not finite, for one because it is too large for its type.
        OSError: it cannot be written.
    """
    shards = _split(slots, max_bytes)
    names = [f"model-{number:05d}-of-{len(shards):05d}.safetensors" for number in range(1, len(shards) + 1)]
    names = names if len(shards) > 1 else ["model.safetensors"]
    for name, shard in zip(names, shards, strict=True):
        with (folder / name).open("wb") as stream:
            stream.write(_header(shard))
            for slot in shard:
                _write(stream, slot, *next(tensors))
    if len(shards) > 1:
        places = {slot.name: name for name, shard in zip(names, shards, strict=True) for slot in shard}
        size = sum(slot.nbytes for slot in slots)
        write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": places})
    return len(shards)


def _split(slots: Sequence[Slot], max_bytes: int) -> list[list[Slot]]:
    shards: list[list[Slot]] = [[]]
    filled = 0
    for slot in slots:
        if shards[-1] and filled + slot.nbytes > max_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(slot)
        filled += slot.nbytes
    return shards


def _header(slots: Sequence[Slot]) -> bytes:
    content: dict[str, object] = {"__metadata__": {"format": "pt"}}
    place = 0
    for slot in slots:
        offsets = [place, place + slot.nbytes]
        content[slot.name] = {"dtype": _TYPES[slot.dtype], "shape": list(slot.shape), "data_offsets": offsets}
        place += slot.nbytes
    text = json.dumps(content, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the tensors are aligned
    return len(text).to_bytes(8, "little") + text


def _write(stream: BinaryIO, slot: Slot, name: str, value: torch.Tensor) -> None:
    assert (name, tuple(value.shape)) == (slot.name, slot.shape), f"{name} {tuple(value.shape)}, expected {slot}"
    stored = value.to(slot.dtype)
    if not bool(torch.isfinite(stored).all()):
        kind = str(slot.dtype).removeprefix("torch.")
        reason = (
            f"too large for {kind}; take bfloat16 or float32" if bool(torch.isfinite(value).all()) else "not finite"
        )
        raise CheckFailed(f"{name}: a weight is {reason}; nothing was saved")
    stream.write(stored.contiguous().reshape(-1).view(torch.uint8).numpy().data)
