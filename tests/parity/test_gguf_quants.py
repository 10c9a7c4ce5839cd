"""Quantized rows against llama.cpp: its kernels, which the package xllamacpp exports, and its reading of our files."""

from __future__ import annotations

import ctypes
import importlib.util
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import pytest
import torch
from llama_server import LlamaServer
from tiny_bases import save_base
from transformers import AutoModelForCausalLM

from xlam_train.export.gguf import write_gguf
from xlam_train.export.gguf_write import plan_tensors, write_tensors
from xlam_train.export.importance import collect_importance
from xlam_train.export.mixes import Model
from xlam_train.export.quants import FILE_TYPES, encode_rows, row_bytes
from xlam_train.export.shape import ModelShape, read_config
from xlam_train.export.tensors import read_tensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from xlam_train.export.importance import Importance
    from xlam_train.export.quants import Quantization

    Quantize = Callable[[NDArray[np.float32], gguf.GGMLQuantizationType, NDArray[np.float32] | None], bytes]

KINDS = sorted({kind for _, kind in FILE_TYPES.values()} - {gguf.GGMLQuantizationType.F32})


@pytest.fixture(scope="module")
def llama_cpp_quantize() -> Quantize:
    """ggml_quantize_chunk of the llama.cpp inside xllamacpp, what llama.cpp's quantizer calls for every tensor."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("needs the package xllamacpp")
    from xllamacpp import xllamacpp

    chunk = ctypes.CDLL(xllamacpp.__file__).ggml_quantize_chunk
    chunk.restype = ctypes.c_size_t
    chunk.argtypes = [ctypes.c_int, *2 * [ctypes.c_void_p], *3 * [ctypes.c_int64], ctypes.c_void_p]

    def quantize(
        values: NDArray[np.float32], kind: gguf.GGMLQuantizationType, importance: NDArray[np.float32] | None
    ) -> bytes:
        rows, columns = values.shape
        out = np.zeros(rows * row_bytes(kind, columns), np.uint8)
        weights = None if importance is None else importance.ctypes.data
        written = chunk(int(kind), values.ctypes.data, out.ctypes.data, 0, rows, columns, weights)
        assert written == out.nbytes
        return out.tobytes()

    return quantize


def hard_rows() -> NDArray[np.float32]:
    """Weights as models have them, and rows with zeros, ties, outliers, equal, tiny and huge numbers."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.05, (64, 1024)).astype(np.float32)
    values[1] = 0
    values[2, :300] = 0
    values[3] = 1e-30
    values[4] *= 1e4
    values[5] = np.round(values[5] * 100)
    values[6] = -0.0
    values[7] = 0.03
    values[8, ::97] = 50
    values[9] = np.abs(values[9])
    values[10] = -np.abs(values[10]) - 1
    values[11:20] = rng.standard_t(2, (9, 1024)) * 0.02
    values[20:30] = values[20:30].astype(np.float16)
    return values


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_have_the_bytes_of_llama_cpps_kernels(
    llama_cpp_quantize: Quantize, kind: gguf.GGMLQuantizationType, weighted: bool
) -> None:
    values = hard_rows()
    importance = np.random.default_rng(1).lognormal(0, 2, values.shape[1]).astype(np.float32) if weighted else None
    assert encode_rows(values, kind, importance).tobytes() == llama_cpp_quantize(values, kind, importance)


# ---- whole files

SIZES = {"hidden_size": 256, "intermediate_size": 320, "num_hidden_layers": 4}
QUANTIZATIONS: tuple[Quantization, ...] = ("q8_0", "q5_k_m", "q3_k_m")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("q2_k", {"Q2_K", "Q3_K", "Q4_0", "Q6_K"}),
        ("q4_k_m", {"Q4_K", "Q5_0", "Q6_K", "Q8_0"}),
        ("q5_k_m", {"Q5_K", "Q5_1", "Q6_K", "Q8_0"}),
    ],
)
def test_every_matrix_of_a_file_is_what_llama_cpp_makes_of_the_weights(
    tiny_base: Path, tmp_path: Path, llama_cpp_quantize: Quantize, name: Any, expected: set[str]
) -> None:
    """The second matrix of the MLP has rows without whole blocks of 256."""
    folder = save_base(tmp_path / "model", tiny_base, **SIZES)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    importance = collect_importance(model, [list(range(100, 160))], "numbers")
    full = write(folder, tmp_path / "f32.gguf", "f32")
    for weights in (None, importance):
        made = write(folder, tmp_path / "made.gguf", name, weights)
        assert set(made) == set(full)
        assert {tensor.tensor_type.name for tensor in made.values()} == expected | {"F32"}
        for tensor in made.values():
            values = np.ascontiguousarray(full[tensor.name].data)
            if values.ndim == 1:
                assert tensor.data.tobytes() == values.tobytes()
                continue
            columns = None if weights is None else weights.of(tensor.name, values.shape)
            wanted = llama_cpp_quantize(values, tensor.tensor_type, None if columns is None else columns[0])
            assert tensor.data.tobytes() == wanted, tensor.name


def write(folder: Path, out: Path, name: Any, importance: Importance | None = None) -> dict[str, Any]:
    """The tensors of a folder in a file without a vocabulary, which takes seconds to write and to read."""
    shape = ModelShape.from_config(read_config(folder), folder)
    mix = Model(shape.layers, shape.heads, shape.kv_heads, shape.experts, shape.tied, importance is not None)
    plan = plan_tensors(read_tensors(folder, shape), name, mix, importance)
    write_tensors(gguf.GGUFWriter(None, arch="llama"), out, plan, folder, threads=1)
    return {tensor.name: tensor for tensor in gguf.GGUFReader(out).tensors}


def test_llama_cpp_answers_from_quantized_files_and_errs_less_with_more_bits(smollm2_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    folder = save_base(tmp_path / "model", smollm2_dir, vocab_size=49152, tie_word_embeddings=True, **SIZES)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    prompt = list(range(500, 540))
    with torch.inference_mode():
        wanted = model(torch.tensor([prompt])).logits[0, -1].log_softmax(-1).numpy()
    errors = []
    for name in QUANTIZATIONS:
        out = write_gguf(folder, tmp_path / "m.gguf", name).path
        found = LlamaServer(out).greedy(prompt, 1, top=200)[0]
        errors.append(np.mean([abs(wanted[token] - value) for token, value in found.items()]))
    # Random weights amplify errors: far more than a trained model's.
    assert errors[0] < 0.1
    assert errors == sorted(errors)
