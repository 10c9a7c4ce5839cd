"""Whether a call's arguments are what the tool's JSON schema asks for.

Stricter than JSON Schema where Python is: 1.0 is not an integer, since the tool would be handed a
float, and an argument the schema does not list is an error, since the tool would not take it.

Regular expressions in a schema come from outside, and Python's `re` can take longer than the universe
over a short one. They are read as JSON Schema says, in the dialect of ECMA-262, by the engine of
jsonschema-rs: in time linear in the text, or, with look-around and back-references, in at most
`MAX_BACKTRACKS` steps, after which a text counts as no match. What that engine cannot read, such as
`\\Z` and conditionals, which only Python has, makes the tool's schema a broken one.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from data_pipeline.core.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from data_pipeline.core.schema import Tool

MAX_DETAIL = 300
MAX_KEPT = 20_000
"""Tools a `PerTool` remembers; samples read from disk bring a new `Tool` object each, so it is emptied when full."""

MAX_BACKTRACKS = 100_000
"""Steps back one search for a regular expression may take: some milliseconds."""

MAX_WHOLE = 2**63
"""Integers from here on are left to Python, because the compiled validator rounds them."""

# `$ref` and what stands next to it are not read alike everywhere, and neither are formats.
_READ_DIFFERENTLY = ("format", "$ref", "$dynamicRef", "unevaluatedProperties", "$schema")

KeptT = TypeVar("KeptT")

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


class PerTool(Generic[KeptT]):
    """What is derived from a tool, derived once for all tools that read the same."""

    def __init__(self, derive: Callable[[Tool], KeptT]) -> None:
        """Nothing is derived yet."""
        self._derive = derive
        # By identity first, since reading a schema costs more than a check; the tool is kept beside the
        # value so that its identity is not given to another.
        self._by_identity: dict[int, tuple[Tool, KeptT]] = {}
        self._by_text: dict[str, KeptT] = {}

    def __call__(self, tool: Tool) -> KeptT:
        """The value for a tool."""
        found = self._by_identity.get(id(tool))
        return self._add(tool) if found is None else found[1]

    def _add(self, tool: Tool) -> KeptT:
        if len(self._by_identity) >= MAX_KEPT:
            self._by_identity.clear()
            self._by_text.clear()
        text = tool.fingerprint
        if text not in self._by_text:
            self._by_text[text] = self._derive(tool)
        self._by_identity[id(tool)] = tool, self._by_text[text]
        return self._by_text[text]


class ArgumentCheck:
    """`argument_errors` for many calls: what is plainly right is told by a compiled validator in a microsecond.

    Only where that one objects, or the schema holds what the two validators read differently, the words of
    the slow one are asked for.
    """

    def __init__(self) -> None:
        """Nothing is compiled yet."""
        self._validator = PerTool(_compile)
        self._optional = PerTool(_all_optional)

    def __call__(self, tool: Tool, arguments: Mapping[str, Any]) -> ArgumentError | None:
        """See `argument_errors`."""
        try:
            is_valid = self._validator(tool)
            if is_valid is not None and not _holds_odd_number(arguments) and is_valid(arguments):
                return None
        except (ValueError, RecursionError):
            pass  # What the fast one cannot read, the slow one says in words.
        return argument_errors(tool, arguments)

    def of_given(self, tool: Tool, arguments: Mapping[str, Any]) -> ArgumentError | None:
        """What is wrong with the arguments of a call that is not complete, apart from that."""
        return self(self._optional(tool), arguments)


def _all_optional(tool: Tool) -> Tool:
    """The tool as if it required no argument; what is required inside an argument stays so."""
    parameters = {key: value for key, value in tool.parameters.items() if key != "required"}
    # Not a copy, which would bring the fingerprint of the other along.
    return type(tool).model_construct(name=tool.name, description=tool.description, parameters=parameters)


def _compile(tool: Tool) -> Callable[[Any], bool] | None:
    """A fast yes to arguments, or None for a schema that is broken or read differently by other libraries."""
    text = json.dumps(tool.parameters)
    if any(f'"{keyword}"' in text for keyword in _READ_DIFFERENTLY):
        return None
    try:
        return _linear_validator({"additionalProperties": False, **tool.parameters})
    except ValueError:
        return None


def _linear_validator(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """A validator whose time has a bound whatever the schema.

    Raises:
        ValueError: the schema is none, or has a regular expression that the engine cannot read.
    """
    import jsonschema_rs

    bounded = jsonschema_rs.FancyRegexOptions(backtrack_limit=MAX_BACKTRACKS)
    validator = jsonschema_rs.Draft202012Validator(schema, retriever=_no_retrieving, pattern_options=bounded)
    valid: Callable[[Any], bool] = validator.is_valid
    return valid


def _no_retrieving(uri: str) -> Any:
    raise LookupError(f"'{uri}' is outside the schema, and nothing is fetched")


def _holds_odd_number(value: Any) -> bool:
    """Whether 1.0 occurs, which JSON Schema takes for an integer and Python does not, or a huge integer."""
    for entry in value.values() if type(value) is dict else value:
        kind = type(entry)
        if kind is float:
            if entry.is_integer():
                return True
        elif kind is int:
            if not -MAX_WHOLE < entry < MAX_WHOLE:
                return True
        elif (kind is dict or kind is list) and _holds_odd_number(entry):
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
    rules = {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional}
    strict: Callable[..., Validator] = extend(Draft202012Validator, rules, type_checker=checker)  # type: ignore[no-untyped-call]
    # An empty registry, because the default one fetches a remote `$ref` over the network.
    empty: Registry[Any] = Registry()
    return partial(strict, registry=empty)


# These three stand in for the rules of jsonschema that would search with Python's `re`.


@lru_cache(maxsize=4096)
def _found_in(pattern: str) -> Callable[[Any], bool]:
    return _linear_validator({"pattern": pattern})


def _pattern(_: Validator, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    if isinstance(value, str) and not _found_in(pattern)(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: dict[str, Any], value: Any, _: Any) -> Iterator[ValidationError]:
    for pattern, schema in patterns.items() if isinstance(value, dict) else ():
        for name in filter(_found_in(pattern), value):
            yield from validator.descend(value[name], schema, path=name, schema_path=pattern)


def _additional(validator: Any, allowed: Any, value: Any, schema: dict[str, Any]) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    listed, patterns = schema.get("properties", {}), [*map(_found_in, schema.get("patternProperties", {}))]
    for name in value if isinstance(value, dict) else ():
        if name in listed or any(is_found(name) for is_found in patterns):
            continue
        if allowed is False:
            yield ValidationError(f"{name!r} is not listed, and nothing else is allowed")
        else:
            yield from validator.descend(value[name], allowed, path=name)


def _first_error(tool: Tool, arguments: Mapping[str, Any]) -> ArgumentError | None:
    from jsonschema.exceptions import UndefinedTypeCheck, UnknownType
    from referencing.exceptions import Unresolvable

    try:
        _refuse_open_ended(tool)
        error = next(_strict_validator()(tool.parameters).iter_errors(arguments), None)
        return None if error is None else _explain(_most_telling(error), tool.name)
    except RecursionError:
        return ArgumentError("bad_value", f"{tool.name}: nested deeper than can be checked")
    except (UnknownType, UndefinedTypeCheck, Unresolvable, ValueError, TypeError, AttributeError, KeyError) as broken:
        # The validator trips over a schema that is none in as many ways as there are to write one.
        first_line = str(broken).strip().partition("\n")[0]
        return ArgumentError("bad_schema", f"{tool.name}: the tool's schema is broken ({first_line})"[:MAX_DETAIL])
    except ArithmeticError as huge:
        return ArgumentError("bad_value", f"{tool.name}: a number is beyond what can be checked ({huge})")


def _refuse_open_ended(tool: Tool) -> None:
    """jsonschema searches with Python's `re` in one place more, which no rule of ours replaces."""
    text = json.dumps(tool.parameters)
    if '"unevaluatedProperties"' in text and '"patternProperties"' in text:
        raise ValueError("patternProperties beside unevaluatedProperties is not supported")


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
