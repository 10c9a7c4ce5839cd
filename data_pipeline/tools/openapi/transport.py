"""The one way out to the network: a total deadline, an allow-list, and credentials put on last.

httpx measures its timeouts from one byte to the next, so a server that sends a byte a second is never
late. Here every wait, from the look-up of the name to the last byte, gets only what is left of the
call's time. Credentials are added below the level at which httpx writes its log.

Importing this imports httpx, so it is imported only where a request is about to be made.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    from data_pipeline.tools.openapi.security import Credentials

MAX_REDIRECTS = 5
HEADERS = {
    "User-Agent": "xlam-data-pipeline",
    "Accept": "application/json, text/plain;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}

Address = tuple[str, str, int]
"""Scheme, host and port of a URL."""


class DeniedError(Exception):
    """The address is not on the allow-list."""


class Deadline:
    """When a call must be over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain, more than none.

        Raises:
            TimeoutError: none remain.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def address(url: httpx.URL) -> Address:
    """Where a URL leads, with the port that its scheme implies."""
    # The host as it is sent: turning it into readable text fails for some names that are none.
    return url.scheme, url.raw_host.decode("ascii").lower(), url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


def same_server(target: Address, base: Address) -> bool:
    """Whether this is the same server, reached as safely or more so."""
    upgraded = (base[0], base[2], target[0], target[2]) == ("http", 80, "https", 443)
    return target == base or (target[1] == base[1] and upgraded)


class _Stream(httpcore.NetworkStream):
    """A connection on which no wait outlasts the deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._socket = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _translated(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(self._deadline.left())
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _translated(httpcore.WriteTimeout, httpcore.WriteError):
            while buffer:
                self._socket.settimeout(self._deadline.left())
                buffer = buffer[self._socket.send(buffer) :]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                self._socket.settimeout(self._deadline.left())
                secured = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
            except BaseException:
                self.close()
                raise
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        # Asked for to see whether HTTP/2 was agreed on, which is never offered, and before a
        # connection is used again, which none is.
        return None


class _Network(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
            failure: OSError = OSError(f"no address for '{host}'")
            for family, kind, protocol, _, place in _look_up(host, port, self._deadline):
                connection = socket.socket(family, kind, protocol)
                try:
                    connection.settimeout(self._deadline.left())
                    connection.connect(place)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                except TimeoutError:
                    connection.close()
                    raise
                except OSError as error:
                    connection.close()
                    failure = error
                else:
                    return _Stream(connection, self._deadline)
            raise failure


def _look_up(host: str, port: int, deadline: Deadline) -> list[Any]:
    """The addresses of a host, asked for in a thread because asking cannot be interrupted."""
    answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)
        except UnicodeError:
            answers.put(OSError(f"'{host}' is no host name"))

    threading.Thread(target=ask, daemon=True, name="look-up").start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer


@contextlib.contextmanager
def _translated(late: type[Exception], failed: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late("out of time") from error
    except OSError as error:
        raise failed(error.strerror or str(error)) from error


class _Content(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class Gate(httpx.BaseTransport):
    """Sends what is allowed, each request on a connection of its own."""

    def __init__(
        self,
        deadline: Deadline,
        allows: Callable[[Address], bool],
        credentials: Credentials,
        server: Address | None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            deadline: when everything must be over.
            allows: whether an address may be spoken to.
            credentials: what to put on requests to `server`.
            server: the only one that gets credentials.
            context: how certificates are checked; only needed for https.
        """
        self._allows = allows
        self._credentials = credentials
        self._server = server
        # A connection that a hostile server has left in some state is never used for the next call.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_keepalive_connections=0, network_backend=_Network(deadline)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            DeniedError: the allow-list does not have its address.
            httpcore exceptions: it failed.
        """
        target = address(request.url)
        if target[0] not in ("http", "https") or not self._allows(target):
            raise DeniedError(f"{target[0]}://{target[1]}:{target[2]} is not on the list of allowed hosts")
        path, headers = self._signed(request, target)
        url = httpcore.URL(scheme=target[0], host=request.url.raw_host, port=request.url.port, target=path)
        response = self._pool.handle_request(
            httpcore.Request(method=request.method, url=url, headers=headers, content=request.stream)
        )
        known = {key: response.extensions[key] for key in ("http_version", "reason_phrase")}
        return httpx.Response(response.status, headers=response.headers, stream=_Content(response), extensions=known)

    def _signed(self, request: httpx.Request, target: Address) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """Path and headers of a request, with credentials where they belong."""
        path, found = request.url.raw_path, self._credentials
        if self._server is None or not same_server(target, self._server):
            return path, request.headers.raw
        headers = httpx.Headers(request.headers)
        headers.update(found.headers)
        if found.cookies:
            pairs = "; ".join(f"{name}={quote(value)}" for name, value in found.cookies.items())
            headers["Cookie"] = f"{headers['Cookie']}; {pairs}" if "Cookie" in headers else pairs
        query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in found.query.items())
        if query:
            path += (b"&" if b"?" in path else b"?") + query.encode()
        return path, headers.raw

    def close(self) -> None:
        """Close whatever is open."""
        self._pool.close()


@contextlib.contextmanager
def exchange(
    gate: Gate, method: str, url: str, headers: Iterable[tuple[bytes, bytes]] = (), content: bytes | None = None
) -> Iterator[tuple[httpx.Response, bool]]:
    """The answer to a request after redirects, its body not read yet, and whether redirects have ended.

    Raises:
        DeniedError: the allow-list does not have the address, or the one redirected to.
        httpx or httpcore exceptions: it failed.
    """
    with httpx.Client(transport=gate, trust_env=False, headers=HEADERS) as client:
        request = client.build_request(method, url, headers=list(headers), content=content)
        response = client.send(request, stream=True)
        try:
            for _ in range(MAX_REDIRECTS):
                if response.next_request is None:
                    break
                # The body of a redirect is not read: it could be without an end.
                response.close()
                response = client.send(response.next_request, stream=True)
            yield response, response.next_request is None
        finally:
            response.close()
