"""Where weights come from, fit to be published."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_pipeline.core.jsonl import read_json
from xlam_train.life import provenance
from xlam_train.life.provenance import git_state, licences, public_command, recipe_sha256, write_provenance

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlam_train.recipe import TrainRecipe

    Recipes = Callable[..., TrainRecipe]


def git(folder: Path, *arguments: str) -> None:
    name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", str(folder), *name, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With one commit and a remote whose address holds a password."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "file").write_text("1")
    git(folder, "init")
    git(folder, "add", "file")
    git(folder, "commit", "-m", "one")
    git(folder, "remote", "add", "origin", "https://user:hunter2@example.com/x.git")
    return folder


def test_git_tells_the_commit_and_whether_files_changed(repository: Path, tmp_path: Path) -> None:
    clean = git_state(repository)
    assert clean is not None
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (repository / "file").write_text("2")
    assert git_state(repository) == {**clean, "dirty": True}
    assert git_state(tmp_path) is None


def test_a_machine_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_state(repository) is None


def test_what_is_written_may_be_published(
    make_recipe: Recipes, tiny_base: Path, tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = make_recipe()
    monkeypatch.chdir(repository)
    secrets = ["hub_token=hf_abc", "endpoint=https://me:pw@host/v1", f"data.path={recipe.data.path}"]
    monkeypatch.setattr(
        provenance.sys, "argv", [str(repository / "scripts" / "train.py"), "/etc/recipe.yaml", *secrets]
    )
    began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    write_provenance(tmp_path / "adapter", recipe, tiny_base, "d" * 64, began, processes=2)
    path = tmp_path / "adapter" / "provenance.json"
    told = read_json(path)
    assert told["command"] == [
        "scripts/train.py",
        "recipe.yaml",
        "hub_token=***",
        "endpoint=https://host/v1",
        "data.path=data",
    ]
    assert told["dataset"] == {"name": "data", "sha256": "d" * 64}
    assert told["base"]["name"] == tiny_base.name
    assert told["recipe_sha256"] == recipe_sha256(recipe)
    assert told["began"] == "2026-01-02T03:04:05+00:00"
    assert told["ended"] > told["began"]
    assert {"torch", "transformers", "peft", "xlam-train"} <= set(told["versions"])
    assert told["hardware"]["processes"] == 2
    assert told["hardware"]["cpu"]
    assert told["git"]["dirty"] is False
    text = path.read_text()
    for secret in (str(tmp_path), "hunter2", "hf_abc", "pw", "/etc", str(Path.home()) + "/"):
        assert secret not in text


def test_a_base_from_the_hub_is_told_by_its_commit(make_recipe: Recipes, tiny_base: Path, tmp_path: Path) -> None:
    cached = tmp_path / "models--a--b" / "snapshots" / ("c" * 40)
    shutil.copytree(tiny_base, cached)
    for base, revision in ((tiny_base, None), (cached, "c" * 40)):
        write_provenance(tmp_path / "out", make_recipe(), base, "d", datetime.now(timezone.utc), processes=1)
        assert read_json(tmp_path / "out" / "provenance.json")["base"]["revision"] == revision


def test_an_address_keeps_its_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert public_command(["--api-key=x", "a=b", "x.max_tokens=9", f"{tmp_path}/c", "https://t@h/p"]) == [
        "--api-key=***",
        "a=b",
        "x.max_tokens=9",
        "c",
        "https://h/p",
    ]


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\ntags: [a]\n---\n# Model\n", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: deepseek\n---\n", "deepseek"),
        ("---\ntags: [a]\n---\n", None),
        ("---\nlicense: [\n---\n", None),
        ("# Model\n---\nlicense: mit\n---\n", None),
        (None, None),
    ],
)
def test_licences_stand_in_the_cards(tmp_path: Path, card: str | None, licence: str | None) -> None:
    if card is not None:
        (tmp_path / "README.md").write_text(card)
    assert licences(tmp_path, tmp_path) == {"base": licence, "dataset": licence, "xlam-train": "Apache-2.0"}


def test_the_recipe_is_known_wherever_it_writes(make_recipe: Recipes) -> None:
    assert recipe_sha256(make_recipe("a")) == recipe_sha256(make_recipe("b"))
    assert recipe_sha256(make_recipe("a")) != recipe_sha256(make_recipe("a", seed=1))
