"""The plugin in vLLM's own classes, where vLLM is installed: no GPU and no model is needed for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("vllm", reason="needs the package vllm")

from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.tool_parsers.abstract_tool_parser import ToolParserManager

import xlam_train.infer

ANSWER = '{"tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}, {"name": "clock", "arguments": {}}]}'
NAMES = ("weather", "clock")
PLUGIN = Path(xlam_train.infer.__file__).parent / "vllm_tool_parser.py"


def asked(**options: Any) -> ChatCompletionRequest:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [{"type": "function", "function": {"name": name, "parameters": parameters}} for name in NAMES]
    messages = [{"role": "user", "content": "Oslo?"}]
    return ChatCompletionRequest.model_validate({"model": "m", "messages": messages, "tools": tools, **options})


@pytest.fixture(params=[str(PLUGIN), "xlam_train.infer.vllm_tool_parser"], ids=["path", "module"])
def parser(request: pytest.FixtureRequest) -> Any:
    """As `--tool-parser-plugin ... --tool-call-parser xlam_train` makes one."""
    ToolParserManager.import_tool_parser(request.param)
    return ToolParserManager.get_tool_parser("xlam_train")(tokenizer=None, tools=None)


def test_calls_of_a_whole_answer(parser: Any) -> None:
    found = parser.extract_tool_calls(ANSWER, asked())
    assert found.tools_called
    assert [(call.function.name, call.function.arguments) for call in found.tool_calls] == [
        ("weather", '{"city": "Oslo"}'),
        ("clock", "{}"),
    ]
    assert len({call.id for call in found.tool_calls}) == 2
    assert found.content is None


@pytest.mark.parametrize(("text", "content"), [('{"tool_calls": []}', None), ("Hello.", "Hello."), ("[1]", "[1]")])
def test_answers_without_calls(parser: Any, text: str, content: str | None) -> None:
    found = parser.extract_tool_calls(text, asked())
    assert (found.tools_called, found.tool_calls, found.content) == (False, [], content)


def test_calls_of_a_stream(parser: Any) -> None:
    deltas = [
        parser.extract_tool_calls_streaming(ANSWER[: end - 1], ANSWER[:end], ANSWER[end - 1], [], [], [], asked())
        for end in range(1, len(ANSWER) + 1)
    ]
    calls = [call for delta in deltas if delta for call in delta.tool_calls]
    assert [(call.index, call.function.name) for call in calls] == [(0, "weather"), (1, "clock")]
    assert json.loads(calls[0].function.arguments) == {"city": "Oslo"}
    assert [delta.content for delta in deltas if delta] == [None, None]
    assert parser.get_remaining_unstreamed_args() == ""


def test_a_required_call_is_constrained_to_the_form_of_the_models(parser: Any) -> None:
    assert parser.adjust_request(asked(tool_choice="auto")).structured_outputs is None
    required = parser.adjust_request(asked(tool_choice="required")).structured_outputs.grammar
    assert all(name in required for name in NAMES)
    named = {"type": "function", "function": {"name": "clock"}}
    one = parser.adjust_request(asked(tool_choice=named)).structured_outputs.grammar
    assert "clock" in one
    assert "weather" not in one
