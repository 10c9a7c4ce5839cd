"""A tool-parser plugin that teaches vLLM's server to read the answers of xLAM models: `--tool-call-parser xlam_train`.

vLLM's own `xlam` parser takes bare lists, also out of Markdown fences, tags and half-written JSON. This one takes what
`data_pipeline.core.xlam_format.parse_calls` takes and nothing else: the object with `tool_calls` too, which is how the
xlam-1 models answer, and an empty list for no call. Where a call is required, the decoder may write nothing but valid
calls on the offered tools, in the form the model was trained on.

The interface is that of vLLM 0.33. Nothing else in the project imports this module.
"""

# vLLM is not installed where types are checked.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vllm.entrypoints.generate.base.protocol import (
    DeltaFunctionCall,
    DeltaMessage,
    DeltaToolCall,
    ExtractedToolCallInformation,
    FunctionCall,
    ToolCall,
)
from vllm.renderers.chat_utils import make_tool_call_id
from vllm.sampling_params import StructuredOutputsParams
from vllm.tool_parsers.abstract_tool_parser import ToolParser, ToolParserManager

from data_pipeline.core.schema import dumps
from xlam_train.infer.answer_stream import AnswerStream, read_answer
from xlam_train.infer.constrain import answer_constraint


class XlamTrainToolParser(ToolParser):
    """Reads one answer, whole or as it streams; vLLM makes one for each request."""

    # vLLM's own way to require a call makes the model write `parameters` instead of `arguments`.
    supports_required_and_named = False

    def __init__(self, tokenizer: Any, tools: list[Any] | None = None) -> None:
        """As vLLM calls it.

        Args:
            tokenizer: of the model.
            tools: of the request.
        """
        super().__init__(tokenizer, tools)
        self._stream = AnswerStream()

    def adjust_request(self, request: Any) -> Any:
        """Constrain the answer where the request requires a call, of any tool or of a named one."""
        choice = request.tool_choice
        if not request.tools or choice in (None, "none", "auto"):
            return request
        tools = [tool.model_dump() for tool in request.tools]
        if choice != "required":
            tools = [tool for tool in tools if tool["function"]["name"] == choice.function.name]
        grammar = answer_constraint(tools, empty=False).grammar
        request.structured_outputs = StructuredOutputsParams(grammar=grammar)
        request.response_format = None
        return request

    def extract_tool_calls(self, model_output: str, request: Any) -> ExtractedToolCallInformation:
        """The calls of a whole answer; text that is no answer in the format is the content."""
        answer = read_answer(model_output)
        calls = [
            ToolCall(function=FunctionCall(name=call.name, arguments=dumps(call.arguments))) for call in answer.calls
        ]
        return ExtractedToolCallInformation(tools_called=bool(calls), tool_calls=calls, content=answer.text or None)

    def extract_tool_calls_streaming(
        self,
        previous_text: str,
        current_text: str,
        delta_text: str,
        previous_token_ids: Sequence[int],
        current_token_ids: Sequence[int],
        delta_token_ids: Sequence[int],
        request: Any,
    ) -> DeltaMessage | None:
        """What is new in an answer: text, or calls, each in one piece; None for nothing."""
        new = self._stream.feed(current_text)
        if not new.text and not new.calls:
            return None
        calls = [self._delta(call.name, dumps(call.arguments)) for call in new.calls]
        return DeltaMessage(content=new.text or None, tool_calls=calls)

    def _delta(self, name: str, arguments: str) -> DeltaToolCall:
        self.current_tool_id += 1
        # vLLM compares these two at the end, to send what a parser held back.
        self.prev_tool_call_arr.append({"name": name, "arguments": arguments})
        self.streamed_args_for_tool.append(arguments)
        return DeltaToolCall(
            index=self.current_tool_id,
            type="function",
            id=make_tool_call_id(),
            function=DeltaFunctionCall(name=name, arguments=arguments),
        )


ToolParserManager.register_module("xlam_train", module=XlamTrainToolParser)
