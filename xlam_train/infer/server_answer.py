"""An answer of an OpenAI-compatible server, put together from its stream of events, or read from one body.

Source: OpenAI's API reference, chat completions and completions, streaming; llama.cpp adds a token's `id` to its
log-probability, vLLM a choice's `token_ids` (asked for by `return_token_ids`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import ToolCall, dumps
from data_pipeline.core.xlam_format import render_answer
from xlam_train.infer.backends import Completion, RequestRefused

_NO_COMPLETION = "its answer is no completion as OpenAI's API has it; check the address"
_BY_ITSELF = frozenset({"stop", "tool_calls"})


def read_answer(events: Iterable[Mapping[str, Any]], where: str, started: float) -> Completion:
    """The answer that the events are parts of.

    Calls that the server has parsed come back as the text of an answer, so that all backends are read alike.

    Args:
        events: chunks of a chat completion or a completion, or one whole.
        where: the server's address, for messages.
        started: `time.perf_counter()` when the request was sent.

    Raises:
        RequestRefused: an event is no such chunk.
        InputError: there is no event, or they end before the answer does.
    """
    answer, event = _Answer(), None
    try:
        for event in events:
            for choice in event["choices"][:1]:  # the last chunk may count tokens only
                answer.first = answer.first or _first_token(event, started)
                answer.add(choice)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RequestRefused(f"{where}: {_NO_COMPLETION}") from error
    if event is None:
        raise InputError(f"{where}: {_NO_COMPLETION}")
    if not answer.finish:
        raise InputError(f"{where}: the answer broke off before its end; see to the server and try again")
    told = answer.logprobs if len(answer.logprobs) == len(answer.tokens) or not answer.tokens else []
    return Completion(
        text=answer.written(),
        tokens=tuple(answer.tokens),
        logprobs=tuple(told),
        margins=tuple(answer.margins) if len(answer.margins) == len(told) else (),
        stopped=answer.finish in _BY_ITSELF,
        first_token_seconds=answer.first - started,
        seconds=time.perf_counter() - started,
    )


def _first_token(event: Mapping[str, Any], started: float) -> float:
    """When the first token was there: now, or as llama.cpp tells of an answer that comes whole."""
    timings = event.get("timings")
    if timings is None or event.get("object") != "chat.completion":
        return time.perf_counter()
    return started + (float(timings["prompt_ms"]) + float(timings["predicted_per_token_ms"])) / 1000


@dataclass
class _Call:
    name: str = ""
    arguments: str = ""


@dataclass
class _Answer:
    text: str = ""
    calls: dict[int, _Call] = field(default_factory=dict)
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)
    finish: str = ""
    first: float = 0.0

    def add(self, choice: Mapping[str, Any]) -> None:
        """One choice of one event."""
        delta = choice.get("delta") or choice.get("message") or {}
        self.text += delta.get("content") or choice.get("text") or ""
        for number, part in enumerate(delta.get("tool_calls") or ()):
            # Parts of a stream are numbered, the calls of a whole message are not.
            call, function = self.calls.setdefault(int(part.get("index", number)), _Call()), part.get("function") or {}
            call.name += function.get("name") or ""
            call.arguments += function.get("arguments") or ""
        self._add_probabilities(choice.get("logprobs") or {})
        self.tokens += map(int, choice.get("token_ids") or ())
        self.finish = choice.get("finish_reason") or self.finish

    def _add_probabilities(self, told: Mapping[str, Any]) -> None:
        if "content" in told:  # as in chats
            for entry in told["content"] or ():
                self._add_token(entry["token"], entry["logprob"], _listed(entry))
                self.tokens += [int(entry["id"])] if "id" in entry else []
        elif "token_logprobs" in told:
            best = told.get("top_logprobs") or [{}] * len(told["tokens"])
            for token, logprob, top in zip(told["tokens"], told["token_logprobs"], best, strict=True):
                self._add_token(token, logprob, top or {})

    def _add_token(self, token: str, logprob: float, top: Mapping[str, float]) -> None:
        self.logprobs.append(float(logprob))
        others = [float(value) for other, value in top.items() if other != token]
        if others:
            self.margins.append(float(logprob) - max(others))

    def written(self) -> str:
        """The text, or the calls in its place."""
        if not self.calls:
            return self.text
        parts = [self.calls[index] for index in sorted(self.calls)]
        try:
            return render_answer([ToolCall(name=part.name, arguments=json.loads(part.arguments)) for part in parts])
        except (ValueError, RecursionError):  # no object: the model's own text, for the reader of answers to refuse
            told = ", ".join(f'{{"name": {dumps(part.name)}, "arguments": {part.arguments}}}' for part in parts)
            return f'{{"tool_calls": [{told}]}}'


def _listed(entry: Mapping[str, Any]) -> dict[str, float]:
    return {top["token"]: top["logprob"] for top in entry.get("top_logprobs") or ()}
