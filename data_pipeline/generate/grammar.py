"""The generator without a language model: one grammar over any tool's schema, nothing about any particular tool.

Calls are drawn first, from the schema (`values`); then a query is written that asks for them
(`requests`): a tool's own example queries, values woven into the goal, plain requests, questions, several
sentences with a reason first, search words and chat, with numbers, dates and units as people say them, small talk
and slips of the finger by the recipe's shares. With those three at zero, plain requests and example queries remain.

It does not know what a tool's result means, does not refer back to one, writes English only, and where a
description does not begin with a verb or a noun it falls back on the words of the tool's name.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from data_pipeline.core.schema import Message, Origin, ToolCall, Trajectory, Verdict
from data_pipeline.core.seeding import stream
from data_pipeline.generate.requests import Arguments, Call, write_query
from data_pipeline.generate.smalltalk import introduction, small_talk
from data_pipeline.generate.typos import with_slip
from data_pipeline.generate.voice import Voice
from data_pipeline.generate.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_pipeline.core.schema import Style, Tool
    from data_pipeline.generate.plan import Plan
    from data_pipeline.generate.values import Field
    from data_pipeline.recipe import Grammar

GRAMMAR_REASONS = {
    "nothing_to_leave_out": "no tool on offer requires an argument whose absence a query can show",
    "no_stranger": "the plan names no tool for a query that no tool on offer answers",
}
"""Reason codes of drafts that could not be written, each with its meaning."""

MAX_WORDINGS = 5_000
"""Tools whose schemas stay read; the cache is emptied when full, so that catalogues of any size fit."""
_AMERICAN = ("US", "CA", "PH", "EN")
_PERSONA_SHARE = 0.5
_SHARED_SHARE = 0.35
_TRIES = 8


class GrammarGenerator:
    """Writes queries and calls from rules; the same plan gives the same samples."""

    def __init__(self, settings: Grammar, optional_share: float) -> None:
        """Nothing is read before the first plan.

        Args:
            settings: shares of slips, words and small talk.
            optional_share: probability that an optional argument is stated.
        """
        self._settings = settings
        self._optional_share = optional_share
        self._wide = bool(settings.typos or settings.in_words or settings.distractors)
        self._wordings: dict[str, Wording] = {}

    async def draft(self, plan: Plan) -> list[Trajectory]:
        """See `Generator`."""
        return self.write(plan)

    def write(self, plan: Plan) -> list[Trajectory]:
        """One trajectory a style, in order; what cannot be written is refused, with a code of `GRAMMAR_REASONS`."""
        offered = [self._wording(tool) for tool in plan.tools]
        strangers = iter(plan.strangers)
        written = []
        for number, style in enumerate(plan.styles):
            stranger = next(strangers, None) if style == "irrelevance" else None
            draft = _Draft(plan, number, offered, self._settings, self._optional_share, self._wide)
            if style == "irrelevance":
                written.append(draft.irrelevant(self._wording(stranger) if stranger else None))
            elif style == "missing-parameter":
                written.append(draft.incomplete())
            else:
                written.append(draft.called(style))
        return written

    def _wording(self, tool: Tool) -> Wording:
        found = self._wordings.get(tool.fingerprint)
        if found is None:
            if len(self._wordings) >= MAX_WORDINGS:
                self._wordings.clear()
            found = self._wordings[tool.fingerprint] = Wording(tool)
        return found


class _Draft:
    """One sample on its way."""

    def __init__(
        self,
        plan: Plan,
        number: int,
        offered: Sequence[Wording],
        settings: Grammar,
        optional_share: float,
        wide: bool,
    ) -> None:
        self.plan, self.number, self.offered, self.settings = plan, number, offered, settings
        self.optional_share = optional_share
        self.rng = stream(plan.seed, "draft", number)
        british = plan.locale.upper().rpartition("-")[2] not in _AMERICAN
        self.voice = Voice(self.rng, settings.in_words, british, wide, settings.woven, settings.own_queries)

    def called(self, style: Style) -> Trajectory:
        """A query that calls answer."""
        tools = _called_tools(style, self.offered, self.rng)
        calls = self._distinct_calls(tools)
        answer = tuple(ToolCall(name=wording.tool.name, arguments=arguments) for wording, arguments in calls)
        return self._sample(self._query(calls), answer)

    def irrelevant(self, stranger: Wording | None) -> Trajectory:
        """A query that no tool on offer answers."""
        if stranger is None:
            return self._refused("no_stranger")
        return self._sample(self._query([(stranger, stranger.field.draw_object(self.rng, self.optional_share))]))

    def incomplete(self) -> Trajectory:
        """A query that leaves out what a call needs."""
        able = [(wording, names) for wording in self.offered if (names := _leavable(wording.field))]
        if not able:
            return self._refused("nothing_to_leave_out")
        query, stated, wording = "", {}, able[0][0]
        for _ in range(_TRIES):
            wording, names = self.rng.choice(able)
            left_out = self.rng.sample(names, min(len(names), self.rng.choice((1, 1, 1, 2))))
            drawn = wording.field.draw_object(self.rng, self.optional_share)
            stated = {name: value for name, value in drawn.items() if name not in left_out}
            query = self._query([(wording, stated)])
            if not any(_tells(query, wording.field.fields[name], drawn[name]) for name in left_out):
                break
        return self._sample(query, incomplete=ToolCall(name=wording.tool.name, arguments=stated))

    def _distinct_calls(self, tools: Sequence[Wording]) -> list[Call]:
        calls: list[Call] = []
        alike = len(tools) > 1 and self.voice.wide and self.voice.chance(_SHARED_SHARE)
        for wording in tools:
            before = [arguments for known, arguments in calls if known is wording]
            for _ in range(_TRIES):
                arguments = wording.field.draw_object(self.rng, self.optional_share)
                if alike and before:
                    arguments = _varied(before[0], arguments, wording.field, self.rng)
                is_new = all(_differ(arguments, other, wording.field) for other in before)
                # Nobody asks for "nothing, and then this".
                if is_new and (arguments or len(tools) == 1 or not wording.field.fields):
                    break
            calls.append((wording, arguments))
        return calls

    def _query(self, calls: Sequence[Call]) -> str:
        self.voice.said.clear()
        query = write_query(calls, self.voice)
        avoid = frozenset[str]().union(*(wording.words for wording in self.offered), *(call[0].words for call in calls))
        if self.voice.chance(self.settings.distractors):
            query = self._with_aside(query, small_talk(avoid, self.voice))
        if self.plan.persona and self.voice.chance(_PERSONA_SHARE):
            query = f"{introduction(self.plan.persona, avoid)} {query[:1].upper()}{query[1:]}".strip()
        if self.voice.chance(self.settings.typos):
            query = with_slip(query, self.voice.said, self.rng)
        return query

    def _with_aside(self, query: str, aside: str) -> str:
        if not aside:
            return query
        if self.voice.chance(0.5):
            return f"{aside} {query[:1].upper()}{query[1:]}"
        return f"{query}{'' if query.endswith(('.', '!', '?')) else '.'} {aside}"

    def _sample(
        self, query: str, answer: tuple[ToolCall, ...] = (), incomplete: ToolCall | None = None, **more: Any
    ) -> Trajectory:
        return Trajectory(
            id=self.plan.sample_id(self.number),
            style=self.plan.styles[self.number],
            tools=self.plan.tools,
            messages=(Message(role="user", content=query), Message(role="assistant", tool_calls=answer)),
            incomplete=incomplete,
            origin=Origin(generator="grammar", persona=self.plan.persona, locale=self.plan.locale),
            **more,
        )

    def _refused(self, reason: str) -> Trajectory:
        verdict = Verdict(stage="generate", passed=False, reason=reason, detail=GRAMMAR_REASONS[reason])
        return self._sample("", verdicts=(verdict,))


def _called_tools(style: Style, offered: Sequence[Wording], rng: random.Random) -> list[Wording]:
    """The tools to call, in order; repeated where one is called several times."""
    if style == "parallel":
        return [rng.choice(offered)] * rng.choice((2, 2, 2, 3))
    if style == "parallel-multiple":
        tools = rng.sample(offered, min(len(offered), rng.choice((2, 2, 2, 3))))
        return tools + ([tools[-1]] if len(tools) == 2 and rng.random() < 0.2 else [])
    return [rng.choice(offered)]


def _varied(first: Arguments, other: Arguments, field: Field, rng: random.Random) -> Arguments:
    """The first call's arguments with one or two replaced by the other's; rather required ones than options."""
    names = [name for name in first if name in other]
    names = [name for name in names if name in field.required] or names
    if not names:
        return other
    changed = rng.sample(names, min(len(names), rng.choice((1, 1, 2))))
    varied = {name: other[name] if name in changed else value for name, value in first.items()}
    for rule in field.rules:
        rule(varied, rng)
    return varied


def _differ(one: Arguments, other: Arguments, field: Field) -> bool:
    """Whether nobody would take two calls for one: something that is required differs, where anything is."""
    required = [name for name in field.required if name in one and name in other]
    return any(one[name] != other[name] for name in required) if required else one != other


def _leavable(field: Field) -> list[str]:
    """Required parameters whose absence a query can show: not switches, nor what has one value or a default."""
    return [
        name
        for name, inner in field.fields.items()
        if name in field.required
        and inner.kind != "boolean"
        and len(inner.choices) != 1
        and "default" not in inner.schema
    ]


def _tells(query: str, field: Field, value: Any) -> bool:
    """Whether a query names the value that it should leave out, or any choice for it."""
    choices = field.choices or (value,)
    texts = [str(choice).replace("_", " ") for choice in choices if not isinstance(choice, (list, dict))]
    lowered = query.replace("_", " ").casefold()
    return any(re.search(rf"(?<!\w){re.escape(text.casefold())}(?!\w)", lowered) for text in texts if text)
