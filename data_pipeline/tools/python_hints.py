"""What a function's annotations say, read with the standard library alone: workers must start at once."""

from __future__ import annotations

import collections.abc
import functools
import types
import typing
from enum import Enum
from typing import Any

Function = typing.Callable[..., Any]

_SCALARS = (str, int, float, bool, None, type(None), Any, object)
_LISTS = (list, *(getattr(collections.abc, name) for name in ("Sequence", "MutableSequence", "Collection", "Iterable")))
_OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_CHANGES_VALUES = "pydantic.functional_validators"


def innermost(function: Function) -> Function:
    """The `def` inside partials, bound methods and decorators that keep `__wrapped__`."""
    while True:
        inner = getattr(function, "func", None) if isinstance(function, functools.partial) else None
        inner = inner or getattr(function, "__func__", None) or getattr(function, "__wrapped__", None)
        if inner is None:
            return function
        function = inner


def resolve_annotation(function: Function, annotation: Any) -> Any:
    """An annotation as a type; text in it is looked up where the function was defined.

    Raises:
        Exception: whatever evaluating the text raises, such as NameError.
    """
    # One at a time, so that a name that is missing at run time costs only its own parameter.
    holder = types.SimpleNamespace(__annotations__={"x": annotation})
    names = getattr(innermost(function), "__globals__", {})
    return typing.get_type_hints(holder, globalns=names, include_extras=True)["x"]


def is_plain(hint: Any, inside: tuple[Any, ...] = ()) -> bool:
    """Whether JSON values are already what the annotation asks for."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return is_plain(parts[0], inside) and all(type(part).__module__ != _CHANGES_VALUES for part in parts[1:])
    if origin is typing.Literal:
        return not any(isinstance(part, (Enum, bytes)) for part in parts)
    if origin in (typing.Union, types.UnionType) or origin in _LISTS:
        return all(is_plain(part, inside) for part in parts)
    if origin in _OBJECTS:
        return not parts or (_is_text(parts[0]) and is_plain(parts[1], inside))
    if origin is not None:
        return False
    if any(hint is known for known in (*_SCALARS, *_LISTS, *_OBJECTS)):
        return True
    return is_plain(hint.__supertype__, inside) if hasattr(hint, "__supertype__") else _is_plain_record(hint, inside)


def _is_text(hint: Any) -> bool:
    """Whether a dictionary's keys may stay what JSON makes them."""
    return hint is str or hint is Any or (typing.get_origin(hint) is typing.Literal and is_plain(hint))


def _is_plain_record(hint: Any, inside: tuple[Any, ...]) -> bool:
    """Whether this is a TypedDict of plain fields; asked by its looks, since there are two kinds of them."""
    if not (isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__required_keys__")):
        return False
    fields = typing.get_type_hints(hint, include_extras=True).values()
    return hint in inside or all(is_plain(_field_type(field), (*inside, hint)) for field in fields)


def _field_type(hint: Any) -> Any:
    """The type inside Required, NotRequired and ReadOnly."""
    while getattr(typing.get_origin(hint), "_name", None) in ("Required", "NotRequired", "ReadOnly"):
        hint = typing.get_args(hint)[0]
    return hint
