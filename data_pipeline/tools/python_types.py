"""Python types as JSON schemas, short enough for a model to read: no titles, nothing to look up."""

from __future__ import annotations

import collections.abc
import json
import math
import sys
import types
import typing
import warnings
from enum import Enum
from typing import Any, Literal

import typing_extensions
from pydantic import BeforeValidator, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

if typing.TYPE_CHECKING:
    from pydantic_core import core_schema

Schema = dict[str, Any]

_SCHEMAS_BY_NAME = ("properties", "patternProperties")
_LISTS_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE_SCHEMAS = ("items", "additionalProperties", "propertyNames", "contentSchema")
# Under other names, since a type that is put together at run time is none to a type checker.
_UNION: Any = typing.Union
_ANNOTATED: Any = typing.Annotated
_SCALARS = (str, int, float, bool, type(None))


def adapter(hint: Any) -> TypeAdapter[Any]:
    """What describes, reads and writes values of a type.

    Raises:
        PydanticUserError: pydantic does not know such a type.
        ValueError: the type contains itself.
    """
    return TypeAdapter(_for_pydantic(hint))


def json_schema(hint: Any, mode: Literal["validation", "serialization"] = "validation") -> Schema:
    """The JSON schema of a type, without titles and with every definition written in place.

    Raises:
        PydanticUserError: the type has no JSON schema.
        ValueError: the type contains itself, or has values that JSON cannot give.
    """
    with warnings.catch_warnings():
        # pydantic says that it leaves out defaults which are not JSON, as it should.
        warnings.simplefilter("ignore")
        schema = adapter(hint).json_schema(mode=mode, schema_generator=_Generator)
    return _tidy(schema, schema.pop("$defs", {}))


def json_value(hint: Any, value: Any) -> Any:
    """The JSON form of a value of a type, such as a parameter's default.

    Raises:
        ValueError: it holds NaN or Infinity, which JSON cannot express.
        TypeError: the value is not of the type, so that it has no JSON form.
    """
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except TypeError:
        pass  # no plain JSON, so its type says how to write it
    try:
        written = adapter(hint).dump_python(value, mode="json", by_alias=True, warnings="error")
    except ValueError as error:
        raise TypeError(f"{value!r} is not of the annotated type") from error
    return json.loads(json.dumps(written, allow_nan=False))


def without_null(schema: Schema) -> Schema:
    """`X | None = None` is shown as X: leaving the argument out is how a call says None."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(options) == 1:
        return {**options[0], **rest}
    return {"anyOf": options, **rest} if options else rest


def ordered(schema: Schema) -> Schema:
    """The same schema, `type` and `description` first and `default` last."""
    first = [key for key in ("type", "description") if key in schema]
    last = [key for key in ("default",) if key in schema]
    middle = [key for key in schema if key not in (*first, *last)]
    return {key: schema[key] for key in (*first, *middle, *last)}


class _Generator(GenerateJsonSchema):
    """Refuses an Enum that a call cannot name a member of: pydantic would list what it does not accept."""

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        unfit = [member.name for member in schema["members"] if not isinstance(member.value, _SCALARS)]
        if unfit and self.mode == "validation":
            raise ValueError(f"the value of {schema['cls'].__name__}.{unfit[0]} is not text, a number or true or false")
        return super().enum_schema(schema)


def _tidy(schema: Schema, definitions: Schema, inside: tuple[str, ...] = ()) -> Schema:
    """Drop titles and closedness, inline references, go into every nested schema."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        if name in inside:
            raise ValueError(f"{name} contains itself")
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _tidy({**definitions[name], **rest}, definitions, (*inside, name))
    tidy: Schema = {}
    for key, value in schema.items():
        if _says_nothing(key, value):
            continue
        if key == "const":
            tidy["enum"] = [value]
        elif key in _SCHEMAS_BY_NAME:
            tidy[key] = {name: _tidy(nested, definitions, inside) for name, nested in value.items()}
        elif key in _LISTS_OF_SCHEMAS:
            tidy[key] = [_tidy(nested, definitions, inside) for nested in value]
        elif key in _SINGLE_SCHEMAS and isinstance(value, dict):
            tidy[key] = _tidy(value, definitions, inside)
        else:
            tidy[key] = value
    return ordered(tidy)


def _says_nothing(key: str, value: Any) -> bool:
    if key == "additionalProperties":
        return isinstance(value, bool)
    # A discriminator points to definitions that are gone; the branches themselves say which is which.
    # A bound or a default of infinity is none, and JSON has no word for it.
    return key in ("title", "discriminator") or (isinstance(value, float) and not math.isfinite(value))


def _for_pydantic(hint: Any, inside: tuple[Any, ...] = ()) -> Any:
    """The same type in words that pydantic takes, and turns JSON into.

    It does not take `typing.TypedDict` before Python 3.12, does not find the Enum member that a
    `Literal` lists by its value, and hands a function that wants an `Iterable` one of its own objects.
    """
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return _literal(hint, parts)
    if origin is typing.Annotated:
        changed = (_for_pydantic(parts[0], inside), *parts[1:])
        return _ANNOTATED[changed]
    if sys.version_info < (3, 12) and typing.is_typeddict(hint) and type(hint).__module__ == "typing":
        return _modern_record(hint, inside)
    changed = tuple(_for_pydantic(part, inside) for part in parts)
    if origin is collections.abc.Iterable and parts:
        return list[changed]  # type: ignore[valid-type]
    if changed == parts:
        return hint
    return _UNION[changed] if origin in (typing.Union, types.UnionType) else origin[changed]


def _literal(hint: Any, choices: tuple[Any, ...]) -> Any:
    members = [choice for choice in choices if isinstance(choice, Enum)]

    def member(value: Any) -> Any:
        return next((found for found in members if found.value == value), value)

    return typing.Annotated[hint, BeforeValidator(member)] if members else hint


def _modern_record(record: Any, inside: tuple[Any, ...]) -> Any:
    """The TypedDict of `typing_extensions` with the fields of this one."""
    if record in inside:
        raise ValueError(f"{record.__name__} contains itself")
    fields = {}
    for name, qualified in typing.get_type_hints(record, include_extras=True).items():
        hint, required = _unqualified(qualified, name in record.__required_keys__)
        field = _for_pydantic(hint, (*inside, record))
        fields[name] = field if required else typing_extensions.NotRequired[field]
    make: Any = typing_extensions.TypedDict
    modern = make(record.__name__, fields)
    modern.__doc__ = record.__doc__
    return modern


def _unqualified(hint: Any, required: bool) -> tuple[Any, bool]:
    # Asked by name, since both `typing` and `typing_extensions` have them.
    while (word := getattr(typing.get_origin(hint), "_name", "")) in ("Required", "NotRequired"):
        hint, required = typing.get_args(hint)[0], word == "Required"
    return hint, required
