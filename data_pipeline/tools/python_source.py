"""A plain typed function becomes a `Tool`: types from its annotations, words from its docstring."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Tool, describe

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]


def tool_from_function(function: Callable[..., Any], source: str) -> Tool:
    """Describe a function as a model sees it.

    Args:
        function: fully annotated, with a docstring whose `Args` section describes its parameters.
        source: where it came from, such as `bundled:finance`.

    Raises:
        InputError: the function cannot be described; the message names it and the reason.
    """
    summary, words = _read_docstring(function)
    hints = _hints(function)
    properties: dict[str, Schema] = {}
    required = []
    for parameter in inspect.signature(function).parameters.values():
        _refuse_unnamed(function, parameter, hints)
        properties[parameter.name] = _property(function, parameter, hints, words.get(parameter.name, ""))
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    try:
        return Tool(
            name=function.__name__,
            description=summary,
            parameters={"type": "object", "properties": properties, "required": required},
            returns=_returns(hints),
            source=source,
        )
    except ValidationError as error:
        raise _cannot(function, f"{describe(error)}; defaults and limits must be JSON values") from error


def _cannot(function: Callable[..., Any], reason: str) -> InputError:
    return InputError(f"function '{function.__name__}' cannot become a tool: {reason}")


def _read_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The description, and a description for each documented parameter."""
    # Imported here because it is needed only when functions are read, and is slow to import.
    from docstring_parser import parse

    text = inspect.getdoc(function)
    if not text:
        raise _cannot(function, "it has no docstring; say in one sentence what it does")
    parsed = parse(text)
    summary = _one_line(f"{parsed.short_description or ''} {parsed.long_description or ''}")
    return summary, {entry.arg_name: _one_line(entry.description or "") for entry in parsed.params}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise _cannot(function, f"an annotation cannot be resolved ({error})") from error


def _refuse_unnamed(function: Callable[..., Any], parameter: inspect.Parameter, hints: dict[str, Any]) -> None:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise _cannot(function, f"parameter '{parameter}' cannot be given by name; list each parameter by itself")
    if parameter.name not in hints:
        raise _cannot(function, f"parameter '{parameter.name}' has no type annotation")


def _property(function: Callable[..., Any], parameter: inspect.Parameter, hints: dict[str, Any], words: str) -> Schema:
    """The JSON schema of one parameter."""
    try:
        schema = json_schema(hints[parameter.name])
    except (PydanticUserError, NameError, TypeError, ValueError) as error:
        reason = _one_line(str(error)).split(" For further information")[0]
        raise _cannot(function, f"parameter '{parameter.name}' has no JSON schema ({reason})") from error
    if words:
        schema["description"] = words
    if parameter.default is None:
        schema = _without_null(schema)
    elif parameter.default is not parameter.empty:
        schema["default"] = parameter.default
    return _ordered(schema)


def _returns(hints: dict[str, Any]) -> Schema | None:
    """The JSON schema of the result, or None where the annotation does not say."""
    if "return" not in hints:
        return None
    try:
        return json_schema(hints["return"], mode="serialization") or None
    except (PydanticUserError, NameError, TypeError, ValueError):
        # A tool can be called without knowing the shape of its result.
        return None


def json_schema(annotation: Any, mode: Literal["validation", "serialization"] = "validation") -> Schema:
    """The JSON schema of a type, without titles and with every definition written in place.

    Raises:
        PydanticUserError: the type has no JSON schema.
        ValueError: the type contains itself.
    """
    schema = TypeAdapter(annotation).json_schema(mode=mode)
    return _tidy(schema, schema.pop("$defs", {}))


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
        if key == "title" or (key == "additionalProperties" and isinstance(value, bool)):
            continue
        if key == "const":
            tidy["enum"] = [value]
        elif key == "properties":
            tidy[key] = {name: _tidy(nested, definitions, inside) for name, nested in value.items()}
        elif key in ("anyOf", "oneOf", "prefixItems"):
            tidy[key] = [_tidy(nested, definitions, inside) for nested in value]
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            tidy[key] = _tidy(value, definitions, inside)
        else:
            tidy[key] = value
    return _ordered(tidy)


def _without_null(schema: Schema) -> Schema:
    """`X | None = None` is shown as X: leaving the argument out is how a call says None."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(options) == 1:
        return {**options[0], **rest}
    return {"anyOf": options, **rest} if options else rest


def _ordered(schema: Schema) -> Schema:
    """The same schema, `type` and `description` first and `default` last."""
    first = [key for key in ("type", "description") if key in schema]
    last = [key for key in ("default",) if key in schema]
    middle = [key for key in schema if key not in (*first, *last)]
    return {key: schema[key] for key in (*first, *middle, *last)}
