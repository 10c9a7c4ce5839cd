"""The proof of a merge: the merged files say on real prompts what the adapter on its base says.

Both are computed by transformers in float32, and peft puts the adapter on, so nothing of the code that merges is
trusted. What differs is float32's order of summation and the rounding of the saved weights, so the allowed difference
depends on the type. As it would hide the loss of an adapter that changes little, half of what the adapter changes is
never allowed, unless that is below float32's noise.
"""

from __future__ import annotations

import gc
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from peft import PeftModel, get_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM

from data_pipeline.core.errors import CheckFailed, InputError
from xlam_train.export.adapter import EMBEDDING
from xlam_train.quantize import require_bitsandbytes, round_to_four_bit

if TYPE_CHECKING:
    from pathlib import Path

    from xlam_train.export.adapter import Adapter
    from xlam_train.fingerprint import BaseRecord

Logits = list[torch.Tensor]
"""One [tokens, vocabulary] tensor a prompt."""

ALLOWED = {torch.float32: 1e-4, torch.float16: 5e-3, torch.bfloat16: 5e-2}
"""Largest difference of a logit, as a share of the largest logit, by the type of the saved weights.

Measured on SmolLM2-135M with an adapter of rank 32 and three prompts of 600 tokens: 1.6e-6, 1.0e-3 and 9.5e-3. Rounding
grows with depth and width, so five times that is allowed for half precision, where 8 bits less make 8 times more.
"""

NOISE = 1e-5
"""Difference that float32 itself makes."""

_BROKEN = (OSError, ValueError, RuntimeError, KeyError, SafetensorError)


@dataclass(frozen=True)
class Reference:
    """What the adapter says.

    Attributes:
        logits: of the adapter on its base.
        effect: `relative_difference` of the base alone to it.
        architecture: name of the model's class.
    """

    logits: Logits
    effect: float
    architecture: str


def reference(base_dir: Path, adapter: Adapter, record: BaseRecord | None, probe_ids: list[list[int]]) -> Reference:
    """Ask base and adapter in float32; neither is in memory afterwards.

    Raises:
        InputError: the base cannot be loaded, or the adapter does not fit it.
    """
    base = _load(base_dir, torch.float32)
    _prepare_as_trained(base, adapter, record)
    name = type(base).__name__
    model = _with_adapter(base, base_dir, adapter)
    found = logits(model, probe_ids)
    with model.disable_adapter():
        effect = relative_difference(found, logits(model, probe_ids))
    del base, model
    gc.collect()
    return Reference(found, effect, name)


def check_merged(folder: Path, expected: Reference, probe_ids: list[list[int]], dtype: torch.dtype) -> float:
    """Load a merged folder as everyone will, and compare it.

    Args:
        folder: of the merged model.
        expected: of base and adapter.
        probe_ids: the same prompts.
        dtype: of the saved weights; the arithmetic is float32, so only their rounding counts.

    Returns:
        `relative_difference`.

    Raises:
        CheckFailed: it cannot be loaded, or says something else.
    """
    try:
        model = _load(folder, dtype).float()
    except InputError as error:
        raise CheckFailed(f"the merged model is broken: {error}") from error
    difference = relative_difference(expected.logits, logits(model, probe_ids))
    allowed = allowed_difference(dtype, expected.effect)
    kind = str(dtype).removeprefix("torch.")
    # Written so that NaN fails too.
    if not difference <= allowed:
        lost = difference > ALLOWED[torch.float32] and allowed < ALLOWED[dtype]
        hint = f"; {kind} loses what the adapter changes, save as float32" if lost else ""
        raise CheckFailed(
            f"logits changed by {difference:.3g} of the largest in the merge, {allowed:.3g} is allowed for {kind}{hint}"
        )
    return difference


def allowed_difference(dtype: torch.dtype, effect: float) -> float:
    """The bar for `relative_difference`.

    Args:
        dtype: of the saved weights.
        effect: what the adapter changes, measured alike.
    """
    return max(NOISE, min(ALLOWED[dtype], effect / 2))


def relative_difference(expected: Logits, actual: Logits) -> float:
    """max|a - b| / max|a| over all pairs; NaN where a value is not finite.

    Args:
        expected: one tensor a probe.
        actual: the same shapes.
    """
    gap = torch.stack([(a - b).abs().max() for a, b in zip(expected, actual, strict=True)]).max()
    scale = torch.stack([a.abs().max() for a in expected]).max()
    return float(gap / scale) if torch.isfinite(scale) else float("nan")


@torch.inference_mode()
def logits(model: Any, probe_ids: list[list[int]]) -> Logits:
    """Of every position of each prompt."""
    return [model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].clone() for ids in probe_ids]


def check_probes(probe_ids: list[list[int]], rows: int) -> None:
    """Raises:
    InputError: no prompts, or ids that the model does not know.
    """
    if not probe_ids or not all(probe_ids):
        raise InputError("no probe prompts to check the merge with; give at least one, none of them empty")
    if max(map(max, probe_ids)) >= rows or min(map(min, probe_ids)) < 0:
        raise InputError(f"probe ids outside 0..{rows - 1}; encode them with the model's tokenizer")


def _load(folder: Path, dtype: torch.dtype) -> Any:
    """A model ready for inference; weights in the file's own type stay mapped, not copied."""
    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, trust_remote_code=False, local_files_only=True, output_loading_info=True
        )
    except _BROKEN as error:
        raise InputError(f"{folder}: cannot be loaded ({first_line(error)}); check the folder") from error
    # transformers fills gaps with random numbers.
    if odd := sorted({*found["missing_keys"], *found["unexpected_keys"]}):
        raise InputError(f"{folder}: the weights do not fit config.json, first {odd[0]}; copy the folder again")
    return model.eval()


def _prepare_as_trained(base: Any, adapter: Adapter, record: BaseRecord | None) -> None:
    """The base as the adapter saw it: rows for added tokens, whose values the adapter brings, and 4-bit values."""
    rows = record.rows if record else adapter.rows_of(EMBEDDING) or 0
    if rows > base.config.vocab_size:
        base.resize_token_embeddings(rows, mean_resizing=False)
    if record is not None and record.four_bit is not None:
        require_bitsandbytes()
        round_to_four_bit(base, getattr(torch, record.four_bit))


def _with_adapter(base: Any, base_dir: Path, adapter: Adapter) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peft warns about missing weights; the names below make it an error
            model = PeftModel.from_pretrained(base, adapter.folder)
    except (*_BROKEN, TypeError) as error:
        raise InputError(
            f"{adapter.folder}: does not fit {base_dir} ({first_line(error)}); give the base it was trained on"
        ) from error
    # peft loads an adapter of a deeper or shallower model without complaint.
    expected = _learned(get_peft_model_state_dict(model, save_embedding_layers=False))
    if odd := sorted(expected ^ _learned(adapter.stored)):
        raise InputError(
            f"{adapter.folder}: does not fit {base_dir} ({len(odd)} weights without a counterpart, first {odd[0]}); "
            "give the base it was trained on"
        )
    for module in model.modules():
        if isinstance(module, LoraLayer) and adapter.scale != 1:
            module.scale_layer(adapter.scale)
    return model.eval()


def _learned(names: Any) -> set[str]:
    """Matrices of the adapter, and rows of added tokens."""
    return {name for name in names if "lora_" in name or "trainable_tokens_delta" in name}


def first_line(error: Exception) -> str:
    """The part of a library's message that fits in one line; size mismatches stand in the second."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return " ".join(lines[:2])[:200]
