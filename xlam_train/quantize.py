"""Frozen weights in 4 bits (QLoRA, Dettmers et al. 2023), and the proof that they are.

NF4 with double quantization: 4 bits a weight, 8 bits of scale for 64 weights and 32 more for 64 x 256, together
4.13 bits. The output head, embeddings, norms and routers keep their type.

bitsandbytes 0.50 on a CPU with bf16 instructions repacks a layer's weights during the first forward pass in
evaluation mode whose input needs no gradient, with or without `no_grad`. Products with repacked weights have no
gradient, and nothing ever packs them back: from then on only adapters after the last linear layer of each block
learn. `keep_differentiable` switches the repacking off.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from typing import TYPE_CHECKING, Any, Literal

import torch

from data_pipeline.core.errors import CheckFailed, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import BitsAndBytesConfig, PreTrainedModel

QUANT_TYPE: Literal["nf4"] = "nf4"
BLOCK = 64  # weights that share an 8-bit scale
SCALE_BLOCK = 256  # scales that share a 32-bit one


def require_bitsandbytes() -> None:
    """Raises:
    InputError: bitsandbytes is not installed.
    """
    if importlib.util.find_spec("bitsandbytes") is None:
        raise InputError("method: qlora needs bitsandbytes; pip install bitsandbytes, or set method: lora")


def silence_kernel_notice() -> None:
    """Importing bitsandbytes on a CPU advises to install a package that would download code from the hub."""
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


def leave_out_bitsandbytes() -> None:
    """Spare this process the second that importing it takes: peft does so for any adapter where it is installed."""
    sys.modules["bitsandbytes"] = None  # type: ignore[assignment]  # Python's way to say that a module is not there


def four_bit_config(compute: torch.dtype) -> BitsAndBytesConfig:
    """What transformers needs to quantize while it loads; products are computed in `compute`."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=QUANT_TYPE,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )


def quantize_experts(model: PreTrainedModel) -> None:
    """The experts of a mixture, which transformers fuses into [experts, out, in] weights and bitsandbytes passes by.

    They are dequantized as a whole when a layer runs, so gradient checkpointing must drop them again.
    """
    from bitsandbytes.nn.parametrize import replace_parameter_4bit

    for module, name in list(_fused(model)):
        replace_parameter_4bit(module, name, compress_statistics=True, quant_type=QUANT_TYPE, blocksize=BLOCK)


def keep_differentiable(model: torch.nn.Module) -> None:
    """Keep 4-bit layers from repacking their weights in evaluation, which would end their gradient."""
    for _, layer in _four_bit_layers(model):
        assert hasattr(layer, "support_avx512bf16_for_cpu"), "bitsandbytes decides by another attribute now"
        layer.support_avx512bf16_for_cpu = False


def check_differentiable(model: torch.nn.Module) -> None:
    """Raises:
    CheckFailed: a 4-bit layer's weights were repacked for inference, so training would go wrong silently.
    """
    for name, layer in _four_bit_layers(model):
        if getattr(layer.weight.quant_state, "packing_format_for_cpu", False):
            raise CheckFailed(f"{name}: its 4-bit weights were repacked for inference and have no gradient any more")


def check_four_bit(model: PreTrainedModel) -> None:
    """That every matrix of the transformer blocks is doubly quantized NF4 and takes the bytes that 4 bits give.

    Raises:
        CheckFailed: naming the first weight that is not.
    """
    states = quant_states(model)
    kept = {id(module.weight) for module in (model.get_input_embeddings(), model.get_output_embeddings())}
    for name, weight in model.named_parameters():
        if name in states:
            _check_packed(name, weight, states[name])
        elif weight.ndim > 1 and id(weight) not in kept and not name.endswith(".gate.weight"):
            raise CheckFailed(f"{name}: {tuple(weight.shape)} {weight.dtype}, not 4 bits; nothing was trained")
    if not states:
        raise CheckFailed("method: qlora, but no weight has 4 bits; nothing was trained")


def quant_states(model: torch.nn.Module) -> dict[str, Any]:
    """bitsandbytes' QuantState of every 4-bit parameter, by the parameter's name."""
    found = {f"{name}.weight": layer.weight.quant_state for name, layer in _four_bit_layers(model)}
    for name, module in model.named_modules():
        if type(module).__name__ == "Bnb4bitParametrization":
            found[f"{name.rpartition('.')[0]}.original"] = module.quant_state
    return found


def state_bytes(state: Any) -> int:
    """Bytes of a weight's scales: 8 bits a block of 64, 32 bits for 256 of those, and two tables of values."""
    return int(state.absmax.nbytes + state.state2.absmax.nbytes + state.code.nbytes + state.state2.code.nbytes)


@torch.no_grad()
def round_to_four_bit(model: PreTrainedModel, dtype: torch.dtype) -> None:
    """Put in place of each weight that QLoRA freezes the value that it trains against.

    Args:
        model: the full-precision base.
        dtype: the type from which training quantized, since NF4 of bf16 weights is not quite NF4 of fp32 ones.
    """
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    for weight in quantizable(model):
        packed, state = quantize_4bit(
            weight.to(dtype), blocksize=BLOCK, compress_statistics=True, quant_type=QUANT_TYPE
        )
        weight.copy_(dequantize_4bit(packed, state))


def quantizable(model: PreTrainedModel) -> Iterator[torch.Tensor]:
    """The weights that `method: qlora` stores in 4 bits."""
    head = model.get_output_embeddings()
    yield from (m.weight for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not head)
    yield from (getattr(module, name) for module, name in _fused(model))


def _fused(model: torch.nn.Module) -> Iterator[tuple[torch.nn.Module, str]]:
    for module in model.modules():
        yield from ((module, name) for name, w in module.named_parameters(recurse=False) if w.ndim == 3)


def _four_bit_layers(model: torch.nn.Module) -> Iterator[tuple[str, Any]]:
    library = sys.modules.get("bitsandbytes")  # a model with such layers has imported it
    if library is not None:
        yield from ((n, module) for n, module in model.named_modules() if isinstance(module, library.nn.Linear4bit))


def _check_packed(name: str, weight: torch.Tensor, state: Any) -> None:
    values = state.shape.numel()
    blocks = -(-values // BLOCK)
    found = {
        "weight type": (weight.dtype, torch.uint8),
        "quantization": (getattr(state, "quant_type", None), QUANT_TYPE),
        "double quantization": (getattr(state, "nested", None), True),
        "bytes of weights": (weight.nbytes, -(-values // 2)),
        "bytes of scales": (state.absmax.nbytes, blocks),
    }
    for what, (actual, wanted) in found.items():
        if actual != wanted:
            raise CheckFailed(f"{name}: {what} is {actual}, not {wanted}; nothing was trained")
