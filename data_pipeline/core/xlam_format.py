"""The xLAM prompt format: the one place that renders prompts and parses answers.

Source: model cards of Salesforce/xLAM-7b-fc-r and xLAM-1b-fc-r (July 2024). The strings are a wire
protocol: a trained model expects them to the byte, trailing spaces included.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data_pipeline.core.errors import FormatError, InputError, nearest
from data_pipeline.core.schema import Tool, ToolCall, Trajectory, dumps

Variant = Literal["xlam-1"]
VARIANTS: tuple[Variant, ...] = ("xlam-1",)
ToolConversion = Literal["card", "leaderboard"]

TASK_INSTRUCTION = (
    "You are an expert in composing functions. You are given a question and a set of possible functions. \n"
    "Based on the question, you will need to make one or more function/tool calls to achieve the purpose. \n"
    "If none of the functions can be used, point it out and refuse to answer. \n"
    "If the given question lacks the parameters required by the function, also point it out."
)

FORMAT_INSTRUCTION = (
    "The output MUST strictly adhere to the following JSON format, and NO other text MUST be included.\n"
    "The example format is as follows. Please make sure the parameter type is correct. "
    "If no function call is needed, please make tool_calls an empty list '[]'.\n"
    "```\n"
    "{\n"
    '    "tool_calls": [\n'
    '    {"name": "func_name1", "arguments": {"argument1": "value1", "argument2": "value2"}},\n'
    "    ... (more tool calls as required)\n"
    "    ]\n"
    "}\n"
    "```"
)

PARSE_REASONS = {
    "empty": "there is no text",
    "code_fence": "the JSON stands in a Markdown fence",
    "text_around": "text before or after the JSON",
    "not_json": "the text is not JSON, or was cut off",
    "too_deep": "nested deeper than the parser goes",
    "duplicate_key": "an object names a key twice",
    "nan": "NaN or Infinity, which JSON does not have",
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
        InputError: unknown variant or conversion, or a broken tool schema.
    """
    if variant not in VARIANTS:
        raise InputError(f"unknown prompt variant '{variant}': {nearest(variant, VARIANTS)}")
    blocks = (
        ("TASK INSTRUCTION", TASK_INSTRUCTION),
        ("AVAILABLE TOOLS", dumps(to_xlam_tools(tools, conversion))),
        ("FORMAT INSTRUCTION", FORMAT_INSTRUCTION),
        ("QUERY", query),
    )
    return "".join(f"[BEGIN OF {name}]\n{text}\n[END OF {name}]\n\n" for name, text in blocks)


def render_answer(calls: Sequence[ToolCall]) -> str:
    """The answer a model should write: one JSON object on one line."""
    return dumps({"tool_calls": [{"name": call.name, "arguments": call.arguments} for call in calls]})


def render(sample: Trajectory, variant: str = "xlam-1", conversion: ToolConversion = "card") -> list[Segment]:
    """A single-turn sample as text segments; only the answer is trainable.

    Raises:
        InputError: the sample is not one user message followed by one assistant message.
    """
    roles = [message.role for message in sample.messages]
    if roles != ["user", "assistant"]:
        raise InputError(f"sample {sample.id}: '{variant}' renders one user and one assistant message, got {roles}")
    prompt = render_prompt(sample.tools, sample.query, variant, conversion)
    return [Segment(prompt, trainable=False), Segment(render_answer(sample.calls), trainable=True)]


def parse_calls(text: str) -> list[ToolCall]:
    """Read an answer: `{"tool_calls": [...]}` or a bare list of calls. Nothing is guessed or repaired.

    Raises:
        FormatError: the text is anything else; its `reason` is one of `PARSE_REASONS`.
    """
    value = _load_json(text.strip())
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
    decoder = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite)
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
        raise FormatError("nan", f"{text} is beyond what a number can hold")
    return value


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
    return ToolCall(name=name, arguments=arguments)
