"""The HTTP below an endpoint: connections with bounds, and every failure as one line. Needs the package `openai`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import openai
from httpx2 import Client, ConnectError, ReadError, Response, SyncByteStream, Timeout
from openai import OpenAI, Stream

from data_pipeline.core.errors import InputError
from xlam_train.infer.backends import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

RETRIES = 2
"""Further attempts at what a server refuses for being busy or broken; the client waits between them as it is asked."""

CONNECT_SECONDS = 10.0
MOST_BYTES = 64 << 20
"""Bytes of an answer that are read; thousands of tokens with their log-probabilities need a tenth."""

NO_KEY = "none"
"""Sent to servers without keys, because the package openai insists on one."""

OF_THE_REQUEST = (400, 413, 422)
"""HTTP statuses of a request that cannot be taken as it is; servers differ in which they give to too long a prompt."""

_REASON_LENGTH = 200


class EndpointHttp:
    """JSON to and from a server below `url`; whatever goes wrong raises InputError."""

    def __init__(self, url: str, key: str, key_variable: str, silence: float, seconds: float) -> None:
        """Nothing is sent yet.

        Args:
            url: ends in /v1.
            key: the server's; '' for none.
            key_variable: where the key came from, for messages.
            silence: seconds the server may say nothing.
            seconds: that a whole answer may take.
        """
        self._url = url
        self._key = key
        self._key_variable = key_variable
        self._silence = silence
        self._seconds = seconds
        http = Client(
            timeout=None,
            headers={"Accept-Encoding": "identity"},  # of a compressed answer, the size would show too late
            event_hooks={"response": [lambda response: _bound(response, seconds)]},
            trust_env=not _is_local(url),  # no proxy between a machine and itself
        )
        self._client = OpenAI(
            api_key=key or NO_KEY,
            base_url=url,
            max_retries=RETRIES,
            timeout=Timeout(silence, connect=min(CONNECT_SECONDS, silence)),
            http_client=http,
        )

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def get(self, path: str) -> Any:
        """The JSON at a path; asked once, because it is how a server is found."""
        try:
            found = self._client.with_options(max_retries=0).get(path, cast_to=Response)
            return json.loads(found.content)
        except (openai.OpenAIError, ValueError) as error:
            self._raise(error)

    def post(self, address: str, body: Mapping[str, Any]) -> Any:
        """JSON for JSON at a whole address."""
        try:
            return json.loads(self._client.post(address, cast_to=Response, body=dict(body)).content)
        except (openai.OpenAIError, ValueError) as error:
            self._raise(error)

    def ask(self, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """An answer's events as they come, or the one body of an answer that is not streamed.

        Raises:
            BadRequest: the server does not take the request as it is.
            RequestRefused: the answer cannot be read, was broken off by the server, or is beyond its time or size.
            InputError: as everywhere.
        """
        try:
            for event in self._stream(path, body) if body.get("stream") else self._whole(path, body):
                if not isinstance(event, dict):
                    raise ValueError("an event that is no object")
                yield event
        except (openai.OpenAIError, ValueError) as error:
            if _is_of_this_answer(error):
                raise RequestRefused(f"{self._url}: {self._explain(error)}") from error
            self._raise(error)

    def _stream(self, path: str, body: Mapping[str, Any]) -> Stream[object]:
        return self._client.post(path, cast_to=object, body=dict(body), stream=True, stream_cls=Stream[object])

    def _whole(self, path: str, body: Mapping[str, Any]) -> list[object]:
        patient = self._client.with_options(timeout=self._seconds)
        return [json.loads(patient.post(path, cast_to=Response, body=dict(body)).content)]

    def _raise(self, error: Exception) -> NoReturn:
        status = error.status_code if isinstance(error, openai.APIStatusError) else None
        kind = BadRequest if status in OF_THE_REQUEST else InputError
        raise kind(f"{self._url}: {self._explain(error)}") from error

    def _explain(self, error: Exception) -> str:
        if isinstance(error.__cause__, _Beyond):
            return str(error.__cause__)
        if isinstance(error, openai.APITimeoutError):
            return f"no answer in time ({self._silence:g} s without a word); is the server overloaded?"
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__
            if isinstance(cause, ConnectError):
                return f"cannot connect ({cause}); start the server or correct the address"
            return f"the connection broke ({self._one_line(str(cause))}); see to the server and try again"
        if isinstance(error, openai.APIStatusError):
            return self._explain_status(error)
        if isinstance(error, openai.APIError):
            return f"the server broke the answer off: {self._one_line(error.message)}"
        return "this is no OpenAI-compatible server: its answer is not the JSON expected; give http://HOST:PORT/v1"

    def _explain_status(self, error: openai.APIStatusError) -> str:
        said = f"HTTP {error.status_code}: {self._one_line(error.message)}"
        if error.status_code in OF_THE_REQUEST:
            return said
        if error.status_code in (401, 403):
            state = "correct the key in" if self._key else "it wants a key: put it into"
            return f"{said}; {state} the environment variable {self._key_variable}"
        if error.status_code == 404:
            return f"{said}; check the address, which ends in /v1, and the model's name"
        return f"{said}; see to the server and try again"

    def _one_line(self, text: str) -> str:
        """Servers quote what they were sent, and answer in pages of HTML."""
        line = " ".join(text.split())
        return (line.replace(self._key, "***") if self._key else line)[:_REASON_LENGTH]


class BadRequest(RequestRefused):
    """The server does not take the request; it may take another."""


class _Beyond(ReadError):
    """The answer is beyond its time or size."""


class _Bounded(SyncByteStream):
    """A body that breaks off where it gets too large or takes too long."""

    def __init__(self, stream: SyncByteStream, seconds: float) -> None:
        self._stream = stream
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def __iter__(self) -> Iterator[bytes]:
        left = MOST_BYTES
        for part in self._stream:
            left -= len(part)
            if left < 0:
                raise _Beyond(f"more than {MOST_BYTES >> 20} MiB in one answer")
            if time.monotonic() > self._until:
                raise _Beyond(f"no answer in time (not at its end after {self._seconds:g} s)")
            yield part

    def close(self) -> None:
        self._stream.close()


def _bound(response: Response, seconds: float) -> None:
    assert isinstance(response.stream, SyncByteStream)
    # Compressed although it was not asked for: left as it is, it will not read as JSON, and cannot swell.
    response.headers.pop("content-encoding", None)
    response.stream = _Bounded(response.stream, seconds)


def _is_of_this_answer(error: Exception) -> bool:
    """Whether the server is there, and only this answer cannot be had or read."""
    if isinstance(error, openai.APIConnectionError):
        return isinstance(error.__cause__, _Beyond)
    return not isinstance(error, openai.APIStatusError)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
