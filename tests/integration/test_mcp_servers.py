"""Servers that people use, over pipes and over HTTP: their tools are read and called for real."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from command_line import xlam

from data_pipeline.tools.mcp_source import open_mcp
from data_pipeline.tools.runner import Call, ExecutionResult
from data_pipeline.tools.schema_check import argument_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data_pipeline.tools.runner import SourceTools

pytest.importorskip("mcp", reason="needs the package mcp")

BIN = Path(sys.executable).parent
EVERYTHING = "@modelcontextprotocol/server-everything@2026.8.31"
FILESYSTEM = "@modelcontextprotocol/server-filesystem@2026.8.31"

WEB_SERVER = """
import os, sys, time
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

server = MCPServer("shop", version="4.5", log_level="CRITICAL")
ORDERS = []

@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def price(article: str, count: int = 1) -> dict[str, float]:
    "Price of some articles."
    return {"total": 2.5 * count}

@server.tool()
def order(article: str) -> str:
    "Order an article."
    ORDERS.append(article)
    return f"order {len(ORDERS)}"

@server.tool()
def refuse() -> str:
    "Refuse."
    raise ToolError("sold out")

@server.tool()
def sleep(seconds: float) -> str:
    "Sleep."
    time.sleep(seconds)
    return "slept"

@server.tool()
def leave() -> str:
    "End the server."
    os._exit(3)

server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]), json_response=sys.argv[2] == "json")
"""


def _one(source: SourceTools, name: str, timeout_seconds: float = 10.0, **arguments: Any) -> ExecutionResult:
    """Call a tool, with arguments that its own schema must accept."""
    tool = next(tool for tool in source.tools if tool.name == name)
    assert argument_errors(tool, arguments) is None
    assert source.runner is not None
    (result,) = source.runner.run([Call(tool, arguments)], timeout_seconds)
    return result


def _script(name: str) -> str:
    if not (BIN / name).exists():
        pytest.skip(f"needs the package {name}")
    return str(BIN / name)


def _opened(source: SourceTools) -> closing[Any]:
    assert source.runner is not None
    assert source.refused == ()
    assert {tool.source for tool in source.tools} == {source.provenance.source}
    return closing(source.runner)


def test_time() -> None:
    source = open_mcp(f"mcp:{_script('mcp-server-time')} --local-timezone UTC")
    with _opened(source):
        assert {(tool.name, tool.side_effects) for tool in source.tools} == {
            ("get_current_time", "read"),
            ("convert_time", "read"),
        }
        noon: dict[str, Any] = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
        converted = _one(source, "convert_time", **noon)
        assert isinstance(converted.result, dict)
        assert "T21:00:00" in str(converted.result["target"])
        assert "No time zone found" in _one(source, "get_current_time", timezone="No/Where").error
        assert source.provenance.version.startswith("mcp-time ")


def test_git(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PATH": os.environ["PATH"]}
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    (tmp_path / "a.txt").write_text("hello\n", encoding="utf-8")
    for words in (("init", "-q", "-b", "main"), ("add", "a.txt"), ("commit", "-q", "-m", "First words")):
        subprocess.run(["git", "-C", str(tmp_path), *person, *words], check=True, env=settings)
    source = open_mcp(f"mcp:{shlex.join([_script('mcp-server-git'), '--repository', str(tmp_path)])}")
    with _opened(source):
        effects = {tool.name: tool.side_effects for tool in source.tools}
        assert (effects["git_log"], effects["git_commit"]) == ("read", "write")
        log = _one(source, "git_log", repo_path=str(tmp_path))
        assert log.status == "ok", log
        assert "First words" in str(log.result)
        assert _one(source, "git_log", repo_path=str(tmp_path.parent)).status == "tool_error"


@pytest.fixture(params=["json", "events"])
def web_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a server made with the SDK, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    script = tmp_path / "web_server.py"
    script.write_text(WEB_SERVER, encoding="utf-8")
    process = subprocess.Popen([sys.executable, str(script), str(port), request.param])
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


def test_streamable_http(web_server: str) -> None:
    source = open_mcp(f"mcp:{web_server}", allow_write=True)
    with _opened(source):
        assert source.provenance.version == "shop 4.5"
        assert next(tool for tool in source.tools if tool.name == "price").side_effects == "read"
        assert _one(source, "price", article="tea", count=2).result == {"total": 5.0}
        assert _one(source, "order", article="tea").result == {"result": "order 1"}
        refused = _one(source, "refuse")
        assert (refused.status, "sold out" in refused.error) == ("tool_error", True)
        assert _one(source, "sleep", 0.3, seconds=0.8).status == "timeout"
        assert _one(source, "order", article="jam").result == {"result": "order 2"}
        assert _one(source, "leave").status == "crashed"
        assert _one(source, "order", article="jam").status == "unavailable"


def test_the_commands_run_what_may_write_only_if_allowed(web_server: str, tmp_path: Path) -> None:
    source, call = f"mcp:{web_server}", {"name": "order", "arguments": {"article": "tea"}}
    arguments = json.dumps(call["arguments"])
    held = xlam("tools", "call", source, "order", arguments)
    assert (held.returncode, held.stdout) == (1, "")
    assert f"4 of 5 tools of {source} may change something: " in held.stderr
    assert held.stderr.splitlines()[-1].startswith("xlam: order: denied: it may change something")
    assert "--allow-write" in held.stderr.splitlines()[-1]

    article = {"article": {"type": "str", "description": "Article to order"}}
    tool = {"name": "order", "description": "Order an article.", "parameters": article}
    row = {"id": 1, "query": "Order the article tea.", "answers": json.dumps([call]), "tools": json.dumps([tool])}
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text(json.dumps(row) + "\n", encoding="utf-8")
    checked = xlam("data", "check", theirs, "--tools", source, "--json")
    assert (checked.returncode, json.loads(checked.stdout)["not_executed"]) == (0, 1)

    reading = xlam("tools", "call", source, "price", arguments)
    assert (reading.returncode, json.loads(reading.stdout)) == (0, {"total": 2.5})
    allowed = xlam("tools", "call", source, "order", arguments, "--allow-write")
    # The first order that reaches the server.
    assert (allowed.returncode, json.loads(allowed.stdout)) == (0, {"result": "order 1"})
    assert "may change" not in allowed.stderr


@pytest.fixture(scope="session")
def node_servers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the commands of two servers from npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("needs node and npm")
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(
            [*command, EVERYTHING, FILESYSTEM], capture_output=True, text=True, timeout=180, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode:
        pytest.skip(f"npm install failed: {done.stderr.strip()[-200:]}")
    return folder / "node_modules" / ".bin"


@pytest.mark.slow
def test_everything(node_servers: Path) -> None:
    command = shlex.quote(str(node_servers / "mcp-server-everything"))
    source = open_mcp(f"mcp:{command}", allow_write=True)
    assert source.runner is not None
    with closing(source.runner):
        assert source.provenance.version == "mcp-servers/everything 2.0.0"
        assert [refusal.name for refusal in source.refused] == ["simulate-research-query"]
        assert _one(source, "echo", message="hi").result == "Echo: hi"
        assert _one(source, "get-sum", a=1, b=2).result == "The sum of 1 and 2 is 3."
        weather = _one(source, "get-structured-content", location="Chicago").result
        assert isinstance(weather, dict)
        assert set(weather) == {"temperature", "conditions", "humidity"}
        image = _one(source, "get-tiny-image").result
        assert isinstance(image, list)
        assert image[1] == {"type": "image", "mimeType": "image/png", "bytes": 4033}
        assert _one(source, "trigger-long-running-operation", 0.5, duration=3, steps=3).status == "timeout"
        assert _one(source, "echo", message="still here").result == "Echo: still here"


@pytest.mark.slow
def test_filesystem(node_servers: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello", encoding="utf-8")
    command = shlex.join([str(node_servers / "mcp-server-filesystem"), str(tmp_path)])
    source = open_mcp(f"mcp:{command}", allow_write=True)
    with _opened(source):
        assert _one(source, "read_text_file", path=str(tmp_path / "a.txt")).result == {"content": "hello"}
        written = _one(source, "write_file", path=str(tmp_path / "b.txt"), content="new")
        assert (written.status, (tmp_path / "b.txt").read_text()) == ("ok", "new")
        outside = _one(source, "read_text_file", path="/etc/passwd")
        assert (outside.status, "Access denied" in outside.error) == ("tool_error", True)
