"""What a language model is to this project: a chat in, a text out, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ChatRequest:
    """One request; equal requests get the same answer from the cache.

    Attributes:
        messages: (role, text) pairs: system, user, assistant.
        schema: JSON schema that the answer follows, where the server can hold it to one; None for free text.
        max_tokens: most tokens to write.
        temperature: of the draw; 0 is greedy.
        seed: of the draw, where the server takes one; another seed asks again instead of reading the cache.
    """

    messages: tuple[tuple[str, str], ...]
    schema: Mapping[str, Any] | None = None
    max_tokens: int = 1024
    temperature: float = 0.7
    seed: int = 0


@dataclass(frozen=True)
class ChatAnswer:
    """What came back.

    Attributes:
        text: what the model wrote; '' where the request failed.
        failure: '' or a code of `FAILURES`: why there is no text worth reading.
        detail: one line for people.
        input_tokens: of the prompt, as the server counts.
        output_tokens: written.
        cost: of both, at the recipe's prices.
    """

    text: str
    failure: str = ""
    detail: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0


class ChatModel(Protocol):
    """A language model somewhere.

    Attributes:
        name: of the model, for the record.
        max_tokens: the recipe's bound of one answer; None where it leaves that to who asks.
    """

    name: str
    max_tokens: int | None

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """One answer; a request that fails for good is an answer with a `failure`, not an exception.

        Raises:
            XlamError: the model cannot be reached at all, so that going on would only burn the job.
        """

    async def close(self) -> None:
        """End connections and processes."""
