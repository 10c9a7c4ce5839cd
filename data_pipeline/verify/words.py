"""Words of texts and identifiers, and whether two of them are one in different endings."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_KEPT = 120  # Characters of a text whose words are kept: names and choices come again, queries do not.


def word_set(text: str) -> frozenset[str]:
    """The words of a space-separated list, as they are."""
    return frozenset(text.split())


FUNCTION_WORDS = word_set(
    "a an and any are as at be been between but by can could do does each every for from had has have how if "
    "in into is it its just may me more my no not of on one or our per please should so such than that the "
    "their them then there these they this those to up us was we were what when where whether which who will "
    "with would you your s"
)
"""Words that say nothing about what a sentence is about."""

_SUFFIXES = word_set(
    "e s t y al ed er es or ly ing ion ist ern ers ors ies ied ment ance ence sion tion ings ions ation ating ator ity"
) | {""}


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, lower case; digits and letters are apart, '100m' is '100', 'm'."""
    return _kept_words(text) if len(text) <= _MAX_KEPT else _read_words(text)


def identifier_words(name: str) -> tuple[str, ...]:
    """The words of an identifier: `unitPrice_usd` -> unit, price, usd."""
    return words_of(_HUMP.sub(" ", name))


def content(words: Iterable[str]) -> list[str]:
    """Each of the words once, without those that say nothing."""
    return [word for word in dict.fromkeys(words) if word not in FUNCTION_WORDS]


def singular(word: str) -> str:
    """The word without the 's' of a plural; 'glass' and 'gas' stay."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def same_word(one: str, other: str) -> bool:
    """Whether two words share a stem: they differ in an ending only, as 'convert' and 'conversion'."""
    if one == other:
        return True
    if one[:3] != other[:3] or min(len(one), len(other)) < 3:
        return False
    shared = next((i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    shared = min(len(one), len(other)) if shared is None else shared
    return _is_ending(one, shared) and _is_ending(other, shared)


def slips(word: str) -> Iterator[str]:
    """What a slip of the finger makes of a word of four letters or more: letters swapped, doubled or left out."""
    for index in range(len(word) if len(word) >= 4 else 0):
        before, letter, behind = word[:index], word[index], word[index + 1 :]
        yield before + behind
        yield before + letter + letter + behind
        if behind:
            yield before + behind[0] + letter + behind[1:]


class Vocabulary:
    """A set of words that also finds inflections of them."""

    def __init__(self, words: Iterable[str]) -> None:
        """Words as `words_of` gives them."""
        self.words = frozenset(words)

    @cached_property
    def _by_start(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for word in self.words:
            found.setdefault(word[:3], []).append(word)
        return found

    def has(self, word: str) -> bool:
        """Whether the word occurs, in any inflection."""
        if word in self.words:
            return True
        near = self._by_start.get(word[:3])
        return near is not None and any(same_word(word, other) for other in near)

    def has_any(self, words: frozenset[str]) -> bool:
        """Whether one of these occurs, in any inflection."""
        return not self.words.isdisjoint(words) or any(map(self.has, words))


@lru_cache(maxsize=8192)
def _kept_words(text: str) -> tuple[str, ...]:
    return _read_words(text)


def _read_words(text: str) -> tuple[str, ...]:
    found = _WORD.findall(text.casefold())
    if "'" in text or "’" in text:
        return tuple(word.replace("’", "'").removesuffix("'s") for word in found)
    return tuple(found)


def _is_ending(word: str, start: int) -> bool:
    ending = word[start:]
    doubled = ending[1:] if ending[:1] == word[start - 1] else None  # run-ning, sun-ny
    return ending in _SUFFIXES or (bool(doubled) and doubled in _SUFFIXES)
