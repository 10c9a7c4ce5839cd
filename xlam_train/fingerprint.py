"""Which weights a model has: so that an adapter is never put on another base, nor answers taken for another model's.

PyTorch and safetensors are imported where they are needed: a GGUF file is told apart without them.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

RECORD = "base_model.json"
SAMPLED_TENSORS, SAMPLED_VALUES = 8, 65_536
FILE_HEAD, FILE_BLOCKS, FILE_BLOCK = 1 << 20, 64, 64 << 10
BESIDE_WEIGHTS = ("config.json", "generation_config.json", "*token*.json", "chat_template*", "vocab*", "merges.txt")
"""Other files of a model's folder that answers depend on: what ends them, how a prompt is written and tokenized."""
SHAPE_KEYS = (
    "model_type",
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "num_local_experts",
)


@dataclass(frozen=True)
class BaseRecord:
    """The base model as an adapter was trained on it; base_model.json in the adapter's folder.

    Attributes:
        folder: where the base was.
        shape: the numbers of its architecture.
        weights: SHA-256 of a sample of its weights.
        rows: embedding rows in training, more than the base's own where tokens were added.
        four_bit: the type that was quantized to NF4, or None where the base was trained on as it is.
    """

    folder: str
    shape: dict[str, Any]
    weights: str
    rows: int
    four_bit: str | None

    @classmethod
    def of(cls, base: Path, rows: int, four_bit: str | None) -> BaseRecord:
        """Of a Hugging Face folder."""
        return cls(str(base), _shape(base), weights_sha256(base), rows, four_bit)

    def write(self, adapter: Path) -> None:
        """Into the adapter's folder."""
        write_json(adapter / RECORD, asdict(self))


def read_record(adapter: Path) -> BaseRecord | None:
    """The record in an adapter's folder; None for adapters that other programs made."""
    path = adapter / RECORD
    return BaseRecord(**read_json(path)) if path.is_file() else None


def check_base(record: BaseRecord, adapter: Path, base: Path) -> None:
    """Raises:
    InputError: the adapter was trained on another base model.
    """
    shape = _shape(base)
    odd = next((key for key in SHAPE_KEYS if shape[key] != record.shape.get(key)), None)
    if odd is not None:
        found = f"{odd} {shape[odd]} instead of {record.shape.get(odd)}"
    elif weights_sha256(base) != record.weights:
        found = "the same architecture with other weights"
    else:
        return
    raise InputError(f"{adapter}: does not fit {base} ({found}); give the base it was trained on, {record.folder}")


def weights_sha256(folder: Path) -> str:
    """Hash of the first values of a few weights, evenly spread over the sorted names, rounded to bf16.

    Rounded, because the same model is handed around in bf16 and widened to fp32. Some 10 ms for any size.

    Raises:
        InputError: the folder holds no weights, or broken ones.
    """
    from safetensors import SafetensorError

    try:
        return _tensors_sha256(folder)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{folder}: its weights cannot be read ({error}); export it again") from error


def file_sha256(path: Path) -> str:
    """Hash of a file's size, its first MiB and blocks evenly spread over all of it. Some 10 ms for any size."""
    size = path.stat().st_size
    digest = hashlib.sha256(f"{size}\n".encode())
    with path.open("rb") as stream:
        digest.update(stream.read(FILE_HEAD))
        for index in range(FILE_BLOCKS):
            stream.seek(max(0, size - FILE_BLOCK) * index // (FILE_BLOCKS - 1))
            digest.update(stream.read(FILE_BLOCK))
    return digest.hexdigest()


def files_sha256(path: Path) -> str:
    """`file_sha256` of a file, or of all files in a folder that answers depend on: tells a few changed tensors, too.

    Raises:
        InputError: a folder without weights.
    """
    if path.is_file():
        return file_sha256(path)
    beside = {file for pattern in BESIDE_WEIGHTS for file in path.glob(pattern) if file.is_file()}
    hashes = [f"{file.name} {file_sha256(file)}\n" for file in (*_files(path), *sorted(beside))]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("model*.safetensors"))
    if not found:
        raise InputError(f"{folder}: no weights here (model*.safetensors); export it again")
    return found


def _tensors_sha256(folder: Path) -> str:
    places = {name: file for file in _files(folder) for name in _names(file)}
    names = sorted(places)
    picked = sorted({names[i * (len(names) - 1) // (SAMPLED_TENSORS - 1)] for i in range(SAMPLED_TENSORS)})
    digest = hashlib.sha256()
    for name in picked:
        digest.update(f"{name}\n".encode())
        digest.update(_sample(places[name], name))
    return digest.hexdigest()


def _sample(file: Path, name: str) -> bytes:
    import torch
    from safetensors import safe_open

    with safe_open(file, framework="pt") as weights:
        view = weights.get_slice(name)
        shape = view.get_shape()
        width = math.prod(shape[1:])
        values = view[: max(1, SAMPLED_VALUES // max(1, width))] if shape else weights.get_tensor(name)
    sample: bytes = values.reshape(-1)[:SAMPLED_VALUES].to(torch.bfloat16).view(torch.int16).numpy().tobytes()
    return sample


def _names(file: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as weights:
        return list(weights.keys())


def _shape(base: Path) -> dict[str, Any]:
    config = read_json(base / "config.json")
    return {key: config.get(key) for key in SHAPE_KEYS}
