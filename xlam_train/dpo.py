"""Preference training: of two answers to one prompt, the better one is made likelier (Rafailov et al. 2023)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from data_pipeline.core.dataset import dataset_fingerprint
from xlam_train.data.pairs import collate_pairs
from xlam_train.data.sources import PairSource
from xlam_train.data.stream import FixedFeed, TreeStream
from xlam_train.dpo_objective import DpoObjective
from xlam_train.fingerprint import weights_sha256
from xlam_train.preference import reference_log_probabilities
from xlam_train.training_run import Kind, TrainingRun

if TYPE_CHECKING:
    from pathlib import Path

    from xlam_train.data.pairs import PairTree
    from xlam_train.data.stream import Feed
    from xlam_train.life.watch import HeldOut
    from xlam_train.recipe import TrainRecipe
    from xlam_train.trainer import TreeTrainer
    from xlam_train.training_run import TrainReport


def run_dpo(recipe: TrainRecipe, launched: bool = False) -> TrainReport:
    """Train on pairs, or go on where the same recipe on the same data was stopped; a finished run is only read.

    Args:
        recipe: with a `dpo` section.
        launched: whether a launcher started this process, so that a single one is a mistake.

    Raises:
        InputError: something in the recipe, the dataset or the world is wrong, or `out` holds another run.
        CheckFailed: the loss is no number any more, or has diverged.
    """
    run, dpo = TrainingRun(recipe, launched), recipe.dpo
    assert dpo is not None
    trained: dict[str, float] = {}
    held_out: dict[str, float] = {}
    ask = _precomputed(recipe)
    kind = Kind(
        source=lambda shown: PairSource(run.renderer, shown),
        collate=partial(collate_pairs, reference=trained if ask else None),
        objective=lambda: DpoObjective(dpo.beta, dpo.label_smoothing, dpo.sft_weight),
        collate_held_out=partial(collate_pairs, reference=held_out if ask else None),
        answer=0,
        before=partial(_Reference, run, trained, held_out) if ask else None,
    )
    return run.train(kind)


def _precomputed(recipe: TrainRecipe) -> bool:
    assert recipe.dpo is not None
    return recipe.dpo.reference == "precomputed" or (recipe.dpo.reference == "auto" and recipe.method == "full")


class _Reference(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Asks the reference model before the first step, once the engine is around it: weights may be sharded."""

    def __init__(
        self,
        run: TrainingRun,
        trained: dict[str, float],
        held_out: dict[str, float],
        trainer: TreeTrainer,
        watched: HeldOut[PairTree] | None,
    ) -> None:
        """Nothing is read yet.

        Args:
            run: whose data and base model it is about.
            trained: is filled with the log-probability of each answer in the training data, by its id.
            held_out: likewise, of the held-out data, which may have the same ids.
            trainer: whose model is asked.
            watched: the held-out data, if there is any.
        """
        self._run, self._trained, self._held_out = run, trained, held_out
        self._trainer, self._watched = trainer, watched

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One pass over the data, or what is left of it; a finished one is only read."""
        run, recipe = self._run, self._run.recipe
        feed = run.feed(PairSource(run.renderer, recipe), epochs=1)
        self._ask(feed, recipe.data.path, "reference.json", self._trained, begun=state.global_step > 0)
        if self._watched is not None and recipe.eval.path is not None:
            trees = FixedFeed(self._watched.trees)
            name = "reference_held_out.json"
            self._ask(trees, recipe.eval.path, name, self._held_out, begun=state.global_step > 0)

    def _ask(self, feed: Feed[PairTree], data: Path, name: str, known: dict[str, float], begun: bool) -> None:
        run, recipe = self._run, self._run.recipe
        ranks, rank = run.state.num_processes, run.state.process_index
        stream = TreeStream(feed, collate_pairs, ranks, ranks, rank)
        key = {
            "base": weights_sha256(run.base),
            "dataset": dataset_fingerprint(data),
            "precision": run.precision,
            "recipe": recipe.model_dump(mode="json", include={"data", "model", "eval", "method", "seed"}),
            # A pass that was stopped goes on at a place in this order of trees.
            "packing": recipe.packing.model_dump(mode="json", exclude={"workers", "trees_per_step"}),
        }
        model, notify = self._trainer.model_wrapped, self._trainer.progress.reference
        known.update(reference_log_probabilities(model, stream, recipe.out / name, key, begun, notify))
