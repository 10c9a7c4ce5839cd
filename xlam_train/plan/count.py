"""Weights counted exactly: on torch's meta device, which builds every module without its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

    from xlam_train.recipe import TrainRecipe


@dataclass(frozen=True)
class Shape:
    """Sizes of a decoder whose layers are all alike.

    Attributes:
        layers: number of transformer layers.
        hidden: width of the residual stream.
        heads: query heads.
        query: width of all queries of a token.
        key: width of all keys of a token, and of all values.
        intermediate: width of a feed-forward network, or of one expert.
        experts: of a mixture; 0 without.
        active_experts: that a token takes; 1 without a mixture.
        vocabulary: rows of the embedding.
    """

    layers: int
    hidden: int
    heads: int
    query: int
    key: int
    intermediate: int
    experts: int
    active_experts: int
    vocabulary: int

    @classmethod
    def of(cls, config: PretrainedConfig) -> Shape:
        """From a transformers config."""
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        experts = int(getattr(config, "num_local_experts", 0) or 0)
        return cls(
            layers=config.num_hidden_layers,
            hidden=config.hidden_size,
            heads=config.num_attention_heads,
            query=config.num_attention_heads * size,
            key=config.num_key_value_heads * size,
            intermediate=config.intermediate_size,
            experts=experts,
            active_experts=config.num_experts_per_tok if experts else 1,
            vocabulary=config.vocab_size,
        )


@dataclass(frozen=True)
class Counts:
    """Numbers of weights.

    Attributes:
        total: of the base.
        embeddings: of input embedding and output head; once where they are tied.
        tied: whether head and embedding are one weight.
        active: that a token's forward pass multiplies with: all but the embedding and the experts not taken.
        head: of the output head.
        four_bit: sizes of the weights that `method: qlora` stores in 4 bits.
        experts: of all fused expert weights of a layer; 0 without a mixture.
        largest: of the largest weight that `full` trains; 0 with adapters.
        largest_module: of the largest module that ZeRO-3 gathers at once, without its children.
        trainable: that the recipe trains.
        adapters: of the adapters; 0 for `full`.
        adapted: last name parts of the layers with adapters.
        expert_adapters: whether experts have adapters, which are then added to the whole fused weights.
    """

    total: int
    embeddings: int
    tied: bool
    active: int
    head: int
    four_bit: tuple[int, ...]
    experts: int
    largest: int
    largest_module: int
    trainable: int
    adapters: int
    adapted: frozenset[str]
    expert_adapters: bool


def count(recipe: TrainRecipe, config: PretrainedConfig) -> Counts:
    """What a recipe trains on a base, counted on the modules that training would build.

    Raises:
        InputError: the recipe's adapters do not go with the base.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from xlam_train.quantize import quantizable

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
        shape = Shape.of(config)
        base = {
            **_embeddings(model),
            "total": _size(model.parameters()),
            "active": _active(model, shape),
            "four_bit": tuple(weight.numel() for weight in quantizable(model)),
            "experts": _size(w for w in model.parameters() if w.ndim == 3) // shape.layers,
            "largest_module": max(_size(module.parameters(recurse=False)) for module in model.modules()),
        }
        return Counts(**base, **_trained(recipe, model))


def _size(weights: Any) -> int:
    return sum(weight.numel() for weight in weights)


def _embeddings(model: PreTrainedModel) -> dict[str, Any]:
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    tied = embedding is head
    return {"embeddings": embedding.numel() * (1 if tied else 2), "tied": tied, "head": head.numel()}


def _active(model: PreTrainedModel, shape: Shape) -> int:
    """Embedding rows are looked up, not multiplied; a tied one is multiplied as the head."""
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    experts = _size(weight for weight in model.parameters() if weight.ndim == 3)
    idle = experts * (shape.experts - shape.active_experts) // shape.experts if experts else 0
    looked_up = 0 if embedding is head else embedding.numel()
    return _size(model.parameters()) - looked_up - idle


def _trained(recipe: TrainRecipe, model: PreTrainedModel) -> dict[str, Any]:
    """With the adapters that training puts on, since peft's own arithmetic is the only one that is surely right."""
    from xlam_train.model import freeze

    if recipe.method == "full":
        if recipe.model.frozen_layers is not None:
            freeze(model, recipe.model.frozen_layers)
        sizes = [weight.numel() for weight in model.parameters() if weight.requires_grad]
        nothing = {"adapters": 0, "adapted": frozenset[str](), "expert_adapters": False}
        return {"trainable": sum(sizes), "largest": max(sizes), **nothing}
    from xlam_train.adapters import add_lora

    added = range(len(recipe.model.added_tokens))  # their rows are as large as any
    adapted = add_lora(model, recipe.lora, added, four_bit=recipe.method == "qlora")
    trained = {name: weight for name, weight in adapted.named_parameters() if weight.requires_grad}
    return {
        "trainable": _size(trained.values()),
        "largest": 0,
        "adapters": _size(weight for name, weight in trained.items() if "lora_" in name),
        "adapted": frozenset(_layer_name(name) for name in trained if ".lora_A." in name),
        "expert_adapters": any(".experts." in name for name in trained),
    }


def _layer_name(weight: str) -> str:
    """`...self_attn.q_proj.lora_A.default.weight` -> `q_proj`."""
    return weight.partition(".lora_A.")[0].rpartition(".")[2]


def four_bit_bytes(sizes: tuple[int, ...]) -> int:
    """Bytes of doubly quantized NF4 weights: 4 bits each, 8 for 64 of them, 32 for 256 of those, and two tables.

    The tables are those of 16 and of 256 fp32 values that bitsandbytes keeps with each weight.
    """
    from xlam_train.quantize import BLOCK, SCALE_BLOCK

    def one(values: int) -> int:
        scales = -(-values // BLOCK)
        return -(-values // 2) + scales + 4 * -(-scales // SCALE_BLOCK) + 4 * (16 + 256)

    return sum(map(one, sizes))
