"""OpenAI-shaped chat completions with `tool_calls`, from any backend.

A server may not know the prompt format: it returns the model's answer as text. The handler reads it here, on the
client's side, strictly: what is not an answer in the format stays text and is marked, nothing is guessed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from data_pipeline.core.errors import FormatError, InputError
from data_pipeline.core.prompt_texts import MISTRAL_PREFIX
from data_pipeline.core.schema import ToolCall, dumps
from data_pipeline.core.turns import prompt
from data_pipeline.core.variants import Variant, check_variant
from data_pipeline.core.xlam_format import ToolLike, parse_calls
from xlam_train.infer.backends import SPEAKS_XLAM, Backend, Chat, Completion, Constraint, Request
from xlam_train.infer.openai_chat import calls_of, normal_messages, to_message, to_openai_tool

CALL_ID_LENGTH = 9
"""Letters and digits in the id of a call, as many as Mistral's template insists on."""

_TOOL = to_openai_tool({"name": "probe", "description": "Nothing.", "parameters": {"type": "object", "properties": {}}})
_CALL = {"id": "probe0000", "type": "function", "function": {"name": "probe", "arguments": "{}"}}
_PROBE = Chat(({"role": "user", "content": "?"},), (_TOOL,))
_PROBE_OF_CALLS = Chat(
    (
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": "", "tool_calls": [_CALL]},
        {"role": "tool", "content": "1", "tool_call_id": "probe0000"},
    ),
    (_TOOL,),
)


class ChatHandler:
    """Chats with the model of an opened backend.

    Where the artefact's own chat template speaks xLAM, it writes the prompt. Elsewhere, as with base models or servers
    that do not show their template, the handler writes the prompt's content itself and the template adds its turn
    markers only. Both give the same bytes.
    """

    def __init__(self, backend: Backend, variant: Variant = "xlam-1", constrained: bool = False) -> None:
        """Nothing is asked yet.

        Args:
            backend: opened, and open for as long as the handler is used.
            variant: prompt format that the model was trained on.
            constrained: only valid calls on the offered tools can come out.

        Raises:
            InputError: unknown variant.
        """
        self._backend = backend
        self._variant: Variant = check_variant(variant)
        self._constrained = constrained

    def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[ToolLike] | None = None,
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> dict[str, Any]:
        """One chat completion, as OpenAI's API has it.

        Beside that API's fields, a choice has `format_error`: None, or the reason code (one of `PARSE_REASONS`) why
        the text is no answer in the format. Such text is the message's content, unchanged. `usage` is None where the
        server does not tell tokens. Ids depend on the request alone.

        Args:
            messages: the conversation, as OpenAI's API has it.
            tools: on offer; None for a plain chat, in which no call is looked for.
            max_tokens: most tokens of the answer.
            temperature: 0 takes the likeliest token each time.
            top_p: share of probability to sample from.
            seed: of sampling.

        Raises:
            InputError: the messages are no conversation, a tool schema is broken, or the backend cannot answer.
        """
        chat = self.prompt(messages, tools)
        # As text where the backend shows it: servers that are told of tools read the answer themselves, and llama.cpp's
        # answers with HTTP 500 what is not in the form it expects.
        text = self._backend.prompt_text(chat)
        request = Request(chat if text is None else text, max_tokens, self._constraint(tools), temperature, top_p, seed)
        [completion] = self._backend.complete([request], lambda done: None)
        key = _digest([self._backend.name, _plain(chat), self._constrained, max_tokens, temperature, top_p, seed])
        choice = self._choice(completion, key) if tools is not None else _as_text(completion, None)
        return {
            "id": f"chatcmpl-{key[:24]}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self._backend.name,
            "choices": [{"index": 0, **choice}],
            "usage": self._usage(text, completion),
        }

    def prompt(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[ToolLike] | None = None) -> Chat:
        """What the artefact's template is given; `Backend.prompt_text` shows the text that comes of it.

        Raises:
            InputError: see `chat`.
        """
        normal = normal_messages(messages)
        if tools is None:
            if any(message["role"] == "tool" or calls_of(message) for message in normal):
                raise InputError("messages: they hold calls or results, but tools is None; give the tools on offer")
            return Chat(tuple(normal))
        rendered = prompt(tools, [to_message(message) for message in normal], self._variant, mistral=self._mistral)
        # llama.cpp takes an empty list of tools for none at all, and writes a plain chat.
        if len(tools) and self._variant != "actionstudio" and self._speaks_xlam:
            return Chat(tuple(normal), tuple(map(to_openai_tool, tools)))
        return Chat(tuple(rendered.messages), None if rendered.tools is None else tuple(rendered.tools))

    def _constraint(self, tools: Sequence[ToolLike] | None) -> Constraint | None:
        if tools is None or not self._constrained:
            return None
        from xlam_train.infer.constrain import answer_constraint

        return answer_constraint(tools, self._variant)

    @cached_property
    def _speaks_xlam(self) -> bool:
        return self._template_writes(SPEAKS_XLAM, _PROBE)

    @cached_property
    def _mistral(self) -> bool:
        """Whether calls stand after Mistral's prefix, which only `actionstudio` leaves to the template."""
        return self._variant == "actionstudio" and self._template_writes(MISTRAL_PREFIX, _PROBE_OF_CALLS)

    def _template_writes(self, mark: str, probe: Chat) -> bool:
        try:
            return mark in (self._backend.prompt_text(probe) or "")
        except InputError:
            return False  # templates may refuse tools, or results of them

    def _choice(self, completion: Completion, key: str) -> dict[str, Any]:
        try:
            calls = parse_calls(completion.text, self._variant)
        except FormatError as error:
            return _as_text(completion, error.reason)
        if not calls:
            said = _as_text(completion, None)
            said["message"]["content"] = _beside_calls(completion.text)
            return said
        message = {
            "role": "assistant",
            "content": _beside_calls(completion.text) or None,
            "tool_calls": [_openai_call(call, f"{key}:{number}") for number, call in enumerate(calls)],
        }
        return {"message": message, "finish_reason": "tool_calls", "format_error": None}

    def _usage(self, text: str | None, completion: Completion) -> dict[str, int] | None:
        asked = None if text is None else self._backend.tokenize(text)
        if asked is None or not completion.tokens:
            return None
        answered = len(completion.tokens)
        return {
            "prompt_tokens": len(asked),
            "completion_tokens": answered,
            "total_tokens": len(asked) + answered,
        }


def _as_text(completion: Completion, format_error: str | None) -> dict[str, Any]:
    return {
        "message": {"role": "assistant", "content": completion.text},
        "finish_reason": "stop" if completion.stopped else "length",
        "format_error": format_error,
    }


def _beside_calls(text: str) -> str:
    """What a parsed answer says beside its calls: a thought, or all of it where a variant takes prose for no call."""
    stripped = text.strip()
    answer = stripped.removeprefix(MISTRAL_PREFIX).lstrip()
    if not answer.startswith(("{", "[")):
        return stripped
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return stripped
    return str(value.get("thought", "")) if isinstance(value, dict) else ""


def _openai_call(call: ToolCall, key: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": dumps(call.arguments)}
    return {"id": _digest(key)[:CALL_ID_LENGTH], "type": "function", "function": function}


def _plain(chat: Chat) -> list[Any]:
    return [list(map(dict, chat.messages)), chat.tools and list(map(dict, chat.tools))]


def _digest(value: object) -> str:
    return hashlib.sha256(dumps(value).encode()).hexdigest()
