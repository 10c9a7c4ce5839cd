"""JSON that a model wrote, read without guessing or mending."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_DEPTH = 64
"""Levels of lists and objects; what reads the value on would run out of stack."""

_TOO_DEEP = "nested too deeply"


def read_json_text(text: str) -> Any:
    """The value of a text that is JSON from its first character to its last, white space aside.

    Raises:
        ValueError: it is not, names a key twice, is nested too deeply, or holds NaN, a number beyond a float or half
            a character; the message says which.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _check_depth(value)
    json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [part for outer in level for part in _parts(outer)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a key twice")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is beyond what a number can hold")
    return value
