"""Types of a GGUF file's numbers, and the encoding of rows in them.

The kernels are libgguf's, compiled from ggml's reference code: the same bytes as llama.cpp's quantizer gives.
They release the interpreter lock, so that threads encode side by side.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import gguf
import libgguf
import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

Quantization = Literal[
    "f32",
    "f16",
    "bf16",
    "q8_0",
    "q4_0",
    "q4_1",
    "q5_0",
    "q5_1",
    "q2_k",
    "q3_k_s",
    "q3_k_m",
    "q3_k_l",
    "q4_k_s",
    "q4_k_m",
    "q5_k_s",
    "q5_k_m",
    "q6_k",
]

_File, _Kind = gguf.LlamaFileType, gguf.GGMLQuantizationType

# What the file calls itself, and the type that most of its matrices have.
FILE_TYPES = MappingProxyType(
    {
        "f32": (_File.ALL_F32, _Kind.F32),
        "f16": (_File.MOSTLY_F16, _Kind.F16),
        "bf16": (_File.MOSTLY_BF16, _Kind.BF16),
        "q8_0": (_File.MOSTLY_Q8_0, _Kind.Q8_0),
        "q4_0": (_File.MOSTLY_Q4_0, _Kind.Q4_0),
        "q4_1": (_File.MOSTLY_Q4_1, _Kind.Q4_1),
        "q5_0": (_File.MOSTLY_Q5_0, _Kind.Q5_0),
        "q5_1": (_File.MOSTLY_Q5_1, _Kind.Q5_1),
        "q2_k": (_File.MOSTLY_Q2_K, _Kind.Q2_K),
        "q3_k_s": (_File.MOSTLY_Q3_K_S, _Kind.Q3_K),
        "q3_k_m": (_File.MOSTLY_Q3_K_M, _Kind.Q3_K),
        "q3_k_l": (_File.MOSTLY_Q3_K_L, _Kind.Q3_K),
        "q4_k_s": (_File.MOSTLY_Q4_K_S, _Kind.Q4_K),
        "q4_k_m": (_File.MOSTLY_Q4_K_M, _Kind.Q4_K),
        "q5_k_s": (_File.MOSTLY_Q5_K_S, _Kind.Q5_K),
        "q5_k_m": (_File.MOSTLY_Q5_K_M, _Kind.Q5_K),
        "q6_k": (_File.MOSTLY_Q6_K, _Kind.Q6_K),
    }
)


def block_values(kind: gguf.GGMLQuantizationType) -> int:
    """Numbers that share a scale: a row's length must be a multiple of it."""
    return int(gguf.GGML_QUANT_SIZES[kind][0])


def row_bytes(kind: gguf.GGMLQuantizationType, columns: int) -> int:
    """Bytes of a row of `columns` numbers."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    return columns // int(block) * int(size)


def encode_rows(
    values: NDArray[Any], kind: gguf.GGMLQuantizationType, importance: NDArray[np.float32] | None = None
) -> NDArray[Any]:
    """Rows in a type of the file.

    Args:
        values: finite numbers, F16 or F32, [rows, columns].
        kind: the type; `columns` is a multiple of its block.
        importance: weight of each column's error, [columns]; the types F32, F16, BF16 and Q8_0 have no use for it.

    Returns:
        An array whose bytes are those of the file, rows one after the other.
    """
    stored = {_Kind.F32: np.float32, _Kind.F16: np.float16}.get(kind)
    if stored is not None and values.dtype == stored:
        return np.ascontiguousarray(values)
    if kind in (_Kind.F16, _Kind.BF16):
        # The same rounding as libgguf's, in a quarter of its time.
        halves = torch.from_numpy(values).to(torch.float16 if kind == _Kind.F16 else torch.bfloat16)
        bits: NDArray[Any] = halves.view(torch.int16).numpy()
        return bits
    encoded: NDArray[Any] = libgguf.quantize_rows(values, int(kind), importance)
    return encoded
