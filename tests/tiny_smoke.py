"""A tiny model that answers a few of the smoke test's queries exactly, because it has learned them by heart."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from data_pipeline.core.turns import turn
from xlam_train.export.chat_template import install_template
from xlam_train.infer.smoke_set import fixed_samples

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory

LEARNED = ("oven-gas", "film-adult", "no-age")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json")
MOST_STEPS = 200
LEARNED_NATS = 0.03
IGNORED = -100


def learned_samples() -> list[Trajectory]:
    """What the model knows: short prompts of one tool each, and answers of one call and of none."""
    return [sample for sample in fixed_samples() if sample.id in LEARNED]


def save_untrained(folder: Path, tokenizer_dir: Path) -> Path:
    """A random two-layer Llama with the tokenizer of a folder, whose template is taught the xLAM prompt."""
    folder.mkdir()
    for name in TOKENIZER_FILES:
        shutil.copy(tokenizer_dir / name, folder / name)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,  # so that the query matrix and the key matrix are square
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    install_template(folder)
    return folder


def save_trained(folder: Path, untrained: Path) -> Path:
    """The same folder, its model fitted to the learned samples until it is sure of every token."""
    shutil.copytree(untrained, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    _fit(model, [_encode(tokenizer, sample) for sample in learned_samples()])
    model.save_pretrained(folder)
    return folder


def _encode(tokenizer: Any, sample: Trajectory) -> tuple[list[int], list[int]]:
    """Ids of prompt and answer, as training renders them."""
    made = turn(sample, sample.messages)
    prompt = tokenizer.apply_chat_template(made.messages, tokenize=False, add_generation_prompt=True)
    answer = tokenizer.encode(made.answer, add_special_tokens=False)
    return tokenizer.encode(prompt, add_special_tokens=False), [*answer, tokenizer.eos_token_id]


def _fit(model: LlamaForCausalLM, rows: Sequence[tuple[list[int], list[int]]]) -> None:
    width = max(len(prompt) + len(answer) for prompt, answer in rows)
    ids, labels = torch.zeros(len(rows), width, dtype=torch.long), torch.full((len(rows), width), IGNORED)
    for index, (prompt, answer) in enumerate(rows):
        end = len(prompt) + len(answer)
        ids[index, :end] = torch.tensor(prompt + answer)
        labels[index, len(prompt) : end] = torch.tensor(answer)
    labelled = labels[:, 1:] != IGNORED
    wanted = labels[:, 1:][labelled]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, betas=(0.9, 0.95), weight_decay=0, fused=True)
    for _ in range(MOST_STEPS):
        hidden = model.model(ids).last_hidden_state[:, :-1][labelled]
        loss = functional.cross_entropy(model.lm_head(hidden), wanted)
        if loss.item() < LEARNED_NATS:
            return
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    raise AssertionError(f"not learned by heart: {loss.item()} nats a token")
