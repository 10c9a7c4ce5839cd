"""The base model loaded for training: every weight, adapters, or adapters on weights in 4 bits.

How precision works. `lora`: the base is stored in the run's half precision, so autocast has nothing to convert,
and the adapters stay in fp32, where small updates are not rounded away. `full`: weights are stored in fp32 and
autocast computes in half precision; in fp16 the trainer scales the loss. `qlora`: 4-bit weights are dequantized to
the run's type for each product. Under DeepSpeed the engine turns the whole module, adapters too, into the half
type of its own configuration and keeps fp32 master weights beside the optimizer, so nothing is stored in fp32 here.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import torch

from data_pipeline.core.errors import InputError
from xlam_train import attention, quantize
from xlam_train.adapters import add_lora
from xlam_train.base import default_cache, load_tokenizer, prepare_base
from xlam_train.vocabulary import grow_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel

    from xlam_train.recipe import TrainRecipe

__all__ = ["default_cache", "load_for_training", "load_tokenizer", "native_bf16", "prepare_base"]

# Losses are ours, at labelled positions only; Liger's would compute logits everywhere.
LIGER_KERNELS = {
    "rope": True,
    "rms_norm": True,
    "swiglu": True,
    "cross_entropy": False,
    "fused_linear_cross_entropy": False,
}


def native_bf16() -> bool:
    """Whether the machine multiplies bf16 in hardware; emulated, it is slower than fp32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def load_for_training(recipe: TrainRecipe, base: Path, bf16: bool) -> torch.nn.Module:
    """The model as `recipe.method` trains it, attending over prefix trees.

    Args:
        recipe: method, adapters, added tokens, attention, checkpointing, Liger, compilation.
        base: a folder from `prepare_base`.
        bf16: what `precision: auto` comes to on this machine, or whether the recipe asks for it.

    Returns:
        A transformers model for `full`, a peft model otherwise; in training mode.

    Raises:
        InputError: something the recipe asks for is not installed, or does not work here.
        CheckFailed: weights that should have 4 bits have not.
    """
    _check_machine(recipe)
    attention.register()
    compute = _compute_dtype(recipe, bf16)
    model = _load(recipe, base, compute)
    attention.check_model(model, recipe.data.max_length)
    model.config.use_cache = False
    added = grow_vocabulary(model, base, recipe.model.added_tokens) if recipe.model.added_tokens else []
    if recipe.liger:
        _apply_liger(model)
    if recipe.model.frozen_layers is not None:
        freeze(model, recipe.model.frozen_layers)
    trained: torch.nn.Module = model
    if recipe.method != "full":
        four_bit = recipe.method == "qlora"
        trained = add_lora(model, recipe.lora, added, four_bit=four_bit, fp32=not _under_deepspeed())
    if recipe.gradient_checkpointing:
        _enable_checkpointing(model)
    if recipe.compile:
        # In place, so that names of weights do not change; trees differ in size, so sizes are symbols.
        trained.compile(dynamic=True)
    return trained.train()


def storage_dtype(recipe: TrainRecipe, compute: torch.dtype, deepspeed: bool) -> torch.dtype:
    """The type of the weights that are not in 4 bits; see the module's text."""
    return torch.float32 if recipe.method == "full" and not deepspeed else compute


def _compute_dtype(recipe: TrainRecipe, bf16: bool) -> torch.dtype:
    if recipe.precision == "fp16":
        return torch.float16
    return torch.bfloat16 if bf16 else torch.float32


def _load(recipe: TrainRecipe, base: Path, compute: torch.dtype) -> PreTrainedModel:
    from transformers import AutoModelForCausalLM
    from transformers.integrations import is_deepspeed_zero3_enabled

    dtype = storage_dtype(recipe, compute, _under_deepspeed())
    settings: dict[str, Any] = {}
    if recipe.method == "qlora":
        quantize.require_bitsandbytes()
        _refuse_zero3(is_deepspeed_zero3_enabled(), "method: qlora: 4-bit weights cannot be sharded")
        settings["quantization_config"] = quantize.four_bit_config(compute)
    if recipe.model.added_tokens:
        _refuse_zero3(is_deepspeed_zero3_enabled(), "model.added_tokens: rows cannot be added to sharded weights")
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=dtype,
        attn_implementation=attention.attention_name(recipe.attention, "cuda" if torch.cuda.is_available() else "cpu"),
        local_files_only=True,
        trust_remote_code=False,
        **settings,
    )
    if recipe.method == "qlora":
        _finish_four_bit(model, recipe.gradient_checkpointing)
    return model


def _finish_four_bit(model: PreTrainedModel, checkpointing: bool) -> None:
    if getattr(model.config, "num_local_experts", None):
        if not checkpointing:
            raise InputError(
                "gradient_checkpointing: with method: qlora, the experts of a mixture are dequantized for each pass "
                "and would all be kept without it; set it to true"
            )
        quantize.quantize_experts(model)
    quantize.keep_differentiable(model)
    quantize.check_four_bit(model)


def _check_machine(recipe: TrainRecipe) -> None:
    cuda = torch.cuda.is_available()
    if recipe.precision == "fp16" and not cuda:
        raise InputError("precision: fp16 needs a GPU; set auto, bf16 or fp32")
    if recipe.liger and not cuda:
        raise InputError("liger: its kernels need a CUDA GPU; set it to false")
    if recipe.liger and importlib.util.find_spec("liger_kernel") is None:
        raise InputError("liger: liger-kernel is not installed; pip install liger-kernel, or set it to false")


def _enable_checkpointing(model: PreTrainedModel) -> None:
    """Under the name it has in this transformers: it was renamed between 5.20, Python 3.10's newest, and 5.23.

    After the adapters, as peft would ask for a gradient of the embeddings; transformers does so too. Only reentrant
    checkpoints need it, and with it the backward pass would go on below the lowest layer that learns.
    """
    if hasattr(model, "activation_checkpointing_enable"):
        model.activation_checkpointing_enable({"use_reentrant": False})
    else:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    model.disable_input_require_grads()


def freeze(model: PreTrainedModel, count: int) -> None:
    """Leave the embeddings, the output head and the lowest layers as they are.

    Raises:
        InputError: no layer would be left to train.
    """
    layers = model.get_decoder().layers
    if count >= len(layers):
        raise InputError(f"model.frozen_layers: {count} leaves nothing to train, the model has {len(layers)} layers")
    for module in (model.get_input_embeddings(), model.get_output_embeddings(), *layers[:count]):
        module.requires_grad_(False)


def _apply_liger(model: PreTrainedModel) -> None:
    """Never run on a GPU by us; the kernels' own tests are Liger's."""
    from transformers.integrations.liger import apply_liger_kernel

    apply_liger_kernel(model, LIGER_KERNELS)


def _under_deepspeed() -> bool:
    """Whether accelerate was launched for DeepSpeed."""
    from accelerate.utils import parse_flag_from_env

    return bool(parse_flag_from_env("ACCELERATE_USE_DEEPSPEED"))


def _refuse_zero3(zero3: bool, what: str) -> None:
    if zero3:
        raise InputError(f"{what} by ZeRO-3; launch with ZeRO-2 (recipes/accelerate/zero2.yaml)")
