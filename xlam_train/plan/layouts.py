"""The ways to spread a run over GPUs, from the one that exchanges least to the one that needs least memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from xlam_train.recipe import TrainRecipe

PER_MACHINE = 8
"""GPUs of a machine, unless scripts/launch_node.sh is told another number in PROCESSES_PER_NODE."""


@dataclass(frozen=True)
class Layout:
    """One way.

    Attributes:
        name: `single`, or the name of a file in recipes/accelerate.
        stage: of ZeRO; 0 without DeepSpeed.
        offload: what is in the host's memory.
    """

    name: str
    stage: Literal[0, 1, 2, 3] = 0
    offload: Literal["none", "optimizer", "all"] = "none"

    @property
    def deepspeed(self) -> bool:
        """Whether DeepSpeed's engine wraps the model."""
        return self.stage > 0


SINGLE = Layout("single")
DDP = Layout("ddp")
LAYOUTS = (
    DDP,
    Layout("zero1", 1),
    Layout("zero2", 2),
    Layout("zero3", 3),
    Layout("zero2_offload", 2, "optimizer"),
    Layout("zero3_offload", 3, "all"),
)


def layouts_for(gpus: int) -> tuple[Layout, ...]:
    """From least to most communication; one GPU divides nothing, but can still offload."""
    if gpus == 1:
        return (SINGLE, *(layout for layout in LAYOUTS if layout.offload != "none"))
    return LAYOUTS


def refusal(layout: Layout, recipe: TrainRecipe, experts: int) -> str:
    """Why training would not start on a layout whatever the memory; '' if it would.

    Args:
        layout: how the run is spread.
        recipe: of the run.
        experts: of the base; 0 without a mixture.
    """
    if recipe.method == "qlora" and experts and not recipe.gradient_checkpointing:
        return "4-bit experts need gradient_checkpointing"
    if layout.stage == 3 and recipe.method == "qlora":
        return "4-bit weights cannot be sharded"
    if layout.stage == 3 and recipe.model.added_tokens:
        return "rows cannot be added to sharded weights"
    return ""


def launch_command(layout: Layout, recipe: TrainRecipe, path: str, gpus: int, overrides: tuple[str, ...]) -> str:
    """What starts the recipe on a layout, with every key that it needs changed."""
    keys = [*overrides, *_world_keys(layout, recipe, gpus), *_tree_keys(recipe, gpus)]
    if layout == SINGLE:
        return " ".join(["xlam train", path, *keys])
    file = f"recipes/accelerate/{layout.name}.yaml"
    machines = _machines(gpus)
    if machines > 1:  # the same on every machine, but for its rank
        each = "" if gpus == machines * PER_MACHINE else f"PROCESSES_PER_NODE={gpus // machines} "
        node = f"NODES={machines} {each}NODE_RANK=RANK MASTER_ADDR=ADDRESS scripts/launch_node.sh"
        return " ".join([node, file, path, *keys])
    count = [] if gpus == PER_MACHINE else [f"--num_processes {gpus}"]
    return " ".join(["accelerate launch --config_file", file, *count, "scripts/train.py", path, *keys])


def _machines(gpus: int) -> int:
    """The fewest that hold the GPUs with as many on each: launch_node.sh starts the same everywhere."""
    return next(count for count in range(-(-gpus // PER_MACHINE), gpus + 1) if gpus % count == 0)


def _world_keys(layout: Layout, recipe: TrainRecipe, gpus: int) -> list[str]:
    """Where the recipe's `world` says otherwise; one launched process must be meant."""
    world = recipe.world
    launched_alone = gpus == 1 and layout != SINGLE
    wanted = {"zero_stage": layout.stage, "offload": layout.offload, "processes": gpus}
    keys = [f"world.{key}={value}" for key, value in wanted.items() if getattr(world, key) not in (None, value)]
    return keys + (["world.processes=1"] if launched_alone and world.processes is None else [])


def _tree_keys(recipe: TrainRecipe, gpus: int) -> list[str]:
    """Every GPU needs as many trees of a step as any other."""
    trees = trees_per_step(recipe, gpus)
    return [] if trees == recipe.packing.trees_per_step else [f"packing.trees_per_step={trees}"]


def trees_per_step(recipe: TrainRecipe, gpus: int) -> int:
    """The recipe's, or the next multiple of the number of GPUs."""
    return -(-recipe.packing.trees_per_step // gpus) * gpus
