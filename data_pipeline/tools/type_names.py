"""Type names of Python, as catalogues of functions write them, to JSON schema."""

from __future__ import annotations

import ast
import json
import re
import warnings
from functools import lru_cache
from typing import Any

from data_pipeline.tools.schema_form import Unfit

Schema = dict[str, Any]

MAX_CHARS = 300

_OPTIONAL = re.compile(r"\s*(,\s*optional|\(\s*optional\s*\))\s*$", re.IGNORECASE)
_SPELLINGS = {
    "string": ("str", "string", "text", "bytes", "char"),
    "integer": ("int", "integer", "long"),
    "number": ("float", "number", "double", "decimal"),
    "boolean": ("bool", "boolean"),
    "null": ("none", "nonetype", "null"),
}
_PLAIN: dict[str, Schema] = {
    **{name: {"type": kind} for kind, names in _SPELLINGS.items() for name in names},
    "any": {},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "uuid": {"type": "string", "format": "uuid"},
}
_LISTS = frozenset({"list", "array", "sequence", "iterable", "collection", "ndarray"})
_SETS = frozenset({"set", "frozenset", "abstractset"})
_DICTS = frozenset({"dict", "object", "mapping", "map", "defaultdict", "ordereddict", "json"})
_TUPLES = frozenset({"tuple"})


def read_type(text: str) -> tuple[Schema, bool]:
    """The JSON schema of a type name, and whether it says that the value may be left out.

    Known: `str`, `int`, `float`, `bool`, `Any`, `list`, `List[int]`, `dict`, `Dict[str, int]`,
    `Tuple[int, str]`, `Tuple[int, ...]`, `Set[str]`, `Optional[X]`, `Union[X, Y]`, `X | Y`, `X or Y`,
    `Literal['a', 'b']`, and dates; each also with ', optional' behind it.

    Raises:
        Unfit: it is no type, or one that JSON does not have, such as `Callable`.
    """
    plain, optional = _OPTIONAL.subn("", text.strip())
    schema, may_be_none = _read(plain)
    return json.loads(schema), bool(optional) or may_be_none


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[str, bool]:
    """As `read_type`, the schema as JSON text so that nobody changes what is kept."""
    if len(text) > MAX_CHARS:
        raise Unfit(f"the type '{text[:40]}…' is too long to be one")
    try:
        with warnings.catch_warnings():
            # Python warns of odd text inside quotes; it is no type anyway.
            warnings.simplefilter("ignore")
            options = _options(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, Unfit):
            raise
        raise Unfit(f"'{text}' is no type") from error
    rest = [option for option in options if option != {"type": "null"}]
    return json.dumps(_any_of(rest or options)), len(rest) < len(options)


def _options(node: ast.expr) -> list[Schema]:
    """The schemas a type is one of, in order."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_options(node.left), *_options(node.right)]
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return [option for value in node.values for option in _options(value)]
    if isinstance(node, ast.Constant) and node.value is None:
        return [{"type": "null"}]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        # A quoted type is one that is defined further down.
        return _options(ast.parse(node.value, mode="eval").body)
    if not isinstance(node, ast.Subscript):
        return [_plain(_name(node))]
    name = _name(node.value)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if not inner:
        raise Unfit(f"'{name}[()]' is no type")
    if name == "optional":
        return [*_options(inner[0]), {"type": "null"}]
    if name == "union":
        return [option for part in inner for option in _options(part)]
    if name in ("annotated", "final", "required"):
        return _options(inner[0])
    return [_generic(name, inner)]


def _name(node: ast.expr) -> str:
    """`typing.List` and `List` are one."""
    if isinstance(node, ast.Attribute):
        return node.attr.lower()
    if isinstance(node, ast.Name):
        return node.id.lower()
    raise Unfit(f"'{ast.unparse(node)}' is no type")


def _plain(name: str) -> Schema:
    if name in _PLAIN:
        return _PLAIN[name]
    if name in _LISTS | _TUPLES:
        return {"type": "array"}
    if name in _SETS:
        return {"type": "array", "uniqueItems": True}
    if name in _DICTS:
        return {"type": "object"}
    raise Unfit(f"'{name}' is no type that JSON has")


def _generic(name: str, inner: list[ast.expr]) -> Schema:
    """`List[X]`, `Dict[K, V]`, `Tuple[...]`, `Literal[...]`."""
    if name == "literal":
        return _literal(inner)
    if name in _LISTS | _SETS:
        items = _any_of(_options(inner[0]))
        return {**_plain(name), **({"items": items} if items else {})}
    if name in _DICTS:
        values = _any_of(_options(inner[-1])) if len(inner) > 1 else {}
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    if name not in _TUPLES:
        raise Unfit(f"'{name}[...]' is no type that JSON has")
    if len(inner) == 2 and isinstance(inner[1], ast.Constant) and inner[1].value is ...:
        return {"type": "array", "items": _any_of(_options(inner[0]))}
    places = [_any_of(_options(part)) for part in inner]
    return {"type": "array", "prefixItems": places, "minItems": len(places), "maxItems": len(places)}


def _literal(inner: list[ast.expr]) -> Schema:
    values = [ast.literal_eval(part) for part in inner]
    if not all(isinstance(value, (str, int, float, bool)) for value in values):
        raise Unfit("a Literal holds what JSON has not")
    kinds = {type(value) for value in values}
    kind = {str: "string", int: "integer", float: "number", bool: "boolean"}[kinds.pop()] if len(kinds) == 1 else ""
    return {**({"type": kind} if kind else {}), "enum": values}


def _any_of(options: list[Schema]) -> Schema:
    """One schema for all options; int and float are one number, and what takes anything takes all."""
    distinct = [option for index, option in enumerate(options) if option not in options[:index]]
    if {"type": "number"} in distinct:
        distinct = [option for option in distinct if option != {"type": "integer"}]
    if {} in distinct:
        return {}
    if len(distinct) == 1:
        return distinct[0]
    if all(set(option) == {"type"} for option in distinct):
        return {"type": [option["type"] for option in distinct]}
    return {"anyOf": distinct}
