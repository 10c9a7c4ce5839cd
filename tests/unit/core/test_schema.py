"""Byte-stable JSON and a lossless way through Arrow."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory, Verdict

ARGUMENTS = [
    {"a": 1, "b": [1.0, 2.5], "c": {"deep": {"list": [{"x": None}, {"y": True}]}}},
    {"a": "text", "b": {"other": "shape"}, "z": []},
    {"a": 1.0, "b": None, "c": {}},
    {},
]


def trajectory(number: int, arguments: dict) -> Trajectory:
    schema = {"type": "object", "properties": {"a": {"type": ["integer", "string"], "default": None}}}
    tool = Tool(name=f"tool_{number}", description="Does ä thing.", parameters=schema, source="bundled:maths")
    return Trajectory(
        id=f"s{number}",
        style="simple",
        tools=(tool,),
        messages=(
            Message(role="user", content="Ünïcode?"),
            Message(role="assistant", tool_calls=(ToolCall(name=tool.name, arguments=arguments),)),
        ),
        verdicts=(Verdict(stage="format", passed=True),),
    )


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_json_out_and_in_gives_the_same_bytes(arguments: dict) -> None:
    text = trajectory(0, arguments).to_json()
    again = Trajectory.from_json(text)
    assert again.to_json() == text
    assert again == trajectory(0, arguments)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_any_arguments_survive_json(arguments: dict) -> None:
    call = ToolCall(name="f", arguments=arguments)
    assert ToolCall.from_json(call.to_json()).to_json() == call.to_json()


def test_round_trip_through_arrow_adds_no_nulls_and_loses_no_type(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the train extra is not installed")
    samples = [trajectory(number, arguments) for number, arguments in enumerate(ARGUMENTS)]
    table = datasets.Dataset.from_list([sample.to_row() for sample in samples])
    table.save_to_disk(str(tmp_path / "arrow"))
    back = [Trajectory.from_row(row) for row in datasets.load_from_disk(str(tmp_path / "arrow"))]
    assert [sample.to_json() for sample in back] == [sample.to_json() for sample in samples]
    assert [type(sample.calls[0].arguments.get("a")) for sample in back] == [int, str, float, type(None)]


def test_shards_load_as_a_dataset(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the train extra is not installed")
    from data_pipeline.core.jsonl import write_jsonl

    samples = [trajectory(number, arguments) for number, arguments in enumerate(ARGUMENTS)]
    write_jsonl(tmp_path / "shards" / "0000.jsonl", (sample.to_row() for sample in samples))
    loaded = datasets.load_dataset(
        "json", data_files=str(tmp_path / "shards" / "*.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [Trajectory.from_row(row) for row in loaded] == samples


def test_unknown_keys_are_refused_with_their_place() -> None:
    text = trajectory(0, {}).to_json().replace('"role": "user"', '"role": "user", "mood": "good"')
    with pytest.raises(InputError, match=r"messages\.0\.mood"):
        Trajectory.from_json(text)


def test_models_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        trajectory(0, {}).id = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("row", "message"),
    [({"id": "1"}, "column"), ({"id": "1", "style": "simple", "tools": 1, "messages": "[]", "verdicts": "[]"}, "JSON")],
)
def test_broken_rows_say_what_is_wrong(row: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Trajectory.from_row(row)


def test_nan_is_refused_when_written() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        ToolCall(name="f", arguments={"a": float("nan")}).to_json()


def test_fingerprint_ignores_where_a_tool_came_from() -> None:
    tool = trajectory(0, {}).tools[0]
    assert tool.fingerprint == tool.model_copy(update={"source": "json:elsewhere"}).fingerprint
    assert tool.fingerprint != tool.model_copy(update={"description": "Other."}).fingerprint


def test_a_changed_copy_of_a_tool_writes_what_it_is() -> None:
    tool = trajectory(0, {}).tools[0]
    assert tool.json_text == tool.to_json()
    changed = tool.model_copy(update={"name": "other"})
    assert changed.json_text == changed.to_json() != tool.json_text


@pytest.mark.parametrize(
    ("schema", "takes"),
    [
        ({"type": "integer"}, "scalars"),
        ({"type": ["string", "null"], "enum": ["a", None]}, "scalars"),
        ({}, "scalars"),
        ({"type": "array", "items": {"type": "string"}}, "lists"),
        ({"items": {"type": "string"}}, "lists"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}, "any"),
        ({"type": "array", "items": {"type": "object"}}, "any"),
        ({"type": ["null", "array"]}, "any"),
        ({"type": "object", "properties": {}}, "any"),
        ({"type": "dict"}, "any"),
        (True, "any"),
        (False, "any"),
        ({"type": "array", "items": True}, "any"),
    ],
)
def test_scalars_are_told_from_lists_and_objects(schema: dict | bool, takes: str) -> None:
    parameters = {"type": "object", "properties": {"n": {"type": "number"}, "x": schema}}
    assert Tool(name="f", description="F.", parameters=parameters).takes == takes
