"""What a server's answer to a call becomes."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from data_pipeline.tools.mcp_source.results import outcome_of
from data_pipeline.tools.runner import MAX_RESULT_BYTES


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


PNG = base64.b64encode(b"12345").decode()


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"content": [_text("x")], "structuredContent": {"a": [1, None]}}, {"a": [1, None]}),
        ({"content": [], "structuredContent": {}}, {}),
        ({"content": [_text("x")], "structuredContent": None}, "x"),
        ({"content": [_text("plain")]}, "plain"),
        ({"content": [_text('{"a": 1}')]}, '{"a": 1}'),
        ({"content": [_text("02134")]}, "02134"),
        ({"content": [_text("a"), _text("b")]}, ["a", "b"]),
        ({"content": []}, None),
        (
            {"content": [_text("a"), {"type": "image", "mimeType": "image/png", "data": PNG}]},
            ["a", {"type": "image", "mimeType": "image/png", "bytes": 5}],
        ),
        (
            {"content": [{"type": "audio", "mimeType": "audio/wav", "data": base64.b64encode(b"123456").decode()}]},
            {"type": "audio", "mimeType": "audio/wav", "bytes": 6},
        ),
        (
            {"content": [{"type": "resource", "resource": {"uri": "a:b", "mimeType": "text/plain", "text": "äb"}}]},
            {"type": "resource", "mimeType": "text/plain", "bytes": 3},
        ),
        (
            {"content": [{"type": "resource", "resource": {"uri": "a:b", "blob": PNG}}]},
            {"type": "resource", "mimeType": "", "bytes": 5},
        ),
        (
            {"content": [{"type": "resource_link", "uri": "a:b", "name": "n", "size": 9}]},
            {"type": "resource_link", "mimeType": "", "bytes": 9},
        ),
    ],
)
def test_results(answer: dict[str, Any], result: object) -> None:
    assert outcome_of(answer) == ("ok", result, "")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"isError": True, "content": [_text("no such\ncity\x1b[0m"), _text("!")]}, "no such city [0m !"),
        ({"isError": True, "content": [_text("x" * 400)]}, "x" * 300),
        ({"isError": True, "content": [], "structuredContent": {"why": 1}}, "{'why': 1}"),
        ({"isError": True, "content": []}, "the tool failed without saying why"),
    ],
)
def test_errors(answer: dict[str, Any], error: str) -> None:
    assert outcome_of(answer) == ("tool_error", None, error)


def test_the_cap_is_exact() -> None:
    assert outcome_of({"content": [_text("x" * (MAX_RESULT_BYTES - 2))]})[0] == "ok"
    status, result, error = outcome_of({"content": [_text("x" * (MAX_RESULT_BYTES - 1))]})
    assert (status, result) == ("output_too_large", None)
    assert str(MAX_RESULT_BYTES) in error


def test_what_json_cannot_hold_is_an_error_of_the_tool() -> None:
    assert outcome_of({"content": [], "structuredContent": {"a": float("nan")}})[0] == "tool_error"
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert outcome_of({"content": [], "structuredContent": deep})[0] == "tool_error"
