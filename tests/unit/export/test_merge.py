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
from peft.tuners.lora import LoraModel
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from data_pipeline.core.errors import CheckFailed, InputError
from xlam_train.export.gguf import write_gguf
from xlam_train.export.merge import merge_adapter, relative_difference

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


def save_adapter(base: Path, folder: Path) -> Path:
    """A LoRA adapter that does something: B is not zero."""
    torch.manual_seed(1)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM"),
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0.0, 0.1)
    model.save_pretrained(folder)
    return folder


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


def test_merged_folder_is_complete(base: Path, adapter: Path, tmp_path: Path) -> None:
    (base / "chat_template.jinja").write_text("{{ messages }}")
    report = merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert names(report.path) == names(base)
    assert AutoTokenizer.from_pretrained(report.path).chat_template == "{{ messages }}"
    assert write_gguf(report.path, tmp_path / "m.gguf", "q8_0").tensors == 20


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_are_merged_in_float32_and_cast_at_the_end(
    base: Path, adapter: Path, tmp_path: Path, dtype: Any
) -> None:
    full = load_file(merge_adapter(base, adapter, tmp_path / "full", probe_ids=PROBES).path / "model.safetensors")
    half = merge_adapter(base, adapter, tmp_path / "half", probe_ids=PROBES, dtype=dtype).path
    stored = load_file(half / "model.safetensors")
    assert set(stored) == set(full)
    for name, weight in stored.items():
        assert torch.equal(weight, full[name].to(getattr(torch, dtype))), name
    assert json.loads((half / "config.json").read_text())["dtype"] == dtype


def corrupt(merged: Any) -> Any:
    with torch.no_grad():
        merged.model.layers[0].mlp.down_proj.weight[0, 0] += 100.0
    return merged


def poison(merged: Any) -> Any:
    with torch.no_grad():
        merged.model.layers[0].mlp.down_proj.weight[0, 0] = float("nan")
    return merged


@pytest.mark.parametrize("damage", [corrupt, poison])
def test_a_broken_merge_fails_with_the_number_and_saves_nothing(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Any], Any]
) -> None:
    merge = LoraModel.merge_and_unload
    monkeypatch.setattr(LoraModel, "merge_and_unload", lambda self, **how: damage(merge(self, **how)))
    with pytest.raises(CheckFailed, match=r"logits changed by (\d|nan)"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert names(tmp_path) == ["adapter", "base"]


def test_weights_that_change_on_the_way_to_the_disk_are_noticed(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = LlamaForCausalLM.save_pretrained

    def save_then_change(self: Any, folder: Path) -> None:
        save(self, folder)
        with torch.no_grad():
            self.model.norm.weight[0] += 1e-3

    monkeypatch.setattr(LlamaForCausalLM, "save_pretrained", save_then_change)
    with pytest.raises(CheckFailed, match=r"model\.norm\.weight is not what was merged"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert names(tmp_path) == ["adapter", "base"]


def test_an_older_model_is_replaced_only_by_a_whole_one(base: Path, adapter: Path, tmp_path: Path) -> None:
    out = tmp_path / "merged"
    shutil.copytree(base, out)
    (out / "older").touch()
    with pytest.raises(CheckFailed):
        merge_adapter(base, adapter, out, probe_ids=PROBES, tolerance=-1.0)
    assert (out / "older").exists()
    merge_adapter(base, adapter, out, probe_ids=PROBES)
    assert not (out / "older").exists()
    assert names(tmp_path) == ["adapter", "base", "merged"]


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


def truncated_base(base: Path, adapter: Path, make: Callable[..., Path]) -> tuple[Path, Path]:
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
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
        (truncated_base, "base: cannot be loaded"),
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


def full_disk_os(self: Any, folder: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_disk_safetensors(self: Any, folder: Path) -> None:
    raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize("save", [full_disk_os, full_disk_safetensors])
def test_a_full_disk_is_told_in_one_line(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[..., None]
) -> None:
    monkeypatch.setattr(LlamaForCausalLM, "save_pretrained", save)
    with pytest.raises(InputError, match=r"no space left writing .*merged: free \d+ MB or choose another --out"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert names(tmp_path) == ["adapter", "base"]


def test_relative_difference() -> None:
    a, b = torch.tensor([1.0, -4.0]), torch.tensor([1.0, -3.0])
    assert relative_difference([a, a], [a, b]) == 0.25
    assert relative_difference([a], [a]) == 0.0
    assert relative_difference([a], [torch.tensor([1.0, float("nan")])]) != 0.0
