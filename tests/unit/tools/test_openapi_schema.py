"""Schemas written out: references, cycles, merging, null, loose spellings, and the bound on their size."""

from __future__ import annotations

import time
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from data_pipeline.tools.openapi.document import References
from data_pipeline.tools.openapi.schema import MAX_LEVELS, Schemas
from data_pipeline.tools.schema_form import Unfit

Json = dict[str, Any]


def write(schema: Any, **named: Any) -> Json:
    schemas = Schemas(References({"named": named}).resolve)
    found = schemas.write(schema, schemas.levels([schema]))
    Draft202012Validator.check_schema(found)
    return found


def ref(name: str) -> Json:
    return {"$ref": f"#/named/{name}"}


@pytest.mark.parametrize(
    ("stated", "written"),
    [
        (True, {}),
        ({}, {}),
        ({"type": "string", "title": "T", "xml": {}, "x-y": 1, "deprecated": True}, {"type": "string"}),
        ({"properties": {}}, {"type": "object", "properties": {}}),
        ({"type": "Integer"}, {"type": "integer"}),
        ({"type": "float", "minimum": "0.5"}, {"type": "number", "minimum": 0.5}),
        ({"type": ["string", "null"], "enum": ["a", None]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "integer", "maximum": 1, "exclusiveMaximum": False}, {"type": "integer", "maximum": 1}),
        ({"type": "integer", "exclusiveMinimum": 3}, {"type": "integer", "exclusiveMinimum": 3}),
        (
            {"type": "string", "pattern": r"^\p{L}+$", "minLength": -1, "maxLength": "5"},
            {"type": "string", "maxLength": 5},
        ),
        ({"type": "string", "enum": [1, True, "a", "a"]}, {"type": "string", "enum": ["1", "true", "a"]}),
        ({"type": "integer", "enum": ["1", "x"], "default": "1"}, {"type": "integer", "enum": [1], "default": 1}),
        ({"type": "boolean", "default": "true"}, {"type": "boolean", "default": True}),
        ({"type": "integer", "default": "many"}, {"type": "integer"}),
        ({"type": "string", "const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "example": "a"}, {"type": "string", "examples": ["a"]}),
        ({"type": "string", "examples": ["a", "b", "a"]}, {"type": "string", "examples": ["a", "b"]}),
        ({"type": "string", "examples": {"x": {"value": "a"}}}, {"type": "string", "examples": ["a"]}),
        ({"type": "string", "example": "a" * 500}, {"type": "string"}),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {"type": "array", "minItems": 1, "items": {"type": "string"}},
        ),
        ({"type": "object", "additionalProperties": True}, {"type": "object"}),
        ({"type": "object", "additionalProperties": False}, {"type": "object", "additionalProperties": False}),
        (
            {"type": "object", "patternProperties": {"^x": {}}, "additionalProperties": False},
            {"type": "object"},
        ),
        (
            {"type": "object", "required": True, "properties": {"a": {"required": True}}},
            {"type": "object", "properties": {"a": {}}},
        ),
        (
            {"type": "object", "required": ["a", "z", "a"], "properties": {"a": {}}},
            {"type": "object", "properties": {"a": {}}, "required": ["a"]},
        ),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"oneOf": [{"type": "string"}], "nullable": True}, {"oneOf": [{"type": "string"}, {"type": "null"}]}),
    ],
)
def test_one_schema(stated: Any, written: Json) -> None:
    found = write(stated)
    assert found == written


def test_an_optional_property_is_never_null() -> None:
    null = {"type": "string", "nullable": True}
    either = {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "N."}
    found = write({"type": "object", "required": ["b"], "properties": {"a": null, "b": null, "c": either}})
    assert found["properties"] == {
        "a": {"type": "string"},
        "b": {"type": ["string", "null"]},
        "c": {"type": "integer", "description": "N."},
    }


def test_references_with_something_beside_them() -> None:
    pet = {"type": "object", "description": "A pet.", "properties": {"name": {"type": "string"}}}
    own = {"description": "The first.", "nullable": True}
    found = write(
        {"type": "object", "required": ["a"], "properties": {"a": {**ref("Pet"), **own}, "b": ref("Pet")}}, Pet=pet
    )
    assert found["properties"]["a"] == {
        "type": ["object", "null"],
        "description": "The first.",
        "properties": {"name": {"type": "string"}},
    }
    assert found["properties"]["b"]["description"] == "A pet."


def test_a_recursive_schema_is_cut_to_its_type_and_description() -> None:
    node = {
        "type": "object",
        "description": "A node.",
        "properties": {
            "value": {"type": "integer"},
            "next": ref("Node"),
            "all": {"type": "array", "items": ref("Node")},
        },
    }
    cut = {"type": "object", "description": "A node."}
    found = write(ref("Node"), Node=node)
    assert found["properties"] == {
        "value": {"type": "integer"},
        "next": cut,
        "all": {"type": "array", "items": cut},
    }


@pytest.mark.parametrize(
    ("value", "cut"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "array", "items": ref("V")}]}, {}),
        ({"type": "array", "items": ref("V")}, {"type": "array"}),
        ({"allOf": [{"type": "object", "properties": {"v": ref("V")}}]}, {"type": "object"}),
        ({"type": "object", "additionalProperties": ref("V")}, {"type": "object"}),
    ],
)
def test_other_recursive_schemas_take_what_they_should(value: Json, cut: Json) -> None:
    assert repr(cut) in repr(write(ref("V"), V=value))


def test_a_circle_of_references_is_refused() -> None:
    with pytest.raises(Unfit, match="circle"):
        write(ref("A"), A=ref("B"), B=ref("A"))


def test_all_of_objects_is_merged() -> None:
    base = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}, "description": "Base."}
    found = write(
        {"allOf": [ref("Base"), {"required": ["n"], "properties": {"n": {"type": "integer"}}}], "description": "Own."},
        Base=base,
    )
    assert found == {
        "type": "object",
        "description": "Own.",
        "properties": {"id": {"type": "string"}, "n": {"type": "integer"}},
        "required": ["id", "n"],
    }


def test_all_of_one_or_of_agreeing_parts_is_merged() -> None:
    assert write({"allOf": [{"type": "string"}], "description": "D."}) == {"type": "string", "description": "D."}
    parts = [{"type": "string", "enum": ["a", "b"]}, {"enum": ["b", "c"], "minLength": 1}]
    assert write({"allOf": parts}) == {"type": "string", "enum": ["b"], "minLength": 1}
    closed = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}
    assert "additionalProperties" not in write({"allOf": [closed, {"properties": {"b": {}}}]})


def test_all_of_contradicting_parts_is_kept() -> None:
    parts = [{"type": "string", "minLength": 1}, {"minLength": 2}]
    assert write({"allOf": parts}) == {"allOf": parts}


def test_one_of_becomes_any_of_where_its_options_are_told_apart_no_more() -> None:
    kinds = [
        {"type": "object", "properties": {"k": {"enum": [name]}, "n": ref("N")}, "required": ["k"]} for name in "ab"
    ]
    assert "oneOf" in write({"oneOf": kinds}, N={"type": "string"})
    found = write(ref("N"), N={"type": "object", "properties": {"n": {"oneOf": [ref("N"), {"type": "object"}]}}})
    assert list(found["properties"]["n"]) == ["anyOf"]


@pytest.mark.alone
def test_the_size_is_bounded_and_quickly_so() -> None:
    """Each of thirty schemas refers three times to the next: written out, there are 3 to the 30th."""
    named = {
        f"S{i}": {"type": "object", "description": "D.", "properties": {name: ref(f"S{i + 1}") for name in "abc"}}
        for i in range(30)
    }
    named["S30"] = {"type": "string"}
    started = time.perf_counter()
    found = write(ref("S0"), **named)
    assert time.perf_counter() - started < 1
    assert 40 < repr(found).count("D.") < 200


@pytest.mark.alone
def test_schemas_that_are_all_one_of_each_other_are_refused_quickly() -> None:
    names = [f"S{i}" for i in range(20)]
    named = {name: {"anyOf": [ref(other) for other in names if other != name]} for name in names}
    started = time.perf_counter()
    with pytest.raises(Unfit, match="too many"):
        write(ref("S0"), **named)
    with pytest.raises(Unfit, match="too many ways"):
        Schemas(References({"named": named}).resolve).write(ref("S0"), 1)
    assert time.perf_counter() - started < 2


def test_depth_is_bounded() -> None:
    deep: Json = {"type": "string"}
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    assert repr(write(deep)).count("array") == MAX_LEVELS + 1


def test_what_is_only_read_is_no_part_of_what_is_sent() -> None:
    properties = {"id": {"type": "string", "readOnly": True}, "n": ref("R"), "w": {"type": "string", "writeOnly": True}}
    schema = {"type": "object", "properties": properties, "required": ["id", "w"]}
    read_only = {"type": "string", "readOnly": True}
    assert write(schema, R=read_only) == {"type": "object", "properties": {"w": {"type": "string"}}, "required": ["w"]}


@pytest.mark.parametrize("stated", [False, 3, "x", [], {"type": "object", "properties": {"a": False}}])
def test_what_is_no_schema(stated: Any) -> None:
    with pytest.raises(Unfit, match="a schema is"):
        write(stated)
