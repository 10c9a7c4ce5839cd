"""What only llama.cpp's server tells: a prompt's text, its tokens, and the probabilities of given answers.

Source: the server's own description (ggml-org/llama.cpp, tools/server/README.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xlam_train.infer.backends import Chat

Post = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Path below the server's root, and JSON -> the JSON that comes back."""

SAMPLERS = ("temperature", "top_p")
"""In OpenAI's order, and none of llama.cpp's others, which are on unless told otherwise."""

CERTAIN = 1e4
"""Added to a logit, outweighs any other."""


class LlamaServer:
    """A running server; raises whatever `post` raises."""

    def __init__(self, post: Post) -> None:
        """Asks what the server puts before each prompt."""
        self._post = post
        # The token that begins a text, if the GGUF says so; /apply-template leaves it out, the server adds it later.
        found = post("/tokenize", {"content": "", "add_special": True, "with_pieces": True})
        self._begin = "".join(str(token["piece"]) for token in found["tokens"])

    def prompt_text(self, chat: Chat) -> str:
        """See `Backend.prompt_text`; by llama.cpp's own Jinja."""
        tools = {} if chat.tools is None else {"tools": list(chat.tools)}
        return self._begin + str(self._post("/apply-template", {"messages": list(chat.messages), **tools})["prompt"])

    def tokenize(self, text: str) -> list[int]:
        """See `Backend.tokenize`."""
        found = self._post("/tokenize", {"content": text, "parse_special": True, "add_special": False})
        return [int(token) for token in found["tokens"]]

    def prompt_ids(self, prompt: str | Chat) -> list[int]:
        """Of a prompt as `Request` has it."""
        return self.tokenize(prompt if isinstance(prompt, str) else self.prompt_text(prompt))

    def score(self, prompt: str | Chat, answer: Sequence[int]) -> tuple[float, ...]:
        """See `Backend.score`.

        A grammar of the answer's own tokens lets nothing else out, and the log-probabilities are those before it.
        No grammar names a token that ends the turn, so the last token is chosen by a bias instead.
        """
        if not answer:
            return ()
        *before, last = answer
        body = {
            "prompt": self.prompt_ids(prompt),
            "n_predict": len(answer),
            "temperature": 0,
            "samplers": ["temperature"],
            "n_probs": 1,
            "cache_prompt": True,
            "grammar": f"root ::= {' '.join(f'<[{token}]>' for token in before)} .*",
            "logit_bias": [[last, CERTAIN]],
        }
        steps = self._post("/completion", body)["completion_probabilities"]
        written = [int(step["id"]) for step in steps]
        if written != list(answer):
            raise AssertionError(f"llama.cpp wrote {written} where {list(answer)} was wanted")
        return tuple(float(step["logprob"]) for step in steps)
