"""MCP over HTTP: what is sent to the server, and servers that answer with anything but an answer."""

from __future__ import annotations

import gzip
import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.tools.mcp_source import open_mcp
from data_pipeline.tools.pool import open_pool
from data_pipeline.tools.runner import Call
from data_pipeline.tools.source import SourceOptions
from data_pipeline.verify.execution import execute_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data_pipeline.tools.runner import ExecutionResult, SourceTools

pytestmark = pytest.mark.alone

pytest.importorskip("mcp", reason="needs the package mcp")

INFO = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "web", "version": "3"}}
JSON, EVENTS = {"Content-Type": "application/json"}, {"Content-Type": "text/event-stream"}
NOTE = b'event: message\ndata: {"jsonrpc": "2.0", "method": "notifications/x", "params": {}}\n\n'
SIXTEEN_MB = 16 * 1024 * 1024
READING = "stream"
"""The one tool that says of itself that it only reads."""


class Site(ThreadingHTTPServer):
    """A server whose tools are named after what goes wrong."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.gone = False
        self.refuse = 0
        self.stuck = False
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mcp"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def log_request(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._note("")
        self._reply(405, {}, b"")

    def do_DELETE(self) -> None:
        self._note("")
        self.server.stuck = False
        self._reply(200, {}, b"")

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._note(message.get("method", ""))
        if self.server.gone:
            self.cut_off(0)
        elif self.server.refuse:
            self._reply(self.server.refuse, {}, b"no")
        elif self.server.stuck:
            self.server.over.wait(10)
        elif "id" not in message:
            self._reply(202, {}, b"")
        elif message["method"] == "initialize":
            self._answer(message["id"], INFO, {"Mcp-Session-Id": "s1"})
        elif message["method"] == "tools/list":
            names = [name for name in vars(Handler) if name[0].islower() and not name.startswith(("do_", "log_"))]
            entry = {"description": "Does it.", "inputSchema": {"type": "object"}}
            tools = [{**entry, "name": name, "annotations": {"readOnlyHint": name == READING}} for name in names]
            self._answer(message["id"], {"tools": tools})
        elif message["method"] == "ping":
            self._answer(message["id"], {})
        else:
            with suppress(BrokenPipeError, ConnectionResetError):
                getattr(self, message["params"]["name"])(message["id"])

    def _note(self, method: str) -> None:
        self.server.seen.append((self.command, method, {k.lower(): v for k, v in self.headers.items()}))

    def _reply(self, status: int, headers: dict[str, str], body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body) if length is None else length)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _message(self, number: int, result: Any = None) -> bytes:
        result = {"content": [{"type": "text", "text": "good"}]} if result is None else result
        return json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode()

    def _answer(self, number: int, result: Any, headers: dict[str, str] | None = None) -> None:
        self._reply(200, {**JSON, **(headers or {})}, self._message(number, result))

    def _endless(self, headers: dict[str, str], chunk: bytes) -> None:
        self._reply(200, headers, b"", 1 << 40)
        while not self.server.over.is_set():
            self.wfile.write(chunk)

    def good(self, number: int) -> None:
        self._answer(number, None)

    def stream(self, number: int) -> None:
        self._reply(200, EVENTS, b"event: message\ndata: " + self._message(number) + b"\n\n")

    def notified(self, number: int) -> None:
        self._reply(200, EVENTS, NOTE * 1000 + b"event: message\ndata: " + self._message(number) + b"\n\n")

    def hang(self, number: int) -> None:
        self.server.over.wait(10)

    def hang_all(self, number: int) -> None:
        self.server.stuck = True
        self.server.over.wait(10)

    def huge(self, number: int) -> None:
        self._answer(number, {"content": [{"type": "text", "text": "x" * SIXTEEN_MB}]})

    def endless(self, number: int) -> None:
        self._endless(JSON, b"x" * 65536)

    def endless_event(self, number: int) -> None:
        self._endless(EVENTS, b"x" * 65536)

    def events(self, number: int) -> None:
        self._endless(EVENTS, NOTE * 1000)

    def bomb(self, number: int) -> None:
        # Would be a good answer if it were unpacked.
        body = gzip.compress(self._message(number) + b" " * SIXTEEN_MB, 1)
        self._reply(200, {**JSON, "Content-Encoding": "gzip"}, body)

    def not_json(self, number: int) -> None:
        self._reply(200, JSON, b"hello")

    def html(self, number: int) -> None:
        self._reply(200, {"Content-Type": "text/html"}, b"<html>")

    def wrong_id(self, number: int) -> None:
        self._answer(number + 1000, None)

    def error_500(self, number: int) -> None:
        self._reply(500, {}, b"broken")

    def forgotten(self, number: int) -> None:
        self._reply(404, {}, b"")

    def cut_off(self, number: int) -> None:
        self.close_connection = True
        self.connection.close()

    def half(self, number: int) -> None:
        self._reply(200, JSON, self._message(number)[:9], 1000)
        self.close_connection = True

    def half_event(self, number: int) -> None:
        self._reply(200, EVENTS, b"event: message\ndata: {", 1000)
        self.close_connection = True

    def elsewhere(self, number: int) -> None:
        self._reply(307, {"Location": "http://localhost:1/mcp?token=x"}, b"")

    def accepted(self, number: int) -> None:
        self._reply(202, {}, b"")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.delenv("XLAM_MCP_TOKEN", raising=False)
    with Site() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.over.set()
        made.shutdown()
        thread.join()


def _call(source: SourceTools, names: str, seconds: float = 0.6) -> list[ExecutionResult]:
    tools = {tool.name: tool for tool in source.tools}
    assert source.runner is not None
    results = []
    for name in names.split():
        started = time.monotonic()
        results += source.runner.run([Call(tools[name], {})], seconds)
        assert time.monotonic() - started < seconds + 2.0
    return results


def _close(source: SourceTools) -> None:
    assert source.runner is not None
    source.runner.close()


@pytest.mark.parametrize(
    ("name", "status", "error", "sessions"),
    [
        ("stream", "ok", "", 1),
        ("notified", "ok", "", 1),
        ("hang", "timeout", "0.6 s", 1),
        ("hang_all", "timeout", "0.6 s", 2),
        ("huge", "output_too_large", "8 MB", 1),
        ("endless", "output_too_large", "8 MB", 1),
        ("endless_event", "output_too_large", "", 1),
        ("events", "timeout", "0.6 s", 1),
        ("bomb", "crashed", "Failed to parse", 1),
        ("not_json", "crashed", "Failed to parse", 1),
        ("html", "tool_error", "Unexpected content type: text/html", 1),
        ("wrong_id", "timeout", "0.6 s", 1),
        ("error_500", "tool_error", "HTTP status 500", 1),
        ("forgotten", "crashed", "no longer knows the session", 2),
        ("cut_off", "crashed", "disconnected", 2),
        ("half", "crashed", "", 2),
        ("half_event", "crashed", "without a response", 2),
        ("elsewhere", "tool_error", "Redirect to http://localhost:1/mcp not followed", 1),
        ("accepted", "tool_error", "202", 1),
    ],
)
def test_what_goes_wrong_costs_one_call(site: Site, name: str, status: str, error: str, sessions: int) -> None:
    source = open_mcp(f"mcp:{site.url}", allow_write=True, start_seconds=5.0)
    first, second, third = _call(source, f"good {name} good")
    _close(source)
    assert (first.result, second.status, third.result) == ("good", status, "good"), (second, third)
    assert error in second.error
    assert "\n" not in second.error
    assert [method for _, method, _ in site.seen].count("initialize") == sessions


def test_what_is_known_of_the_server(site: Site) -> None:
    source = open_mcp(f"mcp:{site.url}")
    _close(source)
    assert (source.provenance.version, source.provenance.executable) == ("web 3", True)
    assert {tool.source for tool in source.tools} == {f"mcp:{site.url}"} == {source.provenance.source}
    assert ("DELETE", "s1") in {(command, headers.get("mcp-session-id")) for command, _, headers in site.seen}


def test_a_server_that_is_gone_is_unavailable(site: Site) -> None:
    source = open_mcp(f"mcp:{site.url}", allow_write=True)
    site.gone = True
    results = _call(source, "good good good good good")
    _close(source)
    assert {result.status for result in results} <= {"crashed", "unavailable"}
    assert results[-1].status == "unavailable"


@pytest.mark.parametrize(("status", "reason"), [(401, "HTTP status 401"), (404, "HTTP status 404"), (503, "503")])
def test_a_refusal_names_the_http_status(site: Site, status: int, reason: str) -> None:
    site.refuse = status
    with pytest.raises(InputError) as caught:
        open_mcp(f"mcp:{site.url}", start_seconds=3.0)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_hangs_is_an_input_error(site: Site) -> None:
    site.stuck = True
    started = time.monotonic()
    with pytest.raises(InputError, match=r"handshake within 0\.5 s"):
        open_mcp(f"mcp:{site.url}", start_seconds=0.5)
    assert time.monotonic() - started < 2.5


def test_the_token_goes_to_the_server_and_nowhere_else(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # As somebody would who looks for a fault.
    for name in ("mcp", "httpx2", "httpcore2"):
        caplog.set_level("DEBUG", name)
    monkeypatch.setenv("XLAM_MCP_TOKEN", "t0ken")
    # Neither a proxy nor a password of the environment may get in between.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    source = open_mcp(f"mcp:{site.url.replace('//', '//me:pass@')}", allow_write=True)
    assert [result.status for result in _call(source, "good cut_off good error_500")][::2] == ["ok", "ok"]
    _close(source)
    assert {headers.get("authorization") for _, _, headers in site.seen} == {"Bearer t0ken"}
    assert source.provenance.source == f"mcp:{site.url}"
    assert "t0ken" not in repr(source) + str(vars(source.runner)) + caplog.text
    assert "pass@" not in repr(source) + caplog.text


def test_a_password_in_the_url_is_sent_but_not_shown(site: Site) -> None:
    source = open_mcp(f"mcp:{site.url.replace('//', '//me:pass@')}")
    _close(source)
    assert {headers.get("authorization") for _, _, headers in site.seen} == {"Basic bWU6cGFzcw=="}
    assert "pass" not in repr(source.provenance)


def test_a_token_does_not_travel_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLAM_MCP_TOKEN", "t0ken")
    with pytest.raises(InputError, match="XLAM_MCP_TOKEN would travel unencrypted") as caught:
        open_mcp("mcp:http://192.0.2.1/mcp", start_seconds=1.0)
    assert "t0ken" not in str(caught.value)


def _calling(tool: Tool) -> Trajectory:
    answer = Message(role="assistant", tool_calls=(ToolCall(name=tool.name, arguments={}),))
    return Trajectory(id="1", style="simple", tools=(tool,), messages=(Message(role="user", content="q"), answer))


def _calls(site: Site) -> int:
    return [method for _, method, _ in site.seen].count("tools/call")


@pytest.mark.parametrize(
    ("name", "allow_write", "reason", "calls"),
    [("good", False, "not_executed", 0), ("good", True, "ok", 1), (READING, False, "ok", 1), (READING, True, "ok", 1)],
)
def test_a_tool_that_may_write_is_on_offer_and_run_only_if_allowed(
    site: Site, name: str, allow_write: bool, reason: str, calls: int
) -> None:
    pool = open_pool([f"mcp:{site.url}"], SourceOptions(allow_write=allow_write))
    tool = next(tool for tool in pool.tools if tool.name == name)
    with pool.executor() as executor:
        assert executor.runs(tool) == bool(calls)
        (done,) = execute_all([_calling(tool)], executor)
    assert (done.verdict.passed, done.verdict.reason) == (True, reason)
    assert _calls(site) == calls


def test_a_call_that_is_not_allowed_is_not_sent_and_says_what_allows_it(site: Site) -> None:
    source = open_mcp(f"mcp:{site.url}")
    tools = {tool.name: tool for tool in source.tools}
    # What the tool of a call says of itself does not count.
    disguised = tools["good"].model_copy(update={"side_effects": "none"})
    assert source.runner is not None
    results = source.runner.run([Call(tool, {}) for tool in (tools["good"], tools[READING], disguised)], 2.0)
    _close(source)
    assert [result.status for result in results] == ["denied", "ok", "denied"]
    assert "--allow-write" in results[0].error
    assert _calls(site) == 1


def test_a_renamed_tool_that_only_reads_is_run(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "tools.json"
    schema = {"type": "object", "properties": {"x": {"type": "string"}}}
    entries = [{"name": name, "description": "Another.", "parameters": schema} for name in ("good", READING)]
    path.write_text(json.dumps(entries), encoding="utf-8")
    pool = open_pool([f"json:{path}", f"mcp:{site.url}"])
    tools = {tool.name: tool for tool in pool.tools}
    with pool.executor() as executor:
        assert [executor.runs(tools[name]) for name in ("good_2", f"{READING}_2")] == [False, True]
        assert executor.call(tools[f"{READING}_2"], {}).result == "good"


def test_it_is_told_how_many_tools_are_not_run(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    pool = open_pool([f"mcp:{site.url}"])
    pool.executor().close()
    (said,) = [record.getMessage() for record in caplog.records if record.name == "data_pipeline.tools.pool"]
    number = len(pool.tools)
    assert said.startswith(f"{number - 1} of {number} tools of mcp:{site.url} may change something: their calls are ")
    assert "\n" not in said
    assert [entry.remark for entry in pool.sources] == [said]


def test_nothing_is_told_where_all_is_run(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    pool = open_pool([f"mcp:{site.url}"], SourceOptions(allow_write=True))
    pool.executor().close()
    assert [record for record in caplog.records if record.name == "data_pipeline.tools.pool"] == []
    assert [entry.remark for entry in pool.sources] == [""]
