"""A small run: six samples, one a tree, one tree a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from data_pipeline.core.jsonl import write_jsonl
from xlam_train.recipe import TrainRecipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def make_recipe(
    tmp_path: Path, tiny_base: Path, make_samples: Callable[..., list[Trajectory]]
) -> Callable[..., TrainRecipe]:
    """Changes replace whole sections."""
    rows = [sample.to_row() for sample in make_samples(3, 2)]
    write_jsonl(tmp_path / "data" / "shards" / "0000.jsonl", rows)

    def make(out: str = "out", **changes: Any) -> TrainRecipe:
        return TrainRecipe.model_validate(
            {
                "model": {"base": str(tiny_base)},
                "data": {"path": str(tmp_path / "data")},
                "out": str(tmp_path / out),
                "lora": {"rank": 4, "dropout": 0.1},
                "packing": {"tokens_per_tree": 1, "trees_per_step": 1},
                "optim": {"learning_rate": 1e-2},
                "precision": "fp32",
                "threads": 1,
                "checkpoint_every": 2,
                **changes,
            }
        )

    return make
