"""HTTP bodies of bounded size; imported only where the package `openai`, which brings httpx2, is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from httpx2 import AsyncByteStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from httpx2 import Response

MOST_BYTES = 2 << 20
"""Bytes of a body that are read; thousands of tokens with all that stands around them need a tenth."""


class BodyTooLarge(Exception):
    """More than `MOST_BYTES`; the rest was not read."""


class BoundedStream(AsyncByteStream):
    """A body that breaks off where it gets too large."""

    def __init__(self, stream: AsyncByteStream) -> None:
        """Nothing is read yet."""
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for part in self._stream:
            left -= len(part)
            if left < 0:
                raise BodyTooLarge
            yield part

    async def aclose(self) -> None:
        """End the connection."""
        await self._stream.aclose()


async def bound_body(response: Response) -> None:
    """For httpx2's hook on responses: whatever the HTTP code, let in no more than `MOST_BYTES`."""
    assert isinstance(response.stream, AsyncByteStream)
    # Compressed although it was not asked for: left as it is, it will not read as JSON, and cannot swell.
    response.headers.pop("content-encoding", None)
    response.stream = BoundedStream(response.stream)
