"""Queries: what a user writes so that some calls, in this order, answer it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from data_pipeline.generate.asked import linked
from data_pipeline.generate.frames import Terminal, expand
from data_pipeline.generate.phrases import Phrase, is_plural
from data_pipeline.generate.text import join, lower_first
from data_pipeline.generate.voice import Voice
from data_pipeline.generate.wording import Wording

Arguments = dict[str, Any]
Call = tuple[Wording, Arguments]

REGISTERS: tuple[tuple[str, float], ...] = (("wide", 0.62), ("chat", 0.16), ("terse", 0.12), ("plain", 0.1))
"""How people write where values are not woven into the goal, with the share of each."""
_PRICES = frozenset({"cost", "price", "payment", "tax", "fee", "pay", "bill", "tip", "salary", "rent"})
_LINKS = (" and ", " and also ", ", then ", ", and then ", " and after that ", ", and also ")
_MORE = (", and also ", ", and then ", ", then ", " and after that ", " and also ")
_CLOSED_SHARE = 0.12


@dataclass(frozen=True)
class _Group:
    """Calls of one tool that follow each other."""

    wording: Wording
    calls: list[Arguments]

    @cached_property
    def varied(self) -> list[str]:
        """The arguments in which the calls differ."""
        names = dict.fromkeys(name for call in self.calls for name in call)
        return [name for name in names if len({repr(call.get(name)) for call in self.calls}) > 1]


def write_query(calls: Sequence[Call], voice: Voice) -> str:
    """A user's request that these calls, in this order, answer."""
    groups: list[_Group] = []
    for wording, arguments in calls:
        if groups and groups[-1].wording is wording:
            groups[-1].calls.append(arguments)
        else:
            groups.append(_Group(wording, [arguments]))
    if all(wording.asker.fits(arguments) for wording, arguments in calls) and voice.chance(voice.own_queries):
        return linked([_asked(group, voice) for group in groups], voice)
    if voice.wide and voice.chance(voice.woven) and all(_can_weave(group) for group in groups):
        return _woven(groups, voice)
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


def _asked(group: _Group, voice: Voice) -> str:
    """In the words of the tool's author."""
    asker = group.wording.asker
    if len(group.calls) == 1:
        return asker.one(group.calls[0], voice)
    return asker.several(group.calls, group.varied, voice)


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


def _can_weave(group: _Group) -> bool:
    if not all(group.wording.weaver.fits(arguments) for arguments in group.calls):
        return False
    return len(group.calls) == 1 or all(any(name in call for name in group.varied) for call in group.calls)


def _woven(groups: Sequence[_Group], voice: Voice) -> str:
    """One sentence for all calls."""
    if len(groups) == 1 and len(groups[0].calls) == 1:
        query = _woven_single(groups[0], voice)
    else:
        orders = [_order(group, voice) for group in groups]
        link = voice.pick(_LINKS)
        order = f"{', '.join(orders[:-1])}{link}{orders[-1]}" if len(orders) > 1 else orders[0]
        query = expand(_ordering(orders), {"order": lambda: order}, voice)
    closer = expand("wide_closer", {}, voice) if voice.chance(_CLOSED_SHARE) else ""
    return query + (closer if query.endswith((".", "?")) else "")


def _woven_single(group: _Group, voice: Voice) -> str:
    wording, arguments = group.wording, group.calls[0]
    kind = voice.pick(("woven", "woven", *_asking(wording)))
    if kind == "woven":
        verb, rest = wording.order(voice)
        order = f"{verb} {wording.weaver.woven(rest, arguments, voice)}"
        kind = _ordering([order])
    elif kind == "woven_question" and wording.thing:
        order = f"what {wording.weaver.woven(wording.asked(voice), arguments, voice, ends=False)} is"
    else:
        rest = wording.question if kind == "woven_question" else wording.asked(voice)
        order = wording.weaver.woven(rest, arguments, voice)
    return expand(kind, {"order": lambda: order}, voice)


def _ordering(orders: Sequence[str]) -> str:
    """The frame: nobody says 'I need to give me'."""
    return "woven_told" if any(re.match(r"\w+ me\b", order) for order in orders) else "woven"


def _asking(wording: Wording) -> list[str]:
    """The frames that ask for a tool's result."""
    if _is_plural(wording.thing):
        return []
    kinds = ["woven_question"] if wording.question else []
    if wording.thing:
        kinds.append("woven_thing" if _PRICES.isdisjoint(wording.thing.split()[:4]) else "woven_price")
    return kinds


def _is_plural(thing: str) -> bool:
    """Whether 'what is' would not fit, as for 'the latest posts of a user'."""
    return is_plural(re.split(r" (?:of|by|for|in|at|from|that|to|with|on)\b", thing, maxsplit=1)[0])


def _order(group: _Group, voice: Voice) -> str:
    """What to do, for one call or several."""
    weaver = group.wording.weaver
    verb, rest = group.wording.order(voice)
    first = group.calls[0]
    if len(group.calls) == 1:
        return f"{verb} {weaver.woven(rest, first, voice, ends=False)}"
    if _is_listable(group, rest):
        (name,) = group.varied
        values = [weaver.phrases[name].value(call[name], voice) for call in group.calls]
        listed = {name: _listed(values, voice) if isinstance(first[name], str) else join(values)}
        return f"{verb} {weaver.woven(rest, first, voice, listed, ends=False)}"
    shared = {name: value for name, value in first.items() if name not in group.varied}
    own = [{name: value for name, value in call.items() if name in group.varied} for call in group.calls]
    # What only the first call has would be taken to hold for the others.
    alike = all(call.keys() == first.keys() for call in group.calls)
    if alike and any(name in mention.names for mention in weaver.mentions(rest) for name in group.varied):
        link, others = voice.pick(_MORE), _said_alone(group, own[1:], voice)
        return f"{verb} {weaver.woven(rest, first, voice, ends=False)}{link}{link.join(others)}"
    return f"{verb} {weaver.woven(rest, shared, voice, ends=False)}{_each(group, own, voice)}"


def _is_listable(group: _Group, rest: str) -> bool:
    """Whether the calls differ in one value that the sentence can hold several of."""
    if len(group.varied) != 1 or not all(group.varied[0] in call for call in group.calls):
        return False
    name = group.varied[0]
    return not isinstance(group.calls[0][name], (bool, list)) and group.wording.weaver.places(rest, name)


def _listed(values: list[str], voice: Voice) -> str:
    """'Oslo, Lisbon and Kyoto', 'both Oslo and Lisbon'."""
    if len(values) == 2 and voice.chance(0.4):
        return voice.pick((f"both {values[0]} and {values[1]}", f"{values[0]} as well as {values[1]}"))
    return join(values)


def _each(group: _Group, own: Sequence[Arguments], voice: Voice) -> str:
    """', once over 5 years and once over 7 years'."""
    said = _said_alone(group, own, voice)
    form = voice.pick(("once", "first", "also"))
    if form == "once":
        return f", {join([f'once {text}' for text in said])}"
    if form == "first":
        return f", first {', then '.join(said)}"
    return f" {', and also '.join(said)}"


def _said_alone(group: _Group, own: Sequence[Arguments], voice: Voice) -> list[str]:
    said = [group.wording.weaver.woven("", values, voice, ends=False) for values in own]
    said = [re.sub(r"^[, ]*(?:and |but )?", "", text) for text in said]
    return [text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text for text in said]
