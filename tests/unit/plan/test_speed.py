from typing import Any

import pytest
import tiny_models
import torch
from torch.utils.flop_counter import FlopCounterMode

from xlam_train import attention
from xlam_train.adapters import add_lora
from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Encoded
from xlam_train.model import _enable_checkpointing, freeze
from xlam_train.objective import tree_loss
from xlam_train.plan.count import Shape, count
from xlam_train.plan.speed import flops, speed
from xlam_train.plan.statistics import Statistics, assumed
from xlam_train.recipe import ModelSection, TrainRecipe

BASE = "Qwen/Qwen2.5-3B-Instruct"
TOKENS = 256


def recipe_for(method: str, **sections: Any) -> TrainRecipe:
    return TrainRecipe.model_validate(
        {"model": {"base": "b"}, "data": {"path": "d"}, "out": "o", "method": method, **sections}
    )


def data(labelled: float, visible: float = 0.0) -> Statistics:
    return Statistics(1, 1.0, 1.0, labelled, visible, 1, "")


@pytest.mark.parametrize("method", ["full", "upper", "lora"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_products_are_those_that_torch_counts(method: str, checkpointing: bool) -> None:
    torch.set_num_threads(1)
    attention.register()
    recipe = recipe_for("lora" if method == "lora" else "full", gradient_checkpointing=checkpointing)
    if method == "upper":
        recipe = recipe.model_copy(update={"model": ModelSection(base="b", frozen_layers=1)})
    config = tiny_models.tiny_config(BASE, 500)
    config._attn_implementation = attention.NAME
    model: Any = tiny_models.random_model(config)
    if method == "upper":
        freeze(model, 1)
    trained = add_lora(model, recipe.lora) if method == "lora" else model
    if checkpointing:
        _enable_checkpointing(model)
    row = Encoded(list(range(TOKENS)), [i >= 200 for i in range(TOKENS)], "s")
    batch = collate_tree(build_tree([row]))
    with FlopCounterMode(display=False) as counter:
        tree_loss(trained.train(), batch).backward()
    # Attention's products are batched; the matrices are not.
    products = sum(
        n for op, n in counter.get_flop_counts()["Global"].items() if "bmm" not in str(op) and "mm" in str(op)
    )
    planned = flops(recipe, Shape.of(config), count(recipe, config), data((TOKENS - 200) / TOKENS))
    # Norms and biases are counted as if they were matrices, and the lowest adapters need no gradient of their input.
    assert planned.total * TOKENS == pytest.approx(products, rel=0.04 if method == "lora" else 0.02)


def test_attention_costs_four_operations_forward_and_ten_backward() -> None:
    config = tiny_models.tiny_config(BASE, 500)
    recipe, shape = recipe_for("full"), Shape.of(config)
    counts = count(recipe, config)
    none, some = (flops(recipe, shape, counts, data(0.1, visible)) for visible in (0.0, 100.0))
    assert some.forward - none.forward == 4 * shape.query * 100 * shape.layers
    assert some.backward - none.backward == 10 * shape.query * 100 * shape.layers


def test_layers_below_the_first_adapter_have_no_backward_pass() -> None:
    config = tiny_models.tiny_config(BASE, 500)
    shape = Shape.of(config)
    whole, upper = recipe_for("lora"), recipe_for("lora", lora={"first_layer": 1})
    of_whole, of_upper = (flops(r, shape, count(r, config), data(0.0)) for r in (whole, upper))
    assert of_upper.backward == pytest.approx(of_whole.backward / 2, rel=0.01)
    assert of_upper.forward == pytest.approx(of_whole.forward, rel=0.5)


def test_a_reference_adds_a_forward_pass_or_its_share_of_the_epochs() -> None:
    config = tiny_models.tiny_config(BASE, 500)
    shape = Shape.of(config)
    plain = recipe_for("lora")
    adapter = recipe_for("lora", dpo={"reference": "adapter"})
    precomputed = recipe_for("lora", dpo={"reference": "precomputed"}, optim={"epochs": 2})
    counts = count(plain, config)
    none, one, half = (flops(r, shape, counts, data(0.2)) for r in (plain, adapter, precomputed))
    assert none.reference == 0
    assert one.reference == 2 * half.reference > 0


def test_hours_follow_from_work_and_peak() -> None:
    found = speed(recipe_for("full", optim={"epochs": 2}), assumed(1000, "test"), 1e12, gpus=8, tflops=100, share=0.5)
    assert found.tokens_per_second == 8 * 100 * 0.5
    assert found.hours == pytest.approx(2 * 1000 * 146.5 / 400 / 3600)
