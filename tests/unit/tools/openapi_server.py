"""A server in threads of this process that answers as badly as it is told to."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from typing import TYPE_CHECKING, Any

from data_pipeline.core.schema import Tool
from data_pipeline.tools.openapi.request import Operation
from data_pipeline.tools.openapi.runner import HttpRunner
from data_pipeline.tools.runner import MAX_RESULT_BYTES, Call, ExecutionResult

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 0.6


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
            request = _whole_request(connection)
            self.requests.append(request)
            path = (
                request.split(b" ")[1].decode(errors="replace") if request.startswith((b"GET ", b"POST ")) else "/hang"
            )
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


def _whole_request(connection: socket.socket) -> bytes:
    request = connection.recv(65536)
    head, _, content = request.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(content) < length and (more := connection.recv(65536)):
        content += more
        request += more
    return request


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


def run(
    base: str, path: str, arguments: dict[str, Any] | None = None, seconds: float = SECONDS, **parts: Any
) -> ExecutionResult:
    allow_hosts = parts.pop("allow_hosts", ())
    schemes = parts.pop("schemes", {})
    runner = HttpRunner({"t": Operation("GET", path, **parts)}, base, schemes, allow_hosts)
    tool = Tool(name="t", description="d", parameters={"type": "object", "properties": {}})
    (result,) = runner.run([Call(tool, arguments or {})], seconds)
    return result
