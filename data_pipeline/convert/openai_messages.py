"""Conversations as for fine-tuning at OpenAI: {"messages": [...], "tools": [...]}; those of one turn are read.

An answer's calls are `tool_calls`, their arguments JSON text (or an object). Messages of the system before the user's
are passed over, since the prompt format brings its own instruction; a conversation of more turns is refused, though
samples that are one are written whole.

Written and read back, a sample keeps its query, answer, calls and tools with their schemas. Lost are the id, what a
tool returns and where it came from, and the style: it is told from the calls, so that `missing-parameter` becomes
`irrelevance`; verdicts, results and origin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_pipeline.convert.parts import field, identity, listed, read_call, style_of
from data_pipeline.core.schema import Message, ToolCall, Trajectory, dumps
from data_pipeline.core.strict_json import BadRecord, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data_pipeline.convert.parts import ToolReader

_SYSTEM = ("system", "developer")


def fits(record: dict[str, Any]) -> bool:
    """Whether a record looks like one of this format."""
    return isinstance(record.get("messages"), list)


def read(record: dict[str, Any], line: int, read_tools: ToolReader) -> Trajectory:
    """One conversation of one turn.

    Raises:
        BadRecord: it is none.
    """
    user, assistant = _turn(field(record, "messages", list))
    if assistant.get("function_call") is not None:
        # Passed over, it would make a refusal of a call.
        raise BadRecord("bad_call", "'function_call' is the older form; write it as one of 'tool_calls'")
    tools = read_tools(field(record, "tools", list))
    stated = assistant.get("tool_calls") or []
    if not isinstance(stated, list):
        raise BadRecord("wrong_type", "'tool_calls' must be a list")
    calls = tuple(map(_call, stated))
    messages = (
        Message(role="user", content=_content(user)),
        Message(role="assistant", content=_content(assistant), tool_calls=calls),
    )
    return Trajectory(id=identity(record, line), style=style_of(tools, calls), tools=tools, messages=messages)


def _turn(messages: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The message of the user and the answer."""
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in messages):
        raise BadRecord("wrong_type", "each of 'messages' must be an object with a 'role' of text")
    roles = [message["role"] for message in messages]
    start = next((index for index, role in enumerate(roles) if role not in _SYSTEM), len(roles))
    if roles[start:] != ["user", "assistant"]:
        raise BadRecord("not_single_turn", f"expected user and assistant, got {listed(roles)}")
    return messages[start], messages[start + 1]


def _content(message: dict[str, Any]) -> str:
    """A message's text, which may stand in parts; '' for none."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in parts]
    if not all(isinstance(text, str) for text in texts):
        raise BadRecord("wrong_type", "'content' must be text, or a list of parts that are all text")
    return "".join(text for text in texts if text)


def _call(entry: Any) -> ToolCall:
    function = entry.get("function") if isinstance(entry, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    return read_call(function, parse(arguments, "'arguments'") if isinstance(arguments, str) else arguments)


def write(sample: Trajectory) -> dict[str, Any]:
    """One conversation, all of its turns."""
    return {
        "messages": _written(sample.messages),
        "tools": [{"type": "function", "function": tool.to_openai()} for tool in sample.tools],
    }


def _written(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The messages in the words of the API, which names calls, and with each result the call that it is of."""
    written: list[dict[str, Any]] = []
    called = 0
    unanswered: list[str] = []
    for message in messages:
        said: dict[str, Any] = {"role": message.role, "content": message.content}
        if message.tool_calls:
            # Numbered through all turns; results stand behind their calls in the same order.
            unanswered = [f"call_{number}" for number, _ in enumerate(message.tool_calls, start=called)]
            called += len(unanswered)
            calls = [_written_call(name, call) for name, call in zip(unanswered, message.tool_calls, strict=True)]
            said |= {"content": message.content or None, "tool_calls": calls}
        elif message.role == "tool" and unanswered:
            said["tool_call_id"] = unanswered.pop(0)
        written.append(said)
    return written


def _written_call(name: str, call: ToolCall) -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": call.name, "arguments": dumps(call.arguments)}}
