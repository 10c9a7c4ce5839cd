"""The third check: the calls answer the query, and nothing in them is made up.

Deterministic and independent of where the sample came from: it reads the query, the tools and the
calls, nothing else. It cannot tell a subtle misreading; it catches what goes wrong most, which is
arguments out of nowhere, parts of the query left out, and calls that belong to another query.
"""

from __future__ import annotations

from collections import Counter
from math import log
from typing import TYPE_CHECKING, Any

from data_pipeline.core.schema import Verdict
from data_pipeline.verify.grounding import FUNCTION_WORDS, occurring, ungrounded
from data_pipeline.verify.query_facts import (
    Facts,
    StatedNumber,
    as_float,
    identifier_words,
    read_facts,
    word_set,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from data_pipeline.core.schema import Tool, ToolCall, Trajectory

SEMANTIC_REASONS: dict[str, str] = {
    "value_not_grounded": "an argument's value is not stated in the query, a default that nobody asked for included",
    "wrong_tool": "the query has words of another tool on offer, and none of the tool that is called",
    "call_not_served": "the query has no word of the called tool's name, description, parameters or choices",
    "unused_number": "the query states a number that no call uses",
    "answerable": "no tool is called, though the query has all the words of a tool's name",
    "unknown_tool": "a call names a tool that is not on offer",
}
"""Reason codes of `check_semantic`, each with its meaning."""

# Verbs and nouns that stand in the description of almost any tool.
_GENERIC_WORDS = word_set(
    "calculate compute determine estimate find get fetch give given look check make show tell return returns "
    "provide retrieve use used using work based specified specific number value values result input output "
    "function tool data information two"
)

_Problem = tuple[str, str] | None


def check_semantic(sample: Trajectory) -> Verdict:
    """Whether the calls answer the query; the reason is one of `SEMANTIC_REASONS`."""
    facts = read_facts(sample.query)
    problem = _called(sample, facts) if sample.calls else _answerable(sample.tools, facts)
    if problem:
        return Verdict(stage="semantic", passed=False, reason=problem[0], detail=problem[1])
    return Verdict(stage="semantic", passed=True)


def _called(sample: Trajectory, facts: Facts) -> _Problem:
    tools = {tool.name: tool for tool in sample.tools}
    for call in sample.calls:
        tool = tools.get(call.name)
        if tool is None:
            return "unknown_tool", f"'{call.name}' is not on offer"
        problem = _ungrounded(call, tool, facts) or _unrelated(tool, sample.tools, facts)
        if problem:
            return problem
    return _unused_number(sample.calls, [tools[call.name] for call in sample.calls], facts)


def _ungrounded(call: ToolCall, tool: Tool, facts: Facts) -> _Problem:
    for name, value in call.arguments.items():
        for place, part in ungrounded(name, value, tool.properties.get(name) or {}, facts):
            return "value_not_grounded", f"{call.name}.{place}={part!r} is not stated in the query"[:300]
    return None


def _unrelated(tool: Tool, offered: Sequence[Tool], facts: Facts) -> _Problem:
    """A tool the query does not speak of, and perhaps another that it does."""
    if occurring(topic_words(tool), facts.words):
        return None
    rival = _rival(tool, offered, facts)
    if rival is not None:
        return "wrong_tool", f"the query speaks of '{rival.name}', not of '{tool.name}'"
    if occurring(_parameter_words(tool), facts.words):
        return None
    return "call_not_served", f"the query has no word of '{tool.name}'"


def _rival(tool: Tool, offered: Sequence[Tool], facts: Facts) -> Tool | None:
    """Another tool at least two of whose own words occur: one may be chance.

    Words are weighted by how few of the tools on offer have them, so a word that all share is none.
    """
    topics = {other.name: topic_words(other) for other in offered}
    spread = Counter(word for words in topics.values() for word in words)
    scores: list[tuple[float, Tool]] = []
    for other in offered:
        own = [word for word in occurring(topics[other.name], facts.words) if spread[word] < len(offered)]
        if other.name != tool.name and len(own) >= 2:
            scores.append((sum(log(len(offered) / spread[word]) for word in own), other))
    return max(scores, key=lambda score: score[0])[1] if scores else None


def topic_words(tool: Tool) -> list[str]:
    """The words of a tool's name and description that say what it is about."""
    return _content((*identifier_words(tool.name), *words_of(tool.description)))


def _parameter_words(tool: Tool) -> list[str]:
    words: list[str] = []
    for name, schema in tool.properties.items():
        choices = (choice for choice in schema.get("enum") or () if isinstance(choice, str))
        words += identifier_words(name)
        words += (word for choice in choices for word in identifier_words(choice))
    return _content(words)


def _content(words: Iterable[str]) -> list[str]:
    return [
        word
        for word in dict.fromkeys(words)
        if len(word) > 1 and word not in FUNCTION_WORDS and word not in _GENERIC_WORDS
    ]


def _answerable(offered: Sequence[Tool], facts: Facts) -> _Problem:
    """A refusal although the query has every word of some tool's name."""
    for tool in offered:
        words = _content(identifier_words(tool.name)) or list(identifier_words(tool.name))
        if words and len(occurring(words, facts.words)) == len(words):
            return "answerable", f"the query has all words of '{tool.name}'"
    return None


def _unused_number(calls: Sequence[ToolCall], tools: Sequence[Tool], facts: Facts) -> _Problem:
    """A number that no call uses hints at an argument left out."""
    used = {float(len(calls)), *(number for call in calls for number in _numbers_in(call.arguments))}
    unused = [stated for stated in facts.loose_numbers if not _is_used(stated, used)]
    if unused:
        told = {number for tool in tools for number in _numbers_in([tool.description, *_told(tool)])}
        unused = [stated for stated in unused if not _is_used(stated, told)]
    return ("unused_number", f"'{unused[0].text}' of the query is in no call") if unused else None


def _is_used(stated: StatedNumber, used: set[float]) -> bool:
    return any(
        all(any(abs(abs(part) - abs(number)) < 1e-9 for number in used) for part in reading)
        for reading in stated.readings
    )


def _told(tool: Tool) -> Iterator[Any]:
    """What a query may repeat without meaning an argument: a name, a default, a 'per 100 g'."""
    for name, schema in tool.properties.items():
        yield name
        yield schema.get("default")
        yield schema.get("description")


def _numbers_in(value: Any) -> Iterator[float]:
    """Every number in a JSON value, those inside texts and the lengths of lists included."""
    if isinstance(value, (int, float)):
        yield as_float(value)
    elif isinstance(value, str):
        yield from read_facts(value).numbers
    elif isinstance(value, dict):
        for nested in value.values():
            yield from _numbers_in(nested)
    elif isinstance(value, list):
        yield float(len(value))
        for nested in value:
            yield from _numbers_in(nested)
