"""Messages to and from a server over streamable HTTP, with a cap on every response."""

from __future__ import annotations

import os
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.tools.mcp_source.address import is_loopback, without_user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx2

TOKEN_VARIABLE = "XLAM_MCP_TOKEN"
MAX_RESPONSE_BYTES = 8 * 1024 * 1024
"""Largest JSON response and largest event of a stream."""

CONNECT_SECONDS = 10.0
_EVENT_END = re.compile(rb"\n\r?\n")


class HttpLink:
    """The streams an MCP session reads from and writes to, over HTTP.

    Attributes:
        ended: why the server has to be connected to anew; '' while it need not be.
        too_large: whether a response was cut off at the cap since `begin`.
        status: last HTTP status since `begin` that was an error; 0 without one.
    """

    def __init__(self, url: str) -> None:
        self.ended = ""
        self.too_large = False
        self.status = 0
        self._url = url

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[tuple[Any, Any]]:
        """Prepare a client; leaving ends the server's session.

        Raises:
            InputError: a token would be sent readable for everybody on the way.
        """
        from mcp.client.streamable_http import streamable_http_client

        url, headers = self._with_token()
        async with (
            _client(self, headers) as client,
            streamable_http_client(url, http_client=client, max_sse_event_size=MAX_RESPONSE_BYTES) as streams,
        ):
            yield streams

    def begin(self) -> None:
        """Watch for what goes wrong with the next request."""
        self.status, self.too_large = 0, False

    async def end(self) -> None:
        """Nothing to wait for: leaving `streams` says goodbye."""

    def kill(self) -> None:
        """Nothing to kill."""

    def notice_end(self) -> str:
        """Why the server is gone; over HTTP that shows only in what a request comes to."""
        return self.ended

    def last_words(self) -> str:
        """The last HTTP error."""
        return f"HTTP status {self.status}" if self.status else ""

    def _with_token(self) -> tuple[str, dict[str, str]]:
        """URL and headers to send. Read anew each time, so that no object keeps the token."""
        token = os.environ.get(TOKEN_VARIABLE, "")
        # Compressed, a few kilobytes would become gigabytes behind the cap.
        headers = {"Accept-Encoding": "identity"}
        if not token:
            return self._url, headers
        if not self._url.startswith("https:") and not is_loopback(self._url):
            raise InputError(f"{TOKEN_VARIABLE} would travel unencrypted; use https, or unset it")
        # A user in the URL would replace the header.
        return without_user(self._url), {**headers, "Authorization": f"Bearer {token}"}


def _client(link: HttpLink, headers: dict[str, str]) -> httpx2.AsyncClient:
    import httpx2

    async def note_status(response: httpx2.Response) -> None:
        # The stream of notifications, opened by GET, is optional for a server.
        if response.status_code >= 400 and response.request.method == "POST":
            link.status = response.status_code
            if response.status_code == 404 and "mcp-session-id" in response.request.headers:
                link.ended = "the server no longer knows the session"

    return httpx2.AsyncClient(
        headers=headers,
        # How long an answer takes is limited by whoever calls.
        timeout=httpx2.Timeout(CONNECT_SECONDS, read=None),
        transport=_capped_transport(link),
        event_hooks={"response": [note_status]},
        trust_env=False,
    )


def _capped_transport(link: HttpLink) -> httpx2.AsyncBaseTransport:
    """The usual transport, with bodies that end in an error when they grow too large."""
    import httpx2

    class CappedBody(httpx2.AsyncByteStream):
        def __init__(self, body: httpx2.AsyncByteStream, in_events: bool) -> None:
            self._body = body
            self._in_events = in_events

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in self._body:
                # An empty line ends an event, and a stream may have any number of them.
                size = 0 if self._in_events and _EVENT_END.search(chunk) else size + len(chunk)
                if size > MAX_RESPONSE_BYTES:
                    link.too_large = True
                    raise httpx2.StreamError(f"the response takes more than {MAX_RESPONSE_BYTES >> 20} MB")
                yield chunk

        async def aclose(self) -> None:
            await self._body.aclose()

    class CappedTransport(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            response = await super().handle_async_request(request)
            # Read as it is, though it was asked not to be compressed: it is then no JSON, and refused.
            response.headers.pop("content-encoding", None)
            in_events = response.headers.get("content-type", "").lower().startswith("text/event-stream")
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = CappedBody(response.stream, in_events)
            return response

    return CappedTransport(trust_env=False)
