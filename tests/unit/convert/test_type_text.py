"""Type names, written and read back by the reader of the catalogues."""

from typing import Any

import pytest

from data_pipeline.convert.type_text import MAX_CHARS, type_text
from data_pipeline.tools.type_names import read_type


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, "str"),
        ({"type": "integer"}, "int"),
        ({"type": "number"}, "float"),
        ({"type": "boolean"}, "bool"),
        ({"type": "array"}, "list"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}, "List[List[int]]"),
        ({"type": "object"}, "dict"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "Dict[str, float]"),
        ({"type": "string", "enum": ["it's", 'a "b"', "\\", "\n"]}, "Literal[\"it's\", 'a \"b\"', '\\\\', '\\n']"),
        ({"type": "integer", "enum": [1, 2]}, "Literal[1, 2]"),
        ({"type": ["integer", "string"]}, "Union[int, str]"),
        ({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, "Union[str, List[str]]"),
        ({}, "Any"),
        (
            {"type": "array", "prefixItems": [{"type": "number"}] * 2, "minItems": 2, "maxItems": 2},
            "Tuple[float, float]",
        ),
    ],
)
def test_a_name_reads_back_as_the_schema(schema: dict[str, Any], text: str) -> None:
    assert type_text(schema) == text
    assert read_type(text) == (schema, False)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string", "enum": [str(n) for n in range(200)]}, "str"),
        ({"type": "array", "items": {"enum": ["x" * MAX_CHARS]}}, "list"),
        ({"enum": [1.5, None]}, "Any"),
        ({"type": "string", "format": "date", "pattern": "x"}, "str"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, "dict"),
        ({"type": "array", "items": True}, "list"),
        ({"type": 5}, "Any"),
        (True, "Any"),
    ],
)
def test_what_a_name_cannot_say_is_left_out(schema: Any, text: str) -> None:
    assert type_text(schema) == text
    read_type(text)
