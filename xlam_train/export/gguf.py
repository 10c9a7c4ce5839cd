"""A Hugging Face folder as one GGUF file for llama.cpp, tensor by tensor.

The tensors are those of llama.cpp's own converter, bit for bit: names from gguf's map, query and key rows
permuted to llama.cpp's rotary layout, vectors kept in F32, matrices in the wanted type.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import gguf
import numpy as np

from data_pipeline.core.errors import InputError, nearest
from xlam_train.export.files import whole_file
from xlam_train.export.llama import LlamaShape, read_config
from xlam_train.export.vocab import Vocabulary, read_vocabulary
from xlam_train.export.weights import locate_tensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from xlam_train.export.weights import StoredTensor

Quantization = Literal["f32", "f16", "bf16", "q8_0"]

_TYPES = MappingProxyType(
    {
        "f32": (gguf.LlamaFileType.ALL_F32, gguf.GGMLQuantizationType.F32),
        "f16": (gguf.LlamaFileType.MOSTLY_F16, gguf.GGMLQuantizationType.F16),
        "bf16": (gguf.LlamaFileType.MOSTLY_BF16, gguf.GGMLQuantizationType.BF16),
        "q8_0": (gguf.LlamaFileType.MOSTLY_Q8_0, gguf.GGMLQuantizationType.Q8_0),
    }
)
_F16_MAX = 65504.0
_METADATA_BYTES = 16_000_000  # generous: tokens and merges of a 250,000-token vocabulary


@dataclass(frozen=True)
class GgufReport:
    """What was written.

    Attributes:
        path: the file.
        bytes: its size.
        tensors: number of tensors in it.
        pre_tokenizer: the word-splitting rules llama.cpp will use.
        seconds: wall time of the export.
    """

    path: Path
    bytes: int
    tensors: int
    pre_tokenizer: str
    seconds: float


@dataclass(frozen=True)
class _Planned:
    """One tensor of the file: `load` gives its values, F32 or F16, in `shape` (rows first)."""

    name: str
    shape: tuple[int, ...]
    kind: gguf.GGMLQuantizationType
    load: Callable[[], NDArray[Any]]

    @property
    def bytes(self) -> int:
        block, size = gguf.GGML_QUANT_SIZES[self.kind]
        return math.prod(self.shape) // int(block) * int(size)


def write_gguf(model_dir: Path, out: Path, quantization: Quantization, *, name: str | None = None) -> GgufReport:
    """Export a merged model; one tensor is in memory at a time.

    Args:
        model_dir: folder with config.json, safetensors weights and a byte-level BPE tokenizer.
        out: the file to make; it appears whole or not at all, an older one stays until then.
        quantization: type of the matrices; rows not divisible by 32 become F16 under "q8_0".
        name: `general.name`, by default the folder's name.

    Raises:
        InputError: the folder is not such a model, the values do not fit the type, or the disk is full.
    """
    started = time.perf_counter()
    if quantization not in _TYPES:
        raise InputError(f"unknown quantization '{quantization}': {nearest(quantization, _TYPES)}")
    config = read_config(model_dir)
    shape = LlamaShape.from_config(config, model_dir)
    plan = _plan(model_dir, shape, _TYPES[quantization][1])
    vocabulary = read_vocabulary(model_dir, config)
    writer = gguf.GGUFWriter(None, arch="llama")
    _add_metadata(writer, shape, _TYPES[quantization][0], name or model_dir.resolve().name)
    vocabulary.add_to(writer)
    with whole_file(out, sum(tensor.bytes for tensor in plan) + _METADATA_BYTES) as temporary:
        _write(writer, temporary, plan, model_dir)
    return _report(out, plan, vocabulary, started)


def _report(out: Path, plan: list[_Planned], vocabulary: Vocabulary, started: float) -> GgufReport:
    seconds = time.perf_counter() - started
    return GgufReport(out, out.stat().st_size, len(plan), vocabulary.pre_tokenizer, seconds)


def _add_metadata(writer: gguf.GGUFWriter, shape: LlamaShape, file_type: gguf.LlamaFileType, name: str) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_dim)
    writer.add_value_length(shape.head_dim)
    writer.add_layer_norm_rms_eps(shape.rms_eps)
    writer.add_vocab_size(shape.vocab)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_rope_freq_base(shape.rope.theta)
    if shape.rope.kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(shape.rope.factor)


def _plan(model_dir: Path, shape: LlamaShape, kind: gguf.GGMLQuantizationType) -> list[_Planned]:
    """Every tensor of the file in the order it is written.

    Raises:
        InputError: a tensor is missing, has another shape than config.json says, or is not a Llama's.
    """
    stored = locate_tensors(model_dir)
    if shape.tied:
        stored.pop("lm_head.weight", None)
    _check_tensors(stored, shape, model_dir)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, shape.layers)
    plan = []
    if (factors := shape.rope_factors()) is not None:
        plan.append(_Planned("rope_freqs.weight", factors.shape, gguf.GGMLQuantizationType.F32, lambda: factors))
    for tensor in stored.values():
        name = names.get_name(tensor.name, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise InputError(f"{model_dir}: {tensor.name} is no tensor of a Llama model; merge adapters first")
        load = partial(_load, tensor, _rotary_heads(tensor.name, shape))
        plan.append(_Planned(name, tensor.shape, _kind_of(name, tensor.shape, kind), load))
    return plan


def _check_tensors(stored: dict[str, StoredTensor], shape: LlamaShape, model_dir: Path) -> None:
    for name, expected in shape.expected_tensors().items():
        if name not in stored:
            raise InputError(f"{model_dir}: the weights have no {name}; save the whole model again")
        if stored[name].shape != expected:
            raise InputError(
                f"{model_dir}: {name} is {stored[name].shape}, config.json says {expected}; use the files of one model"
            )


def _kind_of(name: str, shape: tuple[int, ...], wanted: gguf.GGMLQuantizationType) -> gguf.GGMLQuantizationType:
    """llama.cpp wants vectors and norms in F32, and its converter falls back to F16 for odd row lengths."""
    if len(shape) < 2 or name.endswith("_norm.weight"):
        return gguf.GGMLQuantizationType.F32
    block = gguf.GGML_QUANT_SIZES[wanted][0]
    return wanted if shape[-1] % block == 0 else gguf.GGMLQuantizationType.F16


def _rotary_heads(name: str, shape: LlamaShape) -> int:
    """Heads of a tensor whose rows rotary embedding pairs up; 0 for all others."""
    if ".q_proj." in name:
        return shape.heads
    return shape.kv_heads if ".k_proj." in name else 0


def _load(tensor: StoredTensor, rotary_heads: int) -> NDArray[Any]:
    """Values of a stored tensor; bfloat16 is widened, for numpy has no such type."""
    values = tensor.read()
    return permute_rotary(values, rotary_heads) if rotary_heads else values


def permute_rotary(values: NDArray[Any], heads: int) -> NDArray[Any]:
    """Reorder the rows of each head from half-split to interleaved pairs.

    transformers rotates row i with row i + d/2, llama.cpp row 2i with row 2i + 1.

    Args:
        values: weight [heads * d, in] or bias [heads * d].
        heads: number of heads in it.

    Returns:
        The same shape, rows reordered within each head.
    """
    half = values.shape[0] // heads // 2
    pairs = values.reshape(heads, 2, half, *values.shape[1:])
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(values.shape))


def _write(writer: gguf.GGUFWriter, path: Path, plan: list[_Planned], model_dir: Path) -> None:
    for tensor in plan:
        writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), tensor.bytes, tensor.kind)
    try:
        writer.write_header_to_file(path)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        stream = writer.fout[0]
        writer.write_padding(stream, stream.tell())
        for tensor in plan:
            # Not ndarray.tofile: its error for a full disk carries no errno.
            stream.write(_encode(tensor, model_dir).data)
            writer.write_padding(stream, tensor.bytes)
        stream.flush()
        os.fsync(stream.fileno())
    finally:
        writer.close()


def _encode(tensor: _Planned, model_dir: Path) -> NDArray[Any]:
    """Values in the file's type.

    Raises:
        InputError: NaN or infinite values, or values too large for F16.
    """
    values = tensor.load()
    largest = float(np.maximum(values.max(initial=0), -values.min(initial=0)))  # abs() would copy the tensor
    if not math.isfinite(largest):
        raise InputError(f"{model_dir}: {tensor.name} has NaN or infinite values; export an earlier checkpoint")
    if tensor.kind == gguf.GGMLQuantizationType.F16 and largest > _F16_MAX:
        raise InputError(f"{model_dir}: {tensor.name} has values beyond F16 ({largest:.3g}); export as bf16 or f32")
    encoded = np.ascontiguousarray(gguf.quants.quantize(values, tensor.kind))
    if encoded.nbytes != tensor.bytes:
        raise AssertionError(f"{tensor.name}: {encoded.nbytes} bytes where {tensor.bytes} were planned")
    return encoded
