"""llama.cpp in this process, by the xllamacpp wheel."""

from __future__ import annotations

import ctypes
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from data_pipeline.core.errors import InputError
from xlam_train.infer.backends import Completion, Progress

CONTEXT = 4096
REQUEST_SECONDS = 600
OMP_PAUSE_HARD = 2  # omp.h


class LlamaCppBackend:
    """A GGUF file behind llama.cpp's own server on loopback.

    One prompt after another in one slot: that way llama.cpp reuses the prefix that neighbours share, and
    answers do not depend on what else is in a batch. Four slots attend over one another's keys and gain
    nothing: on two cores 30 answers took them 43 s, one slot 38 and 42 s.
    """

    def __init__(
        self, model: Path, threads: int | None = None, go_on: Callable[[str], bool] = lambda text: True
    ) -> None:
        """Nothing is loaded yet.

        Args:
            model: the GGUF file.
            threads: all cores unless given.
            go_on: told the answer so far, whether the rest of it is wanted. A model that cannot do the task
                rambles, and its tenth word tells as much as its hundredth.
        """
        self.name = f"llama.cpp {model.name}"
        self._model = model
        self._threads = threads or os.cpu_count() or 1
        self._go_on = go_on
        self._server: Any = None

    def __enter__(self) -> LlamaCppBackend:
        from xllamacpp import CommonParams, Server

        _end_idle_threads()
        params = CommonParams()
        params.model.path = str(self._model)
        params.n_ctx = CONTEXT
        params.n_parallel = 1
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
        answers = []
        with _quiet():
            for prompt, budget in zip(prompts, budgets, strict=True):
                answers.append(self._complete_one(prompt, budget))
                progress(1)
            self.tokenize("")  # a server that answers this has logged that the last answer was broken off
        return answers

    def _complete_one(self, prompt: str, max_tokens: int) -> Completion:
        request = {
            "prompt": prompt,
            "n_predict": max_tokens,
            "temperature": 0,
            "samplers": ["temperature"],
            "n_probs": 2,
            "cache_prompt": True,
            "stream": True,
        }
        text, steps, stop = "", list[dict[str, Any]](), ""
        with self._open("/completion", request) as response:
            for event in _events(response):
                text += event["content"]
                steps += event.get("completion_probabilities", ())
                stop = event.get("stop_type", "")
                if not self._go_on(text):
                    break  # closing the connection ends the work
        return Completion(
            text=text,
            tokens=tuple(int(step["id"]) for step in steps),
            margins=tuple(_margin(step) for step in steps),
            stopped=stop == "eos",
        )

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        with self._open(path, body) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def _open(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self._server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            return urllib.request.urlopen(request, timeout=REQUEST_SECONDS)
        except urllib.error.HTTPError as error:
            raise InputError(f"{self._model}: llama.cpp refused {path}: {error.read().decode()[:200]}") from error


def _events(response: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON objects of a stream of server-sent events."""
    return (json.loads(line.removeprefix(b"data: ")) for line in response if line.startswith(b"data: {"))


def _margin(step: dict[str, Any]) -> float:
    first, second = (entry["logprob"] for entry in step["top_logprobs"][:2])
    return float(first - second)


def _end_idle_threads() -> None:
    """End the worker threads that PyTorch left waiting in OpenMP's pool; it starts new ones when it needs them.

    With more threads than cores, idle ones included, GNU OpenMP puts threads to sleep at every barrier, of which
    llama.cpp has hundreds a token: on two cores, answers took 29 s after PyTorch had run and 18 s without its pool.
    """
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    for path in {line.split(maxsplit=5)[5] for line in lines if "libgomp" in line}:
        pause = getattr(ctypes.CDLL(path), "omp_pause_resource_all", None)  # OpenMP 5.0
        if pause is not None:
            pause(OMP_PAUSE_HARD)


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
