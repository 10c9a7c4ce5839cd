"""Preference pairs of a few tokens, and a tiny Llama to train on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from xlam_train import attention
from xlam_train.data.pairs import build_pair_tree
from xlam_train.data.render import Encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlam_train.data.pairs import PairTree

    Pair = tuple[Encoded, Encoded]

VOCAB = 50


def pair(name: str, prompt: Sequence[int], chosen: Sequence[int], rejected: Sequence[int]) -> Pair:
    """The two answers behind their prompt, named as the renderer names them."""
    rows = Encoded(sample_id=f"{name}/chosen"), Encoded(sample_id=f"{name}/rejected")
    for row, answer in zip(rows, (chosen, rejected), strict=True):
        row.append(prompt, trainable=False)
        row.append(answer, trainable=True)
    return rows


def pairs(count: int) -> list[Pair]:
    """On one tool set, p0 and so on; the answers of a pair begin alike."""
    return [pair(f"p{n}", [1, 2, 3, n + 10], [4, 5, n + 10], [4, 6]) for n in range(count)]


def trees(count: int) -> list[PairTree]:
    """Of two pairs each, but the last of one."""
    made = pairs(2 * count - 1)
    return [build_pair_tree(made[start : start + 2]) for start in range(0, len(made), 2)]


def base_model(implementation: str = attention.NAME, seed: int = 0) -> LlamaForCausalLM:
    """The same random weights for every attention implementation, three query heads a key head."""
    attention.register()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        initializer_range=0.3,
        tie_word_embeddings=True,
        attn_implementation=implementation,
    )
    return LlamaForCausalLM(config)


def adapted_model(implementation: str = attention.NAME, **changes: Any) -> PeftModel:
    """With adapters that have left the base model: nothing that is trained is zero."""
    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", **changes)
    model = get_peft_model(base_model(implementation), config)
    torch.manual_seed(1)
    for weight in model.parameters():
        if weight.requires_grad:
            torch.nn.init.normal_(weight, std=0.2)
    return model


def plain_log_probability(model: torch.nn.Module, row: Encoded) -> torch.Tensor:
    """One answer in a forward pass of its own, by torch's cross entropy; for models without trees."""
    logits = model(torch.tensor([row.ids])).logits[0, :-1]
    target = torch.tensor([i if t else -100 for i, t in zip(row.ids, row.trainable, strict=True)][1:])
    return -functional.cross_entropy(logits, target, reduction="sum", ignore_index=-100)
