"""Requests in the words of a tool's author: its example queries with the values of some calls."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data_pipeline.core.queries import ExampleQuery, Piece, example_queries
from data_pipeline.generate.phrases import Phrase
from data_pipeline.generate.text import join, lower_first
from data_pipeline.generate.units import UNIT_BEHIND
from data_pipeline.generate.voice import Voice

if TYPE_CHECKING:
    from data_pipeline.generate.wording import Wording

Arguments = Mapping[str, Any]
Listed = Mapping[str, Sequence[Any]]
NONE: Listed = {}

_LINKS = ("", "", "", "Also, ", "And ", "Then ", "Next, ", "Besides that, ")
_AGAIN_SHARE = 0.35
"""Of several calls of one tool: how many are asked for anew, each in a sentence of its own."""
_TAIL = re.compile(r"[.?!]*$")


class Asker:
    """One tool's example queries, read once, used for every query."""

    def __init__(self, wording: Wording) -> None:
        """Read them."""
        self._wording = wording
        self.queries = example_queries(wording.tool.parameters)

    def fits(self, arguments: Arguments) -> bool:
        """Whether one of them says all that a call cannot do without."""
        return any(query.needs <= arguments.keys() for query in self.queries)

    def one(self, arguments: Arguments, voice: Voice, listed: Listed = NONE) -> str:
        """One call; what the query has no place for follows at its end.

        Args:
            arguments: of the call, which `fits`.
            voice: who speaks.
            listed: a parameter's values in several calls, all said where the argument's would be.
        """
        return self._said(self._choice(arguments, voice, listed), arguments, voice, listed)

    def several(self, calls: Sequence[Arguments], varied: Sequence[str], voice: Voice) -> str:
        """Several calls that differ in the arguments `varied`."""
        if len(varied) == 1 and self._is_listable(calls, varied[0]):
            return self.one(calls[0], voice, {varied[0]: [call[varied[0]] for call in calls]})
        first, *others = calls
        query = self._choice(first, voice)
        part = self._part(query, varied, first) if all(call.keys() == first.keys() for call in calls) else None
        if part is None or voice.chance(_AGAIN_SHARE):
            return self._one_by_one(calls, voice)
        text, end = _split(self._said(query, first, voice))
        added = [self._filled(part, call, voice) for call in others]
        if voice.chance(0.5):
            return f"{text}{''.join(f', and {more}' for more in added)}{end}"
        return " ".join([f"{text}{end}", *(f"And {more}{end or '.'}" for more in added)])

    def _one_by_one(self, calls: Sequence[Arguments], voice: Voice) -> str:
        """A sentence a call, in other words each time as far as there are."""
        texts, used = [], set[ExampleQuery]()
        for call in calls:
            query = self._choice(call, voice, used=used)
            used.add(query)
            texts.append(self._said(query, call, voice))
        return " ".join([*map(_closed, texts[:-1]), texts[-1]])

    def _part(self, query: ExampleQuery, varied: Sequence[str], arguments: Arguments) -> Piece | None:
        """What a further call is asked for with; None where it would not tell which value it replaces."""
        part = query.part(frozenset(varied), UNIT_BEHIND)
        if part is None or not part.text.startswith("{"):
            return part
        others = [value for name, value in arguments.items() if name not in varied]
        return None if any(_is_alike(value, arguments[varied[0]]) for value in others) else part

    def _choice(
        self, arguments: Arguments, voice: Voice, listed: Listed = NONE, used: Container[ExampleQuery] = ()
    ) -> ExampleQuery:
        """One that has places for the most arguments, and for what is listed; a fresh one if there is one."""
        able = [query for query in self.queries if query.needs <= arguments.keys()]
        fitting = [query for query in able if all(map(query.takes_several, listed))] or able
        most = max(len(query.covered(arguments)) for query in fitting)
        best = [query for query in fitting if len(query.covered(arguments)) == most]
        return voice.pick([query for query in best if query not in used] or best)

    def _is_listable(self, calls: Sequence[Arguments], name: str) -> bool:
        """Whether the calls differ in one value, and a query that can hold several of it.

        Not a number beside another: 'share 133, 108 and 27 any factor' says no pairs.
        """
        first = calls[0]
        if not all(name in call for call in calls) or isinstance(first[name], (bool, list, dict)):
            return False
        others = [value for other, value in first.items() if other != name]
        if _is_number(first[name]) and any(map(_is_number, others)):
            return False
        return any(query.takes_several(name) and query.needs <= first.keys() for query in self.queries)

    def _said(self, query: ExampleQuery, arguments: Arguments, voice: Voice, listed: Listed = NONE) -> str:
        text = "".join(self._filled(piece, arguments, voice, listed) for piece in query.said(arguments))
        covered = query.covered(arguments)
        return self._with_rest(text, {name: value for name, value in arguments.items() if name not in covered}, voice)

    def _filled(self, piece: Piece, arguments: Arguments, voice: Voice, listed: Listed = NONE) -> str:
        given = {name: listed.get(name, [arguments[name]]) for name in arguments if name in piece.needs}
        values = {name: join([self._value(name, one, voice) for one in each]) for name, each in given.items()}
        return piece.filled(values, {name: join(list(map(str, each))) for name, each in given.items()})

    def _value(self, name: str, value: Any, voice: Voice) -> str:
        return self._wording.weaver.amount(name, value, voice) or self._wording.phrases[name].value(value, voice)

    def _with_rest(self, text: str, rest: Arguments, voice: Voice) -> str:
        """The query with what it has no place for."""
        if not rest:
            return text
        head, end = _split(text)
        if self._wording.weaver.fits(rest):
            added = self._wording.weaver.woven("", rest, voice, ends=False).strip()
            return f"{head}{'' if added.startswith(',') else ' ' if added.startswith('(') else ', '}{added}{end}"
        return f"{head}, with {join(self._wording.parts(dict(rest), Phrase.argument, voice))}{end}"


def linked(texts: Sequence[str], voice: Voice) -> str:
    """The requests of several tools as one query."""
    query = texts[0]
    for text in texts[1:]:
        link = voice.pick(_LINKS)
        query = f"{_closed(query)} {link}{lower_first(text) if link else text}"
    return query


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_alike(one: Any, other: Any) -> bool:
    """Whether one value could be taken for another of its kind."""
    return type(one) is type(other) or (_is_number(one) and _is_number(other))


def _closed(text: str) -> str:
    """The text with a mark at its end, so that another sentence can follow."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _split(text: str) -> tuple[str, str]:
    """What is said, and the mark at its end."""
    end = _TAIL.search(text)
    assert end is not None
    return text[: end.start()], end[0]
