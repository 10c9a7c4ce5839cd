"""Records of foreign formats: what is read, and the reason why something is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from data_pipeline.convert.formats import format_of, input_files, read_samples
from data_pipeline.convert.lines import CONVERT_REASONS, BadLine, GoodLine
from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Trajectory

TOOL = {"name": "f", "description": "Does it.", "parameters": {"x": {"type": "int", "description": "X"}}}
SCHEMA = {"name": "f", "description": "", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}
CALL = {"name": "f", "arguments": {"x": 1}}
FUNCTION = {"type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
USER = {"role": "user", "content": "Do f with 1"}
ANSWER = {"role": "assistant", "content": None, "tool_calls": [FUNCTION]}
DEEP = "[" * 9000 + "]" * 9000


def row(**changes: Any) -> dict[str, Any]:
    return {"id": 0, "query": "Do f with 1", "answers": json.dumps([CALL]), "tools": json.dumps([TOOL]), **changes}


def chat(*messages: Any, **changes: Any) -> dict[str, Any]:
    tools = [{"type": "function", "function": SCHEMA}]
    return {"messages": list(messages or (USER, ANSWER)), "tools": tools, **changes}


def ours(**changes: Any) -> dict[str, Any]:
    message = {"role": "user", "content": "q"}
    columns = {"tools": json.dumps([SCHEMA]), "messages": json.dumps([message]), "verdicts": "[]"}
    return {"id": "1", "style": "simple", "query": "q", **columns, **changes}


def read_one(name: str, record: Any, folder: Path) -> GoodLine | BadLine:
    path = folder / "in.jsonl"
    path.write_text(f"\n{json.dumps(record)}\n")
    (found,) = read_samples(path, name)
    assert (found.path, found.line) == (path, 2)
    return found


def good(name: str, record: Any, folder: Path) -> Trajectory:
    found = read_one(name, record, folder)
    assert isinstance(found, GoodLine), found
    return found.sample


@pytest.mark.parametrize(
    "record",
    [
        row(),
        row(answers=[CALL], tools=[TOOL]),
        row(tools=[{**TOOL, "parameters": {"x": {"type": "int, optional", "description": "X", "default": ""}}}]),
        row(tools=[SCHEMA | {"description": "Does it."}]),
    ],
)
def test_xlam_rows(record: dict[str, Any], tmp_path: Path) -> None:
    sample = good("xlam-60k", record, tmp_path)
    assert (sample.id, sample.style, sample.query) == ("0", "simple", "Do f with 1")
    assert [call.to_dict() for call in sample.calls] == [CALL]
    assert sample.tools[0].properties["x"]["type"] == "integer"


def test_an_id_that_is_missing_is_the_line(tmp_path: Path) -> None:
    for odd in ({}, {"id": None}, {"id": ""}, {"id": True}, {"id": [1]}):
        record = {key: value for key, value in row().items() if key != "id"} | odd
        assert good("xlam-60k", record, tmp_path).id == "line-2"


@pytest.mark.parametrize(
    "record",
    [
        chat(),
        chat({"role": "system", "content": "Be brief."}, {"role": "developer", "content": "x"}, USER, ANSWER),
        chat(USER, ANSWER | {"content": ""}),
        chat(USER, ANSWER | {"function_call": None}),
        chat(USER, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}),
        chat(
            {"role": "user", "content": [{"type": "text", "text": "Do f "}, {"type": "text", "text": "with 1"}]}, ANSWER
        ),
    ],
)
def test_openai_messages(record: dict[str, Any], tmp_path: Path) -> None:
    sample = good("openai", record, tmp_path)
    assert (sample.id, sample.style, sample.query) == ("line-2", "simple", "Do f with 1")
    assert [call.to_dict() for call in sample.calls] == [CALL]
    assert [message.role for message in sample.messages] == ["user", "assistant"]


def test_an_answer_without_calls_keeps_its_words(tmp_path: Path) -> None:
    sample = good("openai", chat(USER, {"role": "assistant", "content": "I cannot."}), tmp_path)
    assert (sample.style, sample.messages[-1].content) == ("irrelevance", "I cannot.")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (row(query=5), "wrong_type"),
        (row(query=None), "wrong_type"),
        ({"query": "q", "answers": "[]"}, "missing_field"),
        (row(answers="[{"), "not_json"),
        (row(answers='{"name": "f"}'), "wrong_type"),
        (row(answers="null"), "wrong_type"),
        (row(answers=7), "wrong_type"),
        (row(answers=DEEP), "too_deep"),
        (row(answers='[{"name": "f", "arguments": {"x": NaN}}]'), "not_finite"),
        (row(answers='[{"name": "f", "arguments": {"x": 1, "x": 2}}]'), "duplicate_key"),
        (row(answers='[{"name": "f", "arguments": {"x": "\\udead"}}]'), "lone_surrogate"),
        (row(answers=["f"]), "bad_call"),
        (row(answers=[{"arguments": {}}]), "bad_call"),
        (row(answers=[{"name": "", "arguments": {}}]), "bad_call"),
        (row(answers=[{"name": "f", "arguments": "{}"}]), "bad_call"),
        (row(tools=DEEP), "too_deep"),
        (row(tools="[5]"), "bad_tool"),
        (row(tools=[{**TOOL, "description": ""}]), "bad_tool"),
        (row(tools=[{**TOOL, "parameters": {"x": {"type": "Callable", "description": ""}}}]), "bad_tool"),
        (row(tools=[{**TOOL, "parameters": 5}]), "bad_tool"),
        (row(tools=[{**SCHEMA, "parameters": {"type": "object", "properties": {"x": {"type": "int"}}}}]), "bad_tool"),
    ],
)
def test_wrong_xlam_rows(record: dict[str, Any], reason: str, tmp_path: Path) -> None:
    found = read_one("xlam-60k", record, tmp_path)
    assert isinstance(found, BadLine)
    assert found.reason == reason
    assert reason in CONVERT_REASONS


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"messages": []}, "not_single_turn"),
        ({"messages": [USER, ANSWER]}, "missing_field"),
        (chat(USER), "not_single_turn"),
        (chat(ANSWER, USER), "not_single_turn"),
        (
            chat(USER, ANSWER, {"role": "tool", "content": "2"}, {"role": "assistant", "content": "2"}),
            "not_single_turn",
        ),
        (chat(*[{"role": "system", "content": "x"}] * 3), "not_single_turn"),
        (chat(USER, "answer"), "wrong_type"),
        (chat(USER, {"content": "no role"}), "wrong_type"),
        (chat({"role": "user", "content": 5}, ANSWER), "wrong_type"),
        (chat({"role": "user", "content": [{"type": "image_url"}]}, ANSWER), "wrong_type"),
        (chat(USER, ANSWER | {"tool_calls": {"f": 1}}), "wrong_type"),
        (chat(USER, ANSWER | {"tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}), "not_json"),
        (chat(USER, ANSWER | {"tool_calls": [{"function": {"name": "f", "arguments": "[]"}}]}), "bad_call"),
        (chat(USER, ANSWER | {"tool_calls": [{"name": "f"}, None]}), "bad_call"),
        (chat(USER, {"role": "assistant", "content": None, "function_call": FUNCTION["function"]}), "bad_call"),
        (chat(tools={}), "wrong_type"),
        (chat(tools=[{"type": "web_search"}]), "bad_tool"),
        (chat(tools=[{"function": {**SCHEMA, "parameters": {"type": "array"}}}]), "bad_tool"),
        ({"messages": "text", "tools": []}, "wrong_type"),
    ],
)
def test_wrong_openai_messages(record: dict[str, Any], reason: str, tmp_path: Path) -> None:
    found = read_one("openai", record, tmp_path)
    assert isinstance(found, BadLine)
    assert found.reason == reason
    assert reason in CONVERT_REASONS


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"id": "1", "style": "simple"}, "missing_field"),
        (ours(tools=[SCHEMA]), "wrong_type"),
        (ours(messages="{"), "not_json"),
        (ours(verdicts=DEEP), "too_deep"),
        (ours(results='["\\ud800"]'), "lone_surrogate"),
        (ours(style="plural"), "bad_sample"),
        (ours(id=1), "bad_sample"),
        (ours(tools='[{"name": "f"}]'), "bad_sample"),
        (ours(origin='{"generator": NaN}'), "not_finite"),
    ],
)
def test_wrong_dataset_rows(record: dict[str, Any], reason: str, tmp_path: Path) -> None:
    found = read_one("dataset", record, tmp_path)
    assert isinstance(found, BadLine)
    assert found.reason == reason


@pytest.mark.parametrize("name", ["xlam-60k", "openai", "dataset"])
@pytest.mark.parametrize("record", [5, None, "text", [], [row()]])
def test_a_record_is_an_object(name: str, record: Any, tmp_path: Path) -> None:
    found = read_one(name, record, tmp_path)
    assert isinstance(found, BadLine)
    assert found.reason == "not_an_object"


def test_equal_tools_are_one_object(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row(id=number)) + "\n" for number in range(3)))
    tools = [line.sample.tools[0] for line in read_samples(path, "xlam-60k") if isinstance(line, GoodLine)]
    assert len(tools) == 3
    assert len({id(tool) for tool in tools}) == 1


@pytest.mark.parametrize(("record", "name"), [(row(), "xlam-60k"), (chat(), "openai"), (ours(), "dataset")])
def test_the_format_is_told_behind_broken_lines(record: dict[str, Any], name: str, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"broken\n[]\n{"other": 1}\n' + json.dumps(record))
    assert format_of(path) == name


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("in.jsonl", '{"a": 1}\n', "none of its first records is of a known format; name one: xlam-60k, openai"),
        ("in.jsonl", "", "none of its first records"),
        ("in.csv", "a,b\n", r"expected a file of the suffix .jsonl, .ndjson, .json, or a dataset folder"),
        ("missing.jsonl", None, "no such file; check the path"),
    ],
)
def test_files_of_no_format_are_wrong_input(file: str, text: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / file
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        format_of(path)


def test_unknown_formats_and_empty_folders_are_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown format 'xlam'; did you mean 'xlam-60k'"):
        next(read_samples(tmp_path, "xlam"))
    with pytest.raises(InputError, match="no dataset here"):
        input_files(tmp_path)
