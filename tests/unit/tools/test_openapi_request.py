"""Arguments into requests: every style, and no value that reaches beyond its place."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.tools.openapi.describe import describe_document
from data_pipeline.tools.openapi.document import Document
from data_pipeline.tools.openapi.request import Body, Operation, Request, Slot, UnsafeValue, unfold

RGB = {"R": 100, "G": 200}


def query(value: Any, **how: Any) -> str:
    slot = Slot("color", "color", "query", **how)
    return unfold(Operation("GET", "/w", (slot,)), {"color": value}).target.removeprefix("/w")


@pytest.mark.parametrize(
    ("value", "how", "written"),
    [
        ("blue", {}, "?color=blue"),
        ("", {}, "?color="),
        ("a b&c=d#e", {}, "?color=a%20b%26c%3Dd%23e"),
        ("é", {}, "?color=%C3%A9"),
        (True, {}, "?color=true"),
        (1.5, {}, "?color=1.5"),
        (None, {}, ""),
        ([], {}, ""),
        (["blue", "black"], {}, "?color=blue&color=black"),
        (["blue", "a,b"], {"explode": False}, "?color=blue,a%2Cb"),
        (["blue", "black"], {"style": "spaceDelimited", "explode": False}, "?color=blue%20black"),
        (["blue", "black"], {"style": "pipeDelimited", "explode": False}, "?color=blue%7Cblack"),
        (["blue", "black"], {"style": "tabDelimited", "explode": False}, "?color=blue%09black"),
        (["blue", "black"], {"style": "pipeDelimited"}, "?color=blue&color=black"),
        (RGB, {}, "?R=100&G=200"),
        (RGB, {"explode": False}, "?color=R,100,G,200"),
        (RGB, {"style": "deepObject"}, "?color[R]=100&color[G]=200"),
        ({"a": {"b": [1, 2]}}, {"style": "deepObject"}, "?color[a][b]=1&color[a][b]=2"),
        (RGB, {"as_json": True}, "?color=%7B%22R%22%3A%20100%2C%20%22G%22%3A%20200%7D"),
        ("a/b?c&d", {"reserved": True}, "?color=a/b?c%26d"),
        ([{"a": 1}], {}, "?color=%7B%22a%22%3A1%7D"),
    ],
)
def test_query(value: Any, how: dict[str, Any], written: str) -> None:
    assert query(value, **how) == written


@pytest.mark.parametrize(
    ("value", "explode", "path"),
    [
        ("a b/c", False, "/w/a%20b%2Fc/x"),
        ("../../admin", False, "/w/..%2F..%2Fadmin/x"),
        ("..\\..", False, "/w/..%5C../x"),
        ("%2e%2e", False, "/w/%252e%252e/x"),
        ("a?b#c", False, "/w/a%3Fb%23c/x"),
        (3, False, "/w/3/x"),
        (["a", "b,c"], False, "/w/a,b%2Cc/x"),
        (RGB, False, "/w/R,100,G,200/x"),
        (RGB, True, "/w/R=100,G=200/x"),
    ],
)
def test_path(value: Any, explode: bool, path: str) -> None:
    operation = Operation("GET", "/w/{id}/x", (Slot("id", "id", "path", "simple", explode),))
    assert unfold(operation, {"id": value}).target == path


@pytest.mark.parametrize("value", ["..", ".", "", None, [], {}, "\ud800"])
def test_a_path_that_would_be_another(value: Any) -> None:
    operation = Operation("GET", "/w/{id}", (Slot("id", "id", "path", "simple"),))
    with pytest.raises(UnsafeValue):
        unfold(operation, {"id": value})


def test_two_values_make_no_dots_together() -> None:
    slots = (Slot("a", "a", "path", "simple"), Slot("b", "b", "path", "simple"))
    assert unfold(Operation("GET", "/{a}{b}/x", slots), {"a": ".", "b": "c"}).target == "/.c/x"
    with pytest.raises(UnsafeValue):
        unfold(Operation("GET", "/{a}{b}/x", slots), {"a": ".", "b": "."})


def test_a_template_with_a_query_of_its_own() -> None:
    slots = (Slot("q", "q", "query"),)
    assert unfold(Operation("GET", "/w?op=list", slots), {"q": 1}).target == "/w?op=list&q=1"
    assert unfold(Operation("GET", "/w x", ()), {}).target == "/w%20x"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0", "€", "\x7f"])
def test_a_header_value_that_would_be_more(value: str) -> None:
    with pytest.raises(UnsafeValue) as caught:
        unfold(Operation("GET", "/", (Slot("h", "X-H", "header", "simple", False),)), {"h": value})
    assert "Evil" not in str(caught.value)


def test_headers_and_cookies() -> None:
    slots = (
        Slot("h", "X-H", "header", "simple", False),
        Slot("o", "X-O", "header", "simple", True),
        Slot("c", "c", "cookie"),
        Slot("d", "d", "cookie", explode=False),
    )
    arguments = {"h": [1, "b"], "o": RGB, "c": "a; b=c\r\n", "d": ["x", "y"]}
    assert unfold(Operation("GET", "/", slots), arguments).headers == {
        "X-H": "1,b",
        "X-O": "R=100,G=200",
        "Cookie": "c=a%3B%20b=c%0D%0A; d=x,y",
    }


def _send(body: Body, arguments: dict[str, Any], *names: str) -> Request:
    return unfold(Operation("POST", "/", tuple(Slot(name, name, "body") for name in names), body), arguments)


def test_json_bodies() -> None:
    flat = Body("application/json", "json")
    assert _send(flat, {"a": 1, "b": None}, "a", "b", "c").content == b'{"a": 1, "b": null}'
    assert _send(flat, {}, "a").content is None
    assert _send(flat._replace(required=True), {}, "a").content == b"{}"
    whole = Body("application/merge-patch+json", "json", whole="body_2")
    sent = _send(whole, {"body_2": [1, "é"]}, "body_2")
    assert (sent.content, sent.headers["Content-Type"]) == (b'[1, "\\u00e9"]', "application/merge-patch+json")
    assert _send(whole, {}, "body_2").content is None


def test_form_bodies() -> None:
    arguments = {"a": "x&y=z é", "b": [1, True], "c": {"d": 1}}
    sent = _send(Body("application/x-www-form-urlencoded", "form"), arguments, "a", "b", "c")
    assert sent.content == b"a=x%26y%3Dz%20%C3%A9&b=1&b=true&c=%7B%22d%22%3A1%7D"
    parts = _send(Body("multipart/form-data", "multipart"), {'n"\r\n': "v\r\n--"}, 'n"\r\n')
    boundary = parts.headers["Content-Type"].partition("boundary=")[2]
    assert parts.content is not None
    assert parts.content.decode() == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="n%22%0D%0A"\r\n\r\nv\r\n--\r\n--{boundary}--\r\n'
    )
    text = _send(Body("text/plain", "text", whole="body"), {"body": "é"}, "body")
    assert (text.content, text.headers["Content-Type"]) == ("é".encode(), "text/plain; charset=utf-8")


def test_arguments_go_back_under_the_names_of_the_document() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string"}, "tags": {"type": "array", "items": {}}}}
    stated = {
        "summary": "Does.",
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "id", "in": "query", "schema": {"type": "string"}},
            {"name": "filter", "in": "query", "style": "deepObject", "explode": True, "schema": {"type": "object"}},
        ],
        "requestBody": {"content": {"application/json": {"schema": schema}}},
    }
    data = {"openapi": "3.0.0", "paths": {"/w/{id}": {"put": stated}}}
    found = describe_document(Document(data, ""), "s", allow_write=True, keep_base=False)
    arguments = {"id": "p", "id_query": "q", "filter": {"a": 1}, "id_body": "b", "tags": [1]}
    assert list(found.tools[0].properties) == list(arguments)
    sent = unfold(found.operations["put_w_id"], arguments)
    assert (sent.target, sent.content) == ("/w/p?id=q&filter[a]=1", b'{"id": "b", "tags": [1]}')


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["..", ".", "../x", "a/../../b", "%2F..", "?a=b", "#", "\r\n", "//h", "@h", "\\", ";x=y", "a&b=c"]
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(in_path=TEXT, in_query=TEXT, in_header=TEXT)
def test_whatever_the_values_they_stay_in_their_places(in_path: str, in_query: str, in_header: str) -> None:
    slots = (
        Slot("p", "p", "path", "simple", False),
        Slot("q", "q", "query"),
        Slot("h", "X-H", "header", "simple", False),
    )
    try:
        sent = unfold(Operation("GET", "/v1/{p}/end", slots), {"p": in_path, "q": in_query, "h": in_header})
    except UnsafeValue:
        return
    parts = urlsplit(f"http://host{sent.target}")
    assert parts.netloc == "host"
    assert parts.fragment == ""
    assert sent.target.isascii()
    segments = parts.path.split("/")
    assert (segments[1], unquote(segments[2]), segments[3:]) == ("v1", in_path, ["end"])
    assert segments[2] not in (".", "..", "")
    assert parse_qsl(parts.query, keep_blank_values=True) == [("q", in_query)]
    assert "\r" not in sent.headers["X-H"]
    assert "\n" not in sent.headers["X-H"]
