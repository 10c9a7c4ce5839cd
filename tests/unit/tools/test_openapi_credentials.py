"""Credentials: sent where they are asked for, to their own server, and found nowhere else."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from openapi_server import BEHAVIOURS, Server, answer, redirect, run

from data_pipeline.tools.openapi.security import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("httpx", reason="needs httpx")


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


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


def test_what_a_server_repeats_of_a_credential_is_hidden(server: Server, secrets: dict[str, str]) -> None:
    BEHAVIOURS["/echo"] = answer(json.dumps({"got": ["Bearer tok3n-of-mine", {"tok3n-of-mine": 1}]}).encode())
    BEHAVIOURS["/echo-error"] = answer(b"no such token: tok3n-of-mine", "text/plain", "401 Unauthorized")
    BEHAVIOURS["/echo-basic"] = answer(b"dXNlcjpwYTU1d29yZCBvZiBtaW5l is pa55word of mine", "text/plain")
    bearer, basic = (("bearer",),), (("basic",),)
    assert run(server.url, "/echo", schemes=SCHEMES, security=bearer).result == {"got": ["Bearer ***", {"***": 1}]}
    assert run(server.url, "/echo-error", schemes=SCHEMES, security=bearer).error == "HTTP 401: no such token: ***"
    assert run(server.url, "/echo-basic", schemes=SCHEMES, security=basic).result == "*** is ***"


@pytest.mark.parametrize("depth", [100, 400, 800, 950])
def test_an_answer_of_any_depth(server: Server, secrets: dict[str, str], depth: int) -> None:
    BEHAVIOURS["/deep"] = answer(b"[" * depth + b"]" * depth)
    assert run(server.url, "/deep", schemes=SCHEMES, security=(("bearer",),)).status in ("ok", "tool_error")


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
