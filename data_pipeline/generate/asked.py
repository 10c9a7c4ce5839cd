"""Requests in the words of a tool's author: its example queries with the values of some calls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data_pipeline.core.queries import ExampleQuery, Piece, example_queries
from data_pipeline.generate.phrases import Phrase
from data_pipeline.generate.text import join, lower_first
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
        alike = all(call.keys() == first.keys() for call in calls)
        own = [{name: call[name] for name in varied} for call in others] if alike else []
        if not own or voice.chance(_AGAIN_SHARE) or not all(map(self._wording.weaver.fits, own)):
            return " ".join([*(_closed(self.one(call, voice)) for call in calls[:-1]), self.one(calls[-1], voice)])
        query = self._choice(first, voice)
        text, end = _split(self._said(query, first, voice))
        part = query.part(frozenset(varied))
        added = [
            self._filled(part, call, voice) if part else self._alone(values, voice)
            for call, values in zip(others, own, strict=True)
        ]
        if voice.chance(0.5):
            return f"{text}{''.join(f', and {more}' for more in added)}{end}"
        return " ".join([f"{text}{end}", *(f"And {more}{end or '.'}" for more in added)])

    def _choice(self, arguments: Arguments, voice: Voice, listed: Listed = NONE) -> ExampleQuery:
        """One that has places for the most arguments, and for what is listed."""
        able = [query for query in self.queries if query.needs <= arguments.keys()]
        fitting = [query for query in able if listed.keys() <= query.needs] or able
        most = max(len(query.covered(arguments)) for query in fitting)
        return voice.pick([query for query in fitting if len(query.covered(arguments)) == most])

    def _is_listable(self, calls: Sequence[Arguments], name: str) -> bool:
        """Whether the calls differ in one value, and a query that can hold several of it."""
        if not all(name in call for call in calls) or isinstance(calls[0][name], (bool, list, dict)):
            return False
        return any(name in query.needs and query.needs <= calls[0].keys() for query in self.queries)

    def _said(self, query: ExampleQuery, arguments: Arguments, voice: Voice, listed: Listed = NONE) -> str:
        text = "".join(self._filled(piece, arguments, voice, listed) for piece in query.said(arguments))
        covered = query.covered(arguments)
        return self._with_rest(text, {name: value for name, value in arguments.items() if name not in covered}, voice)

    def _filled(self, piece: Piece, arguments: Arguments, voice: Voice, listed: Listed = NONE) -> str:
        given = {name: listed.get(name, [arguments[name]]) for name in arguments if name in piece.needs}
        values = {name: join([self._value(name, one, voice) for one in each]) for name, each in given.items()}
        return piece.filled(values, {name: join(list(map(str, each))) for name, each in given.items()})

    def _value(self, name: str, value: Any, voice: Voice) -> str:
        return self._wording.phrases[name].value(value, voice)

    def _with_rest(self, text: str, rest: Arguments, voice: Voice) -> str:
        """The query with what it has no place for."""
        if not rest:
            return text
        head, end = _split(text)
        if self._wording.weaver.fits(rest):
            added = self._wording.weaver.woven("", rest, voice, ends=False).strip()
            return f"{head}{'' if added.startswith(',') else ' ' if added.startswith('(') else ', '}{added}{end}"
        return f"{head}, with {join(self._wording.parts(dict(rest), Phrase.argument, voice))}{end}"

    def _alone(self, values: Arguments, voice: Voice) -> str:
        """'from Oslo to Lisbon', 'with a radius of 5'."""
        return re.sub(r"^[, ]*(?:and |but )?", "", self._wording.weaver.woven("", values, voice, ends=False))


def linked(texts: Sequence[str], voice: Voice) -> str:
    """The requests of several tools as one query."""
    query = texts[0]
    for text in texts[1:]:
        link = voice.pick(_LINKS)
        query = f"{_closed(query)} {link}{lower_first(text) if link else text}"
    return query


def _closed(text: str) -> str:
    """The text with a mark at its end, so that another sentence can follow."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _split(text: str) -> tuple[str, str]:
    """What is said, and the mark at its end."""
    end = _TAIL.search(text)
    assert end is not None
    return text[: end.start()], end[0]
