"""Names that a model can call and that nothing else in a source has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

MAX_NAME = 64
"""Longest name, in characters: what function-calling interfaces take."""


def identifier(text: str) -> str:
    """Text as a name of letters, digits and underscores, its words kept; '' if it has none of these."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:MAX_NAME].rstrip("_")
    return f"op_{name}"[:MAX_NAME] if name[:1].isdigit() else name


def unique(name: str, taken: Container[str]) -> str:
    """The name, with _2 or the next free number where it is taken."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name[: MAX_NAME - len(str(number)) - 1]}_{number}"
    return found


def argument_names(wanted: Sequence[tuple[str, str]]) -> list[str]:
    """Names for the arguments of one operation.

    Args:
        wanted: name and place of each, such as ('id', 'path'), ('id', 'body').

    Returns:
        Their names in the same order: where several have one name, the first keeps it and the others
        get their place as a suffix, `id_body`, and a number if even that is taken.
    """
    stated = {name for name, _ in wanted}
    taken: set[str] = set()
    found = []
    for name, place in wanted:
        free = name if name not in taken else _number(f"{name}_{place}", taken | stated)
        taken.add(free)
        found.append(free)
    return found


def _number(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
