"""Whether a query states an argument's value, judged from the words alone.

Nothing here knows how the query was written, so the same check serves data made elsewhere. When in
doubt it says no: a sample lost costs little, a made-up argument in training costs trust.
"""

from __future__ import annotations

import re
from math import isclose
from typing import TYPE_CHECKING, Any

from data_pipeline.verify.query_facts import Facts, as_float, identifier_words, read_facts, word_set, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Schema = dict[str, Any]

FUNCTION_WORDS = word_set(
    "a an and any are as at be been between but by can could do does each every for from had has have how if "
    "in into is it its just may me more my no not of on one or our per please should so such than that the "
    "their them then there these they this those to up us was we were what when where whether which who will "
    "with would you your s"
)
"""Words that say nothing about what a sentence is about."""

_NEGATIVE = word_set(
    "no not false without exclude excludes excluding excluded skip skipping never none non disable disabled "
    "omit omitting off only just instead rather"
)
_POSITIVE = word_set("yes true with include includes including included also enable enabled on only counting")
_DENIED_BEFORE = word_set("not no without don't doesn't isn't never exclude excluding skip")
_DENIED_BEHIND = word_set("off false no")
_BELOW_ZERO = word_set("minus negative below before ago back backwards earlier less west south lost")
_SKIPPED = frozenset(("and", "or", "the", "a", "an"))
_SUFFIXES = word_set(
    "e s t y al ed er es or ly ing ion ist ern ers ors ies ied ment ance ence sion tion ings ions ation ating ator ity"
) | {""}
# A short value -> other ways to say it. Single characters stand for themselves anywhere in the text.
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "m": ("metre", "meter"),
    "km": ("kilometre", "kilometer"),
    "cm": ("centimetre", "centimeter"),
    "mm": ("millimetre", "millimeter"),
    "mi": ("mile",),
    "ft": ("foot", "feet"),
    "in": ("inch", "inches"),
    "kg": ("kilo", "kilogram"),
    "g": ("gram",),
    "lb": ("pound",),
    "oz": ("ounce",),
    "l": ("litre", "liter"),
    "ml": ("millilitre", "milliliter"),
    "h": ("hour",),
    "min": ("minute",),
    "s": ("second",),
    "c": ("celsius",),
    "f": ("fahrenheit",),
    "k": ("kelvin",),
    "usd": ("$", "dollar"),
    "eur": ("€", "euro"),
    "gbp": ("£", "pound"),
    "jpy": ("¥", "yen"),
    "inr": ("₹", "rupee"),
    "krw": ("₩", "won"),
    "chf": ("franc",),
    "celsius": ("°c",),
    "fahrenheit": ("°f",),
}


def ungrounded(name: str, value: Any, schema: Schema, facts: Facts) -> Iterator[tuple[str, Any]]:
    """The parts of an argument that the query does not state, each with its place, `items[0].price`."""
    if isinstance(value, dict) and value:
        properties = schema.get("properties") or {}
        for key, nested in value.items():
            if not properties and not _states_text(key, facts):
                yield f"{name}.{key}", key
            yield from ungrounded(f"{name}.{key}", nested, properties.get(key) or {}, facts)
    elif isinstance(value, list) and value:
        for index, nested in enumerate(value):
            yield from ungrounded(f"{name}[{index}]", nested, schema.get("items") or {}, facts)
    elif not _states(name, value, schema, facts):
        yield name, value


def same_word(one: str, other: str) -> bool:
    """Whether two words share a stem: they differ in an ending only, as 'convert' and 'conversion'."""
    if one == other:
        return True
    if one[:3] != other[:3] or min(len(one), len(other)) < 3:
        return False
    shared = next((i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    shared = min(len(one), len(other)) if shared is None else shared
    return _is_ending(one, shared) and _is_ending(other, shared)


def _is_ending(word: str, start: int) -> bool:
    ending = word[start:]
    doubled = ending[1:] if ending[:1] == word[start - 1] else None  # run-ning, sun-ny
    return ending in _SUFFIXES or (bool(doubled) and doubled in _SUFFIXES)


def occurring(wanted: Iterable[str], words: Iterable[str]) -> list[str]:
    """Which of the wanted words occur, in any inflection."""
    present = set(words)
    return [word for word in wanted if word in present or any(same_word(word, other) for other in present)]


def _states(name: str, value: Any, schema: Schema, facts: Facts) -> bool:
    """Whether the query states one scalar, or says that an empty value is meant."""
    choices = schema.get("enum") or ()
    if len(choices) == 1:
        return True  # There is nothing to choose, so nothing to say.
    if isinstance(value, bool):
        return _states_flag(name, value, str(schema.get("description") or ""), facts)
    if isinstance(value, (int, float)):
        return states_number(value, facts)
    if isinstance(value, str) and value.strip():
        return _states_choice(value, choices, facts) if choices else _states_text(value, facts)
    return not _NEGATIVE.isdisjoint(facts.words)


def states_number(value: float, facts: Facts) -> bool:
    """Whether some number of the query has this value, or its opposite beside a word like 'minus'."""
    number = as_float(value)
    if _among(number, facts.numbers):
        return True
    return number < 0 and not _BELOW_ZERO.isdisjoint(facts.words) and _among(-number, facts.numbers)


def _among(value: float, numbers: Iterable[float]) -> bool:
    return any(isclose(value, number, rel_tol=1e-9, abs_tol=1e-12) for number in numbers)


def _states_flag(name: str, value: bool, description: str, facts: Facts) -> bool:
    """Yes is implied by the parameter's own words, no by a word of refusal, either by the description."""
    own = _content(identifier_words(name))
    if value and _is_denied(own, facts):
        return False
    if not (_POSITIVE if value else _NEGATIVE).isdisjoint(facts.words):
        return True
    if occurring(own, facts.words) if value else any(word.endswith("n't") for word in facts.words):
        return True
    # The parameter's own words would say yes, so for a no the description must add others.
    told = [word for word in _content(words_of(description)) if value or not occurring([word], own)]
    return len(occurring(told, facts.words)) >= 2


def _is_denied(own: list[str], facts: Facts) -> bool:
    """Whether a parameter's words stand right behind a 'not', or before an 'off'."""
    for index, word in enumerate(facts.words):
        if occurring([word], own):
            before, behind = facts.words[max(0, index - 2) : index], facts.words[index + 1 : index + 3]
            if not _DENIED_BEFORE.isdisjoint(before) or not _DENIED_BEHIND.isdisjoint(behind):
                return True
    return False


def _content(words: Iterable[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word not in FUNCTION_WORDS]


def _states_choice(value: str, choices: Iterable[Any], facts: Facts) -> bool:
    """Whether the query says one value of an enum: by its words, unless another value has the same."""
    words = identifier_words(value)
    if any(other != value and words_of(str(other)) == words_of(value) for other in choices):
        return bool(re.search(rf"(?<!\w){re.escape(value)}(?![\w+-])", facts.raw))
    if _contains(value, facts.raw):
        return True
    return bool(words) and all(_says(word, facts) for word in words)


def _says(word: str, facts: Facts) -> bool:
    if word in facts.words or (len(word) > 2 and occurring([word], facts.words)):
        return True
    if word.isdecimal():
        return float(word) in facts.numbers
    for synonym in _SYNONYMS.get(word, ()):
        if synonym in facts.raw.casefold() if not synonym.isalpha() else occurring([synonym], facts.words):
            return True
    return False


def _states_text(value: str, facts: Facts) -> bool:
    """Whether the text stands in the query, perhaps with other punctuation, or as a date or a time."""
    if _contains(value, facts.raw) or _states_moment(value, facts):
        return True
    wanted = [_singular(word) for word in words_of(value) if word not in _SKIPPED]
    said = [_singular(word) for word in facts.words if word not in _SKIPPED]
    starts = range(len(said) - len(wanted) + 1)
    if wanted and any(said[start : start + len(wanted)] == wanted for start in starts):
        return True
    return len(wanted) == 1 and bool(_synonym_said(wanted[0], facts))


def _synonym_said(word: str, facts: Facts) -> bool:
    return word in _SYNONYMS and _says(word, facts)


def _contains(value: str, raw: str) -> bool:
    """Whether the value stands in the text as it is, not inside a longer ASCII word or number."""
    left = r"(?<![a-z0-9])" if value[:1].isalnum() else ""
    right = r"(?![a-z0-9])" if value[-1:].isalnum() else ""
    return bool(re.search(left + re.escape(value.casefold()) + right, raw.casefold()))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _states_moment(value: str, facts: Facts) -> bool:
    """A date, a time, or both, that the query states in another notation."""
    if not re.fullmatch(r"[\d\-/.:T apm]+", value):
        return False
    wanted = read_facts(value)
    if not (wanted.dates or wanted.times):
        month = re.fullmatch(r"\d{4}-\d{2}", value)
        return month is not None and value in facts.dates
    dated = not wanted.dates or bool(wanted.dates & facts.dates)
    return dated and wanted.times <= facts.times
