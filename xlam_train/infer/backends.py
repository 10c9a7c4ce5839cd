"""Backends behind one interface: prompts or conversations in; answers, tokens, log-probabilities and times out.

Every backend builds the text of a prompt from the chat template that its own artefact carries, so
what is tested is what a user of that file gets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from data_pipeline.core.errors import InputError

Progress = Callable[[int], None]

SPEAKS_XLAM = "[BEGIN OF AVAILABLE TOOLS]"
"""In what a chat template writes around tools if it knows the xLAM format."""


@dataclass(frozen=True)
class Chat:
    """A conversation for the template that the artefact carries.

    Attributes:
        messages: as OpenAI's API has them: role, content, tool_calls, tool_call_id.
        tools: as OpenAI's API has them, {"type": "function", "function": {...}}; None for a chat without tools.
    """

    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True)
class Constraint:
    """The only texts that may come out, told twice, as servers differ in what they take; see `constrain`.

    Attributes:
        grammar: in GBNF, llama.cpp's notation, which xgrammar reads too.
        schema: as a JSON schema. It may allow more than the grammar (white space, another order of keys).
    """

    grammar: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One answer that is wanted.

    Attributes:
        prompt: text ready for the model's answer, or a conversation.
        max_tokens: most tokens the answer may have, the one that ends the turn included.
        constraint: what the answer has to be, or None for anything.
        temperature: 0 takes the likeliest token each time.
        top_p: share of probability to sample from.
        seed: of sampling.
    """

    prompt: str | Chat
    max_tokens: int = 512
    constraint: Constraint | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Completion:
    """An answer.

    Attributes:
        text: without its end-of-turn token.
        tokens: ids of the generated tokens, the end-of-turn token included where it was generated; () where a server
            does not tell.
        logprobs: log-probability of each token in nats, before any constraint; () where a server does not tell.
        margins: log-probability of each token minus that of the best other one (nats); () likewise.
        stopped: the model ended its turn by itself within the budget.
        first_token_seconds: from handing the request over, or the batch it is in, to its first token. A server's own
            queue counts, requests of ours that wait for their turn do not.
        seconds: from the same moment to the end of the answer.
    """

    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    margins: tuple[float, ...]
    stopped: bool
    first_token_seconds: float
    seconds: float


class RequestRefused(InputError):
    """This request cannot be answered; others can."""


def template_text(tokenizer: Any, model: object, chat: Chat) -> str:
    """What the chat template of a folder's tokenizer writes around a conversation, up to the answer.

    Raises:
        RequestRefused: the folder carries no template, or its template does not take this conversation.
    """
    from jinja2 import TemplateError

    try:
        text = tokenizer.apply_chat_template(
            [dict(message) for message in chat.messages],
            tools=None if chat.tools is None else [dict(tool) for tool in chat.tools],
            tokenize=False,
            add_generation_prompt=True,
        )
    except (TemplateError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RequestRefused(f"{model}: its chat template cannot write this conversation ({reason})") from error
    return str(text)


class Backend(Protocol):
    """A model that can be asked. Used in a `with` block, which loads and frees it.

    A prompt that is text goes to the model as it stands: special tokens in it are parsed, none are added. `prompt_text`
    therefore writes them all, the one that begins a text included.
    """

    name: str

    @property
    def at_once(self) -> int:
        """Conversations that are best asked side by side, each request of them waiting for the answer before."""

    def prompt_text(self, chat: Chat) -> str | None:
        """The artefact's own template around a conversation, up to the answer; None where a server does not tell."""

    def tokenize(self, text: str) -> list[int] | None:
        """Token ids of a prompt text, its special tokens parsed; None where a server does not tell."""

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """Answers, in the requests' order.

        Args:
            requests: what is wanted.
            progress: hears how many more are done.

        Raises:
            RequestRefused: one of the requests cannot be answered, such as a prompt beyond the context; ask the others
                without it.
            InputError: the model cannot do what is asked, or a server cannot be reached.
        """

    def score(self, prompts: Sequence[str | Chat], answers: Sequence[Sequence[int]]) -> list[tuple[float, ...]] | None:
        """Log-probability in nats of each token of given answers (teacher forcing); None where a server does not tell.

        Args:
            prompts: as in `Request`.
            answers: token ids, one answer a prompt, with the token that ends the turn or without.

        Raises:
            InputError: as `complete`.
        """

    def __enter__(self) -> Backend: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
