"""llama.cpp in this process, by the xllamacpp wheel."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any

from data_pipeline.core.errors import InputError
from xlam_train.infer.backends import Completion, Progress

SLOTS = 4
CONTEXT_PER_SLOT = 4096
REQUEST_SECONDS = 600


class LlamaCppBackend:
    """A GGUF file behind llama.cpp's own server on loopback.

    Several slots answer at once, because decoding one sequence at a time leaves a CPU waiting for
    memory; prompts on one tool set go to one slot one after another, so that llama.cpp reuses the
    prefix they share.
    """

    def __init__(self, model: Path, threads: int | None = None) -> None:
        self.name = f"llama.cpp {model.name}"
        self._model = model
        self._threads = threads or os.cpu_count() or 1
        self._server: Any = None

    def __enter__(self) -> LlamaCppBackend:
        from xllamacpp import CommonParams, Server

        params = CommonParams()
        params.model.path = str(self._model)
        params.n_ctx = SLOTS * CONTEXT_PER_SLOT
        params.n_parallel = SLOTS
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.n_threads = self._threads
        try:
            with _quiet():
                self._server = Server(params)
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{self._model}: llama.cpp cannot load it ({error}); export it again") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _quiet():
            self._server = None  # dropping the last reference stops the server

    def prompt_text(self, content: str) -> str:
        """The template inside the GGUF around one user message."""
        return str(self._post("/apply-template", {"messages": [{"role": "user", "content": content}]})["prompt"])

    def tokenize(self, text: str) -> list[int]:
        """Token ids as llama.cpp reads them, special tokens parsed."""
        found = self._post("/tokenize", {"content": text, "parse_special": True, "add_special": False})
        return [int(token) for token in found["tokens"]]

    def complete(self, prompts: Sequence[str], budgets: Sequence[int], progress: Progress) -> list[Completion]:
        """Greedy answers; see `Backend.complete`."""
        # Prompts that share everything up to the query belong to one tool set.
        numbered = enumerate(prompts)
        groups = [list(group) for _, group in groupby(numbered, key=lambda pair: pair[1].split("[BEGIN OF QUERY]")[0])]
        answers: dict[int, Completion] = {}
        lanes: list[list[tuple[int, str]]] = [[] for _ in range(SLOTS)]
        for group in sorted(groups, key=len, reverse=True):
            min(lanes, key=len).extend(group)

        def run(slot: int) -> None:
            for index, prompt in lanes[slot]:
                answers[index] = self._complete_one(prompt, budgets[index], slot)
                progress(1)

        with ThreadPoolExecutor(SLOTS) as pool, _quiet():
            list(pool.map(run, range(SLOTS)))
        return [answers[index] for index in range(len(prompts))]

    def _complete_one(self, prompt: str, max_tokens: int, slot: int) -> Completion:
        request = {
            "prompt": prompt,
            "n_predict": max_tokens,
            "temperature": 0,
            "samplers": ["temperature"],
            "n_probs": 2,
            "id_slot": slot,
            "cache_prompt": True,
            "return_tokens": True,
        }
        found = self._post("/completion", request)
        steps = found.get("completion_probabilities", ())
        return Completion(
            text=found["content"],
            tokens=tuple(int(step["id"]) for step in steps),
            margins=tuple(_margin(step) for step in steps),
            stopped=found["stop_type"] == "eos",
        )

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self._server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            raise InputError(f"{self._model}: llama.cpp refused {path}: {error.read().decode()[:200]}") from error
        return answer


def _margin(step: dict[str, Any]) -> float:
    first, second = (entry["logprob"] for entry in step["top_logprobs"][:2])
    return float(first - second)


@contextmanager
def _quiet() -> Iterator[None]:
    """llama.cpp writes its log to file descriptor 2 from C++; keep it off the user's screen."""
    saved = os.dup(2)
    with open(os.devnull, "wb") as sink:  # noqa: PTH123 - a device, not a path
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
