"""Documents from files and URLs: what is read, what is refused in one line, and what is never written."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.tools.openapi import document, open_openapi
from data_pipeline.tools.openapi.document import References, load
from data_pipeline.tools.openapi.location import base_url, read_location, without_secrets
from data_pipeline.tools.schema_form import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPERATION = {"operationId": "look_up", "summary": "Look a word up."}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Words", "version": "1.2", "license": {"name": "MIT"}},
    "servers": [{"url": "https://words.example/v1"}],
    "paths": {"/words": {"get": OPERATION}},
}


@pytest.mark.parametrize(
    ("source", "document_at", "base", "shown"),
    [
        ("openapi:api.json", "api.json", "", "openapi:api.json"),
        ("openapi:a@b.yaml", "a@b.yaml", "", "openapi:a@b.yaml"),
        ("openapi:a.json@http://h:1/v2/", "a.json", "http://h:1/v2", "openapi:a.json@http://h:1/v2/"),
        ("openapi:https://u:p@h/a.json", "https://u:p@h/a.json", "", "openapi:https://h/a.json"),
        ("openapi:https://u:p@h/a@https://t@b/v", "https://u:p@h/a", "https://b/v", "openapi:https://h/a@https://b/v"),
        ("openapi:http://h/a?x=1&api_key=s3@https://b?q", "http://h/a?x=1&api_key=s3", "https://b",
         "openapi:http://h/a?x=1&api_key=***@https://b?q"),
    ],
)  # fmt: skip
def test_a_source_is_taken_apart(source: str, document_at: str, base: str, shown: str) -> None:
    assert read_location(source) == (document_at, base, shown)


@pytest.mark.parametrize(
    "source", ["openapi:", "openapi:@http://h", "openapi:a.json@http://", "openapi:a@http://h:port"]
)
def test_a_source_that_is_none(source: str) -> None:
    with pytest.raises(InputError):
        read_location(source)


@pytest.mark.parametrize(
    "url", ["https://tok3n@h/", "https://u:tok3n@h:1/", "http://h/?token=tok3n", "http://u:tok3n@[h/"]
)
def test_secrets_are_taken_out_of_urls(url: str) -> None:
    assert "tok3n" not in without_secrets(url)


@pytest.mark.parametrize(
    ("stated", "at", "base"),
    [
        ({"openapi": "3.0.0", "servers": [{"url": "https://h/v1/"}]}, "", "https://h/v1"),
        ({"openapi": "3.0.0", "servers": [{"url": "/v1"}]}, "https://d/x/api.json", "https://d/v1"),
        ({"openapi": "3.0.0", "servers": [{"url": "v1"}]}, "https://d/x/api.json", "https://d/x/v1"),
        ({"openapi": "3.0.0", "servers": [{"url": "/v1"}]}, "", ""),
        ({"openapi": "3.0.0"}, "https://d:8/x/api.json", "https://d:8"),
        ({"openapi": "3.0.0"}, "", ""),
        ({"openapi": "3.0.0", "servers": "x"}, "", ""),
        ({"openapi": "3.0.0", "servers": [{"url": "wss://h"}]}, "", ""),
        ({"openapi": "3.0.0", "servers": [{"url": "https://u:p@h/v"}]}, "", "https://h/v"),
        (
            {
                "openapi": "3.0.0",
                "servers": [{"url": "https://{r}.h/{v}", "variables": {"r": {"default": "eu"}, "v": {}}}],
            },
            "",
            "https://eu.h",
        ),
        ({"swagger": "2.0", "host": "h", "basePath": "/b"}, "", "https://h/b"),
        ({"swagger": "2.0", "host": "h:8", "schemes": ["http"]}, "", "http://h:8"),
        ({"swagger": "2.0", "host": "h", "schemes": ["http", "https"]}, "", "https://h"),
        ({"swagger": "2.0", "basePath": "/b"}, "http://d:9/swagger.json", "http://d:9/b"),
        ({"swagger": "2.0"}, "", ""),
    ],
)
def test_where_the_server_is(stated: dict[str, Any], at: str, base: str) -> None:
    assert base_url(stated, at) == base


YAML = """
openapi: 3.0.0
info: {title: T, version: 2020-01-01}
paths:
  /w:
    get: &get
      summary: Look up.
      operationId: look_up
      parameters:
        - {name: country, in: query, schema: {type: string, enum: [NO, yes, on], default: NO}}
        - {name: day, in: query, schema: {type: string, example: 2020-01-01}}
        - {name: code, in: query, schema: {type: string, example: 010}}
        - {name: size, in: query, schema: {type: number, maximum: 1e3}}
      responses: {200: {description: ok}}
  /x: {get: {<<: *get, operationId: again}}
"""


def test_yaml_has_the_values_of_version_1_2(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text(YAML, encoding="utf-8")
    found = open_openapi(f"openapi:{path}")
    first, again = found.tools
    assert found.provenance.version == "2020-01-01"
    assert found.runner is None
    assert not found.provenance.executable
    assert first.properties["country"] == {"type": "string", "enum": ["NO", "yes", "on"], "default": "NO"}
    assert first.properties["day"]["examples"] == ["2020-01-01"]
    assert first.properties["code"]["examples"] == ["010"]
    assert first.properties["size"]["maximum"] == 1000
    assert (again.name, again.parameters) == ("again", first.parameters)


LAUGHS = "openapi: 3.0.0\npaths: {}\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected an API description"),
        ("[]", "expected an API description"),
        ('{"openapi": }', ":1: not valid JSON"),
        ('{"openapi": "3.0.0", "x": NaN}', "NaN is no JSON value"),
        ("{}", "neither 'openapi' nor 'swagger'"),
        ('{"openapi": "4.0.0"}', "version '4.0.0' cannot be read"),
        ('{"swagger": "1.2"}', "version '1.2' cannot be read"),
        ('{"swaggerVersion": "1.2"}', "version '1.2' cannot be read"),
        ("openapi: [3", "line "),
        ("a: &a [*a]", "contains itself"),
        (LAUGHS, "aliases stand for more than"),
        ("- " * 100_000, "nested more than"),
        ("[" * 100_000, "nested too deep"),
        ("openapi: " + "[" * 100_000, "nested more than"),
        ("x: !!python/object/apply:os.system [true]", "could not determine a constructor"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_told_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "api.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        open_openapi(f"openapi:{path}")
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"openapi": "3.0.0", "x": "\xff"}')
    for place, message in ((tmp_path / "none.json", "no such file"), (tmp_path, "no such file"), (latin, "not UTF-8")):
        with pytest.raises(InputError, match=message):
            load(str(place))
    monkeypatch.setattr(document, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="larger than"):
        load(str(latin))
    with pytest.raises(InputError, match="only files and http"):
        load("ftp://h/a.json")


def test_references_are_followed_and_circles_found() -> None:
    data = {
        "a": {"b/c": [{"x": 1}], "d~e": 2, "f g": 3},
        "one": {"$ref": "#/two"},
        "two": {"$ref": "#/one"},
        "to": {"$ref": "#/a/b~1c/0"},
    }
    references = References(data)
    assert references.resolve("#/a/b~1c/0") == {"x": 1}
    assert references.resolve("#/a/d~0e") == 2
    assert references.resolve("#/a/f%20g") == 3
    assert references.resolve("#/to") == {"x": 1}
    assert references.follow({"$ref": "#/to"}) == {"x": 1}
    assert references.follow(7) == {}
    for ref, message in (("#/one", "circle"), ("#/none", "not in the document"), ("b.json#/x", "another document")):
        with pytest.raises(Unfit, match=message):
            references.resolve(ref)
    with pytest.raises(Unfit) as caught:
        references.resolve("https://me:s3cret@h/x.json")
    assert "s3cret" not in str(caught.value)


class _Handler(BaseHTTPRequestHandler):
    seen: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:
        type(self).seen.append((self.path, self.headers.get("Authorization")))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/v1/api.json")
            self.end_headers()
            return
        content = json.dumps({**DOCUMENT, "servers": [{"url": "/real"}]}).encode()
        self.send_response(200 if "api.json" in self.path else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    pytest.importorskip("httpx", reason="needs httpx")
    _Handler.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=5)
    server.server_close()


def test_a_document_from_a_url(url: str, tmp_path: Path) -> None:
    with_user = url.replace("//", "//me:s3cret@")
    found = open_openapi(f"openapi:{with_user}/moved")
    assert found.provenance.source == f"openapi:{url}/moved"
    assert (found.provenance.version, found.provenance.licence, found.provenance.executable) == ("1.2", "MIT", True)
    assert [tool.source for tool in found.tools] == [f"openapi:{url}/moved"]
    assert [path for path, _ in _Handler.seen] == ["/moved", "/v1/api.json"]
    assert {given for _, given in _Handler.seen} == {"Basic bWU6czNjcmV0"}
    assert "s3cret" not in repr(found) + repr(vars(found.runner))


def test_what_cannot_be_fetched(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_user = url.replace("//", "//me:s3cret@")
    monkeypatch.setattr(document, "MAX_BYTES", 100)
    cases = (
        (f"{with_user}/none", "HTTP 404"),
        (f"{with_user}/api.json", "larger than"),
        ("http://me:s3cret@127.0.0.1:1/", "cannot be fetched"),
    )
    for place, message in cases:
        with pytest.raises(InputError, match=message) as caught:
            load(place)
        assert "s3cret" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_document_that_takes_too_long(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "FETCH_SECONDS", 0.0)
    with pytest.raises(InputError, match="no whole answer within"):
        load(f"{url}/api.json")


def test_hosts_to_allow_are_hosts(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    assert open_openapi(f"openapi:{path}", allow_hosts=["H.example", "h:8"]).runner is not None
    for host in ("https://h", "*", "", "a b"):
        with pytest.raises(InputError, match="no host to allow"):
            open_openapi(f"openapi:{path}", allow_hosts=[host])


def test_without_httpx_there_is_a_line_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    path = tmp_path / "api.json"
    path.write_text(json.dumps({**DOCUMENT, "servers": []}), encoding="utf-8")
    assert open_openapi(f"openapi:{path}").runner is None
    for source in (f"openapi:{path}@http://h", "openapi:http://h/api.json"):
        with pytest.raises(InputError, match="pip install"):
            open_openapi(source)


def test_importing_brings_in_nothing_slow() -> None:
    code = (
        "import sys, data_pipeline.tools.openapi, data_pipeline.tools.json_file; "
        "print([m for m in ('httpx', 'httpcore', 'yaml', 'jsonschema', 'h11') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
