"""Calls in the forms that the leaderboard wants, and the form in which its tools are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import FormatError
from data_pipeline.core.xlam_format import parse_calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from data_pipeline.core.schema import ToolCall
    from data_pipeline.core.variants import ToolConversion, Variant

Calls = list[dict[str, dict[str, Any]]]


def conversion_of(variant: Variant) -> ToolConversion:
    """As each was asked in July 2024: the published handler wrote `required` into the parameters."""
    return "leaderboard" if variant == "xlam-1-bfcl" else "card"


def read_calls(answer: str, variant: Variant = "xlam-1") -> list[ToolCall]:
    """The calls of an answer; none where it cannot be read, which ends a request as text does."""
    try:
        return parse_calls(answer, variant)
    except FormatError:
        return []


def for_checker(calls: Iterable[ToolCall]) -> Calls:
    """Calls as the checker compares them."""
    return [{call.name: dict(call.arguments)} for call in calls]


def as_source(name: str, arguments: Mapping[str, Any]) -> str:
    """One call as Python source."""
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
