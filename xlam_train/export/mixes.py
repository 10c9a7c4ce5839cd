"""Which type each tensor gets: llama.cpp's mixes, where the tensors that matter most have more bits.

The rules are those of llama.cpp's quantizer (src/llama-quant.cpp) for Llama- and Qwen2-type models; what a row's
length forbids follows llama.cpp's quantizer for the K-quants and its converter for the other types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import gguf

from xlam_train.export.quants import FILE_TYPES, block_values

if TYPE_CHECKING:
    from xlam_train.export.quants import Quantization

Role = Literal["output", "embedding", "value", "key", "attention_output", "down", "other"]

_Kind = gguf.GGMLQuantizationType
_PLAIN = (_Kind.F32, _Kind.F16, _Kind.BF16)
_ENDINGS: MappingProxyType[str, Role] = MappingProxyType(
    {
        "output.weight": "output",
        "token_embd.weight": "embedding",
        "attn_v.weight": "value",
        "attn_k.weight": "key",
        "attn_output.weight": "attention_output",
        "ffn_down.weight": "down",
        "ffn_down_exps.weight": "down",
    }
)
# Where rows are no multiple of 256 numbers, a type with blocks of 32 takes over.
_FALLBACKS = MappingProxyType(
    {
        _Kind.Q2_K: _Kind.Q4_0,
        _Kind.Q3_K: _Kind.Q4_0,
        _Kind.Q4_K: _Kind.Q5_0,
        _Kind.Q5_K: _Kind.Q5_1,
        _Kind.Q6_K: _Kind.Q8_0,
    }
)


@dataclass(frozen=True)
class Model:
    """What the mixes ask about a model.

    Attributes:
        layers: number of layers.
        heads: query heads.
        kv_heads: key and value heads.
        experts: of a layer, 0 without.
        tied: the embedding serves as output too.
        importance: the columns' importance is known.
    """

    layers: int
    heads: int
    kv_heads: int
    experts: int
    tied: bool
    importance: bool = False


def tensor_type(
    name: str, shape: tuple[int, ...], quantization: Quantization, model: Model
) -> gguf.GGMLQuantizationType:
    """Type of a tensor in a file of this quantization.

    Args:
        name: in the GGUF file.
        shape: rows first; the last number is the length of a row.
        quantization: of the file.
        model: what the mix depends on.
    """
    if len(shape) < 2 or name.endswith(("_norm.weight", "ffn_gate_inp.weight")):
        return _Kind.F32  # too small to be worth an error
    base = FILE_TYPES[quantization][1]
    if base in _PLAIN:
        return base
    return _fit(_mixed(name, shape[-1], quantization, model), shape[-1])


def _fit(wanted: gguf.GGMLQuantizationType, columns: int) -> gguf.GGMLQuantizationType:
    if columns % block_values(wanted):
        wanted = _FALLBACKS.get(wanted, _Kind.F16)
    return _Kind.F16 if columns % block_values(wanted) else wanted


def _mixed(name: str, columns: int, quantization: Quantization, model: Model) -> gguf.GGMLQuantizationType:
    base = FILE_TYPES[quantization][1]
    role = role_of(name)
    if role == "output" or (role == "embedding" and model.tied):
        return _Kind.Q8_0 if base == _Kind.Q8_0 or columns % block_values(base) else _Kind.Q6_K
    number = re.match(r"blk\.(\d+)\.", name)
    if number is None:
        return base
    layer = int(number[1])
    if role == "value":
        return _value(base, quantization, layer, model)
    if role == "key" and model.experts == 8:
        return _Kind.Q8_0
    if role == "attention_output":
        return _attention_output(base, quantization, model)
    return _down(base, quantization, layer, model) if role == "down" else base


def role_of(name: str) -> Role:
    """What a tensor does, from its name in the file."""
    ending = name.split(".", 2)[-1] if name.startswith("blk.") else name
    return _ENDINGS.get(ending, "other")


def more_bits(layer: int, layers: int) -> bool:
    """Whether a layer is in the first or the last eighth, or every third between."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _value(
    base: gguf.GGMLQuantizationType, quantization: Quantization, layer: int, model: Model
) -> gguf.GGMLQuantizationType:
    """Values are few and matter much, the fewer the more queries share them."""
    if model.experts == 8:
        return _Kind.Q8_0
    kind = base
    if quantization == "q2_k":
        kind = _Kind.Q4_K if model.heads // model.kv_heads >= 4 else _Kind.Q3_K
    elif quantization == "q3_k_m":
        kind = _Kind.Q5_K if layer < 2 else _Kind.Q4_K
    elif quantization == "q3_k_l" or (quantization == "q4_k_s" and layer < 4):
        kind = _Kind.Q5_K
    elif quantization in ("q4_k_m", "q5_k_m") and more_bits(layer, model.layers):
        kind = _Kind.Q6_K
    # The 70B models have eight queries on each value.
    seventy = model.layers == 80 and model.heads != model.kv_heads
    return _Kind.Q5_K if seventy and kind in (_Kind.Q3_K, _Kind.Q4_K) else kind


def _attention_output(
    base: gguf.GGMLQuantizationType, quantization: Quantization, model: Model
) -> gguf.GGMLQuantizationType:
    if model.experts == 8:
        return _Kind.Q5_K if quantization in ("q2_k", "q3_k_s", "q3_k_m", "q4_k_s", "q4_k_m") else base
    return {"q2_k": _Kind.Q3_K, "q3_k_m": _Kind.Q4_K, "q3_k_l": _Kind.Q5_K}.get(quantization, base)


def _down(
    base: gguf.GGMLQuantizationType, quantization: Quantization, layer: int, model: Model
) -> gguf.GGMLQuantizationType:
    first = layer < model.layers // 8
    if quantization == "q3_k_m":
        return _Kind.Q5_K if layer < model.layers // 16 else _Kind.Q4_K
    if quantization in ("q4_k_m", "q5_k_m"):
        return _Kind.Q6_K if more_bits(layer, model.layers) else base
    if quantization == "q4_k_s":
        return _Kind.Q5_K if first else base
    if model.importance and first:
        # Importance can drive the first layers' symmetric types astray.
        base = {_Kind.Q4_0: _Kind.Q4_1, _Kind.Q5_0: _Kind.Q5_1}.get(base, base)
    return {"q2_k": _Kind.Q3_K, "q3_k_l": _Kind.Q5_K}.get(quantization, base)
