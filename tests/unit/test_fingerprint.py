"""An adapter's record of its base."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tiny_bases import save_base
from transformers import AutoModelForCausalLM

from data_pipeline.core.errors import InputError
from xlam_train.fingerprint import BaseRecord, check_base, file_sha256, files_sha256, read_record, weights_sha256

if TYPE_CHECKING:
    from pathlib import Path


def record_of(base: Path) -> BaseRecord:
    return BaseRecord.of(base, 600, None)


def test_the_record_survives_the_disk(tiny_base: Path, tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    record = BaseRecord.of(tiny_base, 602, "bfloat16")
    record.write(tmp_path)
    assert read_record(tmp_path) == record
    check_base(record, tmp_path, tiny_base)


@pytest.mark.parametrize("shard", ["1GB", "50KB"])
def test_the_same_weights_widened_or_in_shards_are_the_same(tiny_base: Path, tmp_path: Path, shard: str) -> None:
    half = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.bfloat16)
    half.save_pretrained(tmp_path / "half")
    half.float().save_pretrained(tmp_path / "wide", max_shard_size=shard)
    assert len(list((tmp_path / "wide").glob("*.safetensors"))) > 1 or shard == "1GB"
    check_base(record_of(tmp_path / "half"), tmp_path, tmp_path / "wide")


def test_another_seed_is_another_model(tiny_base: Path, tmp_path: Path) -> None:
    """As the chat version of a model is to its base: everything the same but the values."""
    one, other = (save_base(tmp_path / str(seed), tiny_base, seed=seed) for seed in (0, 1))
    with pytest.raises(InputError, match=f"does not fit {other} .the same architecture with other weights.*{one}"):
        check_base(record_of(one), tmp_path / "adapter", other)


def test_the_first_difference_of_shape_is_told(tiny_base: Path, tmp_path: Path) -> None:
    deep = save_base(tmp_path / "deep", tiny_base, num_hidden_layers=3)
    with pytest.raises(InputError, match=r"hidden_size 64 instead of 32"):
        check_base(record_of(tiny_base), tmp_path, deep)


def test_files_that_hold_the_weights_twice_do_not_count(tiny_base: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_base, tmp_path / "copy")
    shutil.copyfile(tiny_base / "model.safetensors", copy / "consolidated.safetensors")
    assert weights_sha256(copy) == weights_sha256(tiny_base)


def test_a_folder_without_weights_or_with_broken_ones_is_one_line(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights here"):
        weights_sha256(tmp_path)
    weights = (tiny_base / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(InputError, match="cannot be read") as caught:
        weights_sha256(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 10, 100_000, 9 << 20])
def test_a_file_is_told_by_size_beginning_and_blocks_to_its_very_end(tmp_path: Path, size: int) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(size))
    found = [file_sha256(path)]
    width = size // 50 + 1  # as a tensor that was trained; single bytes are seen in the beginning and the last block
    for start, end in {(0, 1), (size // 2, size // 2 + width), (size - 1, size)} if size else ():
        path.write_bytes(bytes(start) + b"x" * (end - start) + bytes(size - end))
        found.append(file_sha256(path))
    path.write_bytes(bytes(size + 1))
    found.append(file_sha256(path))
    assert len(set(found)) == len(found)
    path.write_bytes(bytes(size))
    assert file_sha256(path) == found[0]


def test_a_folder_with_a_few_changed_tensors_is_another_one(tiny_base: Path, tmp_path: Path) -> None:
    """Adapters on some layers change no more, and leave the sampled tensors of `weights_sha256` as they are."""
    copy = tmp_path / "merged"
    shutil.copytree(tiny_base, copy)
    assert files_sha256(copy) == files_sha256(tiny_base)
    settings = copy / "generation_config.json"
    settings.write_text('{"eos_token_id": 7}')
    assert files_sha256(copy) != files_sha256(tiny_base), "what ends an answer"
    if (tiny_base / settings.name).exists():
        shutil.copy(tiny_base / settings.name, settings)
    else:
        settings.unlink()
    (copy / "chat_template.jinja").write_text("{{ messages }}")
    assert files_sha256(copy) != files_sha256(tiny_base), "how a prompt is written"
    shutil.rmtree(copy)
    shutil.copytree(tiny_base, copy)
    (copy / "README.md").write_text("a card")
    assert files_sha256(copy) == files_sha256(tiny_base)
    (file,) = copy.glob("model*.safetensors")
    with safe_open(file, framework="pt") as weights:
        tensors = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118 - no mapping
    name = next(name for name in tensors if "layers.1.self_attn.v_proj" in name)
    save_file({**tensors, name: tensors[name] + 1}, file, metadata={"format": "pt"})
    assert files_sha256(copy) != files_sha256(tiny_base)
