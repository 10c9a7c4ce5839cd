"""Queries without an LLM: a grammar over the tool's schema, one set of rules for every tool.

A query is built from a goal (the tool's description or name, rephrased), argument phrases and a
sentence frame. Nothing here knows any particular tool.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from data_pipeline.core.schema import Tool, ToolCall
from data_pipeline.generate.phrases import distinct_heads, join, say_argument, say_clause
from data_pipeline.generate.values import words_of

# Ways to say a description's leading verb.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "calculate": ("calculate", "compute", "work out", "figure out"),
    "compute": ("compute", "calculate", "work out"),
    "estimate": ("estimate", "work out", "approximate"),
    "convert": ("convert", "change"),
    "find": ("find", "look up", "find out"),
    "get": ("get", "give me", "look up"),
    "list": ("list", "show", "give me"),
    "check": ("check", "verify", "find out"),
    "create": ("create", "make", "put together"),
    "determine": ("determine", "find out", "work out"),
    "generate": ("generate", "create"),
    "plan": ("plan", "work out"),
    "recommend": ("recommend", "suggest"),
    "split": ("split", "divide"),
}
ASKED_AS_WHAT = {"calculate", "compute", "estimate", "find", "get", "determine"}

REQUESTS = (
    "",
    "",
    "",
    "Please ",
    "I need to ",
    "I want to ",
    "I'd like to ",
    "Help me ",
    "I have to ",
    "My task is to ",
)
QUESTIONS = ("Can you ", "Could you ", "Would you ", "Could you please ")
OPENERS = (
    "", "", "", "", "Hi, ", "Hello! ", "Quick one: ", "For my notes, ", "One more thing: ", "Hey, ", "For a report, ",
)  # fmt: skip
CLOSERS = ("", "", "", "", " Thanks!", " Thank you.", " Please be exact.")
CONNECTORS = ("with", "with", "using", "for", "given")
DETAILS = ("Details: ", "Here is what I have: ", "Use these values: ", "Input: ")
REPEATS = (
    "Then do the same with {}.",
    "Also do it with {}.",
    "And once more with {}.",
    "Repeat that with {}.",
)
LINKS = ("Also, ", "After that, ", "Then, ", "In addition, ", "Besides that, ", "Next, ")


def write_query(calls: Sequence[tuple[Tool, ToolCall]], rng: random.Random) -> str:
    """A user's request that these calls, in this order, answer."""
    groups: list[tuple[Tool, list[ToolCall]]] = []
    for tool, call in calls:
        if groups and groups[-1][0].name == tool.name:
            groups[-1][1].append(call)
        else:
            groups.append((tool, [call]))
    requests = [_request(tool, group, rng) for tool, group in groups]
    query = requests[0]
    for request in requests[1:]:
        query += f" {rng.choice(LINKS)}{_lower_first(request)}"
    opener = rng.choice(OPENERS)
    query = opener + (_lower_first(query) if opener.endswith((", ", ": ")) else query)
    return query + rng.choice(CLOSERS)


def _request(tool: Tool, calls: Sequence[ToolCall], rng: random.Random) -> str:
    if len(calls) == 1:
        return _single(tool, calls[0], rng)
    if rng.random() < 0.4:
        cases = "; ".join(_details(tool, call, rng) or "no details" for call in calls)
        return f"{_upper_first(_lead(rng) + goal(tool, rng))} for each of these: {cases}."
    first, *others = calls
    repeats = [rng.choice(REPEATS).format(_details(tool, call, rng)) for call in others]
    return " ".join((_single(tool, first, rng), *repeats))


def _lead(rng: random.Random) -> str:
    return rng.choice(REQUESTS)


def _single(tool: Tool, call: ToolCall, rng: random.Random) -> str:
    if not call.arguments:
        return _upper_first(f"{_lead(rng)}{goal(tool, rng)}.")
    return rng.choice(FRAMES)(tool, call, rng)


def _imperative(tool: Tool, call: ToolCall, rng: random.Random) -> str:
    return _upper_first(f"{_lead(rng)}{goal(tool, rng)} {rng.choice(CONNECTORS)} {_details(tool, call, rng)}.")


def _polite_question(tool: Tool, call: ToolCall, rng: random.Random) -> str:
    return f"{rng.choice(QUESTIONS)}{goal(tool, rng)} {rng.choice(CONNECTORS)} {_details(tool, call, rng)}?"


def _what_is(tool: Tool, call: ToolCall, rng: random.Random) -> str:
    rest = _asked_thing(tool)
    if rest is None:
        return _polite_question(tool, call, rng)
    question = rng.choice(("What is", "What would be", "Can you tell me"))
    return f"{question} {rest} {rng.choice(CONNECTORS)} {_details(tool, call, rng)}?"


def _details_first(tool: Tool, call: ToolCall, rng: random.Random) -> str:
    return f"{rng.choice(('With', 'Given', 'For', 'Using'))} {_details(tool, call, rng)}, {goal(tool, rng)}."


def _two_sentences(tool: Tool, call: ToolCall, rng: random.Random) -> str:
    return f"{_upper_first(_lead(rng) + goal(tool, rng))}. {_sentence_of_details(tool, call, rng)}"


def _sentence_first(tool: Tool, call: ToolCall, rng: random.Random) -> str:
    return f"{_sentence_of_details(tool, call, rng)} {_upper_first(rng.choice(QUESTIONS) + goal(tool, rng))}?"


FRAMES = (
    _imperative,
    _imperative,
    _polite_question,
    _what_is,
    _details_first,
    _two_sentences,
    _sentence_first,
)


def _sentence_of_details(tool: Tool, call: ToolCall, rng: random.Random) -> str:
    if rng.random() < 0.3:
        return f"{rng.choice(DETAILS)}{_details(tool, call, rng)}."
    schemas = distinct_heads(tool.properties)
    clauses = [say_clause(k, schemas[k], v, rng) for k, v in _shuffled(call, rng)]
    return f"{_upper_first(join(clauses))}."


def _details(tool: Tool, call: ToolCall, rng: random.Random) -> str:
    schemas = distinct_heads(tool.properties)
    return join([say_argument(k, schemas[k], v, rng) for k, v in _shuffled(call, rng)])


def _shuffled(call: ToolCall, rng: random.Random) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = list(call.arguments.items())
    if rng.random() < 0.4:
        rng.shuffle(pairs)
    return pairs


def goal(tool: Tool, rng: random.Random) -> str:
    """'calculate the monthly payment of a loan': from the description, or the name's words."""
    sentence = re.split(r"(?<=[.!?])\s", tool.description.strip(), maxsplit=1)[0].rstrip(".!? ")
    if not sentence or rng.random() < 0.2:
        return words_of(tool.name)
    verb, _, rest = sentence.partition(" ")
    return f"{rng.choice(SYNONYMS.get(verb.lower(), (_lower_first(verb),)))} {rest}".strip()


def _asked_thing(tool: Tool) -> str | None:
    verb, _, rest = tool.description.strip().partition(" ")
    thing = re.split(r"(?<=[.!?])\s", rest, maxsplit=1)[0].rstrip(".!? ")
    return thing if verb.lower() in ASKED_AS_WHAT and thing.startswith(("the ", "a ", "an ")) else None


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    # "I need" keeps its capital, and so do acronyms.
    first = text.split(" ", 1)[0]
    return text if first in ("I", "I'd") or first[:2].isupper() else text[:1].lower() + text[1:]
