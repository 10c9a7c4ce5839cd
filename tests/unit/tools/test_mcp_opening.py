"""Opening an MCP source: what the server is given, what of its tools is taken, what is said when it fails."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Tool
from data_pipeline.tools.mcp_source import open_mcp
from data_pipeline.tools.runner import Call, Provenance

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_pipeline.tools.runner import Runner, SourceTools

pytestmark = pytest.mark.alone

pytest.importorskip("mcp", reason="needs the package mcp")

# Lists its tools on two pages, and answers every call with what it knows of its surroundings.
SERVER = """
import json, os, sys
def send(**fields): print(json.dumps({"jsonrpc": "2.0", **fields}), flush=True)
INFO = {"serverInfo": {"name": "raw\\x1b", "version": "1.2"}, "capabilities": {"tools": {}}}
OBJECT = {"type": "object", "properties": {"text": {"type": "string"}}}
def tool(name, **more): return {"name": name, "description": "Does it.", "inputSchema": OBJECT, **more}
PAGES = {
    None: {"tools": [tool("first"), tool("no schema", inputSchema=7), {}], "nextCursor": "2"},
    "2": {"tools": [tool("second", annotations={"readOnlyHint": True}), tool("third", description=None)]},
}
for line in sys.stdin:
    message = json.loads(line)
    method, i, params = message.get("method"), message.get("id"), message.get("params", {})
    if method == "initialize": send(id=i, result={**INFO, "protocolVersion": params["protocolVersion"]})
    elif method == "tools/list": send(id=i, result=PAGES[params.get("cursor")])
    elif method == "tools/call":
        about = {
            "arguments": params["arguments"], "argv": sys.argv[1:], "environment": dict(os.environ),
            "home": os.listdir(os.environ["HOME"]), "leads": [os.getpid() == os.getsid(0) == os.getpgid(0)],
            "folder": os.getcwd(), "ascii": sys.stdout.encoding,
        }
        send(id=i, result={"content": [], "structuredContent": about})
"""

# Knows only the handshake that replaced `initialize`.
MODERN = """
import json, sys
def send(**fields): print(json.dumps({"jsonrpc": "2.0", **fields}), flush=True)
def result(**fields): return {"resultType": "complete", "ttlMs": 0, "cacheScope": "private", **fields}
TOOL = {"name": "first", "description": "Does it.", "inputSchema": {"type": "object"}}
META = {"io.modelcontextprotocol/serverInfo": {"name": "new", "version": "9"}}
VERSION = "2026-07-28"
for line in sys.stdin:
    message = json.loads(line)
    method, i, params = message.get("method"), message.get("id"), message.get("params", {})
    if method == "server/discover":
        send(id=i, result=result(supportedVersions=[VERSION], capabilities={"tools": {}}, _meta=META))
    elif method == "tools/list": send(id=i, result=result(tools=[TOOL]))
    elif method == "tools/call" and params["arguments"].get("ask"):
        send(id=i, result={"resultType": "input_required", "inputRequests": {}, "requestState": "x"})
    elif method == "tools/call":
        send(id=i, result=result(content=[{"type": "text", "text": str(len(params["_meta"]))}]))
    elif i is not None:
        supported = {"supported": [VERSION], "requested": "2025-11-25"}
        send(id=i, error={"code": -32022, "message": "too old", "data": supported})
"""


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., str]:
    """Writes a server, gives the source that starts it."""

    def write(script: str = SERVER, *arguments: str) -> str:
        path = tmp_path / "a server.py"
        path.write_text(script, encoding="utf-8")
        return f"mcp:{shlex.join([sys.executable, '-S', '-I', str(path), *arguments])}"

    return write


def _runner(source: SourceTools) -> Runner:
    assert source.runner is not None
    return source.runner


def _about(source: SourceTools, **arguments: Any) -> dict[str, Any]:
    (done,) = _runner(source).run([Call(source.tools[0], arguments)], 5.0)
    assert done.status == "ok", done
    assert isinstance(done.result, dict)
    return done.result


def test_all_pages_are_read_and_bad_entries_refused(command: Callable[..., str]) -> None:
    written = command()
    source = open_mcp(written, allow_write=True)
    with closing(_runner(source)):
        assert [(tool.name, tool.side_effects) for tool in source.tools] == [("first", "write"), ("second", "read")]
        assert [refusal.name for refusal in source.refused] == ["no schema", "number 3", "third"]
        assert source.provenance == Provenance(written, version="raw 1.2", licence="", executable=True)
        assert {tool.source for tool in source.tools} == {written}


def test_a_server_gets_its_arguments_and_next_to_no_environment(
    command: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    source = open_mcp(command(SERVER, "a b", "$SECRET", "*"), allow_write=True)
    with closing(_runner(source)):
        about = _about(source, text="grün \U0001f600")
    assert about["argv"] == ["a b", "$SECRET", "*"]
    assert about["arguments"] == {"text": "grün \U0001f600"}
    assert set(about["environment"]) - {"LC_CTYPE"} == {"PATH", "HOME", "LANG"}
    assert (about["home"], about["leads"], about["folder"]) == ([], [True], str(Path.cwd()))
    assert about["environment"]["PATH"].startswith(os.environ["PATH"])
    assert not Path(about["environment"]["HOME"]).exists()


def test_the_command_can_be_wrapped(command: Callable[..., str]) -> None:
    written = command()
    source = open_mcp(written, allow_write=True, wrap=lambda words: [*words, "--wrapped"])
    with closing(_runner(source)):
        assert _about(source)["argv"] == ["--wrapped"]
        assert source.provenance.source == written


def test_arguments_that_are_not_json_do_not_reach_the_server(command: Callable[..., str]) -> None:
    source = open_mcp(command(), allow_write=True)
    tool = source.tools[0]
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    odd: list[Any] = [float("nan"), "\ud800", {1, 2}, nested]
    with closing(_runner(source)):
        results = _runner(source).run([*(Call(tool, {"text": value}) for value in odd), Call(tool, {})], 2.0)
    assert [result.status for result in results] == ["bad_arguments"] * 4 + ["ok"]


def test_a_server_without_initialize_is_met_with_discover(command: Callable[..., str]) -> None:
    source = open_mcp(command(MODERN), allow_write=True)
    with closing(_runner(source)):
        assert source.provenance.version == "new 9"
        calls = [Call(source.tools[0], arguments) for arguments in ({}, {"ask": True}, {})]
        first, asking, last = _runner(source).run(calls, 2.0)
    assert (first.result, last.result) == ("3", "3")
    assert (asking.status, asking.error) == ("tool_error", "the tool asks for input from a person")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("mcp:no-such-command --token abc", "No such file or directory"),
        ("mcp:/", "Permission denied"),
        ("mcp:true", "exit code 0"),
        ("mcp:cat", "mcp:cat: "),
        ("mcp:http://127.0.0.1:9/mcp", "connection attempts failed"),
    ],
)
def test_what_is_no_server_is_said_in_one_line(source: str, reason: str) -> None:
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        open_mcp(source, start_seconds=2.0)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "abc" not in str(caught.value)
    assert time.monotonic() - started < 4.0


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(InputError, match=r'pip install "xlam-train\[tools\]"'):
        open_mcp("mcp:cat")


def test_importing_the_package_does_not_import_the_sdk() -> None:
    code = (
        "import sys, data_pipeline.tools.mcp_source; print(*{'mcp', 'anyio', 'httpx2', 'asyncio'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_results_come_in_the_order_of_the_calls(command: Callable[..., str]) -> None:
    source = open_mcp(command())
    tool: Tool = source.tools[1]
    with closing(_runner(source)):
        results = _runner(source).run([Call(tool, {"text": str(number)}) for number in range(50)], 2.0)
        assert _runner(source).run([], 2.0) == []
    assert [json.dumps(result.result) for result in results] == [
        json.dumps({**result.result, "arguments": {"text": str(number)}})
        for number, result in enumerate(results)
        if isinstance(result.result, dict)
    ]
    assert all(0 < result.seconds < 2 for result in results)
