"""One slip of the finger in a query, never in a word of a value."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

MIN_LETTERS = 4
"""Shorter words are left alone: with a letter less they would be other words."""

_WORD = re.compile(r"[^\W\d_]+")


def with_slip(query: str, values: Iterable[str], rng: random.Random) -> str:
    """The query with two letters swapped, one doubled or one dropped in one of its words.

    Args:
        query: what is written.
        values: texts whose words must stay as they are.
        rng: of the draws.
    """
    kept = {word for value in values for word in _WORD.findall(value.casefold())}
    places = [
        match for match in _WORD.finditer(query) if len(match[0]) >= MIN_LETTERS and match[0].casefold() not in kept
    ]
    if not places:
        return query
    place = rng.choice(places)
    return query[: place.start()] + _slipped(place[0], rng) + query[place.end() :]


def _slipped(word: str, rng: random.Random) -> str:
    """One slip behind the first letter, which people get right."""
    at = rng.randrange(1, len(word) - 1)
    kind = rng.random()
    if kind < 0.4 and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.7:
        return word[: at + 1] + word[at:]
    return word[:at] + word[at + 1 :]
