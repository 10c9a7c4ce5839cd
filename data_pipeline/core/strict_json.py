"""JSON without what other parsers read differently, or what would break something further down."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 64
"""Levels of lists and objects; tool schemas have ten at most, and recursion ends at a thousand."""
MAX_DIGITS = 308
"""Digits of a whole number; one with more is beyond what a float holds, so that nothing can compare it."""

JSON_REASONS = {
    "not_json": "the text is not JSON, or was cut off",
    "too_deep": f"nested more than {MAX_DEPTH} levels deep",
    "duplicate_key": "an object names a key twice",
    "not_finite": "NaN, Infinity, or a number too large for a float",
    "lone_surrogate": "text holds half a character, which no file can be written with",
}
"""Reason codes of `parse`, each with its meaning."""


class BadRecord(ValueError):
    """A text, of a file or a model, that cannot become a sample.

    Attributes:
        reason: a code of `JSON_REASONS`, or one of the reader's own.
        detail: one line for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def parse(text: str, what: str = "the line") -> Any:
    """One JSON value.

    Args:
        text: all of it.
        what: for the message, such as "'answers'".

    Raises:
        BadRecord: see `JSON_REASONS`.
    """
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        raise BadRecord("not_json", f"{what} is not JSON: {error.msg} at column {error.pos + 1}") from error
    except RecursionError as error:
        raise _too_deep(what) from error
    # Few texts have so many brackets, so few are walked.
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _too_deep(what)
    # Only an escape can bring half a character in: the file's bytes are UTF-8.
    if "\\ud" in text or "\\uD" in text:
        _refuse_surrogates(value, what)
    return value


def _too_deep(what: str) -> BadRecord:
    return BadRecord("too_deep", f"{what} is nested more than {MAX_DEPTH} levels deep")


def _depth(value: Any) -> int:
    """Levels of lists and objects, without recursion; counting ends one beyond `MAX_DEPTH`."""
    depth, level = 0, [value]
    while depth <= MAX_DEPTH:
        level = [node for node in level if isinstance(node, (list, dict))]
        if not level:
            break
        depth += 1
        level = [child for node in level for child in (node.values() if isinstance(node, dict) else node)]
    return depth


def _refuse_surrogates(value: Any, what: str) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadRecord("lone_surrogate", f"{what} holds half a character (a lone surrogate)") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadRecord("duplicate_key", f"an object names '{twice[:40]}' twice")
    return found


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise BadRecord("not_finite", f"{text[:40]} is beyond what a float holds")
    return value


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise BadRecord("not_finite", f"{text[:20]}... is beyond what a float holds")
    return int(text)


def _refuse_constant(name: str) -> None:
    raise BadRecord("not_finite", f"{name} is not JSON")


_decode = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_float=_float, parse_int=_int, parse_constant=_refuse_constant
).decode
