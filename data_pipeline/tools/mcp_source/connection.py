"""One MCP session with one server: handshake, list of tools, calls. Lives in an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, Protocol

from data_pipeline.core.errors import XlamError
from data_pipeline.tools.mcp_source.results import Outcome, outcome_of
from data_pipeline.tools.mcp_source.stdio import BROKEN_ANSWER
from data_pipeline.tools.mcp_source.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from contextlib import AbstractAsyncContextManager

    from mcp.client.session import ClientSession
    from mcp.shared.exceptions import MCPError
    from pydantic import JsonValue

MAX_PAGES = 1000
MAX_TOOLS = 20_000
MAX_ASKED = 1000
"""Requests of a server, such as for a text of a model, while it answers one of ours."""

CLOSE_SECONDS = 0.5
"""How long to wait for a session to wind down, and again after each time it is cancelled."""


class StartError(XlamError):
    """The server did not come up, or did not say what tools it has; the message is the reason."""


class Link(Protocol):
    """What carries the messages: pipes of a process, or HTTP. See `StdioLink` for the meaning of each."""

    ended: str
    too_large: bool
    status: int

    # To read from and to write to; the SDK does not export their types.
    def streams(self) -> AbstractAsyncContextManager[tuple[Any, Any]]: ...
    def begin(self) -> None: ...
    async def end(self) -> None: ...
    def kill(self) -> None: ...
    def notice_end(self) -> str: ...
    def last_words(self) -> str: ...


class Connection:
    """A session with a server, owned by a task of its own.

    The task owns it because the SDK's context managers have to be left by the task that entered them.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self._session: ClientSession | None = None
        self._tap: _Tap | None = None
        self._over = asyncio.Event()
        self._ready = asyncio.Event()
        self._owner: asyncio.Task[None] | None = None
        # Requests given up on still say so to the server; without a reference they could vanish first.
        self._leftovers: set[asyncio.Task[Any]] = set()

    @property
    def is_open(self) -> bool:
        """Whether the server can still be asked."""
        return self._session is not None and not self._over.is_set() and not self.link.ended

    async def start(self, seconds: float) -> None:
        """Connect and shake hands.

        Raises:
            StartError: it did not work within the time; nothing is left running.
        """
        self._owner = asyncio.create_task(self._own())
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({self._owner, ready}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._ready.is_set():
                return
            raise StartError(self._why_not(f"did not finish the handshake within {seconds:g} s"))
        finally:
            ready.cancel()
            if not self._ready.is_set():
                await self.close(gently=False)

    async def _own(self) -> None:
        from mcp.client.session import ClientSession
        from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher

        async with self.link.streams() as (read, write):
            self._tap = _Tap(JSONRPCDispatcher(read, write), self._give_up)
            async with ClientSession(dispatcher=self._tap) as session:
                await _shake_hands(session)
                self._session = session
                self._ready.set()
                await self._over.wait()

    def _give_up(self, reason: str) -> None:
        self.link.ended = self.link.ended or reason
        self._over.set()

    def _why_not(self, otherwise: str) -> str:
        """Why the server cannot be used, in one line that ends with what it said itself."""
        error = None
        if self._owner is not None and self._owner.done() and not self._owner.cancelled():
            error = self._owner.exception()
        reason = self.link.notice_end() or (_message(error) if error else otherwise)
        said = self.link.last_words()
        return f"{reason} ({said})" if said else reason

    @property
    def server(self) -> str:
        """Name and version as the server states them; '' where it does not."""
        info = self._session.server_info if self._session else None
        return one_line(f"{info.name} {info.version}", 200) if info else ""

    async def list_tools(self, seconds: float) -> list[Any]:
        """All entries of `tools/list`, as decoded from JSON.

        Raises:
            StartError: no list, no end of it, or none in time.
        """
        task = self._begin(self._all_pages())
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            task.cancel()
            raise StartError(self._why_not("did not list its tools in time"))
        try:
            tools: list[Any] = task.result()
            return tools
        except StartError:
            raise
        except Exception as error:
            # Whatever a list makes the SDK stumble over is the server's fault.
            await self._let_end()
            raise StartError(self._why_not(f"cannot list its tools: {_message(error)}")) from error

    async def _all_pages(self) -> list[Any]:
        tools: list[Any] = []
        cursors: set[str] = set()
        cursor = None
        for _ in range(MAX_PAGES):
            page = await self._page(cursor)
            tools += page["tools"]
            if len(tools) > MAX_TOOLS:
                raise StartError(f"lists more than {MAX_TOOLS} tools")
            cursor = page.get("nextCursor")
            if cursor is None:
                return tools
            if not isinstance(cursor, str) or cursor in cursors:
                raise StartError(f"lists its tools in a circle (cursor '{one_line(cursor, 50)}' again)")
            cursors.add(cursor)
        raise StartError(f"lists its tools on more than {MAX_PAGES} pages")

    async def _page(self, cursor: str | None) -> dict[str, Any]:
        """One page, as sent: the SDK refuses all of it when one tool of it is not as it should be."""
        from mcp.types import PaginatedRequestParams
        from pydantic import ValidationError

        assert self._session is not None
        assert self._tap is not None
        with contextlib.suppress(ValidationError):
            await self._session.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        if not isinstance(self._tap.last.get("tools"), list):
            raise StartError("answers tools/list with no list of tools")
        return self._tap.last

    async def call(self, name: str, arguments: Mapping[str, JsonValue], seconds: float) -> Outcome:
        """Call a tool; every ending of it is an outcome."""
        from mcp.types import CallToolRequest, CallToolRequestParams, CallToolResult

        try:
            _must_be_json(arguments)
        except (ValueError, TypeError, RecursionError) as error:
            return "bad_arguments", None, f"the arguments are not JSON: {one_line(error)}"
        assert self._session is not None
        request = CallToolRequest(params=CallToolRequestParams(name=name, arguments=dict(arguments)))
        self.link.begin()
        task = self._begin(self._session.send_request(request, CallToolResult))
        try:
            await asyncio.wait({task}, timeout=seconds)
            if task.done():
                return await self._outcome(task)
            if self.link.notice_end():
                return self._ended()
            return "timeout", None, f"no answer within {seconds:g} s"
        finally:
            # The session tells the server that the request is cancelled.
            task.cancel()

    async def _outcome(self, task: asyncio.Task[Any]) -> Outcome:
        from mcp.shared.exceptions import MCPError
        from pydantic import ValidationError

        assert self._tap is not None
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            return outcome_of(self._tap.last)
        if isinstance(error, MCPError):
            return await self._outcome_of_error(error)
        if isinstance(error, ValidationError):
            if self._tap.last.get("resultType") == "input_required":
                return "tool_error", None, "the tool asks for input from a person"
            return "crashed", None, "the server broke the protocol: its answer is no tool result"
        return "crashed", None, _message(error)

    async def _outcome_of_error(self, error: MCPError) -> Outcome:
        from mcp.types import CONNECTION_CLOSED, INVALID_PARAMS, PARSE_ERROR

        text = one_line(error.message) or f"error {error.code}"
        if self.link.status:
            text = f"{text} (HTTP status {self.link.status})"
        if error.code == CONNECTION_CLOSED:
            await self._let_end()
        if self.link.too_large:
            return "output_too_large", None, self.link.ended or text
        if error.code == CONNECTION_CLOSED and text.startswith("SSE stream"):
            # A server that dies while it answers by events leaves the SDK's session open.
            self._give_up(text)
        if not self.is_open:
            return self._ended()
        # Over HTTP it is the SDK that finds an answer to be no JSON-RPC, and says so with this code.
        if error.code in (BROKEN_ANSWER, PARSE_ERROR):
            return "crashed", None, text
        return ("bad_arguments" if error.code == INVALID_PARAMS else "tool_error"), None, text

    def _ended(self) -> Outcome:
        self._over.set()
        return "crashed", None, self._why_not("the connection was closed")

    async def _let_end(self) -> None:
        """Wait until it shows whether the connection is gone: the code that says so may also be the server's own."""
        assert self._owner is not None
        await asyncio.wait({self._owner}, timeout=0.1)

    async def answers(self, seconds: float) -> bool:
        """Whether the server answers a ping; that it does not know pings is an answer, too."""
        assert self._session is not None
        task = self._begin(self._session.send_ping())
        await asyncio.wait({task}, timeout=seconds)
        answered = task.done() and self.is_open
        task.cancel()
        return answered

    def _begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._leftovers.add(task)
        task.add_done_callback(self._leftovers.discard)
        # Asking for the exception keeps it from being reported as forgotten.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def close(self, gently: bool = True) -> None:
        """End the session and, where it is ours, the server with all it started."""
        if gently:
            await self.link.end()
        self._over.set()
        if not gently:
            self.link.kill()
        owner = self._owner
        if owner is None:
            return
        for _ in range(3):
            await asyncio.wait({owner}, timeout=CLOSE_SECONDS if gently else 0.1)
            if owner.done():
                break
            owner.cancel()
        self.link.kill()
        if owner.done() and not owner.cancelled():
            owner.exception()


class _Tap:
    """A dispatcher that keeps the last answer as it came, and says when the connection is over."""

    def __init__(self, inner: Any, give_up: Callable[[str], None]) -> None:
        self.last: dict[str, Any] = {}
        self._inner = inner
        self._give_up = give_up
        self._asked = 0

    async def send_raw_request(self, method: str, params: Mapping[str, Any] | None, opts: Any = None) -> dict[str, Any]:
        self.last, self._asked = {}, 0
        answer: dict[str, Any] = await self._inner.send_raw_request(method, params, opts)
        self.last = answer
        return answer

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: Any = None) -> None:
        await self._inner.notify(method, params, opts)

    async def run(self, on_request: Any, *handlers: Any, **options: Any) -> None:
        async def count(*request: Any) -> Any:
            # Each is declined in a task of its own, so that a flood of them would fill the memory.
            self._asked += 1
            if self._asked > MAX_ASKED:
                self._give_up(f"the server asked for {self._asked} things during one call")
            return await on_request(*request)

        try:
            await self._inner.run(count, *handlers, **options)
        finally:
            self._give_up("")


async def _shake_hands(session: ClientSession) -> None:
    """`initialize`, which nearly every server knows; `server/discover` for those that no longer do."""
    from mcp.shared.exceptions import MCPError
    from mcp.types import METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION

    try:
        await session.initialize()
    except MCPError as error:
        if error.code not in (METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION):
            raise
        await session.discover()


def _must_be_json(arguments: Mapping[str, JsonValue]) -> None:
    """Raise for NaN and for text that UTF-8 cannot hold, which `dumps` would escape."""
    json.dumps(arguments, allow_nan=False, ensure_ascii=False).encode()


def _message(error: BaseException) -> str:
    """The first error of a group, in one line."""
    while getattr(error, "exceptions", None):
        error = error.exceptions[0]  # type: ignore[attr-defined]
    return one_line(str(error)) or type(error).__name__
