"""How `mcp:` sources are read, and what of them may be shown."""

from __future__ import annotations

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.tools.mcp_source.address import is_loopback, parse, without_user
from data_pipeline.tools.mcp_source.text import one_line


def test_a_command_is_split_as_a_shell_would() -> None:
    address = parse("mcp:uvx 'mcp server' --name \"a b\" $HOME *")
    assert address.command == ("uvx", "mcp server", "--name", "a b", "$HOME", "*")
    assert (address.url, address.shown) == ("", "mcp:uvx 'mcp server' --name \"a b\" $HOME *")


@pytest.mark.parametrize("url", ["https://host/mcp", "http://127.0.0.1:8000/mcp", "http://[::1]:1/", "https://h"])
def test_a_url_is_kept_as_written(url: str) -> None:
    address = parse(f"mcp:{url}")
    assert (address.command, address.url, address.shown) == ((), url, f"mcp:{url}")


@pytest.mark.parametrize(
    "source",
    [
        "mcp:",
        "mcp:  ",
        "mcp",
        "json:x",
        "mcp:'unbalanced",
        "mcp:''",
        "mcp:a\0b",
        "mcp:ftp://host/x",
        "mcp:file:///etc/passwd",
        "mcp:http://",
        "mcp:https:///path",
        "mcp:http://h:port/",
        "mcp:http://h:99999/",
        "mcp:https://host/a b",
        "mcp:https://ho\nst/",
        "mcp:https://[::1/",
    ],
)
def test_what_names_no_server_is_refused_in_one_line(source: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("mcp:https://me:pass@host:1/mcp", "mcp:https://host:1/mcp"),
        ("mcp:https://me:p@ss@host/mcp", "mcp:https://host/mcp"),
        ("mcp:https://host/mcp?api_key=abc&tools=a,b&Key=k", "mcp:https://host/mcp?api_key=***&tools=a,b&Key=***"),
        ("mcp:https://host/mcp#token=abc", "mcp:https://host/mcp"),
        ("mcp:server --api-key abc --verbose", "mcp:server --api-key '***' --verbose"),
        ("mcp:server --auth-token=abc 'a b'", "mcp:server '--auth-token=***' 'a b'"),
        ("mcp:env GITHUB_TOKEN=abc server", "mcp:env 'GITHUB_TOKEN=***' server"),
        ("mcp:server postgresql://me:pass@host/db", "mcp:server postgresql://host/db"),
        ("mcp:my-token-server --token --quiet", "mcp:my-token-server --token --quiet"),
    ],
)
def test_secrets_are_not_shown(source: str, shown: str) -> None:
    assert parse(source).shown == shown


def test_the_secrets_are_still_used() -> None:
    assert parse("mcp:https://me:pass@host/mcp").url == "https://me:pass@host/mcp"
    assert parse("mcp:server --token abc").command == ("server", "--token", "abc")
    assert without_user("https://me:pass@host/a@b") == "https://host/a@b"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:1/", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]/", True),
        ("http://127.0.0.1.example.org/", False),
        ("http://10.0.0.1/", False),
        ("http://localhost@example.org/", False),
    ],
)
def test_only_this_machine_is_loopback(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_text_of_a_server_cannot_leave_its_line() -> None:
    assert one_line("a\r\n b\x1b[31mred\x07\u202e\ud800 c") == "a b [31mred c"
    assert one_line("x" * 10_000_000, 5) == "xxxxx"
