"""The lean LoRA layer against peft's own, on the same weights."""

from __future__ import annotations

import copy

import pytest
import torch
from peft import LoraConfig
from peft.tuners.lora import Linear

from xlam_train.lora import LeanLoraLinear


def pair() -> tuple[LeanLoraLinear, Linear]:
    """A lean layer and peft's, in fp64, with adapters that do something."""
    torch.manual_seed(0)
    base = torch.nn.Linear(6, 5, dtype=torch.float64)
    config = LoraConfig(r=2, lora_alpha=6)
    lean = LeanLoraLinear(copy.deepcopy(base), "default", config=config, r=2, lora_alpha=6).double()
    torch.nn.init.normal_(lean.lora_B["default"].weight)
    theirs = Linear(base, "default", config=config, r=2, lora_alpha=6).double()
    theirs.load_state_dict(lean.state_dict())
    return lean, theirs


def test_output_and_gradients_are_those_of_peft() -> None:
    lean, theirs = pair()
    x = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    gradients = []
    for layer in (lean, theirs):
        out = layer(x)
        weights = [x, layer.lora_A["default"].weight, layer.lora_B["default"].weight]
        gradients.append([out.detach(), *torch.autograd.grad(out.square().sum(), weights)])
    assert gradients[0][0].any()
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("state", ["disabled", "merged"])
def test_without_an_active_adapter_it_is_peft(state: str) -> None:
    lean, theirs = pair()
    x = torch.randn(3, 6, dtype=torch.float64)
    for layer in (lean, theirs):
        layer.enable_adapters(False) if state == "disabled" else layer.merge()
    torch.testing.assert_close(lean(x), theirs(x), rtol=1e-12, atol=1e-12)


def test_bf16_inputs_are_not_raised_to_the_adapters_fp32() -> None:
    """peft's layer raises its input to the adapters' type first, and autocast lowers it again."""
    base = torch.nn.Linear(6, 5, dtype=torch.bfloat16)
    lean = LeanLoraLinear(base, "default", config=LoraConfig(r=2, lora_alpha=6), r=2, lora_alpha=6)
    for adapter in (lean.lora_A, lean.lora_B):
        adapter.float()  # as training keeps them
    seen: list[torch.dtype] = []
    lean.lora_A["default"].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        assert lean(torch.randn(3, 6, dtype=torch.bfloat16)).dtype is torch.bfloat16
    assert seen == [torch.bfloat16]


def test_dora_is_left_to_peft() -> None:
    torch.manual_seed(0)
    base = torch.nn.Linear(6, 5, dtype=torch.float64)
    config = LoraConfig(r=2, lora_alpha=6, use_dora=True)
    layers = [cls(copy.deepcopy(base), "default", config=config, r=2, lora_alpha=6) for cls in (LeanLoraLinear, Linear)]
    lean, theirs = (layer.double() for layer in layers)
    torch.nn.init.normal_(lean.lora_B["default"].weight)
    theirs.load_state_dict(lean.state_dict())
    x = torch.randn(3, 6, dtype=torch.float64)
    torch.testing.assert_close(lean(x), theirs(x), rtol=1e-12, atol=1e-12)
    plain = base(x) + lean.lora_B["default"](lean.lora_A["default"](x)) * 3
    assert not torch.allclose(lean(x), plain)
