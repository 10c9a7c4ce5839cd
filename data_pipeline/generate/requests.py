"""Queries: what a user writes so that some calls, in this order, answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data_pipeline.generate.frames import Terminal, expand
from data_pipeline.generate.phrases import Phrase
from data_pipeline.generate.text import join, lower_first
from data_pipeline.generate.voice import Voice
from data_pipeline.generate.wording import Wording

Arguments = dict[str, Any]
Call = tuple[Wording, Arguments]

REGISTERS: tuple[tuple[str, float], ...] = (("wide", 0.62), ("chat", 0.16), ("terse", 0.12), ("plain", 0.1))
"""How people write, with the share of each."""


@dataclass(frozen=True)
class _Group:
    """Calls of one tool that follow each other."""

    wording: Wording
    calls: list[Arguments]


def write_query(calls: Sequence[Call], voice: Voice) -> str:
    """A user's request that these calls, in this order, answer."""
    groups: list[_Group] = []
    for wording, arguments in calls:
        if groups and groups[-1].wording is wording:
            groups[-1].calls.append(arguments)
        else:
            groups.append(_Group(wording, [arguments]))
    if len(calls) == 1 and voice.wide:
        register = _register(voice)
        if register in ("chat", "terse"):
            return _informal(register, groups[0], voice)
    query = _request(groups[0], voice)
    for group in groups[1:]:
        query += f" {expand(_named('link', voice), {}, voice)}{lower_first(_request(group, voice))}"
    opener = expand(_named("opener", voice), {}, voice)
    query = opener + (lower_first(query) if opener.endswith((", ", ": ")) else query)
    return query + expand(_named("closer", voice), {}, voice)


def _register(voice: Voice) -> str:
    names, shares = zip(*REGISTERS, strict=True)
    return str(voice.rng.choices(names, shares)[0])


def _named(symbol: str, voice: Voice) -> str:
    return f"wide_{symbol}" if voice.wide else symbol


def _informal(register: str, group: _Group, voice: Voice) -> str:
    arguments = group.calls[0]
    terminals = _terminals(group.wording, arguments, voice)
    return expand(register if arguments else f"{register}_bare", terminals, voice)


def _request(group: _Group, voice: Voice) -> str:
    if len(group.calls) == 1:
        return _single(group.wording, group.calls[0], voice)
    if voice.wide and voice.chance(0.6):
        shared = _shared(group.calls)
        if shared:
            return _with_shared(group, shared, voice)
    if voice.chance(0.4):
        return expand(_named("cases", voice), _cases(group, group.calls, voice), voice)
    first, *others = group.calls
    text = [_single(group.wording, first, voice)]
    for arguments in others:
        text.append(expand(_named("repeat", voice), _terminals(group.wording, arguments, voice), voice))
    return " ".join(text)


def _single(wording: Wording, arguments: Arguments, voice: Voice) -> str:
    return expand(_frame(wording, bool(arguments), voice), _terminals(wording, arguments, voice), voice)


def _frame(wording: Wording, detailed: bool, voice: Voice) -> str:
    """The frame for a tool: what can be asked with 'what is' or 'whether' depends on its description."""
    if not voice.wide or voice.chance(0.1):
        if not detailed:
            return "plain_bare"
        return "plain_thing" if wording.thing and voice.chance(0.14) else "plain"
    symbol = "wide" if detailed else "wide_bare"
    kinds = [symbol, symbol]
    if wording.thing:
        kinds.append(f"{symbol}_thing")
    if wording.question:
        kinds.append(f"{symbol}_question")
    return voice.pick(kinds)


def _terminals(wording: Wording, arguments: Arguments, voice: Voice) -> dict[str, Terminal]:
    """What the frames say of one call."""
    return {
        "goal": lambda: wording.goal(voice),
        "doing": lambda: wording.doing(voice),
        "asked": lambda: wording.asked(voice),
        "question": lambda: wording.question,
        "keyword": lambda: wording.keyword(voice),
        "details": lambda: _details(wording, arguments, voice),
        "clauses": lambda: join(wording.parts(arguments, Phrase.clause, voice)),
        "terse": lambda: ", ".join(wording.parts(arguments, Phrase.terse, voice)),
    }


def _details(wording: Wording, arguments: Arguments, voice: Voice) -> str:
    return join(wording.parts(arguments, Phrase.argument, voice)) or "no details"


def _cases(group: _Group, calls: Sequence[Arguments], voice: Voice) -> dict[str, Terminal]:
    def each() -> list[str]:
        return [_details(group.wording, arguments, voice) for arguments in calls]

    return {
        **_terminals(group.wording, {}, voice),
        "cases": lambda: "; ".join(each()),
        "ordered": lambda: ", then ".join(each()),
    }


def _shared(calls: Sequence[Arguments]) -> Arguments:
    """Arguments that all calls have in common, where each also has some of its own."""
    first, *others = calls
    shared = {
        name: value
        for name, value in first.items()
        if all(name in other and type(other[name]) is type(value) and other[name] == value for other in others)
    }
    return shared if all(len(call) > len(shared) for call in calls) else {}


def _with_shared(group: _Group, shared: Mapping[str, Any], voice: Voice) -> str:
    own = [{name: value for name, value in call.items() if name not in shared} for call in group.calls]
    terminals = _cases(group, own, voice)
    terminals["shared"] = lambda: _details(group.wording, dict(shared), voice)
    return expand("wide_shared", terminals, voice)
