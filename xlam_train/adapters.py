"""Low-rank adapters on a frozen model: LoRA, rsLoRA, DoRA, and rows of their own for added tokens."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import torch

from data_pipeline.core.errors import InputError
from xlam_train.quantize import silence_kernel_notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

    from xlam_train.recipe import LoraSection

ALL_LINEAR = "all-linear"
TRAINED = ("lora_", "trainable_tokens_delta")


def add_lora(
    model: PreTrainedModel,
    lora: LoraSection,
    added_ids: Sequence[int] = (),
    *,
    four_bit: bool = False,
    fp32: bool = True,
) -> torch.nn.Module:
    """Freeze the model and put adapters on it.

    `all-linear` is every linear layer but the output head: attention and feed-forward. transformers fuses the
    experts of a mixture into one weight, which gets an adapter an expert; in 4 bits experts get none, since peft
    cannot adapt a fused weight that is dequantized. Routers are never adapted.

    Args:
        model: the base.
        lora: the recipe's section.
        added_ids: tokens whose rows in embedding and output head are trained in full.
        four_bit: the base's linear layers are bitsandbytes'.
        fp32: adapters in fp32 on a base in half precision; else in the base's type, for engines that keep fp32
            copies themselves and do not autocast.

    Raises:
        InputError: no layer has one of the target names, or the experts cannot be adapted this way.
    """
    from peft import get_peft_model

    silence_kernel_notice()
    config = _config(model, lora, added_ids, four_bit)
    with warnings.catch_warnings():
        # peft 0.21 reads an attribute that transformers 5.23 renamed; nothing a user could do about it.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        adapted: torch.nn.Module = get_peft_model(model, config, autocast_adapter_dtype=fp32)
    trained = [name for name, weight in adapted.named_parameters() if weight.requires_grad]
    assert trained, "an adapter without weights"
    assert all(any(part in name for part in TRAINED) for name in trained), "only the adapter may be trained"
    return adapted


def _config(model: PreTrainedModel, lora: LoraSection, added_ids: Sequence[int], four_bit: bool) -> Any:
    from peft import LoraConfig

    from xlam_train.lora import LeanLoraLinear

    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        use_rslora=lora.rslora,
        use_dora=lora.dora,
        target_modules=_target_names(model, lora),
        target_parameters=None if four_bit else _expert_names(model, lora),
        layers_to_transform=_adapted_layers(model, lora.first_layer),
        trainable_token_indices=_token_rows(model, added_ids),
        task_type="CAUSAL_LM",
    )
    if not four_bit:
        config._register_custom_module({torch.nn.Linear: LeanLoraLinear})
    return config


def _target_names(model: PreTrainedModel, lora: LoraSection) -> list[str]:
    """Names of the linear layers to adapt; peft wants them spelled out where it skips some layers.

    A name that is none is refused here: peft would take the parts of a mixture, such as its router, for one.
    """
    linear = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    if lora.target_modules == ALL_LINEAR:
        head = model.get_output_embeddings()
        return sorted({name.rpartition(".")[2] for name in linear if model.get_submodule(name) is not head})
    wanted = [lora.target_modules] if isinstance(lora.target_modules, str) else list(lora.target_modules)
    for target in wanted:
        if not any(f".{name}".endswith(f".{target}") for name in linear):
            raise InputError(f"lora.target_modules: no linear layer is called '{target}'; try {ALL_LINEAR}")
    return wanted


def _expert_names(model: PreTrainedModel, lora: LoraSection) -> list[str] | None:
    """The fused weights of experts, in full, because peft applies no choice of layers to them."""
    if lora.target_modules != ALL_LINEAR:
        return None
    names = [name for name, weight in model.named_parameters() if getattr(weight, "ds_shape", weight.shape)[2:]]
    names = [name for name in names if _layer_number(name) >= lora.first_layer]
    if names and (lora.dropout or lora.dora):
        raise InputError(
            f"lora.{'dora' if lora.dora else 'dropout'}: the experts of a mixture cannot have it; leave it out or "
            "adapt attention only, lora.target_modules: [q_proj, k_proj, v_proj, o_proj]"
        )
    return names or None


def _layer_number(name: str) -> int:
    found = re.search(r"\.layers\.(\d+)\.", name)
    assert found, f"{name} belongs to no layer"
    return int(found[1])


def _adapted_layers(model: PreTrainedModel, first: int) -> list[int] | None:
    """Layer numbers for peft, or None for all."""
    count = int(model.config.num_hidden_layers)
    if first >= count:
        raise InputError(f"lora.first_layer: {first} leaves nothing to train, the model has {count} layers")
    return list(range(first, count)) if first else None


def _token_rows(model: PreTrainedModel, added_ids: Sequence[int]) -> dict[str, list[int]] | None:
    """Rows to train, by layer; peft lets a tied head follow the embedding."""
    if not added_ids:
        return None
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    layers = [embedding] if head.weight is embedding.weight else [embedding, head]
    names = {id(module): name for name, module in model.named_modules()}
    return {names[id(layer)]: list(added_ids) for layer in layers}
