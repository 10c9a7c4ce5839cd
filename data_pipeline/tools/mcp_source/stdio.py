"""Messages to and from a server on pipes, with a cap on everything it may send."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from data_pipeline.tools.mcp_source.process import ServerProcess
from data_pipeline.tools.mcp_source.text import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from typing import IO

    from anyio.streams.memory import MemoryObjectSendStream
    from mcp.shared.message import SessionMessage

MAX_LINE_BYTES = 8 * 1024 * 1024
"""Longest line a server may send: far above the cap of a result, since lists of tools are long."""

MAX_BAD_LINES = 1000
"""Lines in a row that are no message; a few are only what a server prints by mistake."""

MAX_STDERR_BYTES = 8192
END_SECONDS = 0.5
"""How long a server may take to end when its input is closed, and again when it is asked to by SIGTERM."""

LAST_WORDS_SECONDS = 0.1
"""How long to wait for the exit code, and for the end of standard error, once the output has ended."""

BROKEN_ANSWER = -32099
"""Code of the error put in the place of an answer that is no valid message."""

_CHUNK = 1 << 16


class StdioLink:
    """A server process, and the streams an MCP session reads from and writes to.

    Attributes:
        ended: why nothing more can come; '' while the server is connected.
        too_large: whether it ended because the server sent too long a line.
        status: of HTTP, which this is not: 0.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self.ended = ""
        self.too_large = False
        self.status = 0
        self._argv = list(argv)
        self._process: ServerProcess | None = None
        self._stderr = bytearray()
        self._last_request = 0
        self._bad_lines = 0
        self._expected = False
        self._writer: _Writer | None = None

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[tuple[Any, Any]]:
        """Start the process and connect to it; leaving ends it and all it started.

        Raises:
            OSError: the command cannot be started.
        """
        import anyio

        process = self._process = ServerProcess(self._argv)
        incoming, received = anyio.create_memory_object_stream[Any](0)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(incoming.close)
            stack.callback(received.close)
            stack.callback(self.kill)
            output = await _open_reader(process.stdout, stack)
            errors = await _open_reader(process.stderr, stack)
            self._writer = await _open_writer(process.stdin, self, stack)
            keep = asyncio.create_task(self._keep_stderr(errors))
            read = asyncio.create_task(self._read(output, incoming, keep))
            stack.callback(keep.cancel)
            stack.callback(read.cancel)
            yield received, self._writer

    def begin(self) -> None:
        """Nothing to note before a call."""

    async def end(self) -> None:
        """Let the server end in its own way, for as long as it may take."""
        if self._process is None or self._writer is None:
            return
        await self._writer.aclose()
        if not await self._has_ended(END_SECONDS):
            self._process.signal_group(signal.SIGTERM)
            await self._has_ended(END_SECONDS)

    def kill(self) -> None:
        """End the process and all it started, at once."""
        if self._process is not None:
            self.expect_end()
            self._process.kill()

    def notice_end(self) -> str:
        """Why the process is gone, where that shows only when looked at; '' while it runs.

        The end of its output does not tell, where something it started still holds the pipe.
        """
        if not self.ended and not self._expected and self._process is not None and self._process.ended():
            self.ended = self._process.ending()
        return self.ended

    def last_words(self) -> str:
        """The last line on the server's standard error."""
        lines = self._stderr.decode(errors="replace").splitlines()
        return next((one_line(line, 200) for line in reversed(lines) if line.strip()), "")

    def fail(self, reason: str, too_large: bool = False) -> None:
        """Give the server up."""
        self.ended, self.too_large = self.ended or reason, too_large
        self.kill()

    def expect_end(self) -> None:
        """From now on the end of the server is no news, since it was asked to end."""
        self.notice_end()
        self._expected = True

    async def explain_closed_input(self) -> None:
        """Find out why nothing can be sent any more: mostly because the server has just ended."""
        await self._has_ended(LAST_WORDS_SECONDS)
        self.ended = self.notice_end() or "the server closed its input"

    def sent_request(self, number: int | str) -> None:
        """Note which answer is waited for."""
        self._last_request = number if isinstance(number, int) else 0

    async def _has_ended(self, seconds: float) -> bool:
        assert self._process is not None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not self._process.ended() and loop.time() < deadline:
            await asyncio.sleep(0.01)
        return self._process.ended()

    async def _keep_stderr(self, errors: asyncio.StreamReader) -> None:
        """Read all of it, so that the server never waits, and keep the end."""
        while chunk := await errors.read(_CHUNK):
            self._stderr += chunk
            del self._stderr[:-MAX_STDERR_BYTES]

    async def _read(
        self, output: asyncio.StreamReader, incoming: MemoryObjectSendStream[Any], stderr: asyncio.Task[None]
    ) -> None:
        import anyio

        # A session that is being closed does not take messages any more.
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._read_lines(output, incoming)
        if not self.ended and not self._expected:
            await self._has_ended(LAST_WORDS_SECONDS)
            # What it said last may still be in the pipe.
            await asyncio.wait({stderr}, timeout=LAST_WORDS_SECONDS)
            assert self._process is not None
            self.fail(self._process.ending())
        incoming.close()

    async def _read_lines(self, output: asyncio.StreamReader, incoming: MemoryObjectSendStream[Any]) -> None:
        rest = bytearray()
        while not self.ended and (chunk := await output.read(_CHUNK)):
            rest += chunk
            if b"\n" in chunk:
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    await self._deliver(bytes(line), incoming)
            if len(rest) > MAX_LINE_BYTES:
                self.fail(f"the server sent a line of more than {MAX_LINE_BYTES >> 20} MB", too_large=True)

    async def _deliver(self, line: bytes, incoming: MemoryObjectSendStream[Any]) -> None:
        from mcp.shared.message import SessionMessage
        from mcp.types import JSONRPCError, JSONRPCNotification, jsonrpc_message_adapter

        if self.ended or not line.strip():
            return
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            await self._deliver_bad(line, incoming)
            return
        self._bad_lines = 0
        if isinstance(message, JSONRPCError) and message.id is None:
            # Says that it could not read a request; the session would wait for another answer.
            message.id = self._last_request
        # Nobody here listens to notifications, and a flood of them is cheapest dropped early.
        if not isinstance(message, JSONRPCNotification):
            await incoming.send(SessionMessage(message))

    async def _deliver_bad(self, line: bytes, incoming: MemoryObjectSendStream[Any]) -> None:
        """Skip a line that is no message; but where it was meant as an answer, let the call end at once."""
        from mcp.shared.message import SessionMessage
        from mcp.types import ErrorData, JSONRPCError

        self._bad_lines += 1
        if self._bad_lines > MAX_BAD_LINES:
            self.fail(f"the server sent {self._bad_lines} lines in a row that are no JSON-RPC")
        elif _is_meant_as_answer(line):
            said = one_line(line[:200].decode(errors="replace"), 100)
            error = ErrorData(code=BROKEN_ANSWER, message=f"the answer is no valid JSON-RPC: {said}")
            number = _id_in(line) or self._last_request
            await incoming.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=number, error=error)))


class _Writer:
    """The session's write stream: never waits, so that a server that does not read blocks nobody."""

    def __init__(self, transport: asyncio.WriteTransport, link: StdioLink) -> None:
        self._transport = transport
        self._link = link

    async def send(self, item: SessionMessage, /) -> None:
        """Hand a message to the event loop.

        Raises:
            anyio.ClosedResourceError: the server cannot be written to.
        """
        import anyio
        from mcp.types import JSONRPCRequest

        if self._transport.is_closing():
            await self._link.explain_closed_input()
            raise anyio.ClosedResourceError
        if self._transport.get_write_buffer_size() > MAX_LINE_BYTES:
            self._link.fail("the server does not read what it is sent")
            raise anyio.ClosedResourceError
        if isinstance(item.message, JSONRPCRequest):
            self._link.sent_request(item.message.id)
        data = item.message.model_dump_json(by_alias=True, exclude_unset=True)
        self._transport.write(data.encode() + b"\n")

    async def aclose(self) -> None:
        """Close the server's input once all is written."""
        self._link.expect_end()
        self._transport.close()

    def abort(self) -> None:
        """Close it at once, since a server that never reads would be waited for."""
        # A transport that is closed already cannot be aborted; killing the server ends its wait.
        if not self._transport.is_closing():
            self._transport.abort()

    async def __aenter__(self) -> _Writer:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def _open_reader(pipe: IO[bytes], stack: contextlib.AsyncExitStack) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_CHUNK)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    stack.callback(transport.close)
    return reader


async def _open_writer(pipe: IO[bytes], link: StdioLink, stack: contextlib.AsyncExitStack) -> _Writer:
    transport, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, pipe)
    writer = _Writer(transport, link)
    stack.callback(writer.abort)
    return writer


_OWN_ID = re.compile(rb'"id"\s*:\s*(\d{1,9})\b')


def _is_meant_as_answer(line: bytes) -> bool:
    return line.lstrip()[:1] == b"{" and b'"jsonrpc"' in line and (b'"result"' in line or b'"error"' in line)


def _id_in(line: bytes) -> int:
    """The number of the request that a broken answer is for; 0 where it cannot be told."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        found = _OWN_ID.search(line)
        return int(found[1]) if found else 0
    number = message.get("id") if isinstance(message, dict) else None
    return number if isinstance(number, int) else 0
