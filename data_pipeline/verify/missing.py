"""Whether the query of a `missing-parameter` sample really leaves out what it is said to leave out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from data_pipeline.verify.grounding import choices_of, states_choice
from data_pipeline.verify.leftovers import Used, leftover_numbers, without_asides
from data_pipeline.verify.query_facts import read_facts
from data_pipeline.verify.words import Vocabulary, content, identifier_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data_pipeline.core.schema import Tool, ToolCall
    from data_pipeline.verify.query_facts import Facts
    from data_pipeline.verify.tool_words import Schema, ToolWords

_QUOTED = re.compile(r"""(?<!\w)(["'“‘«])([^"'“‘”’«»\n]{1,200})["'”’»](?!\w)""")
_NUMERIC = frozenset(("integer", "number", "array"))


def stated_value(tool: Tool, words: ToolWords, given: ToolCall, facts: Facts) -> str | None:
    """What the query states that could be a missing required argument, or None if nothing could.

    Args:
        tool: the one that the query asks for.
        words: its words.
        given: the call as far as the query gives it.
        facts: of the query.
    """
    missing = [name for name in tool.required if name not in given.arguments]
    used = Used.by([given], [words], facts)
    leftover = leftover_numbers(used, [words], facts)
    if leftover:
        return f"'{leftover[0].text}'"
    for name in missing:
        schema = words.schemas.get(name, {})
        found = next(_candidates(name, schema, words, used, facts), None)
        if found is not None:
            return f"'{found}', which could be '{name}'"
    return None


def _candidates(name: str, schema: Schema, tool: ToolWords, used: Used, facts: Facts) -> Iterator[str]:
    """What could be the value of one missing parameter."""
    choices = choices_of(schema)
    if choices:
        for choice in choices:
            if isinstance(choice, str) and states_choice(choice, choices, facts) and not _is_used(choice, used):
                yield choice
    elif schema.get("type") == "boolean":
        own = Vocabulary(content(identifier_words(name)))
        yield from (word for word in facts.words if own.has(word))
    elif not _NUMERIC.issuperset(_types(schema)):
        yield from _texts(tool, used, facts)


def _types(schema: Schema) -> set[str]:
    """The JSON types of a schema's values, which may be several; null is no value that a query states."""
    kind = schema.get("type", "string")
    return {*kind} - {"null"} if isinstance(kind, list) else {kind}


def _texts(tool: ToolWords, used: Used, facts: Facts) -> Iterator[str]:
    """Dates, times and quoted texts that no given argument holds."""
    rest = read_facts(without_asides(facts.raw, used, [tool]))
    held = [read_facts(text) for text in used.texts]
    yield from sorted(rest.dates.difference(*(each.dates for each in held)))
    # A clock face shows two times, of which an argument holds one.
    if rest.times and not any(each.times & rest.times for each in held):
        yield min(rest.times)
    for _, quoted in _QUOTED.findall(facts.raw):
        if not _is_used(quoted, used):
            yield quoted


def _is_used(value: Any, used: Used) -> bool:
    return any(str(value).casefold() in text.casefold() for text in used.texts)
