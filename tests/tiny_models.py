"""Twins of the family's base models, small enough for a CPU: the same modules and tokenizer, random weights.

The sizes that `xlam_train.plan.architectures` publishes are cut down; what decides which code runs is kept: type of the
model, queries a key head, tied embeddings, rotary scaling, experts and how many of them a token takes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import tiny_tokenizers
import torch
from peft import LoraConfig, get_peft_model
from tiny_data import questions
from transformers import AutoConfig, AutoModelForCausalLM

from xlam_train.plan.architectures import ARCHITECTURES

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PretrainedConfig, PreTrainedModel

LAYERS = 2
KEY_HEADS = 2
HEAD_SIZE = 8
ROUNDING = 64  # embeddings have a multiple of this many rows, as published models have more rows than tokens

STYLES = {"deepseek-ai": "deepseek", "mistralai": "mistral", "meta-llama": "llama3", "Qwen": "qwen"}
REAL = {
    "deepseek-ai/deepseek-coder-1.3b-instruct": tiny_tokenizers.deepseek_coder,
    "deepseek-ai/deepseek-coder-7b-instruct-v1.5": tiny_tokenizers.deepseek_llm,
}


def tiny_base(name: str, folder: Path, vocabulary: Path | None = None) -> Path:
    """A tiny random model of a published architecture, with its tokenizer, as a Hugging Face folder.

    Args:
        name: `model.base` of a recipe, a key of `ARCHITECTURES`.
        folder: where to put it.
        vocabulary: folder of vocabulary-only GGUF files; with it, models whose vocabulary is there get their own.
    """
    tokenizer = _tokenizer(name, vocabulary)
    model = random_model(tiny_config(name, len(tokenizer)))
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    model.config.update({**ends, "pad_token_id": tokenizer.pad_token_id})
    model.generation_config.update(**ends, pad_token_id=tokenizer.pad_token_id)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def tiny_config(name: str, tokens: int) -> PretrainedConfig:
    """The config of a published architecture with small sizes.

    Args:
        name: a key of `ARCHITECTURES`.
        tokens: of the vocabulary; the model has some rows more.
    """
    architecture = ARCHITECTURES[name]
    published = architecture.fields
    group, rest = divmod(published["num_attention_heads"], published["num_key_value_heads"])
    assert not rest
    key_heads = KEY_HEADS if group > 1 else 2 * KEY_HEADS
    hidden = key_heads * group * HEAD_SIZE
    small = {
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": key_heads * group,
        "num_key_value_heads": key_heads,
        "vocab_size": (tokens // ROUNDING + 1) * ROUNDING,
        "bos_token_id": None,  # the published ids are beyond a small vocabulary
        "eos_token_id": None,
        "pad_token_id": None,
    }
    return AutoConfig.for_model(architecture.model_type, **{**published, **small})


def random_model(config: PretrainedConfig, seed: int = 0) -> PreTrainedModel:
    """fp32 weights large enough that answers depend on what was asked.

    NumPy draws them, because torch's normal numbers differ in the last digit between kinds of CPU.
    """
    model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            drawn = torch.from_numpy(rng.standard_normal(tuple(weight.shape), dtype=np.float32))
            weight.copy_(1 + 0.1 * drawn if "norm" in name else 0.2 * drawn)
    return model


def _tokenizer(name: str, vocabulary: Path | None) -> Any:
    if vocabulary is not None and name in REAL:
        return _real_tokenizer(name, vocabulary)
    return tiny_tokenizers.small(STYLES.get(name.partition("/")[0], "chatml"), questions())


@cache
def _real_tokenizer(name: str, vocabulary: Path) -> Any:
    """Reading a hundred thousand tokens takes seconds."""
    return REAL[name](vocabulary)


def save_adapter(base: Path, folder: Path, **settings: Any) -> Path:
    """A LoRA adapter that does something, as B is not zero; with further settings of peft."""
    torch.manual_seed(1)
    targets = ["q_proj", "v_proj", "down_proj"]
    config = LoraConfig(r=4, lora_alpha=8, target_modules=targets, task_type="CAUSAL_LM", **settings)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0.0, 0.1)
    model.save_pretrained(folder)
    return folder
