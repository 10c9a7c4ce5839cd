"""A recipe on given hardware: what fits, the cheapest of it, how fast it is, and what would help if nothing fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from xlam_train.plan.architectures import config_of
from xlam_train.plan.count import Counts, Shape, count
from xlam_train.plan.layouts import PER_MACHINE, launch_command, layouts_for, refusal, trees_per_step
from xlam_train.plan.memory import MemoryModel
from xlam_train.plan.speed import Flops, Speed, flops, speed
from xlam_train.plan.statistics import Statistics, statistics_of

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from xlam_train.plan.layouts import Layout
    from xlam_train.plan.memory import Memory
    from xlam_train.recipe import TrainRecipe

MOST_GPUS = 512


@dataclass(frozen=True)
class Hardware:
    """What is to be rented.

    Attributes:
        gpus: number of GPUs.
        memory: bytes of one.
        tflops: peak of one, TFLOP/s, in the precision of the recipe.
        share: of the peak that training reaches.
        host: bytes of a machine's own memory, for what is offloaded from its up to eight GPUs.
    """

    gpus: int
    memory: float
    tflops: float
    share: float
    host: float

    def holds(self, memory: Memory) -> bool:
        """Whether GPU and machine are large enough."""
        return memory.peak <= self.memory and memory.host * min(self.gpus, PER_MACHINE) <= self.host


@dataclass(frozen=True)
class Placement:
    """A recipe on a layout.

    Attributes:
        layout: how it is spread.
        memory: with the largest tree that the recipe admits.
        longest_tree: tokens of the largest tree that fits.
        refused: why training would not start whatever the memory; '' if it would.
        fits: whether it can run.
    """

    layout: Layout
    memory: Memory
    longest_tree: int
    refused: str
    fits: bool


@dataclass(frozen=True)
class Plan:
    """The answer.

    Attributes:
        recipe: planned.
        hardware: planned for.
        shape: sizes of the base.
        counts: its weights.
        data: its dataset.
        tree: tokens of the largest tree that the recipe admits: a sample above `tokens_per_tree` is one of its own.
        flops: of a computed token.
        speed: at the stated share of the peak.
        placements: from least to most communication.
        remedies: changes that would make it fit, if nothing does.
    """

    recipe: TrainRecipe
    hardware: Hardware
    shape: Shape
    counts: Counts
    data: Statistics
    tree: int
    flops: Flops
    speed: Speed
    placements: tuple[Placement, ...]
    remedies: tuple[str, ...]

    @property
    def chosen(self) -> Placement | None:
        """The first that fits."""
        return next((placement for placement in self.placements if placement.fits), None)

    def command(self, path: str, overrides: tuple[str, ...] = ()) -> str:
        """What starts the chosen placement; '' if nothing fits."""
        if self.chosen is None:
            return ""
        return launch_command(self.chosen.layout, self.recipe, path, self.hardware.gpus, overrides)

    def to_dict(self) -> dict[str, Any]:
        """For `--json`; memory in bytes."""
        chosen = self.chosen
        return {
            "base": self.recipe.model.base,
            "parameters": {
                "total": self.counts.total,
                "embeddings": self.counts.embeddings,
                "active": self.counts.active,
                "trainable": self.counts.trainable,
            },
            "data": self.data.to_dict(),
            "largest_tree": self.tree,
            "flops_per_token": {**vars(self.flops), "total": self.flops.total},
            "speed": self.speed.to_dict(),
            "layouts": [_placement_dict(placement) for placement in self.placements],
            "chosen": chosen.layout.name if chosen else None,
            "remedies": list(self.remedies),
        }


def _placement_dict(placement: Placement) -> dict[str, Any]:
    return {
        "layout": placement.layout.name,
        "fits": placement.fits,
        "refused": placement.refused,
        "longest_tree": placement.longest_tree,
        "memory": placement.memory.to_dict(),
    }


def make_plan(recipe: TrainRecipe, hardware: Hardware, samples: int | None = None) -> Plan:
    """Plan a recipe.

    Args:
        recipe: to be planned.
        hardware: to plan for.
        samples: of the dataset; None takes those of `data.path`.

    Raises:
        InputError: the base's config is not known, adapters do not go with it, or the dataset has a broken line.
    """
    config = config_of(recipe.model.base)
    data = statistics_of(recipe, samples)
    shape, counts = Shape.of(config), count(recipe, config)
    placements = place(recipe, shape, counts, data, hardware)
    per_token = flops(recipe, shape, counts, data)
    fits = any(placement.fits for placement in placements)
    return Plan(
        recipe,
        hardware,
        shape,
        counts,
        data,
        largest_tree(recipe),
        per_token,
        speed(recipe, data, per_token.total, hardware.gpus, hardware.tflops, hardware.share),
        placements,
        () if fits else tuple(remedies(recipe, config, data, hardware)),
    )


def largest_tree(recipe: TrainRecipe) -> int:
    """Tokens: a sample longer than the budget of a tree is a tree of its own."""
    return max(recipe.packing.tokens_per_tree, recipe.data.max_length)


def place(
    recipe: TrainRecipe, shape: Shape, counts: Counts, data: Statistics, hardware: Hardware
) -> tuple[Placement, ...]:
    """A recipe on every layout."""
    half = recipe.precision != "fp32"  # every GPU of today has bf16
    accumulates = trees_per_step(recipe, hardware.gpus) > hardware.gpus
    placements = []
    for layout in layouts_for(hardware.gpus):
        model = MemoryModel(recipe, shape, counts, layout, hardware.gpus, half)
        memory = model.of_tree(largest_tree(recipe), data.labelled, accumulates)
        longest = model.longest_tree(hardware.memory, data.labelled, accumulates)
        refused = refusal(layout, recipe, shape.experts)
        fits = not refused and hardware.holds(memory)
        placements.append(Placement(layout, memory, longest, refused, fits))
    return tuple(placements)


def remedies(recipe: TrainRecipe, config: PretrainedConfig, data: Statistics, hardware: Hardware) -> list[str]:
    """Single changes to the recipe or the hardware with which something fits, in words."""
    shape, counts = Shape.of(config), count(recipe, config)

    def fits(changed: TrainRecipe, gpus: int = hardware.gpus, counted: Counts = counts) -> str:
        other = replace(hardware, gpus=gpus)
        return next((p.layout.name for p in place(changed, shape, counted, data, other) if p.fits), "")

    found = []
    if not recipe.gradient_checkpointing:
        changed = recipe.model_copy(update={"gradient_checkpointing": True})
        found += _told("gradient_checkpointing=true", fits(changed))
    for method in ("lora", "qlora")[("full", "lora", "qlora").index(recipe.method) :]:
        changed = recipe.model_copy(update={"method": method})
        found += _told(f"method={method}", fits(changed, counted=count(changed, config)))
    tree = max((p.longest_tree for p in place(recipe, shape, counts, data, hardware) if not p.refused), default=0)
    shorter = _with_trees(recipe, tree)
    if tree >= data.longest and fits(shorter):
        found.append(f"trees of at most {tree} tokens (packing.tokens_per_tree={tree} data.max_length={tree})")
    gpus = hardware.gpus
    while (gpus := gpus * 2) <= MOST_GPUS:
        if layout := fits(recipe, gpus):
            return [*found, f"{gpus} GPUs, on {layout}"]
    return found


def _with_trees(recipe: TrainRecipe, tokens: int) -> TrainRecipe:
    packing, data = recipe.packing, recipe.data
    sections = {
        "packing": packing.model_copy(update={"tokens_per_tree": tokens}),
        "data": data.model_copy(update={"max_length": tokens}),
    }
    return recipe.model_copy(update=sections)


def _told(change: str, layout: str) -> list[str]:
    return [f"{change}, on {layout}"] if layout else []
