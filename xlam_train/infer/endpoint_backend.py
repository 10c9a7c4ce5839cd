"""A model behind an OpenAI-compatible server: llama-server, vLLM, or any other."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from data_pipeline.core.errors import InputError, nearest
from xlam_train.infer.backends import Chat, Completion, Constraint, Progress, Request, RequestRefused
from xlam_train.infer.llama_server import SAMPLERS, LlamaServer
from xlam_train.infer.server_answer import read_answer

if TYPE_CHECKING:
    from xlam_train.infer.endpoint_http import EndpointHttp

KEY_VARIABLE = "XLAM_API_KEY"
"""Environment variable of the server's key: a name of our own, so that nobody's OpenAI key goes to other servers."""

CONCURRENCY = 4
SILENCE_SECONDS = 120.0
ANSWER_SECONDS = 600.0
LLAMA_CPP, VLLM = "llamacpp", "vllm"
"""What these servers put into `owned_by` of /v1/models."""

_LOGPROBS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"/completions": {"logprobs": 2}, "/chat/completions": {"logprobs": True, "top_logprobs": 2}}
)


class EndpointBackend:
    """Requests go out several at once; tokens and log-probabilities come back where the server gives them.

    Sampling that a request does not name (top-k, repetition) is the server's own, except with llama.cpp, which
    is told to do without.
    """

    def __init__(
        self, url: str, model: str = "", silence: float = SILENCE_SECONDS, seconds: float = ANSWER_SECONDS
    ) -> None:
        """Nothing is sent yet.

        Args:
            url: http(s)://HOST:PORT/v1.
            model: the server's name of the model; may be left out where it serves just one.
            silence: seconds the server may say nothing.
            seconds: that a whole answer may take.

        Raises:
            InputError: the address is none.
        """
        self._url = url.rstrip("/")
        if not urlsplit(self._url).hostname:
            raise InputError(f"{url}: no address of a server; give http://HOST:PORT/v1")
        self.name = f"endpoint {self._url}"
        self._model = model
        self._limits = (silence, seconds)
        self._http: EndpointHttp
        self._kind = ""
        self._llama: LlamaServer | None = None
        self.at_once = CONCURRENCY
        self._untold: set[tuple[str, bool]] = set()

    def __enter__(self) -> EndpointBackend:
        try:
            from xlam_train.infer.endpoint_http import EndpointHttp
        except ImportError as error:
            raise InputError("a model behind a server needs the package openai: pip install 'openai>=3'") from error
        key = os.environ.get(KEY_VARIABLE, "")
        self._http = EndpointHttp(self._url, key, KEY_VARIABLE, *self._limits)
        try:
            self._choose_model()
        except BaseException:
            self._http.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _choose_model(self) -> None:
        """The model to ask for, and what kind of server this is, as /v1/models tells.

        Raises:
            InputError: the server cannot be asked, or does not serve just the one model wanted.
        """
        found = self._http.get("/models")
        try:
            served = {str(entry["id"]): str(entry.get("owned_by", "")) for entry in found["data"]}
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self._url}: /models lists no models as OpenAI's API does; check the address") from error
        if self._model and self._model not in served:
            raise InputError(f"{self._url}: no model '{self._model}' here; {nearest(self._model, served)}")
        if not self._model and len(served) != 1:
            names = ", ".join(served) or "none"
            raise InputError(f"{self._url}: it serves several models ({names}) or none; name one: {self._url}#NAME")
        self._model = self._model or next(iter(served))
        self.name = f"endpoint {self._url} {self._model}"
        self._kind = served[self._model]
        if self._kind == LLAMA_CPP:
            self._meet_llama_server()

    def _meet_llama_server(self) -> None:
        """Its own interface stands beside /v1, unless something between here and there hides it."""
        try:
            self._llama = LlamaServer(self._post_to_root)
            slots = int(self._http.get(f"{self._root}/props").get("total_slots", 1))
        except (InputError, KeyError, TypeError, ValueError, AttributeError):
            self._llama = None
            return
        self.at_once = min(CONCURRENCY, slots)  # more would only wait, and the wait would count

    @property
    def _root(self) -> str:
        return self._url.removesuffix("/v1")

    def _post_to_root(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._http.post(self._root + path, body)
        return found

    def prompt_text(self, chat: Chat) -> str | None:
        """See `Backend.prompt_text`; llama.cpp's server tells, others do not."""
        return self._llama.prompt_text(chat) if self._llama else None

    def tokenize(self, text: str) -> list[int] | None:
        """See `Backend.tokenize`; llama.cpp's server tells, others do not."""
        return self._llama.tokenize(text) if self._llama else None

    def score(self, prompts: Sequence[str | Chat], answers: Sequence[Sequence[int]]) -> list[tuple[float, ...]] | None:
        """See `Backend.score`; llama.cpp's server tells, others do not."""
        if self._llama is None:
            return None
        return [self._llama.score(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """See `Backend.complete`."""
        with ThreadPoolExecutor(self.at_once) as pool:
            work = [pool.submit(self._complete_one, request) for request in requests]
            try:
                for done in as_completed(work):
                    done.result()
                    progress(1)
            except BaseException as error:
                pool.shutdown(wait=False, cancel_futures=True)
                if not isinstance(error, RequestRefused):  # after which others are asked
                    self._http.close()  # which ends the requests that are on their way
                raise
        return [done.result() for done in work]

    def _complete_one(self, request: Request) -> Completion:
        from xlam_train.infer.endpoint_http import BadRequest

        path, body = self._body(request)
        form = (path, "tools" in body)
        if form not in self._untold:
            try:
                return self._ask(path, {**body, **_LOGPROBS[path]})
            except BadRequest as error:
                if "logprobs" not in str(error):
                    raise
                self._untold.add(form)
        return self._ask(path, body)

    def _ask(self, path: str, body: Mapping[str, Any]) -> Completion:
        return read_answer(self._http.ask(path, body), self._url, time.perf_counter())

    def _body(self, request: Request) -> tuple[str, dict[str, Any]]:
        """Path and JSON of a request."""
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
            "stream": True,
        }
        prompt: str | Chat | list[int] = request.prompt
        if self._llama is not None:
            body["samplers"] = SAMPLERS
            # Beside tools, llama.cpp takes no grammar, and it turns answers in this format, which its own parser does
            # not know, into error 500. To a prompt of tokens it adds nothing.
            prompt = self._llama.prompt_ids(request.prompt)
        chat = isinstance(prompt, Chat)
        if request.constraint is not None:
            body |= self._form(request.constraint, chat)
        if self._kind == VLLM:
            body |= {"return_token_ids": True, **({} if chat else {"add_special_tokens": False})}
        if not isinstance(prompt, Chat):
            return "/completions", {**body, "prompt": prompt}
        body["messages"] = list(prompt.messages)
        if prompt.tools is not None:
            body["tools"] = list(prompt.tools)
        return "/chat/completions", body

    def _form(self, constraint: Constraint, chat: bool) -> dict[str, Any]:
        """The constraint in the strictest form that this kind of server takes.

        Raises:
            InputError: the prompt is text and the server's kind is not known; OpenAI's API bounds chats only.
        """
        if self._llama is not None:
            return {"grammar": constraint.grammar}
        if self._kind == VLLM:
            return {"structured_outputs": {"grammar": constraint.grammar}}
        if not chat:
            raise InputError(f"{self._url}: this server takes a constraint in chats only; ask it with messages")
        schema = {"name": "answer", "schema": dict(constraint.schema), "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
