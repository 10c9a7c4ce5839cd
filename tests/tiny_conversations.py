"""Random tool sets and conversations for tests of prompts: nested schemas, awkward texts and numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from data_pipeline.core.schema import Message, Tool, ToolCall

if TYPE_CHECKING:
    import random

_PIECES = (
    *(
        "Oslo",
        "a",
        " ",
        "  ",
        "é",
        "ß",
        "漢字",
        "😀",
        "👩‍🔬",
        "\u2028",
        "\x7f",
        "\x80",
        "0.5",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
    ),
    *('"', "'", "\\", '\\"', "\\u00e9", "/", "</b>", "&", "\n", "\t", "\r", "\x01", "{{ x }}", "{% y %}", "#}", "%s"),
)
_FLOATS = (
    *(5.0, -0.0, 0.1, 2.5, 1e-07, 1e22, 1e16, 123456.789, 1500000.0, 3.141592653589793, 0.30000000000000004),
    *(-1e-05, 6.62607015e-34, 1.7976931348623157e308, 2.2250738585072014e-308, 9007199254740993.0, 0.0001, 999999.5),
)
_INTEGERS = (0, 1, -1, 7, 10**6, 2**53 + 1, 2**63 - 1, -(2**63))


def text(draw: random.Random, most: int = 4) -> str:
    """A few pieces that JSON, Jinja or a tokenizer might trip over."""
    return "".join(draw.choice(_PIECES) for _ in range(draw.randint(0, most)))


def value(draw: random.Random, depth: int = 2) -> Any:
    """Any JSON; one number in ten has all the digits that a double can have."""
    kind = draw.randrange(10)
    if kind < 2 and depth:
        return [value(draw, depth - 1) for _ in range(draw.randint(0, 2))]
    if kind < 4 and depth:
        return {text(draw): value(draw, depth - 1) for _ in range(draw.randint(0, 2))}
    scalars = (text(draw), draw.choice(_INTEGERS), draw.choice(_FLOATS), draw.choice((True, False, None)))
    return draw.uniform(-1000, 1000) if draw.random() < 0.05 else draw.choice(scalars)


def tool(draw: random.Random, name: str) -> Tool:
    """A tool with up to three parameters; some have no schema at all."""
    if draw.random() < 0.1:
        return Tool(name=name, description=text(draw), parameters={})
    names = [f"p{number}" + text(draw, 1) for number in range(draw.randint(0, 3))]
    parameters = {
        "type": "object",
        "properties": {key: _schema(draw) for key in names},
        "required": [key for key in names if draw.random() < 0.5],
    }
    return Tool(name=name, description=text(draw), parameters=parameters)


def _schema(draw: random.Random, depth: int = 2) -> dict[str, Any]:
    kind = draw.choice(("string", "number", "array", "object", "enum") if depth else ("string", "number"))
    if kind == "array":
        return {"type": "array", "items": _schema(draw, depth - 1)}
    if kind == "object":
        return {"type": "object", "properties": {text(draw): _schema(draw, depth - 1)}, "required": []}
    if kind == "enum":
        return {"enum": [value(draw, 0) for _ in range(2)], "description": text(draw)}
    return {"type": kind, "description": text(draw), **({"default": value(draw, 1)} if draw.random() < 0.4 else {})}


def conversation(draw: random.Random) -> tuple[list[Tool], list[Message]]:
    """Up to three tools and messages up to a question, with parallel calls, their results and system texts."""
    tools = [tool(draw, f"tool_{number}") for number in range(draw.randint(0, 3))]
    messages = [Message(role="system", content=text(draw)) for _ in range(draw.choice((0, 0, 1, 2)))]
    for _ in range(draw.choice((0, 0, 1, 2))):
        messages += _turn(draw)
    return tools, [*messages, Message(role="user", content=text(draw))]


def _turn(draw: random.Random) -> list[Message]:
    calls = tuple(_call(draw) for _ in range(draw.randint(0, 2)))
    asked = [Message(role="user", content=text(draw)) for _ in range(draw.choice((1, 1, 2)))]
    results = [Message(role="tool", content=text(draw)) for _ in calls]
    return [*asked, Message(role="assistant", content=text(draw), tool_calls=calls), *results]


def _call(draw: random.Random) -> ToolCall:
    arguments = {text(draw): value(draw) for _ in range(draw.randint(0, 2))}
    return ToolCall(name=f"tool_{draw.randint(0, 2)}", arguments=arguments)


def openai_tools(tools: list[Tool]) -> list[dict[str, Any]]:
    """Tools as OpenAI's API has them."""
    return [{"type": "function", "function": entry.to_openai()} for entry in tools]


def openai_messages(messages: list[Message], draw: random.Random) -> list[dict[str, Any]]:
    """Messages as OpenAI's API has them, arguments as JSON text in one of the ways that clients write it."""
    return [_openai_message(message, draw) for message in messages]


def _openai_message(message: Message, draw: random.Random) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "content": message.content, "tool_call_id": "call00000"}
    if not message.tool_calls:
        return {"role": message.role, "content": message.content}
    calls = [{"name": call.name, "arguments": json_text(call.arguments, draw)} for call in message.tool_calls]
    return {
        "role": message.role,
        "content": message.content or None,
        "tool_calls": [{"id": "call00000", "type": "function", "function": call} for call in calls],
    }


def json_text(data: Any, draw: random.Random) -> str:
    """The same data as one of many JSON texts."""
    written = json.dumps(data, ensure_ascii=draw.random() < 0.5, **draw.choice(({}, {"indent": 2}, _COMPACT)))
    return written.replace("/", "\\/").replace("&", "\\u0026") if draw.random() < 0.3 else written


_COMPACT: dict[str, Any] = {"separators": (",", ":")}
