"""A tool's JSON schema in a form a grammar can be written from: alternatives without references and combinators.

JSON Schema draft 2020-12, as `data_pipeline.tools.schema_check` reads it: 1.0 is no integer, an argument that the
schema does not list is an error, formats are remarks. Two things are narrower here. A nested object that lists its
members takes no others, unless it says `additionalProperties`, as is the rule for arguments. And the formats date,
time, date-time and uuid are kept, though no check asks for them.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Tool, dumps
from data_pipeline.tools.schema_check import argument_errors

TYPES = ("string", "integer", "number", "boolean", "null", "array", "object")
COMBINATORS = ("$ref", "allOf", "anyOf", "oneOf")
REMARKS = frozenset(
    {
        "$defs",
        "definitions",
        "$schema",
        "$id",
        "$comment",
        "$anchor",
        "title",
        "description",
        "default",
        "examples",
        "example",
        "deprecated",
        "readOnly",
        "writeOnly",
        "contentMediaType",
        "contentEncoding",
        "contentSchema",
    }
)
"""Keywords that no value breaks (JSON Schema validation, section 9), and those that only hold other schemas."""

NOT_SAID = (
    "not",
    "if",
    "dependentSchemas",
    "dependentRequired",
    "dependencies",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "contains",
    "multipleOf",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
)
"""Keywords that no grammar says, or none of a size that can be used."""

MAX_BRANCHES = 64
"""Alternatives of one value once its combinators are multiplied out."""

_LOWEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_HIGHEST = ("minimum", "exclusiveMinimum", "minLength", "minItems")


class _Shape(NamedTuple):
    """What a keyword's value has to be: the test, and its words."""

    fits: Callable[[Any], bool]
    words: str


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_json(value: Any) -> bool:
    try:
        return bool(dumps(value))
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and _is_json(value)


_SHAPES = {
    **dict.fromkeys((*_LOWEST, *_HIGHEST), _Shape(_is_number, "a number")),
    "type": _Shape(lambda value: isinstance(value, str) or (_are_names(value) and bool(value)), "a name or names"),
    "properties": _Shape(lambda value: isinstance(value, dict), "an object of schemas"),
    "required": _Shape(_are_names, "a list of names"),
    "prefixItems": _Shape(lambda value: isinstance(value, list), "a list of schemas"),
    "enum": _Shape(lambda value: isinstance(value, list) and _is_json(value), "a list of JSON values"),
    "const": _Shape(_is_json, "a JSON value"),
    "pattern": _Shape(lambda value: isinstance(value, str), "a text"),
    "format": _Shape(lambda value: isinstance(value, str), "a text"),
}

Schema = Any
Plain = dict[str, Any]


class ToolSchema:
    """The parameters of one tool, and what their grammar cannot say.

    Attributes:
        root: the schema of the arguments; closed unless it says otherwise.
        notes: '{tool}.{argument}: {keyword}' for each keyword that is not enforced, in order.
    """

    def __init__(self, tool: Tool) -> None:
        """Nothing is read yet."""
        self.name = tool.name
        # The check takes what is false as "no others", {} included, and so does this.
        extra = tool.parameters.get("additionalProperties") or False
        self.root: Plain = {**tool.parameters, "type": "object", "additionalProperties": extra}
        self.notes: dict[str, None] = {}

    def note(self, place: str, keyword: str) -> None:
        """Remember that a keyword is not enforced."""
        self.notes.setdefault(f"{place}: {keyword}")

    def refuse(self, place: str, problem: str) -> InputError:
        """The error to raise for a schema that is none."""
        return InputError(f"tool '{self.name}', {place}: {problem}; mend the tool's schema")

    def allows(self, schema: Schema, value: Any) -> bool:
        """Whether the argument check takes the value, as if an argument had that schema.

        Raises:
            InputError: the schema is broken.
        """
        listed = self.root.get("properties", {})
        probe = next(name for name in map("v{}".format, itertools.count()) if name not in listed)
        shared: Plain = {key: self.root[key] for key in ("$defs", "definitions") if key in self.root}
        parameters: Plain = {**shared, "type": "object", "properties": {**listed, probe: schema}}
        error = argument_errors(Tool(name=self.name, description="", parameters=parameters), {probe: value})
        if error is not None and error.reason == "bad_schema":
            raise InputError(f"{error.detail}; mend the tool's schema")
        return error is None

    def branches(self, schema: Schema, place: str, within: frozenset[str] = frozenset()) -> list[Plain]:
        """The schema as alternatives without `$ref`, `allOf`, `anyOf` and `oneOf`; none where nothing is allowed.

        Raises:
            InputError: the schema is none, refers to nothing or only to itself, or has too many alternatives.
        """
        if schema is True or schema is False:
            return [{}] if schema else []
        if not isinstance(schema, dict):
            raise self.refuse(place, f"a schema must be an object, got {json.dumps(schema)[:40]}")
        own = {key: value for key, value in schema.items() if key not in COMBINATORS and key not in REMARKS}
        if isinstance(own.get("required"), bool) and "object" not in self.types(own, place):
            del own[
                "required"
            ]  # as drafts before 4 had it, and the leaderboard's prompts; no rule for what is no object
        self._check_shapes(own, place)
        groups = [[own], *self._combined(schema, place, within)]
        found: list[Plain] = [{}]
        for group in groups:
            merged = [self._merge(left, right, place) for left in found for right in group]
            found = [plain for plain in merged if plain is not None]
            if len(found) > MAX_BRANCHES:
                raise self.refuse(place, f"more than {MAX_BRANCHES} alternatives (anyOf, oneOf)")
        return found

    def _combined(self, schema: Plain, place: str, within: frozenset[str]) -> list[list[Plain]]:
        groups = []
        if "$ref" in schema:
            pointer = schema["$ref"]
            if isinstance(pointer, str) and pointer in within:
                raise self.refuse(place, f"$ref '{pointer}' refers to itself")
            groups.append(self.branches(self.resolve(pointer, place), place, within | {pointer}))
        groups += [self.branches(part, place, within) for part in self._parts(schema, "allOf", place)]
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                each = [self.branches(part, place, within) for part in self._parts(schema, keyword, place)]
                if keyword == "oneOf" and not self._are_apart(each):
                    self.note(place, "oneOf")
                groups.append([plain for part in each for plain in part])
        return groups

    def _parts(self, schema: Plain, keyword: str, place: str) -> list[Schema]:
        parts = schema.get(keyword, [])
        if not isinstance(parts, list) or (keyword in schema and not parts):
            raise self.refuse(place, f"{keyword} must be a list of schemas")
        return parts

    def _check_shapes(self, plain: Plain, place: str) -> None:
        """Refuse keywords whose value is none of theirs, so that what follows can rely on it."""
        for keyword, value in plain.items():
            if keyword in _SHAPES and not _SHAPES[keyword].fits(value):
                raise self.refuse(place, f"{keyword} must be {_SHAPES[keyword].words}, got {json.dumps(value)[:40]}")

    def resolve(self, pointer: Any, place: str) -> Schema:
        """What a JSON pointer (RFC 6901) such as '#/$defs/Place' refers to.

        Raises:
            InputError: it refers to nothing within the schema.
        """
        found: Any = self.root
        if not isinstance(pointer, str) or (pointer != "#" and not pointer.startswith("#/")):
            raise self.refuse(place, f"$ref {json.dumps(pointer)} is outside the schema")
        for part in pointer.split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(key)] if isinstance(found, list) else found[key]
            except (KeyError, IndexError, ValueError, TypeError):
                raise self.refuse(place, f"$ref '{pointer}' refers to nothing") from None
        return found

    def types(self, plain: Plain, place: str) -> list[str]:
        """The JSON types a value may have, each once; `number` stands for `integer`, too.

        Raises:
            InputError: a type that JSON Schema does not have.
        """
        told = plain.get("type", list(TYPES))
        listed = told if isinstance(told, list) else [told]
        unknown = next((kind for kind in listed if kind not in TYPES), None)
        if unknown is not None:
            raise self.refuse(place, f"type {json.dumps(told)} is unknown, known: {', '.join(TYPES)}")
        return [kind for kind in dict.fromkeys(listed) if kind != "integer" or "number" not in listed]

    # -- whether at most one of several schemas takes a value

    def _are_apart(self, each: list[list[Plain]]) -> bool:
        pairs = itertools.combinations(each, 2)
        return all(self._is_apart(a, b) for left, right in pairs for a in left for b in right)

    def _is_apart(self, left: Plain, right: Plain) -> bool:
        for one, other in ((left, right), (right, left)):
            values = finite(one)
            if values is not None and not any(
                self.allows(one, value) and self.allows(other, value) for value in values
            ):
                return True
        kinds = [{*self.types(plain, "oneOf")} for plain in (left, right)]
        kinds = [kind | {"integer"} if "number" in kind else kind for kind in kinds]
        return not kinds[0] & kinds[1] or (kinds[0] == kinds[1] == {"object"} and self._is_told_apart(left, right))

    def _is_told_apart(self, left: Plain, right: Plain) -> bool:
        """Whether two objects must both have a member that is never the same in both."""
        both = {*left.get("required", [])} & {*right.get("required", [])}
        members = [
            (left.get("properties", {}).get(name), right.get("properties", {}).get(name)) for name in sorted(both)
        ]
        values = [(finite(a), finite(b)) for a, b in members if isinstance(a, dict) and isinstance(b, dict)]
        return any(a is not None and b is not None and not any(value in b for value in a) for a, b in values)

    # -- both of two schemas at once

    def _merge(self, left: Plain, right: Plain, place: str) -> Plain | None:
        """What both allow; None where they share no type."""
        merged = {**left, **right}
        for key in left.keys() & right.keys():
            if left[key] != right[key]:
                merged[key] = self._both(key, left[key], right[key], place)
        if merged.get("type") == []:
            return None
        if left.keys() & {"properties", "additionalProperties"} and right.keys() & {
            "properties",
            "additionalProperties",
        }:
            merged.update(_members_of_both(left, right))
        return merged

    def _both(self, key: str, left: Any, right: Any, place: str) -> Any:
        if key == "type":
            return _shared_types(left, right)
        if key in (*_LOWEST, *_HIGHEST):
            return min(left, right) if key in _LOWEST else max(left, right)
        if key == "required":
            return [*left, *(name for name in right if name not in left)]
        if key == "items":
            return {"allOf": [left, right]}
        # Of values that are listed twice each is checked on its own; properties are merged by the caller.
        if key not in ("enum", "const", "properties", "additionalProperties"):
            self.note(place, key)
        return left


def finite(schema: Schema) -> list[Any] | None:
    """The values that are listed, or None where there is no list."""
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


def _shared_types(left: Any, right: Any) -> list[str]:
    sides = [side if isinstance(side, list) else [side] for side in (left, right)]
    wide = [{*side, "integer"} if "number" in side else {*side} for side in sides]
    return [kind for kind in dict.fromkeys([*sides[0], *sides[1]]) if kind in wide[0] and kind in wide[1]]


def _members_of_both(left: Plain, right: Plain) -> Plain:
    names = dict.fromkeys([*left.get("properties", {}), *right.get("properties", {})])
    extra = [side["additionalProperties"] for side in (left, right) if "additionalProperties" in side]
    properties = {name: _all_of(_member(side, name) for side in (left, right)) for name in names}
    return {"properties": properties, **({"additionalProperties": _all_of(extra)} if extra else {})}


def _member(side: Plain, name: str) -> Schema:
    return side.get("properties", {}).get(name, side.get("additionalProperties", True))


def _all_of(schemas: Iterable[Schema]) -> Schema:
    told = [schema for schema in schemas if schema is not True]
    if any(schema is False for schema in told):
        return False
    return ({"allOf": told} if len(told) > 1 else told[0]) if told else True


def moved(schema: Schema, pointer: str) -> Schema:
    """The schema with its references as they read when it stands at `pointer` of a larger one."""
    if isinstance(schema, list):
        return [moved(entry, pointer) for entry in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: moved(value, pointer) for key, value in schema.items()}
    if isinstance(found.get("$ref"), str):
        found["$ref"] = pointer + found["$ref"][1:]
    return found
