"""Whatever an importer writes, a call can be checked against: good arguments pass, spoilt ones do not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from data_pipeline.core.schema import Tool
from data_pipeline.tools.discovery import read_discovery
from data_pipeline.tools.json_formats import from_toolbench, from_xlam
from data_pipeline.tools.openapi.describe import describe_document
from data_pipeline.tools.openapi.document import Document
from data_pipeline.tools.runner import Refusal
from data_pipeline.tools.schema_check import argument_errors

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Strategy = st.SearchStrategy[Any]

# Schemas as documents have them, some of them loose; the first is a reference to itself.
NAMES = st.sampled_from(["id", "a", "b", "X-C", "filter[d]"])
NUMBERS = {"minimum": st.integers(-3, 3), "exclusiveMinimum": st.booleans()}
TEXTS = {"minLength": st.integers(0, 2), "format": st.sampled_from(["date", "uuid"]), "example": st.just("x")}
STATED_LEAVES: Strategy = st.one_of(
    st.just({"$ref": "#/components/schemas/Node"}),
    st.fixed_dictionaries({"type": st.sampled_from(["integer", "number", "int"])}, optional=NUMBERS),
    st.fixed_dictionaries({"type": st.just("string")}, optional=TEXTS),
    st.fixed_dictionaries({"type": st.sampled_from(["boolean", "string"])}, optional={"nullable": st.booleans()}),
    st.fixed_dictionaries({"enum": st.lists(st.sampled_from(["x", 1, True, "1"]), min_size=1, max_size=3)}),
    st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(st.sampled_from(["x", 1, "y"]), min_size=1)}),
    st.just({"type": "object", "readOnly": True}),
)


def _stated(inner: Strategy) -> Strategy:
    properties = st.dictionaries(NAMES, inner, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": properties},
        optional={"required": st.lists(NAMES, max_size=3), "nullable": st.booleans(), "additionalProperties": inner},
    )
    arrays = st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"minItems": st.integers(0, 2)})
    several = st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
    merged = st.fixed_dictionaries({"allOf": st.lists(objects, min_size=1, max_size=2)})
    return st.one_of(objects, arrays, several, merged)


STATED = st.recursive(STATED_LEAVES, _stated, max_leaves=6)
NODE = {
    "type": "object",
    "description": "N.",
    "properties": {"next": {"$ref": "#/components/schemas/Node"}, "n": {"type": "integer"}},
}


@st.composite
def _openapi(draw: st.DrawFn) -> Tool:
    names = draw(st.lists(NAMES, unique=True, max_size=2))
    stated: Json = {
        "summary": "Does.",
        "parameters": [
            {"name": name, "in": "query", "required": draw(st.booleans()), "schema": draw(STATED)} for name in names
        ],
        "requestBody": {"required": draw(st.booleans()), "content": {"application/json": {"schema": draw(STATED)}}},
    }
    data = {"openapi": "3.0.3", "components": {"schemas": {"Node": NODE}}, "paths": {"/w/{id}": {"post": stated}}}
    found = describe_document(Document(json.loads(json.dumps(data)), ""), "s", allow_write=True, keep_base=False)
    assert found.refused == []
    return found.tools[0]


TYPES = st.recursive(
    st.sampled_from(["str", "int", "float", "bool", "Any", "list", "dict", "Literal['a', 1]", "date"]),
    lambda inner: st.one_of(
        st.builds("{}[{}]".format, st.sampled_from(["List", "Optional", "Set"]), inner),
        st.builds("{}[{}, {}]".format, st.sampled_from(["Union", "Tuple"]), inner, inner),
        st.builds("Dict[str, {}]".format, inner),
    ),
    max_leaves=4,
)


@st.composite
def _xlam(draw: st.DrawFn) -> Tool:
    parameters = {}
    for name in draw(st.lists(NAMES, unique=True, max_size=3)):
        parameters[name] = {"description": "P.", "type": draw(TYPES) + draw(st.sampled_from(["", ", optional"]))}
        if draw(st.booleans()):
            parameters[name]["default"] = draw(st.sampled_from(["", "1", "x"]))
    return from_xlam({"name": "t", "description": "Does.", "parameters": parameters}, "s")


@st.composite
def _toolbench(draw: st.DrawFn) -> Tool:
    kinds = st.sampled_from(["STRING", "NUMBER", "BOOLEAN", "ENUM", "ARRAY", "OBJECT", "DATE", "int", ""])
    parameter = st.fixed_dictionaries({"name": NAMES, "type": kinds, "default": st.sampled_from(["", "1", "x"])})
    parameters = st.lists(parameter, max_size=3)
    api = {
        "name": "t",
        "description": "Does.",
        "required_parameters": draw(parameters),
        "optional_parameters": draw(parameters),
    }
    return from_toolbench(api, {}, "s")[0]


@st.composite
def _discovery(draw: st.DrawFn) -> Tool:
    text = json.dumps(draw(STATED)).replace("#/components/schemas/Node", "Node")
    node = json.loads(json.dumps(NODE).replace("#/components/schemas/Node", "Node"))
    stated: Json = {"type": "object", "properties": {"a": json.loads(text), "id": {"type": "string"}}}
    method: Json = {
        "id": "s.t",
        "description": "Does.",
        "httpMethod": "POST",
        "parameters": {"id": {"type": "string", "location": "path", "repeated": draw(st.booleans()), "minimum": "1"}},
        "request": {"$ref": "Body"},
    }
    data = {"version": "v1", "schemas": {"Body": stated, "Node": node}, "methods": {"t": method}}
    (found,) = read_discovery(data, "s")
    assert not isinstance(found, Refusal)
    return found.tool


def _kinds(schema: Json) -> list[str]:
    kind = schema.get("type", ["string", "integer", "boolean", "object"])
    return kind if isinstance(kind, list) else [kind]


def _values(schema: Any) -> Strategy:
    """Values of a schema, of the keywords that importers write."""
    if not isinstance(schema, dict):
        return st.just("x")
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return st.one_of(*map(_values, schema[key]))
    if "allOf" in schema:
        return st.one_of(*map(_values, schema["allOf"]))
    by_kind: dict[str, Callable[[Json], Strategy]] = {
        "string": lambda s: st.text("ab", min_size=s.get("minLength", 0), max_size=4),
        "integer": lambda s: st.integers(s.get("exclusiveMinimum", s.get("minimum", -3) - 1) + 1, 9),
        "number": lambda s: st.integers(s.get("exclusiveMinimum", s.get("minimum", -3) - 1) + 1, 9).map(float),
        "boolean": lambda _: st.booleans(),
        "null": lambda _: st.none(),
        "array": _arrays,
        "object": _objects,
    }
    return st.one_of(*(by_kind[kind](schema) for kind in _kinds(schema)))


def _arrays(schema: Json) -> Strategy:
    if "prefixItems" in schema:
        return st.tuples(*map(_values, schema["prefixItems"])).map(list)
    distinct = json.dumps if schema.get("uniqueItems") else None
    least = schema.get("minItems", 0)
    items = _values(schema.get("items", {"type": "integer"}))
    return st.lists(items, min_size=least, max_size=least + 2, unique_by=distinct)


def _objects(schema: Json) -> Strategy:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    return st.fixed_dictionaries(
        {name: _values(properties[name]) for name in required},
        optional={name: _values(nested) for name, nested in properties.items() if name not in required},
    )


def _of_no_kind(kinds: list[str]) -> Any:
    values = {"string": "x", "boolean": True, "array": [], "object": {}, "number": 3.5, "null": None}
    return next(value for kind, value in values.items() if kind not in kinds)


def _spoilt(schema: Json, arguments: Json) -> list[tuple[str, Json]]:
    """Arguments that must not pass, and why."""
    found = [("unknown", {**arguments, "no such argument": 1})]
    for name in schema["required"]:
        found.append(("missing", {key: value for key, value in arguments.items() if key != name}))
    for name, nested in schema["properties"].items():
        if "type" in nested:
            found.append(("type", {**arguments, name: _of_no_kind(_kinds(nested))}))
        if "enum" in nested:
            found.append(("enum", {**arguments, name: "none of them"}))
        if isinstance(nested.get("minimum"), int):
            found.append(("minimum", {**arguments, name: nested["minimum"] - 1}))
    return found


@pytest.mark.parametrize(
    "importer", [_openapi, _xlam, _toolbench, _discovery], ids=["openapi", "xlam", "toolbench", "discovery"]
)
def test_arguments_pass_and_spoilt_ones_do_not(importer: Callable[[], Strategy]) -> None:
    @settings(derandomize=True, max_examples=120, deadline=None)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        tool = data.draw(importer())
        Draft202012Validator.check_schema(tool.parameters)
        assert Tool.from_json(tool.to_json()) == tool
        # A merge of two lists of values may leave none, and a kept `allOf` may contradict itself.
        assume("allOf" not in json.dumps(tool.parameters))
        arguments = data.draw(_objects(tool.parameters))
        assert argument_errors(tool, arguments) is None, tool.parameters
        for reason, spoilt in _spoilt(tool.parameters, arguments):
            assert argument_errors(tool, spoilt) is not None, (reason, spoilt, tool.parameters)

    check()
