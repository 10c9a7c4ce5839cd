"""Calls a typed Python function with JSON arguments, and writes its result as JSON.

A function says `date`, `set[Color]` or `Order` where a model can only send text, numbers, lists and
objects. What each function needs is decided once, from its annotations: one that takes plain JSON
types only is called as it stands. pydantic converts for the others, and is imported when the first
of them is called, because a worker process that never needs it must start at once.
"""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import inspect
import json
import os
from enum import Enum
from typing import TYPE_CHECKING, Any

from data_pipeline.tools.python_hints import Function, innermost, is_plain, resolve_annotation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LISTABLE = (collections.abc.Sequence, collections.abc.Set, collections.abc.MappingView)


class ConversionError(ValueError):
    """An argument is not what its annotation asks for, such as a date that does not exist."""


def call_function(function: Function, arguments: Mapping[str, Any], hidden: Mapping[str, Any] | None = None) -> Any:
    """Call a function with JSON values, turned into what its annotations say.

    The result is the raw object, since most are JSON already and walking through them would cost more
    than the call: `encode_result` writes it, converting only what `json` itself does not know. A
    coroutine is run to its end.

    Args:
        function: as `tool_from_function` accepts it.
        arguments: JSON values by parameter name.
        hidden: values for the parameters no model sees, handed over untouched.

    Raises:
        ConversionError: an argument cannot be converted; the function was not called.
    """
    prepared = _prepared(function)
    if prepared is not None:
        return prepared(arguments, hidden or {})
    return function(**arguments, **hidden) if hidden else function(**arguments)


class _PreparedCall:
    """A function that needs conversion, or is a coroutine, with its converters."""

    def __init__(self, function: Function, hints: dict[str, Any], is_coroutine: bool) -> None:
        self._function = function
        self._hints = hints
        self._is_coroutine = is_coroutine
        self._converters: dict[str, Callable[[Any], Any]] = {}

    def __call__(self, arguments: Mapping[str, Any], hidden: Mapping[str, Any]) -> Any:
        given = {name: self._convert(name, value) for name, value in arguments.items()}
        result = self._function(**given, **hidden)
        return _finish(result) if self._is_coroutine else result

    def _convert(self, name: str, value: Any) -> Any:
        if name not in self._hints:
            return value
        try:
            # Built on first use: a hidden parameter's type may be one that nothing converts to.
            converter = self._converters.get(name) or self._build(name)
            return converter(value)
        except ValueError as error:
            raise ConversionError(_explain(name, error)) from error

    def _build(self, name: str) -> Callable[[Any], Any]:
        from data_pipeline.tools.python_types import adapter

        # Not strict, even where a model says so: JSON has no dates or sets to be strict about.
        converter = functools.partial(adapter(self._hints[name]).validate_python, strict=False)
        self._converters[name] = converter
        return converter


# Bounded, so that functions made on the fly do not pile up, but above the largest pools of tools.
@functools.lru_cache(maxsize=65_536)
def _prepared(function: Function) -> _PreparedCall | None:
    """How to call the function, or None where its arguments go in as they are."""
    hints = {}
    for name, parameter in inspect.signature(function).parameters.items():
        # What has no annotation, or one that cannot be resolved, no model gives a value for.
        if parameter.annotation is parameter.empty:
            continue
        with contextlib.suppress(Exception):
            hint = resolve_annotation(function, parameter.annotation)
            if not is_plain(hint):
                hints[name] = hint
    is_coroutine = inspect.iscoroutinefunction(innermost(function))
    return _PreparedCall(function, hints, is_coroutine) if hints or is_coroutine else None


def _finish(result: Any) -> Any:
    # A decorator may have run the coroutine already.
    if not inspect.iscoroutine(result):
        return result
    import asyncio  # here because it is slow to import

    return asyncio.run(result)


def _explain(name: str, error: ValueError) -> str:
    details = getattr(error, "errors", None)
    if details is None:
        return f"{name}: {error}"
    first = details(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in (name, *first['loc']))}: {first['msg']}"


def encode_result(value: Any) -> str:
    """A result as JSON text.

    Raises:
        TypeError: it holds an object that has no JSON form, or a key that is no text.
        ValueError: it holds NaN or Infinity, or contains itself.
    """
    try:
        return _ENCODER.encode(value)
    except TypeError:
        # `json` asks `json_default` about values only; keys such as dates and Enum members are left.
        return _ENCODER.encode(_with_text_keys(value))


def json_default(value: Any) -> Any:
    """One step towards JSON for what `json` does not know: give it as `json.dumps(..., default=json_default)`.

    Raises:
        TypeError: the object has no JSON form.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (set, frozenset)):
        return _in_order(value)
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return value.model_dump(mode="json", by_alias=True)
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        import dataclasses  # loaded already, or there would be no dataclass

        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    for method in ("isoformat", "tolist"):  # dates and times; numbers and arrays of numpy and its kin
        if callable(getattr(value, method, None)) and not isinstance(value, type):
            return getattr(value, method)()
    if isinstance(value, collections.abc.Mapping):
        return dict(value)
    if isinstance(value, _LISTABLE) and not isinstance(value, (bytes, bytearray)):
        return [*value]  # type: ignore[misc]
    return os.fspath(value) if isinstance(value, os.PathLike) else _by_pydantic(value)


def _in_order(values: set[Any] | frozenset[Any]) -> list[Any]:
    # A set has no order of its own, and that of its hashes changes from one process to the next.
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=encode_result)


def _by_pydantic(value: Any) -> Any:
    """Decimal, UUID, timedelta, bytes and what else pydantic writes as text."""
    from pydantic_core import to_jsonable_python

    # An iterator may have no end, and is spent once it has been read.
    if isinstance(value, collections.abc.Iterator):
        raise TypeError(f"a result of type {type(value).__name__} has no JSON form; return a list")
    try:
        return to_jsonable_python(value)
    except ValueError as error:
        raise TypeError(f"a result of type {type(value).__name__} has no JSON form ({error})") from error


def _with_text_keys(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dict):
        return {_text_key(key): _with_text_keys(nested) for key, nested in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_text_keys(nested) for nested in value]
    return _with_text_keys(json_default(value))


def _text_key(key: Any) -> Any:
    if key is None or isinstance(key, (str, int, float)):
        return key
    form = None if isinstance(key, (tuple, frozenset)) else json_default(key)
    if not isinstance(form, (str, int, float)):
        raise TypeError(f"a key of type {type(key).__name__} has no JSON form; keys must be text")
    return form


_ENCODER = json.JSONEncoder(allow_nan=False, default=json_default)
