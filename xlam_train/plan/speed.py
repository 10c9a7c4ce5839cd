"""Arithmetic of training, and how long it takes at a stated share of the hardware's peak.

A matrix product of P weights takes 2 P floating-point operations a token forward, 2 P more for the gradient of what
went in, and 2 P for the gradient of the weights, which frozen ones do not need. Attention takes 4 Q a visible key and
layer forward and 10 Q backward, because probabilities are computed anew (Dao et al. 2022). The output head runs at
labelled positions only. Checkpointing adds the forward pass of the layers once more. All of it counts here: the share
of the peak is that of what the hardware does. Time for exchanging weights and gradients is not modelled.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlam_train.plan.count import Counts, Shape
    from xlam_train.plan.statistics import Statistics
    from xlam_train.recipe import TrainRecipe


@dataclass(frozen=True)
class Peak:
    """Dense peak of a GPU, in TFLOP/s.

    Attributes:
        half: in bf16 and fp16, without sparsity.
        single: in fp32.
    """

    half: float
    single: float


PEAKS = {
    "a100": Peak(312, 19.5),
    "h100": Peak(989, 67),
    "h200": Peak(989, 67),
    "b200": Peak(2250, 75),
    "l40s": Peak(362, 91.6),
    "rtx4090": Peak(165, 82.6),
}
"""From NVIDIA's data sheets: SXM modules, dense; bf16 with fp32 accumulation."""


@dataclass(frozen=True)
class Flops:
    """Floating-point operations a computed token.

    Attributes:
        forward: of the forward pass.
        backward: of the backward pass.
        again: of the forward pass repeated by checkpointing.
        reference: of DPO's reference model.
    """

    forward: float
    backward: float
    again: float
    reference: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.forward + self.backward + self.again + self.reference


def flops(recipe: TrainRecipe, shape: Shape, counts: Counts, data: Statistics) -> Flops:
    """Of a computed token, in the mean over a dataset."""
    full = recipe.method == "full"
    reached = 1 - recipe.first_trained_layer / shape.layers
    products = 2.0 * (counts.active - counts.head)
    head = 2.0 * counts.head * data.labelled
    adapters = 0.0 if full else _adapters(shape, counts, recipe)
    attention = 4.0 * shape.query * data.visible * shape.layers
    inputs = (products + 2.5 * attention) * reached + adapters + head
    learned_head = head if recipe.model.frozen_layers is None else 0.0
    weights = products * reached + learned_head if full else adapters
    reference = 0.0
    if recipe.dpo:
        passes = 1 if recipe.dpo.reference != "precomputed" and not full else 1 / recipe.optim.epochs
        reference = (products + attention + head) * passes
    again = 0.0
    if recipe.gradient_checkpointing:
        again = (products + attention) * reached + adapters - _spared(shape, recipe)
    return Flops(products + attention + adapters + head, inputs + weights, again, reference)


def _spared(shape: Shape, recipe: TrainRecipe) -> float:
    """What checkpointing need not repeat: nothing keeps the last product's result, so torch stops before it."""
    spared = recipe.method == "full" and not shape.experts
    return 2.0 * shape.intermediate * shape.hidden * (shape.layers - recipe.first_trained_layer) if spared else 0.0


def _adapters(shape: Shape, counts: Counts, recipe: TrainRecipe) -> float:
    """Plain adapters multiply with each token; those of experts with the weights, once a tree."""
    if not counts.expert_adapters:
        return 2.0 * counts.adapters
    reached = shape.layers - recipe.first_trained_layer
    once = 2.0 * recipe.lora.rank * counts.experts * reached / recipe.packing.tokens_per_tree
    of_experts = _expert_adapters(shape, recipe) * reached
    return 2.0 * (counts.adapters - of_experts) + once


def _expert_adapters(shape: Shape, recipe: TrainRecipe) -> int:
    """Weights of the adapters of one layer's experts: of gate and up, fused, and of the way down."""
    return recipe.lora.rank * shape.experts * (2 * shape.hidden + 3 * shape.intermediate)


@dataclass(frozen=True)
class Speed:
    """What a run takes.

    Attributes:
        tokens_per_second: computed tokens, of all GPUs.
        samples_per_second: of all GPUs.
        hours: for all epochs.
    """

    tokens_per_second: float
    samples_per_second: float
    hours: float

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def speed(recipe: TrainRecipe, data: Statistics, per_token: float, gpus: int, tflops: float, share: float) -> Speed:
    """At a share of the peak.

    Args:
        recipe: for its epochs.
        data: of the dataset.
        per_token: floating-point operations.
        gpus: that train together.
        tflops: peak of one.
        share: of the peak that is reached.
    """
    tokens = gpus * tflops * 1e12 * share / per_token
    samples = tokens / data.tokens_packed
    return Speed(tokens, samples, recipe.optim.epochs * data.samples / samples / 3600)
