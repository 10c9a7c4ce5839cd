"""Questions in people's words, a file for each domain: a goal as a line, and its questions below.

calculate the area of a circle
- How much space does a circle of radius {radius} cover[, to {precision#} decimals]?

Slots are keys of kinds; those outside brackets are what the goal requires. See `core.queries`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from data_pipeline.core.queries import renamed, without_options

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from data_pipeline.tools.composed.domains import Goal


def queries_of(goal: Goal, names: Mapping[str, str], shares: Collection[str] = ()) -> list[str]:
    """The example queries of a tool.

    Args:
        goal: of the tool.
        names: key of each kind that the tool takes -> what it is called there.
        shares: keys of percentages that this tool takes as shares of one, of which 'percent' must not be said again.
    """
    told = questions(goal.domain).get(f"{goal.verb} {goal.thing}", ())
    for key in shares:
        told = tuple(re.sub(rf"\{{{key}#?\}}(?: ?percent| ?%)?", f"{{{key}}}", query) for query in told)
    return [renamed(without_options(query, names), lambda key: names[key]) for query in told]


@cache
def questions(domain: str) -> dict[str, tuple[str, ...]]:
    """Goal -> its questions."""
    file = files(__name__).joinpath(f"{domain}.txt")
    if not file.is_file():
        return {}
    found: dict[str, tuple[str, ...]] = {}
    goal = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("- "):
            found[goal] = (*found[goal], line[2:])
        elif line:
            goal = line
            found[goal] = ()
    return found
