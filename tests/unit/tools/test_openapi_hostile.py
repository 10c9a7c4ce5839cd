"""Servers that hang, lie or flood: each costs its own call a class of result, within its time, and no other call."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import socket
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.schema import Tool
from data_pipeline.tools.openapi.request import Body, Operation, Slot
from data_pipeline.tools.openapi.runner import HttpRunner
from data_pipeline.tools.openapi.security import Scheme
from data_pipeline.tools.runner import MAX_RESULT_BYTES, Call, ExecutionResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytest.importorskip("httpx", reason="needs httpx")

SECONDS = 0.6
# What a busy machine may add to a call's time.
SLACK = 0.5


class Server:
    """Answers each connection with the bytes or the behaviour registered for its path."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.requests: list[bytes] = []
        self.stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = connection.recv(65536)
            self.requests.append(request)
            path = request.split(b" ")[1].decode(errors="replace") if request.startswith(b"GET ") else "/hang"
            behaviour = BEHAVIOURS.get(path.partition("?")[0], hang)
            if callable(behaviour):
                behaviour(self, connection)
            else:
                connection.sendall(behaviour)

    def close(self) -> None:
        """End every thread and connection."""
        self.stop.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(timeout=5)


def answer(body: bytes, kind: str = "application/json", status: str = "200 OK", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*head, "", ""]).encode() + body


def redirect(target: str) -> bytes:
    return answer(b"", "text/plain", "302 Found", f"Location: {target}")


def hang(server: Server, connection: socket.socket) -> None:
    server.stop.wait(10)


def begin_and_hang(server: Server, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n")
    server.stop.wait(10)


def drip(first: bytes) -> Callable[[Server, socket.socket], None]:
    def behave(server: Server, connection: socket.socket) -> None:
        connection.sendall(first)
        while not server.stop.wait(0.05):
            connection.sendall(b"x")

    return behave


def flood(first: bytes, again: bytes) -> Callable[[Server, socket.socket], None]:
    def behave(server: Server, connection: socket.socket) -> None:
        connection.sendall(first)
        while not server.stop.is_set():
            connection.sendall(again)

    return behave


OK = b"HTTP/1.1 200 OK\r\n"
JSON = b"Content-Type: application/json\r\n"
ZEROS = b"0" * 65536
BOMB = gzip.compress(bytes(200 << 20), 1)

BEHAVIOURS: dict[str, bytes | Callable[[Server, socket.socket], None]] = {
    "/fine": answer(b'{"fine": true}'),
    "/hang": hang,
    "/begin-and-hang": begin_and_hang,
    "/drip-headers": drip(OK + b"X-Slow: "),
    "/drip-body": drip(OK + b"Content-Type: text/plain\r\nContent-Length: 60000\r\n\r\n"),
    "/drip-error": drip(b"HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n"),
    "/nothing": b"",
    "/early": OK + JSON + b'Content-Length: 100\r\n\r\n{"a": 1',
    "/garbage": bytes(range(256)) * 8,
    "/not-http": b"220 mail.example.com ESMTP ready\r\n",
    "/bad-chunk": OK + JSON + b"Transfer-Encoding: chunked\r\n\r\nzzz\r\n{}",
    "/bad-length": OK + JSON + b"Content-Length: -5\r\n\r\n{}",
    "/endless-headers": flood(OK, b"X-More: 0000000000000000\r\n" * 100),
    "/informational": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
    "/endless-body": flood(OK + JSON + b"\r\n", ZEROS),
    "/endless-chunks": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + ZEROS + b"\r\n"),
    "/ten-gigabytes": flood(OK + JSON + b"Content-Length: 10737418240\r\n\r\n", ZEROS),
    "/endless-error": flood(b"HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\n\r\nbroken\n", ZEROS),
    "/bomb": answer(BOMB, "application/json", "200 OK", "Content-Encoding: gzip"),
    "/bomb-error": answer(BOMB, "text/plain", "500 Oops", "Content-Encoding: gzip"),
    "/broken-gzip": answer(b"no gzip", "application/json", "200 OK", "Content-Encoding: gzip"),
    "/half-gzip": answer(gzip.compress(b'{"a": 1}' * 100)[:20], "text/plain", "200 OK", "Content-Encoding: gzip"),
    "/brotli": answer(b"\x0b\x02\x80{}\x03", "application/json", "200 OK", "Content-Encoding: br"),
    "/twice": answer(b"{}", "application/json", "200 OK", "Content-Encoding: gzip, gzip"),
    "/just-too-large": answer(b'"' + b"a" * MAX_RESULT_BYTES + b'"'),
    "/large-as-json": answer("\u00e9".encode() * (MAX_RESULT_BYTES // 3), "text/plain; charset=utf-8"),
    "/nan": answer(b'{"a": NaN}'),
    "/broken-json": answer(b'{"a": '),
    "/deep-json": answer(b"[" * 60000),
    "/long-number": answer(b"1" * 60000),
    "/not-utf8": answer(b'{"a": "\xff"}'),
    "/redirect-loop": redirect("/redirect-loop"),
    "/redirect-file": redirect("file:///etc/passwd"),
    "/redirect-garbage": redirect("http://127.0.0.1:port/"),
    "/redirect-no-name": redirect("http://xn--0/"),
    "/redirect-fine": redirect("/fine"),
    "/redirect-endless": flood(b"HTTP/1.1 302 Found\r\nLocation: /fine\r\n\r\n", ZEROS),
    "/punycode": answer(b"a" * 60000, "text/plain; charset=punycode"),
    "/codec": answer(b"hello", "text/plain; charset=zlib_codec"),
    "/control": answer(b"\x00\x01\x02", "text/plain"),
}  # fmt: skip

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


def run(
    base: str, path: str, arguments: dict[str, Any] | None = None, seconds: float = SECONDS, **parts: Any
) -> ExecutionResult:
    allow_hosts = parts.pop("allow_hosts", ())
    schemes = parts.pop("schemes", {})
    runner = HttpRunner({"t": Operation("GET", path, **parts)}, base, schemes, allow_hosts)
    tool = Tool(name="t", description="d", parameters={"type": "object", "properties": {}})
    (result,) = runner.run([Call(tool, arguments or {})], seconds)
    return result


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


SCHEMES = {
    "bearer": Scheme("XLAM_OPENAPI_TOKEN", "header", "Authorization", "Bearer "),
    "basic": Scheme("XLAM_OPENAPI_BASIC", "header", "Authorization", "Basic "),
    "query key": Scheme("XLAM_OPENAPI_KEY_QUERY_KEY", "query", "api key"),
    "head": Scheme("XLAM_OPENAPI_KEY_HEAD", "header", "X-Key"),
    "cookie": Scheme("XLAM_OPENAPI_KEY_COOKIE", "cookie", "session"),
}
ALL = (tuple(name for name in SCHEMES if name != "basic"),)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = {
        "XLAM_OPENAPI_TOKEN": "tok3n-of-mine",
        "XLAM_OPENAPI_BASIC": "user:pa55word of mine",
        "XLAM_OPENAPI_KEY_QUERY_KEY": "query/s3cret",
        "XLAM_OPENAPI_KEY_HEAD": "head-s3cret",
        "XLAM_OPENAPI_KEY_COOKIE": "cookie-s3cret",
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.mark.parametrize("path", ["/fine", "/garbage", "/hang", "/redirect-fine"])
def test_credentials_are_sent_and_written_nowhere(
    server: Server, secrets: dict[str, str], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    result = run(server.url, path, schemes=SCHEMES, security=ALL)
    for request in server.requests:
        head = request.decode()
        assert "authorization: bearer tok3n-of-mine" in head.lower()
        assert "?api%20key=query%2Fs3cret" in head
        assert "x-key: head-s3cret" in head.lower()
        assert "session=cookie-s3cret" in head
    assert len(server.requests) == (2 if path == "/redirect-fine" else 1)
    written = caplog.text + repr(result)
    assert [secret for secret in secrets.values() if secret in written] == []


def test_credentials_stay_with_their_server(server: Server, secrets: dict[str, str]) -> None:
    other = Server()
    BEHAVIOURS["/away"] = redirect(f"{other.url}/fine")
    try:
        denied = run(server.url, "/away", schemes=SCHEMES, security=ALL)
        assert denied.status == "denied"
        assert other.requests == []
        host = f"127.0.0.1:{other.port}"
        allowed = run(server.url, "/away", schemes=SCHEMES, security=ALL, allow_hosts=[host])
        assert allowed.status == "ok"
        (seen,) = other.requests
        assert not any(secret.encode() in seen for secret in secrets.values())
        assert b"uthorization" not in seen
        assert run(server.url, "/away", allow_hosts=["127.0.0.1"]).status == "ok"
    finally:
        other.close()


def test_another_name_for_the_same_machine_is_another_host(server: Server) -> None:
    BEHAVIOURS["/alias"] = redirect(f"http://localhost:{server.port}/fine")
    result = run(server.url, "/alias")
    assert result.status == "denied"
    assert "localhost" in result.error


def test_what_a_server_repeats_of_a_credential_is_hidden(server: Server, secrets: dict[str, str]) -> None:
    BEHAVIOURS["/echo"] = answer(json.dumps({"got": ["Bearer tok3n-of-mine", {"tok3n-of-mine": 1}]}).encode())
    BEHAVIOURS["/echo-error"] = answer(b"no such token: tok3n-of-mine", "text/plain", "401 Unauthorized")
    BEHAVIOURS["/echo-basic"] = answer(b"dXNlcjpwYTU1d29yZCBvZiBtaW5l is pa55word of mine", "text/plain")
    bearer, basic = (("bearer",),), (("basic",),)
    assert run(server.url, "/echo", schemes=SCHEMES, security=bearer).result == {"got": ["Bearer ***", {"***": 1}]}
    assert run(server.url, "/echo-error", schemes=SCHEMES, security=bearer).error == "HTTP 401: no such token: ***"
    assert run(server.url, "/echo-basic", schemes=SCHEMES, security=basic).result == "*** is ***"


def test_only_what_the_operation_asks_for_is_sent(server: Server, secrets: dict[str, str]) -> None:
    for security in ((), ((),), (("unknown",),)):
        assert run(server.url, "/fine", schemes=SCHEMES, security=security).status == "ok"
    assert not any(secret.encode() in request for secret in secrets.values() for request in server.requests)
    run(server.url, "/fine", schemes=SCHEMES, security=(("unknown",), ("head",), ("bearer",)))
    assert b"head-s3cret" in server.requests[-1]
    assert b"tok3n" not in server.requests[-1]


def test_a_missing_credential_is_named_when_the_server_asks_for_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLAM_OPENAPI_TOKEN", raising=False)
    BEHAVIOURS["/closed"] = answer(b"", "text/plain", "401 Unauthorized")
    result = run(server.url, "/closed", schemes=SCHEMES, security=(("bearer",),))
    assert result.error == "HTTP 401: Unauthorized (it asks for credentials: set XLAM_OPENAPI_TOKEN)"


def test_a_credential_with_a_line_break_is_not_sent_and_not_shown(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLAM_OPENAPI_TOKEN", "abc\r\nX-Evil: 1")
    result = run(server.url, "/fine", schemes=SCHEMES, security=(("bearer",),))
    assert result.status == "denied"
    assert "XLAM_OPENAPI_TOKEN" in result.error
    assert "abc" not in result.error
    assert server.requests == []


def test_proxies_of_the_environment_are_not_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert run(server.url, "/fine").status == "ok"


def test_a_login_file_of_the_user_is_not_used(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    login = tmp_path / "netrc"
    login.write_text("machine 127.0.0.1 login me password netrc-s3cret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(login))
    run(server.url, "/fine")
    assert b"uthorization" not in server.requests[0]


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
