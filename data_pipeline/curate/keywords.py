"""What models are not shown of a tool's schema: its example queries, and what values were drawn by, as `examples`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_pipeline.core.queries import KEYWORD

if TYPE_CHECKING:
    from collections.abc import Collection

    from data_pipeline.core.schema import Tool

_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions"})
"""Keywords that hold schemas by name; the names are no keywords."""
_DATA = frozenset({"default", "enum", "const", "examples", "required"})
"""Keywords that hold values."""


def shown(tool: Tool, hidden: Collection[str]) -> Tool:
    """The tool as samples show it: without its example queries, and without these keywords on any level."""
    parameters = {key: value for key, value in tool.parameters.items() if key != KEYWORD}
    if not hidden and len(parameters) == len(tool.parameters):
        return tool
    return tool.model_copy(update={"parameters": _without(parameters, hidden)})


def _without(schema: Any, keywords: Collection[str]) -> Any:
    if isinstance(schema, list):
        return [_without(entry, keywords) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _inner(key, value, keywords) for key, value in schema.items() if key not in keywords}


def _inner(key: str, value: Any, keywords: Collection[str]) -> Any:
    if key in _DATA:
        return value
    if key in _NAMED and isinstance(value, dict):
        return {name: _without(schema, keywords) for name, schema in value.items()}
    return _without(value, keywords)
