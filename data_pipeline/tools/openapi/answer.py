"""What a server answered -> a JSON value, or why there is none; nothing larger than the cap is held."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from data_pipeline.core.schema import dumps
from data_pipeline.tools.runner import MAX_RESULT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import httpx

    from data_pipeline.tools.runner import Status

MAX_ERROR_CHARS = 200

_MAX_ERROR_BYTES = 4096
_SHOWN_HEADERS = ("content-type", "content-length", "etag", "last-modified", "location", "allow", "retry-after")
# Not any that Python knows: some of them take a time that grows with the square of the length.
_CHARSETS = frozenset(
    {
        "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "iso-8859-2", "iso-8859-15", "windows-1250",
        "windows-1251", "windows-1252", "koi8-r", "shift_jis", "euc-jp", "euc-kr", "gb2312", "gbk", "gb18030", "big5",
        "utf-16", "utf-16le", "utf-16be",
    }
)  # fmt: skip

Outcome = tuple["Status", Any, str]
"""Status, result and error."""


class TooLargeError(Exception):
    """There is more than the cap."""


class BrokenContentError(Exception):
    """The body is not encoded as its headers say."""


def read_answer(response: httpx.Response, endless: bool) -> Outcome:
    """The result of a call.

    Args:
        response: its body not read yet.
        endless: whether it is one more redirect after too many.

    Raises:
        BrokenContentError: the body is not encoded as its headers say.
        httpcore exceptions: the connection failed or time ran out.
    """
    if endless:
        return "tool_error", None, f"HTTP {response.status_code}: redirected too often"
    if not 200 <= response.status_code < 300:
        return "tool_error", None, _failure(response)
    try:
        content = read_body(response, MAX_RESULT_BYTES)
        result = _result(response, content)
        if len(dumps(result)) > MAX_RESULT_BYTES:
            raise TooLargeError
    except TooLargeError:
        return "output_too_large", None, f"the answer is larger than {MAX_RESULT_BYTES >> 10} kB"
    except (ValueError, RecursionError) as error:
        return "tool_error", None, f"the answer is not the JSON it claims to be ({_first_line(str(error))})"
    return "ok", result, ""


def read_body(response: httpx.Response, limit: int) -> bytes:
    """The body, decompressed.

    Raises:
        TooLargeError: it is larger than the limit.
        BrokenContentError: it is not compressed as its headers say, or in a way that was not asked for.
    """
    parts, size = [], 0
    for part in _decoded(response.headers.get("content-encoding", ""), response.iter_raw(), limit):
        size += len(part)
        if size > limit:
            raise TooLargeError
        parts.append(part)
    return b"".join(parts)


def _decoded(stated: str, chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    encodings = [name for part in stated.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if not encodings:
        yield from chunks
        return
    if len(encodings) > 1 or encodings[0] not in ("gzip", "x-gzip", "deflate"):
        raise BrokenContentError(f"its encoding '{stated[:40]}' was not asked for")
    try:
        yield from _inflate(chunks, limit, gzip=encodings[0] != "deflate")
    except zlib.error as error:
        raise BrokenContentError(f"it is no {encodings[0]} data") from error


def _inflate(chunks: Iterable[bytes], limit: int, *, gzip: bool) -> Iterator[bytes]:
    """Decompress, at most one byte more than the limit at a time: a kilobyte may hold a megabyte."""
    decoder = None
    for chunk in chunks:
        if decoder is None:
            # 'deflate' should have a zlib header, and some servers leave it out.
            bare = not gzip and chunk[:1] and chunk[0] & 0x0F != 8
            decoder = zlib.decompressobj(31 if gzip else -15 if bare else 15)
        rest = chunk
        while rest and not decoder.eof:
            yield decoder.decompress(rest, limit + 1)
            rest = decoder.unconsumed_tail
    if decoder is not None and not decoder.eof:
        raise BrokenContentError("its compressed data ends too early")


def _failure(response: httpx.Response) -> str:
    """'HTTP 404: ' and what the server says of it, in one line."""
    parts: list[bytes] = []
    try:
        for part in _decoded(response.headers.get("content-encoding", ""), response.iter_raw(), _MAX_ERROR_BYTES):
            parts.append(part)
            if sum(map(len, parts)) > _MAX_ERROR_BYTES:
                break
    except BrokenContentError:
        parts = []
    kind = _kind(response)
    text = b"".join(parts)[:_MAX_ERROR_BYTES].decode("utf-8", errors="replace").strip()
    if _is_json(kind):
        text = " ".join(text.split())
    elif "html" in kind:
        text = ""
    said = _first_line(text) or response.reason_phrase or "no reason given"
    return f"HTTP {response.status_code}: {said}"


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    printable = "".join(character if character.isprintable() else " " for character in line)
    return printable if len(printable) <= MAX_ERROR_CHARS else f"{printable[: MAX_ERROR_CHARS - 1]}…"


def _kind(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _is_json(kind: str) -> bool:
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def _result(response: httpx.Response, content: bytes) -> Any:
    """The body as a value; where there is none, or one that is no text, what the headers say of it.

    Raises:
        ValueError: it should be JSON and is not.
    """
    if not content:
        shown = {name: response.headers[name] for name in _SHOWN_HEADERS if name in response.headers}
        return {"status": response.status_code, "headers": shown}
    if _is_json(_kind(response)):
        return json.loads(content, parse_constant=_no_constant)
    text = _text(response, content)
    if text is None:
        return {"status": response.status_code, "content_type": _kind(response), "bytes": len(content)}
    return text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _text(response: httpx.Response, content: bytes) -> str | None:
    """The body as text; None where it is something else, such as an image."""
    stated = str(response.charset_encoding or "utf-8").lower()
    for charset in dict.fromkeys((stated, "utf-8")):
        if charset in _CHARSETS:
            try:
                text = content.decode(charset)
            except UnicodeDecodeError:
                continue
            return None if "\0" in text else text
    return None
