"""A model behind an OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from dataclasses import replace
from ipaddress import ip_address
from math import ceil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from data_pipeline.core.errors import CheckFailed, InputError, XlamError
from data_pipeline.llm.chat import ChatRequest
from data_pipeline.llm.failures import ANSWERED
from data_pipeline.llm.limit import AdaptiveLimit
from data_pipeline.llm.wire import (
    FORMS,
    PERHAPS_OWN,
    WRONG_ADDRESS,
    Outcome,
    failed,
    read_completion,
    read_refusal,
    request_body,
)

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

    from data_pipeline.llm.chat import ChatAnswer
    from data_pipeline.llm.settings import Endpoint

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds: bounds of the pause before the second attempt, and before any."""

MOST_ATTEMPTS = 8
"""Attempts at a request that the server answers with errors: they may be this request's own."""

MOST_FAILED_IN_A_ROW = 20
"""Requests that fail one after another, whatever way, before the job ends: the server is gone, or never takes them."""

POOL = 16
"""Connections a client keeps. For every request httpx looks through all of its pool's, which at 400 takes longer than
all else together, so many connections are spread over several clients."""

NO_KEY = "none"
"""Sent to servers without keys, because the package openai insists on one."""

PLAIN = ChatRequest(messages=(("user", "Hello."),), max_tokens=1, temperature=0.0)
"""What every server takes that has the model and knows the key."""

_OWN_FAULT = frozenset({"server_error", "not_json_body"})
_log = logging.getLogger(__name__)


class _Denied(Exception):
    """A code of `PERHAPS_OWN` came.

    Attributes:
        outcome: of the request, if the fault is its own.
        error: what ends the job, if key, model or URL are wrong.
    """

    def __init__(self, outcome: Outcome, error: InputError) -> None:
        super().__init__(str(error))
        self.outcome = outcome
        self.error = error


class EndpointModel:
    """Asks a server, as often as it takes and no faster than it bears; belongs to one event loop."""

    def __init__(self, settings: Endpoint) -> None:
        """Nothing is sent yet.

        Raises:
            InputError: the key's environment variable is not set, or the package `openai` is missing.
        """
        self.name = settings.model
        self.max_tokens = settings.max_tokens
        self._settings = settings
        self._key = _read_key(settings)
        self._clients = _open_clients(settings, self._key)
        self._free = [client for client in self._clients for _ in range(POOL)]
        self._limit = AdaptiveLimit(settings.concurrency)
        self._jitter = random.Random()
        self._form = 0 if settings.json_schema else 1
        self._form_works = False
        self._heard = False
        self._taken = False
        self._in_doubt = asyncio.Lock()
        self._failed_in_a_row = 0
        self._broken: XlamError | None = None

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """See `ChatModel.ask`.

        Raises:
            InputError: the server cannot be reached, or does not accept key, model or URL.
            CheckFailed: the server was there and is gone.
        """
        attempt, until, told = 0, 0.0, failed("deadline")
        while True:
            place = await self._limit.start(again=attempt > 0)
            try:
                self._check()
                # The clock starts with the first attempt: thousands may wait for theirs.
                until = until or time.monotonic() + self._settings.deadline
                outcome = await self._attempt(request, until)
                self._learn(outcome, place)
            except XlamError as error:
                self._broken = error  # those who wait need not try
                raise
            finally:
                self._limit.finish()
            attempt += 1
            if outcome.answer.failure == "deadline":
                return self._given(told, attempt)  # what failed before it says more
            told, pause = outcome, self._pause(outcome, attempt)
            if not outcome.again or pause >= until - time.monotonic() or _is_hopeless(outcome, attempt):
                return self._given(outcome, attempt)
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """End the connections."""
        await asyncio.gather(*(client.close() for client in self._clients))

    async def _attempt(self, request: ChatRequest, until: float) -> Outcome:
        """One attempt, in the strictest form that the server accepts."""
        outcome = failed("deadline")
        for number in range(self._form if request.schema else FORMS.index("text"), len(FORMS)):
            outcome = await self._send(request_body(request, self._settings.model, FORMS[number]), until)
            if outcome.answer.failure != "bad_request":
                if request.schema and outcome.answer.failure in ANSWERED:
                    self._accept_form(number)
                break
        return outcome

    def _accept_form(self, number: int) -> None:
        """A server that never took the stricter form is not asked for it again; else it was that one schema."""
        if number <= self._form:
            self._form_works = True
        elif not self._form_works:
            _log.warning(
                "%s does not accept response_format %s; from now on it is asked for %s",
                self._settings.base_url, FORMS[self._form], FORMS[number],
            )  # fmt: skip
            self._form = number

    async def _send(self, body: dict[str, Any], until: float) -> Outcome:
        """What came of a body; one that is denied ends the job only if the server denies everything."""
        try:
            return await self._post(body, until)
        except _Denied as denied:
            async with self._in_doubt:  # one asks for all who are in doubt
                self._check()
                if not self._taken and await self._denies_all(until):
                    raise denied.error from denied
            return denied.outcome

    async def _denies_all(self, until: float) -> bool:
        """Whether even a request is denied that nobody can object to. There may be no other to learn it from."""
        try:
            await self._post(request_body(PLAIN, self._settings.model, "text"), until)
        except _Denied:
            return True
        return False

    async def _post(self, body: dict[str, Any], until: float) -> Outcome:
        import openai
        from httpx2 import Response

        from data_pipeline.llm.bounded import MOST_BYTES, BodyTooLarge

        seconds = until - time.monotonic()  # here, for a request may be sent in several forms, one after another
        client = self._free.pop()
        sent = client.post("/chat/completions", cast_to=Response, body=body)
        try:
            response = await asyncio.wait_for(sent, min(self._settings.timeout, seconds))
        except (asyncio.TimeoutError, openai.APITimeoutError):
            if seconds < self._settings.timeout:
                return failed("deadline")
            return failed("timeout", f"no answer in {self._settings.timeout:g} s", again=True, busy=True)
        except openai.APIStatusError as error:
            self._heard = True
            return self._refused(error)
        except BodyTooLarge:
            self._heard = True
            return failed("too_large", f"more than {MOST_BYTES >> 20} MiB")
        except openai.APIConnectionError as error:
            return self._not_connected(error)
        finally:
            self._free.append(client)
        self._heard = True
        outcome = read_completion(response.content, self._settings, self._without_key)
        self._taken = self._taken or outcome.answer.failure in ANSWERED
        return outcome

    def _refused(self, error: APIStatusError) -> Outcome:
        where, detail = self._settings.base_url, self._without_key(error.message)
        if error.code == "insufficient_quota":
            raise InputError(f"{where}: the account's quota is used up; raise it, and the same command again goes on")
        outcome = read_refusal(error.status_code, error.response.headers, detail)
        if error.status_code in WRONG_ADDRESS:
            key = self._settings.api_key_env
            wrong = InputError(
                f"{where}: HTTP {error.status_code} for model '{self._settings.model}': {detail}; check base_url, model"
                + (f" and the key in the environment variable {key}" if key else " and whether it wants api_key_env")
            )
            raise _Denied(outcome, wrong) if error.status_code in PERHAPS_OWN else wrong
        return outcome

    def _not_connected(self, error: Exception) -> Outcome:
        from httpx2 import ConnectError

        cause = error.__cause__
        if isinstance(cause, ConnectError) and not self._heard:
            raise InputError(
                f"{self._settings.base_url}: cannot connect ({cause}); start the server or correct base_url, "
                "the same command again goes on"
            )
        return failed("connection", self._without_key(f"{type(cause).__name__}: {cause}"), again=True)

    def _without_key(self, text: str) -> str:
        """Servers quote what they were sent."""
        line = " ".join(text.split())
        return line.replace(self._key, "***") if self._key else line

    def _learn(self, outcome: Outcome, place: int) -> None:
        if outcome.busy:
            self._limit.overloaded(place)
        elif not outcome.again:
            self._limit.succeeded()

    def _pause(self, outcome: Outcome, attempt: int) -> float:
        """Seconds before the next attempt: drawn from a range that doubles, on top of what the server asks."""
        if outcome.wait is not None:
            return outcome.wait + self._jitter.uniform(0, FIRST_PAUSE)
        return self._jitter.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt - 1, 16)))

    def _given(self, outcome: Outcome, attempts: int) -> ChatAnswer:
        """The last attempt's answer, and the account of requests that failed in a row."""
        answer = outcome.answer
        if answer.failure in ANSWERED:
            self._failed_in_a_row = 0
            return answer
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= MOST_FAILED_IN_A_ROW:
            self._broken = CheckFailed(
                f"{self._settings.base_url}: the last {MOST_FAILED_IN_A_ROW} requests failed, the last with "
                f"{answer.failure} ({answer.detail}); see to the server, the same command again goes on"
            )
            raise self._broken
        return replace(answer, detail=f"{answer.detail or answer.failure} (attempts: {attempts})")

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken


def _is_hopeless(outcome: Outcome, attempts: int) -> bool:
    return outcome.answer.failure in _OWN_FAULT and attempts >= MOST_ATTEMPTS


def _read_key(settings: Endpoint) -> str:
    name = settings.api_key_env
    key = os.environ.get(name, "") if name else ""
    if name and not key:
        raise InputError(
            f"the environment variable {name} holds no key for {settings.base_url}; set it, or set api_key_env: '' "
            "for a server without keys"
        )
    return key


def _open_clients(settings: Endpoint, key: str) -> list[AsyncOpenAI]:
    """Clients for `POOL` connections each, enough for all requests at once."""
    try:
        from httpx2 import AsyncClient, Limits, create_ssl_context
        from openai import AsyncOpenAI

        from data_pipeline.llm.bounded import bound_body
    except ImportError as error:
        raise InputError("a model behind a server needs the package openai: pip install 'openai>=3'") from error

    trusted = create_ssl_context()
    clients = []
    for _ in range(ceil(settings.concurrency / POOL)):
        http = AsyncClient(
            verify=trusted,
            timeout=None,  # each attempt as a whole has its time
            limits=Limits(max_connections=POOL, max_keepalive_connections=POOL),
            headers={"Accept-Encoding": "identity"},  # of a compressed answer, the size would show too late
            event_hooks={"response": [bound_body]},
            trust_env=not _is_local(settings.base_url),  # no proxy between a machine and itself
        )
        base = settings.base_url
        clients.append(AsyncOpenAI(api_key=key or NO_KEY, base_url=base, max_retries=0, timeout=None, http_client=http))
    return clients


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
