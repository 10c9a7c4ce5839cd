"""Tools of httpbin's own Swagger document, called for real on a server in this process."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.tools.openapi import open_openapi
from data_pipeline.tools.runner import Call, SourceTools
from data_pipeline.tools.schema_check import argument_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.alone

pytest.importorskip("httpx", reason="needs httpx")
pytest.importorskip("httpbin", reason="needs httpbin")

BASIC = {"type": "basic"}
BEARER = {"type": "apiKey", "in": "header", "name": "Authorization"}


def _document() -> dict[str, Any]:
    """What httpbin serves as /spec.json where flasgger is installed, made of the same docstrings where not."""
    import yaml
    from httpbin import app

    served = app.test_client().get("/spec.json")
    if served.status_code == 200:
        return dict(json.loads(served.data))
    paths: dict[str, Any] = {}
    for rule in app.url_map.iter_rules():
        summary, marked, stated = (app.view_functions[rule.endpoint].__doc__ or "").partition("---")
        if not marked:
            continue
        path = rule.rule.replace("<path:", "<").replace("<int:", "<").replace("<float:", "<")
        read = yaml.safe_load(stated)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            operation = {"summary": " ".join(summary.split()), **read.get(method.lower(), read)}
            paths.setdefault(path.replace("<", "{").replace(">", "}"), {})[method.lower()] = operation
    info = {"title": "httpbin.org", "version": "0"}
    return {"swagger": "2.0", "info": info, "host": "httpbin.org", "schemes": ["https"], "paths": paths}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """URL of httpbin on loopback, with its document at /spec.json."""
    from httpbin import app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    document = json.dumps(_document()).encode()

    def with_document(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] == "/spec.json":
            start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(document)))])
            return [document]
        return app(environ, start)

    server = make_server("127.0.0.1", 0, with_document, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


@pytest.fixture(scope="module")
def httpbin(base: str) -> SourceTools:
    return open_openapi(f"openapi:{base}/spec.json@{base}", allow_write=True)


def call(source: SourceTools, name: str, seconds: float = 10, /, **arguments: Any) -> Any:
    tool = next(tool for tool in source.tools if tool.name == name)
    assert argument_errors(tool, arguments) is None
    assert source.runner is not None
    (result,) = source.runner.run([Call(tool, arguments)], seconds)
    print(f"{name}{arguments}: {result.status} {str(result.result)[:100]} {result.error}")
    return result


def test_the_whole_document_is_described(httpbin: SourceTools, base: str) -> None:
    print(f"{len(httpbin.tools)} tools, {len(httpbin.refused)} refused")
    assert len(httpbin.tools) >= 75
    assert httpbin.refused == ()
    assert httpbin.provenance.source == f"openapi:{base}/spec.json@{base}"
    assert httpbin.provenance.executable
    assert {tool.source for tool in httpbin.tools} == {httpbin.provenance.source}
    assert {t.side_effects for t in httpbin.tools if t.name.startswith("get_")} == {"read"}
    assert {t.side_effects for t in httpbin.tools if not t.name.startswith("get_")} == {"write"}


def test_only_reading_is_offered_unless_allowed(base: str) -> None:
    found = open_openapi(f"openapi:{base}/spec.json@{base}")
    assert {tool.side_effects for tool in found.tools} == {"read"}
    assert {refusal.name.partition("_")[0] for refusal in found.refused} == {"delete", "patch", "post", "put", "trace"}
    assert all("allow_write" in refusal.reason for refusal in found.refused)


def test_json_is_the_result(httpbin: SourceTools) -> None:
    assert call(httpbin, "get_json").result["slideshow"]["author"] == "Yours Truly"
    got = call(httpbin, "get_get")
    assert got.status == "ok"
    assert got.result["headers"]["Accept"].startswith("application/json")


@pytest.mark.parametrize("name", ["get_gzip", "get_deflate"])
def test_compressed_answers(httpbin: SourceTools, name: str) -> None:
    assert call(httpbin, name).status == "ok"


def test_a_compression_that_was_not_asked_for(httpbin: SourceTools) -> None:
    pytest.importorskip("brotlicffi", reason="httpbin needs brotlicffi to answer")
    assert call(httpbin, "get_brotli").status == "crashed"


def test_text_and_html(httpbin: SourceTools) -> None:
    assert "Moby-Dick" in str(call(httpbin, "get_html").result)
    assert str(call(httpbin, "get_robots_txt").result).startswith("User-agent")
    assert "∮" in str(call(httpbin, "get_encoding_utf8").result)


@pytest.mark.parametrize(("code", "error"), [(404, "HTTP 404: NOT FOUND"), (500, "HTTP 500: INTERNAL SERVER ERROR")])
def test_status_codes(httpbin: SourceTools, code: int, error: str) -> None:
    result = call(httpbin, "get_status_codes", codes=str(code))
    assert (result.status, result.error) == ("tool_error", error)


@pytest.mark.parametrize("code", [200, 204])
def test_an_empty_answer_is_told_by_its_status(httpbin: SourceTools, code: int) -> None:
    result = call(httpbin, "get_status_codes", codes=str(code))
    assert result.status == "ok"
    assert result.result["status"] == code


def test_a_delay_within_the_time_and_beyond(httpbin: SourceTools) -> None:
    assert call(httpbin, "get_delay_delay", 10, delay=1).status == "ok"
    late = call(httpbin, "get_delay_delay", 0.5, delay=5)
    assert late.status == "timeout"
    assert late.seconds < 1.5


def test_a_drip_of_bytes_is_late_though_each_is_on_time(httpbin: SourceTools) -> None:
    late = call(httpbin, "get_drip", 1, duration=8, numbytes=16)
    assert late.status == "timeout"
    assert late.seconds < 2


def test_bytes_are_told_by_their_size(httpbin: SourceTools) -> None:
    result = call(httpbin, "get_bytes_n", n=1000)
    assert result.result == {"status": 200, "content_type": "application/octet-stream", "bytes": 1000}
    assert call(httpbin, "get_bytes_n", n=100_000).status == "output_too_large"
    assert call(httpbin, "get_stream_bytes_n", n=100_000).status == "output_too_large"


def test_redirects_on_the_same_server(httpbin: SourceTools) -> None:
    for name in ("get_redirect_n", "get_relative_redirect_n", "get_absolute_redirect_n"):
        assert call(httpbin, name, n=3).status == "ok"
    assert call(httpbin, "get_redirect_n", n=9).status == "tool_error"


def test_redirects_elsewhere(httpbin: SourceTools, base: str) -> None:
    assert call(httpbin, "get_redirect_to", url=f"{base}/json").status == "ok"
    for url in ("http://example.com/", base.replace("127.0.0.1", "localhost") + "/json", "file:///etc/passwd"):
        result = call(httpbin, "get_redirect_to", url=url, status_code=307)
        assert result.status == "denied", result


def test_cookies_last_for_one_call(httpbin: SourceTools) -> None:
    result = call(httpbin, "get_cookies_set", freeform={"a b": "1;2", "c": "é"})
    assert result.status == "ok"
    assert call(httpbin, "get_cookies_set_name_value", name="n", value="v").result == {"cookies": {"n": "v"}}
    assert call(httpbin, "get_cookies").result == {"cookies": {}}


def test_headers_as_arguments(httpbin: SourceTools) -> None:
    assert call(httpbin, "get_cache").status == "ok"
    result = call(httpbin, "get_cache", **{"If-None-Match": "x"})
    assert result.error.startswith("HTTP 304")
    denied = call(httpbin, "get_cache", **{"If-None-Match": "x\r\nX-Evil: 1"})
    assert denied.status == "denied"


@pytest.mark.parametrize(
    "value", ["a b", "../../json", "a/b?c=d#e", "%2e%2e", "..;", "é✓", "a%0d%0ab", "{anything}", "..."]
)
def test_a_value_stays_in_its_part_of_the_path(httpbin: SourceTools, base: str, value: str) -> None:
    result = call(httpbin, "get_anything_anything", anything=value)
    assert result.result["args"] == {}
    assert result.result["url"].startswith(f"{base}/anything/")


@pytest.mark.parametrize("value", ["..", ".", ""])
def test_a_value_that_cannot_stay_there_is_refused(httpbin: SourceTools, value: str) -> None:
    assert call(httpbin, "get_anything_anything", anything=value).status == "denied"


def _with(tmp_path: Any, base: str, name: str, scheme: dict[str, Any]) -> SourceTools:
    """httpbin's document with the security that its operations check."""
    document = _document()
    document["securityDefinitions"] = {name: scheme}
    document["security"] = [{name: []}]
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return open_openapi(f"openapi:{path}@{base}")


def test_basic_credentials_of_the_environment(
    tmp_path: Any, base: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = _with(tmp_path, base, "login", BASIC)
    monkeypatch.delenv("XLAM_OPENAPI_BASIC", raising=False)
    missing = call(source, "get_basic_auth_user_passwd", user="me", passwd="s3cret")
    assert missing.status == "tool_error"
    assert "XLAM_OPENAPI_BASIC" in missing.error
    monkeypatch.setenv("XLAM_OPENAPI_BASIC", "me:s3cret")
    found = call(source, "get_basic_auth_user_passwd", user="me", passwd="s3cret")
    assert found.result == {"authenticated": True, "user": "me"}
    echoed = call(source, "get_headers")
    assert echoed.result["headers"]["Authorization"] == "Basic ***"
    kept = [repr(source.provenance), repr(source.tools), repr(vars(source.runner)), repr(missing), repr(echoed)]
    assert not any("s3cret" in text or "bWU6czNjcmV0" in text for text in kept)


def test_a_key_that_is_a_whole_header(tmp_path: Any, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _with(tmp_path, base, "my-token", BEARER)
    monkeypatch.setenv("XLAM_OPENAPI_KEY_MY_TOKEN", "Bearer abcdef")
    bearer = next(tool for tool in source.tools if tool.name == "get_bearer")
    assert bearer.properties == {}
    assert call(source, "get_bearer").result == {"authenticated": True, "token": "abcdef"}


def _posting(path: str, name: str, media: str, schema: dict[str, Any]) -> dict[str, Any]:
    content = {"content": {media: {"schema": schema}}}
    return {path: {"post": {"summary": "Post.", "operationId": name, "requestBody": content}}}


def test_bodies(tmp_path: Any, base: str) -> None:
    properties = {"text": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}
    schema = {"type": "object", "properties": properties}
    paths = {
        **_posting("/post", "json", "application/json", schema),
        **_posting("/anything", "form", "application/x-www-form-urlencoded", schema),
        **_posting("/anything/multi", "multi", "multipart/form-data", schema),
        **_posting("/anything/text", "text", "text/plain", {"type": "string"}),
    }
    path = tmp_path / "bodies.json"
    path.write_text(json.dumps({"openapi": "3.0.3", "info": {}, "paths": paths}), encoding="utf-8")
    source = open_openapi(f"openapi:{path}@{base}", allow_write=True)
    given = {"text": 'é & = "x"\r\n--', "tags": ["a b", "c"]}
    assert call(source, "json", **given).result["json"] == given
    for name in ("form", "multi"):
        answer = call(source, name, **given).result
        assert answer["form"] == given
        assert answer["files"] == {}
    assert call(source, "text", body="héllo").result["data"] == "héllo"
    assert call(source, "json").result["data"] == ""


def test_many_calls_in_one_run(httpbin: SourceTools) -> None:
    by_name = {tool.name: tool for tool in httpbin.tools}
    calls = [Call(by_name["get_status_codes"], {"codes": str(code)}) for code in (200, 404, 200)]
    calls.insert(1, Call(by_name["get_delay_delay"], {"delay": 5}))
    assert httpbin.runner is not None
    results = httpbin.runner.run(calls, 0.5)
    assert [result.status for result in results] == ["ok", "timeout", "tool_error", "ok"]
    httpbin.runner.close()
    assert httpbin.runner.run(calls[:1], 5)[0].status == "ok"
