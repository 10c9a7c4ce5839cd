"""The JSON schema that a model's answer is held to: one entry a sample, with calls of the tools on offer.

Servers turn it into a grammar, each from its own part of JSON schema, so it uses little of it: types, enums,
properties and items. Bounds, patterns and formats are left out; the format check looks at those. Where a
tool says it in a way that cannot be put so, its arguments may be any object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_pipeline.generate.schemas import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_pipeline.core.schema import Style, Tool

Schema = dict[str, Any]

MAX_DEPTH = 6
"""Levels of a tool's schema that are followed; deeper ones, and those that contain themselves, stay open."""

LONGEST_QUERY = 600
"""Characters; a model that finds no end is stopped there."""

MOST_CALLS = 4
_ANY_OBJECT: Schema = {"type": "object"}
_TOO_HARD = frozenset(
    {"$ref", "allOf", "not", "if", "patternProperties", "prefixItems", "contains", "dependentSchemas"}
)


def answer_schema(tools: Sequence[Tool], wanted: Sequence[tuple[Style, str]]) -> Schema:
    """The schema of `{"items": [...]}`.

    Args:
        tools: on offer.
        wanted: for each item its style, and the name of the tool it is to call, or '' for any.
    """
    defined: Schema = {f"call{n}": _call(tool) for n, tool in enumerate(tools)}
    references = {tool.name: {"$ref": f"#/$defs/call{n}"} for n, tool in enumerate(tools)}
    items = []
    for style, name in wanted:
        if style == "missing-parameter":
            tool = next(tool for tool in tools if tool.name == name)
            items.append(_object({"query": _query(), "incomplete": _call(tool, partial=True)}))
            continue
        of_tools = [references[name]] if name else list(references.values())
        items.append(_object({"query": _query(), "calls": _calls(style, of_tools)}))
    found = _object({"items": {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}})
    return {**found, "$defs": defined}


def _query() -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": LONGEST_QUERY}


def _calls(style: Style, of_tools: list[Schema]) -> Schema:
    if style == "irrelevance":
        return {"enum": [[]]}
    least, most = (2, MOST_CALLS) if style.startswith("parallel") else (1, 1)
    call = of_tools[0] if len(of_tools) == 1 else {"anyOf": of_tools}
    return {"type": "array", "items": call, "minItems": least, "maxItems": most}


def _call(tool: Tool, partial: bool = False) -> Schema:
    return _object({"name": {"enum": [tool.name]}, "arguments": arguments_schema(tool, partial)})


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def arguments_schema(tool: Tool, partial: bool = False) -> Schema:
    """The tool's parameters in the words that servers know; any object where that cannot be.

    Args:
        tool: whose parameters.
        partial: nothing is required, as in a call that lacks some of them.
    """
    parameters = {"type": "object", **tool.parameters, **({"required": []} if partial else {})}
    return _simple(parameters, parameters, MAX_DEPTH) or _ANY_OBJECT


def _simple(schema: Any, root: Schema, depth: int) -> Schema | None:
    """A schema that allows at least the same, or None where it cannot be said."""
    found = plain(schema, root)
    if depth == 0 or _TOO_HARD & found.keys():
        return None
    if "const" in found or "enum" in found:
        return {"enum": [found["const"]] if "const" in found else list(found["enum"])}
    branches = found.get("anyOf") or found.get("oneOf")
    if branches:
        simple = [_simple(branch, root, depth - 1) for branch in branches]
        return None if None in simple else {"anyOf": simple}
    kind = found.get("type")
    if kind == "object":
        return _simple_object(found, root, depth)
    if kind == "array":
        return _simple_array(found, root, depth)
    return {"type": kind} if kind and not {"object", "array"} & set(kind if isinstance(kind, list) else ()) else None


def _simple_object(schema: Schema, root: Schema, depth: int) -> Schema | None:
    properties = schema.get("properties") or {}
    if not properties:
        return _ANY_OBJECT if schema.get("additionalProperties") else {"enum": [{}]}
    simple = {name: _simple(nested, root, depth - 1) for name, nested in properties.items()}
    if None in simple.values():
        return None
    required = [name for name in schema.get("required") or () if name in properties]
    return {"type": "object", "properties": simple, "required": required, "additionalProperties": False}


def _simple_array(schema: Schema, root: Schema, depth: int) -> Schema | None:
    items = _simple(schema.get("items"), root, depth - 1)
    bounds: Schema = {key: schema[key] for key in ("minItems", "maxItems") if key in schema}
    return None if items is None else {"type": "array", "items": items, **bounds}
