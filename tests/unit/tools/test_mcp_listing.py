"""What a server's list of tools becomes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Tool
from data_pipeline.tools.mcp_source.listing import MAX_TOOL_BYTES, describe_tools

OBJECT = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
GOOD: dict[str, Any] = {"name": "weather", "description": "Weather of a city.", "inputSchema": OBJECT}


def _describe(*entries: object) -> tuple[list[Tool], dict[str, str]]:
    tools, refused = describe_tools(entries, "mcp:x", time.monotonic() + 10)
    return tools, {refusal.name: refusal.reason for refusal in refused}


def test_a_tool_keeps_its_schemas() -> None:
    returns = {"type": "object", "properties": {"degrees": {"type": "number"}}}
    (tool,), refused = _describe({**GOOD, "outputSchema": returns, "title": "ignored"})
    assert refused == {}
    assert (tool.name, tool.description, tool.source) == ("weather", "Weather of a city.", "mcp:x")
    assert (tool.parameters, tool.returns, tool.required) == (OBJECT, returns, ("city",))


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (None, "write"),
        ({}, "write"),
        ({"readOnlyHint": True}, "read"),
        ({"readOnlyHint": False}, "write"),
        ({"readOnlyHint": "yes"}, "write"),
        ("text", "write"),
    ],
)
def test_only_a_tool_that_says_so_only_reads(annotations: object, expected: str) -> None:
    (tool,), _ = _describe({**GOOD, "annotations": annotations})
    assert tool.side_effects == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "a b"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "weather\n"}, "name"),
        ({"description": None}, "no description"),
        ({"description": " \n"}, "no description"),
        ({"execution": {"taskSupport": "required"}}, "only as a task"),
        ({"inputSchema": None}, "not a JSON schema of type 'object'"),
        ({"inputSchema": {"type": "string"}}, "not a JSON schema of type 'object'"),
        ({"inputSchema": {"properties": {}}}, "not a JSON schema of type 'object'"),
        ({"inputSchema": {"type": ["object", "null"]}}, "not a JSON schema of type 'object'"),
        ({"inputSchema": {"type": "object", "properties": []}}, "'properties' that are no object"),
        ({"inputSchema": {"type": "object", "properties": {"a": {"type": "strin"}}}}, "properties.a.type"),
        ({"inputSchema": {"type": "object", "maxProperties": float("nan")}}, "NaN"),
        ({"description": "x" * MAX_TOOL_BYTES}, "64 kB"),
    ],
)
def test_what_is_no_tool_is_refused_with_a_reason(change: dict[str, Any], reason: str) -> None:
    tools, refused = _describe({**GOOD, **change}, {**GOOD, "name": "other"})
    assert [tool.name for tool in tools] == ["other"]
    ((name, said),) = refused.items()
    assert reason in said
    assert "\n" not in name + said
    assert len(name) <= 64


def test_entries_that_are_no_objects_are_refused_by_number() -> None:
    assert list(_describe(None, ["x"], "text")[1]) == ["number 1", "number 2", "number 3"]


def test_of_two_tools_of_a_name_the_first_counts() -> None:
    tools, refused = _describe(GOOD, {**GOOD, "description": "Another."})
    assert [tool.description for tool in tools] == ["Weather of a city."]
    assert "another tool of this name" in refused["weather"]


def test_a_schema_without_properties_takes_no_arguments() -> None:
    (tool,), _ = _describe({**GOOD, "inputSchema": {"type": "object"}})
    assert tool.properties == {}


def test_a_list_that_takes_too_long_to_check_is_an_error() -> None:
    with pytest.raises(InputError, match="takes too long"):
        describe_tools([GOOD], "mcp:x", time.monotonic() - 1)


def test_a_schema_nested_too_deeply_is_refused() -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(180):
        schema = {"type": "object", "properties": {"a": schema}}
    tools, refused = _describe({**GOOD, "inputSchema": schema}, {**GOOD, "name": "other"})
    assert [tool.name for tool in tools] == ["other"]
    assert "too deeply" in refused["weather"]
