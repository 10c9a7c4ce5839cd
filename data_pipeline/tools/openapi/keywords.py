"""One schema object as API descriptions write it -> the keywords of JSON Schema, its children aside.

Descriptions in the wild are loose: numbers in quotes, `required: true` inside a property, patterns of
another language, an example where a list belongs. A keyword whose value has the wrong form is left out,
because it only narrows what is accepted and nobody can say how; a `type` that is none makes the
operation unfit, because nothing can be said of its values.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from data_pipeline.tools.schema_form import JSON_TYPES, Unfit, compiles

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]

MAX_WORDS = 1024
"""Longest description, in characters: what function-calling interfaces take."""
MAX_EXAMPLES = 3
MAX_EXAMPLE_CHARS = 300

_ALIASES = {
    "int": "integer",
    "int32": "integer",
    "int64": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "str": "string",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
    "map": "object",
}


def one_line(text: object) -> str:
    """Text without line breaks, cut after the last sentence or word within `MAX_WORDS`."""
    if not isinstance(text, str):
        return ""
    line = " ".join(text.split())
    if len(line) <= MAX_WORDS:
        return line
    cut = line[: MAX_WORDS - 1]
    sentence = cut.rfind(". ")
    if sentence > MAX_WORDS // 2:
        return cut[: sentence + 1]
    return cut[: cut.rfind(" ")] + "…" if " " in cut else cut + "…"


def clean(node: Schema) -> Schema:
    """What one schema object says of itself.

    Raises:
        Unfit: its `type` is none of JSON's.
    """
    found: Schema = {}
    kinds = types(node)
    if kinds:
        found["type"] = kinds[0] if len(kinds) == 1 else kinds
    words = one_line(node.get("description"))
    if words:
        found["description"] = words
    for key, value in node.items():
        read = _READERS.get(key)
        if read is not None and (usable := read(value)) is not None:
            found[key] = usable
    _fix_exclusive(node, found)
    _fix_values(node, found, kinds)
    return found


def types(node: Schema) -> list[str]:
    """The JSON types a schema allows, `null` last and only where it says so.

    Raises:
        Unfit: one of them is unknown.
    """
    stated = node.get("type")
    names = stated if isinstance(stated, list) else [stated]
    found = []
    for name in names:
        if name is None or name == "any":
            continue
        known = _ALIASES.get(str(name).lower(), str(name).lower())
        if known not in JSON_TYPES:
            raise Unfit(f"a schema has the type '{name}', which JSON does not have")
        if known not in found:
            found.append(known)
    if not found and isinstance(node.get("properties"), dict):
        found.append("object")
    if found and (node.get("nullable") is True or node.get("x-nullable") is True):
        found.append("null")
    return sorted(dict.fromkeys(found), key="null".__eq__)


def _number(value: object) -> float | int | None:
    """A finite number, also one in quotes."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_no_constant)
        except ValueError:
            return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _positive(value: object) -> float | int | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _count(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number >= 0 and number == int(number) else None


def _pattern(value: object) -> str | None:
    return value if isinstance(value, str) and value and compiles(value) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _true(value: object) -> bool | None:
    return True if value is True else None


_READERS: dict[str, Callable[[Any], Any]] = {
    "format": _text,
    "pattern": _pattern,
    "multipleOf": _positive,
    "uniqueItems": _true,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _count),
}


def _fix_exclusive(node: Schema, found: Schema) -> None:
    """In OpenAPI 3.0 and Swagger, `exclusiveMinimum: true` says that `minimum` itself is out."""
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if node.get(exclusive) is True and limit in found:
            found[exclusive] = found.pop(limit)


def _fix_values(node: Schema, found: Schema, kinds: list[str]) -> None:
    """`enum`, `const`, `default` and examples, as far as they are of the schema's type."""
    values = [node["const"]] if "const" in node else node.get("enum")
    if isinstance(values, list):
        usable = [fitted[0] for value in values if (fitted := fit(value, kinds))]
        if "null" in kinds and None not in usable:
            usable.append(None)
        distinct = {json.dumps(value, sort_keys=True): value for value in usable}
        if distinct and list(distinct.values()) != [None]:
            found["enum"] = list(distinct.values())
    if "default" in node and node["default"] is not None:
        fitted = fit(node["default"], kinds)
        if fitted and ("enum" not in found or fitted[0] in found["enum"]):
            found["default"] = fitted[0]
    examples = read_examples(node)
    if examples:
        found["examples"] = examples


def fit(value: Any, kinds: list[str]) -> tuple[Any] | None:
    """The value in a tuple, turned from or into text where only that makes it one of the types."""
    if not kinds or any(_is(value, kind) for kind in kinds):
        return (value,)
    if isinstance(value, str) and (number := _number(value)) is not None and any(_is(number, k) for k in kinds):
        return (number,)
    if value in ("true", "false") and "boolean" in kinds:
        return (value == "true",)
    if "string" in kinds and isinstance(value, (bool, int, float)):
        return (json.dumps(value),)
    return None


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        accepted = int if kind == "integer" else (int, float)
        return isinstance(value, accepted) and not isinstance(value, bool)
    return isinstance(value, _PYTHON_TYPES[kind])


_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def read_examples(node: Schema) -> list[Any]:
    """`example`, the list `examples` of a schema or the map `examples` of a parameter, the short ones."""
    stated = node.get("examples")
    if isinstance(stated, dict):
        stated = [entry["value"] for entry in stated.values() if isinstance(entry, dict) and "value" in entry]
    found = [*([node["example"]] if "example" in node else []), *(stated if isinstance(stated, list) else [])]
    short = {text: value for value in found if len(text := json.dumps(value)) <= MAX_EXAMPLE_CHARS}
    return list(short.values())[:MAX_EXAMPLES]
