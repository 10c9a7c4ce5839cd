from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_data import pairs, write_dataset

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_jsonl
from data_pipeline.core.schema import Trajectory
from xlam_train.plan.statistics import Statistics, assumed, statistics_of
from xlam_train.recipe import TrainRecipe

Make = Callable[..., list[Trajectory]]


def recipe_for(base: object, path: Path, **sections: Any) -> TrainRecipe:
    return TrainRecipe.model_validate(
        {"model": {"base": str(base)}, "data": {"path": str(path)}, "out": "o", **sections}
    )


@pytest.fixture
def dataset(tmp_path: Path, make_samples: Make) -> Path:
    write_jsonl(tmp_path / "shards" / "0000.jsonl", (sample.to_row() for sample in make_samples()))
    return tmp_path


def test_assumptions_are_told_and_add_up() -> None:
    found = assumed(None, "no dataset in d yet")
    assert found.samples == 60_000
    assert "assumed (no dataset in d yet)" in found.source
    assert found.tokens_packed == (532 + 8 * 80) / 8
    # Tokens of the prefix see half of it, those of a branch all of it and half of the branch.
    assert found.visible == pytest.approx((532 * 266.5 + 640 * (532 + 40.5)) / 1172)


def test_a_dataset_is_packed_and_counted(tiny_base: Path, dataset: Path) -> None:
    found = statistics_of(recipe_for(tiny_base, dataset), None)
    assert found.samples == 9
    assert found.source == f"measured on 9 samples of {dataset}"
    assert found.tokens_packed < found.tokens_before <= found.longest
    assert 0 < found.labelled < 1
    assert found.visible < found.longest
    alone = statistics_of(recipe_for(tiny_base, dataset, packing={"tokens_per_tree": 1}), None)
    assert alone.tokens_packed == pytest.approx(alone.tokens_before)


def test_samples_may_be_given(tiny_base: Path, dataset: Path) -> None:
    assert statistics_of(recipe_for(tiny_base, dataset), 500).samples == 500


def test_without_a_tokenizer_the_dataset_still_says_how_many_samples(dataset: Path) -> None:
    found = statistics_of(recipe_for("Qwen/Qwen2.5-3B-Instruct", dataset), None)
    assert found.samples == 9
    assert "no tokenizer of Qwen/Qwen2.5-3B-Instruct on this disk" in found.source


def test_without_a_dataset_nothing_is_read(tmp_path: Path) -> None:
    assert "no dataset" in statistics_of(recipe_for("anything/at-all", tmp_path / "none"), None).source


def test_pairs_are_read_as_training_reads_them(tiny_base: Path, tmp_path: Path, make_samples: Make) -> None:
    folder = write_dataset(tmp_path / "pairs", pairs(make_samples()))

    def found(**data: Any) -> Statistics:
        recipe = recipe_for(tiny_base, folder, dpo={}, data={"path": str(folder), **data})
        return statistics_of(recipe, None)

    whole = found()
    assert whole.source == f"measured on 9 samples of {folder}"
    short = found(max_length=whole.longest - 1, too_long="drop")
    assert short.longest < whole.longest
    assert short.source != whole.source
    with pytest.raises(InputError, match=r"more than data\.max_length"):
        found(max_length=whole.longest - 1)
    (folder / "shards" / "0000.jsonl").write_text('{"id": "x"}\n')
    with pytest.raises(InputError, match=r"0000\.jsonl:1: column 'tools' is missing"):
        found()
