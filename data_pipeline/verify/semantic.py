"""The third check: the calls answer the query, and nothing in them is made up.

Deterministic and independent of where the sample came from: it reads the query, the tools and the
calls, nothing else. It cannot tell a subtle misreading; it catches what goes wrong most, which is
arguments out of nowhere, parts of the query left out, and calls that belong to another query.
"""

from __future__ import annotations

from collections import Counter
from math import log
from typing import TYPE_CHECKING

from data_pipeline.core.schema import Verdict
from data_pipeline.tools.schema_check import PerTool
from data_pipeline.verify.grounding import ungrounded
from data_pipeline.verify.leftovers import Used, leftover_numbers
from data_pipeline.verify.missing import stated_value
from data_pipeline.verify.query_facts import read_facts
from data_pipeline.verify.tool_words import ToolWords

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_pipeline.core.schema import Tool, ToolCall, Trajectory
    from data_pipeline.verify.query_facts import Facts

SEMANTIC_REASONS: dict[str, str] = {
    "value_not_grounded": "an argument's value is not stated in the query, a default that nobody asked for included",
    "wrong_tool": "the query has words of another tool on offer, and none of the tool that is called",
    "call_not_served": "the query has no word of the called tool's name, description, parameters, choices or examples",
    "unused_number": "the query states a number that no call uses, other than in an aside",
    "answerable": "no tool is called, though the query has all the words of a tool's name",
    "unknown_tool": "a call names a tool that is not on offer",
    "value_stated": "the query states what could be the value of the argument that is said to be missing",
    "incomplete_missing": "a missing-parameter sample does not say which call it is that the query begins",
    "unreadable": "the arguments or a tool's schema are nested too deeply, or hold a number too long to write",
}
"""Reason codes of `check_semantic`, each with its meaning."""

MAX_DETAIL = 300

_Problem = tuple[str, str] | None
_Words = PerTool[ToolWords]


def check_semantic(sample: Trajectory, words: PerTool[ToolWords] | None = None) -> Verdict:
    """Whether the calls answer the query; the reason is one of `SEMANTIC_REASONS`.

    Args:
        sample: what to check.
        words: of tools seen before, so that they are read once for many samples.
    """
    try:
        problem = _problem(sample, PerTool(ToolWords) if words is None else words)
    except (RecursionError, ValueError):
        problem = "unreadable", "nested too deeply, or a number of thousands of digits"
    if problem:
        return Verdict(stage="semantic", passed=False, reason=problem[0], detail=problem[1][:MAX_DETAIL])
    return Verdict(stage="semantic", passed=True)


def _problem(sample: Trajectory, words: _Words) -> _Problem:
    facts = read_facts(sample.query)
    if sample.style == "missing-parameter":
        return _incomplete(sample, words, facts)
    return _called(sample, words, facts) if sample.calls else _answerable(sample.tools, words, facts)


def _called(sample: Trajectory, words: _Words, facts: Facts) -> _Problem:
    tools = {tool.name: tool for tool in sample.tools}
    for call in sample.calls:
        problem = _asked(call, tools, words, facts)
        if problem:
            return problem
    called = [words(tools[call.name]) for call in sample.calls]
    leftover = leftover_numbers(Used.by(sample.calls, called, facts), called, facts)
    return ("unused_number", f"'{leftover[0].text}' of the query is in no call") if leftover else None


def _incomplete(sample: Trajectory, words: _Words, facts: Facts) -> _Problem:
    if sample.incomplete is None:
        return "incomplete_missing", "which call the query begins is not said"
    tools = {tool.name: tool for tool in sample.tools}
    problem = _asked(sample.incomplete, tools, words, facts)
    if problem:
        return problem
    tool = tools[sample.incomplete.name]
    stated = stated_value(tool, words(tool), sample.incomplete, facts)
    return None if stated is None else ("value_stated", f"the query states {stated}")


def _asked(call: ToolCall, tools: dict[str, Tool], words: _Words, facts: Facts) -> _Problem:
    """Whether the query asks for this call."""
    tool = tools.get(call.name)
    if tool is None:
        return "unknown_tool", f"'{call.name}' is not on offer"
    return _ungrounded(call, words(tool), facts) or _unrelated(tool, list(tools.values()), words, facts)


def _ungrounded(call: ToolCall, tool: ToolWords, facts: Facts) -> _Problem:
    for name, value in call.arguments.items():
        for place, part in ungrounded(name, value, tool.schemas.get(name, {}), facts):
            return "value_not_grounded", f"{call.name}.{place}={_shown(part)} is not stated in the query"
    return None


def _shown(value: object) -> str:
    try:
        return repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits.
        return "a huge number"


def _unrelated(tool: Tool, offered: Sequence[Tool], words: _Words, facts: Facts) -> _Problem:
    """A tool the query does not speak of, and perhaps another that it does."""
    own, said = words(tool), facts.vocabulary
    if said.has_any(own.topics):
        return None
    if not own.misspelt_topics.isdisjoint(said.words) or any(all(map(said.has, asked)) for asked in own.asked):
        return None
    rival = _rival(tool, offered, words, facts)
    if rival is not None:
        return "wrong_tool", f"the query speaks of '{rival}', not of '{tool.name}'"
    if said.has_any(own.parameters):
        return None
    return "call_not_served", f"the query has no word of '{tool.name}'"


def _rival(tool: Tool, offered: Sequence[Tool], words: _Words, facts: Facts) -> str | None:
    """Another tool at least two of whose own words occur: one may be chance.

    Words are weighted by how few of the tools on offer have them, so a word that all share is none.
    """
    topics = {other.name: words(other).topics for other in offered}
    spread = Counter(word for each in topics.values() for word in each)
    scores: list[tuple[float, str]] = []
    for name, each in topics.items():
        own = [word for word in each if spread[word] < len(offered) and facts.vocabulary.has(word)]
        if name != tool.name and len(own) >= 2:
            scores.append((sum(sorted(log(len(offered) / spread[word]) for word in own)), name))
    return max(scores)[1] if scores else None


def _answerable(offered: Sequence[Tool], words: _Words, facts: Facts) -> _Problem:
    """A refusal although the query has every word of some tool's name."""
    for tool in offered:
        name = words(tool).name
        if name and all(map(facts.vocabulary.has, name)):
            return "answerable", f"the query has all words of '{tool.name}'"
    return None
