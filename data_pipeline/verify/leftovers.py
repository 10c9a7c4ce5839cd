"""Numbers that a query states and no call uses, which hint at an argument left out.

People also tell what nobody asked for ('I have 3 cats, by the way'). Such an aside is let pass where it
is a sentence of its own, or a clause that begins like one, in which nothing belongs to a call: no value
of an argument, no word of a called tool, no unit or money that a called tool measures in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_pipeline.verify.grounding import last_name, stands_in
from data_pipeline.verify.query_facts import Facts, as_float, read_facts, states_no_number
from data_pipeline.verify.tool_words import as_schema, numbers_in, telling
from data_pipeline.verify.units import Quantity, unit_of
from data_pipeline.verify.words import word_set, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from data_pipeline.core.schema import ToolCall
    from data_pipeline.verify.query_facts import StatedNumber
    from data_pipeline.verify.tool_words import Schema, ToolWords

_SENTENCE = re.compile(r"[^.!?;\n]*(?:[.!?;\n](?!\s|$)[^.!?;\n]*)*[.!?;\n]*\s*")
_CLAUSE = re.compile(r"[^,()–—]*(?:,(?=\d)[^,()–—]*)*[,()–—]?\s*")
_SUBJECT = r"(?:i|i['’](?:m|ve|d|ll)|we|we['’](?:re|ve)|my|our|he|she|they|there|his|her|their)"
_BEGINS_ANEW = re.compile(
    rf"\W*(?:(?:and|but|while|since|because|also|though|although|plus|incidentally|btw|fyi|by the way)\W+){{0,3}}"
    rf"{_SUBJECT}\b",
    re.IGNORECASE,
)
_OF_SOMEBODY = word_set(
    "i i'm i've i'd i'll we we're we've my our he she they there his her their is are was were has had been"
)
_MINOR = word_set("after before during while about over under out some too also very really own see know way")
_MONEY = word_set(
    "price cost costs amount money currency fee fees budget salary income rent payment bill balance dollar euro"
)
_SIGNS_OF_MONEY = "$€£¥₹₩"
_SAID_OF_SHARES = word_set("percent percentage rate share ratio")


@dataclass(frozen=True)
class Used:
    """What the calls of an answer hold.

    Attributes:
        numbers: absolute values, among them those inside texts, the lengths of lists and the number of calls.
        amounts: (dimension, amount) of the numbers whose parameter has a unit.
        texts: the texts.
    """

    numbers: frozenset[float]
    amounts: tuple[tuple[str, float], ...]
    texts: tuple[str, ...]

    @classmethod
    def by(cls, calls: Sequence[ToolCall], tools: Sequence[ToolWords], facts: Facts) -> Used:
        """What the calls hold, each with its tool; amounts only for a query with quantities."""
        numbers = {float(len(calls))}
        texts: list[str] = []
        amounts: list[tuple[str, float]] = []
        for call, tool in zip(calls, tools, strict=True):
            for name, value in call.arguments.items():
                numbers.update(map(abs, numbers_in(value)))
                texts += _texts_in(value)
                if facts.quantities:
                    amounts += _amounts_in(name, value, tool.schemas.get(name, {}))
        return cls(frozenset(numbers), tuple(amounts), tuple(texts))

    def has(self, stated: StatedNumber) -> bool:
        """Whether the calls hold the number in one of its readings, or what it is in another unit."""
        if any(all(_is_in(part, self.numbers) for part in reading) for reading in stated.readings):
            return True
        return any(self._has_quantity(quantity) for quantity in stated.amounts)

    def _has_quantity(self, quantity: Quantity) -> bool:
        return any(
            dimension == quantity.unit.dimension and abs(amount - quantity.amount) <= 1e-9 * max(1.0, abs(amount))
            for dimension, amount in self.amounts
        )


def leftover_numbers(used: Used, tools: Sequence[ToolWords], facts: Facts) -> list[StatedNumber]:
    """The numbers of a query, asides apart, that belong to no call and that no called tool's own text tells."""
    found = _unused(used, tools, facts)
    if not found:
        return found
    rest = without_asides(facts.raw, used, tools)
    return found if rest == facts.raw else _unused(used, tools, read_facts(rest))


def without_asides(text: str, used: Used, tools: Sequence[ToolWords]) -> str:
    """The text without the sentences and clauses that have nothing to do with the calls."""
    kept = []
    for sentence in _SENTENCE.findall(text):
        if _OF_SOMEBODY.isdisjoint(words_of(sentence)) or not _is_unrelated(sentence, used, tools):
            kept += [part for part in _CLAUSE.findall(sentence) if not _is_aside(part, used, tools)]
    return "".join(kept)


def _is_aside(clause: str, used: Used, tools: Sequence[ToolWords]) -> bool:
    return _BEGINS_ANEW.match(clause) is not None and _is_unrelated(clause, used, tools)


def _is_unrelated(part: str, used: Used, tools: Sequence[ToolWords]) -> bool:
    """Whether a stretch of text states a number, is about something, and shares nothing with the calls."""
    if states_no_number(part):
        return False
    facts = read_facts(part)
    words = telling(word for word in facts.words if not word.isdecimal() and word not in _MINOR)
    if not facts.loose_numbers or not words or facts.dates or facts.times:
        return False
    if any(used.has(stated) for stated in facts.loose_numbers) or any(_is_told(text, facts) for text in used.texts):
        return False
    return not any(_concerns(tool, words, facts) for tool in tools)


def _is_told(text: str, facts: Facts) -> bool:
    return bool(text.strip()) and stands_in(text, facts.lowered)


def _concerns(tool: ToolWords, words: frozenset[str], facts: Facts) -> bool:
    own = tool.all
    if any(map(own.has, words)) or any(quantity.unit.dimension in tool.units for quantity in facts.quantities):
        return True
    has_money = any(sign in facts.raw for sign in _SIGNS_OF_MONEY)
    return (has_money and own.has_any(_MONEY)) or ("%" in facts.raw and own.has_any(_SAID_OF_SHARES))


def _unused(used: Used, tools: Sequence[ToolWords], facts: Facts) -> list[StatedNumber]:
    unused = [stated for stated in facts.loose_numbers if not used.has(stated)]
    if not unused:
        return unused
    told = Used(frozenset().union(*(tool.told for tool in tools)), (), ())
    return [stated for stated in unused if not told.has(stated)]


def _is_in(number: float, numbers: frozenset[float]) -> bool:
    size = abs(number)
    return size in numbers or any(abs(size - other) < 1e-9 for other in numbers)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for nested in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(nested)


def _amounts_in(name: str, value: Any, schema: Schema) -> Iterator[tuple[str, float]]:
    """What the numbers of an argument are in their unit, those nested in it included."""
    if isinstance(value, dict):
        properties = as_schema(schema.get("properties"))
        for key, nested in value.items():
            yield from _amounts_in(key, nested, as_schema(properties.get(key)))
    elif isinstance(value, list):
        for nested in value:
            yield from _amounts_in(name, nested, as_schema(schema.get("items")))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        unit = unit_of(last_name(name), str(schema.get("description") or ""))
        if unit is not None:
            yield unit.dimension, as_float(value) * unit.size
