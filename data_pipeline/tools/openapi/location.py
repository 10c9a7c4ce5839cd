"""Where a document is and where its calls go: `openapi:FILE_OR_URL[@BASE_URL]` taken apart."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

from data_pipeline.core.errors import InputError

PREFIX = "openapi:"

_BASE = re.compile(r"@(?=https?://)", re.IGNORECASE)
_SECRET_NAME = re.compile(r"key|token|secret|passw|signature|credential|^(sig|auth|code|pw|pwd)$", re.IGNORECASE)


class Location(NamedTuple):
    """A source taken apart.

    Attributes:
        document: path or URL as the user wrote it, user and password included.
        base: URL that replaces the document's own, without user and password; '' if none is given.
        shown: the whole source without secrets: what may be stored and printed.
    """

    document: str
    base: str
    shown: str


def read_location(source: str) -> Location:
    """Take `openapi:FILE_OR_URL[@BASE_URL]` apart; the base is what follows the last '@http(s)://'.

    Raises:
        InputError: there is no document, or the base is no http(s) URL.
    """
    text = source.removeprefix(PREFIX)
    places = [match.start() for match in _BASE.finditer(text)]
    document, base = (text[: places[-1]], text[places[-1] + 1 :]) if places else (text, "")
    if not document:
        raise InputError(f"'{PREFIX}' names no document; write it as {PREFIX}FILE_OR_URL[@BASE_URL]")
    if base and not is_http(base):
        raise InputError(f"'{without_secrets(base)}' is no base URL; write it as https://host/path")
    shown = PREFIX + without_secrets(document) + (f"@{without_secrets(base)}" if base else "")
    return Location(document, bare(base), shown)


def is_url(text: str) -> bool:
    """Whether this is meant as a URL rather than as a file."""
    return "://" in text


def is_http(text: str) -> bool:
    """Whether this is a whole http(s) URL with a host."""
    parts = _split(text)
    return parts is not None and parts.scheme.lower() in ("http", "https") and bool(parts.hostname)


def without_user(url: str) -> str:
    """The URL without user and password: either may be a token."""
    parts = _split(url)
    if parts is None or "@" not in parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def bare(url: str) -> str:
    """An http(s) URL below which paths can be written: without user, query and fragment; '' for others."""
    parts = _split(without_user(url))
    return parts._replace(query="", fragment="").geturl().rstrip("/") if parts and is_http(url) else ""


def base_url(data: dict[str, Any], document_url: str) -> str:
    """The URL below which a document's operations are; '' if it does not say and came from a file."""
    if "swagger" not in data:
        return server_url(data.get("servers"), document_url) or bare(urljoin(document_url, "/"))
    own = _split(document_url)
    schemes = [scheme for scheme in _list(data.get("schemes")) if scheme in ("http", "https")]
    scheme = "https" if "https" in schemes or not (schemes or document_url) else (schemes or [own and own.scheme])[0]
    host = data.get("host") or (own.netloc if own else "")
    return bare(f"{scheme}://{host}/{str(data.get('basePath') or '').lstrip('/')}") if host else ""


def server_url(servers: Any, document_url: str) -> str:
    """The first of OpenAPI 3's `servers`, its variables at their defaults; '' if there is none to use."""
    first = next(iter(_list(servers)), None)
    if not isinstance(first, dict) or not isinstance(first.get("url"), str):
        return ""
    url = first["url"]
    variables = first.get("variables")
    for name, variable in (variables if isinstance(variables, dict) else {}).items():
        if isinstance(variable, dict):
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return bare(urljoin(document_url, url))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def user_of(url: str) -> str:
    """'user:password' as the URL holds it, still percent-encoded; '' if it has none."""
    parts = _split(url)
    return parts.netloc.rpartition("@")[0] if parts else ""


def without_secrets(text: str) -> str:
    """A URL without user and password, and without the values of query parameters named like a secret."""
    if not is_url(text):
        return text
    parts = _split(text)
    if parts is None:
        # Nothing can be told apart in it, so only the beginning is kept.
        return f"{text.partition('://')[0]}://…"
    query = parse_qsl(parts.query, keep_blank_values=True)
    if any(_SECRET_NAME.search(name) for name, _ in query):
        kept = [(name, "***" if _SECRET_NAME.search(name) else value) for name, value in query]
        parts = parts._replace(query=urlencode(kept, safe="*"))
    return without_user(parts.geturl())


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        # Reading the port is what finds a wrong one.
        _ = parts.port
    except ValueError:
        return None
    return parts
