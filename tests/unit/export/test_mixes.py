"""Which type each tensor of a quantized file gets; scripts/bench/gguf_parity.py holds it against llama.cpp itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import gguf
import pytest

from xlam_train.export.mixes import Model, more_bits, role_of, tensor_type
from xlam_train.export.quants import FILE_TYPES, Quantization

DENSE = Model(layers=32, heads=32, kv_heads=32, experts=0, tied=False)
GROUPED = replace(DENSE, kv_heads=8)
MIXTRAL = replace(GROUPED, experts=8)
SEVENTY = replace(GROUPED, layers=80, heads=64)
MATRIX = (512, 512)
# Of 32 layers: the first and the last four, and every third between.
MORE_OF_32 = [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]


def kinds(part: str, quantization: Any, model: Model) -> dict[str, list[int]]:
    """Layers by type of one matrix."""
    found: dict[str, list[int]] = {}
    for layer in range(model.layers):
        kind = tensor_type(f"blk.{layer}.{part}.weight", MATRIX, quantization, model)
        found.setdefault(kind.name, []).append(layer)
    return found


def but(layers: list[int], count: int = 32) -> list[int]:
    return [layer for layer in range(count) if layer not in layers]


ALL = list(range(32))


@pytest.mark.parametrize(
    ("part", "quantization", "model", "expected"),
    [
        ("attn_v", "q2_k", DENSE, {"Q3_K": ALL}),
        ("attn_v", "q2_k", GROUPED, {"Q4_K": ALL}),
        ("attn_v", "q3_k_s", GROUPED, {"Q3_K": ALL}),
        ("attn_v", "q3_k_m", DENSE, {"Q5_K": [0, 1], "Q4_K": but([0, 1])}),
        ("attn_v", "q3_k_l", DENSE, {"Q5_K": ALL}),
        ("attn_v", "q4_k_s", DENSE, {"Q5_K": [0, 1, 2, 3], "Q4_K": but([0, 1, 2, 3])}),
        ("attn_v", "q4_k_m", DENSE, {"Q6_K": MORE_OF_32, "Q4_K": but(MORE_OF_32)}),
        ("attn_v", "q5_k_s", DENSE, {"Q5_K": ALL}),
        ("attn_v", "q5_k_m", DENSE, {"Q6_K": MORE_OF_32, "Q5_K": but(MORE_OF_32)}),
        ("attn_v", "q4_0", DENSE, {"Q4_0": ALL}),
        ("attn_v", "q4_0", MIXTRAL, {"Q8_0": ALL}),
        ("attn_v", "q4_k_m", MIXTRAL, {"Q8_0": ALL}),
        ("attn_k", "q4_k_m", DENSE, {"Q4_K": ALL}),
        ("attn_k", "q4_k_m", MIXTRAL, {"Q8_0": ALL}),
        ("attn_k", "q4_k_m", replace(MIXTRAL, experts=4), {"Q4_K": ALL}),
        ("attn_q", "q2_k", GROUPED, {"Q2_K": ALL}),
        ("attn_output", "q2_k", DENSE, {"Q3_K": ALL}),
        ("attn_output", "q3_k_m", DENSE, {"Q4_K": ALL}),
        ("attn_output", "q3_k_l", DENSE, {"Q5_K": ALL}),
        ("attn_output", "q4_k_m", DENSE, {"Q4_K": ALL}),
        ("attn_output", "q3_k_s", MIXTRAL, {"Q5_K": ALL}),
        ("attn_output", "q3_k_l", MIXTRAL, {"Q3_K": ALL}),
        ("attn_output", "q6_k", MIXTRAL, {"Q6_K": ALL}),
        ("ffn_down", "q2_k", DENSE, {"Q3_K": ALL}),
        ("ffn_down", "q3_k_s", DENSE, {"Q3_K": ALL}),
        ("ffn_down", "q3_k_m", DENSE, {"Q5_K": [0, 1], "Q4_K": but([0, 1])}),
        ("ffn_down", "q3_k_l", DENSE, {"Q5_K": ALL}),
        ("ffn_down", "q4_k_s", DENSE, {"Q5_K": [0, 1, 2, 3], "Q4_K": but([0, 1, 2, 3])}),
        ("ffn_down", "q4_k_m", DENSE, {"Q6_K": MORE_OF_32, "Q4_K": but(MORE_OF_32)}),
        ("ffn_down", "q5_k_m", DENSE, {"Q6_K": MORE_OF_32, "Q5_K": but(MORE_OF_32)}),
        ("ffn_down", "q4_0", replace(DENSE, importance=True), {"Q4_1": [0, 1, 2, 3], "Q4_0": but([0, 1, 2, 3])}),
        ("ffn_down", "q5_0", replace(DENSE, importance=True), {"Q5_1": [0, 1, 2, 3], "Q5_0": but([0, 1, 2, 3])}),
        ("ffn_down", "q4_1", replace(DENSE, importance=True), {"Q4_1": ALL}),
        ("ffn_down_exps", "q4_k_m", MIXTRAL, {"Q6_K": MORE_OF_32, "Q4_K": but(MORE_OF_32)}),
        ("ffn_gate_exps", "q4_k_m", MIXTRAL, {"Q4_K": ALL}),
        ("ffn_up", "q3_k_m", DENSE, {"Q3_K": ALL}),
        ("ffn_gate_inp", "q4_k_m", MIXTRAL, {"F32": ALL}),
    ],
)
def test_layers_with_more_bits(part: str, quantization: Any, model: Model, expected: dict[str, list[int]]) -> None:
    assert kinds(part, quantization, model) == expected


def test_values_of_a_70b_model_have_five_bits_at_least() -> None:
    assert kinds("attn_v", "q4_k_s", SEVENTY) == {"Q5_K": list(range(80))}
    assert kinds("attn_v", "q3_k_s", SEVENTY) == {"Q5_K": list(range(80))}
    assert set(kinds("attn_v", "q4_k_m", SEVENTY)) == {"Q5_K", "Q6_K"}
    assert set(kinds("attn_v", "q4_k_m", replace(SEVENTY, kv_heads=64))) == {"Q4_K", "Q6_K"}


@pytest.mark.parametrize(
    ("name", "tied", "columns", "quantization", "expected"),
    [
        ("output", False, 512, "q4_k_m", "Q6_K"),
        ("output", False, 512, "q4_0", "Q6_K"),
        ("output", False, 512, "q8_0", "Q8_0"),
        ("output", False, 576, "q4_k_m", "Q8_0"),
        ("output", False, 576, "q4_0", "Q8_0"),
        ("output", False, 100, "q4_k_m", "F16"),
        ("token_embd", False, 512, "q4_k_m", "Q4_K"),
        ("token_embd", False, 576, "q4_k_m", "Q5_0"),
        ("token_embd", True, 512, "q4_k_m", "Q6_K"),
        ("token_embd", True, 512, "q2_k", "Q6_K"),
        ("token_embd", True, 512, "f16", "F16"),
    ],
)
def test_embedding_and_output(name: str, tied: bool, columns: int, quantization: Any, expected: str) -> None:
    model = replace(DENSE, tied=tied)
    assert tensor_type(f"{name}.weight", (1000, columns), quantization, model).name == expected


@pytest.mark.parametrize(
    ("quantization", "of_32", "odd"),
    [
        ("q2_k", "Q4_0", "F16"),
        ("q3_k_s", "Q4_0", "F16"),
        ("q4_k_s", "Q5_0", "F16"),
        ("q5_k_s", "Q5_1", "F16"),
        ("q6_k", "Q8_0", "F16"),
        ("q8_0", "Q8_0", "F16"),
        ("q4_0", "Q4_0", "F16"),
        ("q5_1", "Q5_1", "F16"),
        ("bf16", "BF16", "BF16"),
        ("f32", "F32", "F32"),
    ],
)
def test_rows_that_a_block_does_not_divide(quantization: Any, of_32: str, odd: str) -> None:
    for columns, expected in ((576, of_32), (100, odd)):
        assert tensor_type("blk.9.ffn_up.weight", (64, columns), quantization, DENSE).name == expected


def test_vectors_and_norms_stay_in_f32() -> None:
    for quantization in get_args(Quantization):
        for name, shape in (
            ("blk.0.attn_q.bias", (512,)),
            ("output_norm.weight", (512,)),
            ("rope_freqs.weight", (32,)),
        ):
            assert tensor_type(name, shape, quantization, DENSE) == gguf.GGMLQuantizationType.F32


def test_every_choice_has_a_file_type_of_its_own() -> None:
    assert tuple(FILE_TYPES) == get_args(Quantization)
    assert len({file for file, _ in FILE_TYPES.values()}) == len(FILE_TYPES)
    assert all(
        file.name.removeprefix("MOSTLY_").removeprefix("ALL_").lower() == name for name, (file, _) in FILE_TYPES.items()
    )


def test_roles_are_read_from_whole_names() -> None:
    assert role_of("blk.12.attn_v.weight") == "value"
    assert role_of("blk.1.attn_v.bias") == "other"
    assert role_of("blk.1.attn_output.weight") == "attention_output"
    assert role_of("output.weight") == "output"


@pytest.mark.parametrize("layers", [1, 2, 7, 8, 24, 30, 80])
def test_more_bits_goes_to_about_half_of_the_layers(layers: int) -> None:
    chosen = sum(more_bits(layer, layers) for layer in range(layers))
    assert 0.25 * layers <= chosen <= max(1, 0.65 * layers)
