"""Preference pairs on disk: back as they were, through Arrow too, and never taken for samples."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.dataset import read_dataset, read_preferences
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_jsonl
from data_pipeline.core.schema import Message, Preference, Tool, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory

ARGUMENTS: list[dict[str, Any]] = [{"a": 1}, {"a": "1"}, {"b": [1.0, {"c": None}]}, {}]


def pair(number: int, **more: Any) -> Preference:
    call = ToolCall(name="f", arguments=ARGUMENTS[number % len(ARGUMENTS)])
    fields: dict[str, Any] = {
        "id": f"p{number}",
        "style": "simple",
        "tools": (Tool(name="f", description="F.", parameters={"type": "object", "properties": {}}),),
        "messages": (
            Message(role="user", content="First?"),
            Message(role="assistant"),
            Message(role="user", content="é?"),
        ),
        "chosen": Message(role="assistant", tool_calls=(call,)),
        "rejected": Message(role="assistant", content="{not JSON"),
    }
    return Preference(**{**fields, **more})


@pytest.mark.parametrize("more", [{}, {"fault": "other_tool"}])
def test_a_row_is_flat_text_and_comes_back(more: dict[str, Any]) -> None:
    row = pair(0, **more).to_row()
    assert all(isinstance(value, str) for value in row.values())
    assert (row["id"], row["style"], row["query"]) == ("p0", "simple", "é?")
    assert json.loads(row["chosen"]) == {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"a": 1}}]}
    assert Preference.from_row(row) == pair(0, **more)


def test_through_arrow_no_type_is_lost(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the train extra is not installed")
    pairs = [pair(number) for number in range(len(ARGUMENTS))]
    datasets.Dataset.from_list([one.to_row() for one in pairs]).save_to_disk(str(tmp_path / "arrow"))
    back = [Preference.from_row(row) for row in datasets.load_from_disk(str(tmp_path / "arrow"))]
    assert [one.to_json() for one in back] == [one.to_json() for one in pairs]


def test_pairs_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        pair(0).id = "other"  # type: ignore[misc]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for shard in (1, 0):
        write_jsonl(tmp_path / "shards" / f"000{shard}.jsonl", [pair(2 * shard + n).to_row() for n in range(2)])
    return tmp_path


def test_a_folder_is_read_in_order(folder: Path) -> None:
    assert list(read_preferences(folder)) == [pair(number) for number in range(4)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not valid JSON"),
        ('{"id": "x", "chosen": "{}"}', "column 'tools' is missing; mend or remove the line"),
        (
            json.dumps({**pair(0).to_row(), "rejected": "No."}),
            r"all columns .* must hold JSON text .*; mend or remove the line",
        ),
        (
            json.dumps({**pair(0).to_row(), "rejected": "{}"}),
            r"rejected\.role: field required; mend or remove the line",
        ),
    ],
)
def test_a_broken_line_is_named(folder: Path, line: str, reason: str) -> None:
    with (folder / "shards" / "0001.jsonl").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(InputError, match=rf"0001\.jsonl:3: {reason}"):
        list(read_preferences(folder))


def test_samples_are_told_from_pairs(tmp_path: Path, make_samples: Callable[..., list[Trajectory]]) -> None:
    write_jsonl(tmp_path / "shards" / "0000.jsonl", [sample.to_row() for sample in make_samples()])
    with pytest.raises(
        InputError, match=r"0000\.jsonl:1: a sample of one answer, where a preference pair is wanted; make"
    ):
        list(read_preferences(tmp_path))


def test_pairs_are_told_from_samples(folder: Path) -> None:
    with pytest.raises(
        InputError, match=r"0000\.jsonl:1: a preference pair, where a sample of one answer is wanted; give"
    ):
        list(read_dataset(folder))


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dataset here"):
        list(read_preferences(tmp_path))
