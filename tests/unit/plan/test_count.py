import pytest
import tiny_models
import torch

from xlam_train.plan.count import Shape, count, four_bit_bytes
from xlam_train.recipe import ModelSection, TrainRecipe

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
MIXTRAL = "mistralai/Mixtral-8x7B-Instruct-v0.1"


def recipe_for(method: str, **lora: object) -> TrainRecipe:
    sections = {"lora": lora} if lora else {}
    return TrainRecipe.model_validate(
        {"model": {"base": "b"}, "data": {"path": "d"}, "out": "o", "method": method, **sections}
    )


def test_adapters_of_rank_r_have_r_rows_and_r_columns_a_layer() -> None:
    config = tiny_models.tiny_config(LLAMA, 500)
    shape = Shape.of(config)
    hidden, inner = shape.hidden, shape.intermediate
    pairs = [
        (hidden, shape.query),
        (hidden, shape.key),
        (hidden, shape.key),
        (shape.query, hidden),
        (hidden, inner),
        (hidden, inner),
        (inner, hidden),
    ]
    counts = count(recipe_for("lora", rank=4), config)
    assert counts.trainable == counts.adapters == shape.layers * 4 * sum(map(sum, pairs))
    assert counts.adapted == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert count(recipe_for("lora", rank=4, first_layer=1), config).trainable * shape.layers == counts.trainable


def test_counting_leaves_what_training_would_train_unchanged() -> None:
    """The meta device gives the numbers of real modules."""
    from xlam_train.adapters import add_lora

    for base in (LLAMA, MIXTRAL):
        recipe = recipe_for("lora", rank=4)
        config = tiny_models.tiny_config(base, 500)
        model = add_lora(tiny_models.random_model(config), recipe.lora)
        real = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
        assert count(recipe, config).trainable == real


def test_frozen_layers_and_embeddings_are_not_trained() -> None:
    config = tiny_models.tiny_config(LLAMA, 500)
    whole, embeddings, upper = (
        count(recipe_for("full").model_copy(update={"model": ModelSection(base="b", frozen_layers=frozen)}), config)
        for frozen in (None, 0, 1)
    )
    assert whole.trainable == whole.total
    assert embeddings.trainable == whole.total - whole.embeddings
    final_norm = Shape.of(config).hidden
    assert (upper.trainable - final_norm) * Shape.of(config).layers == (embeddings.trainable - final_norm) * (
        Shape.of(config).layers - 1
    )
    assert upper.largest == Shape.of(config).hidden * Shape.of(config).intermediate < whole.largest


def test_a_token_takes_two_of_eight_experts() -> None:
    from xlam_train.plan.architectures import config_of

    counts = count(recipe_for("full"), config_of(MIXTRAL))
    # 12.9 billion by the Mixtral paper (arXiv 2401.04088), embedding included.
    assert counts.active + counts.embeddings - counts.head == 12_879_925_248


def test_experts_have_adapters_in_lora_but_not_in_qlora() -> None:
    config = tiny_models.tiny_config(MIXTRAL, 500)
    plain, packed = count(recipe_for("lora"), config), count(recipe_for("qlora"), config)
    assert (plain.expert_adapters, packed.expert_adapters) == (True, False)
    assert packed.trainable < plain.trainable


def test_four_bit_bytes_are_those_of_bitsandbytes() -> None:
    functional = pytest.importorskip("bitsandbytes.functional", reason="needs bitsandbytes")
    from xlam_train.quantize import QUANT_TYPE, state_bytes

    weight = torch.randn(96, 128 * 3)
    packed, state = functional.quantize_4bit(weight, blocksize=64, compress_statistics=True, quant_type=QUANT_TYPE)
    assert four_bit_bytes((weight.numel(),)) == packed.nbytes + state_bytes(state)
