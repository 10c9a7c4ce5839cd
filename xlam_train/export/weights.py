"""Safetensors of a Hugging Face folder, read one part of a tensor at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_FLOATS = ("F64", "F32", "F16", "BF16")
_BUFFERS = (
    ".rotary_emb.inv_freq",
    ".attention.bias",
    ".attention.masked_bias",
)  # of old checkpoints; recomputed


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies; `read` brings it into memory."""

    name: str
    shape: tuple[int, ...]
    file: Path

    def read(self, *index: int | slice) -> NDArray[Any]:
        """Values as float16 where stored so, else as float32, for numpy has no bfloat16.

        Args:
            index: of the part wanted, outermost dimension first; everything without one.
        """
        # Opened anew for each part: a mapping kept open would count all pages read so far as ours.
        with safe_open(self.file, framework="pt") as weights:
            tensor = weights.get_slice(self.name)[index or ...]
        values: NDArray[Any] = (tensor if tensor.dtype == torch.float16 else tensor.float()).numpy()
        return values


def locate_tensors(model_dir: Path) -> dict[str, StoredTensor]:
    """All tensors of a folder by name, in the order of its files.

    Raises:
        InputError: no safetensors, a shard is missing or damaged, or weights that are not plain floats.
    """
    found: dict[str, StoredTensor] = {}
    for file in _weight_files(model_dir):
        try:
            with safe_open(file, framework="pt") as weights:
                for name in weights.keys():  # noqa: SIM118 - the handle is no mapping
                    found[name] = _stored(weights, name, file)
        except (SafetensorError, OSError) as error:
            raise InputError(
                f"{file}: cannot be read, cut short or damaged ({error}); copy or save it again"
            ) from error
    return {name: tensor for name, tensor in found.items() if not name.endswith(_BUFFERS)}


def _stored(weights: Any, name: str, file: Path) -> StoredTensor:
    view = weights.get_slice(name)
    if view.get_dtype() not in _FLOATS:
        raise InputError(f"{file}: {name} is stored as {view.get_dtype()}; export the model in full precision")
    return StoredTensor(name, tuple(view.get_shape()), file)


def _weight_files(model_dir: Path) -> list[Path]:
    index = model_dir / "model.safetensors.index.json"
    if index.is_file():
        files = [model_dir / name for name in _shards(index)]
        if missing := [file.name for file in files if not file.is_file()]:
            raise InputError(f"{index}: names {missing[0]}, which is not there; copy the whole folder again")
        return files
    single = model_dir / "model.safetensors"
    if not single.is_file():
        raise InputError(f"{single}: no such file; save the model as safetensors (model.save_pretrained)")
    return [single]


def _shards(index: Path) -> list[str]:
    """Files that an index names."""
    content = read_json(index)
    weight_map = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(weight_map, dict) or not weight_map:
        raise InputError(f"{index}: has no weight_map; copy or save the weights again")
    return sorted(set(weight_map.values()))
