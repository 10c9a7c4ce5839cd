"""Whether a value is a JSON schema that calls can be checked against, without a validator.

`jsonschema` checks a schema against the meta-schema, which takes milliseconds for each tool: half a
minute for a catalogue of ten thousand. What the meta-schema asks of a keyword fits in one line each, so
this walks the schema once and asks it. Stricter where a broken schema would show only when the first
call is checked: patterns must compile, references must stay inside the schema and lead somewhere,
an `enum` may not be empty.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JSON_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})
MAX_DEPTH = 64
"""Schemas nested deeper than this are refused: checking a call would exhaust the stack."""


class Unfit(ValueError):
    """Something that cannot become a tool; the message is the reason in one line."""


def schema_problem(schema: object) -> str | None:
    """The first thing wrong, as "at 'place': what", or None where calls can be checked against it."""
    root = schema
    todo: list[tuple[Any, Any]] = [(schema, ())]
    while todo:
        node, place = todo.pop()
        if isinstance(node, bool):
            continue
        wrong = _node_problem(node, root, place)
        if wrong is not None:
            return wrong
        if place and place[2] > MAX_DEPTH:
            return f"{_where(place)}: nested more than {MAX_DEPTH} deep"
        todo.extend(_nested(node, place))
    return None


def _node_problem(node: object, root: object, place: Any) -> str | None:
    if not isinstance(node, dict):
        return f"{_where(place)}: {_short(node)} is no schema"
    for key, value in node.items():
        rule = _RULES.get(key)
        if rule is not None:
            holds, wrong = rule
            if not holds(value):
                return f"{_where((place, key))}: {_short(value)} {wrong}"
        elif key == "$ref" and not _leads_somewhere(value, root):
            return f"{_where((place, key))}: {_short(value)} is not inside this schema"
    return None


def _nested(node: dict[str, Any], place: Any) -> Iterator[tuple[Any, Any]]:
    """The schemas inside one, each with its place: a chain of (outer place, key, depth)."""
    depth = place[2] + 1 if place else 1
    for key, value in node.items():
        if key in _HOLDS_SCHEMA:
            yield value, (place, key, depth)
        elif key in _HOLDS_LIST:
            for index, nested in enumerate(value):
                yield nested, ((place, key, depth), index, depth)
        elif key in _HOLDS_MAP:
            for name, nested in value.items():
                yield nested, ((place, key, depth), name, depth)


def _where(place: Any) -> str:
    parts: list[str] = []
    while place:
        parts.append(str(place[1]))
        place = place[0]
    return f"at '{'.'.join(reversed(parts))}'"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _leads_somewhere(ref: object, root: object) -> bool:
    if not isinstance(ref, str) or not ref.startswith("#"):
        return False
    target: Any = root
    for part in ref[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, dict) or name not in target:
            return False
        target = target[name]
    return ref == "#" or ref.startswith("#/")


@lru_cache(maxsize=1 << 14)
def compiles(pattern: str) -> bool:
    """Whether Python can search with a regular expression, which was likely written for ECMAScript."""
    with warnings.catch_warnings():
        # Python warns of brackets that may mean something else one day; today they work.
        warnings.simplefilter("ignore")
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError):
            return False
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(x, str) for x in value) and len(set(value)) == len(value)


def _is_type(value: object) -> bool:
    if isinstance(value, str):
        return value in JSON_TYPES
    return isinstance(value, list) and bool(value) and _are_names(value) and JSON_TYPES.issuperset(value)


def _is_pattern(value: object) -> bool:
    return isinstance(value, str) and compiles(value)


_HOLDS_SCHEMA = frozenset(
    {
        "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
        "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_HOLDS_LIST = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_HOLDS_MAP = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})

_TEXT = (lambda value: isinstance(value, str)), "is no text"
_FLAG = (lambda value: isinstance(value, bool)), "is neither true nor false"
_NUMBER = _is_number, "is no number"
_COUNT = _is_count, "is no count"
_SCHEMAS = (lambda value: isinstance(value, list) and bool(value)), "is no list of schemas"
_BY_NAME = (lambda value: isinstance(value, dict)), "is no object"

_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "type": (_is_type, "is no JSON type"),
    "pattern": (_is_pattern, "is no regular expression"),
    "patternProperties": (
        lambda value: isinstance(value, dict) and all(map(compiles, value)),
        "is no object of regular expressions",
    ),
    "enum": (lambda value: isinstance(value, list) and bool(value), "is no list of values"),
    "required": (_are_names, "is no list of distinct names"),
    "examples": (lambda value: isinstance(value, list), "is no list"),
    "multipleOf": (lambda value: _is_number(value) and value > 0, "is no positive number"),
    "dependentRequired": (
        lambda value: isinstance(value, dict) and all(map(_are_names, value.values())),
        "is no object of name lists",
    ),
    **dict.fromkeys(("description", "title", "format", "$comment", "contentEncoding", "contentMediaType"), _TEXT),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), _FLAG),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _NUMBER),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _COUNT),
    **dict.fromkeys(("minContains", "maxContains"), _COUNT),
    **dict.fromkeys(_HOLDS_LIST, _SCHEMAS),
    **dict.fromkeys(_HOLDS_MAP - {"patternProperties"}, _BY_NAME),
}
"""Keyword -> what must hold of its value, and what is wrong where it does not."""
