"""Runs calls on an MCP server: in order, each within its time, and restarts a server that fails."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data_pipeline.tools.mcp_source.connection import Connection, Link, StartError
from data_pipeline.tools.mcp_source.loop import LoopThread
from data_pipeline.tools.mcp_source.text import one_line
from data_pipeline.tools.runner import Call, ExecutionResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data_pipeline.tools.mcp_source.results import Outcome

MAX_RESTARTS = 3
"""How often a server is restarted without having answered a call in between."""

PING_SECONDS = 1.0
"""How long a server may take to show that it lives after a call that took too long."""

GRACE_SECONDS = 0.5
"""What a restart may add to the time of a call; a server that needs longer starts while others wait."""

_SLACK_SECONDS = 1.95
_CLOSE_SECONDS = 5.0


@dataclass
class _Live:
    """What has to be ended with the runner, also when nobody closes it."""

    thread: LoopThread | None = None
    links: list[Link] = field(default_factory=list)

    def abandon(self) -> None:
        """End everything without asking."""
        for link in self.links:
            link.kill()
        if self.thread is not None:
            self.thread.stop()


class McpRunner:
    """Runs the tools of one MCP server. Not shared between threads, nor with a forked process."""

    def __init__(self, new_link: Callable[[], Link], start_seconds: float) -> None:
        """Nothing is started before `describe` or the first call.

        Args:
            new_link: how to reach the server; called for each start of it.
            start_seconds: how long the server may take to start and to list its tools.
        """
        self._new_link = new_link
        self._start_seconds = start_seconds
        self._connection: Connection | None = None
        self._starting: asyncio.Task[Connection] | None = None
        self._starts = 0
        self._live = _Live()
        weakref.finalize(self, self._live.abandon)

    def describe(self) -> tuple[str, list[Any]]:
        """Name and version of the server, and the entries of its list of tools.

        Raises:
            StartError: the server does not come up or does not list its tools, or not in time.
        """
        try:
            return self._loop().run(self._describe(), self._start_seconds + _CLOSE_SECONDS)
        except concurrent.futures.TimeoutError as error:
            raise StartError(f"did not start within {self._start_seconds:g} s") from error

    def run(self, calls: Sequence[Call], timeout_seconds: float) -> list[ExecutionResult]:
        """Results in the order of the calls; each ends within two seconds of its time.

        Args:
            calls: all on tools of this server, arguments checked.
            timeout_seconds: wall time of each call.
        """
        return [self._run(call, timeout_seconds) for call in calls]

    def close(self) -> None:
        """End the server and the thread. A later `run` starts both anew."""
        if self._live.thread is None:
            return
        try:
            self._live.thread.run(self._close(), _CLOSE_SECONDS)
        except concurrent.futures.TimeoutError:
            pass
        finally:
            self._live.abandon()
            self._live.thread, self._live.links = None, []
            self._connection, self._starting, self._starts = None, None, 0

    def _loop(self) -> LoopThread:
        if self._live.thread is None:
            self._live.thread = LoopThread()
        return self._live.thread

    def _run(self, call: Call, seconds: float) -> ExecutionResult:
        started = time.perf_counter()
        try:
            (status, result, error), taken = self._loop().run(self._call(call, seconds), seconds + _SLACK_SECONDS)
        except concurrent.futures.TimeoutError:
            self._kill()
            status, result, error = "timeout", None, f"no answer within {seconds:g} s, and the server cannot be ended"
            taken = time.perf_counter() - started
        except Exception as broken:
            # Whatever a server makes the SDK stumble over costs that call, not the run.
            status, result, error = "crashed", None, one_line(f"{type(broken).__name__}: {broken}")
            taken = time.perf_counter() - started
        return ExecutionResult(status, result, error, taken)

    def _kill(self) -> None:
        for link in self._live.links:
            link.kill()

    async def _describe(self) -> tuple[str, list[Any]]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._start_seconds
        # A little longer than the start itself, whose error says more.
        connection = await self._connected(self._start_seconds + GRACE_SECONDS)
        return connection.server, await connection.list_tools(deadline - loop.time())

    async def _call(self, call: Call, seconds: float) -> tuple[Outcome, float]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            connection = await self._connected(seconds + GRACE_SECONDS)
        except StartError as error:
            return ("unavailable", None, str(error)), loop.time() - started
        left = started + seconds + GRACE_SECONDS - loop.time()
        outcome = await connection.call(call.tool.name, call.arguments, min(seconds, left))
        taken = loop.time() - started
        if outcome[0] == "timeout" and not await connection.answers(PING_SECONDS):
            await self._drop()
        elif outcome[0] not in ("timeout", "crashed") and connection.is_open:
            self._starts = 1
        return outcome, taken

    async def _connected(self, seconds: float) -> Connection:
        """The running server, started where it is not.

        Raises:
            StartError: it does not come up, not in time, or has come up in vain too often.
        """
        if self._connection is not None and self._connection.is_open:
            return self._connection
        await self._drop()
        if self._starting is None:
            if self._starts > MAX_RESTARTS:
                raise StartError(f"the server failed {self._starts} times in a row and is not started again")
            self._starts += 1
            self._starting = asyncio.create_task(self._start())
        # The start goes on when the time is up, for the calls that follow.
        await asyncio.wait({self._starting}, timeout=seconds)
        if not self._starting.done():
            raise StartError(f"the server did not start within {seconds:g} s")
        task, self._starting = self._starting, None
        self._connection = task.result()
        return self._connection

    async def _start(self) -> Connection:
        link = self._new_link()
        self._live.links = [link]
        connection = Connection(link)
        await connection.start(self._start_seconds)
        return connection

    async def _drop(self) -> None:
        """Give up a connection that is of no more use."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close(gently=False)

    async def _close(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting}, timeout=1.0)
        if self._connection is not None:
            await self._connection.close()
