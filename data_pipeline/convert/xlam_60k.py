"""Rows of xlam-function-calling-60k: {"id", "query", "answers", "tools"}.

`answers` and `tools` are JSON text, as published, or lists. A tool's parameters stand by name, each with a Python
type: {"location": {"type": "str, optional", "description": "...", "default": "..."}}.

Written and read back, a sample keeps its id, query, calls, and of its tools the names, descriptions, types,
choices, defaults and which parameters may be left out (', optional' behind the type). Lost are limits, patterns and
formats of values, the keys inside objects, default values of required parameters, what a tool returns and where it
came from; the style is told from the calls, so that `missing-parameter` becomes `irrelevance`; text of an answer
that calls nothing; messages of the system; verdicts, results and origin. A conversation of more turns than one, or
without an answer, is refused: a row would hold a part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_pipeline.convert.parts import field, identity, listed, read_call, style_of
from data_pipeline.convert.type_text import type_text
from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory, dumps
from data_pipeline.core.strict_json import MAX_DIGITS, BadRecord, parse

if TYPE_CHECKING:
    from data_pipeline.convert.parts import ToolReader


def fits(record: dict[str, Any]) -> bool:
    """Whether a record looks like one of this format."""
    return {"query", "answers", "tools"} <= set(record)


def read(record: dict[str, Any], line: int, read_tools: ToolReader) -> Trajectory:
    """One row.

    Raises:
        BadRecord: it is none.
    """
    query = field(record, "query", str)
    tools = read_tools(_entries(record, "tools"))
    calls = tuple(_call(entry) for entry in _entries(record, "answers"))
    messages = Message(role="user", content=query), Message(role="assistant", tool_calls=calls)
    return Trajectory(id=identity(record, line), style=style_of(tools, calls), tools=tools, messages=messages)


def _entries(record: dict[str, Any], name: str) -> list[Any]:
    value: Any = field(record, name, str, list)
    value = parse(value, f"'{name}'") if isinstance(value, str) else value
    if not isinstance(value, list):
        raise BadRecord("wrong_type", f"'{name}' must hold a list")
    return value


def _call(entry: Any) -> ToolCall:
    return read_call(entry, entry.get("arguments") if isinstance(entry, dict) else None)


def write(sample: Trajectory) -> dict[str, Any]:
    """One row; ids that are whole numbers are written as numbers, as published.

    Raises:
        BadRecord: not_single_turn.
    """
    roles = [message.role for message in sample.messages if message.role != "system"]
    if roles != ["user", "assistant"]:
        raise BadRecord("not_single_turn", f"a row holds user and assistant, got {listed(roles)}")
    name = sample.id
    # Longer ones are read back as text alone, and beyond 4,300 digits Python makes no number of them.
    is_number = name.isascii() and name.isdigit() and len(name) <= MAX_DIGITS and str(int(name)) == name
    return {
        "id": int(name) if is_number else name,
        "query": sample.query,
        "answers": dumps([{"name": call.name, "arguments": call.arguments} for call in sample.calls]),
        "tools": dumps([write_tool(tool) for tool in sample.tools]),
    }


def write_tool(tool: Tool) -> dict[str, Any]:
    """A tool with a type name for each parameter."""
    parameters = {
        name: _parameter(schema, required=name in tool.required)
        for name, schema in tool.properties.items()
        if isinstance(schema, dict)
    }
    return {"name": tool.name, "description": tool.description, "parameters": parameters}


def _parameter(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    stated = {"description": schema.get("description") or "", "type": type_text(schema)}
    if required:
        # A default would say that the parameter may be left out.
        return stated
    stated["type"] += ", optional"
    return {**stated, "default": schema["default"]} if "default" in schema else stated
