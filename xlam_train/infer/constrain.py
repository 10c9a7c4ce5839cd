"""Constrained decoding: from the tools on offer, the grammar and the schema of the valid answers.

What is valid is what the checks of the data take (`data_pipeline.tools.schema_check`): the tool is on offer, no
required argument is missing, none is unknown or given twice, and each value is what the schema asks for. The text is
written as the models are trained to write it: `json.dumps` with its default separators, and nothing around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Tool
from data_pipeline.core.variants import Variant, check_variant
from data_pipeline.core.xlam_format import ToolLike
from xlam_train.infer.backends import Constraint
from xlam_train.infer.constrain_grammar import EMPTY, Grammar, Node, alt, repeat, seq
from xlam_train.infer.constrain_schema import ToolSchema, moved
from xlam_train.infer.constrain_strings import Strings, literal
from xlam_train.infer.constrain_values import Values

if TYPE_CHECKING:
    from transformers import LogitsProcessor, PreTrainedTokenizerBase


def answer_constraint(tools: Sequence[ToolLike], variant: Variant = "xlam-1", *, empty: bool = True) -> Constraint:
    """What a valid answer is, as a GBNF grammar and as a JSON schema.

    Any number of calls, in the form of the variant; `xlam-1-history` may begin with a thought. Mistral's prefix is left
    out. Text for people, which `actionstudio` may answer instead of a call, is not valid here.

    Args:
        tools: on offer; `Tool`s or OpenAI schemas.
        variant: prompt variant.
        empty: whether no call is an answer.

    Raises:
        InputError: a schema is broken, two tools have one name, or there is no valid answer at all.
    """
    offered = _read(tools)
    grammar = Grammar()
    calls = [_call(grammar, tool, ToolSchema(tool)) for tool in offered]
    root = _answer(_list(grammar.rule("call", alt(calls)), empty), check_variant(variant), grammar)
    try:
        text = grammar.to_gbnf(root)
    except ValueError:
        raise InputError("no valid answer: none of the tools can be called, and an empty list is not allowed") from None
    return Constraint(grammar=text, schema=_answer_schema(offered, variant, empty))


def not_enforced(tools: Sequence[ToolLike]) -> tuple[str, ...]:
    """What a valid answer to these tools needs and the grammar cannot say, as '{tool}.{argument}: {keyword}'.

    With none of these, no answer that follows the grammar to its end is an invalid call.

    Raises:
        InputError: a schema is broken, or two tools have one name.
    """
    notes: list[str] = []
    for tool in _read(tools):
        schema = ToolSchema(tool)
        _call(Grammar(), tool, schema)
        notes += schema.notes
    return tuple(notes)


def transformers_processor(
    constraints: Sequence[Constraint | None],
    tokenizer: PreTrainedTokenizerBase,
    vocab_size: int,
    end_ids: Sequence[int] = (),
) -> LogitsProcessor:
    """Keeps constraints in one call of transformers' `generate`, or in a loop that adds one token each time.

    A row ends only where its grammar accepts what is written, and then it must end.

    Args:
        constraints: one a row of the batch, None for a row that may write anything.
        tokenizer: the model's.
        vocab_size: width of the logits, which may be more than the tokenizer has.
        end_ids: the tokens that end an answer; the tokenizer's end of text if not given.

    Raises:
        InputError: xgrammar is not installed.
    """
    try:
        from xlam_train.infer.constrain_transformers import ConstraintProcessor
    except ModuleNotFoundError as error:
        if error.name not in ("xgrammar", "tvm_ffi"):
            raise
        raise InputError(
            "constrained decoding in transformers needs xgrammar: pip install 'xlam-train[constrain]'"
        ) from error
    return ConstraintProcessor(constraints, tokenizer, vocab_size, end_ids)


def _read(tools: Sequence[ToolLike]) -> list[Tool]:
    offered = [tool if isinstance(tool, Tool) else Tool.from_openai(dict(tool)) for tool in tools]
    name, count = next(iter(Counter(tool.name for tool in offered).most_common(1)), ("", 0))
    if count > 1:
        raise InputError(f"tool '{name}' is offered {count} times; give each tool a name of its own")
    return offered


def _call(grammar: Grammar, tool: Tool, schema: ToolSchema) -> Node:
    arguments = Values(grammar, schema).value(schema.root, tool.name)
    return seq('{"name": ', literal(tool.name), ', "arguments": ', arguments, "}")


def _list(call: Node, empty: bool) -> Node:
    some = seq("[", call, repeat(seq(", ", call), 0, None), "]")
    return alt(("[]", some)) if empty else some


def _answer(calls: Node, variant: Variant, grammar: Grammar) -> Node:
    if variant == "actionstudio":
        return calls
    thought: Node = EMPTY
    if variant == "xlam-1-history":
        thought = repeat(seq('"thought": ', Strings(grammar).string(), ", "), 0, 1)
    return seq("{", thought, '"tool_calls": ', calls, "}")


def _answer_schema(tools: list[Tool], variant: Variant, empty: bool) -> dict[str, Any]:
    """The same as a JSON schema of draft 2020-12; each tool's own references are kept."""
    parameters = {f"tool{index}": ToolSchema(tool).root for index, tool in enumerate(tools)}
    calls = [
        _object({"name": {"const": tool.name}, "arguments": {"$ref": f"#/$defs/{key}"}})
        for key, tool in zip(parameters, tools, strict=True)
    ]
    listed: dict[str, Any] = {"type": "array", "items": {"anyOf": calls} if calls else False}
    if not empty:
        listed["minItems"] = 1
    answer = listed if variant == "actionstudio" else _object({"tool_calls": listed})
    if variant == "xlam-1-history":
        answer["properties"] = {"thought": {"type": "string"}, **answer["properties"]}
    return {**answer, "$defs": {key: moved(schema, f"#/$defs/{key}") for key, schema in parameters.items()}}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
