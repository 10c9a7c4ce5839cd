"""Names of tools as programmers write them: the verb and words of the thing, in one of the usual styles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from data_pipeline.tools.composed.domains import Goal

MAX_NAME = 64
"""Longest name, in characters: what function-calling interfaces take."""
_ARTICLES = frozenset({"a", "an", "the"})
_PLACING = ("in", "for", "at", "on", "between", "from", "by", "through", "with", "into", "to", "up", "about", "along")
_VERBS = {
    "calculate": ("calculate", "calculate", "calculate", "compute", "calc", "get", "find"),
    "estimate": ("estimate", "estimate", "calculate", "predict"),
    "get": ("get", "get", "get", "fetch", "retrieve", "lookup", "find"),
    "search": ("search", "search", "find"),
    "find": ("find", "find", "search", "get"),
    "list": ("list", "list", "get", "find"),
    "recommend": ("recommend", "suggest", "get_recommended"),
    "create": ("create", "create", "make", "add"),
    "generate": ("generate", "create", "make"),
    "check": ("check", "verify", "check"),
}
_NOUNS_ALONE = frozenset({"calculate", "get", "search", "list", "estimate", "convert"})
"""Verbs a name may do without: `circle_area`."""


def tool_name(goal: Goal, rng: random.Random) -> str:
    """One of the goal's possible names; it may be longer than `MAX_NAME`."""
    verb = rng.choice(_VERBS.get(goal.verb, (goal.verb,)))
    noun = rng.choice((_short, _short, _turned, _turned, _whole))(_words(goal.thing))
    alone = goal.verb in _NOUNS_ALONE and len(noun) > 1 and rng.random() < 0.12
    # Letters, digits and underscores only: 'debt-to-income', 't-test'.
    snake = re.sub(r"[^a-z0-9]+", "_", "_".join(noun if alone else [verb, *noun]).lower()).strip("_")
    return _styled(snake, goal.domain, rng.random())


def _styled(snake: str, domain: str, chance: float) -> str:
    if chance < 0.70:
        return snake
    if chance < 0.85:
        return f"{domain}.{snake}"
    return camel(snake) if chance < 0.96 else camel(f"_{snake}")


def camel(name: str) -> str:
    """`unit_price` -> `unitPrice`, `_unit_price` -> `UnitPrice`."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def _words(thing: str) -> list[str]:
    return [word for word in thing.split() if word not in _ARTICLES and word != "whether"]


def _whole(words: list[str]) -> list[str]:
    """'area of circle', with all that is said."""
    return words


def _short(words: list[str]) -> list[str]:
    """'current weather' of 'current weather in city': what stands before the first placing word."""
    end = next((index for index, word in enumerate(words) if index and word in _PLACING), len(words))
    return _turned(words[:end])


def _turned(words: list[str]) -> list[str]:
    """'circle area' of 'area of circle'."""
    if words.count("of") != 1:
        return [word for word in words if word != "of"]
    split = words.index("of")
    head, tail = words[:split], words[split + 1 :]
    end = next((index for index, word in enumerate(tail) if index and word in _PLACING), len(tail))
    return [*tail[:end], *head, *tail[end:]]
