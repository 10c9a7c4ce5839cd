"""Whose a dataset folder is: the same job goes on, another one has to go elsewhere, unless nothing is made yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from data_pipeline.job.folder import DatasetFolder

if TYPE_CHECKING:
    from pathlib import Path

JOB: dict[str, Any] = {"recipe": {"seed": 1}, "tools": ["a"], "version": "1"}
OTHER: dict[str, Any] = {**JOB, "recipe": {"seed": 2}}
COMPARED: dict[str, Any] = {"benchmark": {"package": "bfcl-eval 1"}}


def begun(path: Path, resolved: dict[str, Any] = JOB, provenance: dict[str, Any] | None = None) -> DatasetFolder:
    """A folder with one finished shard."""
    folder = DatasetFolder(path)
    folder.claim(resolved, (), provenance or {})
    folder.finish(0, b"", b"", {})
    return folder


def test_a_job_that_made_nothing_yet_gives_way_and_its_answers_stay(tmp_path: Path) -> None:
    folder = DatasetFolder(tmp_path)
    folder.claim(JOB, (), {})
    answer, made = tmp_path / "cache" / "ab" / "abc.json", tmp_path / "work" / "0000" / "summary.json"
    for path in (answer, made):
        write_json(path, {})
    folder.claim(OTHER, (), {"sources": []})
    assert read_json(tmp_path / "recipe.json") == OTHER
    assert read_json(tmp_path / "provenance.json") == {"sources": []}
    assert answer.exists()
    assert not made.exists()


def test_the_same_job_keeps_what_waits_for_curation(tmp_path: Path) -> None:
    folder, made = DatasetFolder(tmp_path), tmp_path / "work" / "0000" / "summary.json"
    folder.claim(JOB, (), {})
    write_json(made, {})
    folder.claim(JOB, (), {})
    assert made.exists()


@pytest.mark.parametrize("lost", [(), ("manifest/0000.json",), ("shards/0000.jsonl", "rejects/0000.jsonl")])
def test_a_job_with_a_shard_gives_way_to_none(tmp_path: Path, lost: tuple[str, ...]) -> None:
    folder = begun(tmp_path)
    for name in lost:
        (tmp_path / name).unlink()
    with pytest.raises(InputError, match="another recipe, tool pool or version; choose another --out"):
        folder.claim(OTHER, (), {})
    assert read_json(tmp_path / "recipe.json") == JOB


@pytest.mark.parametrize("stored", [{"recipe": {}, "dataset_sha256": "x"}, {"check": {}, "version": "1"}, []])
def test_what_no_job_of_this_kind_wrote_is_not_replaced(tmp_path: Path, stored: Any) -> None:
    write_json(tmp_path / "recipe.json", stored)
    with pytest.raises(InputError, match="another recipe, tool pool or version; choose another --out"):
        DatasetFolder(tmp_path).claim(JOB, (), {})
    assert read_json(tmp_path / "recipe.json") == stored


@pytest.mark.parametrize("before", [{"references": {"a": "1"}}, {}])
def test_other_references_are_another_job_and_the_message_says_why(tmp_path: Path, before: dict[str, Any]) -> None:
    folder = begun(tmp_path, {**JOB, **before})
    with pytest.raises(InputError, match=r"\(what distinct_from names has changed since, or is not on record\)"):
        folder.claim({**JOB, "references": {"a": "2"}}, (), {})


def test_another_benchmark_is_another_job_and_what_was_compared_with_stays_on_record(tmp_path: Path) -> None:
    folder = begun(tmp_path, provenance=COMPARED)
    folder.claim(JOB, (), COMPARED)
    message = r"\(samples were compared with bfcl-eval 1, now it is bfcl-eval 2\); choose another --out"
    with pytest.raises(InputError, match=message):
        folder.claim(JOB, (), {"benchmark": {"package": "bfcl-eval 2"}})
    assert read_json(tmp_path / "provenance.json") == COMPARED


@pytest.mark.parametrize("before", [{}, {"benchmark": None}])
def test_a_folder_that_does_not_name_its_benchmark_goes_on(tmp_path: Path, before: dict[str, Any]) -> None:
    begun(tmp_path, provenance=before).claim(JOB, (), COMPARED)
    assert read_json(tmp_path / "provenance.json") == COMPARED
