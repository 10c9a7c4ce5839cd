"""MCP servers that mean harm or are broken: each costs the call its result, in time, and nothing else."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.tools.mcp_source import open_mcp
from data_pipeline.tools.mcp_source.calling import MAX_RESTARTS
from data_pipeline.tools.runner import STATUSES, Call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data_pipeline.tools.runner import ExecutionResult, SourceTools

pytestmark = pytest.mark.alone

pytest.importorskip("mcp", reason="needs the package mcp")

# Speaks raw JSON-RPC; a test replaces the functions it wants to go wrong.
SERVER = """
import json, os, signal, subprocess, sys, time
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
def raw(text): sys.stdout.write(text + "\\n"); sys.stdout.flush()
def send(**fields): raw(json.dumps({"jsonrpc": "2.0", **fields}))
def text(i, words): send(id=i, result={"content": [{"type": "text", "text": words}]})
def hang():
    while True: time.sleep(60)
def endless(stream, data):
    while True: stream.write(data)
def start_child():
    code = "import os, sys, time; print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True); time.sleep(60)"
    subprocess.Popen([sys.executable, "-S", "-c", code, sys.argv[1]])
    time.sleep(0.3)
INFO = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "raw", "version": "1"}}
TOOL = {"name": "bad", "description": "Does it.", "inputSchema": {"type": "object"}}
TOOLS = [TOOL, {**TOOL, "name": "good"}]
def initialize(i): send(id=i, result=INFO)
def list_tools(i, cursor): send(id=i, result={"tools": TOOLS})
def ping(i): send(id=i, result={})
def bad(i): pass
def good(i): text(i, "good")
def other(message): pass
"""
LOOP = """
for line in sys.stdin:
    message = json.loads(line)
    method, i, params = message.get("method"), message.get("id"), message.get("params") or {}
    if method == "initialize": initialize(i)
    elif method == "tools/list": list_tools(i, params.get("cursor"))
    elif method == "tools/call": {"bad": bad, "good": good}[params["name"]](i)
    elif method == "ping": ping(i)
    else: other(message)
"""


class Server:
    """A server made of the functions above and those of a test, and everything started of it."""

    def __init__(self, folder: Path) -> None:
        self._script, self._pids = folder / "server.py", folder / "pids"
        self._opened: list[SourceTools] = []

    def open(self, body: str, start_seconds: float = 5.0) -> SourceTools:
        self._script.write_text(SERVER + body + LOOP, encoding="utf-8")
        source = "mcp:" + shlex.join([sys.executable, "-S", "-I", str(self._script), str(self._pids)])
        self._opened.append(open_mcp(source, allow_write=True, start_seconds=start_seconds))
        return self._opened[-1]

    def call(self, body: str, names: str, timeout_seconds: float = 0.6) -> list[ExecutionResult]:
        """Results of calls of `bad` and `good`, each within two seconds of its time."""
        source = self.open(body)
        tools = {tool.name: tool for tool in source.tools}
        assert source.runner is not None
        results = []
        for name in names.split():
            started = time.monotonic()
            results += source.runner.run([Call(tools[name], {})], timeout_seconds)
            assert time.monotonic() - started < timeout_seconds + 2.0
            assert results[-1].status in STATUSES
            assert "\n" not in results[-1].error
        return results

    @property
    def pids(self) -> list[int]:
        return [int(line) for line in self._pids.read_text().split()] if self._pids.exists() else []

    def close(self) -> None:
        """End all, and see that it is gone."""
        for source in self._opened:
            assert source.runner is not None
            source.runner.close()
        deadline = time.monotonic() + 1.0
        while any(map(_runs, self.pids)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [pid for pid in self.pids if _runs(pid)] == []


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # What a killed server started is a zombie until whoever inherited it looks.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.close()


def _statuses(results: list[ExecutionResult]) -> list[str]:
    return [result.status for result in results]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("def initialize(i): hang()", "handshake within 1 s"),
        ("sys.stderr.write('loading\\nno \\x1b[31mdatabase\\n'); sys.exit(3)", "exit code 3 (no [31mdatabase)"),
        ("sys.stderr.write('x' * 100_000 + '\\n'); sys.exit(3)", "exit code 3 (" + "x" * 200 + ")"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("os.close(1); hang()", "closed its output"),
        ("def initialize(i): raw('hello')", "handshake within 1 s"),
        ("def initialize(i): [raw('hello') for _ in range(2000)]", "1001 lines in a row"),
        ("def initialize(i): endless(sys.stdout, 'x' * 65536)", "more than 8 MB"),
        ("def initialize(i): send(id=i, error={'code': -1, 'message': 'no\\nlicence'})", "no licence"),
        ("def initialize(i): send(id=i, result={})", "validation error"),
        ("def initialize(i): send(id=i, result={**INFO, 'protocolVersion': '1999-01-01'})", "1999-01-01"),
        ('def initialize(i): raw(\'{"jsonrpc": "2.0", "id": %d, "result": 7}\' % i)', "no valid JSON-RPC"),
        ("def list_tools(i, cursor): hang()", "did not list its tools in time"),
        ("def list_tools(i, cursor): sys.exit(4)", "exit code 4"),
        ("def list_tools(i, cursor): send(id=i, error={'code': -32601, 'message': 'none'})", "list its tools: none"),
        ("def list_tools(i, cursor): send(id=i, result={'tools': 7})", "no list of tools"),
        ("def list_tools(i, cursor): send(id=i, result={'tools': [], 'nextCursor': 'a'})", "in a circle"),
        ("def list_tools(i, cursor): send(id=i, result={'tools': TOOLS * 15_000})", "more than 20000 tools"),
        (
            "def list_tools(i, cursor): send(id=i, result={'tools': [], 'nextCursor': cursor and cursor + 'x' or 'x'})",
            "more than 1000 pages",
        ),
        ("def list_tools(i, cursor): endless(sys.stderr, 'x' * 65536)", "did not list its tools in time"),
    ],
)
def test_a_server_that_cannot_be_used_is_an_input_error(server: Server, body: str, reason: str) -> None:
    limit = 8.0 if "1000 pages" in reason or "20000" in reason else 1.0
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        server.open(body, start_seconds=limit)
    assert time.monotonic() - started < limit + 1.5
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(server.pids) == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("def bad(i): pass", "timeout", "0.6 s"),
        ("def bad(i): text(i + 1000, 'wrong')", "timeout", "0.6 s"),
        ("def bad(i): text(None, 'wrong')", "crashed", "no valid JSON-RPC"),
        ("def bad(i): raw('garbage'); raw('[]'); raw('{}'); text(i, 'x')", "ok", ""),
        ("def bad(i): text(i, 'x'); text(i, 'y')", "ok", ""),
        ("def bad(i): text(str(i), 'x')", "ok", ""),
        ("def bad(i): send(id=i, result='text')", "crashed", "no valid JSON-RPC"),
        ('def bad(i): raw(\'{"jsonrpc": "2.0", "id": %d, "result": {"a": \' % i)', "crashed", "no valid JSON"),
        ("def bad(i): send(id=i, result={'content': [{'type': 'text', 'text': '\\ud800'}]})", "crashed", "JSON-RPC"),
        ("def bad(i): send(id=i, result={'content': [{'type': 'magic'}]})", "crashed", "no tool result"),
        ("def bad(i): send(id=i, result={'content': 'text'})", "crashed", "no tool result"),
        ("def bad(i): send(id=i, result={'isError': True, 'content': []})", "tool_error", "without saying why"),
        ("def bad(i): send(id=i, error={'code': -32602, 'message': 'no city'})", "bad_arguments", "no city"),
        ("def bad(i): send(id=i, error={'code': -32000, 'message': 'Connection closed'})", "tool_error", "closed"),
        ("def bad(i): send(id=i, error={'code': 7, 'message': ''})", "tool_error", "error 7"),
        ("def bad(i): send(id=None, error={'code': -32700, 'message': 'what?'})", "crashed", "what?"),
        ("def bad(i): text(i, 'x' * 1_000_000)", "output_too_large", "65536"),
        ("def bad(i): send(id=i, result={'content': [], 'structuredContent': {'a': float('nan')}})", "tool_error", ""),
        (
            'def bad(i): raw(\'{"jsonrpc": "2.0", "id": %d, "result": {"content": [], "structuredContent":\''
            " ' {\"a\": %s}}}' % (i, '[' * 100_000 + ']' * 100_000))",
            "crashed",
            "no valid JSON-RPC",
        ),
        ("def bad(i): sys.stderr.write('x' * 3_000_000); text(i, 'x')", "ok", ""),
        ("def bad(i): [send(method='notifications/progress', params={}) for _ in range(9000)]; good(i)", "ok", ""),
    ],
)
def test_what_costs_a_call_but_not_the_server(server: Server, body: str, status: str, error: str) -> None:
    first, second, third = server.call(body, "good bad good")
    assert [first.result, second.status, third.result] == ["good", status, "good"]
    assert error in second.error
    assert len(server.pids) == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("def bad(i): hang()", "timeout", "0.6 s"),
        ("def bad(i): os.kill(os.getpid(), signal.SIGSTOP)", "timeout", "0.6 s"),
        ("def bad(i): sys.stderr.write('out of\\tmemory\\n'); os._exit(9)", "crashed", "exit code 9 (out of memory)"),
        ("def bad(i): os.kill(os.getpid(), signal.SIGKILL)", "crashed", "SIGKILL"),
        ("def bad(i): text(i, 'x')\ndef ping(i): pass", "ok", ""),
        ("def bad(i): os.close(1); hang()", "crashed", "closed its output"),
        ("def bad(i): [raw('garbage') for _ in range(5000)]", "crashed", "in a row"),
        ("def bad(i): endless(sys.stdout, 'x' * 65536)", "output_too_large", "more than 8 MB"),
        ("def bad(i): endless(sys.stdout, '{}\\n' * 9000)", "crashed", "in a row"),
        (
            "def bad(i): endless(sys.stdout, json.dumps({'jsonrpc': '2.0', 'method': 'x'}) + '\\n')",
            "timeout",
            "0.6 s",
        ),
        (
            "def bad(i): endless(sys.stdout, json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'roots/list'}) + '\\n')",
            "crashed",
            "asked for 1001 things",
        ),
        (
            "def bad(i): endless(sys.stdout, json.dumps({'jsonrpc': '2.0', 'id': 1, 'result': {}}) + '\\n')",
            "timeout",
            "",
        ),
    ],
)
def test_what_costs_a_server_but_no_other_call(server: Server, body: str, status: str, error: str) -> None:
    first, second, third = server.call(body, "good bad good")
    assert second.status == status
    assert error in second.error
    assert [first.result, third.result] == ["good", "good"]
    assert len(server.pids) == (1 if status == "ok" else 2)


def test_a_server_whose_child_keeps_the_pipe_open_has_crashed_all_the_same(server: Server) -> None:
    results = server.call("def bad(i): start_child(); os._exit(5)", "bad good")
    assert _statuses(results) == ["crashed", "ok"]
    assert "exit code 5" in results[0].error
    assert len(server.pids) == 3


def test_a_server_that_always_fails_is_given_up(server: Server) -> None:
    results = server.call("def bad(i): os._exit(9)", "bad bad good bad bad bad bad good bad")
    restarted = 1 + MAX_RESTARTS
    assert _statuses(results) == ["crashed"] * 2 + ["ok"] + ["crashed"] * restarted + ["unavailable"] * 2
    assert len(server.pids) == 2 + restarted


def test_closing_starts_afresh(server: Server) -> None:
    source = server.open("def bad(i): os._exit(9)")
    assert source.runner is not None
    bad, good = (Call(tool, {}) for tool in source.tools)
    assert _statuses(source.runner.run([bad] * 5, 1.0)) == ["crashed"] * 4 + ["unavailable"]
    source.runner.close()
    source.runner.close()
    assert source.runner.run([good], 2.0)[0].result == "good"


def test_a_server_that_does_not_come_up_again_is_unavailable(server: Server) -> None:
    body = "if len(open(sys.argv[1]).readlines()) > 1: sys.exit('gone')\ndef bad(i): os._exit(9)"
    results = server.call(body, "bad good good")
    assert _statuses(results) == ["crashed", "unavailable", "unavailable"]
    assert "exit code 1 (gone)" in results[1].error


def test_a_server_that_comes_up_slowly_serves_a_later_call(server: Server) -> None:
    body = "if len(open(sys.argv[1]).readlines()) > 1: time.sleep(1.5)\ndef bad(i): os._exit(9)"
    assert _statuses(server.call(body, "bad good good", 0.5)) == ["crashed", "unavailable", "ok"]
    assert len(server.pids) == 2


def test_a_late_answer_is_not_taken_for_the_next_one(server: Server) -> None:
    body = "late = []\ndef bad(i): late.append(i)\ndef good(i): text(late[0], 'late'); text(i, 'good')"
    assert [result.result for result in server.call(body, "bad good")] == [None, "good"]


def test_the_server_is_told_that_a_call_is_cancelled(server: Server) -> None:
    body = (
        "seen = []\ndef other(message): seen.append(message)\n"
        "def good(i): text(i, json.dumps([m['method'] for m in seen]))"
    )
    _, second = server.call(body, "bad good")
    assert second.result == '["notifications/initialized", "notifications/cancelled"]'


def test_what_a_server_asks_for_is_declined(server: Server) -> None:
    body = """
SAMPLING = {"messages": [{"role": "user", "content": {"type": "text", "text": "hi"}}], "maxTokens": 5}
FORM = {"message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}
asked, replies = [], []
def bad(i):
    asked.append(i)
    send(id=901, method="sampling/createMessage", params=SAMPLING)
    send(id=902, method="roots/list")
    send(id=903, method="elicitation/create", params=FORM)
    send(id=904, method="no/such")
    send(id=905, method="ping")
def other(message):
    if "id" in message: replies.append((message["id"], "error" if "error" in message else "result"))
    if len(replies) == 5: text(asked[0], json.dumps(sorted(replies)))
"""
    (result,) = server.call(body, "bad", 2.0)
    declined = ", ".join(f'[{number}, "error"]' for number in range(901, 905))
    assert (result.status, result.result) == ("ok", f'[{declined}, [905, "result"]]')


def test_a_server_that_does_not_read_blocks_nobody(server: Server) -> None:
    source = server.open("def bad(i): hang()")
    assert source.runner is not None
    bad, good = source.tools
    calls = [Call(bad, {}), Call(good, {}), Call(bad, {"x": "y" * 3_000_000}), Call(good, {})]
    started = time.monotonic()
    results = source.runner.run(calls, 0.6)
    assert _statuses(results) == ["timeout", "ok", "timeout", "ok"]
    assert time.monotonic() - started < 4 * 2.6


@pytest.mark.parametrize("end", ["close", "hang"])
def test_ignoring_sigterm_does_not_help(server: Server, end: str) -> None:
    body = "import atexit; atexit.register(hang)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ndef bad(i): hang()"
    source = server.open(body)
    assert source.runner is not None
    if end == "hang":
        assert _statuses(source.runner.run([Call(source.tools[0], {})], 0.3)) == ["timeout"]
        assert not _runs(server.pids[0])
    started = time.monotonic()
    source.runner.close()
    assert time.monotonic() - started < 3.0


def test_what_a_server_started_ends_with_it(server: Server) -> None:
    assert server.call("start_child()", "good")[0].result == "good"
    assert len(server.pids) == 2


def test_a_runner_that_nobody_closes_is_ended_with_its_server(server: Server) -> None:
    code = "import sys; from data_pipeline.tools.mcp_source import open_mcp; open_mcp(sys.argv[1])"
    source = server.open("signal.signal(signal.SIGTERM, signal.SIG_IGN)").provenance.source
    done = subprocess.run([sys.executable, "-c", code, source], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.pids) == 2
    assert not _runs(server.pids[1])
