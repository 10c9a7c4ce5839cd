"""Preference training: of two answers to one prompt, the better one is made likelier (Rafailov et al. 2023)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from data_pipeline.core.dataset import dataset_fingerprint
from xlam_train.data.pairs import collate_pairs
from xlam_train.data.sources import PairSource
from xlam_train.data.stream import TreeStream
from xlam_train.dpo_objective import DpoObjective
from xlam_train.fingerprint import weights_sha256
from xlam_train.preference import reference_log_probabilities
from xlam_train.session import Session

if TYPE_CHECKING:
    from xlam_train.data.pairs import PairTree
    from xlam_train.recipe import TrainRecipe
    from xlam_train.session import TrainReport
    from xlam_train.trainer import TreeTrainer

REFERENCE = "reference.json"


def run_dpo(recipe: TrainRecipe, launched: bool = False) -> TrainReport:
    """Train on pairs, or go on where the same recipe on the same data was stopped; a finished run is only read.

    Args:
        recipe: with a `dpo` section.
        launched: whether a launcher started this process, so that a single one is a mistake.

    Raises:
        InputError: something in the recipe, the dataset or the world is wrong, or `out` holds another run.
        CheckFailed: the loss is no number any more, or has diverged.
    """
    assert recipe.dpo is not None
    session = Session(recipe, launched)
    objective = DpoObjective(recipe.dpo.beta, recipe.dpo.label_smoothing, recipe.dpo.sft_weight)

    def source() -> PairSource:
        return PairSource(session.renderer, recipe)

    if not _precomputed(recipe):
        return session.train(source, collate_pairs, objective)
    reference: dict[str, float] = {}
    collate = partial(collate_pairs, reference=reference)
    return session.train(source, collate, objective, lambda trainer: _Reference(session, source(), trainer, reference))


def _precomputed(recipe: TrainRecipe) -> bool:
    assert recipe.dpo is not None
    return recipe.dpo.reference == "precomputed" or (recipe.dpo.reference == "auto" and recipe.method == "full")


class _Reference(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Asks the reference model before the first step, once the engine is around it: weights may be sharded."""

    def __init__(self, session: Session, source: PairSource, trainer: TreeTrainer, reference: dict[str, float]) -> None:
        """Nothing is read yet.

        Args:
            session: the run.
            source: of the pairs.
            trainer: whose model is asked.
            reference: is filled with the log-probability of each answer, by its id.
        """
        self._session, self._source, self._trainer, self._reference = session, source, trainer, reference

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One pass over the data, or what is left of it; a finished one is only read."""
        session, recipe = self._session, self._session.recipe
        ranks, rank = session.state.num_processes, session.state.process_index
        feed = session.feed(self._source, epochs=1)
        stream: TreeStream[PairTree] = TreeStream(feed, collate_pairs, ranks, ranks, rank)
        key = {
            "base": weights_sha256(session.base),
            "dataset": dataset_fingerprint(recipe.data.path),
            "data": recipe.data.model_dump(mode="json", exclude={"path"}),
        }
        path = recipe.out / REFERENCE
        self._reference.update(
            reference_log_probabilities(
                self._trainer.model_wrapped, stream, path, key, state.global_step > 0, self._trainer.progress.reference
            )
        )
