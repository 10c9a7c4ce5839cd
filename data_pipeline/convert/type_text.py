"""JSON schema -> the name of a Python type, as xlam-function-calling-60k describes parameters.

The other way round is `data_pipeline.tools.type_names`. A name holds less than a schema: limits, patterns,
formats and what an object's keys mean are lost; choices stay, as `Literal['a', 'b']`.
"""

from __future__ import annotations

from typing import Any

MAX_CHARS = 300
"""Longest name that is read back as a type."""

_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def type_text(schema: Any) -> str:
    """The type's name; `Any` for a schema that takes anything."""
    exact = _exact(schema)
    return exact if len(exact) <= MAX_CHARS else _plain(schema)


def _exact(schema: Any) -> str:
    if not isinstance(schema, dict):
        return "Any"
    choices = schema.get("enum")
    if isinstance(choices, list) and all(isinstance(choice, (str, int)) for choice in choices):
        return f"Literal[{', '.join(map(repr, choices))}]"
    options = next((schema[key] for key in ("anyOf", "oneOf") if isinstance(schema.get(key), list)), None)
    kinds = schema.get("type")
    if options is None and isinstance(kinds, list):
        options = [{**schema, "type": kind} for kind in kinds]
    if options:
        return f"Union[{', '.join(dict.fromkeys(map(_exact, options)))}]"
    if kinds == "array":
        return _list(schema)
    if kinds == "object":
        values = schema.get("additionalProperties")
        return f"Dict[str, {_exact(values)}]" if isinstance(values, dict) and values else "dict"
    return _SCALARS.get(str(kinds), "Any")


def _list(schema: dict[str, Any]) -> str:
    places = schema.get("prefixItems")
    if isinstance(places, list) and places:
        return f"Tuple[{', '.join(map(_exact, places))}]"
    items = schema.get("items")
    return f"List[{_exact(items)}]" if isinstance(items, dict) and items else "list"


def _plain(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    return {**_SCALARS, "array": "list", "object": "dict"}.get(kind, "Any") if isinstance(kind, str) else "Any"
