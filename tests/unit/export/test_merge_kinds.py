"""Merging what training saves: every kind of adapter on every kind of model gives the loss it was trained to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_bases import Encoded, batch, batch_of, load, mean_loss, save_base, train
from transformers import AutoModelForCausalLM, AutoTokenizer

from data_pipeline.core.errors import InputError
from xlam_train import attention
from xlam_train.base import load_tokenizer
from xlam_train.export.merge import merge_adapter
from xlam_train.trained import save_trained

if TYPE_CHECKING:
    from pathlib import Path

ADDED = ("<call>", "</call>")
PROBES = [[5, 6, 7, 8], [9, 8, 7]]
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
KINDS: dict[str, dict[str, Any]] = {
    "lora": {"lora": {"rank": 4}},
    "some layers": {"lora": {"rank": 4, "first_layer": 1}},
    "rslora": {"lora": {"rank": 4, "rslora": True}},
    "dora": {"lora": {"rank": 4, "dora": True}},
    "added tokens": {"lora": {"rank": 4}, "added_tokens": ADDED},
    "qlora": {"method": "qlora", "lora": {"rank": 4}},
    "qlora, all of it": {"method": "qlora", "lora": {"rank": 4, "dora": True}, "added_tokens": ADDED},
}
MIXTURES: dict[str, dict[str, Any]] = {
    "experts": {"lora": {"rank": 4}},
    "attention": {"lora": {"rank": 4, "dora": True, "target_modules": ATTENTION}},
    "qlora": {"method": "qlora", "lora": {"rank": 4}, "gradient_checkpointing": True},
}


def trained(base: Path, folder: Path, tree: Any, sections: dict[str, Any]) -> tuple[Path, torch.Tensor]:
    """An adapter that learned something, and the loss it came to."""
    added = sections.get("added_tokens", ())
    model = load(base, **sections)
    losses = train(model, tree, 6)
    assert losses[-1] < losses[0] - 0.02
    save_trained(model, folder, base, tokenizer=load_tokenizer(base, added), end_token_id=2)
    with torch.no_grad():
        return folder, mean_loss(model, tree)


def loss_of(folder: Path, tree: Any) -> torch.Tensor:
    attention.register()
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention.NAME)
    with torch.no_grad():
        return mean_loss(model, tree)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_merged_model_has_the_loss_of_training(tiny_base: Path, tmp_path: Path, kind: str, tied: bool) -> None:
    base = save_base(tmp_path / "base", tiny_base, tie_word_embeddings=tied)
    first = len(load_tokenizer(base))
    tree = batch([Encoded([5, first, 6, first + 1, 7], [False, True, True, True, True], "s")])
    tree = tree if "added_tokens" in KINDS[kind] else batch_of()
    adapter, loss = trained(base, tmp_path / "adapter", tree, KINDS[kind])
    report = merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
    torch.testing.assert_close(loss_of(report.path, tree), loss, rtol=1e-5, atol=0)
    assert len(AutoTokenizer.from_pretrained(report.path)) == first + len(KINDS[kind].get("added_tokens", ()))
    assert ("lm_head.weight" in load_file(report.path / "model.safetensors")) != tied
    assert json.loads((report.path / "generation_config.json").read_text())["eos_token_id"] == 2


@pytest.mark.parametrize("kind", MIXTURES)
def test_a_mixture_is_merged_and_stored_as_it_was_published(tiny_base: Path, tmp_path: Path, kind: str) -> None:
    base = save_base(tmp_path / "base", tiny_base, "mixtral")
    adapter, loss = trained(base, tmp_path / "adapter", batch_of(), MIXTURES[kind])
    merged = merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES, dtype="float32").path
    torch.testing.assert_close(loss_of(merged, batch_of()), loss, rtol=1e-5, atol=0)
    before, after = load_file(base / "model.safetensors"), load_file(merged / "model.safetensors")
    assert set(before) == set(after)
    routers = [name for name in before if name.endswith("block_sparse_moe.gate.weight")]
    assert len(routers) == 2
    assert all(torch.equal(before[name], after[name]) for name in routers)


@pytest.mark.parametrize("model_type", ["llama", "mixtral"])
def test_a_part_of_every_low_rank_change_is_merged(tiny_base: Path, tmp_path: Path, model_type: str) -> None:
    """Attention, feed-forward layers, and a mixture's experts, which peft wraps in another way."""
    base = save_base(tmp_path / "base", tiny_base, model_type)
    adapter, _ = trained(base, tmp_path / "adapter", batch_of(), {"lora": {"rank": 4}})
    whole, part = (
        merge_adapter(base, adapter, tmp_path / f"{scale}", probe_ids=PROBES, dtype="float32", scale=scale).path
        for scale in (1.0, 0.5)
    )
    before, after, halfway = (load_file(folder / "model.safetensors") for folder in (base, whole, part))
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert any(".experts." in name for name in changed) == (model_type == "mixtral")
    for name in changed:
        torch.testing.assert_close(halfway[name], (before[name] + after[name]) / 2, atol=1e-6, rtol=1e-5)


def test_an_adapter_on_a_sibling_of_its_base_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    """Every name and shape fits, so only the fingerprint can tell."""
    base, sibling = (save_base(tmp_path / name, tiny_base, seed=seed) for seed, name in enumerate(("base", "sibling")))
    adapter, _ = trained(base, tmp_path / "adapter", batch_of(), KINDS["lora"])
    with pytest.raises(InputError, match=r"does not fit .*sibling \(the same architecture with other weights\)"):
        merge_adapter(sibling, adapter, tmp_path / "merged", probe_ids=PROBES)
    assert not (tmp_path / "merged").exists()
    (adapter / "base_model.json").unlink()  # as other programs' adapters are: nothing to compare with
    merge_adapter(sibling, adapter, tmp_path / "merged", probe_ids=PROBES)


def test_rows_of_added_tokens_must_be_in_the_adapter(tiny_base: Path, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", tiny_base)
    adapter, _ = trained(base, tmp_path / "adapter", batch_of(), KINDS["added tokens"])
    weights = load_file(adapter / "adapter_model.safetensors")
    kept = {name: weight for name, weight in weights.items() if "trainable_tokens_delta" not in name}
    assert len(kept) == len(weights) - 2
    save_file(kept, adapter / "adapter_model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"does not fit .*trainable_tokens_delta.*give the base"):
        merge_adapter(base, adapter, tmp_path / "merged", probe_ids=PROBES)
