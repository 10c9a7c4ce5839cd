"""Servers that hang, lie or flood: each costs its own call a class of result, within its time, and no other call."""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from openapi_server import BEHAVIOURS, SECONDS, Server, answer, redirect, run

from data_pipeline.core.schema import Tool
from data_pipeline.tools.openapi.request import Body, Operation, Slot
from data_pipeline.tools.openapi.runner import HttpRunner
from data_pipeline.tools.runner import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.alone

pytest.importorskip("httpx", reason="needs httpx")

# What a busy machine may add to a call's time.
SLACK = 1.0

EXPECTED = {
    "/hang": "timeout",
    "/begin-and-hang": "timeout",
    "/drip-headers": "timeout",
    "/drip-body": "timeout",
    "/drip-error": "timeout",
    "/nothing": "crashed",
    "/early": "crashed",
    "/garbage": "crashed",
    "/not-http": "crashed",
    "/bad-chunk": "crashed",
    "/bad-length": "crashed",
    "/endless-headers": "crashed",
    "/informational": "timeout",
    "/endless-body": "output_too_large",
    "/endless-chunks": "output_too_large",
    "/ten-gigabytes": "output_too_large",
    "/endless-error": "tool_error",
    "/bomb": "output_too_large",
    "/bomb-error": "tool_error",
    "/broken-gzip": "crashed",
    "/half-gzip": "crashed",
    "/brotli": "crashed",
    "/twice": "crashed",
    "/just-too-large": "output_too_large",
    "/large-as-json": "output_too_large",
    "/nan": "tool_error",
    "/broken-json": "tool_error",
    "/deep-json": "tool_error",
    "/long-number": "tool_error",
    "/not-utf8": "tool_error",
    "/redirect-loop": "tool_error",
    "/redirect-file": "denied",
    "/redirect-garbage": "crashed",
    "/redirect-no-name": "crashed",
    "/redirect-fine": "ok",
    "/redirect-endless": "ok",
    "/punycode": "ok",
    "/codec": "ok",
    "/control": "ok",
}


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


@pytest.mark.parametrize("path", EXPECTED)
def test_each_is_contained_and_the_next_call_works(server: Server, path: str) -> None:
    runner = HttpRunner({"bad": Operation("GET", path), "fine": Operation("GET", "/fine")}, server.url, {})
    bad, fine = (Tool(name=name, description="d", parameters={}) for name in ("bad", "fine"))
    tracemalloc.start()
    try:
        first, second = runner.run([Call(bad, {}), Call(fine, {})], SECONDS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert first.status == EXPECTED[path], first
    assert first.seconds < SECONDS + SLACK
    assert (first.error == "") == (first.status == "ok")
    assert "\n" not in first.error
    assert first.result is None or first.status == "ok"
    # The bomb holds 200 MB, the other floods any amount.
    assert peak < 32 << 20
    assert second.status == "ok"
    assert second.result == {"fine": True}


def test_an_error_is_told_in_its_first_line(server: Server) -> None:
    assert run(server.url, "/endless-error").error == "HTTP 500: broken"


def test_text_of_an_unknown_charset_is_read_as_utf8(server: Server) -> None:
    assert run(server.url, "/codec").result == "hello"


def test_what_is_no_text_is_told_by_its_size(server: Server) -> None:
    assert run(server.url, "/control").result == {"status": 200, "content_type": "text/plain", "bytes": 3}


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert run(f"http://127.0.0.1:{port}", "/fine").status == "unavailable"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70 + ".invalid", "xn--0"])
def test_a_host_that_is_none(host: str) -> None:
    result = run(f"http://{host}", "/fine", seconds=2)
    assert result.status in ("unavailable", "timeout", "denied")
    assert result.seconds < 2 + SLACK


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait(10) or [])
    result = run("http://slow.example", "/fine")
    asked.set()
    assert result.status == "timeout"
    assert result.seconds < SECONDS + SLACK


def test_a_server_that_does_not_shake_hands(server: Server) -> None:
    result = run(server.url.replace("http:", "https:"), "/hang")
    assert result.status == "timeout"
    assert result.seconds < SECONDS + SLACK


def test_a_server_that_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def shout() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=shout, daemon=True)
        thread.start()
        result = run(f"https://127.0.0.1:{listening.getsockname()[1]}", "/")
        thread.join(timeout=5)
    assert result.status == "unavailable"


def test_a_server_that_does_not_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        slots, body = (Slot("text", "text", "body"),), Body("application/json", "json")
        base = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        result = run(base, "/", {"text": "x" * (32 << 20)}, slots=slots, body=body)
    assert result.status == "timeout"
    assert result.seconds < SECONDS + 2 * SLACK


def test_another_name_for_the_same_machine_is_another_host(server: Server) -> None:
    BEHAVIOURS["/alias"] = redirect(f"http://localhost:{server.port}/fine")
    result = run(server.url, "/alias")
    assert result.status == "denied"
    assert "localhost" in result.error


def test_a_redirect_that_keeps_the_method_keeps_the_body(server: Server) -> None:
    BEHAVIOURS["/kept"] = answer(b"", "text/plain", "307 Temporary Redirect", "Location: /fine")
    slots, body = (Slot("text", "text", "body"),), Body("application/json", "json")
    runner = HttpRunner({"t": Operation("POST", "/kept", slots, body)}, server.url, {})
    (result,) = runner.run([Call(Tool(name="t", description="d", parameters={}), {"text": "x"})], SECONDS)
    assert result.status == "ok"
    assert [request.split(b" ")[:2] for request in server.requests] == [[b"POST", b"/kept"], [b"POST", b"/fine"]]
    assert server.requests[1].endswith(b'{"text": "x"}')


def test_an_unknown_tool_has_nothing_to_run(server: Server) -> None:
    tool = Tool(name="other", description="d", parameters={})
    (result,) = HttpRunner({}, server.url, {}).run([Call(tool, {})], SECONDS)
    assert result.status == "unavailable"


def test_twenty_calls_leave_no_connection_or_thread_behind(server: Server) -> None:
    before = threading.active_count()
    for path in ("/fine", "/early", "/garbage", "/redirect-fine") * 5:
        run(server.url, path)
    deadline = time.monotonic() + 5
    while threading.active_count() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before + 1
