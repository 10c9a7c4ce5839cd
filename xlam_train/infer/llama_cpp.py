"""llama.cpp in this process, by the xllamacpp wheel."""

from __future__ import annotations

import ctypes
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from data_pipeline.core.errors import InputError
from xlam_train.infer.backends import Chat, Completion, Progress, Request, RequestRefused
from xlam_train.infer.gguf_check import F32, check_gguf
from xlam_train.infer.llama_server import SAMPLERS, LlamaServer

CONTEXT = 4096
REQUEST_SECONDS = 600
OMP_PAUSE_HARD = 2  # omp.h
SILENT = -1


class LlamaCppBackend:
    """A GGUF file behind llama.cpp's own server on loopback.

    One prompt after another in one slot: that way llama.cpp reuses the prefix that neighbours share, and
    answers do not depend on what else is in a batch. Four slots attend over one another's keys and gain
    nothing: on two cores 30 answers took them 43 s, one slot 38 and 42 s.
    """

    at_once = 1  # the next request of a conversation finds the last one's keys and values

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
        self._told: LlamaServer

    def __enter__(self) -> LlamaCppBackend:
        try:
            from xllamacpp import CommonParams, Server, llama_flash_attn_type
        except ImportError as error:
            raise InputError("a GGUF model needs the package xllamacpp: pip install xllamacpp") from error
        kinds = check_gguf(self._model)
        _end_idle_threads()
        params = CommonParams()
        params.model.path = str(self._model)
        params.n_ctx = CONTEXT
        params.n_parallel = 1
        params.use_jinja = True
        params.verbosity = SILENT
        # Its kernel for CPUs sums in F16: log-probabilities were twice as far from transformers', for 10 % of the time.
        params.flash_attn_type = llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        if kinds == {F32}:
            # Rounded to F16, llama.cpp's default, keys and values put log-probabilities ten times as far off.
            params.cache_type_k = params.cache_type_v = F32
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.n_threads = self._threads
        try:
            with _quiet():  # what is logged before the verbosity is read
                self._server = Server(params)
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{self._model}: llama.cpp cannot load it ({error}); export it again") from error
        self._told = LlamaServer(self._post)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server = None  # dropping the last reference stops the server

    def prompt_text(self, chat: Chat) -> str:
        """See `Backend.prompt_text`."""
        return self._told.prompt_text(chat)

    def tokenize(self, text: str) -> list[int]:
        """See `Backend.tokenize`."""
        return self._told.tokenize(text)

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """See `Backend.complete`."""
        answers = []
        for request in requests:
            answers.append(self._complete_one(request))
            progress(1)
        return answers

    def score(self, prompts: Sequence[str | Chat], answers: Sequence[Sequence[int]]) -> list[tuple[float, ...]]:
        """See `Backend.score`."""
        return [self._told.score(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]

    def _complete_one(self, request: Request) -> Completion:
        started = time.perf_counter()
        body = {
            "prompt": self._told.prompt_ids(request.prompt),
            "n_predict": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
            "samplers": SAMPLERS,
            "n_probs": 2,
            "cache_prompt": True,
            "stream": True,
        }
        if request.constraint is not None:
            body["grammar"] = request.constraint.grammar
        text, steps, stop, first = "", list[dict[str, Any]](), "", 0.0
        with self._open("/completion", body) as response:
            for event in self._events(response):
                first = first or time.perf_counter()
                text += event["content"]
                steps += event.get("completion_probabilities", ())
                stop = event.get("stop_type", "")
                if not self._go_on(text):
                    break  # closing the connection ends the work
        return Completion(
            text=text,
            tokens=tuple(int(step["id"]) for step in steps),
            logprobs=tuple(float(step["logprob"]) for step in steps),
            margins=tuple(_margin(step) for step in steps),
            stopped=stop == "eos",
            first_token_seconds=first - started,
            seconds=time.perf_counter() - started,
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
            return _direct().open(request, timeout=REQUEST_SECONDS)
        except urllib.error.HTTPError as error:
            kind = RequestRefused if error.code < 500 else InputError
            raise kind(self._refusal(path, error.read())) from error

    def _events(self, response: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        """The JSON objects of a stream of server-sent events.

        Raises:
            RequestRefused: llama.cpp broke the answer off.
        """
        for line in response:
            if line.startswith(b"data: {"):
                event: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
                if "error" in event:
                    raise RequestRefused(self._refusal("/completion", line.removeprefix(b"data: ")))
                yield event

    def _refusal(self, path: str, body: bytes) -> str:
        try:
            reason = str(json.loads(body)["error"]["message"])
        except (ValueError, KeyError, TypeError):
            reason = body.decode(errors="replace")
        return f"{self._model}: llama.cpp refused {path}: {' '.join(reason.split())[:200]}"


def _direct() -> urllib.request.OpenerDirector:
    """No proxy between a process and itself."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _margin(step: dict[str, Any]) -> float:
    """Log-probability of the token minus that of the best other one."""
    chosen = step["id"]
    other = next(entry["logprob"] for entry in step["top_logprobs"] if entry["id"] != chosen)
    return float(step["logprob"] - other)


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
