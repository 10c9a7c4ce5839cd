"""OpenAI's chat messages, read for the prompt format.

In the prompt format a tool's result has no id: results belong to calls by their order. So results of parallel calls,
which may come back in any order, are put into the order of the calls, and each call must have one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from data_pipeline.core.errors import InputError, nearest
from data_pipeline.core.schema import Message, Role, Tool, ToolCall
from data_pipeline.core.strict_json import BadRecord, parse
from data_pipeline.core.xlam_format import ToolLike

ROLES: tuple[Role, ...] = get_args(Role)
NAMES_OF_ROLES = {"developer": "system"}  # what OpenAI's newer models call it

ChatMessage = Mapping[str, Any]


def normal_messages(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """The same messages with content as one text, roles by their common names and results in the order of the calls.

    Args:
        messages: role, content (text, parts of text or None), tool_calls, tool_call_id, as OpenAI's API has them.

    Raises:
        InputError: a role, a content or the results of an answer's calls are not as they should be.
    """
    named = [
        {**message, "role": _role(message, number), "content": _content(message, number)}
        for number, message in enumerate(messages)
    ]
    return _in_call_order(named)


def to_message(message: ChatMessage) -> Message:
    """A normal message in the project's own form.

    Raises:
        InputError: a call is not {"function": {"name", "arguments"}} with arguments as an object or its JSON text.
    """
    return Message(role=message["role"], content=message["content"], tool_calls=tuple(map(_call, calls_of(message))))


def to_openai_tool(tool: ToolLike) -> dict[str, Any]:
    """A tool as OpenAI's API has it.

    Raises:
        InputError: it is no function schema.
    """
    known = tool if isinstance(tool, Tool) else Tool.from_openai(dict(tool))
    return {"type": "function", "function": known.to_openai()}


def calls_of(message: ChatMessage) -> list[Any]:
    """The calls of a message, [] for none."""
    return list(message.get("tool_calls") or ())


def _role(message: ChatMessage, number: int) -> str:
    stated = str(message.get("role"))
    role = NAMES_OF_ROLES.get(stated, stated)
    if role not in ROLES:
        raise InputError(f"messages[{number}].role: unknown '{role}'; {nearest(role, ROLES)}")
    return role


def _content(message: ChatMessage, number: int) -> str:
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": "" if content is None else content}]
    texts = [part["text"] for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    if len(texts) != len(parts) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"messages[{number}].content: must be text, or a list of parts that are all text")
    return "".join(texts)


def _call(entry: Any) -> ToolCall:
    function = entry.get("function") if isinstance(entry, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(name, str) or not name:
        raise InputError("tool_calls: a call is {'function': {'name': text, 'arguments': object or its JSON text}}")
    arguments = function.get("arguments")
    try:
        arguments = parse(arguments, "the text") if isinstance(arguments, str) else arguments
    except BadRecord as error:
        raise InputError(f"tool_calls: arguments of '{name}': {error.detail}; give an object or its JSON") from error
    if not isinstance(arguments, dict):
        raise InputError(f"tool_calls: arguments of '{name}': must be an object or its JSON text")
    return ToolCall(name=name, arguments=arguments)


def _in_call_order(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    ordered: list[dict[str, Any]] = []
    start = 0
    while start < len(messages):
        end = start + 1
        while end < len(messages) and messages[end]["role"] == "tool":
            end += 1
        ordered += [messages[start], *_sorted_results(messages[start], messages[start + 1 : end], start)]
        start = end
    return ordered


def _sorted_results(answer: ChatMessage, results: Sequence[dict[str, Any]], number: int) -> Sequence[dict[str, Any]]:
    calls = calls_of(answer)
    if not results or not calls:
        return results
    ids = [call.get("id") if isinstance(call, Mapping) else None for call in calls]
    if len(results) != len(calls):
        raise InputError(
            f"messages[{number}]: {len(calls)} calls, and {len(results)} results after it; give one result a call"
        )
    given = [result.get("tool_call_id") for result in results]
    if all(result_id is None for result_id in given):
        return results
    if sorted(map(str, given)) != sorted(map(str, ids)) or len(set(map(str, ids))) != len(ids):
        raise InputError(
            f"messages[{number}]: its calls have the ids {ids}, the results after it {given}; each call's id once"
        )
    return sorted(results, key=lambda result: ids.index(result["tool_call_id"]))
