"""Whether a call's arguments are what the tool's JSON schema asks for.

Stricter than JSON Schema where Python is: 1.0 is not an integer, since the tool would be handed a
float, and an argument the schema does not list is an error, since the tool would not take it.
"""

from __future__ import annotations

import json
import re
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from data_pipeline.core.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from data_pipeline.core.schema import Tool

MAX_DETAIL = 300
MAX_COMPILED = 20_000
"""Compiled schemas kept; samples read from disk bring a new `Tool` object each, so the cache is emptied when full."""

# Regular expressions and formats are not the same everywhere, and `$ref` and `properties` next to it are not either.
_READ_DIFFERENTLY = (
    "pattern",
    "patternProperties",
    "format",
    "$ref",
    "$dynamicRef",
    "unevaluatedProperties",
    "$schema",
)

ARGUMENT_REASONS = {
    "missing_argument": "a required argument is not given",
    "unknown_argument": "an argument is given that the tool does not have",
    "wrong_type": "a value has another JSON type than the schema's",
    "not_in_enum": "a value is none of those the schema lists",
    "out_of_range": "a number is below the minimum or above the maximum",
    "bad_value": "a value breaks another rule of the schema, such as a length or a pattern",
    "bad_schema": "the tool's own schema is broken, so that nothing can be checked against it",
}
"""Reason codes of `argument_errors`, each with its meaning."""

_REASON_OF_KEYWORD = {
    "required": "missing_argument",
    "additionalProperties": "unknown_argument",
    "unevaluatedProperties": "unknown_argument",
    "type": "wrong_type",
    "enum": "not_in_enum",
    "const": "not_in_enum",
    "minimum": "out_of_range",
    "maximum": "out_of_range",
    "exclusiveMinimum": "out_of_range",
    "exclusiveMaximum": "out_of_range",
}


class ArgumentError(NamedTuple):
    """What is wrong with the arguments: a code of `ARGUMENT_REASONS` and one line for people."""

    reason: str
    detail: str


def argument_errors(tool: Tool, arguments: Mapping[str, Any]) -> ArgumentError | None:
    """The first thing wrong with the arguments of a call, or None; for many calls see `ArgumentCheck`."""
    return _unknown_argument(tool, arguments) or _first_error(tool, arguments)


class ArgumentCheck:
    """`argument_errors` for many calls: what is plainly right is told by a compiled validator in a microsecond.

    Only where that one objects, or the schema holds what the two validators read differently, the words of
    the slow one are asked for.
    """

    def __init__(self) -> None:
        """Nothing is compiled yet."""
        self._compiled: dict[int, tuple[Tool, Callable[[Any], bool] | None]] = {}

    def __call__(self, tool: Tool, arguments: Mapping[str, Any]) -> ArgumentError | None:
        """See `argument_errors`."""
        # Keyed by identity, since hashing a schema costs more than checking against it; the tool is kept
        # beside the validator so that its identity is not given to another.
        found = self._compiled.get(id(tool))
        if found is None:
            if len(self._compiled) >= MAX_COMPILED:
                self._compiled.clear()
            found = self._compiled[id(tool)] = tool, _compile(tool)
        is_valid = found[1]
        if is_valid is not None and is_valid(arguments) and not _holds_whole_float(arguments):
            return None
        return argument_errors(tool, arguments)


def _compile(tool: Tool) -> Callable[[Any], bool] | None:
    """A fast yes to arguments, or None for a schema that is broken or read differently by other libraries."""
    import jsonschema_rs

    text = json.dumps(tool.parameters)
    if any(f'"{keyword}"' in text for keyword in _READ_DIFFERENTLY):
        return None
    closed = {"additionalProperties": False, **tool.parameters}
    try:
        validator = jsonschema_rs.Draft202012Validator(closed, retriever=_no_retrieving)
    except (ValueError, RecursionError):
        return None
    valid: Callable[[Any], bool] = validator.is_valid
    return valid


def _no_retrieving(uri: str) -> Any:
    raise LookupError(f"'{uri}' is outside the schema, and nothing is fetched")


def _holds_whole_float(value: Any) -> bool:
    """Whether 1.0 occurs, which JSON Schema takes for an integer and Python does not."""
    for entry in value.values() if type(value) is dict else value:
        kind = type(entry)
        if kind is float:
            if entry.is_integer():
                return True
        elif (kind is dict or kind is list) and _holds_whole_float(entry):
            return True
    return False


def _unknown_argument(tool: Tool, arguments: Mapping[str, Any]) -> ArgumentError | None:
    unknown = next((name for name in arguments if name not in tool.properties), None)
    # A schema that says so itself takes more than it lists.
    if unknown is None or tool.parameters.get("additionalProperties"):
        return None
    hint = nearest(unknown, tool.properties) if tool.properties else "it takes no arguments"
    return ArgumentError("unknown_argument", f"{tool.name}.{unknown} is not an argument; {hint}")


@cache
def _strict_validator() -> Callable[..., Validator]:
    """Draft 2020-12 in which 1.0 is no integer; imported on first use because it is slow to import."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry

    def is_integer(_: object, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    checker = Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
    strict: Callable[..., Validator] = extend(Draft202012Validator, type_checker=checker)  # type: ignore[no-untyped-call]
    # An empty registry, because the default one fetches a remote `$ref` over the network.
    empty: Registry[Any] = Registry()
    return partial(strict, registry=empty)


def _first_error(tool: Tool, arguments: Mapping[str, Any]) -> ArgumentError | None:
    from jsonschema.exceptions import UndefinedTypeCheck, UnknownType
    from referencing.exceptions import Unresolvable

    try:
        error = next(_strict_validator()(tool.parameters).iter_errors(arguments), None)
    except (UnknownType, UndefinedTypeCheck, Unresolvable, re.error, TypeError, AttributeError) as broken:
        # The validator trips over a schema that is none in as many ways as there are to write one.
        first_line = str(broken).strip().partition("\n")[0]
        return ArgumentError("bad_schema", f"{tool.name}: the tool's schema is broken ({first_line})")
    return None if error is None else _explain(_most_telling(error), tool.name)


def _most_telling(error: ValidationError) -> ValidationError:
    """Of the branches of an `anyOf`, the one whose type fits but whose value does not."""
    for nested in error.context or ():
        if nested.validator != "type" or nested.relative_path:
            return _most_telling(nested)
    return error.context[0] if error.context else error


def _explain(error: ValidationError, name: str) -> ArgumentError:
    reason = _REASON_OF_KEYWORD.get(str(error.validator), "bad_value")
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return ArgumentError(reason, f"{name}{place}: {error.message}"[:MAX_DETAIL])
