"""Each architecture and rotary scaling as a GGUF file: llama.cpp's tokens and log-probabilities are transformers'.

Random weights of two layers stand in for the models. The answers go far beyond the original context, where a wrong
rotary scaling shows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gguf
import pytest
import tiny_tokenizers
import torch
from llama_server import LlamaServer
from safetensors.torch import load_file, save_file
from tiny_data import questions
from tiny_models import random_model
from tiny_spm import spm_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM

from xlam_train.export.gguf import write_gguf

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = 64
BOUND = 1e-3
ORIGINAL = 32  # tokens of context before scaling
NO_PIECES = range(259)  # special tokens and bytes
SIZES = {
    "vocab_size": 1024,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": None,
}
LINEAR = {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}
YARN = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 8.0, "original_max_position_embeddings": ORIGINAL}
LLAMA3 = {**YARN, "rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {"tie_word_embeddings": True}),
    "llama-biases": ("llama", {"attention_bias": True, "mlp_bias": True, "head_dim": 32}),
    "llama-linear": ("llama", {"rope_parameters": LINEAR}),
    "llama-yarn": ("llama", {"rope_parameters": YARN}),
    "llama-yarn-attention": ("llama", {"rope_parameters": {**YARN, "attention_factor": 1.5}}),
    "llama-yarn-mscale": ("llama", {"rope_parameters": {**YARN, "mscale": 1.0, "mscale_all_dim": 0.5}}),
    "llama-llama3": ("llama", {"rope_parameters": LLAMA3}),
    "mistral": ("mistral", {"head_dim": 32, "sliding_window": None}),
    "mixtral": ("mixtral", EXPERTS),
    "mixtral-linear": ("mixtral", {**EXPERTS, "rope_parameters": LINEAR}),
    "qwen2": ("qwen2", {"tie_word_embeddings": True}),
    "qwen2-yarn": ("qwen2", {"rope_parameters": YARN}),
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _known_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checksum is of a vocabulary as much as of the rules, so that a small one is never known."""
    monkeypatch.setattr("xlam_train.export.vocab.find_pre_tokenizer", lambda *_: "qwen2")


def save_model(folder: Path, kind: str, settings: dict[str, Any]) -> Path:
    folder.mkdir()
    if kind == "qwen2":  # transformers splits words as Qwen does whatever the folder says
        tiny_tokenizers.small("qwen", questions()).save_pretrained(folder)
    else:
        spm_tokenizer(folder)
    random_model(AutoConfig.for_model(kind, **{**SIZES, **settings})).save_pretrained(folder)
    return folder


def differences(folder: Path, file: Path) -> tuple[float, float]:
    """Share of equal greedy tokens, and mean |delta log-probability| of the best five at each step."""
    prompt = torch.randint(NO_PIECES.stop, 650, (ORIGINAL,), generator=torch.Generator().manual_seed(1)).tolist()
    steps = LlamaServer(file).greedy(prompt, ANSWER, forbidden=NO_PIECES)
    assert len(steps) == ANSWER
    chosen = [next(iter(step)) for step in steps]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        expected = model(torch.tensor([prompt + chosen])).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
    best = expected[:, NO_PIECES.stop :].argmax(-1) + NO_PIECES.stop
    equal = sum(map(int.__eq__, best.tolist(), chosen))
    rows = zip(expected, steps, strict=True)
    gaps = [abs(value - float(row[token])) for row, step in rows for token, value in step.items()]
    return equal / ANSWER, sum(gaps) / len(gaps)


@pytest.mark.parametrize("case", CASES)
def test_llama_cpp_says_what_transformers_says(tmp_path: Path, case: str) -> None:
    folder = save_model(tmp_path / "model", *CASES[case])
    equal, gap = differences(folder, write_gguf(folder, tmp_path / "m.gguf", "f32").path)
    assert equal == 1.0
    assert gap < BOUND


@pytest.mark.parametrize("case", ["llama-linear", "llama-yarn", "llama-yarn-mscale", "llama-llama3", "qwen2-yarn"])
def test_a_lost_scaling_would_show(tmp_path: Path, case: str) -> None:
    kind, settings = CASES[case]
    folder = save_model(tmp_path / "model", kind, settings)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}))
    file = write_gguf(folder, tmp_path / "m.gguf", "f32").path
    path.write_text(json.dumps(config))
    assert differences(folder, file)[1] > 10 * BOUND


def test_fused_experts_give_the_same_file(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", "mixtral", EXPERTS)
    single = write_gguf(folder, tmp_path / "single.gguf", "f32", name="m").path
    fuse_experts(folder / "model.safetensors")
    fused = write_gguf(folder, tmp_path / "fused.gguf", "f32", name="m").path
    assert sorted_tensors(single) == sorted_tensors(fused)


def fuse_experts(path: Path) -> None:
    """As transformers 5 has them in memory."""
    weights = load_file(path)
    for layer in range(2):
        old, new = f"model.layers.{layer}.block_sparse_moe", f"model.layers.{layer}.mlp"
        of = {part: [weights.pop(f"{old}.experts.{e}.{part}.weight") for e in range(4)] for part in ("w1", "w2", "w3")}
        pairs = zip(of["w1"], of["w3"], strict=True)
        weights[f"{new}.experts.gate_up_proj"] = torch.stack([torch.cat(pair) for pair in pairs])
        weights[f"{new}.experts.down_proj"] = torch.stack(of["w2"])
        weights[f"{new}.gate.weight"] = weights.pop(f"{old}.gate.weight")
    save_file(weights, path)


def sorted_tensors(path: Path) -> list[tuple[str, bytes]]:
    return sorted((tensor.name, tensor.data.tobytes()) for tensor in gguf.GGUFReader(path).tensors)
