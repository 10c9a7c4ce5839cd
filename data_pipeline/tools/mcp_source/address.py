"""What stands behind `mcp:`: the words of a command, or a URL; and how to show it without secrets."""

from __future__ import annotations

import ipaddress
import re
import shlex
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from data_pipeline.core.errors import InputError
from data_pipeline.tools.mcp_source.text import one_line

PREFIX = "mcp:"
HIDDEN = "***"

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET_NAME = re.compile(r"token|secret|passw|api[-_]?key|auth|credential|signature", re.IGNORECASE)
_USER_IN_URL = re.compile(r"(?<=://)[^/?#\s]*@")
_QUERY_VALUE = re.compile(r"(?<=[?&])([^=&#]+)=([^&#]*)")


@dataclass(frozen=True)
class Address:
    """Where a server is.

    Attributes:
        shown: the source as the user wrote it, without secrets.
        command: words of the command of a stdio server; empty for a URL.
        url: of a streamable HTTP server, as written; '' for a command.
    """

    shown: str
    command: tuple[str, ...] = ()
    url: str = ""


def parse(source: str) -> Address:
    """Read a source such as `mcp:uvx mcp-server-time` or `mcp:https://host/mcp`.

    Raises:
        InputError: it has another prefix, no command, unbalanced quotes, or a URL that is none.
    """
    rest = source[len(PREFIX) :].strip() if source.startswith(PREFIX) else ""
    if not rest:
        raise InputError(f"'{one_line(source)}' names no MCP server; write mcp:COMMAND or mcp:URL")
    if _URL.match(rest):
        return Address(shown=f"{PREFIX}{_shown_url(rest)}", url=_checked_url(rest))
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise InputError(f"mcp: the command cannot be split into words ({error}); balance its quotes") from error
    if "\0" in rest or not words or not words[0]:
        raise InputError("mcp: the command is empty or holds a NUL; write mcp:COMMAND or mcp:URL")
    return Address(shown=f"{PREFIX}{_shown_command(rest, words)}", command=tuple(words))


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without_user(url: str) -> str:
    """The URL without user name and password."""
    return _USER_IN_URL.sub("", url, count=1)


def _checked_url(url: str) -> str:
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            f"'{PREFIX}{_shown_url(url)}' is no URL of an MCP server; write mcp:http(s)://HOST[:PORT]/PATH"
        )
    return url


def _split(url: str) -> SplitResult | None:
    """The URL's parts; None where it is malformed."""
    if any(c.isspace() or not c.isprintable() for c in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def _shown_url(url: str) -> str:
    plain = without_user(url.partition("#")[0])
    return one_line(_QUERY_VALUE.sub(lambda found: f"{found[1]}={_hidden(found[1], found[2])}", plain), 2000)


def _hidden(name: str, value: str) -> str:
    # Shorter names, such as `key`, are secrets in URLs only.
    return HIDDEN if value and (_SECRET_NAME.search(name) or name.lower() in ("key", "sig", "code")) else value


def _shown_command(command: str, words: list[str]) -> str:
    """The command as written, unless it holds secrets: passwords in URLs, values of options named like one."""
    shown = []
    value_of_secret = False
    for word in words:
        shown.append(HIDDEN if value_of_secret and not word.startswith("-") else _shown_word(word))
        value_of_secret = word.startswith("-") and "=" not in word and bool(_SECRET_NAME.search(word))
    return command if shown == words else shlex.join(shown)


def _shown_word(word: str) -> str:
    name, equals, value = word.partition("=")
    if equals and value and _SECRET_NAME.search(name) and "://" not in name:
        return f"{name}={HIDDEN}"
    return _USER_IN_URL.sub("", word)
