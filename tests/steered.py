"""A real model that is made to write what a test needs: llama.cpp's grammar lets nothing else out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tiny_bases import save_base

from xlam_train.infer.backends import Completion, Constraint, Request
from xlam_train.infer.llama_cpp import LlamaCppBackend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TOKENS_OF_SMOLLM2 = 49152


class SteeredBackend(LlamaCppBackend):
    """Writes the texts given, one a request; prompts, tokens and the end of each turn are the model's own.

    Attributes:
        texts: still to be written; a request beyond them is answered freely.
        asked: the requests so far, as they came.
    """

    def __init__(self, model: Path) -> None:
        super().__init__(model, threads=1)
        self.texts: list[str] = []
        self.asked: list[Request] = []

    def complete(self, requests: Sequence[Request], progress: Any) -> list[Completion]:
        """See `Backend.complete`."""
        self.asked += requests
        return super().complete([self._steer(request) for request in requests], progress)

    def _steer(self, request: Request) -> Request:
        if not self.texts:
            return request
        # Of tokens, because a grammar of characters is tried on each of 49,152 tokens at every step.
        tokens = " ".join(f"<[{token}]>" for token in self.tokenize(self.texts.pop(0)))
        return replace(request, constraint=Constraint(f"root ::= {tokens}", {}))


def save_tiny(folder: Path, tokenizer_of: Path) -> Path:
    """A random Llama small enough to answer in milliseconds, with a real tokenizer, as a Hugging Face folder.

    Args:
        folder: to be made.
        tokenizer_of: SmolLM2's folder.
    """
    return save_base(
        folder, tokenizer_of, vocab_size=TOKENS_OF_SMOLLM2, tie_word_embeddings=True, max_position_embeddings=4096
    )
