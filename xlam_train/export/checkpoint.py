"""A run that was killed still has its checkpoints: their weights as the folder that the run would have saved.

Reads what one process, DDP and DeepSpeed's ZeRO leave, needs no GPU and no launcher, and takes the float32 masters
where there are some, rather than the rounded copies beside them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from safetensors.torch import save_file

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from xlam_train.base import default_cache, load_tokenizer, prepare_base
from xlam_train.checkpoints import is_complete
from xlam_train.export.adapter import CONFIG, EMBEDDING, WEIGHTS
from xlam_train.export.experts import ExpertGroup, published, split
from xlam_train.export.files import check_replaceable, whole_folder
from xlam_train.export.finish import GENERATION, generation_settings
from xlam_train.export.merge_stream import BaseWeights
from xlam_train.export.origin import read_origin, read_recipe, require_folder
from xlam_train.export.shards import SHARD_SIZE, Slot, parse_size, write_shards
from xlam_train.export.zero import ZeroShards
from xlam_train.fingerprint import BaseRecord
from xlam_train.life.provenance import PROVENANCE, licences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PRECISIONS = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}


class _Weights(Protocol):
    """Tensors by name, read one by one in float32."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]: ...

    def read(self, name: str) -> torch.Tensor: ...


def recover_weights(checkpoint: Path, out: Path, base: Path | None = None) -> Path:
    """Write a checkpoint's weights as training would have saved them: an adapter's folder, or a model's.

    An adapter is merged like any other; a model gets its chat template from `finish_model`.

    Args:
        checkpoint: folder `checkpoint-N` below `checkpoints` in the folder of a run.
        out: the folder to make; it appears whole or not at all.
        base: folder of the base model; None takes the recipe's, from where training took it.

    Returns:
        `out`.

    Raises:
        InputError: the checkpoint is incomplete or belongs to no run, or the base is not at hand.
    """
    run = checkpoint.resolve().parents[1]
    recipe = read_recipe(run)
    if recipe is None:
        raise InputError(f"{checkpoint}: no recipe.json in {run}; give a checkpoint in the folder of its run")
    if not is_complete(checkpoint):
        raise InputError(f"{checkpoint}: is not complete; take an earlier one of {checkpoint.parent}")
    if base is None:
        base = prepare_base(recipe["model"]["base"], default_cache(), recipe["model"]["revision"])
    require_folder(base)
    check_replaceable(out, (checkpoint, base))
    shards = next((path for path in checkpoint.glob("global_step*") if path.is_dir()), None)
    zero = ZeroShards(shards) if shards else None
    adapter = (checkpoint / CONFIG).is_file()
    with whole_folder(out, _size(checkpoint if adapter else base, float32=adapter)) as folder:
        if adapter:
            _write_adapter(folder, checkpoint, base, zero, recipe)
        else:
            _write_model(folder, checkpoint, base, zero)
        _write_rest(folder, checkpoint, base, recipe)
    return out


def _size(folder: Path, float32: bool) -> int:
    """Bytes of the weights in a folder, or of the masters that half precision stands for, which take twice as much."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors")) * (2 if float32 else 1)


def _write_adapter(folder: Path, checkpoint: Path, base: Path, zero: ZeroShards | None, recipe: dict[str, Any]) -> None:
    shutil.copyfile(checkpoint / CONFIG, folder / CONFIG)
    if zero is None:
        shutil.copyfile(checkpoint / WEIGHTS, folder / WEIGHTS)
    else:
        state = {_saved_name(name): zero.read(name).contiguous() for name in zero.shapes}
        save_file(state, folder / WEIGHTS, {"format": "pt"})
    four_bit = _four_bit(zero, recipe, checkpoint) if recipe["method"] == "qlora" else None
    BaseRecord.of(base, _rows(base, recipe), four_bit).write(folder)


def _saved_name(name: str) -> str:
    """peft leaves the adapter's name, `default`, out of what it saves."""
    return name.replace(".lora_magnitude_vector.default.weight", ".lora_magnitude_vector").replace(".default", "")


def _rows(base: Path, recipe: dict[str, Any]) -> int:
    """Embedding rows in training: the base's own, or more where added tokens needed some."""
    known = int(read_json(base / "config.json")["vocab_size"])
    added = recipe["model"]["added_tokens"]
    tokenizer = load_tokenizer(base, added)
    ids = [int(tokenizer.convert_tokens_to_ids(text)) for text in added]
    return max([known, *(number + 1 for number in ids)])


def _four_bit(zero: ZeroShards | None, recipe: dict[str, Any], checkpoint: Path) -> str:
    """The type from which the base was quantized, which is the one of the arithmetic."""
    if zero is not None:
        return str(zero.compute).removeprefix("torch.")
    if recipe["precision"] not in _PRECISIONS:
        raise InputError(
            f"{checkpoint}: precision 'auto' does not say from which type the base was quantized; write bf16 or fp32, "
            "whichever the run showed, into recipe.json of the run"
        )
    return _PRECISIONS[recipe["precision"]]


def _write_model(folder: Path, checkpoint: Path, base: Path, zero: ZeroShards | None) -> None:
    """In the type that the base is stored in, as training does."""
    weights: _Weights = zero or BaseWeights(checkpoint)
    dtype = BaseWeights(base).dtype()
    places = {name: published(name, tuple(shape)) for name, shape in weights.shapes.items()}
    slots = [slot for name, place in places.items() for slot in _slots(place, tuple(weights.shapes[name]), dtype)]
    write_shards(folder, slots, _published_tensors(weights, places), parse_size(SHARD_SIZE))
    config = read_json(base / "config.json")
    changes = {"vocab_size": weights.shapes[EMBEDDING][0], "dtype": str(dtype).removeprefix("torch.")}
    write_json(folder / "config.json", {**config, **changes})


def _slots(place: ExpertGroup | str, shape: tuple[int, ...], dtype: torch.dtype) -> list[Slot]:
    if isinstance(place, str):
        return [Slot(place, shape, dtype)]
    return [Slot(name, (shape[1] // place.parts, shape[2]), dtype) for name in place.names]


def _published_tensors(weights: _Weights, places: dict[str, ExpertGroup | str]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, place in places.items():
        value = weights.read(name)
        if isinstance(place, str):
            yield place, value
            continue
        for expert in range(place.experts):
            yield from zip(place.of_expert(expert), split(value[expert], place.parts), strict=True)


def _write_rest(folder: Path, checkpoint: Path, base: Path, recipe: dict[str, Any]) -> None:
    added = recipe["model"]["added_tokens"]
    tokenizer = load_tokenizer(base, added)
    if added or (folder / "config.json").is_file():
        tokenizer.save_pretrained(folder)
    write_json(folder / GENERATION, generation_settings(base, tokenizer))
    origin = read_origin(checkpoint.parent)  # the recipe of the run, as a result of it would have it
    about = {
        "base": {"name": Path(recipe["model"]["base"]).name, "revision": recipe["model"]["revision"]},
        "licences": licences(base, Path(recipe["data"]["path"])),
        "checkpoint": checkpoint.name,
    }
    write_json(folder / PROVENANCE, {**about, **origin})
