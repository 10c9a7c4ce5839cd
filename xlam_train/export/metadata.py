"""What a GGUF file says about where its model comes from, by the conventions of gguf's own `Metadata`.

The sources are the folder's model card, its configs, and the provenance.json of the training run, where the card
is silent.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import gguf
import yaml

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xlam_train.export.tensors import TensorSource

PROVENANCE = "provenance.json"
_EXPERTS = "_exps.weight"
_TEXTS = (
    "name",
    "author",
    "version",
    "organization",
    "description",
    "basename",
    "finetune",
    "size_label",
    "license",
    "license_name",
    "license_link",
    "source_url",
    "source_repo_url",
    "tags",
    "languages",
)
# What llama.cpp would sample with unless told otherwise.
_SAMPLING = tuple(field for field in gguf.Metadata.__dataclass_fields__ if field.startswith("sampling_"))


def add_description(
    writer: gguf.GGUFWriter, model_dir: Path, tensors: Sequence[TensorSource], name: str | None
) -> None:
    """Put name, size label, licence, parents, data, tags and languages into the writer's metadata.

    Args:
        writer: of the file.
        model_dir: Hugging Face folder; README.md, config.json, generation_config.json and provenance.json count.
        tensors: of the model; they give the size label, such as "1.3B" or "8x7B".
        name: `general.name`; by default that of the card, else the folder's.

    Raises:
        InputError: the header of README.md is no YAML or has a value that is no text, or provenance.json is no JSON.
    """
    metadata = _load(model_dir, name, sum(math.prod(tensor.shape) for tensor in tensors))
    if not read_optional(model_dir / "generation_config.json").get("do_sample"):
        for field in _SAMPLING:  # transformers does not use them then, so llama.cpp is not to either
            setattr(metadata, field, None)
    _check_text(metadata, model_dir / "README.md")
    metadata.size_label = metadata.size_label or size_label(tensors)
    _add_provenance(metadata, read_optional(model_dir / PROVENANCE))
    metadata.set_gguf_meta_model(writer)


def _load(model_dir: Path, name: str | None, parameters: int) -> gguf.Metadata:
    """As llama.cpp's converter reads it; resolved, because the folder's name may be in it."""
    try:
        return gguf.Metadata.load(None, model_dir.resolve(), name, parameters)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{model_dir / 'README.md'}: the header is no YAML ({reason}); mend it") from error


def _check_text(metadata: gguf.Metadata, card: Path) -> None:
    """YAML makes a number of an unquoted 2024 and a truth value of Norwegian's code, `no`."""
    for field in _TEXTS:
        value = getattr(metadata, field)
        values = value if isinstance(value, list) else [value]
        if not all(part is None or isinstance(part, str) for part in values):
            raise InputError(f"{card}: {field} has a value that is no text ({value}); put it in quotes")


def read_optional(path: Path) -> dict[str, Any]:
    """A JSON object, empty where there is no file.

    Raises:
        InputError: the file is no JSON object.
    """
    content = read_json(path) if path.is_file() else {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a JSON object; mend or remove it")
    return content


def size_label(tensors: Sequence[TensorSource]) -> str:
    """Number of weights as in model names: "135M", or for experts their number and one path's size: "8x7B"."""
    experts = [tensor for tensor in tensors if tensor.name.endswith(_EXPERTS)]
    total = sum(math.prod(tensor.shape) for tensor in tensors)
    of_experts = sum(math.prod(tensor.shape) for tensor in experts)
    count = experts[0].shape[0] if experts else 0
    label: str = gguf.size_label(total, total - of_experts, of_experts // max(count, 1), count)
    return label


def _add_provenance(metadata: gguf.Metadata, provenance: dict[str, Any]) -> None:
    """Base, data and licences of the training run, where the card names none."""
    base, dataset = provenance.get("base") or {}, provenance.get("dataset") or {}
    if base.get("name") and not metadata.base_models:
        metadata.base_models = [_parent(base["name"], base.get("revision"))]
    if dataset.get("name") and not metadata.datasets:
        metadata.datasets = [{"name": dataset["name"], "description": f"sha256 {dataset.get('sha256')}"}]
    licences = provenance.get("licences") or {}
    found = [licences[parent] for parent in ("base", "dataset") if licences.get(parent)]
    if found and metadata.license is None:
        metadata.license = ", ".join(dict.fromkeys(found))


def _parent(name: str, revision: str | None) -> dict[str, str]:
    # Only the last part: the rest may be a folder of the machine that trained.
    known = {"name": name.rstrip("/").rpartition("/")[2]}
    return known | ({"version": revision} if revision else {})
