"""What the foreign formats have in common: fields, tools, calls, and the style that is told from them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from data_pipeline.core.schema import Tool, ToolCall
from data_pipeline.core.strict_json import BadRecord
from data_pipeline.tools.schema_form import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data_pipeline.core.schema import Style

T = TypeVar("T")
MAX_KEPT = 20_000
"""Tools remembered, so that a dataset's rows share them; then remembering begins anew."""

_NAMES = {str: "text", dict: "an object", list: "a list", int: "a number", float: "a number", bool: "true or false"}


def field(record: dict[str, Any], name: str, *kinds: type[T]) -> T:
    """A field that must be there, of one of the kinds.

    Raises:
        BadRecord: missing_field, wrong_type.
    """
    if name not in record:
        raise BadRecord("missing_field", f"'{name}' is missing")
    value = record[name]
    if not isinstance(value, kinds):
        wanted = " or ".join(_NAMES[kind] for kind in kinds)
        raise BadRecord("wrong_type", f"'{name}' must be {wanted}, got {_NAMES.get(type(value), 'null')}")
    return value


def identity(record: dict[str, Any], line: int) -> str:
    """The record's id as text, or the number of its line."""
    stated = record.get("id")
    known = isinstance(stated, (int, str)) and not isinstance(stated, bool) and stated != ""
    return str(stated) if known else f"line-{line}"


def style_of(tools: Sequence[Tool], calls: Sequence[ToolCall]) -> Style:
    """What kind of answer is asked for, told from the answer."""
    if not calls:
        return "irrelevance"
    if len(calls) == 1:
        return "simple" if len(tools) == 1 else "multiple"
    return "parallel" if len({call.name for call in calls}) == 1 else "parallel-multiple"


def read_call(entry: Any, arguments: Any) -> ToolCall:
    """A call from the object with its name, and its arguments.

    Raises:
        BadRecord: bad_call.
    """
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise BadRecord("bad_call", "a call needs a 'name' of text")
    if not isinstance(arguments, dict):
        raise BadRecord("bad_call", f"the arguments of '{name[:60]}' must be an object")
    return ToolCall(name=name, arguments=arguments)


def listed(roles: Sequence[str]) -> str:
    """The roles of a conversation's messages, for a message: as many as one line holds."""
    return ", ".join(role[:20] for role in roles[:8]) + (", ..." if len(roles) > 8 else "") or "no message"


class ToolReader:
    """Reads tool descriptions, each distinct one once."""

    def __init__(self, read: Callable[[Any, str], Tool], source: str) -> None:
        """Nothing is known yet.

        Args:
            read: one description to a tool, raises `Unfit`.
            source: for each tool's `source`.
        """
        self._read = read
        self._source = source
        self._known: dict[str, Tool] = {}

    def __call__(self, entries: list[Any]) -> tuple[Tool, ...]:
        """The tools of a record.

        Raises:
            BadRecord: bad_tool.
        """
        return tuple(self._tool(entry, index) for index, entry in enumerate(entries))

    def _tool(self, entry: Any, index: int) -> Tool:
        key = json.dumps(entry)
        found = self._known.get(key)
        if found is None:
            try:
                found = self._read(entry, self._source)
            except Unfit as error:
                raise BadRecord("bad_tool", f"tool {index}: {error}") from error
            if len(self._known) >= MAX_KEPT:
                self._known.clear()
            self._known[key] = found
        return found
