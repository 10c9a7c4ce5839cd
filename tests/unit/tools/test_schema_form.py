"""The structural check of schemas against the meta-schema of JSON Schema itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from data_pipeline.tools.schema_form import MAX_DEPTH, compiles, schema_problem

SCALARS = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        -1,
        1.0,
        1.5,
        "",
        "a",
        "string",
        "integer",
        "object",
        "null",
        "str",
        "^a$",
        "#",
        "#/properties",
    ]
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), SCALARS, max_size=2)
# Where this check asks for more than the meta-schema, on purpose.
STRICTER = ("enum", "$ref", "pattern", "patternProperties", "definitions")
KEYWORDS = [
    "type", "title", "description", "default", "examples", "const", "deprecated", "readOnly", "format", "minimum",
    "exclusiveMaximum", "multipleOf", "minLength", "maxItems", "uniqueItems", "minProperties", "required",
    "properties", "items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf", "not", "if",
    "propertyNames", "contains", "minContains", "dependentRequired", "dependentSchemas", "$defs", "x-own", "$comment",
]  # fmt: skip


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    values = (
        VALUES | inner | st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    )
    return st.dictionaries(st.sampled_from(KEYWORDS), values, max_size=4)


def _meta_schema_accepts(schema: Any) -> bool:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return False
    return True


@settings(derandomize=True, max_examples=1500, deadline=None)
@given(schema=st.recursive(VALUES, _schemas, max_leaves=8))
def test_it_says_what_the_meta_schema_says(schema: Any) -> None:
    assert (schema_problem(schema) is None) == _meta_schema_accepts(schema), schema_problem(schema)


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"enum": []}, "at 'enum': [] is no list of values"),
        ({"type": "str"}, "at 'type': 'str' is no JSON type"),
        (
            {"properties": {"a": {"items": {"type": ["string", "text"]}}}},
            "at 'properties.a.items.type': ['string', 'text'] is no JSON type",
        ),
        ({"anyOf": [{}, {"required": "a"}]}, "at 'anyOf.1.required': 'a' is no list of distinct names"),
        ({"properties": {"a": 3}}, "at 'properties.a': 3 is no schema"),
        ({"pattern": r"\p{L}"}, "at 'pattern': '\\\\p{L}' is no regular expression"),
        ({"patternProperties": {"(": {}}}, "at 'patternProperties': {'(': {}} is no object of regular expressions"),
        ({"$ref": "http://h/x"}, "at '$ref': 'http://h/x' is not inside this schema"),
        ({"$ref": "#/$defs/a"}, "at '$ref': '#/$defs/a' is not inside this schema"),
        ({"$ref": "#a"}, "at '$ref': '#a' is not inside this schema"),
        ([], "at '': [] is no schema"),
        ({"description": "x" * 200, "title": ["y" * 200]}, "at 'title': ['" + "y" * 75 + "... is no text"),
    ],
)
def test_a_problem_names_its_place(schema: Any, problem: str) -> None:
    assert schema_problem(schema) == problem


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"$ref": "#"}}},
        {"properties": {"$ref": {"type": "string"}, "type": {"enum": [1]}}},
        {"enum": [{"type": "no schema"}], "default": {"required": 3}, "const": {"type": 1}},
        {"pattern": "[[a]"},
        True,
    ],
)
def test_what_only_looks_broken(schema: Any) -> None:
    assert schema_problem(schema) is None


def test_a_schema_too_deep_to_check_calls_against() -> None:
    schema: Any = {}
    for _ in range(MAX_DEPTH + 1):
        schema = {"items": schema}
    assert str(schema_problem(schema)).endswith(f"nested more than {MAX_DEPTH} deep")
    assert schema_problem(schema["items"]) is None


def test_patterns() -> None:
    assert compiles("^[a-z]+$")
    assert not compiles("(?<name>a)")
    assert not compiles("a{99999999999}")
