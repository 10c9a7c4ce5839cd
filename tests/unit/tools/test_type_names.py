"""Type names of Python as JSON schema."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from data_pipeline.tools.schema_form import Unfit
from data_pipeline.tools.type_names import read_type

INTS = {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    ("text", "schema", "optional"),
    [
        ("str", {"type": "string"}, False),
        ("str, optional", {"type": "string"}, True),
        ("int (optional)", {"type": "integer"}, True),
        ("INT , Optional ", {"type": "integer"}, True),
        ("float", {"type": "number"}, False),
        ("bool", {"type": "boolean"}, False),
        ("Any", {}, False),
        ("list", {"type": "array"}, False),
        ("List", {"type": "array"}, False),
        ("List[int]", INTS, False),
        ("typing.List[int]", INTS, False),
        ("list[int]", INTS, False),
        ("List[Any]", {"type": "array"}, False),
        ("np.ndarray", {"type": "array"}, False),
        ("List[List[int]]", {"type": "array", "items": INTS}, False),
        ("List[Dict[str, Any]]", {"type": "array", "items": {"type": "object"}}, False),
        ("Set[str]", {"type": "array", "uniqueItems": True, "items": {"type": "string"}}, False),
        ("set", {"type": "array", "uniqueItems": True}, False),
        ("dict", {"type": "object"}, False),
        ("Dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}, False),
        ("Dict", {"type": "object"}, False),
        ("tuple", {"type": "array"}, False),
        ("Tuple[int, ...]", INTS, False),
        (
            "Tuple[int, str]",
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
            False,
        ),
        ("Optional[int]", {"type": "integer"}, True),
        ("Optional[List[int]], optional", INTS, True),
        ("int | None", {"type": "integer"}, True),
        ("None", {"type": "null"}, True),
        ("Union[int, float]", {"type": "number"}, False),
        ("int or float", {"type": "number"}, False),
        ("Union[str, int]", {"type": ["string", "integer"]}, False),
        ("Union[str, List[int]]", {"anyOf": [{"type": "string"}, INTS]}, False),
        ("Union[str, Any]", {}, False),
        ("List[Union[int, None]]", {"type": "array", "items": {"type": ["integer", "null"]}}, False),
        ("List[Optional[int]]", {"type": "array", "items": {"type": ["integer", "null"]}}, False),
        ("Literal['a', 'b']", {"type": "string", "enum": ["a", "b"]}, False),
        ("Literal[1, 'b']", {"enum": [1, "b"]}, False),
        ("datetime.date", {"type": "string", "format": "date"}, False),
        ("'List[int]'", INTS, False),
    ],
)
def test_known_types(text: str, schema: dict[str, Any], optional: bool) -> None:
    assert read_type(text) == (schema, optional)
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "text",
    [
        "", "spam", "Callable", "Callable[[int], int]", "Generator[int]", "list of int", "int(", "1", "[int]", "a b",
        "List[", "__import__('os').system('true')", "Literal[None]", "x" * 400, "(" * 200, "List[" * 90 + "]" * 90,
        "Union[()]", "Literal[()]", "a\0b", "'('", "\ud800", "'\\d'",
    ],
)  # fmt: skip
def test_what_is_no_type_that_json_has(text: str) -> None:
    with pytest.raises(Unfit):
        read_type(text)


def test_an_answer_can_be_changed_without_harm() -> None:
    read_type("List[int]")[0]["items"]["type"] = "string"
    assert read_type("List[int]")[0] == INTS
