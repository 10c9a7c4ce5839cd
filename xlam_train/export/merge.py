"""An adapter folded into its base model, with the proof that the model still says the same.

The merged model is made tensor by tensor (merge_stream.py), so that neither it nor its base is ever in memory beside
the other; then it is loaded from the disk and compared with the adapter on its base (merge_check.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from xlam_train.export.adapter import Adapter
from xlam_train.export.files import check_replaceable, whole_folder
from xlam_train.export.finish import copy_companions, finish_model
from xlam_train.export.merge_check import check_merged, check_probes, reference
from xlam_train.export.merge_stream import BaseWeights, MergedWeights
from xlam_train.export.origin import read_origin, require_folder
from xlam_train.export.shards import SHARD_SIZE, parse_size, write_shards
from xlam_train.fingerprint import check_base, read_record
from xlam_train.quantize import require_bitsandbytes

if TYPE_CHECKING:
    from pathlib import Path

    from data_pipeline.core.variants import ToolConversion, Variant
    from xlam_train.export.merge_check import Reference

Dtype = Literal["float32", "float16", "bfloat16"]
_OVERHEAD = 2**26  # bytes for the tokenizer and other files


@dataclass(frozen=True)
class MergeReport:
    """What was merged.

    Attributes:
        path: folder of the merged model.
        parameters: number of its parameters, tied ones counted once.
        dtype: type of its weights.
        scale: factor of the low-rank changes.
        shards: files that they are in.
        max_relative_difference: largest logit difference between the adapter on its base and the merged model as
            loaded from the disk, on the probes, as a share of the largest logit.
        adapter_effect: the same between the adapter and the base without it, to compare with.
        seconds: wall time.
    """

    path: Path
    parameters: int
    dtype: Dtype
    scale: float
    shards: int
    max_relative_difference: float
    adapter_effect: float
    seconds: float


def merge_adapter(
    base_dir: Path,
    adapter_dir: Path,
    out_dir: Path,
    *,
    probe_ids: list[list[int]],
    dtype: Dtype | None = None,
    scale: float = 1.0,
    shard_size: str = SHARD_SIZE,
    variant: Variant | None = None,
    conversion: ToolConversion | None = None,
) -> MergeReport:
    """Merge a LoRA, rsLoRA or DoRA adapter into its base in float32, save, load, and compare the logits.

    An adapter that was trained on 4-bit weights is merged into the values that those stand for: the result is what
    training measured, in full precision. Added tokens get their rows, and the adapter's tokenizer goes with them.
    The folder's chat template is the prompt that was trained; its generation config ends where training ended answers.

    Args:
        base_dir: Hugging Face folder of the base model, in full precision.
        adapter_dir: peft folder with adapter_config.json and adapter_model.safetensors.
        out_dir: folder to make; it appears whole or not at all. An older model there is replaced at the end.
        probe_ids: real prompts as token ids, on which both must agree.
        dtype: type of the saved weights; None keeps the one that the base is stored in. What the comparison then
            allows is `merge_check.allowed_difference`.
        scale: factor of the low-rank changes, for both sides of the comparison; rows of added tokens and layers that
            were trained whole stay whole. Below 1 the weights lie between the base's and the trained ones, which can
            answer unlike questions better (WiSE-FT, Wortsman et al. 2022, section 3).
        shard_size: most that a file of weights holds, such as `500MB`.
        variant: prompt variant of the chat template; None takes the one of the run's recipe.
        conversion: how schemas stand in that prompt; None likewise.

    Raises:
        InputError: a folder is not what it should be, the adapter belongs to another base or cannot be scaled,
            bitsandbytes is missing for a 4-bit one, another export writes the folder, or the disk is full.
        CheckFailed: the merged model disagrees with the adapter, or a weight does not fit its type.
    """
    started = time.perf_counter()
    shard_bytes = parse_size(shard_size)
    base, adapter = _open(base_dir, adapter_dir, out_dir, scale)
    record = read_record(adapter_dir)
    if record is not None:
        check_base(record, adapter_dir, base_dir)
        if record.four_bit is not None:
            require_bitsandbytes()
    stored = getattr(torch, dtype) if dtype else base.dtype()
    merged = MergedWeights(base, adapter, record, stored)
    check_probes(probe_ids, merged.rows)
    expected = reference(base_dir, adapter, record, probe_ids)
    with whole_folder(out_dir, sum(slot.nbytes for slot in merged.slots) + _OVERHEAD) as folder:
        shards = write_shards(folder, merged.slots, iter(merged), shard_bytes)
        _write_config(folder, base_dir, merged, expected, stored)
        copy_companions(folder, base_dir, adapter_dir)
        origin = read_origin(adapter_dir) | ({"adapter_scale": scale} if scale != 1 else {})
        finish_model(folder, variant=variant, conversion=conversion, origin=origin)
        difference = check_merged(folder, expected, probe_ids, stored)
    parameters = sum(torch.Size(slot.shape).numel() for slot in merged.slots)
    seconds = time.perf_counter() - started
    return MergeReport(out_dir, parameters, _name(stored), scale, shards, difference, expected.effect, seconds)


def _open(base_dir: Path, adapter_dir: Path, out_dir: Path, scale: float) -> tuple[BaseWeights, Adapter]:
    require_folder(base_dir)
    if read_json(base_dir / "config.json").get("quantization_config"):
        raise InputError(f"{base_dir}: the base is quantized; merge into the full-precision base model")
    adapter = Adapter(adapter_dir, scale)
    check_replaceable(out_dir, (base_dir, adapter_dir))
    return BaseWeights(base_dir), adapter


def _write_config(folder: Path, base_dir: Path, merged: MergedWeights, expected: Reference, dtype: torch.dtype) -> None:
    """The base's config with what the merge changed; no code that its publisher put beside it is named any more."""
    config: dict[str, Any] = read_json(base_dir / "config.json")
    changes = {"vocab_size": merged.rows, "dtype": _name(dtype), "tie_word_embeddings": merged.tied, "use_cache": True}
    dropped = ("torch_dtype", "auto_map", "_name_or_path")
    kept = {key: value for key, value in config.items() if key not in dropped}
    write_json(folder / "config.json", {**kept, **changes, "architectures": [expected.architecture]})


def _name(dtype: torch.dtype) -> Dtype:
    names: dict[torch.dtype, Dtype] = {
        torch.float32: "float32",
        torch.float16: "float16",
        torch.bfloat16: "bfloat16",
    }
    return names[dtype]
