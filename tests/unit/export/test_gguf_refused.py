"""Folders that cannot become a GGUF file: refused in one line, nothing left behind."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections import namedtuple
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from data_pipeline.core.errors import InputError
from xlam_train.export.gguf import write_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def set_config(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def break_architecture(folder: Path) -> None:
    set_config(folder, architectures=["GPT2LMHeadModel"])


def break_rope(folder: Path) -> None:
    set_config(folder, rope_parameters={"rope_type": "dynamic", "factor": 2.0})


def drop_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def make_adapter(folder: Path) -> None:
    drop_config(folder)
    (folder / "adapter_config.json").write_text("{}")


def drop_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def drop_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def shrink_vocabulary(folder: Path) -> None:
    edit_weights(folder, "model.embed_tokens.weight", lambda values: values[:100].clone())
    set_config(folder, vocab_size=100)


def drop_byte_fallback(folder: Path) -> None:
    path = folder / "tokenizer.json"
    source = json.loads(path.read_text())
    source["model"]["byte_fallback"] = False
    path.write_text(json.dumps(source))


def truncate_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def shard(folder: Path) -> Path:
    """Split the weights in two, as large models have them; the path of the second file."""
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    parts = {"model-00001-of-00002.safetensors": names[:9], "model-00002-of-00002.safetensors": names[9:]}
    for file, part in parts.items():
        save_file({name: weights[name] for name in part}, folder / file)
    index = {"weight_map": {name: file for file, part in parts.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").unlink()
    return folder / "model-00002-of-00002.safetensors"


def drop_shard(folder: Path) -> None:
    shard(folder).unlink()


def truncate_shard(folder: Path) -> None:
    path = shard(folder)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty_index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text("{}")


def edit_weights(folder: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor | None]) -> None:
    weights = load_file(folder / "model.safetensors")
    changed = change(weights.pop(name))
    save_file(weights if changed is None else weights | {name: changed}, folder / "model.safetensors")


def diverge(folder: Path) -> None:
    edit_weights(folder, "model.layers.1.mlp.up_proj.weight", lambda values: values * float("nan"))


def overflow(folder: Path) -> None:
    edit_weights(folder, "model.layers.1.mlp.up_proj.weight", lambda values: values * 1e7)


def drop_tensor(folder: Path) -> None:
    edit_weights(folder, "model.norm.weight", lambda _: None)


def integers(folder: Path) -> None:
    edit_weights(folder, "model.norm.weight", lambda values: values.to(torch.int8))


@pytest.mark.parametrize(
    ("breakage", "message"),
    [
        (break_architecture, "GPT2LMHeadModel cannot be exported; supported: LlamaForCausalLM"),
        (break_rope, "'dynamic' changes with the length of a prompt, which llama.cpp cannot do"),
        (shutil.rmtree, "no such folder"),
        (drop_config, "no such file"),
        (make_adapter, "xlam export merge"),
        (drop_weights, "no such file; save the model as safetensors"),
        (drop_tokenizer, "no such file; save the model's fast tokenizer"),
        (shrink_vocabulary, "only 100 rows"),
        (drop_byte_fallback, "neither byte-level BPE nor SentencePiece"),
        (truncate_weights, "cannot be read, cut short or damaged"),
        (drop_shard, "names model-00002-of-00002.safetensors, which is not there; copy the whole folder again"),
        (truncate_shard, "model-00002-of-00002.safetensors: cannot be read, cut short or damaged"),
        (empty_index, "has no weight_map"),
        (diverge, "NaN or infinite"),
        (overflow, "beyond F16"),
        (drop_tensor, "have no model.norm.weight"),
        (integers, "stored as I8"),
    ],
)
def test_a_broken_folder_is_refused_in_one_line_and_leaves_nothing(
    make_small: Callable[..., Path], tmp_path: Path, breakage: Callable[[Path], Any], message: str
) -> None:
    folder = make_small()
    breakage(folder)
    with pytest.raises(InputError, match=message) as caught:
        write_gguf(folder, tmp_path / "out" / "m.gguf", "f16")
    assert "\n" not in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if "gguf" in path.name]


def test_an_unknown_quantization_names_the_known_ones(tmp_path: Path) -> None:
    wrong: Any = "q4_k"
    with pytest.raises(InputError, match="unknown quantization 'q4_k'"):
        write_gguf(tmp_path, tmp_path / "m.gguf", wrong)


def test_a_folder_as_target_is_refused(make_small: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder; give a file name"):
        write_gguf(make_small(), tmp_path, "f16")


@pytest.mark.parametrize("moment", ["before", "while writing"])
def test_a_full_disk_keeps_the_old_file_and_says_what_to_free(
    make_small: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    folder, out = make_small(), tmp_path / "out" / "m.gguf"
    out.parent.mkdir()
    out.write_bytes(b"older")
    if moment == "before":
        usage = namedtuple("usage", "total used free")(10, 10, 0)
        monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    else:
        monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(InputError, match=r"no space left writing .*m\.gguf: free \d+ MB or choose another OUT"):
        write_gguf(folder, out, "f32")
    monkeypatch.undo()
    assert [path.name for path in out.parent.iterdir()] == ["m.gguf"]
    assert out.read_bytes() == b"older"
