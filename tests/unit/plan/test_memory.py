import json
from pathlib import Path
from typing import Any

import pytest

from xlam_train.plan.architectures import config_of
from xlam_train.plan.count import Counts, Shape, count
from xlam_train.plan.layouts import DDP, LAYOUTS, SINGLE, Layout
from xlam_train.plan.memory import BUCKET, GPU, LIVE, Memory, MemoryModel, Reserve
from xlam_train.recipe import TrainRecipe

SEVEN = "deepseek-ai/deepseek-coder-7b-instruct-v1.5"
RANKS = 8
NOTHING = Reserve(0, 0)


def recipe_for(method: str, base: str = SEVEN, **sections: Any) -> TrainRecipe:
    return TrainRecipe.model_validate(
        {"model": {"base": base}, "data": {"path": "d"}, "out": "o", "method": method, **sections}
    )


def counted(recipe: TrainRecipe) -> tuple[Shape, Counts]:
    config = config_of(recipe.model.base)
    return Shape.of(config), count(recipe, config)


def memory(recipe: TrainRecipe, layout: Layout, half: bool = True, reserve: Reserve = NOTHING) -> Memory:
    return MemoryModel(recipe, *counted(recipe), layout, RANKS, half, reserve).of_tree(2048, 0.3, accumulates=True)


@pytest.fixture(scope="module")
def by_layout() -> dict[str, Memory]:
    recipe = recipe_for("full", gradient_checkpointing=True)
    return {layout.name: memory(recipe, layout) for layout in LAYOUTS}


def test_full_fine_tuning_takes_sixteen_bytes_a_weight_and_ddp_four_more() -> None:
    weights = 6_910_365_696
    alone = memory(recipe_for("full"), SINGLE, half=False)
    assert (alone.weights, alone.gradients, alone.optimizer) == (4 * weights, 4 * weights, 8 * weights)
    assert (alone.communication, alone.casts) == (0, 0)
    assert memory(recipe_for("full"), DDP).communication == 4 * weights


def test_autocast_keeps_a_half_precision_copy_of_what_it_multiplies(by_layout: dict[str, Memory]) -> None:
    assert by_layout["ddp"].casts == 2 * (6_910_365_696 - 102_400 * 4096)
    assert by_layout["zero2"].casts == 0


def test_each_stage_divides_one_thing_more(by_layout: dict[str, Memory]) -> None:
    weights = 6_910_365_696
    one, two, three = (by_layout[name] for name in ("zero1", "zero2", "zero3"))
    assert one.optimizer == two.optimizer == three.optimizer == 12 * weights / RANKS
    assert one.weights == two.weights == 2 * weights
    assert three.weights == 2 * weights / RANKS + 2 * LIVE
    assert one.gradients == 6 * weights
    assert two.gradients == three.gradients == 4 * weights / RANKS


def test_layouts_are_ordered_by_what_they_save(by_layout: dict[str, Memory]) -> None:
    peaks = [by_layout[name].peak for name in ("ddp", "zero1", "zero2", "zero3", "zero3_offload")]
    assert peaks == sorted(peaks, reverse=True)
    assert by_layout["zero2_offload"].peak < by_layout["zero2"].peak


def test_what_is_offloaded_is_in_the_host(by_layout: dict[str, Memory]) -> None:
    weights = 6_910_365_696
    assert by_layout["zero2_offload"].host == 16 * weights / RANKS
    assert by_layout["zero3_offload"].host == 18 * weights / RANKS
    assert by_layout["zero3"].host == 0


def test_adapters_cost_sixteen_bytes_a_weight_and_the_base_two_or_four_bits() -> None:
    lora, qlora = recipe_for("lora"), recipe_for("qlora")
    _, counts = counted(lora)
    found = memory(lora, SINGLE)
    assert found.weights == 2 * counts.total + 4 * counts.trainable
    assert found.gradients + found.optimizer == 12 * counts.trainable
    packed = sum(counts.four_bit)
    bits = 8 * (memory(qlora, SINGLE).weights - 4 * counts.trainable - 2 * (counts.total - packed)) / packed
    assert bits == pytest.approx(4.127, abs=0.001)  # QLoRA, section 3: 0.127 bits of constants a weight


def test_memory_grows_with_the_tree_and_the_longest_one_just_fits() -> None:
    recipe = recipe_for("lora", gradient_checkpointing=True)
    model = MemoryModel(recipe, *counted(recipe), DDP, RANKS, True, GPU)
    longest = model.longest_tree(40e9, 0.3, True)
    assert model.of_tree(longest, 0.3, True).peak <= 40e9 < model.of_tree(longest + 1, 0.3, True).peak
    assert model.longest_tree(10e9, 0.3, True) == 0


def test_without_accumulation_gradients_and_activations_do_not_meet() -> None:
    recipe = recipe_for("full")
    model = MemoryModel(recipe, *counted(recipe), SINGLE, 1, True, NOTHING)
    together, apart = (model.of_tree(2048, 0.3, accumulates) for accumulates in (True, False))
    assert together.peak - apart.peak == pytest.approx(min(together.gradients, apart.peak - 12 * 6_910_365_696))


@pytest.mark.parametrize("name", ["zero1", "zero2"])
def test_buckets_are_those_of_the_recipes(name: str) -> None:
    zero = json.loads(Path(f"recipes/deepspeed/{name}.json").read_text())["zero_optimization"]
    assert zero["reduce_bucket_size"] == BUCKET
    assert zero["overlap_comm"]


def test_live_weights_are_those_of_the_recipe() -> None:
    zero = json.loads(Path("recipes/deepspeed/zero3.json").read_text())["zero_optimization"]
    assert zero["stage3_max_live_parameters"] == LIVE
    assert zero["reduce_bucket_size"] == zero["stage3_prefetch_bucket_size"] == "auto"
