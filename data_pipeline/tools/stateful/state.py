"""What stateful tools work on: a typed world, its canonical JSON, and the changes between two of them.

A tool takes the `State` of its domain first, may change it in place, and returns JSON. Its arguments have
been checked against its schema; what a schema cannot say it refuses with a `ValueError` of one sentence.

A tool that raises may leave the state half changed: the caller runs it on a copy, or on a state that it can
restore, and throws that away on an error. There is no clock: what a domain takes for now is in its state.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue
    from typing_extensions import Self

    from data_pipeline.core.schema import SideEffects

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_SIDE_EFFECTS = "side_effects"


class Record(BaseModel):
    """A part of a state: strict about keys and types, also when a field is assigned."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_assignment=True, allow_inf_nan=False)


class DomainState(Record):
    """Base of the `State` of a domain."""

    def snapshot(self) -> str:
        """The state as canonical JSON.

        Returns:
            One line with sorted keys; equal states give the same bytes.
        """
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def restore(cls, text: str) -> Self:
        """The state that `snapshot` wrote.

        Args:
            text: what `snapshot` returned.

        Returns:
            A state equal to the one written, sharing nothing with it.

        Raises:
            InputError: not JSON, an unknown or a missing key, or a value of the wrong type.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InputError(f"not a {cls.__module__.rpartition('.')[2]} state: {describe(error)}") from error


@dataclass(frozen=True)
class Change:
    """One difference between two states.

    Attributes:
        path: where, such as `bookings.B1001.seat` or `meetings.M301.notes[2]`. The index of an item
            removed is the one it had, every other index is the one it has now.
        before: the value it had; None where it was added.
        after: the value it has; None where it was removed.
        kind: whether the record or item is new, gone, or has another value.
    """

    path: str
    before: JsonValue
    after: JsonValue
    kind: Literal["added", "removed", "changed"]

    def __str__(self) -> str:
        values = [json.dumps(value) for value in (self.before, self.after)]
        shown = {"added": values[1], "removed": values[0], "changed": " -> ".join(values)}
        return f"{self.kind} {self.path}: {shown[self.kind]}"


def diff(before: DomainState, after: DomainState) -> list[Change]:
    """What differs between two states of one domain.

    Args:
        before: the earlier state.
        after: the later state.

    Returns:
        The changes, as deep inside as they reach, by path in the order of the keys; empty for equal states.

    Raises:
        TypeError: the states belong to different domains.
    """
    if type(before) is not type(after):
        raise TypeError(f"cannot compare states of {type(before).__module__} and {type(after).__module__}")
    return list(_changes("", before.model_dump(mode="json"), after.model_dump(mode="json")))


def _changes(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _changes_of_keys(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _changes_of_items(path, before, after)
    elif before != after:
        yield Change(path, before, after, "changed")


def _changes_of_keys(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        inner = f"{path}.{key}" if path else key
        if key not in before:
            yield Change(inner, None, after[key], "added")
        elif key not in after:
            yield Change(inner, before[key], None, "removed")
        else:
            yield from _changes(inner, before[key], after[key])


def _changes_of_items(path: str, before: list[Any], after: list[Any]) -> Iterator[Change]:
    """The items that stayed are matched first, so that one taken out does not change all that follow."""
    old, new = ([json.dumps(item, sort_keys=True) for item in items] for items in (before, after))
    for _, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        paired = min(i_end - i, j_end - j)
        for offset in range(paired):
            yield from _changes(f"{path}[{j + offset}]", before[i + offset], after[j + offset])
        for index in range(i + paired, i_end):
            yield Change(f"{path}[{index}]", before[index], None, "removed")
        for index in range(j + paired, j_end):
            yield Change(f"{path}[{index}]", None, after[index], "added")


def reads(function: FunctionT) -> FunctionT:
    """Mark a tool that only looks at the state.

    Args:
        function: the tool.

    Returns:
        The same function, its attribute `side_effects` set to "read".
    """
    return _marked(function, "read")


def writes(function: FunctionT) -> FunctionT:
    """Mark a tool that changes the state.

    Args:
        function: the tool.

    Returns:
        The same function, its attribute `side_effects` set to "write".
    """
    return _marked(function, "write")


def _marked(function: FunctionT, effects: SideEffects) -> FunctionT:
    setattr(function, _SIDE_EFFECTS, effects)
    return function
