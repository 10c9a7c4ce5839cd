"""A Hugging Face folder as one GGUF file for llama.cpp, tensor by tensor.

The tensors are those of llama.cpp's own converter, bit for bit: names from gguf's map, query and key rows
permuted to llama.cpp's rotary layout, experts stacked, vectors kept in F32, matrices in the wanted type.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gguf

from data_pipeline.core.errors import InputError, nearest
from xlam_train.export.files import whole_file
from xlam_train.export.gguf_write import PlannedTensor, plan_tensors, write_tensors
from xlam_train.export.metadata import add_description
from xlam_train.export.mixes import Model
from xlam_train.export.quants import FILE_TYPES
from xlam_train.export.quants import Quantization as Quantization  # part of this interface
from xlam_train.export.shape import ModelShape, read_config
from xlam_train.export.tensors import read_tensors
from xlam_train.export.vocab import Vocabulary, read_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from xlam_train.export.importance import Importance

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


def write_gguf(
    model_dir: Path,
    out: Path,
    quantization: Quantization,
    *,
    name: str | None = None,
    importance: Importance | None = None,
    threads: int | None = None,
) -> GgufReport:
    """Export a merged model; slices of its tensors are in memory, a few for each thread.

    Args:
        model_dir: folder with config.json, safetensors weights and a tokenizer, byte-level BPE or SentencePiece.
        out: the file to make; it appears whole or not at all, an older one stays until then.
        quantization: type of the matrices, or mix of types; rows of an odd length get the type llama.cpp gives them.
        name: `general.name`, by default that of the model card, else the folder's.
        importance: of the columns of each matrix, for types of 6 bits and less.
        threads: that read and encode, by default one for each CPU this process may use.

    Raises:
        InputError: the folder is not such a model, the values do not fit the type, the importance is another
            model's, or the disk is full.
    """
    started = time.perf_counter()
    if quantization not in FILE_TYPES:
        raise InputError(f"unknown quantization '{quantization}': {nearest(quantization, FILE_TYPES)}")
    config = read_config(model_dir)
    shape = ModelShape.from_config(config, model_dir)
    sources = read_tensors(model_dir, shape)
    mix = Model(shape.layers, shape.heads, shape.kv_heads, shape.experts, shape.tied, importance is not None)
    plan = plan_tensors(sources, quantization, mix, importance)
    vocabulary = read_vocabulary(model_dir, config)
    writer = gguf.GGUFWriter(None, arch=shape.architecture.name)
    writer.add_type(gguf.GGUFType.MODEL)
    add_description(writer, model_dir, sources, name)
    writer.add_file_type(FILE_TYPES[quantization][0])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    shape.add_to(writer)
    vocabulary.add_to(writer)
    if importance is not None:
        importance.add_to(writer)
    with whole_file(out, sum(tensor.bytes for tensor in plan) + _METADATA_BYTES) as temporary:
        write_tensors(writer, temporary, plan, model_dir, threads)
    return _report(out, plan, vocabulary, started)


def _report(out: Path, plan: list[PlannedTensor], vocabulary: Vocabulary, started: float) -> GgufReport:
    seconds = time.perf_counter() - started
    return GgufReport(out, out.stat().st_size, len(plan), vocabulary.pre_tokenizer, seconds)
