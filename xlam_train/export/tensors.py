"""A model's tensors as llama.cpp wants them: its names, rotary rows interleaved, a layer's experts as one tensor."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

from data_pipeline.core.errors import InputError
from xlam_train.export.weights import locate_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from xlam_train.export.shape import ModelShape
    from xlam_train.export.weights import StoredTensor

# Experts lie in files one by one (Mixtral as published) or fused (as transformers 5 has them in memory).
_EXPERT = re.compile(r"model\.layers\.\d+\.(block_sparse_moe\.experts\.\d+\.w[123]\.weight|mlp\.experts\..*)")


@dataclass(frozen=True)
class TensorSource:
    """One tensor of a GGUF file, seen as a matrix [rows, columns]; a vector is one row, experts follow one another.

    Attributes:
        name: in the file.
        shape: rows first, as in transformers; [experts, rows, columns] for experts.
        read: `read(start, stop)` gives these rows' numbers, F32 or F16, [stop - start, columns].
        step: `start` must be a multiple of this; the rows of a head where heads are reordered.
    """

    name: str
    shape: tuple[int, ...]
    read: Callable[[int, int], NDArray[Any]]
    step: int = 1


@dataclass(frozen=True)
class _Matrix:
    """A matrix within a stored tensor: below `index`, from row `first` on."""

    tensor: StoredTensor
    index: tuple[int, ...] = ()
    first: int = 0

    def read(self, start: int, stop: int) -> NDArray[Any]:
        return self.tensor.read(*self.index, slice(self.first + start, self.first + stop))


def read_tensors(model_dir: Path, shape: ModelShape) -> list[TensorSource]:
    """Every tensor of the file, in the order it is written. Nothing but the files' headers is read yet.

    Args:
        model_dir: folder with safetensors weights.
        shape: what its config.json says.

    Raises:
        InputError: a tensor is missing, has another shape than config.json says, or is not of this architecture.
    """
    stored = locate_tensors(model_dir)
    if shape.tied:
        stored.pop("lm_head.weight", None)
    experts = {name: stored.pop(name) for name in list(stored) if shape.experts and _EXPERT.fullmatch(name)}
    stored = {_router(name): tensor for name, tensor in stored.items()}
    _check(stored, _with_router(shape), model_dir)
    sources = []
    if (factors := shape.rope.factors(shape.head_dim)) is not None:
        sources.append(TensorSource("rope_freqs.weight", factors.shape, lambda _start, _stop: factors[None]))
    names = gguf.get_tensor_name_map(shape.architecture.gguf, shape.layers)
    for name, tensor in stored.items():
        sources.append(_source(names, name, tensor, shape, model_dir))
    sources.extend(_expert_sources(experts, shape, model_dir))
    return sources


def _router(name: str) -> str:
    """Name of a tensor with the published one of Mixtral's router, which transformers 5 calls otherwise."""
    return re.sub(r"\.mlp\.gate\.weight$", ".block_sparse_moe.gate.weight", name)


def _with_router(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    routers = {
        f"model.layers.{layer}.block_sparse_moe.gate.weight": (shape.experts, shape.hidden)
        for layer in range(shape.layers if shape.experts else 0)
    }
    return shape.expected_tensors() | routers


def _check(stored: dict[str, StoredTensor], expected: dict[str, tuple[int, ...]], model_dir: Path) -> None:
    for name, wanted in expected.items():
        if name not in stored:
            raise InputError(f"{model_dir}: the weights have no {name}; save the whole model again")
        if stored[name].shape != wanted:
            raise InputError(
                f"{model_dir}: {name} is {stored[name].shape}, config.json says {wanted}; use the files of one model"
            )


def _source(
    names: gguf.TensorNameMap, name: str, tensor: StoredTensor, shape: ModelShape, model_dir: Path
) -> TensorSource:
    found = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if found is None:
        kind = shape.architecture.name
        raise InputError(f"{model_dir}: {name} is no tensor of a {kind} model; merge adapters first")
    rotary = shape.architecture.interleaved and re.search(r"\.[qk]_proj\.", name)
    head_rows = shape.head_dim if rotary else 0
    if len(tensor.shape) == 1:
        return TensorSource(found, tensor.shape, partial(_read_vector, tensor, head_rows))
    return TensorSource(found, tensor.shape, partial(_read_rows, tensor, head_rows), head_rows or 1)


def _read_vector(tensor: StoredTensor, head_rows: int, _start: int, _stop: int) -> NDArray[Any]:
    values = tensor.read()
    return (interleave_rotary(values, head_rows) if head_rows else values)[None]


def _read_rows(tensor: StoredTensor, head_rows: int, start: int, stop: int) -> NDArray[Any]:
    values = tensor.read(slice(start, stop))
    return interleave_rotary(values, head_rows) if head_rows else values


def interleave_rotary(values: NDArray[Any], head_rows: int) -> NDArray[Any]:
    """Reorder the rows of each head from half-split to interleaved pairs.

    transformers rotates row i with row i + d/2, llama.cpp's llama row 2i with row 2i + 1.

    Args:
        values: weight [heads * d, in] or bias [heads * d], whole heads.
        head_rows: d.

    Returns:
        The same shape, rows reordered within each head.
    """
    pairs = values.reshape(-1, 2, head_rows // 2, *values.shape[1:])
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(values.shape))


def _expert_sources(experts: dict[str, StoredTensor], shape: ModelShape, model_dir: Path) -> Iterator[TensorSource]:
    """The experts of each layer, stacked: gate, up and down."""
    wide, narrow = (shape.feed_forward, shape.hidden), (shape.hidden, shape.feed_forward)
    sizes = {"gate": wide, "up": wide, "down": narrow}
    for layer in range(shape.layers if shape.experts else 0):
        for role, size in sizes.items():
            parts = _parts(experts, f"model.layers.{layer}", role, shape, model_dir)
            read = partial(_read_stacked, parts, size[0])
            yield TensorSource(f"blk.{layer}.ffn_{role}_exps.weight", (shape.experts, *size), read)


def _parts(
    experts: dict[str, StoredTensor], layer: str, role: str, shape: ModelShape, model_dir: Path
) -> list[_Matrix]:
    """Where one matrix of each expert of a layer lies."""
    wide, narrow = (shape.feed_forward, shape.hidden), (shape.hidden, shape.feed_forward)
    fused = f"{layer}.mlp.experts.{'down_proj' if role == 'down' else 'gate_up_proj'}"
    if fused in experts:
        rows, columns = narrow if role == "down" else (2 * wide[0], wide[1])
        _check(experts, {fused: (shape.experts, rows, columns)}, model_dir)
        first = wide[0] if role == "up" else 0  # gate rows lie above up rows
        return [_Matrix(experts[fused], (expert,), first) for expert in range(shape.experts)]
    single = {"gate": "w1", "down": "w2", "up": "w3"}[role]
    names = [f"{layer}.block_sparse_moe.experts.{expert}.{single}.weight" for expert in range(shape.experts)]
    _check(experts, dict.fromkeys(names, narrow if role == "down" else wide), model_dir)
    return [_Matrix(experts[name]) for name in names]


def _read_stacked(parts: list[_Matrix], rows: int, start: int, stop: int) -> NDArray[Any]:
    """Rows [start, stop) of matrices of `rows` rows each, one below the other."""
    found = []
    for number in range(start // rows, math.ceil(stop / rows)):
        above = number * rows
        found.append(parts[number].read(max(start - above, 0), min(stop - above, rows)))
    return found[0] if len(found) == 1 else np.concatenate(found)
