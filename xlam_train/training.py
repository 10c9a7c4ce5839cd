"""A recipe -> the kind of training it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlam_train.dpo import run_dpo
from xlam_train.sft import run_sft

if TYPE_CHECKING:
    from xlam_train.recipe import TrainRecipe
    from xlam_train.training_run import TrainReport


def run_training(recipe: TrainRecipe, launched: bool = False) -> TrainReport:
    """Train on preference pairs where the recipe has a `dpo` section, on answers otherwise.

    Raises:
        InputError: something in the recipe, the dataset or the world is wrong, or `out` holds another run.
        CheckFailed: the loss is no number any more, or has diverged.
    """
    return run_dpo(recipe, launched) if recipe.dpo else run_sft(recipe, launched)
