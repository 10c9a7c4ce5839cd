"""What the forward pass keeps for the backward pass, in bytes, derived from the layers of transformers' decoders.

Widths: H of the residual stream, Q of queries, K of keys and of values, I of the feed-forward network. A layer keeps:
- each of its two norms: its input in fp32 (H), the normalised input if the norm is trained (H), and the output (H)
  if a product has a trained weight or adapter; under autocast every such product keeps a cast of its own;
- attention: queries, keys, values and output as the kernel takes them (2 Q + 2 K), the logarithm of each row's
  normaliser (fp32, one a head), and the output once more in the order of the tokens (Q) if the product behind it is
  trained. Probabilities are computed anew, by `tree_sdpa` and by FlexAttention alike (Dao et al. 2022);
- the feed-forward network: gate, activated gate and up (3 I), and their product (I) if the one behind it is trained;
  of a mixture, the same for each expert taken, what comes out of it (H), and what goes in (H) if it is trained;
- adapters: the narrow product, and with dropout their inputs and masks.
tests/unit/plan/test_activations.py compares this with what autograd really keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlam_train.plan.count import Counts, Shape
    from xlam_train.recipe import TrainRecipe

FP32 = 4
ATTENTION_INPUTS = ("q_proj", "k_proj", "v_proj")
MLP_INPUTS = ("gate_proj", "up_proj")
CHUNK_ROWS = 16  # of logits that are raised to fp32 at a time


@dataclass(frozen=True)
class Types:
    """Bytes of a value.

    Attributes:
        stored: of weights that are not in 4 bits.
        product: of what goes into matrix products and comes out of them.
        stream: of the residual stream; embeddings are not autocast, so it has the type of the stored weights.
        adapters: of trained adapters.
    """

    stored: int
    product: int
    stream: int
    adapters: int

    @property
    def autocast(self) -> bool:
        """Whether fp32 weights and activations are cast for each product."""
        return self.product < self.stored


@dataclass(frozen=True)
class Activations:
    """Bytes at the peak of the backward pass over one tree.

    Attributes:
        kept: by the layers, or of their inputs with gradient checkpointing.
        layer: of the one layer that is computed anew; 0 without checkpointing.
        logits: at labelled positions: the logits, and their gradient.
        weight: gradient of the largest weight, before it is added to that of the trees before.
        inside: gradients inside one layer.
    """

    kept: float
    layer: float
    logits: float
    weight: float
    inside: float

    @property
    def total(self) -> float:
        """At the end of the forward pass, behind the output head's backward pass, or in the last layer's."""
        head = max(self.logits, self.logits / 2 + self.weight)
        return self.kept + max(head, self.layer + self.weight + self.inside)


class ActivationModel:
    """How activations grow with a tree."""

    def __init__(self, recipe: TrainRecipe, shape: Shape, counts: Counts, types: Types) -> None:
        """`counts` of the recipe on a base of this shape."""
        self._recipe, self._shape, self._counts, self._types = recipe, shape, counts, types
        self._full = recipe.method == "full"
        self._reaches_embeddings = self._full and recipe.model.frozen_layers is None

    def of_tree(self, tokens: int, labelled: float) -> Activations:
        """Of a tree with `tokens` nodes, a share `labelled` of which predicts a label."""
        shape, types = self._shape, self._types
        reached = shape.layers - self._recipe.first_trained_layer
        layer = tokens * self.layer_bytes() + self._fused_bytes()
        checkpointing = self._recipe.gradient_checkpointing
        kept = reached * (tokens * types.stream * shape.hidden if checkpointing else layer)
        if not self._reaches_embeddings and not checkpointing:  # nothing is trained before the first norm
            kept -= tokens * FP32 * (shape.hidden + 1)
        logits = self._logit_bytes(tokens * labelled)
        behind = tokens * self._final_bytes()
        weight = types.stored * self._counts.largest
        return Activations(kept + behind, layer if checkpointing else 0.0, logits, weight, self._inside(tokens))

    def layer_bytes(self) -> float:
        """Kept by one layer, a token."""
        return self._norms() + self._attention() + self._feed_forward() + self._narrow()

    def _trained(self, name: str) -> bool:
        return self._full or name in self._counts.adapted

    def _norms(self) -> float:
        hidden = self._shape.hidden
        normalised = self._types.stream * hidden if self._full else 0
        inputs = MLP_INPUTS if not self._shape.experts else ()
        router = FP32 * hidden if self._full and self._shape.experts else 0
        outputs = self._casts(ATTENTION_INPUTS) + self._casts(inputs)
        return 2 * (FP32 * hidden + normalised + FP32) + outputs + router

    def _casts(self, names: tuple[str, ...]) -> int:
        """The output of a norm, as the products behind it keep it."""
        kept = sum(map(self._trained, names))
        copies = kept if self._types.autocast or self._recipe.lora.dropout else min(kept, 1)
        return copies * self._types.product * self._shape.hidden

    def _attention(self) -> float:
        shape = self._shape
        again = shape.query if self._trained("o_proj") else 0
        return self._types.product * (2 * shape.query + 2 * shape.key + again) + FP32 * shape.heads

    def _feed_forward(self) -> float:
        shape = self._shape
        if not shape.experts:
            return self._types.product * (4 if self._trained("down_proj") else 3) * shape.intermediate
        inputs = shape.hidden + shape.intermediate if self._full or self._counts.expert_adapters else 0
        # Grouped products are not autocast. The router keeps its probabilities, and in which order tokens are grouped.
        router = 8 * shape.experts + 32 * shape.active_experts
        return self._types.stream * shape.active_experts * (3 * shape.intermediate + shape.hidden + inputs) + router

    def _narrow(self) -> float:
        """Of the adapters; experts' have none, they are added to the weights."""
        plain = [name for name in self._counts.adapted if name != "experts"]
        return self._types.product * self._recipe.lora.rank * len(plain)

    def _fused_bytes(self) -> float:
        """The experts of a layer with adapters added, or dequantized: as large as they are, whatever the tree."""
        whole = self._counts.expert_adapters or self._recipe.method == "qlora"
        return self._counts.experts * self._types.product if whole else 0

    def _final_bytes(self) -> float:
        """The last norm's."""
        return (FP32 + (self._types.stream if self._full else 0)) * self._shape.hidden

    def _logit_bytes(self, positions: float) -> float:
        row = self._types.product * self._shape.vocabulary
        return 2 * positions * row + 2 * CHUNK_ROWS * FP32 * self._shape.vocabulary

    def _inside(self, tokens: int) -> float:
        """Gradients inside one feed-forward network, and of experts' weights with their adapters added."""
        shape, types = self._shape, self._types
        feed_forward = 3 * types.product * shape.intermediate * shape.active_experts
        fused = 0.0 if self._full else self._fused_bytes()
        return tokens * (feed_forward + 2 * types.stream * shape.hidden) + fused
