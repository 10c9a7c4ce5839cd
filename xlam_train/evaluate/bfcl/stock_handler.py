"""Our models in the stock `bfcl generate` and `bfcl evaluate`, for people with GPUs and the whole package.

scripts/bfcl_stock.py registers a handler and hands over to the package's own command line. What the handler writes
and reads is what `xlam eval bfcl` writes and reads, so the same answers get the same scores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_pipeline.core.schema import Message
from data_pipeline.core.turns import prompt
from data_pipeline.core.xlam_format import parse_calls
from xlam_train.evaluate.bfcl.calls import as_source, conversion_of, for_checker, read_calls
from xlam_train.evaluate.bfcl.cases import tool_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data_pipeline.core.variants import Variant
    from xlam_train.evaluate.bfcl.calls import Calls


def format_prompt(
    tokenizer: Any, messages: Sequence[Mapping[str, str]], functions: Sequence[dict[str, Any]], variant: Variant
) -> str:
    """The text that a completion server continues.

    Args:
        tokenizer: of the model, with its chat template.
        messages: of the system and the user; in conversations also the assistant's answers as it wrote them, and what
            their calls returned.
        functions: as the leaderboard describes them.
        variant: prompt variant the model was trained on.
    """
    said = [_message(message, variant) for message in messages]
    asked = prompt([tool_schema(function) for function in functions], said, variant, conversion_of(variant))
    return str(
        tokenizer.apply_chat_template(asked.messages, tools=asked.tools, tokenize=False, add_generation_prompt=True)
    )


def _message(said: Mapping[str, Any], variant: Variant) -> Message:
    if said["role"] == "assistant":
        return Message(role="assistant", tool_calls=tuple(read_calls(said["content"], variant)))
    return Message(role=said["role"], content=said["content"])


def decode_ast(answer: str, variant: Variant) -> Calls:
    """The calls as the checker wants them.

    Raises:
        FormatError: the text is no answer, which the evaluator counts as wrong, or as no call.
    """
    return for_checker(parse_calls(answer, variant))


def decode_execute(answer: str, variant: Variant) -> list[str]:
    """The calls as Python source, for the simulated classes of the multi-turn categories.

    Raises:
        FormatError: the text is no answer.
    """
    return [as_source(call.name, call.arguments) for call in parse_calls(answer, variant)]


def register(name: str, variant: Variant) -> None:
    """Make a model known to the stock package, in this process.

    Args:
        name: for its options `--model`, and of its result folders.
        variant: prompt variant the model was trained on.

    Raises:
        ImportError: the package is not installed with all that it needs.
    """
    from bfcl_eval.constants.model_config import MODEL_CONFIG_MAPPING, ModelConfig
    from bfcl_eval.model_handler.local_inference.base_oss_handler import OSSHandler
    from overrides import override

    class XlamHandler(OSSHandler):  # type: ignore[misc]  # the package is untyped
        @override  # type: ignore[untyped-decorator]
        def _format_prompt(self, messages: Any, function: Any) -> str:
            return format_prompt(self.tokenizer, messages, function, variant)

        @override  # type: ignore[untyped-decorator]
        def decode_ast(self, result: str, language: Any, has_tool_call_tag: bool) -> Calls:
            return decode_ast(result, variant)

        @override  # type: ignore[untyped-decorator]
        def decode_execute(self, result: str, has_tool_call_tag: bool) -> list[str]:
            return decode_execute(result, variant)

        @override  # type: ignore[untyped-decorator]
        def _pre_query_processing_prompting(self, test_entry: dict[str, Any]) -> dict[str, Any]:
            # The stock system prompt asks for another format.
            return {"message": [], "function": test_entry["function"]}

    MODEL_CONFIG_MAPPING[name] = ModelConfig(
        model_name=name,
        display_name=name,
        url="",
        org="",
        license="",
        model_handler=XlamHandler,
        is_fc_model=False,
        underscore_to_dot=False,
    )
