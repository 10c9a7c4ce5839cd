"""Arguments against a schema: the reason and the place of what is wrong."""

from __future__ import annotations

import time
from typing import Any

import pytest

from data_pipeline.core.schema import Tool
from data_pipeline.tools.schema_check import ARGUMENT_REASONS, ArgumentCheck, PerTool, argument_errors

PROPERTIES: dict[str, Any] = {
    "count": {"type": "integer", "minimum": 1, "maximum": 9},
    "ratio": {"type": "number", "exclusiveMinimum": 0},
    "name": {"type": "string", "minLength": 2},
    "unit": {"type": "string", "enum": ["km", "miles"]},
    "flag": {"type": "boolean"},
    "either": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
    "items": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"price": {"type": "number"}},
            "required": ["price"],
        },
    },
}


def _tool(properties: dict[str, Any], required: tuple[str, ...] = (), **rest: Any) -> Tool:
    schema = {"type": "object", "properties": properties, "required": list(required), **rest}
    return Tool(name="t", description="d", parameters=schema)


@pytest.mark.parametrize(
    "arguments",
    [
        {"count": 9},
        {"ratio": 1},
        {"ratio": 0.5},
        {"either": None},
        {"items": [{"price": 1}]},
        {"flag": False, "unit": "km", "name": "ab"},
        {},
    ],
)
def test_accepts(arguments: dict[str, Any]) -> None:
    assert argument_errors(_tool(PROPERTIES), arguments) is None


@pytest.mark.parametrize(
    ("arguments", "reason", "place"),
    [
        ({"cuont": 3}, "unknown_argument", "did you mean 'count'?"),
        ({"count": 1.0}, "wrong_type", "t.count"),
        ({"count": True}, "wrong_type", "t.count"),
        ({"count": "3"}, "wrong_type", "t.count"),
        ({"ratio": False}, "wrong_type", "t.ratio"),
        ({"flag": 1}, "wrong_type", "t.flag"),
        ({"name": None}, "wrong_type", "t.name"),
        ({"count": 0}, "out_of_range", "t.count"),
        ({"count": 10}, "out_of_range", "t.count"),
        ({"ratio": 0}, "out_of_range", "t.ratio"),
        ({"unit": "KM"}, "not_in_enum", "t.unit"),
        ({"name": "a"}, "bad_value", "t.name"),
        ({"either": -1}, "out_of_range", "t.either"),
        ({"either": "x"}, "wrong_type", "t.either"),
        ({"items": [{"price": 1}, {}]}, "missing_argument", "t.items[1]"),
        ({"items": [{"price": "1"}]}, "wrong_type", "t.items[0].price"),
    ],
)
def test_refuses_with_reason_and_place(arguments: dict[str, Any], reason: str, place: str) -> None:
    error = argument_errors(_tool(PROPERTIES), arguments)
    assert error is not None
    assert error.reason == reason
    assert reason in ARGUMENT_REASONS
    assert place in error.detail


def test_missing_argument_is_named() -> None:
    error = argument_errors(_tool(PROPERTIES, ("count",)), {})
    assert error is not None
    assert error.reason == "missing_argument"
    assert "'count'" in error.detail


def test_an_open_schema_takes_more() -> None:
    assert argument_errors(_tool({}, additionalProperties={"type": "number"}), {"x": 1}) is None
    error = argument_errors(_tool({}, additionalProperties={"type": "number"}), {"x": "1"})
    assert error is not None
    assert error.reason == "wrong_type"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "str"},
        {"$ref": "http://127.0.0.1:9/never-fetched.json"},
        {"pattern": "("},
        {"enum": 3},
        {"minimum": "a"},
    ],
)
def test_a_broken_schema_is_a_reason_not_a_crash(schema: dict[str, Any]) -> None:
    error = argument_errors(_tool({"x": schema}), {"x": 3 if "minimum" in schema else "a"})
    assert error is not None
    assert error.reason == "bad_schema"
    assert "\n" not in error.detail


def test_detail_stays_short() -> None:
    error = argument_errors(_tool(PROPERTIES), {"count": "x" * 10_000})
    assert error is not None
    assert len(error.detail) <= 300


HARD = "a" * 40 + "b"


@pytest.mark.parametrize(
    ("schema", "arguments", "reason"),
    [
        ({"x": {"type": "string", "pattern": r"^(a+)+$"}}, {"x": "aaa"}, None),
        ({"x": {"type": "string", "pattern": r"^(a+)+$"}}, {"x": HARD}, "bad_value"),
        ({"x": {"type": "string", "pattern": r"^(?=a)(a|aa)+(?!b)\1$"}}, {"x": HARD * 50}, "bad_value"),
        ({"x": {"patternProperties": {r"^(a+)+$": {"type": "integer"}}}}, {"x": {HARD: "y", "a": "y"}}, "wrong_type"),
        (
            {"x": {"patternProperties": {r"^(a+)+$": {}}, "additionalProperties": False}},
            {"x": {HARD: 1}},
            "unknown_argument",
        ),
        ({"x": {"propertyNames": {"pattern": r"^(a+)+$"}}}, {"x": {HARD: 1}}, "bad_value"),
        ({"x": {"type": "string", "pattern": r"\Aab\Z"}}, {"x": "ab"}, "bad_schema"),
        ({"x": {"patternProperties": {"a": {}}, "unevaluatedProperties": False}}, {"x": {}}, "bad_schema"),
    ],
)
def test_patterns_take_bounded_time(schema: dict[str, Any], arguments: dict[str, Any], reason: str | None) -> None:
    began = time.process_time()
    for error in (argument_errors(_tool(schema), arguments), ArgumentCheck()(_tool(schema), arguments)):
        assert (error and error.reason) == reason
    assert time.process_time() - began < 2


@pytest.mark.parametrize("number", [1.0, 10**400, pytest.param(10**5000, id="huge"), -(2**63), 2**64])
def test_the_quick_check_agrees_about_odd_numbers(number: float) -> None:
    tool = _tool({"x": {"type": "integer", "maximum": 10}})
    found, slow = ArgumentCheck()(tool, {"x": number}), argument_errors(tool, {"x": number})
    assert (found and found.reason) == (slow and slow.reason)
    assert (found is None) is (number == -(2**63))


def test_given_arguments_are_checked_without_the_missing_ones() -> None:
    tool = _tool(PROPERTIES, ("count", "name"))
    check = ArgumentCheck()
    assert check.of_given(tool, {"count": 3}) is None
    wrong = check.of_given(tool, {"count": 30})
    missing = check(tool, {"count": 3})
    assert wrong is not None
    assert missing is not None
    assert (wrong.reason, missing.reason) == ("out_of_range", "missing_argument")


def test_what_is_derived_is_kept_for_tools_that_read_the_same() -> None:
    derived: list[str] = []
    kept = PerTool(lambda tool: derived.append(tool.name) or len(derived))
    one, same, other = _tool({}), _tool({}), _tool({"x": {}})
    assert [kept(tool) for tool in (one, one, same, other, one)] == [1, 1, 1, 2, 1]
