"""An adapter folded into its base model, with the proof that the model still says the same."""

from __future__ import annotations

import errno
import os
import shutil
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM
from transformers.core_model_loading import revert_weight_conversion

from data_pipeline.core.errors import CheckFailed, InputError
from data_pipeline.core.jsonl import read_json
from xlam_train.export.files import whole_folder
from xlam_train.fingerprint import check_base, read_record
from xlam_train.quantize import require_bitsandbytes, round_to_four_bit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from xlam_train.fingerprint import BaseRecord

Dtype = Literal["float32", "float16", "bfloat16"]

# What is learned: the matrices of the adapter, and the rows of added tokens.
_LEARNED = ("lora_", "trainable_tokens_delta")
# Everything beside the weights that a merged model shares with its base, or with an adapter that brings its own.
_GENERATION = "generation_config.json"
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)


@dataclass(frozen=True)
class MergeReport:
    """What was merged.

    Attributes:
        path: folder of the merged model.
        parameters: number of its parameters, tied ones counted once.
        max_relative_difference: largest logit difference between adapter and merged model on the probes, as a
            share of the largest logit; in float32, before the weights are cast to the wanted type.
        seconds: wall time.
    """

    path: Path
    parameters: int
    max_relative_difference: float
    seconds: float


def merge_adapter(
    base_dir: Path,
    adapter_dir: Path,
    out_dir: Path,
    *,
    probe_ids: list[list[int]],
    dtype: Dtype = "float32",
    tolerance: float = 1e-3,
) -> MergeReport:
    """Merge a LoRA, rsLoRA or DoRA adapter into its base in float32, check the logits, save.

    An adapter that was trained on 4-bit weights is merged into the values that those stand for: the result is what
    training measured, in full precision. Added tokens get their rows, and the adapter's tokenizer goes with them.

    Args:
        base_dir: Hugging Face folder of the base model, in full precision.
        adapter_dir: peft folder with adapter_config.json and adapter_model.safetensors.
        out_dir: folder to make; it appears whole or not at all. An older model there is replaced at the end.
        probe_ids: real prompts as token ids; the adapter and the merged model must agree on all of them.
        dtype: type of the saved weights.
        tolerance: largest allowed `max_relative_difference`.

    Raises:
        InputError: a folder is not what it should be, the adapter belongs to another base, bitsandbytes is missing
            for a 4-bit one, or the disk is full.
        CheckFailed: the merged model disagrees with the adapter, or the saved weights with the merged model.
    """
    started = time.perf_counter()
    _check_folders(base_dir, adapter_dir, out_dir)
    model = _load(base_dir, adapter_dir)
    _check_probes(probe_ids, model.config.vocab_size)
    before = _logits(model, probe_ids)
    merged = _merge(model, adapter_dir)
    difference = relative_difference(before, _logits(merged, probe_ids))
    # Written so that NaN fails too.
    if not difference <= tolerance:
        raise CheckFailed(
            f"{adapter_dir}: logits changed by {difference:.3g} of the largest in the merge, {tolerance:g} is allowed; "
            "nothing was saved"
        )
    parameters = sum(parameter.numel() for parameter in merged.parameters())
    _save(merged.to(getattr(torch, dtype)), base_dir, adapter_dir, out_dir)
    return MergeReport(out_dir, parameters, difference, time.perf_counter() - started)


def relative_difference(expected: list[torch.Tensor], actual: list[torch.Tensor]) -> float:
    """max|a - b| / max|a| over all pairs; NaN where a value is not finite.

    Args:
        expected: one tensor a probe.
        actual: the same shapes.
    """
    gap = torch.stack([(a - b).abs().max() for a, b in zip(expected, actual, strict=True)]).max()
    scale = torch.stack([a.abs().max() for a in expected]).max()
    return float(gap / scale) if torch.isfinite(scale) else float("nan")


def _check_folders(base_dir: Path, adapter_dir: Path, out_dir: Path) -> None:
    if not (base_dir / "config.json").is_file():
        raise InputError(f"{base_dir}: no config.json, so no model folder; give the base model's folder")
    if read_json(base_dir / "config.json").get("quantization_config"):
        raise InputError(f"{base_dir}: the base is quantized; merge into the full-precision base model")
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (adapter_dir / name).is_file():
            raise InputError(f"{adapter_dir}: no {name}, so no adapter; give the folder that training saved")
    kind = read_json(adapter_dir / "adapter_config.json").get("peft_type")
    if kind != "LORA":
        raise InputError(f"{adapter_dir}: a {kind} adapter cannot be merged; train with LoRA")
    _check_out(out_dir, (base_dir, adapter_dir))


def _check_out(out_dir: Path, sources: tuple[Path, ...]) -> None:
    """Replacing `out_dir` deletes what was there, so it must be an old result and hold none of the inputs."""
    if any(source.resolve().is_relative_to(out_dir.resolve()) for source in sources):
        raise InputError(f"{out_dir}: holds the base or the adapter and would be replaced; choose another --out")
    if out_dir.exists() and not out_dir.is_dir():
        raise InputError(f"{out_dir}: a file is in the way; choose another --out")
    if out_dir.is_dir() and any(out_dir.iterdir()) and not (out_dir / "config.json").is_file():
        raise InputError(f"{out_dir}: has files that are no model and would be replaced; choose another --out")


def _check_probes(probe_ids: list[list[int]], vocabulary: int) -> None:
    if not probe_ids or not all(probe_ids):
        raise InputError("no probe prompts to check the merge with; give at least one, none of them empty")
    if max(map(max, probe_ids)) >= vocabulary or min(map(min, probe_ids)) < 0:
        raise InputError(f"probe ids outside 0..{vocabulary - 1}; encode them with the base model's tokenizer")


def _load(base_dir: Path, adapter_dir: Path) -> Any:
    """The base in float32 with the adapter on it, ready for inference."""
    record = read_record(adapter_dir)
    if record is not None:
        check_base(record, adapter_dir, base_dir)
    try:
        base = AutoModelForCausalLM.from_pretrained(
            base_dir, dtype=torch.float32, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{base_dir}: cannot be loaded ({_first_line(error)}); check the folder") from error
    if record is not None:
        _prepare_as_trained(base, record)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peft warns about missing weights; _check_adapter makes it an error
            model = PeftModel.from_pretrained(base, adapter_dir)
    except (RuntimeError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise InputError(
            f"{adapter_dir}: does not fit {base_dir} ({_first_line(error)}); give the base it was trained on"
        ) from error
    _check_adapter(model, base_dir, adapter_dir)
    return model.eval()


def _prepare_as_trained(base: Any, record: BaseRecord) -> None:
    """The base as the adapter saw it: rows for added tokens, whose values the adapter brings, and 4-bit values."""
    if record.rows > base.config.vocab_size:
        base.resize_token_embeddings(record.rows, mean_resizing=False)
    if record.four_bit is not None:
        require_bitsandbytes()
        round_to_four_bit(base, getattr(torch, record.four_bit))


def _check_adapter(model: Any, base_dir: Path, adapter_dir: Path) -> None:
    """peft loads an adapter of a deeper or shallower model without complaint: compare the names."""
    expected = _learned(get_peft_model_state_dict(model, save_embedding_layers=False))
    with safe_open(adapter_dir / "adapter_model.safetensors", framework="pt") as weights:
        stored = _learned(weights.keys())
    if odd := sorted(expected ^ stored):
        raise InputError(
            f"{adapter_dir}: does not fit {base_dir} ({len(odd)} weights without a counterpart, first {odd[0]}); "
            "give the base it was trained on"
        )


def _learned(names: Iterable[str]) -> set[str]:
    return {name for name in names if any(part in name for part in _LEARNED)}


def _first_line(error: Exception) -> str:
    """The part of a library's message that fits in one line; size mismatches stand in the second."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return " ".join(lines[:2])[:200]


@torch.inference_mode()
def _logits(model: Any, probe_ids: list[list[int]]) -> list[torch.Tensor]:
    """One [tokens, vocabulary] tensor a probe."""
    return [model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].clone() for ids in probe_ids]


def _merge(model: Any, adapter_dir: Path) -> Any:
    try:
        return model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise CheckFailed(f"{adapter_dir}: the merge broke ({_first_line(error)}); nothing was saved") from error


def _save(merged: Any, base_dir: Path, adapter_dir: Path, out_dir: Path) -> None:
    needed = sum(parameter.nbytes for parameter in merged.parameters())
    with whole_folder(out_dir, needed) as temporary:
        try:
            merged.save_pretrained(temporary)
        except SafetensorError as error:
            # safetensors wraps what the system said; a full disk must be told as one.
            if f"os error {errno.ENOSPC}" in str(error):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise
        _check_saved(merged, temporary)
        tokenizer = adapter_dir if (adapter_dir / "tokenizer.json").is_file() else base_dir
        generation = adapter_dir if (adapter_dir / _GENERATION).is_file() else base_dir
        for source in (*(tokenizer / name for name in _TOKENIZER), generation / _GENERATION):
            if source.is_file():
                shutil.copyfile(source, temporary / source.name)


def _check_saved(merged: Any, folder: Path) -> None:
    """Read every saved tensor again and compare it bit for bit with the model that was checked.

    Raises:
        CheckFailed: a tensor is missing, different, or not finite in the saved type.
    """
    state = revert_weight_conversion(merged, merged.state_dict())  # experts are fused in memory, single in the file
    stored = set()
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - the handle is no mapping
                value = weights.get_tensor(name)
                stored.add(state[name].data_ptr())
                if not (torch.equal(value, state[name]) and bool(torch.isfinite(value).all())):
                    raise CheckFailed(f"{name} is not what was merged, or too large for {value.dtype}; nothing saved")
    # Tied weights are stored once: what counts is the memory, not the name.
    if lost := [name for name, value in state.items() if value.data_ptr() not in stored]:
        raise CheckFailed(f"{len(lost)} weights were not saved, first {lost[0]}; nothing was kept")
