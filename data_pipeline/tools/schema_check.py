"""Whether a call's arguments are what the tool's JSON schema asks for.

Stricter than JSON Schema where Python is: 1.0 is not an integer, since the tool would be handed a
float, and an argument the schema does not list is an error, since the tool would not take it.
"""

from __future__ import annotations

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
    """The first thing wrong with the arguments of a call, or None.

    The validator is made anew each time: that costs 12 microseconds of 45, less than it would take
    to look after a cache.
    """
    return _unknown_argument(tool, arguments) or _first_error(tool, arguments)


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
