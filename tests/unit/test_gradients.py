"""The watch over gradients, in a real trainer's callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from tiny_bases import batch_of, load, mean_loss

from data_pipeline.core.errors import CheckFailed
from xlam_train.gradients import GradientWitness

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def step(witness: GradientWitness, *losses: torch.Tensor) -> None:
    """One optimizer step of as many micro-batches, as transformers announces it."""
    nothing: Any = None
    witness.on_step_begin(nothing, nothing, nothing)
    for loss in losses:
        loss.backward()
    witness.on_step_end(nothing, nothing, nothing)


@pytest.mark.parametrize("section", [{"method": "full"}, {}, {"method": "qlora"}, {"lora": {"dora": True}}])
def test_a_sound_model_passes_and_is_left_alone_afterwards(tiny_base: Path, section: dict[str, Any]) -> None:
    model = load(tiny_base, **section)
    witness = GradientWitness(model)
    step(witness, mean_loss(model, batch_of()), mean_loss(model, batch_of(seed=1)))
    weights = [w for w in model.parameters() if w.requires_grad]
    assert not any(w._backward_hooks for w in weights)
    step(witness, torch.zeros((), requires_grad=True))  # not watched any more


def test_added_rows_count_as_trained(tiny_base: Path) -> None:
    model = load(tiny_base, added_tokens=["<call>"])
    step(GradientWitness(model), mean_loss(model, batch_of()))


def test_a_part_that_no_gradient_reaches_is_named(tiny_base: Path) -> None:
    model = load(tiny_base, lora={"rank": 4})
    model.get_base_model().model.layers[1].register_forward_hook(lambda _, __, output: output.detach())
    with pytest.raises(CheckFailed, match=r"no gradient reaches .*layers\.0\.self_attn\.q_proj\.lora_A"):
        step(GradientWitness(model), mean_loss(model, batch_of()) + next(sum_of_last(model)))


def sum_of_last(model: Any) -> Any:
    """A loss of the last layer's adapters only, so that there is something to go backward from."""
    yield sum(w.sum() for name, w in model.named_parameters() if w.requires_grad and ".layers.1." in name)


def test_a_gradient_of_zero_behind_another_layer_is_named(tiny_base: Path) -> None:
    """What 4-bit weights without gradient do: the residual stream goes on, paths through linear layers end."""
    model = load(tiny_base, lora={"rank": 4})
    mlp = model.get_base_model().model.layers[0].mlp
    mlp.down_proj.base_layer.register_forward_hook(lambda _, __, output: output.detach())
    with pytest.raises(CheckFailed, match=r"no gradient reaches .*layers\.0\.mlp\.gate_proj\.lora_B"):
        step(GradientWitness(model), mean_loss(model, batch_of()))


def test_filler_says_nothing_and_the_next_step_is_watched(tiny_base: Path) -> None:
    model = load(tiny_base, lora={"rank": 4})
    witness = GradientWitness(model)
    step(witness, mean_loss(model, batch_of()) * 0)
    model.get_base_model().model.layers[0].mlp.down_proj.base_layer.register_forward_hook(
        lambda _, __, output: output.detach()
    )
    with pytest.raises(CheckFailed, match="no gradient reaches"):
        step(witness, mean_loss(model, batch_of()))


def test_after_an_evaluation_it_looks_again(tiny_base: Path) -> None:
    model = load(tiny_base, method="qlora")
    witness = GradientWitness(model)
    step(witness, mean_loss(model, batch_of()))
    nothing: Any = None
    witness.on_evaluate(nothing, nothing, nothing)
    for name, weight in model.named_parameters():
        weight.requires_grad_(weight.requires_grad and "layers.0" not in name)
    step(witness, mean_loss(model, batch_of()))  # what is frozen on purpose is not expected to have one
    state = model.get_base_model().model.layers[0].mlp.up_proj.get_base_layer().weight.quant_state
    state.packing_format_for_cpu = True
    with pytest.raises(CheckFailed, match="repacked for inference"):
        witness.on_evaluate(nothing, nothing, nothing)
