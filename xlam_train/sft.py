"""Supervised fine-tuning: the answers of a dataset are learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlam_train.data.collate import collate_tree
from xlam_train.data.sources import SftSource
from xlam_train.moe import RouterBalance
from xlam_train.objective import SftObjective
from xlam_train.training_run import Kind, TrainingRun

if TYPE_CHECKING:
    from xlam_train.recipe import TrainRecipe
    from xlam_train.training_run import TrainReport


def run_sft(recipe: TrainRecipe, launched: bool = False) -> TrainReport:
    """Train, or go on where the same recipe on the same data was stopped; a finished run is only read.

    Args:
        recipe: of the run.
        launched: whether a launcher started this process, so that a single one is a mistake.

    Raises:
        InputError: something in the recipe, the dataset or the world is wrong, or `out` holds another run.
        CheckFailed: the loss is no number any more, or has diverged.
    """
    run = TrainingRun(recipe, launched)
    kind = Kind(
        source=lambda shown: SftSource(run.renderer, shown),
        collate=collate_tree,
        objective=lambda: SftObjective(RouterBalance.of(run.config)),
        collate_held_out=collate_tree,
    )
    return run.train(kind)
