"""Whether a query states an argument's value, judged from the words alone.

Nothing here knows how the query was written, so the same check serves data made elsewhere. When in
doubt it says no: a sample lost costs little, a made-up argument in training costs trust.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from data_pipeline.verify.query_facts import Facts, as_float, is_among, phrase_of, read_facts
from data_pipeline.verify.synonyms import SYNONYMS
from data_pipeline.verify.tool_words import Schema, as_schema
from data_pipeline.verify.units import Unit, unit_of
from data_pipeline.verify.words import Vocabulary, content, identifier_words, word_set, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_NEGATIVE = word_set(
    "no not false without exclude excludes excluding excluded skip skipping never none non disable disabled "
    "omit omitted off only"
)
_POSITIVE = word_set("yes true with include includes including included enable enabled only counting")
_DENIED_BEFORE = word_set("not no without don't doesn't isn't never exclude excluding skip")
_DENIED_BEHIND = word_set("off false no")
_AFFIRMED_BEHIND = word_set("yes true on")
_BELOW_ZERO = word_set("minus negative below before ago back backwards earlier less west south lost")
_PLEASANTRY = re.compile(r" no (?:rush|hurry|worry|worrie|problem|pressure|stress|idea|doubt)\b| no matter\b")
_MOMENT = re.compile(r"[\d\-/.:T apm]+")
_MOST_PLACES = 1000  # Of one value in one query; behind them a text counts as not found.


def ungrounded(name: str, value: Any, schema: Schema, facts: Facts) -> Iterator[tuple[str, Any]]:
    """The parts of an argument that the query does not state, each with its place, `items[0].price`."""
    if isinstance(value, dict) and value:
        properties = as_schema(schema.get("properties"))
        for key, nested in value.items():
            if not properties and not _states_text(key, facts):
                yield f"{name}.{key}", key
            yield from ungrounded(f"{name}.{key}", nested, as_schema(properties.get(key)), facts)
    elif isinstance(value, list) and value:
        for index, nested in enumerate(value):
            yield from ungrounded(f"{name}[{index}]", nested, as_schema(schema.get("items")), facts)
    elif not _states(name, value, schema, facts):
        yield name, value


def _states(name: str, value: Any, schema: Schema, facts: Facts) -> bool:
    """Whether the query states one scalar, or says that an empty value is meant."""
    choices = choices_of(schema)
    if len(choices) == 1:
        return True  # There is nothing to choose, so nothing to say.
    if isinstance(value, bool):
        return states_flag(name, value, str(schema.get("description") or ""), facts)
    if isinstance(value, (int, float)):
        unit = unit_of(last_name(name), str(schema.get("description") or "")) if facts.quantities else None
        return states_number(value, unit, facts)
    if isinstance(value, str) and value.strip():
        return states_choice(value, choices, facts) if choices else _states_text(value, facts)
    return not _NEGATIVE.isdisjoint(facts.words)


def choices_of(schema: Schema) -> list[Any]:
    """The values of an enum."""
    found = schema.get("enum")
    return found if isinstance(found, list) else []


def last_name(place: str) -> str:
    """The parameter's own name in a place: `items[0].price_usd` -> price_usd."""
    return place.rsplit(".", 1)[-1].partition("[")[0]


def states_number(value: float, unit: Unit | None, facts: Facts) -> bool:
    """Whether some number of the query has this value, or its opposite beside a word like 'minus'.

    Args:
        value: the argument.
        unit: the parameter's: '2 hours' then state 120 minutes, and not 2.
        facts: of the query.
    """
    number = as_float(value)
    if facts.states(number, unit):
        return True
    return number < 0 and not _BELOW_ZERO.isdisjoint(facts.words) and facts.states(-number, unit)


def states_flag(name: str, value: bool, description: str, facts: Facts) -> bool:
    """Yes is implied by the parameter's own words, no by a word of refusal, either by the description."""
    own, said = Vocabulary(content(identifier_words(name))), _PLEASANTRY.sub(" ", facts.phrase).split()
    if value and _is_denied(own, said):
        return False
    if not (_POSITIVE if value else _NEGATIVE).isdisjoint(said):
        return True
    if facts.vocabulary.has_any(own.words) if value else any(word.endswith("n't") for word in facts.words):
        return True
    if not value and own.words and all(map(facts.vocabulary.has, own.words)):
        return _is_denied(own, said)  # The parameter's own words say yes.
    # For a no the description must add words to the parameter's own.
    told = [word for word in content(words_of(description)) if value or not own.has(word)]
    return sum(map(facts.vocabulary.has, told)) >= 2


def _is_denied(own: Vocabulary, said: Sequence[str]) -> bool:
    """Whether one of a parameter's words stands only right behind a 'not', or before an 'off'."""
    denied: dict[str, bool] = {}
    for index, word in enumerate(said):
        if own.has(word):
            before, behind = said[max(0, index - 2) : index], said[index + 1 : index + 3]
            if behind and behind[0] in _AFFIRMED_BEHIND:
                behind = []  # 'round trip: yes. No thanks.'
            found = not _DENIED_BEFORE.isdisjoint(before) or not _DENIED_BEHIND.isdisjoint(behind)
            found = found or said[index + 3 : index + 4] == ["false"]  # 'set to false'
            denied[word] = found and denied.get(word, True)
    return any(denied.values())


def states_choice(value: str, choices: Iterable[Any], facts: Facts) -> bool:
    """Whether the query says one value of an enum: by its words, unless another value has the same."""
    plain = words_of(value)
    alike = [o for o in choices if o != value and isinstance(o, (str, int)) and words_of(str(o)) == plain]
    if alike:
        # The article 'a' is no grade A, and where 'aa' and 'AA' differ, so must what is said.
        by_case = value.casefold() in ("a", "i") or any(str(other).casefold() == value.casefold() for other in alike)
        said, text = (value, facts.raw) if by_case else (value.casefold(), facts.lowered)
        return bool(re.search(rf"(?<![^\W_]){re.escape(said)}(?![\w+-])", text))
    longer = [other for other in choices if isinstance(other, str) and _is_part(plain, words_of(other))]
    if longer and _is_only_part(phrase_of(plain), longer, facts):
        return False
    if stands_in(value, facts.lowered):
        return True
    words = identifier_words(value)
    return bool(words) and all(_says(word, facts) for word in words)


def _is_part(words: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return 0 < len(words) < len(others) and set(words) < set(others)


def _is_only_part(wanted: str, longer: Iterable[str], facts: Facts) -> bool:
    """Whether the words stand only inside a longer choice: 'economy' in 'premium economy'."""
    rest = facts.phrase
    for other in longer:
        rest = rest.replace(phrase_of(words_of(other)), "  ")
    return rest != facts.phrase and wanted not in rest


def _says(word: str, facts: Facts) -> bool:
    if word in facts.vocabulary.words or (len(word) > 2 and facts.vocabulary.has(word)):
        return True
    if word.isdecimal():
        return is_among(float(word), facts.numbers)
    return any(_says_synonym(synonym, facts) for synonym in SYNONYMS.get(word, ()))


def _says_synonym(synonym: str, facts: Facts) -> bool:
    if synonym.isalpha():
        return facts.vocabulary.has(synonym)
    return f" {synonym} " in facts.phrase if " " in synonym else synonym in facts.lowered


def _states_text(value: str, facts: Facts) -> bool:
    """Whether the text stands in the query, perhaps with other punctuation, or as a date or a time."""
    if stands_in(value, facts.lowered) or _states_moment(value, facts):
        return True
    wanted = phrase_of(words_of(value))
    if wanted.strip() and wanted in facts.phrase:
        return True
    word = wanted.strip()
    return word in SYNONYMS and _says(word, facts)


def stands_in(value: str, lowered: str) -> bool:
    """Whether the value stands in the text as it is, not inside a longer ASCII word or number."""
    wanted, place = value.casefold(), -1
    for _ in range(_MOST_PLACES):
        place = lowered.find(wanted, place + 1)
        if place < 0:
            return False
        end = place + len(wanted)
        before, behind = lowered[place - 1 : place] if place else "", lowered[end : end + 1]
        if not (value[:1].isalnum() and _is_ascii_alnum(before)) and not (
            value[-1:].isalnum() and _is_ascii_alnum(behind)
        ):
            return True
    return False


def _is_ascii_alnum(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _states_moment(value: str, facts: Facts) -> bool:
    """A date, a time, or both, that the query states in another notation."""
    if not (facts.dates or facts.times) or not _MOMENT.fullmatch(value):
        return False
    wanted = read_facts(value)
    if not (wanted.dates or wanted.times):
        month = re.fullmatch(r"\d{4}-\d{2}", value)
        return month is not None and value in facts.dates
    dated = not wanted.dates or bool(wanted.dates & facts.dates)
    return dated and wanted.times <= facts.times
