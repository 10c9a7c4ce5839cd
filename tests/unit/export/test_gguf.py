"""GGUF files: every tensor in the wanted type, under its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from xlam_train.export.gguf import write_gguf
from xlam_train.export.tensors import interleave_rotary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


def tensors_of(path: Path) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}


def metadata_of(path: Path, *prefixes: str) -> dict[str, Any]:
    """Values by key; the prefixes keep the reader from unpacking the long lists of tokens."""
    fields = gguf.GGUFReader(path).fields.items()
    return {key: field.contents() for key, field in fields if key.startswith(prefixes or "")}


def set_config(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def expected_values(folder: Path) -> dict[str, np.ndarray]:
    """The weights under their GGUF names; rotary rows interleaved one by one, not by the code under test."""
    config = json.loads((folder / "config.json").read_text())
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    found = {}
    for file in folder.glob("*.safetensors"):
        for name, tensor in load_file(file).items():
            values = tensor.float().numpy()
            if "q_proj" in name or "k_proj" in name:
                size = config["head_dim"]
                order = [
                    head * size + (row % 2) * (size // 2) + row // 2
                    for head in range(len(values) // size)
                    for row in range(size)
                ]
                values = values[order]
            found[names.get_name(name, try_suffixes=(".weight", ".bias"))] = values
    return found


@pytest.mark.parametrize(
    ("quantization", "matrix"), [("f32", "F32"), ("f16", "F16"), ("bf16", "BF16"), ("q8_0", "Q8_0")]
)
def test_every_tensor_is_the_stored_one_in_the_wanted_type(
    make_small: Callable[..., Path], tmp_path: Path, quantization: Any, matrix: str
) -> None:
    folder = make_small()
    report = write_gguf(folder, tmp_path / "m.gguf", quantization)
    tensors = tensors_of(report.path)
    expected = expected_values(folder)
    assert set(tensors) == set(expected)
    assert report.tensors == len(tensors) == 20
    for name, values in expected.items():
        kind = "F32" if values.ndim == 1 else matrix
        assert tensors[name].tensor_type.name == kind
        wanted = gguf.quants.quantize(values, gguf.GGMLQuantizationType[kind])
        assert tensors[name].data.tobytes() == wanted.tobytes(), name
    assert report.bytes == report.path.stat().st_size


def test_rows_that_q8_0_cannot_split_become_f16(make_small: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_small(intermediate_size=100)
    tensors = tensors_of(write_gguf(folder, tmp_path / "m.gguf", "q8_0").path)
    assert tensors["blk.0.ffn_down.weight"].tensor_type.name == "F16"
    assert tensors["blk.0.ffn_up.weight"].tensor_type.name == "Q8_0"


def test_shards_biases_bfloat16_and_an_untied_head(make_small: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_small(
        shard="200KB", dtype=torch.bfloat16, tie_word_embeddings=False, attention_bias=True, mlp_bias=True
    )
    assert len(list(folder.glob("*.safetensors"))) > 1
    tensors = tensors_of(write_gguf(folder, tmp_path / "m.gguf", "bf16").path)
    expected = expected_values(folder)
    assert set(tensors) == set(expected)
    assert {"output.weight", "blk.1.attn_q.bias"} <= set(tensors)
    for name, values in expected.items():
        kind = gguf.GGMLQuantizationType.F32 if values.ndim == 1 else gguf.GGMLQuantizationType.BF16
        assert tensors[name].data.tobytes() == gguf.quants.quantize(values, kind).tobytes(), name


def test_a_tied_model_has_no_output_tensor_even_when_the_head_is_stored(
    make_small: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_small(tie_word_embeddings=False)
    set_config(folder, tie_word_embeddings=True)
    tensors = tensors_of(write_gguf(folder, tmp_path / "m.gguf", "f32").path)
    assert "output.weight" not in tensors


@pytest.mark.parametrize("old_spelling", [False, True])
def test_linear_rope_scaling(make_small: Callable[..., Path], tmp_path: Path, old_spelling: bool) -> None:
    folder = make_small(rope_parameters={"rope_type": "linear", "rope_theta": 1e5, "factor": 4.0})
    if old_spelling:
        set_config(folder, rope_parameters=None, rope_theta=1e5, rope_scaling={"type": "linear", "factor": 4.0})
    fields = metadata_of(write_gguf(folder, tmp_path / "m.gguf", "f16").path, "llama")
    assert fields["llama.rope.scaling.type"] == "linear"
    assert fields["llama.rope.scaling.factor"] == 4.0
    assert fields["llama.rope.freq_base"] == 1e5


def test_llama3_rope_scaling_is_the_one_of_transformers(make_small: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_small(rope_parameters=LLAMA3)
    tensors = tensors_of(write_gguf(folder, tmp_path / "m.gguf", "f16").path)
    rotary = AutoModelForCausalLM.from_pretrained(folder).model.rotary_emb
    plain = 1.0 / 5e5 ** (np.arange(0, 16, 2) / 16)
    np.testing.assert_allclose(plain / tensors["rope_freqs.weight"].data, rotary.inv_freq.numpy(), rtol=1e-5)


def test_rotary_rows_are_paired_with_those_half_a_head_below() -> None:
    rows = np.arange(8)
    assert interleave_rotary(rows, 4).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_the_context_ends_with_a_sliding_window_that_llama_cpp_does_not_have(
    make_small: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_small()
    set_config(folder, architectures=["MistralForCausalLM"], sliding_window=128)
    assert metadata_of(write_gguf(folder, tmp_path / "m.gguf", "f32").path)["llama.context_length"] == 128
    set_config(folder, use_sliding_window=False)
    assert metadata_of(write_gguf(folder, tmp_path / "m.gguf", "f32").path)["llama.context_length"] == 512


def test_an_older_file_is_replaced(make_small: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "m.gguf"
    out.write_bytes(b"older")
    write_gguf(make_small(), out, "f16")
    assert metadata_of(out, "general")["general.architecture"] == "llama"
