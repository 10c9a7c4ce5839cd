"""The scripts behind docs/experiments.md that no other test runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tiny_constrained import bench_module

from data_pipeline.core.settings import load_settings
from data_pipeline.recipe import DataRecipe
from xlam_train.recipe import TrainRecipe

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def ablations() -> ModuleType:
    module: ModuleType = bench_module("ablations")
    return module


def test_every_row_changes_the_recipes_it_says_it_changes(ablations: ModuleType) -> None:
    data, train = ROOT / ablations.DATA, ROOT / ablations.TRAIN
    before = load_settings(DataRecipe, data), load_settings(TrainRecipe, train)
    for row in ablations.ROWS:
        after = load_settings(DataRecipe, data, row.data), load_settings(TrainRecipe, train, row.train)
        assert (after[0] != before[0]) == bool(row.data), row.name
        assert (after[1] != before[1]) == bool(row.train), row.name


def test_changed_recipes_and_questions_never_meet_old_rows(
    ablations: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = [tmp_path / "data.yaml", tmp_path / "train.yaml", tmp_path / "dev" / "shards" / "0000.jsonl"]
    changed[-1].parent.mkdir(parents=True)
    for name, path in zip(("DATA", "TRAIN", "DEV"), (*changed[:2], tmp_path / "dev"), strict=True):
        monkeypatch.setattr(ablations, name, str(path))
    for path in changed:
        path.write_text("a: 1\n")
    names = [ablations.study_name(6.0, 120)]
    for path in changed:
        path.write_text("a: 2\n")
        names.append(ablations.study_name(6.0, 120))
    assert len(set(names)) == len(names)
    assert names[-1] == ablations.study_name(6.0, 120)
    assert all(name.startswith("6-minutes-120-queries-") for name in names)


@pytest.mark.parametrize("kind", ["invented", "asked"])
def test_the_answer_is_the_word_of_the_question(kind: str) -> None:
    command = [sys.executable, "scripts/copying_questions.py", kind, "--words", "40"]
    lines = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    words = [json.loads(row["answers"])[0]["arguments"]["name"] for row in rows]
    assert len(set(words)) == 40
    assert all(f" {word} " in row["query"] for word, row in zip(words, rows, strict=True))
