"""JSON that is refused, each with its reason."""

import json

import pytest

from data_pipeline.core.strict_json import JSON_REASONS, MAX_DEPTH, BadRecord, parse


def nested(levels: int) -> str:
    return '{"a": ' * (levels // 2) + "[" * (levels - levels // 2) + "]" * (levels - levels // 2) + "}" * (levels // 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_json"),
        ('{"a": 1', "not_json"),
        ("{'a': 1}", "not_json"),
        ('{"a": 1} {"a": 2}', "not_json"),
        (nested(MAX_DEPTH + 1), "too_deep"),
        (nested(10_000), "too_deep"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "duplicate_key"),
        ('{"a": NaN}', "not_finite"),
        ("[-Infinity]", "not_finite"),
        ("[1e999]", "not_finite"),
        (f"[{'9' * 309}]", "not_finite"),
        (f"[{'9' * 5000}]", "not_finite"),
        ('["\\ud800"]', "lone_surrogate"),
        ('{"\\uDC00": 1}', "lone_surrogate"),
    ],
)
def test_what_is_refused_has_a_reason(text: str, reason: str) -> None:
    with pytest.raises(BadRecord) as caught:
        parse(text)
    assert caught.value.reason == reason
    assert reason in JSON_REASONS
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text", [nested(MAX_DEPTH), "[" + "[]," * 200 + "[]]", '["\\ud83d\\ude00 \\\\ud800"]', "[1e308]"]
)
def test_what_is_only_unusual_is_read(text: str) -> None:
    assert parse(text) == json.loads(text)


def test_the_detail_says_which_key_and_which_field() -> None:
    with pytest.raises(BadRecord, match="an object names 'unit' twice"):
        parse('{"unit": 1, "unit": 2}')
    with pytest.raises(BadRecord, match=r"'answers' is not JSON: .* at column 2"):
        parse("[", "'answers'")
