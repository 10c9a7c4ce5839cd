"""JSON of models: all or nothing."""

from typing import Any

import pytest

from data_pipeline.core.strict_json import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [(' {"a": [1, 2.5]}\n', {"a": [1, 2.5]}), ("null", None), ('"\\ud83d\\ude00"', "\U0001f600")],
)
def test_json_is_read(text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "```json\n{}\n```",
        "{} {}",
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": 1, "a": 2}',
        "NaN",
        "[-Infinity]",
        "1e999",
        '"\\ud83d"',
        "[" * 65 + "]" * 65,
        "[" * 100_000,
        "1" * 10_000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own messages vary
        parse(text)
