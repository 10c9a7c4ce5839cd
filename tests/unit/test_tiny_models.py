"""The tiny twins have the modules of the models they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tiny_tokenizers
import torch
from tiny_data import questions
from tiny_models import HEAD_SIZE, STYLES, tiny_base, tiny_config
from transformers import AutoModelForCausalLM, AutoTokenizer

from xlam_train.base import load_tokenizer
from xlam_train.plan.architectures import ARCHITECTURES, config_of

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = 600


def modules(config: Any) -> set[tuple[str, str]]:
    """Name and class of each module of the first two layers and around them."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    return {(name, type(module).__name__) for name, module in model.named_modules()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_twin_has_the_modules_of_its_model(name: str) -> None:
    real, twin = config_of(name), tiny_config(name, TOKENS)
    real.num_hidden_layers = twin.num_hidden_layers
    assert modules(twin) == modules(real)
    for field in ("rope_parameters", "tie_word_embeddings", "rms_norm_eps", "hidden_act", "sliding_window"):
        assert getattr(twin, field, None) == getattr(real, field, None), field
    heads = [config.num_attention_heads / config.num_key_value_heads for config in (real, twin)]
    assert heads[0] == heads[1]
    assert twin.hidden_size == twin.num_attention_heads * HEAD_SIZE


def test_a_twin_is_a_folder_that_answers(tmp_path: Path) -> None:
    folder = tiny_base("mistralai/Mixtral-8x7B-Instruct-v0.1", tmp_path)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    prompt = tokenizer.apply_chat_template([{"role": "user", "content": "Rain?"}], tokenize=False)
    ids = torch.tensor([tokenizer.encode(prompt, add_special_tokens=False)])
    answer = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=4, do_sample=False)
    assert answer.shape[1] > ids.shape[1]
    assert model.config.vocab_size > len(tokenizer)
    assert model.config.eos_token_id == tokenizer.eos_token_id
    assert model.config.num_local_experts == 8


@pytest.mark.parametrize("name", ["Qwen/Qwen2.5-3B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"])
def test_a_saved_tokenizer_splits_as_before(name: str, tmp_path: Path) -> None:
    """transformers puts Qwen's own splitting in place of the one in the folder."""
    tokenizer: Any = load_tokenizer(tiny_base(name, tmp_path))
    made: Any = tiny_tokenizers.small(STYLES[name.partition("/")[0]], questions())
    text = 'Will it rain in Town 12, or\'s the tide 3.5 m?\n\n{"city": "Town 12"}'
    assert tokenizer.encode(text, add_special_tokens=False) == made.encode(text, add_special_tokens=False)


def test_the_same_twin_twice(tmp_path: Path) -> None:
    first, second = (tiny_base("Qwen/Qwen2.5-3B-Instruct", tmp_path / name) for name in "ab")
    for file in ("model.safetensors", "tokenizer.json"):
        assert (first / file).read_bytes() == (second / file).read_bytes()
