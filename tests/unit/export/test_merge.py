"""Merging: the merged model says what the adapter said, or nothing is saved."""

from __future__ import annotations

import errno
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tiny_models import save_adapter
from transformers import AutoModelForCausalLM, AutoTokenizer

from data_pipeline.core.errors import CheckFailed, InputError
from xlam_train.export import merge as merging
from xlam_train.export import merge_check
from xlam_train.export.gguf import write_gguf
from xlam_train.export.merge import merge_adapter
from xlam_train.export.merge_check import ALLOWED, NOISE, allowed_difference, relative_difference
from xlam_train.export.merge_stream import MergedWeights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# peft 0.21 asks transformers 5.23 by a name that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

PROBES = [[1, 2, 3, 4, 5, 6, 7], [100, 2000, 30000]]


@pytest.fixture
def base(make_model: Callable[..., Path]) -> Path:
    return make_model("base")


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    return save_adapter(base, tmp_path / "adapter")


def logits(folder: Path) -> torch.Tensor:
    with torch.inference_mode():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        return model(torch.tensor([PROBES[0]])).logits


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_merged_model_says_what_the_adapter_said(base: Path, adapter: Path, tmp_path: Path) -> None:
    report = merge_adapter(base, adapter, tmp_path / "out" / "merged", probe_ids=PROBES)
    assert 0 <= report.max_relative_difference < 1e-4
    assert report.parameters == sum(weight.numel() for weight in load_file(base / "model.safetensors").values())
    assert report.path == tmp_path / "out" / "merged"
    scale = load_file(adapter / "adapter_model.safetensors")
    prefix = "base_model.model.model.layers.1.self_attn.q_proj.lora_"
    delta = 2.0 * scale[prefix + "B.weight"] @ scale[prefix + "A.weight"]
    name = "model.layers.1.self_attn.q_proj.weight"
    change = load_file(report.path / "model.safetensors")[name] - load_file(base / "model.safetensors")[name]
    torch.testing.assert_close(change, delta, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(logits(base), logits(report.path), atol=0.1)
    assert names(tmp_path / "out") == ["merged"]


@pytest.mark.parametrize("rslora", [False, True])
def test_a_part_of_the_change_is_merged(base: Path, tmp_path: Path, rslora: bool) -> None:
    adapter = save_adapter(base, tmp_path / "adapter", use_rslora=rslora)
    name = "model.layers.1.self_attn.q_proj.weight"
    whole = merge_adapter(base, adapter, tmp_path / "whole", probe_ids=PROBES)
    part = merge_adapter(base, adapter, tmp_path / "part", probe_ids=PROBES, scale=0.7)
    before, all_of_it, merged = (load_file(path / "model.safetensors")[name] for path in (base, whole.path, part.path))
    torch.testing.assert_close(merged - before, 0.7 * (all_of_it - before), atol=1e-6, rtol=1e-5)
    assert 0 <= part.max_relative_difference < 1e-4
    assert (whole.scale, part.scale) == (1.0, 0.7)
    assert json.loads((part.path / "provenance.json").read_text())["adapter_scale"] == 0.7


def test_the_proof_of_a_part_is_not_that_of_the_whole(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge_check.LoraLayer, "scale_layer", lambda self, scale: None)
    with pytest.raises(CheckFailed, match="logits changed by"):
        merge_adapter(base, adapter, tmp_path / "part", probe_ids=PROBES, scale=0.7)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_is_a_positive_number(base: Path, adapter: Path, tmp_path: Path, scale: float) -> None:
    with pytest.raises(InputError, match=r"scale: \S+ is no factor of an adapter; give a number above 0"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES, scale=scale)


def test_dora_is_merged_whole(base: Path, tmp_path: Path) -> None:
    adapter = save_adapter(base, tmp_path / "adapter", use_dora=True)
    with pytest.raises(InputError, match="DoRA learns the lengths of rows for the whole adapter; leave scale at 1"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES, scale=0.7)


def test_merged_folder_is_complete(base: Path, adapter: Path, tmp_path: Path) -> None:
    (base / "LICENSE-MODEL").write_text("terms")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "code.Model"}}))
    report = merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert set(names(report.path)) == set(names(base)) | {"chat_template.jinja", "generation_config.json"}
    tokenizer = AutoTokenizer.from_pretrained(report.path)
    asked = tokenizer.apply_chat_template([{"role": "user", "content": "?"}], tools=[], tokenize=False)
    assert "[BEGIN OF AVAILABLE TOOLS]" in asked
    written = json.loads((report.path / "config.json").read_text())
    assert (written["architectures"], written["dtype"]) == (["LlamaForCausalLM"], "float32")
    assert "auto_map" not in written
    assert write_gguf(report.path, tmp_path / "m.gguf", "q8_0").tensors == 20


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_are_merged_in_float32_and_cast_at_the_end(
    base: Path, adapter: Path, tmp_path: Path, dtype: Any
) -> None:
    full = load_file(merge_adapter(base, adapter, tmp_path / "full", probe_ids=PROBES).path / "model.safetensors")
    half = merge_adapter(base, adapter, tmp_path / "half", probe_ids=PROBES, dtype=dtype)
    stored = load_file(half.path / "model.safetensors")
    assert set(stored) == set(full)
    for name, weight in stored.items():
        assert torch.equal(weight, full[name].to(getattr(torch, dtype))), name
    assert half.dtype == json.loads((half.path / "config.json").read_text())["dtype"] == dtype
    assert NOISE < half.max_relative_difference < ALLOWED[getattr(torch, dtype)]


def test_weights_keep_the_type_that_the_base_is_stored_in(make_model: Callable[..., Path], tmp_path: Path) -> None:
    base = make_model("half", dtype=torch.bfloat16)
    report = merge_adapter(base, save_adapter(base, tmp_path / "adapter"), tmp_path / "merged", probe_ids=PROBES)
    assert report.dtype == "bfloat16"
    assert {weight.dtype for weight in load_file(report.path / "model.safetensors").values()} == {torch.bfloat16}


def test_shards_are_as_large_as_asked_and_indexed(base: Path, adapter: Path, tmp_path: Path) -> None:
    whole = load_file(merge_adapter(base, adapter, tmp_path / "whole", probe_ids=PROBES).path / "model.safetensors")
    report = merge_adapter(base, adapter, tmp_path / "cut", probe_ids=PROBES, shard_size="100KB")
    files = sorted(report.path.glob("model-*.safetensors"))
    assert len(files) == report.shards > 2
    index = json.loads((report.path / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(weight.nbytes for weight in whole.values())
    for file in files:
        stored = load_file(file)
        assert len(stored) == 1 or sum(weight.nbytes for weight in stored.values()) <= 100_000
        for name, weight in stored.items():
            assert index["weight_map"][name] == file.name
            assert torch.equal(weight, whole.pop(name))
    assert whole == {}
    with pytest.raises(InputError, match=r"shard size '5 boxes': give a number with KB, MB or GB"):
        merge_adapter(base, adapter, tmp_path / "cut", probe_ids=PROBES, shard_size="5 boxes")


def test_alpha_and_rank_may_differ_from_layer_to_layer(base: Path, tmp_path: Path) -> None:
    """Adapters of other programs: patterns, and layers trained in full, which part a tied embedding from its head."""
    folder = tmp_path / "adapter"
    settings: dict[str, Any] = {"rank_pattern": {"v_proj": 2}, "alpha_pattern": {"1.self_attn.v_proj": 64}}
    whole = {"modules_to_save": ["embed_tokens"], "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}
    with pytest.warns(UserWarning, match="tie_word_embeddings"):
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=4, **settings, **whole))
    torch.manual_seed(2)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name or "modules_to_save" in name:
                weight.add_(torch.randn_like(weight) * 0.1)
    model.save_pretrained(folder)
    report = merge_adapter(base, folder, tmp_path / "merged", probe_ids=PROBES)
    stored = load_file(report.path / "model.safetensors")
    head = load_file(base / "model.safetensors")["model.embed_tokens.weight"]
    assert torch.equal(stored["lm_head.weight"], head)
    assert not torch.equal(stored["model.embed_tokens.weight"], head)
    assert json.loads((report.path / "config.json").read_text())["tie_word_embeddings"] is False


def tampered(damage: Callable[[str, torch.Tensor], torch.Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    """Merge, but wrongly."""
    honest = MergedWeights.__iter__
    monkeypatch.setattr(
        MergedWeights, "__iter__", lambda self: ((name, damage(name, weight)) for name, weight in honest(self))
    )


def off_by_one_value(name: str, weight: torch.Tensor) -> torch.Tensor:
    weight = weight.clone()
    if name == "model.layers.0.mlp.down_proj.weight":
        weight[0, 0] += 100.0
    return weight


def transposed(name: str, weight: torch.Tensor) -> torch.Tensor:
    return weight.T.contiguous() if name.endswith("q_proj.weight") else weight


def twice_as_strong(name: str, weight: torch.Tensor) -> torch.Tensor:
    return weight * 2 if name.endswith("v_proj.weight") else weight


@pytest.mark.parametrize("damage", [off_by_one_value, transposed, twice_as_strong])
def test_a_broken_merge_fails_with_the_number_and_saves_nothing(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Any
) -> None:
    tampered(damage, monkeypatch)
    with pytest.raises(CheckFailed, match=r"logits changed by \d\S* of the largest in the merge, 0.0001 is allowed"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert names(tmp_path) == ["adapter", "base"]


def test_an_adapter_that_is_not_merged_is_noticed_in_every_type(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that changes less than rounding to half precision may."""
    weights = load_file(adapter / "adapter_model.safetensors")
    weak = {name: weight * 3e-2 if "lora_B" in name else weight for name, weight in weights.items()}
    save_file(weak, adapter / "adapter_model.safetensors", {"format": "pt"})
    report = merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert report.max_relative_difference < NOISE
    assert NOISE < report.adapter_effect < ALLOWED[torch.bfloat16]
    plain = load_file(base / "model.safetensors")
    tampered(lambda name, _: plain[name], monkeypatch)
    for dtype in ("float32", "float16", "bfloat16"):
        with pytest.raises(CheckFailed, match="logits changed by"):
            merge_adapter(base, adapter, tmp_path / "unmerged", probe_ids=PROBES, dtype=dtype)
    assert not (tmp_path / "unmerged").exists()


@pytest.mark.parametrize(("value", "reason"), [(float("nan"), "not finite"), (1e6, "too large for float16")])
def test_values_that_no_file_should_hold(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, reason: str
) -> None:
    tampered(lambda name, weight: torch.full_like(weight, value) if "norm" in name else weight, monkeypatch)
    with pytest.raises(CheckFailed, match=rf"norm\.weight: a weight is {reason}.*; nothing was saved"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES, dtype="float16")
    assert names(tmp_path) == ["adapter", "base"]


def test_weights_that_change_on_the_way_to_the_disk_are_noticed(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = merging.write_shards

    def write_then_change(folder: Path, *rest: Any) -> int:
        done = write(folder, *rest)
        content = bytearray((folder / "model.safetensors").read_bytes())
        content[-200_000:-100_000] = bytes(100_000)
        (folder / "model.safetensors").write_bytes(content)
        return done

    monkeypatch.setattr(merging, "write_shards", write_then_change)
    with pytest.raises(CheckFailed, match="logits changed by"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert names(tmp_path) == ["adapter", "base"]


def test_an_older_model_is_replaced_only_by_a_whole_one(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "merged"
    shutil.copytree(base, out)
    (out / "older").touch()
    with monkeypatch.context() as patch:
        patch.setattr(merge_check, "allowed_difference", lambda *_: -1.0)
        with pytest.raises(CheckFailed):
            merge_adapter(base, adapter, out, probe_ids=PROBES)
    assert (out / "older").exists()
    merge_adapter(base, adapter, out, probe_ids=PROBES)
    assert not (out / "older").exists()
    assert names(tmp_path) == ["adapter", "base", "merged"]


@pytest.mark.parametrize(
    ("dtype", "effect", "allowed"),
    [
        (torch.float32, 0.5, ALLOWED[torch.float32]),
        (torch.bfloat16, 0.5, ALLOWED[torch.bfloat16]),
        (torch.bfloat16, 0.02, 0.01),
        (torch.bfloat16, 0.0, NOISE),  # an adapter that does nothing
    ],
)
def test_what_is_allowed(dtype: torch.dtype, effect: float, allowed: float) -> None:
    assert allowed_difference(dtype, effect) == allowed


def swap_base(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    return make("wide", hidden_size=128), adapter


def deepen_base(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    return make("deep", num_hidden_layers=3), adapter


def shallow_base(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    return make("shallow", num_hidden_layers=1), adapter


def missing_base(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    return base / "nowhere", adapter


def no_adapter(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    return base, base


def half_adapter(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    (adapter / "adapter_model.safetensors").unlink()
    return base, adapter


def other_adapter(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"peft_type": "PROMPT_TUNING"}))
    return base, adapter


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def truncated_base(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    cut(base / "model.safetensors")
    return base, adapter


def truncated_adapter(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    cut(adapter / "adapter_model.safetensors")
    return base, adapter


def half_copied(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    sharded = make("sharded", shard="100KB")
    next(sharded.glob("model-00002-*")).unlink()
    return sharded, adapter


def overwritten(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    """A shard in the place of another."""
    sharded = make("sharded", shard="100KB")
    first, second = (next(sharded.glob(f"model-0000{number}-*")) for number in (2, 3))
    shutil.copyfile(first, second)
    return sharded, adapter


def incomplete_base(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    weights = load_file(base / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, base / "model.safetensors", {"format": "pt"})
    return base, adapter


def odd_adapter(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"layer_replication": [[0, 2], [0, 2]]}))
    return base, adapter


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (swap_base, "adapter: does not fit .*wide .*size mismatch.*give the base it was trained on"),
        (deepen_base, "adapter: does not fit .*deep .*without a counterpart"),
        (shallow_base, "adapter: does not fit .*shallow .*without a counterpart"),
        (missing_base, "nowhere: no config.json"),
        (no_adapter, "base: no adapter_config.json"),
        (half_adapter, "adapter: no adapter_model.safetensors"),
        (other_adapter, "a PROMPT_TUNING adapter cannot be merged"),
        (truncated_base, r"base/model.safetensors: cannot be read.*copy or save it again"),
        (truncated_adapter, r"adapter_model.safetensors: cannot be read .*copy the adapter again"),
        (half_copied, r"names model-00002-of-\d+.safetensors, which is not there; copy the whole folder again"),
        (overwritten, r"sharded/model-00003-of-\d+.safetensors: has no .*copy the shards again"),
        (incomplete_base, r"base: the weights do not fit config.json, first model.norm.weight"),
        (odd_adapter, r"adapter_config.json has 'layer_replication', which cannot be merged"),
    ],
)
def test_a_wrong_folder_is_named_in_one_line(
    base: Path,
    adapter: Path,
    tmp_path: Path,
    make_model: Callable[..., Path],
    arrange: Callable[..., tuple[Path, Path]],
    message: str,
) -> None:
    wrong_base, wrong_adapter = arrange(base, adapter, make_model)
    with pytest.raises(InputError, match=message) as caught:
        merge_adapter(wrong_base, wrong_adapter, tmp_path / "merged", probe_ids=PROBES)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("probes", [[], [[]], [[1, 49160]], [[-1]]])
def test_probes_must_be_real(base: Path, adapter: Path, tmp_path: Path, probes: list[list[int]]) -> None:
    with pytest.raises(InputError, match="probe"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=probes)


def test_targets_that_hold_other_things_are_refused(base: Path, adapter: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").touch()
    for out, message in (
        (tmp_path, "would be replaced"),
        (base, "would be replaced"),
        (tmp_path / "notes", "no model"),
    ):
        with pytest.raises(InputError, match=message):
            merge_adapter(base, adapter, out, probe_ids=PROBES)
    assert (tmp_path / "notes" / "diary.txt").exists()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EFBIG, os.strerror(errno.EFBIG)),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_told_in_one_line(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """tests/hostile/test_export_disk.py fills a real one."""

    def write(*_: Any) -> int:
        raise error

    monkeypatch.setattr(merging, "write_shards", write)
    with pytest.raises(InputError, match=r"no space left writing .*merged: free \d+ MB or choose another OUT"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert names(tmp_path) == ["adapter", "base"]


def test_relative_difference() -> None:
    a, b = torch.tensor([1.0, -4.0]), torch.tensor([1.0, -3.0])
    assert relative_difference([a, a], [a, b]) == 0.25
    assert relative_difference([a], [a]) == 0.0
    assert relative_difference([a], [torch.tensor([1.0, float("nan")])]) != 0.0
