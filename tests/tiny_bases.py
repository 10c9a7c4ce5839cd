"""Random base models of two layers for tests of loading, adapters and merging, and one batch for them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Encoded
from xlam_train.loss import weighted_cross_entropy
from xlam_train.model import load_for_training
from xlam_train.recipe import TrainRecipe

if TYPE_CHECKING:
    from pathlib import Path

KINDS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "llama": (LlamaConfig, LlamaForCausalLM, {}),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, {}),
    "mixtral": (MixtralConfig, MixtralForCausalLM, {"num_local_experts": 4, "num_experts_per_tok": 2}),
}
# Widths are multiples of 64, the block that shares a scale in 4 bits.
SIZES = {
    "vocab_size": 600,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.1,
}


def save_base(
    folder: Path,
    tokenizer_of: Path,
    kind: str = "llama",
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    **settings: Any,
) -> Path:
    """A random model of a kind, with another base's tokenizer."""
    config, model, extra = KINDS[kind]
    torch.manual_seed(seed)
    model(config(**{**SIZES, **extra, **settings})).to(dtype).save_pretrained(folder)
    for path in tokenizer_of.glob("*token*"):
        shutil.copyfile(path, folder / path.name)
    shutil.copyfile(tokenizer_of / "chat_template.jinja", folder / "chat_template.jinja")
    return folder


def recipe_for(base: Path, **sections: Any) -> TrainRecipe:
    """A recipe on a base; `added_tokens` goes into its model section."""
    model = {"base": str(base), "added_tokens": sections.pop("added_tokens", ())}
    return TrainRecipe.model_validate({"model": model, "data": {"path": "d"}, "out": "o", **sections})


def load(base: Path, bf16: bool = False, **sections: Any) -> Any:
    """The model that such a recipe trains."""
    torch.manual_seed(0)
    return load_for_training(recipe_for(base, **sections), base, bf16)


def batch_of(size: int = 600, seed: int = 0) -> Any:
    """A tree of three samples that begin alike."""
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randint(0, size, (4, 8), generator=generator).tolist()
    return batch([Encoded(draw[0] + tail, [False] * 8 + [True] * 8, str(tail)) for tail in draw[1:]])


def batch(samples: list[Encoded]) -> Any:
    """These samples as one tree."""
    return collate_tree(build_tree(samples))


def mean_loss(model: Any, tree: Any, bf16: bool = False) -> torch.Tensor:
    """As training computes it."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        output = model(
            input_ids=tree["input_ids"],
            position_ids=tree["position_ids"],
            plan=tree["plan"],
            logits_to_keep=tree["positions"],
            use_cache=False,
        )
    loss = weighted_cross_entropy(output.logits.squeeze(0), tree["row"], tree["target"], tree["weight"])
    return loss / tree["weight"].sum()


def train(model: Any, tree: Any, steps: int, bf16: bool = False) -> list[float]:
    """Losses of a few steps of AdamW on one batch."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=5e-3, weight_decay=0.0)
    losses = []
    for _ in range(steps):
        loss = mean_loss(model, tree, bf16)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    return losses
