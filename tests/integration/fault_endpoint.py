"""An OpenAI-compatible server on loopback that does what servers do on bad days; the model's name says what."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

HUGE = 100 << 20
HTML = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
REFUSED_TWICE = 2
SLOTS = 8
SERVED_BEFORE = 8


def good_text(body: dict[str, Any]) -> str:
    """Items as the request's schema wants them, with empty arguments; a judge's yes for a judge's schema."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    if "problem" in schema.get("properties", {}):
        return json.dumps({"thought": "fine", "problem": "none"})
    wanted = schema.get("properties", {}).get("items", {}).get("prefixItems", [])
    return json.dumps({"items": [_item(entry, number) for number, entry in enumerate(wanted)]})


def _item(entry: dict[str, Any], number: int) -> dict[str, Any]:
    call = {"name": "add", "arguments": {}}
    if "incomplete" in entry["properties"]:
        return {"query": f"query {number}", "incomplete": call}
    return {"query": f"query {number}", "calls": [call] * entry["properties"]["calls"].get("minItems", 0)}


def completion(text: str | None, finish: str = "stop", **message: Any) -> bytes:
    """The body of a chat completion."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


class FaultEndpoint:
    """Serves at `url` while it is entered.

    Attributes:
        seen: model -> requests that arrived.
        slots: of the model `eight-slots`.
        refused: requests that found none of them free.
        bodies: of all requests, in order.
        headers: of all requests, in order.
    """

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()
        self.slots = threading.Semaphore(SLOTS)
        self.refused = 0
        self.lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        handler = type("Handler", (_Handler,), {"endpoint": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> FaultEndpoint:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def note(self, body: dict[str, Any], headers: dict[str, str]) -> int:
        """How often just this was asked before."""
        with self.lock:
            self.seen[body["model"]] += 1
            self.bodies.append(body)
            self.headers.append(headers)
            key = json.dumps(body)
            self._asked[key] += 1
            return self._asked[key] - 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up here all the time."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: FaultEndpoint

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep the tests' output clean."""

    def do_POST(self) -> None:
        """One chat completion, or what comes of it."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        before = self.endpoint.note(body, {name.lower(): value for name, value in self.headers.items()})
        BEHAVIOURS[body["model"]](self, body, before)

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """A whole reply."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def error(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        """An error as OpenAI writes it."""
        self.send(status, json.dumps({"error": {"message": message, "code": code}}).encode(), **headers)

    def reset(self) -> None:
        """End the connection as a crashed server does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def torn(self, body: bytes) -> None:
        """Half of what was announced."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def huge(self, status: int) -> None:
        """100 MB, a piece at a time."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(HUGE))
        self.end_headers()
        piece = b" " * (1 << 16)
        for _ in range(HUGE // len(piece)):
            self.wfile.write(piece)

    def good(self, body: dict[str, Any]) -> None:
        """What was asked for."""
        self.send(200, completion(good_text(body)))


def _limited(retry_after: Callable[[], dict[str, str]]) -> Any:
    """429 to the first two attempts at each request."""

    def behave(handler: _Handler, body: dict[str, Any], before: int) -> None:
        if before < REFUSED_TWICE:
            handler.error(429, "slow down", **retry_after())
        else:
            handler.good(body)

    return behave


def _text(text: str | None, finish: str = "stop", **message: Any) -> Any:
    return lambda handler, body, before: handler.send(200, completion(text, finish, **message))


def _fewer(handler: _Handler, body: dict[str, Any], before: int) -> None:
    items = json.loads(good_text(body))["items"]
    handler.send(200, completion(json.dumps({"items": items[:1]})))


def _no_schema(handler: _Handler, body: dict[str, Any], before: int) -> None:
    if body.get("response_format", {}).get("type") == "json_schema":
        handler.error(400, "response_format.type 'json_schema' is not supported")
    else:
        handler.send(200, completion('{"items": []}'))


def _hang(handler: _Handler, body: dict[str, Any], before: int) -> None:
    handler.endpoint.closing.wait(20)
    handler.close_connection = True


def _flaky(handler: _Handler, body: dict[str, Any], before: int) -> None:
    """Each first attempt fails in its own way."""
    if before:
        handler.good(body)
    else:
        kinds = ("reset", "error-500", "html", "torn")
        BEHAVIOURS[kinds[handler.endpoint.seen["flaky"] % len(kinds)]](handler, body, before)


def _slow(handler: _Handler, body: dict[str, Any], before: int) -> None:
    time.sleep(0.05)
    handler.good(body)


def _moderated(handler: _Handler, body: dict[str, Any], before: int) -> None:
    """A gateway that looks at prompts."""
    if "forbidden" in json.dumps(body["messages"]):
        handler.error(403, "this prompt is not allowed")
    else:
        handler.good(body)


def _taken_back(handler: _Handler, body: dict[str, Any], before: int) -> None:
    """A key that holds for a while."""
    if handler.endpoint.seen["taken-back"] > SERVED_BEFORE:
        handler.error(403, "the key was taken back")
    else:
        handler.good(body)


def _slow_refusal(handler: _Handler, body: dict[str, Any], before: int) -> None:
    time.sleep(0.4)
    handler.error(400, "no")


def _key(handler: _Handler) -> str:
    return handler.headers["Authorization"].split()[1]


def _eight_slots(handler: _Handler, body: dict[str, Any], before: int) -> None:
    if not handler.endpoint.slots.acquire(blocking=False):
        with handler.endpoint.lock:
            handler.endpoint.refused += 1
        handler.error(429, "all slots are taken", Retry_After="0.05")
        return
    time.sleep(0.03)
    handler.endpoint.slots.release()  # before the answer, after which the next request may come
    handler.good(body)


BEHAVIOURS: dict[str, Any] = {
    "good": lambda handler, body, before: handler.good(body),
    "slow": _slow,
    "eight-slots": _eight_slots,
    "flaky": _flaky,
    "limited-seconds": _limited(lambda: {"Retry_After": "0.3"}),
    "limited-date": _limited(lambda: {"Retry_After": formatdate(time.time() + 1, usegmt=True)}),
    "limited-silent": _limited(dict),
    "limited-always": lambda handler, body, before: handler.error(429, "slow down"),
    "limited-an-hour": lambda handler, body, before: handler.error(429, "slow down", Retry_After="3600"),
    "quota": lambda handler, body, before: handler.error(429, "no credit", "insufficient_quota"),
    "error-500": lambda handler, body, before: handler.error(500, "CUDA error"),
    "error-503": lambda handler, body, before: handler.error(503, "overloaded"),
    "reset": lambda handler, body, before: handler.reset(),
    "hang": _hang,
    "cut-off": _text('{"items": [{"query": "an unfin', "length"),
    "torn": lambda handler, body, before: handler.torn(completion(good_text(body))),
    "torn-json": lambda handler, body, before: handler.send(200, completion(good_text(body))[:-40]),
    "html": lambda handler, body, before: handler.send(200, HTML, "text/html"),
    "empty": _text(""),
    "null": _text(None),
    "filtered": _text("", "content_filter"),
    "refusing": _text(None, refusal="I would rather not"),
    "not-json": _text("Sure! Here are your items: 1. ..."),
    "fenced": _text('```json\n{"items": []}\n```'),
    "wrong-shape": _text('[{"query": "q", "calls": []}]'),
    "wrong-items": _text(json.dumps({"items": [{"query": "q", "call": []}] * 20})),
    "fewer": _fewer,
    "swelling": lambda handler, body, before: handler.send(200, gzip.compress(b" " * HUGE, 1), Content_Encoding="gzip"),
    "huge": lambda handler, body, before: handler.huge(200),
    "huge-error": lambda handler, body, before: handler.huge(500),
    "no-schema": _no_schema,
    "too-long": lambda handler, body, before: handler.error(400, "prompt is longer than the model's context"),
    "no-such-model": lambda handler, body, before: handler.error(404, "no such model"),
    "moderated": _moderated,
    "taken-back": _taken_back,
    "slow-refusal": _slow_refusal,
    "half-character": _text('{"items": [{"query": "\ud83d", "calls": []}]}'),
    "wrong-key": lambda handler, body, before: handler.error(401, f"Incorrect API key provided: {_key(handler)}"),
    "quoting": lambda handler, body, before: handler.send(200, f"{'x' * 190}{_key(handler)}".encode(), "text/html"),
    "refusing-with-key": lambda handler, body, before: handler.send(
        200, completion(None, refusal=f"{'x' * 190}{_key(handler)}")
    ),
}
"""Model name -> what happens to a request."""
