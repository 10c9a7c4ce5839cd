"""Loading for training: types of the weights, what has a gradient, and what the machine cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tiny_bases
import torch
from tiny_bases import batch_of, load, mean_loss
from transformers import AutoModelForCausalLM

from data_pipeline.core.errors import InputError
from xlam_train.model import storage_dtype

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("bf16", [False, True])
def test_adapters_are_fp32_on_a_base_in_the_runs_type(tiny_base: Path, bf16: bool) -> None:
    model = load(tiny_base, bf16, lora={"rank": 4})
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    frozen = [p for p in model.parameters() if not p.requires_grad]
    assert len(trained) == 2 * 2 * 7  # A and B, two layers, seven linear layers each
    assert {p.dtype for p in trained.values()} == {torch.float32}
    assert {p.dtype for p in frozen} == {torch.bfloat16 if bf16 else torch.float32}
    assert model.training
    assert not model.config.use_cache


@pytest.mark.parametrize("bf16", [False, True])
def test_full_training_keeps_fp32_weights(tiny_base: Path, bf16: bool) -> None:
    model = load(tiny_base, bf16, method="full")
    assert {(p.dtype, p.requires_grad) for p in model.parameters()} == {(torch.float32, True)}
    before = [p.detach().clone() for p in model.parameters()]
    tiny_bases.train(model, batch_of(), 1, bf16)
    assert all(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("frozen", [0, 1])
def test_frozen_layers_and_the_embeddings_stay_and_the_others_learn_as_ever(
    tiny_base: Path, frozen: int, checkpointing: bool
) -> None:
    section = {"base": "tiny", "frozen_layers": frozen}
    model = load(tiny_base, False, method="full", model=section, gradient_checkpointing=checkpointing)
    whole = load(tiny_base, False, method="full")
    for one in (model, whole):
        mean_loss(one, batch_of()).backward()
    stay = ("embed_tokens", "lm_head", *(f"layers.{number}." for number in range(frozen)))
    learn = {name for name, _ in model.named_parameters() if not any(part in name for part in stay)}
    assert {name for name, weight in model.named_parameters() if weight.grad is not None} == learn
    every = dict(whole.named_parameters())
    for name in learn:
        torch.testing.assert_close(model.get_parameter(name).grad, every[name].grad)


@pytest.mark.parametrize(
    "section", [{"method": "full", "model": {"base": "tiny", "frozen_layers": 0}}, {"lora": {"rank": 4}}]
)
def test_checkpointing_asks_no_gradient_of_embeddings_that_do_not_learn(
    tiny_base: Path, section: dict[str, object]
) -> None:
    model = load(tiny_base, False, gradient_checkpointing=True, **section)
    embedded: list[torch.Tensor] = []
    model.get_input_embeddings().register_forward_hook(lambda *given: embedded.append(given[-1]))
    mean_loss(model, batch_of()).backward()
    assert [tensor.requires_grad for tensor in embedded] == [False]
    assert any(weight.grad is not None for weight in model.parameters())


def test_an_output_head_of_its_own_is_frozen_like_a_tied_one(tiny_base: Path, tmp_path: Path) -> None:
    base = tiny_bases.save_base(tmp_path / "base", tiny_base, tie_word_embeddings=False)
    model = load(base, False, method="full", model={"base": "untied", "frozen_layers": 0})
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    assert frozen == {"model.embed_tokens.weight", "lm_head.weight"}


def test_freezing_every_layer_is_refused(tiny_base: Path) -> None:
    with pytest.raises(InputError, match="frozen_layers: 2 leaves nothing to train"):
        load(tiny_base, False, method="full", model={"base": "tiny", "frozen_layers": 2})


def test_adapters_take_the_bases_type_under_deepspeed(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    for method in ("full", "lora"):
        assert {p.dtype for p in load(tiny_base, True, method=method).parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_a_forward_pass_without_autocast_works_too(tiny_base: Path, method: str) -> None:
    """As generation does it."""
    model = load(tiny_base, True, method=method)
    with torch.no_grad():
        plain, autocast = mean_loss(model, batch_of()), mean_loss(model, batch_of(), bf16=True)
    torch.testing.assert_close(plain.float(), autocast.float(), rtol=2e-2, atol=0)


@pytest.mark.parametrize(
    ("method", "deepspeed", "dtype"),
    [
        ("full", False, torch.float32),
        ("full", True, torch.float16),
        ("lora", False, torch.float16),
        ("qlora", True, torch.float16),
    ],
)
def test_deepspeed_keeps_its_own_masters(tiny_base: Path, method: str, deepspeed: bool, dtype: torch.dtype) -> None:
    assert storage_dtype(tiny_bases.recipe_for(tiny_base, method=method), torch.float16, deepspeed) is dtype


@pytest.mark.parametrize("kind", ["llama", "qwen2", "mixtral"])
@pytest.mark.parametrize("lora", [{}, {"rslora": True}, {"dora": True, "target_modules": ["q_proj", "down_proj"]}])
def test_a_fresh_adapter_changes_nothing(tiny_base: Path, tmp_path: Path, kind: str, lora: dict[str, object]) -> None:
    if kind == "mixtral" and lora.get("dora"):
        lora = {"dora": True, "target_modules": ["q_proj"]}
    base = tiny_bases.save_base(tmp_path / "base", tiny_base, kind)
    batch = batch_of()
    with torch.no_grad():
        plain = mean_loss(load(base, method="full"), batch)
        adapted = mean_loss(load(base, lora={"rank": 4, **lora}), batch)
    if lora.get("dora"):  # magnitude times direction is the weight again, but for rounding
        torch.testing.assert_close(adapted, plain, rtol=1e-6, atol=0)
    else:
        assert torch.equal(adapted, plain)


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_checkpointing_changes_neither_loss_nor_gradient(tiny_base: Path, tmp_path: Path, method: str) -> None:
    base = tiny_bases.save_base(tmp_path / "base", tiny_base)
    results = []
    for checkpointing in (False, True):
        model = load(base, method=method, gradient_checkpointing=checkpointing)
        assert any(getattr(m, "gradient_checkpointing", False) for m in model.modules()) == checkpointing
        loss = mean_loss(model, batch_of())
        loss.backward()
        results.append([loss.detach(), *(p.grad for p in model.parameters() if p.requires_grad)])
    for kept, recomputed in zip(*results, strict=True):
        assert kept.isfinite().all()
        assert torch.equal(kept, recomputed)


def test_the_model_is_the_base(tiny_base: Path) -> None:
    """With the tree's attention on a chain, the loss is the one of transformers' own attention."""
    batch = batch_of()
    ids = batch["input_ids"][0].tolist()
    chain = tiny_bases.batch([tiny_bases.Encoded(ids, [False] + [True] * (len(ids) - 1), "chain")])
    ours = mean_loss(load(tiny_base, method="full"), chain)
    plain = AutoModelForCausalLM.from_pretrained(tiny_base)
    theirs = plain(input_ids=chain["input_ids"], labels=chain["input_ids"]).loss
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=0)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch.compile's own, when it is first used
def test_compilation_does_not_change_names(tiny_base: Path) -> None:
    plain, compiled = load(tiny_base, method="full"), load(tiny_base, method="full", compile=True)
    assert compiled._compiled_call_impl is not None
    assert [name for name, _ in plain.named_parameters()] == [name for name, _ in compiled.named_parameters()]


@pytest.mark.skipif(torch.cuda.is_available(), reason="these work on a GPU")
@pytest.mark.parametrize(
    ("section", "message"),
    [({"precision": "fp16"}, "precision: fp16 needs a GPU"), ({"liger": True}, "liger: its kernels need a CUDA GPU")],
)
def test_what_needs_a_gpu(tiny_base: Path, section: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(tiny_base, **section)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_liger_on_a_gpu(tiny_base: Path) -> None:
    pytest.importorskip("liger_kernel")
    assert load(tiny_base, method="full", liger=True).model.norm.forward.__module__.startswith("liger_kernel")
