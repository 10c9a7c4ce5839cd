"""4-bit weights: that they are, that the check sees when they are not, and that training goes through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bitsandbytes
import pytest
import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from tiny_bases import batch_of, load, mean_loss, save_base, train
from transformers import AutoModelForCausalLM

from data_pipeline.core.errors import CheckFailed, InputError
from xlam_train import attention, quantize
from xlam_train.quantize import check_differentiable, check_four_bit, keep_differentiable, quant_states

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def base(tiny_base: Path, tmp_path: Path) -> Path:
    return save_base(tmp_path / "base", tiny_base)


def plain(base: Path, **settings: Any) -> Any:
    """The base as transformers loads it, without our checks."""
    attention.register()
    dtype = settings.pop("dtype", torch.bfloat16)
    return AutoModelForCausalLM.from_pretrained(base, dtype=dtype, attn_implementation=attention.NAME, **settings)


def test_every_linear_layer_has_four_bits(base: Path) -> None:
    model = load(base, True, method="qlora", lora={"rank": 4})
    layers = {name: m for name, m in model.named_modules() if isinstance(m, bitsandbytes.nn.Linear4bit)}
    assert len(layers) == 2 * 7
    for name, layer in layers.items():
        values = layer.in_features * layer.out_features
        assert (layer.weight.dtype, layer.weight.nbytes) == (torch.uint8, values // 2), name
        assert (layer.weight.quant_state.nested, layer.compute_dtype) == (True, torch.bfloat16), name
        assert not layer.weight.requires_grad
    trained = {name: w for name, w in model.named_parameters() if w.requires_grad}
    assert len(trained) == 2 * 2 * 7
    assert {w.dtype for w in trained.values()} == {torch.float32}


def test_the_values_are_those_of_nf4(base: Path) -> None:
    """In code of our own: each block of 64 scaled to its largest value, each value the nearest of 16."""
    weight = plain(base, dtype=torch.float32).model.layers[0].mlp.up_proj.weight.detach()
    layer = load(base, method="qlora").get_base_model().model.layers[0].mlp.up_proj.get_base_layer()
    state = layer.weight.quant_state
    blocks = weight.reshape(-1, 64)
    scale = blocks.abs().amax(1, keepdim=True)
    nearest = ((blocks / scale)[..., None] - state.code).abs().argmin(-1)
    wanted = (state.code[nearest] * scale).reshape(weight.shape)
    actual = bitsandbytes.functional.dequantize_4bit(layer.weight.data, state)
    # The scales themselves are stored in 8 bits.
    torch.testing.assert_close(actual, wanted, rtol=0.02, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "not 4 bits"),
        ({"quant_type": "fp4"}, "quantization is fp4, not nf4"),
        ({"double": False}, "double quantization is False, not True"),
        ({"skipped": ["down_proj", "lm_head"]}, r"down_proj.weight: \(64, 128\) torch.bfloat16, not 4 bits"),
    ],
)
def test_what_has_no_four_bits_is_noticed(base: Path, settings: dict[str, Any], message: str) -> None:
    config = quantize.four_bit_config(torch.bfloat16)
    config.bnb_4bit_quant_type = settings.get("quant_type", "nf4")
    config.bnb_4bit_use_double_quant = settings.get("double", True)
    config.llm_int8_skip_modules = settings.get("skipped")
    model = plain(base, **({"quantization_config": config} if settings else {}))
    with pytest.raises(CheckFailed, match=message):
        check_four_bit(model)


def test_experts_are_quantized_too(tiny_base: Path, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", tiny_base, "mixtral")
    with pytest.raises(CheckFailed, match=r"experts.gate_up_proj: .* not 4 bits"):  # transformers leaves them out
        check_four_bit(plain(base, quantization_config=quantize.four_bit_config(torch.bfloat16)))
    with pytest.raises(InputError, match=r"gradient_checkpointing: .* set it to true"):
        load(base, True, method="qlora")
    model = load(base, True, method="qlora", lora={"rank": 4}, gradient_checkpointing=True)
    experts = [state for name, state in quant_states(model).items() if "experts" in name]
    assert [tuple(state.shape) for state in experts] == [(4, 256, 64), (4, 64, 128)] * 2
    assert {"q_proj", "k_proj", "v_proj", "o_proj"} == {
        name.split(".")[-4] for name, w in model.named_parameters() if w.requires_grad
    }
    losses = train(model, batch_of(), 8, bf16=True)
    assert losses[-1] < losses[0] - 0.05


def test_the_loss_differs_from_full_precision_by_rounding_only(base: Path) -> None:
    """The loss is the one of the base with rounded weights exactly, and near the one without."""
    batch = batch_of()
    with torch.no_grad():
        four_bit = mean_loss(load(base, method="qlora"), batch)
        model = load(base, method="full")
        exact = mean_loss(model, batch)
        quantize.round_to_four_bit(model, torch.float32)
        rounded = mean_loss(model, batch)
    torch.testing.assert_close(four_bit, rounded, rtol=1e-5, atol=0)
    assert 0 < abs(float(four_bit - exact)) < 0.05 * float(exact)


def test_training_goes_through_four_bit_weights(base: Path) -> None:
    """Every B has a gradient in the first step, also behind other layers; and it is the one of the rounded base."""
    models = [load(base, method=method, lora={"rank": 4}) for method in ("qlora", "lora")]
    quantize.round_to_four_bit(models[1].get_base_model(), torch.float32)
    set_peft_model_state_dict(models[1], get_peft_model_state_dict(models[0]))  # the same random matrices A
    gradients = []
    for model in models:
        mean_loss(model, batch_of()).backward()
        gradients.append([w.grad for name, w in model.named_parameters() if "lora_B" in name])
    assert len(gradients[0]) == 2 * 7
    for four_bit, rounded in zip(*gradients, strict=True):
        assert four_bit.any()
        torch.testing.assert_close(four_bit, rounded, rtol=1e-3, atol=1e-6)


def test_the_loss_falls_and_evaluation_in_between_changes_nothing(base: Path) -> None:
    batch = batch_of()
    courses = []
    for evaluated in (False, True):
        model = load(base, True, method="qlora", lora={"rank": 4})
        losses = train(model, batch, 3, bf16=True)
        if evaluated:
            evaluate(model, batch)
            check_differentiable(model)
        courses.append(losses + train(model, batch, 5, bf16=True))
    assert courses[0] == courses[1]
    assert courses[0][-1] < courses[0][0] - 0.2


def evaluate(model: Any, batch: Any) -> None:
    model.eval()
    with torch.no_grad():
        mean_loss(model, batch, bf16=True)
    model.train()


@pytest.mark.skipif(
    not bitsandbytes.functional.has_avx512bf16(), reason="bitsandbytes repacks only with AVX512-BF16 instructions"
)
@pytest.mark.filterwarnings("ignore:.*an autograd kernel was not registered:UserWarning")
def test_without_the_guard_evaluation_ends_the_gradient(base: Path) -> None:
    """The trap itself, so that a bitsandbytes without it is noticed, and that the check sees it."""
    model = load(base, True, method="qlora", lora={"rank": 4})
    for module in model.modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            module.support_avx512bf16_for_cpu = True
    evaluate(model, batch_of())
    with pytest.raises(CheckFailed, match="repacked for inference"):
        check_differentiable(model)
    mean_loss(model, batch_of(), bf16=True).backward()
    lost = [name for name, w in model.named_parameters() if "lora_B" in name and not w.grad.any()]
    assert len(lost) > 2 * 3  # queries, keys, values, gates: everything whose output passes another linear layer


def test_the_guard_needs_an_attribute_of_bitsandbytes(base: Path) -> None:
    model = plain(base, quantization_config=quantize.four_bit_config(torch.bfloat16))
    del model.model.layers[0].mlp.up_proj.support_avx512bf16_for_cpu
    with pytest.raises(AssertionError, match="another attribute"):
        keep_differentiable(model)


def test_bitsandbytes_is_missing(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="method: qlora needs bitsandbytes; pip install bitsandbytes"):
        quantize.require_bitsandbytes()
