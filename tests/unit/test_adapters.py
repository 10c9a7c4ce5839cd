"""Adapters of every kind: which layers they sit on, what they scale by, and rows for added tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from tiny_bases import Encoded, batch, batch_of, load, mean_loss, save_base, train

from data_pipeline.core.errors import InputError
from xlam_train.base import load_tokenizer
from xlam_train.lora import LeanLoraLinear

if TYPE_CHECKING:
    from pathlib import Path

ADDED = ["<call>", "</call>"]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def trained(model: Any) -> dict[str, torch.nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def adapted(model: Any) -> set[str]:
    """Last name parts of the adapted layers."""
    parts = (name.partition(".lora_")[0].split(".") for name in trained(model) if "lora_" in name)
    return {next(part for part in reversed(names) if part != "base_layer") for names in parts}


LINEAR = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_all_linear_is_attention_and_feed_forward(tiny_base: Path, tmp_path: Path, kind: str) -> None:
    base = save_base(tmp_path / "base", tiny_base, kind, tie_word_embeddings=False)
    assert adapted(load(base)) == LINEAR


def test_all_linear_of_a_mixture_has_an_adapter_an_expert_and_none_for_the_router(
    tiny_base: Path, tmp_path: Path
) -> None:
    base = save_base(tmp_path / "base", tiny_base, "mixtral")
    model = load(base, lora={"rank": 4})
    assert adapted(model) == {"q_proj", "k_proj", "v_proj", "o_proj", "experts"}
    shapes = [tuple(w.shape) for name, w in trained(model).items() if "experts" in name and ".0." in name]
    # A [experts x rank, in] and B [out, experts x rank] for the fused gate and up projection and for the down one.
    assert sorted(shapes) == sorted([(16, 64), (256, 16), (16, 128), (64, 16)])
    losses = train(model, batch_of(), 8)
    assert losses[-1] < losses[0] - 0.2


@pytest.mark.parametrize("section", [{"dropout": 0.1}, {"dora": True}])
def test_what_experts_cannot_have(tiny_base: Path, tmp_path: Path, section: dict[str, Any]) -> None:
    base = save_base(tmp_path / "base", tiny_base, "mixtral")
    with pytest.raises(InputError, match=rf"lora\.{next(iter(section))}: the experts .*q_proj"):
        load(base, lora=section)
    attention_only = {"target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}
    assert adapted(load(base, lora=section | attention_only)) == set(attention_only["target_modules"])


@pytest.mark.parametrize("kind", ["llama", "mixtral"])
def test_layers_below_the_first_stay_as_they_are(tiny_base: Path, tmp_path: Path, kind: str) -> None:
    base = save_base(tmp_path / "base", tiny_base, kind)
    names = trained(load(base, lora={"first_layer": 1}))
    assert names
    assert all(".layers.1." in name for name in names)
    with pytest.raises(InputError, match=r"lora\.first_layer: 2 leaves nothing to train"):
        load(base, lora={"first_layer": 2})


@pytest.mark.parametrize("name", ["nothing", "proj", "gate", "w1"])
def test_unknown_target_module(tiny_base: Path, tmp_path: Path, name: str) -> None:
    """Among them the router and the experts of a mixture, which are no linear layers."""
    base = save_base(tmp_path / "base", tiny_base, "mixtral")
    with pytest.raises(InputError, match=f"lora.target_modules: no linear layer is called '{name}'; try all-linear"):
        load(base, lora={"target_modules": ["q_proj", name]})


@pytest.mark.parametrize(("rslora", "scaling"), [(False, 64 / 16), (True, 64 / 4)])
def test_rslora_scales_by_the_root_of_the_rank(tiny_base: Path, rslora: bool, scaling: float) -> None:
    model = load(tiny_base, lora={"rank": 16, "alpha": 64, "rslora": rslora})
    assert {m.scaling["default"] for m in model.modules() if isinstance(m, LeanLoraLinear)} == {scaling}


def test_dora_learns_magnitude_and_direction(tiny_base: Path) -> None:
    """The formula of the paper (equation 5) on one layer, against what the layer computes."""
    model = load(tiny_base, lora={"rank": 4, "dora": True})
    assert any("lora_magnitude_vector" in name for name in trained(model))
    losses = train(model, batch_of(), 8)
    assert losses[-1] < losses[0] - 0.2
    layer = model.get_base_model().model.layers[0].mlp.up_proj
    weight = (
        layer.base_layer.weight
        + layer.scaling["default"] * layer.lora_B["default"].weight @ layer.lora_A["default"].weight
    )
    magnitude = layer.lora_magnitude_vector["default"].weight
    x = torch.randn(3, weight.shape[1])
    wanted = x @ (magnitude[:, None] * weight / weight.norm(dim=1, keepdim=True)).T
    torch.testing.assert_close(layer(x), wanted, rtol=1e-4, atol=1e-5)


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def any_head(request: pytest.FixtureRequest, tiny_base: Path, tmp_path: Path) -> Path:
    return save_base(tmp_path / "base", tiny_base, tie_word_embeddings=request.param)


def added_ids(base: Path) -> list[int]:
    return load_tokenizer(base, ADDED).convert_tokens_to_ids(ADDED)


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_added_tokens_begin_as_the_mean(any_head: Path, method: str) -> None:
    base, ids = any_head, added_ids(any_head)
    model = load(base, method=method, added_tokens=ADDED)
    inner = model if method == "full" else model.get_base_model()
    known = len(load_tokenizer(base))
    for layer in (inner.get_input_embeddings(), inner.get_output_embeddings()):
        weight = layer.weight.detach()
        assert len(weight) == max(600, max(ids) + 1)
        torch.testing.assert_close(weight[ids], weight[:known].mean(0).expand(2, -1))


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_rows_of_added_tokens_are_trained_and_no_others(any_head: Path, method: str) -> None:
    base, ids = any_head, added_ids(any_head)
    model = load(base, True, method=method, lora={"rank": 4}, added_tokens=ADDED)
    rows = [name for name in trained(model) if "trainable_tokens_delta" in name]
    tied = model.config.tie_word_embeddings
    assert len(rows) == (1 if tied else 2)
    assert {trained(model)[name].dtype for name in rows} == {torch.float32}
    embedding = model.get_base_model().get_input_embeddings()
    before = embedding.token_adapter.get_merged_weights(["default"]).detach().clone()
    tree = batch([Encoded([5, ids[0], 6, ids[1], 7], [False, True, True, True, True], "s")])
    losses = train(model, tree, 8, bf16=True)
    after = embedding.token_adapter.get_merged_weights(["default"]).detach()
    changed = (before != after).any(1).nonzero().flatten().tolist()
    assert changed == ids
    assert losses[-1] < losses[0] - 0.2


def test_spare_rows_are_used_before_the_embedding_grows(tiny_base: Path, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", tiny_base, vocab_size=640)
    assert load(base, added_tokens=ADDED).config.vocab_size == 640
    with torch.no_grad():
        assert mean_loss(load(base, added_tokens=ADDED), batch_of()).isfinite()
