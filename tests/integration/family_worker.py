"""One rank of the recipes' proof: trains tiny twins of many recipes one after the other, because starting is dear.

accelerate launch --config_file recipes/accelerate/cpu_X.yaml tests/integration/family_worker.py JOBS.json

Each recipe is trained with a crash behind its first checkpoint and a second start, and where the job asks for it, once
more undisturbed. What went wrong with a recipe is noted, and the next one has its turn. The first rank writes a
`result.json` a recipe.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import torch
from accelerate import PartialState

from data_pipeline.core.jsonl import read_json, write_json
from data_pipeline.core.settings import load_settings
from xlam_train.recipe import TrainRecipe
from xlam_train.trainer import TreeTrainer
from xlam_train.training import run_training

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlam_train.training_run import TrainReport

CRASH = 7  # the step that is never done; the checkpoint is that of step 5


class Crashed(Exception):
    """Stands for whatever ends a run without notice; all ranks have it at the same step."""


def train(recipe: TrainRecipe) -> TrainReport:
    """As the command line does."""
    return run_training(recipe, launched=True)


@contextmanager
def crash_at(step: int) -> Iterator[None]:
    """Every run in here ends when it fetches the data of a step."""
    original, fetched = TreeTrainer.get_batch_samples, 0

    def get_batch_samples(self: TreeTrainer, *arguments: Any) -> Any:
        nonlocal fetched
        fetched += 1
        if fetched == step:
            raise Crashed
        return original(self, *arguments)

    with patch.object(TreeTrainer, "get_batch_samples", get_batch_samples):
        yield


def prove(job: dict[str, Any]) -> dict[str, Any]:
    """Train; what the second start reported."""
    started = time.monotonic()

    def recipe(name: str) -> TrainRecipe:
        return load_settings(TrainRecipe, Path(job["recipe"]), [*job["overrides"], f"out={job['out']}/{name}"])

    if job["undisturbed"]:
        train(recipe("undisturbed"))
    crashed = False
    try:
        with crash_at(CRASH):
            train(recipe("resumed"))
    except Crashed:
        crashed = True
    report = train(recipe("resumed"))
    return {"crashed": crashed, "steps": report.steps, "processes": report.processes, "method": report.method} | {
        "result_dir": report.result_dir,
        "first_loss": report.first_loss,
        "precision": report.precision,
        "seconds": time.monotonic() - started,
    }


def main(path: Path) -> None:
    """Every job of a file."""
    torch.set_num_threads(1)
    gc.freeze()  # each run ends with a full collection, which would look at all that was imported
    for job in read_json(path):
        try:
            result = prove(job)
        except Exception:  # the report of one recipe; the others have nothing to do with it
            result = {"error": traceback.format_exc()}
        if PartialState().is_main_process:
            write_json(Path(job["out"]) / "result.json", result)
            print(json.dumps({"recipe": job["recipe"], "error": result.get("error")}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
