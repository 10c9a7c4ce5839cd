"""The smoke test's fixed queries on bundled tools, and how a sample becomes a chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import parse_line
from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory, dumps
from data_pipeline.core.turns import prompt
from data_pipeline.core.variants import ToolConversion, Variant
from data_pipeline.tools.source import open_source
from xlam_train.infer.backends import Chat
from xlam_train.infer.openai_chat import to_openai_tool

QUERIES = "smoke_queries.jsonl"


def fixed_samples(count: int | None = None) -> list[Trajectory]:
    """Queries of every style, conversations with results of tools among them, each with the calls it wants.

    They stay the same, so that results of different artefacts and days can be compared.

    Args:
        count: the first so many, of mixed styles; all unless given.

    Raises:
        InputError: there are fewer, or none is wanted.
    """
    tools = {tool.name: tool for tool in open_source("bundled").tools}
    lines = (files("xlam_train.infer") / QUERIES).read_text(encoding="utf-8").splitlines()
    if count is not None and not 1 <= count <= len(lines):
        raise InputError(f"samples: {count} asked of the fixed set's {len(lines)}; give --tools for fresh ones")
    rows = [parse_line(line, QUERIES) for line in lines[:count]]
    # Queries on the same tools side by side, because backends read the prefix that neighbours share once.
    return [_sample(row, tools) for row in sorted(rows, key=lambda row: " ".join(row["tools"]))]


def _sample(row: Mapping[str, Any], tools: Mapping[str, Tool]) -> Trajectory:
    return Trajectory(
        id=row["id"],
        style=row["style"],
        tools=tuple(tools[name] for name in row["tools"]),
        messages=tuple(Message.model_validate(message) for message in row["messages"]),
    )


def openai_chat(sample: Trajectory) -> Chat:
    """What a client of an OpenAI-compatible server sends for a sample: all but its answer, and the tools."""
    return Chat(tuple(_openai_messages(sample.messages[:-1])), tuple(map(to_openai_tool, sample.tools)))


def rendered_chat(sample: Trajectory, variant: Variant = "xlam-1", conversion: ToolConversion = "card") -> Chat:
    """The same with the prompt format written out in plain messages, for templates that do not know it."""
    asked = prompt(sample.tools, sample.messages[:-1], variant, conversion)
    return Chat(tuple(asked.messages), None if asked.tools is None else tuple(asked.tools))


def _openai_messages(messages: Iterable[Message]) -> Iterator[dict[str, Any]]:
    called = returned = 0  # calls and results so far, which come in the same order
    for message in messages:
        said: dict[str, Any] = {"role": message.role, "content": message.content}
        if message.tool_calls:
            said["tool_calls"] = [_openai_call(call, called + i) for i, call in enumerate(message.tool_calls)]
            called += len(message.tool_calls)
        if message.role == "tool":
            said["tool_call_id"] = _call_id(returned)
            returned += 1
        yield said


def _openai_call(call: ToolCall, number: int) -> dict[str, Any]:
    function = {"name": call.name, "arguments": dumps(call.arguments)}
    return {"id": _call_id(number), "type": "function", "function": function}


def _call_id(number: int) -> str:
    """Nine letters and digits, which Mistral's template insists on."""
    return f"call{number:05d}"
