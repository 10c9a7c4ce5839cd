"""Conversations in the prompt variants: for each answer of the assistant, the messages that it answers.

A conversation is: messages of the system, if any; then stretches of the user's messages and tools' results, each
followed by one answer of the assistant. The system's text stands before the first block, as in the xLAM client, so
that base models whose template has no system role can be trained, too.

`xlam-1` and `xlam-1-bfcl`, whose sources define one turn only, go on like this: a stretch is one message of the user,
the first with all blocks; further messages of the user are a QUERY block each, results of tools a TOOL RESULT block
each, in their order; an answer is its calls, so that text beside or instead of calls is left out, as the format
instruction demands. Each message depends on those before it alone, so a chat template can write the same bytes.

`xlam-1-history` keeps one message of the user for good: the blocks with the first stretch as the query, then the
history, with a step an answer so far: its thought and calls, what the tools returned (the text; a list for several)
and what the user said next.

`actionstudio` is a message of the system with task and format, then the conversation as it is, in the base model's own
template. Past calls stand as the text that the model wrote; Mistral's template takes them as calls only.

All this is about chats with tools, be it an empty list of them. A chat that has no tools at all is no prompt of a
variant: its messages go into the base model's template as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.prompt_texts import BFCL_SYSTEM, MISTRAL_PREFIX, TASK_INSTRUCTION, actionstudio_format
from data_pipeline.core.schema import Message, Tool, Trajectory, dumps
from data_pipeline.core.variants import ToolConversion, Variant, check_variant
from data_pipeline.core.xlam_format import ToolLike, block, render_answer, render_prompt

ChatMessage = dict[str, Any]


@dataclass(frozen=True)
class Prompt:
    """What a chat template is given.

    Attributes:
        messages: {"role", "content"} each, and what tools need in Mistral's template.
        tools: OpenAI tools for the template; None where the messages hold them.
    """

    messages: list[ChatMessage]
    tools: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Turn(Prompt):
    """A prompt with the answer to be trained, as text without the token that ends it."""

    answer: str = ""


def turns(
    sample: Trajectory, variant: Variant = "xlam-1", conversion: ToolConversion = "card", mistral: bool = False
) -> list[Turn]:
    """One turn for each answer of the assistant, in order, its prompt as it is served.

    Args:
        sample: a conversation that ends with an answer.
        variant: prompt variant.
        conversion: how schemas stand in the prompt.
        mistral: whether the base model's template writes calls after `[TOOL_CALLS]`; `actionstudio` only.

    Raises:
        InputError: the messages are no such conversation, or a tool schema is broken.
    """
    answers = [end for end, message in enumerate(sample.messages, start=1) if message.role == "assistant"]
    if not answers or answers[-1] != len(sample.messages):
        raise InputError(f"sample {sample.id}: it does not end with an answer of the assistant; remove the sample")
    return [turn(sample, sample.messages[:end], variant, conversion, mistral) for end in answers]


def turn(
    sample: Trajectory,
    messages: Sequence[Message],
    variant: Variant = "xlam-1",
    conversion: ToolConversion = "card",
    mistral: bool = False,
) -> Turn:
    """The last of `messages`, with those before it as its prompt; see `turns`.

    Raises:
        InputError: the messages are no conversation on the sample's tools that ends with an answer.
    """
    *before, answer = messages
    try:
        asked = prompt(sample.tools, before, variant, conversion, mistral)
    except InputError as error:
        raise InputError(f"sample {sample.id}: {error}") from error
    return Turn(asked.messages, asked.tools, answer_text(answer, variant, mistral))


def prompt(
    tools: Iterable[ToolLike],
    messages: Sequence[Message],
    variant: Variant = "xlam-1",
    conversion: ToolConversion = "card",
    mistral: bool = False,
) -> Prompt:
    """What the chat template is given when the assistant is to answer.

    Raises:
        InputError: it is not the assistant's turn, the messages are in no order, or a tool schema is broken.
    """
    check_variant(variant)
    system, stretches, answers = _split(messages)
    if variant == "actionstudio":
        return _actionstudio(tools, system, messages, mistral)
    lead = f"{system}\n\n" if system else ""
    if variant == "xlam-1-history":
        content = lead + render_prompt(tools, _user_text(stretches[0]), variant, conversion)
        return Prompt([_said("user", content + _history(answers, stretches[1:]))])
    first = lead + render_prompt(tools, stretches[0][0].content, variant, conversion)
    asked = [first + "".join(map(_as_block, stretches[0][1:]))]
    asked += ["".join(map(_as_block, stretch)) for stretch in stretches[1:]]
    chat = [_said("system", BFCL_SYSTEM)] if variant == "xlam-1-bfcl" else []
    for content, answer in zip(asked, answers, strict=False):
        chat += [_said("user", content), _said("assistant", answer_text(answer, variant))]
    return Prompt([*chat, _said("user", asked[-1])])


def answer_text(message: Message, variant: Variant = "xlam-1", mistral: bool = False) -> str:
    """An answer of the assistant as the model has to write it."""
    if variant == "actionstudio":
        if message.content and not message.tool_calls:
            return message.content
        prefix = MISTRAL_PREFIX if mistral and message.tool_calls else ""
        return prefix + render_answer(message.tool_calls, variant)
    return render_answer(message.tool_calls, variant, message.content)


def _split(messages: Sequence[Message]) -> tuple[str, list[list[Message]], list[Message]]:
    """The system's text, the stretches that ask, and the answers between them.

    Raises:
        InputError: the messages are in no order that makes sense.
    """
    start = next((index for index, message in enumerate(messages) if message.role != "system"), len(messages))
    stretches: list[list[Message]] = [[]]
    answers: list[Message] = []
    for message in messages[start:]:
        if message.role == "assistant" and stretches[-1]:
            answers.append(message)
            stretches.append([])
        elif message.role == "user" or (message.role == "tool" and answers and answers[-1].tool_calls):
            stretches[-1].append(message)
        else:
            raise InputError(f"no conversation: {_ORDER[message.role]}; mend or remove the sample")
    if not stretches[-1]:
        raise InputError("no conversation: nothing is asked before an answer; mend or remove the sample")
    return "\n".join(message.content for message in messages[:start]), stretches, answers


_ORDER = {
    "assistant": "the assistant answers where nothing was asked",
    "system": "a message of the system comes after others",
    "tool": "a tool returns something that was not called",
}


def _as_block(message: Message) -> str:
    return block("TOOL RESULT" if message.role == "tool" else "QUERY", message.content)


def _said(role: str, content: str) -> ChatMessage:
    return {"role": role, "content": content}


def _user_text(stretch: Sequence[Message]) -> str:
    return "\n".join(message.content for message in stretch if message.role == "user")


def _history(answers: Sequence[Message], replies: Sequence[Sequence[Message]]) -> str:
    if not answers:
        return ""
    steps = [_step(number, *pair) for number, pair in enumerate(zip(answers, replies, strict=True), start=1)]
    return f"\n[BEGIN OF HISTORY STEPS]\n{dumps(steps)}\n[END OF HISTORY STEPS]\n"


def _step(number: int, answer: Message, reply: Sequence[Message]) -> dict[str, Any]:
    returned = [message.content for message in reply if message.role == "tool"]
    return {
        "step_id": number,
        "thought": answer.content,
        "tool_calls": [{"name": call.name, "arguments": call.arguments} for call in answer.tool_calls],
        "next_observation": returned if len(returned) > 1 else "".join(returned),
        "user_input": _user_text(reply),
    }


def _actionstudio(tools: Iterable[ToolLike], system: str, messages: Sequence[Message], mistral: bool) -> Prompt:
    chat = [_said("system", f"{system or TASK_INSTRUCTION}\n{actionstudio_format(mistral)}")]
    called = returned = 0  # calls and results so far, which come in the same order
    for message in messages:
        if message.role == "assistant" and message.tool_calls and mistral:
            chat.append(_with_calls(message, called))
            returned, called = called, called + len(message.tool_calls)
        elif message.role == "tool" and mistral:
            chat.append({**_said("tool", message.content), "tool_call_id": _call_id(returned)})
            returned += 1
        elif message.role != "system":
            text = answer_text(message, "actionstudio") if message.role == "assistant" else message.content
            chat.append(_said(message.role, text))
    return Prompt(chat, [_openai_tool(tool) for tool in tools])


def _with_calls(message: Message, first: int) -> ChatMessage:
    functions = [{"name": call.name, "arguments": call.arguments} for call in message.tool_calls]
    calls = [
        {"id": _call_id(number), "type": "function", "function": function}
        for number, function in enumerate(functions, start=first)
    ]
    return {**_said("assistant", ""), "tool_calls": calls}


def _call_id(number: int) -> str:
    """Nine letters and digits, which Mistral's template insists on."""
    return f"call{number:05d}"


def _openai_tool(entry: ToolLike) -> dict[str, Any]:
    tool = entry if isinstance(entry, Tool) else Tool.from_openai(dict(entry))
    return {"type": "function", "function": tool.to_openai()}
