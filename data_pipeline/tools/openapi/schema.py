"""Schemas of a document made self-contained: references written in place, `allOf` merged, size bounded.

Cycles: where a schema contains itself, the inner one is cut to its type (`{"type": "object"}`) and
description, and so takes anything of that type. The same cut is made at the depth from which on the
schema would have more than `MAX_NODES` nodes: written out in full, some descriptions run to megabytes,
which no model reads and no machine holds.

Null: "optional or null" says the same twice, so an optional property never lists null; a required one
does where the document says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_pipeline.tools.openapi.keywords import Schema, clean, one_line, types
from data_pipeline.tools.schema_form import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_NODES = 200
"""Most schema objects that the parameters of one tool may hold."""
MAX_LEVELS = 12
MAX_STEPS = 50 * MAX_NODES
"""Most schema objects read for one: what refers to itself in many ways on one level could go on for ever."""

_CHILDREN = frozenset({"properties", "items", "prefixItems", "additionalProperties"})
_ANNOTATIONS = ("description", "default", "examples", "format")


class Schemas:
    """The schemas of one document, which must not change meanwhile."""

    def __init__(self, resolve: Callable[[str], Any], *, drop: str = "readOnly") -> None:
        """Prepare, reading nothing yet.

        Args:
            resolve: what a `$ref` leads to; raises `Unfit` where it leads nowhere.
            drop: properties marked so are left out: `readOnly` in what is sent, `writeOnly` in what comes back.
        """
        self._resolve = resolve
        self._drop = drop
        self._sizes: dict[tuple[int, int], int] = {}
        # Sizes are kept by identity, which lasts only as long as the object.
        self._measured: list[Any] = []
        self._cuts = 0
        self._steps = 0

    def levels(self, schemas: Sequence[Any], limit: int | None = None) -> int:
        """How deep the schemas can be written with at most `limit` nodes altogether.

        Raises:
            Unfit: even one level has more, or a reference leads nowhere.
        """
        limit = MAX_NODES if limit is None else limit
        self._measured.extend(schemas)
        before = -1
        for levels in range(1, MAX_LEVELS + 1):
            nodes = sum(self._size(schema, levels) for schema in schemas)
            if nodes > limit and levels == 1:
                raise Unfit(f"its arguments are too many: {nodes} schemas on the first level, of {limit} at most")
            if nodes > limit:
                return levels - 1
            if nodes == before:
                break
            before = nodes
        return levels

    def write(self, schema: Any, levels: int) -> Schema:
        """One schema, written out to a depth.

        Raises:
            Unfit: a reference leads nowhere or out of the document, a type is none of JSON's, or its
                schemas refer to each other in too many ways.
        """
        self._steps = 0
        return self._write(schema, levels, frozenset())

    def target(self, schema: Any) -> Schema:
        """An object, or the object its reference leads to; empty for anything else.

        Raises:
            Unfit: the reference leads nowhere.
        """
        if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
            schema = self._resolve(schema["$ref"])
        return schema if isinstance(schema, dict) else {}

    def _size(self, schema: Any, levels: int) -> int:
        """Nodes of a schema cut at a depth, more than it has where it contains itself further down."""
        key = (id(schema), levels)
        if key not in self._sizes:
            # Also ends a schema that contains itself on the same level.
            self._sizes[key] = 0
            self._sizes[key] = self._count(schema, levels)
        return self._sizes[key]

    def _count(self, schema: Any, levels: int) -> int:
        if not isinstance(schema, dict):
            return 1
        if isinstance(schema.get("$ref"), str):
            return self._size(self._resolve(schema["$ref"]), levels)
        same = sum(self._size(part, levels) for key in ("allOf", "anyOf", "oneOf") for part in _list(schema.get(key)))
        if levels == 0:
            return 1 + same
        below = _list(schema.get("prefixItems")) + [p for p in _values(schema) if not self._is_dropped(p)]
        below += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
        return 1 + same + sum(self._size(child, levels - 1) for child in below)

    def _write(self, schema: Any, levels: int, inside: frozenset[int]) -> Schema:
        return _finish(self._raw(schema, levels, inside))

    def _raw(self, schema: Any, levels: int, inside: frozenset[int]) -> Schema:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Unfit("its schemas refer to each other in too many ways")
        if schema is True or schema is None:
            return {}
        if not isinstance(schema, dict):
            raise Unfit(f"a schema is {'false' if schema is False else f'a {type(schema).__name__}'}, not an object")
        if isinstance(schema.get("$ref"), str):
            return self._follow(schema, levels, inside)
        own = clean(schema)
        if levels > 0:
            own.update(self._children(schema, levels - 1, inside))
        elif not _CHILDREN.isdisjoint(schema):
            self._cuts += 1
        own.update(self._options(schema, levels, inside))
        parts = [self._raw(part, levels, inside) for part in _list(schema.get("allOf"))]
        return _nulled(schema, all_of([*parts, own]) if parts else own)

    def _follow(self, schema: Schema, levels: int, inside: frozenset[int]) -> Schema:
        target = self._resolve(schema["$ref"])
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        if id(target) in inside:
            self._cuts += 1
            found = self._outline(target)
        else:
            found = self._raw(target, levels, inside | {id(target)})
        return _nulled(beside, all_of([found, self._raw(beside, levels, inside)]))

    def _outline(self, schema: Any) -> Schema:
        """The type and the description only: where a recursive schema is cut."""
        if not isinstance(schema, dict):
            return {}
        kinds = types(schema) or (["object"] if "allOf" in schema else [])
        words = one_line(schema.get("description"))
        kind: Schema = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
        return {**kind, **({"description": words} if words else {})}

    def _options(self, schema: Schema, levels: int, inside: frozenset[int]) -> Schema:
        found: Schema = {}
        for key in ("anyOf", "oneOf"):
            if not _list(schema.get(key)):
                continue
            cuts = self._cuts
            options = [self._write(option, levels, inside) for option in schema[key]]
            if {} in options:
                # Such as `{"required": [...]}` alone, which says nothing once it stands by itself.
                continue
            # What told the options apart may have been cut; then a value fits several of them.
            alike = self._cuts > cuts or any(option in options[:index] for index, option in enumerate(options))
            found["anyOf" if alike and "anyOf" not in schema else key] = options
        return found

    def _children(self, schema: Schema, levels: int, inside: frozenset[int]) -> Schema:
        found: Schema = {}
        properties = schema.get("properties")
        if isinstance(properties, dict):
            found["properties"] = {
                str(name): self._write(child, levels, inside)
                for name, child in properties.items()
                if not self._is_dropped(child)
            }
        required = schema.get("required")
        if isinstance(required, list):
            found["required"] = list(dict.fromkeys(map(str, required)))
        if isinstance(schema.get("items"), dict):
            found["items"] = self._write(schema["items"], levels, inside)
        if _list(schema.get("prefixItems")):
            found["prefixItems"] = [self._write(child, levels, inside) for child in schema["prefixItems"]]
        rest = schema.get("additionalProperties")
        # With `patternProperties`, which are not carried over, more names are allowed than are listed.
        if rest is False and "patternProperties" not in schema:
            found["additionalProperties"] = False
        elif isinstance(rest, dict) and rest:
            found["additionalProperties"] = self._write(rest, levels, inside)
        return found

    def _is_dropped(self, schema: Any) -> bool:
        if not isinstance(schema, dict):
            return False
        if isinstance(schema.get("$ref"), str) and self._drop not in schema:
            schema = self._resolve(schema["$ref"])
        return isinstance(schema, dict) and schema.get(self._drop) is True


def _nulled(stated: Schema, written: Schema) -> Schema:
    return with_null(written) if stated.get("nullable") is True or stated.get("x-nullable") is True else written


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(schema: Schema) -> Iterable[Any]:
    properties = schema.get("properties")
    return properties.values() if isinstance(properties, dict) else ()


def all_of(parts: Sequence[Schema]) -> Schema:
    """One schema that says what all parts say: merged, or kept as `allOf` where two contradict."""
    merged: Schema = {}
    for part in parts:
        together = _merge(merged, part)
        if together is None:
            # Each branch sees all properties, so one that allows only its own would refuse the others'.
            open_parts = ({k: v for k, v in part.items() if k != "additionalProperties"} for part in parts)
            return {"allOf": [_finish(part) for part in open_parts if part]}
        merged = together
    return merged


def _merge(first: Schema, second: Schema) -> Schema | None:
    """Both schemas in one; None if a keyword of theirs cannot be in one."""
    merged = dict(first)
    for key, value in second.items():
        if key not in merged or key in _ANNOTATIONS:
            merged[key] = value
        elif key == "properties":
            merged[key] = {**merged[key], **value}
        elif key == "required":
            merged[key] = list(dict.fromkeys([*merged[key], *value]))
        elif key in ("type", "enum"):
            both = _common(merged[key], value)
            if not both:
                return None
            merged[key] = both[0] if key == "type" and len(both) == 1 else both
        elif key != "additionalProperties" and merged[key] != value:
            return None
    if first.get("properties") and second.get("properties") and merged.get("additionalProperties") is False:
        del merged["additionalProperties"]
    return merged


def _common(first: Any, second: Any) -> list[Any]:
    """What two `type` or `enum` values both allow."""
    ones, others = (value if isinstance(value, list) else [value] for value in (first, second))
    return [value for value in ones if value in others]


def with_null(schema: Schema) -> Schema:
    """The schema, null allowed too."""
    kind = schema.get("type")
    if kind is not None:
        kinds = kind if isinstance(kind, list) else [kind]
        widened = {**schema, "type": kinds if "null" in kinds else [*kinds, "null"]}
        if "enum" in schema and None not in schema["enum"]:
            widened["enum"] = [*schema["enum"], None]
        return widened
    for key in ("anyOf", "oneOf"):
        if key in schema and {"type": "null"} not in schema[key]:
            return {**schema, key: [*schema[key], {"type": "null"}]}
    if "allOf" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


def without_null(schema: Schema) -> Schema:
    """The schema without null where something else is left: leaving the argument out says the same."""
    found = dict(schema)
    kind = found.get("type")
    if isinstance(kind, list) and "null" in kind and len(kind) > 1:
        rest = [name for name in kind if name != "null"]
        found["type"] = rest[0] if len(rest) == 1 else rest
        if found.get("enum"):
            found["enum"] = [value for value in found["enum"] if value is not None] or found["enum"]
    for key in ("anyOf", "oneOf"):
        options = [option for option in found.get(key, ()) if option != {"type": "null"}]
        if len(options) == 1 and len(found[key]) > 1:
            del found[key]
            found = {**options[0], **found}
        elif options:
            found[key] = options
    return found


def _finish(schema: Schema) -> Schema:
    """What can be said only of the whole: required names exist, optional ones are not null, and the order."""
    properties = schema.get("properties")
    if "required" in schema:
        required = [name for name in schema["required"] if name in (properties or ())]
        schema = {key: value for key, value in schema.items() if key != "required"}
        if required:
            schema["required"] = required
    if properties:
        required = schema.get("required", ())
        narrowed = {name: s if name in required else without_null(s) for name, s in properties.items()}
        schema = {**schema, "properties": narrowed}
    return ordered(schema)


def ordered(schema: Schema) -> Schema:
    """The same schema, `type` and `description` first, `default` and examples last."""
    first = [key for key in ("type", "description") if key in schema]
    last = [key for key in ("default", "examples") if key in schema]
    middle = [key for key in schema if key not in (*first, *last)]
    return {key: schema[key] for key in (*first, *middle, *last)}
