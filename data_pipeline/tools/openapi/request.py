"""Arguments back into the parts of an HTTP request: path, query, headers, cookies and body.

Values are data: whatever they hold, they stay in their place. Where that cannot be had, such as with
'..' as a whole path segment or a line break in a header, the call is refused rather than bent.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote

from data_pipeline.core.schema import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data_pipeline.tools.openapi.security import Security

Place = Literal["path", "query", "header", "cookie", "body"]

_DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}
_RESERVED = "/:?@!$'()*,;"
_COOKIE_SAFE = "!#$&'()*+-./:<=>?@[]^_`{|}~"
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_TEMPLATE = re.compile(r"\{([^{}]+)\}")


class UnsafeValue(ValueError):
    """A value that cannot be sent without changing what is asked for."""


class Slot(NamedTuple):
    """Where one argument goes.

    Attributes:
        argument: its name among the arguments.
        name: its name in the request.
        place: the part of the request.
        style: how lists and objects are written there, in OpenAPI 3's words.
        explode: whether each item or property is written by itself.
        reserved: whether reserved characters stay as they are.
        as_json: whether the value is written as JSON text.
    """

    argument: str
    name: str
    place: Place
    style: str = "form"
    explode: bool = True
    reserved: bool = False
    as_json: bool = False


class Body(NamedTuple):
    """How the body is written.

    Attributes:
        media: its content type.
        form: what that comes to.
        whole: the argument that is the whole body; '' where the arguments are its properties.
        required: whether a body is sent even without arguments for it.
    """

    media: str
    form: Literal["json", "form", "multipart", "text"]
    whole: str = ""
    required: bool = False


@dataclass(frozen=True)
class Operation:
    """What a tool does on the wire.

    Attributes:
        method: in upper case.
        path: the template, below the base URL.
        slots: where the arguments go.
        body: how the body is written; None where there is none.
        base: base URL of this operation alone; '' for the document's.
        security: which credentials it asks for.
    """

    method: str
    path: str
    slots: tuple[Slot, ...] = ()
    body: Body | None = None
    base: str = ""
    security: Security = ()


class Request(NamedTuple):
    """A request without credentials.

    Attributes:
        method: in upper case.
        target: path below the base URL and query, percent-encoded.
        headers: by name, those of content and cookies included.
        content: the body; None if there is none.
    """

    method: str
    target: str
    headers: dict[str, str]
    content: bytes | None = None


def unfold(operation: Operation, arguments: Mapping[str, Any]) -> Request:
    """The request of a call.

    Args:
        operation: what the tool does.
        arguments: checked against the tool's schema.

    Raises:
        UnsafeValue: a value would change another part of the request.
    """
    # In a body, null may mean something; elsewhere there is no way to write it.
    given = [
        (slot, arguments[slot.argument])
        for slot in operation.slots
        if slot.argument in arguments and (slot.place == "body" or arguments[slot.argument] is not None)
    ]
    try:
        target = _path(operation.path, given)
        query = "&".join(pair for slot, value in given if slot.place == "query" for pair in _query(slot, value))
        if query:
            target += ("&" if "?" in target else "?") + query
        headers = {slot.name: _header(slot, value) for slot, value in given if slot.place == "header"}
        cookies = [pair for slot, value in given if slot.place == "cookie" for pair in _cookie(slot, value)]
        if cookies:
            headers["Cookie"] = "; ".join(cookies)
        content, media = _content(operation.body, arguments, given)
    except UnicodeEncodeError as error:
        raise UnsafeValue("a value holds half a character, which cannot be sent") from error
    if media:
        headers["Content-Type"] = media
    return Request(operation.method, target, headers, content)


def template_names(path: str) -> list[str]:
    """The parameters that a path template has, in order."""
    return list(dict.fromkeys(_TEMPLATE.findall(path)))


def _text(value: Any) -> str:
    """A value as it stands in a URL: text bare, everything else as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _encode(value: Any, *, reserved: bool = False) -> str:
    return quote(_text(value), safe=_RESERVED if reserved else "")


def _path(template: str, given: list[tuple[Slot, Any]]) -> str:
    values = {slot.name: _segment(slot, value) for slot, value in given if slot.place == "path"}
    pieces = _TEMPLATE.split(template)
    for index in range(1, len(pieces), 2):
        if pieces[index] not in values:
            raise UnsafeValue(f"the path needs a value for '{pieces[index]}'")
        pieces[index] = values[pieces[index]]
    for index in range(0, len(pieces), 2):
        pieces[index] = quote(pieces[index], safe="/:@!$&'()*+,;=~-._%?")
    path = "".join(pieces)
    for segment, pattern in zip(path.partition("?")[0].split("/"), template.split("/"), strict=False):
        # Servers take '%2E' for a dot, so encoding does not help here.
        if segment in (".", "..") and pattern != segment:
            raise UnsafeValue(f"'{segment}' as a part of the path would lead to another path")
    return path


def _segment(slot: Slot, value: Any) -> str:
    text = _simple(slot, value, _encode)
    if not text:
        raise UnsafeValue(f"the path needs a value for '{slot.name}' that is not empty")
    return text


def _simple(slot: Slot, value: Any, write: Any) -> str:
    """Style 'simple': items separated by commas, which the items themselves do not hold."""
    if slot.as_json:
        return str(write(dumps(value)))
    if isinstance(value, list):
        return ",".join(write(item) for item in value)
    if isinstance(value, dict):
        joint = "=" if slot.explode else ","
        return ",".join(f"{write(key)}{joint}{write(item)}" for key, item in value.items())
    return str(write(value))


def _query(slot: Slot, value: Any) -> list[str]:
    """The 'name=value' pairs of one argument, encoded."""
    name = quote(slot.name, safe="[]$.:@")
    if slot.as_json:
        return [f"{name}={_encode(dumps(value))}"]
    if isinstance(value, dict) and slot.style == "deepObject":
        return _deep(name, value)
    if isinstance(value, dict) and slot.explode:
        return [f"{_encode(key)}={_encode(item, reserved=slot.reserved)}" for key, item in value.items()]
    if isinstance(value, dict):
        value = [part for pair in value.items() for part in pair]
    elif not isinstance(value, list):
        return [f"{name}={_encode(value, reserved=slot.reserved)}"]
    items = [_encode(item, reserved=slot.reserved) for item in value]
    if slot.explode:
        return [f"{name}={item}" for item in items]
    return [f"{name}={_DELIMITERS.get(slot.style, ',').join(items)}"]


def _deep(name: str, value: Any) -> list[str]:
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in _deep(f"{name}[{_encode(key)}]", item)]
    if isinstance(value, list):
        return [pair for item in value for pair in _deep(name, item)]
    return [f"{name}={_encode(value)}"]


def _header(slot: Slot, value: Any) -> str:
    text = _simple(slot, value, _text).strip(" \t")
    if not _HEADER_VALUE.fullmatch(text):
        raise UnsafeValue(f"the value of the header '{slot.name}' holds a character that a header cannot carry")
    return text


def _cookie(slot: Slot, value: Any) -> list[str]:
    def write(part: Any) -> str:
        return quote(_text(part), safe=_COOKIE_SAFE)

    if isinstance(value, list) and slot.explode:
        return [f"{slot.name}={write(item)}" for item in value]
    return [f"{slot.name}={_simple(slot, value, write)}"]


def _content(
    body: Body | None, arguments: Mapping[str, Any], given: list[tuple[Slot, Any]]
) -> tuple[bytes | None, str]:
    """The body and its content type."""
    if body is None:
        return None, ""
    named = {s.name: value for s, value in given if s.place == "body"}
    if body.whole:
        value = arguments.get(body.whole)
        if body.whole not in arguments:
            return None, ""
    elif named or body.required:
        value = named
    else:
        return None, ""
    if body.form == "json":
        return dumps(value).encode(), body.media
    if body.form == "text":
        return _text(value).encode(), f"{body.media}; charset=utf-8"
    fields = _fields(value if isinstance(value, dict) else {})
    return _multipart(fields) if body.form == "multipart" else (_form(fields), body.media)


def _fields(value: dict[str, Any]) -> list[tuple[str, str]]:
    """Form fields: a list repeats its name, what is nested is written as JSON."""
    pairs = [(name, item) for name, v in value.items() for item in (v if isinstance(v, list) else [v])]
    return [(name, _text(item)) for name, item in pairs]


def _form(fields: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in fields).encode()


def _multipart(fields: list[tuple[str, str]]) -> tuple[bytes, str]:
    # A boundary made of the content cannot be in it, unless someone breaks SHA-256 for it.
    boundary = hashlib.sha256(repr(fields).encode()).hexdigest()
    parts = []
    for name, value in fields:
        label = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{label}"\r\n\r\n{value}\r\n')
    return "".join([*parts, f"--{boundary}--\r\n"]).encode(), f"multipart/form-data; boundary={boundary}"
