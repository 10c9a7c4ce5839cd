"""The xLAM prompt formats: the one place that renders one message and parses an answer; `turns` has conversations.

xlam-1           the published function-calling models
xlam-1-history   the published "r" models: answers may carry a thought, conversations a list of steps
xlam-1-bfcl      as the Berkeley leaderboard asked the published models in July 2024
actionstudio     xLAM-2: the base model's own chat template shows the tools; an answer is a bare list or plain text
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from data_pipeline.core.errors import FormatError, InputError, nearest
from data_pipeline.core.prompt_texts import (
    BFCL_FORMAT_INSTRUCTION,
    BFCL_TASK_INSTRUCTION,
    FORMAT_INSTRUCTION,
    MISTRAL_PREFIX,
    TASK_INSTRUCTION,
)
from data_pipeline.core.schema import Tool, ToolCall, Trajectory, dumps
from data_pipeline.core.variants import ToolConversion, check_variant

PARSE_REASONS = {
    "empty": "there is no text",
    "code_fence": "the JSON stands in a Markdown fence",
    "text_around": "text before or after the JSON",
    "not_json": "the text is not JSON, or was cut off",
    "too_deep": "nested deeper than the parser goes",
    "duplicate_key": "an object names a key twice",
    "nan": "NaN, Infinity, or a number too large for a float",
    "unknown_shape": "neither {'tool_calls': [...]} nor a list",
    "bad_call": "a call that is not exactly {'name': text, 'arguments': object}",
}
"""Reason codes of `FormatError`, each with its meaning."""

# Each part may be missing at the end of the text: it may be still to come.
_ANSWER_START = re.compile(r"""\s*($|\{\s*("|$)|\[\s*(\{|\]|$))""")

ToolLike = Tool | Mapping[str, Any]


@dataclass(frozen=True)
class Segment:
    """A stretch of rendered text and whether the model is trained to write it."""

    text: str
    trainable: bool


def to_xlam_tools(tools: Iterable[ToolLike], conversion: ToolConversion = "card") -> list[dict[str, Any]]:
    """OpenAI function schemas -> the list that stands in the prompt.

    Args:
        tools: `Tool`s or OpenAI schemas, bare or wrapped.
        conversion: `card` keeps the JSON schema's `properties` as they are and drops `required`, as
            the model card's converter does; `leaderboard` writes `"required": true` into each
            required parameter, as the leaderboard's handler did.

    Raises:
        InputError: a schema is not a function schema, or the conversion is unknown.
    """
    if conversion not in ("card", "leaderboard"):
        raise InputError(f"unknown tool conversion '{conversion}': {nearest(conversion, ('card', 'leaderboard'))}")
    converted = []
    for entry in tools:
        tool = entry if isinstance(entry, Tool) else Tool.from_openai(dict(entry))
        parameters = dict(tool.properties)
        if conversion == "leaderboard":
            parameters = {
                name: {**schema, "required": True} if name in tool.required else schema
                for name, schema in parameters.items()
            }
        converted.append({"name": tool.name, "description": tool.description, "parameters": parameters})
    return converted


def render_prompt(
    tools: Iterable[ToolLike], query: str, variant: str = "xlam-1", conversion: ToolConversion = "card"
) -> str:
    """The content of the single user message, byte for byte.

    Raises:
        InputError: unknown variant or conversion, a variant whose tools stand elsewhere, or a broken tool schema.
    """
    if check_variant(variant) == "actionstudio":
        raise InputError("'actionstudio' leaves the tools to the chat template; render it with a tokenizer")
    bfcl = variant == "xlam-1-bfcl"
    blocks = (
        block("TASK INSTRUCTION", BFCL_TASK_INSTRUCTION if bfcl else TASK_INSTRUCTION),
        block("AVAILABLE TOOLS", dumps(to_xlam_tools(tools, conversion))),
        block("FORMAT INSTRUCTION", BFCL_FORMAT_INSTRUCTION if bfcl else FORMAT_INSTRUCTION),
        block("QUERY", query),
    )
    return "".join(blocks)


def block(name: str, text: str) -> str:
    """One marked block of a prompt."""
    return f"[BEGIN OF {name}]\n{text}\n[END OF {name}]\n\n"


def render_answer(calls: Sequence[ToolCall], variant: str = "xlam-1", thought: str = "") -> str:
    """The answer a model should write, on one line: an object, or in `actionstudio` the bare list of calls.

    Args:
        calls: () for none.
        variant: prompt variant.
        thought: reasoning before the calls, which only `xlam-1-history` can hold.

    Raises:
        InputError: unknown variant.
    """
    listed = [{"name": call.name, "arguments": call.arguments} for call in calls]
    if check_variant(variant) == "actionstudio":
        return dumps(listed)
    return dumps({**({"thought": thought} if thought and variant == "xlam-1-history" else {}), "tool_calls": listed})


def render(sample: Trajectory, variant: str = "xlam-1", conversion: ToolConversion = "card") -> list[Segment]:
    """A single-turn sample as text segments; only the answer is trainable.

    Raises:
        InputError: the sample is not one user message followed by one assistant message.
    """
    roles = [message.role for message in sample.messages]
    if roles != ["user", "assistant"]:
        raise InputError(f"sample {sample.id}: '{variant}' renders one user and one assistant message, got {roles}")
    prompt = render_prompt(sample.tools, sample.query, variant, conversion)
    return [Segment(prompt, trainable=False), Segment(render_answer(sample.calls, variant), trainable=True)]


def parse_calls(text: str, variant: str = "xlam-1") -> list[ToolCall]:
    """Read an answer: `{"tool_calls": [...]}` or a bare list of calls. Nothing is guessed or repaired.

    What else a variant allows: `xlam-1-history` a `thought` (text); `actionstudio` Mistral's prefix, and plain text
    for no call; `xlam-1-bfcl` takes text that is no JSON for no call, as the leaderboard did.

    Raises:
        FormatError: the text is anything else; its `reason` is one of `PARSE_REASONS`.
    """
    text = text.strip()
    if check_variant(variant) == "actionstudio" and text:
        text = text.removeprefix(MISTRAL_PREFIX).lstrip()
        if not text.startswith(("[", "{")):
            return []
    try:
        return _parse_value(_load_json(text), variant)
    except FormatError as error:
        if variant == "xlam-1-bfcl" and error.reason in _NO_JSON:
            return []
        raise


_NO_JSON = ("empty", "code_fence", "text_around", "not_json", "too_deep")


def _parse_value(value: Any, variant: str) -> list[ToolCall]:
    if isinstance(value, dict) and variant == "xlam-1-history" and isinstance(value.get("thought"), str):
        value = {key: entry for key, entry in value.items() if key != "thought"}
    if isinstance(value, dict) and set(value) == {"tool_calls"}:
        value = value["tool_calls"]
    if not isinstance(value, list):
        raise FormatError("unknown_shape", "expected {'tool_calls': [...]} or a list of calls")
    return [_parse_call(entry) for entry in value]


def may_become_answer(text: str) -> bool:
    """Whether text that is still being written begins as `parse_calls` wants it: an object, or a list of objects."""
    return _ANSWER_START.match(text) is not None


def _load_json(text: str) -> Any:
    if not text:
        raise FormatError("empty", "the answer has no text")
    if text.startswith("```"):
        raise FormatError("code_fence", "the answer is wrapped in a code fence")
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole
    )
    try:
        value, end = decoder.raw_decode(text)
    except RecursionError as error:
        raise FormatError("too_deep", "the JSON is nested too deeply") from error
    except ValueError as error:
        reason = "not_json" if text[0] in "{[" else "text_around"
        raise FormatError(reason, str(error)) from error
    if text[end:]:
        raise FormatError("text_around", f"text after the JSON: {text[end : end + 40]!r}")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormatError("duplicate_key", "an object names a key twice")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise FormatError("nan", f"{text[:40]} is beyond what a number can hold")
    return value


def _whole(text: str) -> int:
    """Refused beyond what a float holds, so that whoever compares it with a float can."""
    _finite(text)
    return int(text)


def _refuse_constant(name: str) -> None:
    raise FormatError("nan", f"{name} is not JSON")


def _parse_call(entry: Any) -> ToolCall:
    if not isinstance(entry, dict) or set(entry) != {"name", "arguments"}:
        raise FormatError("bad_call", "a call has exactly the keys 'name' and 'arguments'")
    name, arguments = entry["name"], entry["arguments"]
    if not isinstance(name, str) or not name:
        raise FormatError("bad_call", "'name' must be text")
    if not isinstance(arguments, dict):
        raise FormatError("bad_call", f"'arguments' of '{name}' must be an object")
    try:
        return ToolCall(name=name, arguments=arguments)
    except ValidationError as error:  # of what JSON can hold, depth alone is refused
        raise FormatError("too_deep", f"'arguments' of '{name}' are nested too deeply") from error
