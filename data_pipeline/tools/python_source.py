"""A plain typed function becomes a `Tool`: types from its annotations, words from its docstring."""

from __future__ import annotations

import functools
import inspect
import json
import typing
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from data_pipeline.core.errors import InputError
from data_pipeline.core.queries import KEYWORD
from data_pipeline.core.schema import SideEffects, Tool, describe
from data_pipeline.tools.python_docstring import one_line, read_docstring, split_queries, words_in_annotation
from data_pipeline.tools.python_hints import Function, innermost, resolve_annotation
from data_pipeline.tools.python_types import json_schema, json_value, ordered, without_null
from data_pipeline.tools.runner import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

Schema = dict[str, Any]

_MISSING = object()
_SIDE_EFFECTS = typing.get_args(SideEffects)
_NO_SKIP: frozenset[str] = frozenset()


class _Refused(Exception):
    """Why something cannot become a tool, in one line."""


def describe_module(
    module: ModuleType, source: str, *, skip: frozenset[str] = _NO_SKIP
) -> tuple[list[Tool], list[Refusal]]:
    """The tools a module holds: what its `__all__` lists, else every public function it defines.

    Args:
        module: imported already.
        source: where it came from, such as `python:my_tools`.
        skip: parameters that a model must not see, whatever function has them.

    Returns:
        The tools in the module's order, and what could not become one, with the reason.
    """
    tools, refused = [], []
    for name, function in _candidates(module):
        try:
            tools.append(_describe(function, name, source, skip))
        except _Refused as refusal:
            refused.append(Refusal(name, str(refusal)))
    return tools, refused


def tool_from_function(function: Function, source: str, *, name: str = "", skip: frozenset[str] = _NO_SKIP) -> Tool:
    """Describe a function as a model sees it.

    An attribute `side_effects` of the function, one of "none", "read" and "write", becomes the tool's. A section
    `Queries:` of its docstring holds example queries, one a line; see `core.queries`.

    Args:
        function: fully annotated, with a docstring in Google, NumPy, Sphinx or Epydoc style.
        source: where it came from, such as `bundled:finance`.
        name: what to call the tool; the function's own name unless given.
        skip: parameters that a model must not see.

    Raises:
        InputError: the function cannot be described; the message names it and the reason.
    """
    name = name or getattr(function, "__name__", "") or getattr(innermost(function), "__name__", "")
    try:
        return _describe(function, name, source, skip)
    except _Refused as refusal:
        raise InputError(f"function '{name}' cannot become a tool: {refusal}") from refusal


def _candidates(module: ModuleType) -> Iterator[tuple[str, Any]]:
    listed = getattr(module, "__all__", None)
    if listed is not None:
        for name in dict.fromkeys(map(str, listed)):
            yield name, _attribute(module, name)
        return
    seen: list[Any] = []
    for name, value in list(vars(module).items()):
        own = not name.startswith("_") and _defines(module, value)
        # A second name of the same function would be the same tool again.
        if own and not any(value is other for other in seen):
            seen.append(value)
            yield name, value


def _attribute(module: ModuleType, name: str) -> Any:
    try:
        return getattr(module, name, _MISSING)
    except Exception as error:  # a module may compute its names, and fail at it
        return error


def _defines(module: ModuleType, value: Any) -> bool:
    try:
        return _is_function(value) and bool(value.__module__ == module.__name__)
    except Exception:  # a proxy may stand for something that is not there yet
        return False


def _is_function(value: Any) -> bool:
    if isinstance(value, type):
        return False
    plain = inspect.isfunction(value) or inspect.ismethod(value) or isinstance(value, functools.partial)
    # Looked up in the instance, because some objects answer to any name; `functools.cache` puts it there.
    return plain or (callable(value) and "__wrapped__" in getattr(value, "__dict__", {}))


def _describe(function: Any, name: str, source: str, skip: frozenset[str]) -> Tool:
    """The tool, or `_Refused` for whatever reason there is."""
    try:
        _refuse_unfit(function)
        text, queries = split_queries(_docstring(function))
        summary, words = _read_docstring(text)
        parameters = _parameters(function, words, skip)
        return Tool(
            name=name,
            description=summary,
            parameters={**parameters, KEYWORD: queries} if queries else parameters,
            returns=_returns(function),
            source=source,
            side_effects=_side_effects(function),
        )
    except _Refused:
        raise
    except ValidationError as error:
        raise _Refused(f"{describe(error)}; defaults and limits must be JSON values") from error
    except Exception as error:  # annotations, types and docstrings are other people's code
        raise _Refused(one_line(f"{type(error).__name__}: {error}")) from error


def _refuse_unfit(function: Any) -> None:
    if function is _MISSING:
        raise _Refused("__all__ lists it, but the module does not have it")
    if isinstance(function, Exception):
        raise _Refused(one_line(f"reading it raises {type(function).__name__}: {function}"))
    if not _is_function(function):
        kind = "class" if isinstance(function, type) else type(function).__name__
        raise _Refused(f"it is not a function ({kind})")
    inner = innermost(function)
    if not inspect.isfunction(inner):
        raise _Refused(f"it is a {type(inner).__name__}, which has no type annotations")
    if inner.__name__ == "<lambda>":
        raise _Refused("it is a lambda, which has no type annotations; write it with def")
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        raise _Refused("it is a generator, and a call has one result; return a list")


def _side_effects(function: Any) -> Any:
    found = getattr(function, "side_effects", None) or getattr(innermost(function), "side_effects", None) or "none"
    if found not in _SIDE_EFFECTS:
        raise _Refused(f"its attribute side_effects is {found!r}, not one of {', '.join(_SIDE_EFFECTS)}")
    return found


def _docstring(function: Any) -> str:
    # `functools.partial` has a docstring about itself.
    text = inspect.getdoc(innermost(function) if isinstance(function, functools.partial) else function)
    if not text or not text.strip():
        raise _Refused("it has no docstring; say in one sentence what it does")
    return text


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    summary, words = read_docstring(text)
    if not summary:
        raise _Refused("its docstring does not say what it does; begin with a sentence that does")
    return summary, words


def _parameters(function: Any, words: dict[str, str], skip: frozenset[str]) -> Schema:
    properties: dict[str, Schema] = {}
    required = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in skip or _is_open_end(function, parameter):
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise _Refused(f"parameter '{parameter}' cannot be given by name; list each parameter by itself")
        properties[parameter.name] = _property(function, parameter, words.get(parameter.name, ""))
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    parameters = {"type": "object", "properties": properties, "required": required}
    try:
        json.dumps(parameters, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _Refused(f"its schema is not JSON ({error}); defaults and limits must be JSON values") from error
    return parameters


def _is_open_end(function: Any, parameter: inspect.Parameter) -> bool:
    """Whether this is a `**kwargs` that says nothing of what it takes, so that a call can do without."""
    if parameter.kind is not parameter.VAR_KEYWORD:
        return False
    return parameter.annotation is parameter.empty or _resolve(function, parameter) in (Any, object)


def _property(function: Any, parameter: inspect.Parameter, words: str) -> Schema:
    """The JSON schema of one parameter."""
    if parameter.annotation is parameter.empty:
        raise _Refused(f"parameter '{parameter.name}' has no type annotation")
    if isinstance(parameter.default, FieldInfo):
        raise _Refused(f"parameter '{parameter.name}' has a Field as its default; put it into Annotated[...]")
    hint = _resolve(function, parameter)
    try:
        schema = json_schema(hint)
    except Exception as error:  # types bring their own code to describe themselves
        reason = one_line(str(error)).split(" For further information")[0].split(" Set `arbitrary")[0]
        raise _Refused(f"parameter '{parameter.name}' has no JSON schema ({reason})") from error
    schema.pop("default", None)  # one inside the annotation is not what a call without the argument gets
    words = words or words_in_annotation(hint)
    if words:
        schema["description"] = words
    return ordered(_with_default(schema, hint, parameter))


def _resolve(function: Any, parameter: inspect.Parameter) -> Any:
    try:
        return resolve_annotation(function, parameter.annotation)
    except Exception as error:  # text in an annotation is code
        hint = "; a type imported under TYPE_CHECKING is not there at run time" if isinstance(error, NameError) else ""
        reason = f"an annotation cannot be resolved ({one_line(str(error))}{hint})"
        raise _Refused(f"parameter '{parameter.name}': {reason}") from error


def _with_default(schema: Schema, hint: Any, parameter: inspect.Parameter) -> Schema:
    if parameter.default is None:
        return without_null(schema)
    if parameter.default is parameter.empty:
        return schema
    try:
        return {**schema, "default": json_value(hint, parameter.default)}
    except ValueError:
        return schema  # infinity or NaN: leaving the argument out is the only way to say it
    except TypeError as error:
        raise _Refused(f"the default of '{parameter.name}': {error}; defaults must be JSON values") from error


def _returns(function: Any) -> Schema | None:
    """The JSON schema of the result, or None where the annotation does not say."""
    annotation = inspect.signature(function).return_annotation
    if annotation is inspect.Signature.empty:
        return None
    try:
        schema = json_schema(resolve_annotation(function, annotation), mode="serialization") or None
        json.dumps(schema, allow_nan=False)
        return schema
    except Exception:  # a tool can be called without knowing the shape of its result
        return None
