"""Plain views of JSON schemas: references followed, parts merged, alternatives listed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

Schema = dict[str, Any]

MAX_HOPS = 12
"""References followed in a row; a longer chain is a circle."""

# Some catalogues write the names of Python's types.
PYTHON_TYPES = {
    "int": "integer",
    "float": "number",
    "double": "number",
    "long": "integer",
    "str": "string",
    "bool": "boolean",
    "dict": "object",
    "list": "array",
    "tuple": "array",
}


@lru_cache(maxsize=20_000)
def words_of(name: str) -> str:
    """`unitPrice_usd` -> 'unit price usd'."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.sub(r"[_\-./$\s]+", " ", spaced).strip().lower() or name.lower()


def plain(schema: Any, root: Schema, hops: int = MAX_HOPS) -> Schema:
    """The schema with `$ref` followed inside `root` and `allOf` merged; `anyOf` and `oneOf` are left."""
    found: Schema = schema if isinstance(schema, dict) else {}
    while "$ref" in found and hops > 0:
        hops -= 1
        rest = {key: value for key, value in found.items() if key != "$ref"}
        found = merged(pointed(found["$ref"], root), rest)
    parts = found.get("allOf")
    if not isinstance(parts, list) or hops <= 0:
        return found
    whole = {key: value for key, value in found.items() if key != "allOf"}
    for part in parts:
        whole = merged(plain(part, root, hops - 1), whole)
    return whole


def pointed(reference: Any, root: Schema) -> Schema:
    """What `#/$defs/Address` points at; {} where it leads nowhere."""
    node: Any = root
    for part in str(reference).removeprefix("#").strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~").replace("%24", "$")
        if key:
            node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def merged(one: Schema, other: Schema) -> Schema:
    """Both schemas at once; where they disagree the narrower bound, or else the other's word, holds."""
    both = {**one, **other}
    if isinstance(one.get("properties"), dict) and isinstance(other.get("properties"), dict):
        both["properties"] = {**one["properties"], **other["properties"]}
    if isinstance(one.get("required"), list) and isinstance(other.get("required"), list):
        both["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    if isinstance(one.get("enum"), list) and isinstance(other.get("enum"), list):
        both["enum"] = [value for value in one["enum"] if value in other["enum"]] or other["enum"]
    for key in ("minimum", "exclusiveMinimum", "minLength", "minItems"):
        if key in one and key in other:
            both[key] = max(one[key], other[key])
    for key in ("maximum", "exclusiveMaximum", "maxLength", "maxItems"):
        if key in one and key in other:
            both[key] = min(one[key], other[key])
    return both


def alternatives(schema: Schema, root: Schema) -> list[Schema]:
    """The branches of `anyOf` or `oneOf`, each merged with what stands around it; nulls only if nothing else."""
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list) and branches:
            rest = {key: value for key, value in schema.items() if key != keyword}
            found = [merged(rest, plain(branch, root)) for branch in branches]
            # The branch says what a value is, the schema around it what it means.
            found = [{**branch, **_meaning(rest)} for branch in found]
            return [branch for branch in found if branch.get("type") != "null"] or found
    return []


def _meaning(schema: Schema) -> Schema:
    return {key: schema[key] for key in ("description",) if schema.get(key)}


def type_of(schema: Schema) -> str:
    """One JSON type for the values: the declared one, or what the keywords are about; 'string' by default."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((entry for entry in kind if entry != "null"), "null")
    if kind is None:
        kind = next((implied for key, implied in _IMPLIED if key in schema), "string")
    return PYTHON_TYPES.get(str(kind).lower(), str(kind))


_IMPLIED = (
    ("properties", "object"),
    ("additionalProperties", "object"),
    ("items", "array"),
    ("prefixItems", "array"),
    ("minItems", "array"),
    ("minimum", "number"),
    ("maximum", "number"),
    ("multipleOf", "number"),
)
