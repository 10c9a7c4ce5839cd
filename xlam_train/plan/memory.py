"""Memory of one GPU, by part, for a recipe on a layout.

Full fine-tuning keeps fp32 weights, fp32 gradients and AdamW's two fp32 moments, 16 bytes a weight, and under
autocast the half-precision casts of the forward pass, 2 more; DDP copies gradients into its buckets, 4 more.
DeepSpeed keeps half-precision weights for computing, and beside them fp32 weights and moments, which it divides among
the GPUs; ZeRO-2 divides the gradients too, ZeRO-3 also the weights (Rajbhandari et al. 2020). Adapters have the same
for the few weights that are trained; everything else is stored once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from xlam_train.plan.activations import FP32, ActivationModel, Types
from xlam_train.plan.count import four_bit_bytes

if TYPE_CHECKING:
    from xlam_train.plan.count import Counts, Shape
    from xlam_train.plan.layouts import Layout
    from xlam_train.recipe import TrainRecipe

MOMENTS = 2  # of AdamW
BUCKET = 50_000_000  # values; reduce_bucket_size in recipes/deepspeed/zero1.json and zero2.json
LIVE = 1_000_000_000  # values; stage3_max_live_parameters in recipes/deepspeed/zero3.json
LONGEST_TREE = 2**20  # tokens; no plan looks further


@dataclass(frozen=True)
class Reserve:
    """What a device needs beside the run's own tensors.

    Attributes:
        fixed: bytes: CUDA context, cuBLAS workspaces and, with several GPUs, NCCL's buffers.
        share: of the run's tensors that the allocator loses to fragmentation.
    """

    fixed: float
    share: float


GPU = Reserve(fixed=2e9, share=0.06)
CPU = Reserve(fixed=0, share=0)


@dataclass(frozen=True)
class Memory:
    """Bytes of one GPU at the peak, and of the host.

    Attributes:
        weights: as they are stored; with ZeRO-3 the own part, and those that are gathered at a time.
        gradients: kept from one micro-batch to the next.
        optimizer: fp32 master weights where there are any, and AdamW's moments.
        casts: half-precision copies of fp32 weights, kept by autocast.
        activations: kept for the backward pass, with its temporaries.
        logits: at labelled positions, and their gradient.
        mask: of attention.
        communication: buffers of DDP or DeepSpeed.
        reserve: context and fragmentation.
        peak: what must fit; less than the sum where parts do not meet in time.
        host: bytes in the host's memory, of this GPU's process.
    """

    weights: float
    gradients: float
    optimizer: float
    casts: float
    activations: float
    logits: float
    mask: float
    communication: float
    reserve: float
    peak: float
    host: float

    def to_dict(self) -> dict[str, int]:
        """In whole bytes."""
        return {name: round(value) for name, value in asdict(self).items()}


class MemoryModel:
    """How memory grows with a tree, for one recipe on one layout."""

    def __init__(
        self,
        recipe: TrainRecipe,
        shape: Shape,
        counts: Counts,
        layout: Layout,
        ranks: int,
        half: bool,
        reserve: Reserve = GPU,
    ) -> None:
        """For `ranks` devices that compute in half precision, or in fp32."""
        self._recipe, self._shape, self._counts = recipe, shape, counts
        self._layout, self._ranks, self._reserve = layout, ranks, reserve
        self.types = _types(recipe, layout, half)
        self._activations = ActivationModel(recipe, shape, counts, self.types)

    def of_tree(self, tokens: int, labelled: float, accumulates: bool) -> Memory:
        """At the peak of an optimizer step that is not the first.

        Args:
            tokens: nodes of the largest tree.
            labelled: share of them that predict a label.
            accumulates: whether a rank has several micro-batches a step, so that gradients meet activations.
        """
        active = self._activations.of_tree(tokens, labelled)
        gradients = self._gradients()
        mask = self._mask(tokens)
        standing = self._weights() + self._optimizer() + self._communication()
        computing = self._casts() + active.total + mask
        meets = accumulates or self._layout.deepspeed
        moving = computing + gradients if meets else max(computing, gradients)
        reserve = self._reserve.fixed + self._reserve.share * (standing + moving)
        return Memory(
            weights=self._weights(),
            gradients=gradients,
            optimizer=self._optimizer(),
            casts=self._casts(),
            activations=active.total - active.logits,
            logits=active.logits,
            mask=mask,
            communication=self._communication(),
            reserve=reserve,
            peak=standing + moving + reserve,
            host=self._host(),
        )

    def longest_tree(self, capacity: float, labelled: float, accumulates: bool) -> int:
        """Most tokens of a tree that fits into `capacity` bytes; 0 if none does."""
        fits, above = 0, LONGEST_TREE + 1
        while above - fits > 1:
            middle = (fits + above) // 2
            if self.of_tree(middle, labelled, accumulates).peak <= capacity:
                fits = middle
            else:
                above = middle
        return fits

    def _stored(self) -> float:
        """All weights once, adapters included."""
        counts, types = self._counts, self.types
        if self._recipe.method == "full":
            return types.stored * counts.total
        base = types.stored * counts.total
        if self._recipe.method == "qlora":
            base = four_bit_bytes(counts.four_bit) + types.stored * (counts.total - sum(counts.four_bit))
        return base + types.adapters * counts.trainable

    def _weights(self) -> float:
        if self._layout.stage < 3:
            return self._stored()
        gathered = self.types.stored * max(min(LIVE, self._counts.total), self._counts.largest_module)
        return gathered + (0 if self._layout.offload == "all" else self._stored() / self._ranks)

    def _gradients(self) -> float:
        """ZeRO-1 accumulates whole fp32 gradients beside those that the backward pass writes."""
        trainable, own = self._counts.trainable, self.types.adapters
        if not self._layout.deepspeed:
            return FP32 * trainable
        if self._layout.stage == 1:
            return (FP32 + (own if own < FP32 else 0)) * trainable
        return 0 if self._layout.offload != "none" else FP32 * trainable / self._ranks

    def _optimizer(self) -> float:
        if not self._layout.deepspeed:
            return MOMENTS * FP32 * self._counts.trainable
        return 0 if self._layout.offload != "none" else self._master()

    def _master(self) -> float:
        return (1 + MOMENTS) * FP32 * self._counts.trainable / self._ranks

    def _casts(self) -> float:
        """Autocast keeps the cast of each fp32 weight until the backward pass is through it."""
        if not self.types.autocast:
            return 0
        embedding = 0 if self._counts.tied else self._counts.embeddings - self._counts.head
        experts = self._counts.experts * self._shape.layers  # counted with the activations of their layers
        return self.types.product * (self._counts.total - embedding - experts)

    def _mask(self, tokens: int) -> float:
        """Blocks of 128 rows: their kind in int32 and order, forward and backward, and the vector itself."""
        blocks = -(-tokens // 128)
        return 4 * 4 * blocks * blocks + 8 * tokens

    def _communication(self) -> float:
        """DDP's buckets hold a copy of every gradient; ZeRO has buckets, and sends larger gradients on their own."""
        trainable, own = self._counts.trainable, self.types.adapters
        if self._layout.name == "ddp":
            return FP32 * trainable
        if self._layout.stage == 1:
            return FP32 * min(BUCKET, trainable)
        if self._layout.stage == 2:
            return own * (2 * BUCKET + self._counts.largest)
        if self._layout.stage == 3:  # "auto": buckets of H x H, and of nine tenths of it for fetching ahead
            return own * 1.9 * self._shape.hidden**2 + (own + FP32) * self._counts.largest
        return 0

    def _host(self) -> float:
        """Of the optimizer with its gradients, and of the weights."""
        if self._layout.offload == "none":
            return 0
        weights = self._stored() / self._ranks if self._layout.offload == "all" else 0
        return self._master() + FP32 * self._counts.trainable / self._ranks + weights


def _types(recipe: TrainRecipe, layout: Layout, half: bool) -> Types:
    """As `model.storage_dtype` has it: the engine of DeepSpeed stores everything in half precision."""
    product = 2 if half else FP32
    stored = FP32 if recipe.method == "full" and not layout.deepspeed else product
    trained = product if layout.deepspeed else FP32
    return Types(stored=stored, product=product, stream=stored, adapters=trained)
