"""Backends behind one interface: prompts in, greedy answers with their tokens and margins out.

Every backend builds the text of a prompt from the chat template that its own artefact carries, so
what is tested is what a user of that file gets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from data_pipeline.core.errors import InputError

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Completion:
    """A greedy answer.

    Attributes:
        text: the answer without its end-of-turn token.
        tokens: ids of the generated tokens, the end-of-turn token included where it was generated.
        margins: per token, log-probability of the chosen token minus that of the runner-up (nats).
        stopped: the model ended its turn by itself within the budget.
    """

    text: str
    tokens: tuple[int, ...]
    margins: tuple[float, ...]
    stopped: bool


class Backend(Protocol):
    """What the smoke test needs of a model."""

    name: str

    def prompt_text(self, content: str) -> str:
        """The model's chat template around one user message, ready for its answer."""

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a prompt text, its special tokens parsed."""

    def complete(self, prompts: Sequence[str], budgets: Sequence[int], progress: Progress) -> list[Completion]:
        """Greedy answers, in the prompts' order.

        Args:
            prompts: rendered prompts.
            budgets: for each prompt, the most tokens its answer may have.
            progress: hears how many more are done.
        """

    def __enter__(self) -> Backend: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_backend(model: Path, threads: int | None = None) -> Backend:
    """The backend for a GGUF file or a Hugging Face folder.

    Raises:
        InputError: there is no model at the path.
    """
    if model.is_file() and model.suffix == ".gguf":
        from xlam_train.infer.llama_cpp import LlamaCppBackend

        return LlamaCppBackend(model, threads)
    if (model / "config.json").is_file():
        from xlam_train.infer.transformers_backend import TransformersBackend

        return TransformersBackend(model, threads)
    raise InputError(f"{model}: no model here; give a Hugging Face folder (with config.json) or a .gguf file")
