"""What a GGUF file says about its model: sizes, where it comes from, how to talk to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gguf
import pytest
from tiny_models import random_model
from tiny_spm import TEMPLATE, spm_tokenizer
from transformers import AutoConfig

from data_pipeline.core.errors import InputError
from xlam_train.export.gguf import write_gguf
from xlam_train.export.metadata import size_label
from xlam_train.export.tensors import TensorSource

if TYPE_CHECKING:
    from pathlib import Path

CARD = """---
license: other
license_name: deepseek
license_link: https://example.org/licence
base_model: deepseek-ai/deepseek-coder-1.3b-instruct
datasets: [Salesforce/xlam-function-calling-60k]
tags: [function-calling, tool-use]
language: [en, de]
model_name: Tiny Caller
---
# Tiny Caller
"""
PROVENANCE = {
    "base": {"name": "models/Some-Base-7B", "revision": "abc123"},
    "dataset": {"name": "weather-calls", "sha256": "ffee"},
    "licences": {"base": "apache-2.0", "dataset": "cc-by-4.0", "xlam-train": "MIT"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny Mixtral with a SentencePiece tokenizer."""
    made = tmp_path / "tiny-caller"
    made.mkdir()
    spm_tokenizer(made)
    config = AutoConfig.for_model(
        "mixtral",
        vocab_size=768,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        num_local_experts=4,
        num_experts_per_tok=2,
        max_position_embeddings=256,
        rms_norm_eps=1e-6,
        sliding_window=None,
        rope_parameters={"rope_type": "linear", "rope_theta": 1e5, "factor": 4.0},
        bos_token_id=1,
        eos_token_id=2,
    )
    random_model(config).save_pretrained(made)
    return made


def fields_of(folder: Path, **settings: Any) -> dict[str, Any]:
    out = write_gguf(folder, folder.parent / "m.gguf", "f16", **settings).path
    return {key: field.contents() for key, field in gguf.GGUFReader(out).fields.items()}


def test_sizes_and_tokenizer(folder: Path) -> None:
    fields = fields_of(folder)
    wanted = {
        "general.architecture": "llama",
        "general.type": "model",
        "general.size_label": "4x62K",
        "general.file_type": int(gguf.LlamaFileType.MOSTLY_F16),
        "general.quantization_version": 2,
        "llama.block_count": 1,
        "llama.context_length": 256,
        "llama.embedding_length": 32,
        "llama.feed_forward_length": 64,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.attention.key_length": 16,
        "llama.expert_count": 4,
        "llama.expert_used_count": 2,
        "llama.rope.dimension_count": 16,
        "llama.rope.freq_base": 1e5,
        "llama.rope.scaling.type": "linear",
        "llama.rope.scaling.factor": 4.0,
        "llama.vocab_size": 768,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.chat_template": TEMPLATE,
    }
    assert {key: fields.get(key) for key in wanted} == wanted
    assert fields["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-6)


def test_the_template_in_its_own_file_counts(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages }} é")
    assert fields_of(folder)["tokenizer.chat_template"] == "{{ messages }} é"


def test_the_model_card_tells_where_the_model_comes_from(folder: Path) -> None:
    (folder / "README.md").write_text(CARD)
    (folder / "provenance.json").write_text(json.dumps(PROVENANCE))
    fields = fields_of(folder)
    wanted = {
        "general.name": "Tiny Caller",
        "general.license": "other",
        "general.license.name": "deepseek",
        "general.license.link": "https://example.org/licence",
        "general.base_model.count": 1,
        "general.base_model.0.name": "Deepseek Coder 1.3b Instruct",
        "general.base_model.0.organization": "Deepseek Ai",
        "general.base_model.0.repo_url": "https://huggingface.co/deepseek-ai/deepseek-coder-1.3b-instruct",
        "general.dataset.count": 1,
        "general.dataset.0.name": "Xlam Function Calling 60k",
        "general.dataset.0.repo_url": "https://huggingface.co/Salesforce/xlam-function-calling-60k",
        "general.tags": ["function-calling", "tool-use"],
        "general.languages": ["en", "de"],
    }
    assert {key: fields.get(key) for key in wanted} == wanted
    assert "general.quantized_by" not in fields


def test_without_a_card_the_provenance_does(folder: Path) -> None:
    (folder / "provenance.json").write_text(json.dumps(PROVENANCE))
    fields = fields_of(folder, name="mine")
    wanted = {
        "general.name": "mine",
        "general.license": "apache-2.0, cc-by-4.0",
        "general.base_model.0.name": "Some-Base-7B",
        "general.base_model.0.version": "abc123",
        "general.dataset.0.name": "weather-calls",
        "general.dataset.0.description": "sha256 ffee",
    }
    assert {key: fields.get(key) for key in wanted} == wanted


def test_without_both_the_folder_names_it(folder: Path) -> None:
    fields = fields_of(folder)
    assert fields["general.name"] == "Tiny Caller"
    assert not [key for key in fields if key.startswith(("general.license", "general.base", "general.dataset"))]


@pytest.mark.parametrize(("sampled", "expected"), [(True, 0.5), (False, None)])
def test_sampling_is_told_only_where_transformers_samples(folder: Path, sampled: bool, expected: float | None) -> None:
    content = {"do_sample": sampled, "temperature": 0.5}
    (folder / "generation_config.json").write_text(json.dumps(content))
    assert fields_of(folder).get("general.sampling.temp") == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("README.md", "---\nlicense: [mit\n---\n", "README.md: the header is no YAML"),
        ("README.md", "---\nlanguage: [en, no]\n---\n", r"languages has a value that is no text .*; put it in quotes"),
        ("README.md", "---\nmodel_name: 2024\n---\n", r"name has a value that is no text \(2024\); put it in quotes"),
        ("provenance.json", "[]", "provenance.json: not a JSON object"),
        ("provenance.json", "{", "provenance.json:1: not valid JSON"),
    ],
)
def test_a_broken_source_is_told_in_one_line(folder: Path, name: str, content: str, message: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        fields_of(folder)
    assert "\n" not in str(caught.value)
    assert not (folder.parent / "m.gguf").exists()


def test_size_labels_are_those_of_model_names() -> None:
    def tensor(name: str, *shape: int) -> TensorSource:
        return TensorSource(name, shape, lambda *_: NotImplemented)

    experts = tensor("blk.0.ffn_up_exps.weight", 8, 5_600_000, 1000)
    assert size_label([tensor("token_embd.weight", 134_515, 1000)]) == "135M"
    assert size_label([tensor("token_embd.weight", 1_600_000, 1000), experts]) == "8x7.2B"
