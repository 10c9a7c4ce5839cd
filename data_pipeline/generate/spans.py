"""Two parameters said as one: 'from Oslo to Lisbon', 'a price between 20 and 50'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from data_pipeline.generate.phrases import Phrase
from data_pipeline.generate.voice import Voice

_WAYS = (("from", "to"), ("start", "end"), ("begin", "end"), ("departure", "arrival"), ("opening", "closing"))
_BOUNDS = (("min", "max"), ("minimum", "maximum"), ("low", "high"), ("lower", "upper"))
_TEXTS = ("date", "time", "city", "country", "currency", "language")


class Span(NamedTuple):
    """A pair of parameters that differ in one word, and what both are about.

    Attributes:
        first: name of the one that is said first.
        last: name of the other.
        noun: the words that their names share.
        is_way: whether it leads from one to the other, rather than lying between them.
    """

    first: str
    last: str
    noun: str
    is_way: bool

    def said(self, one: str, other: str, is_number: bool, voice: Voice) -> str:
        """The phrase around both values."""
        if self.is_way:
            joined = f"from {one} to {other}" if voice.chance(0.7) or not is_number else f"between {one} and {other}"
        else:
            joined = voice.pick((f"between {one} and {other}", f"of {one} to {other}", f"from {one} up to {other}"))
        return f"{self.noun} {joined}" if self.noun and is_number else joined


def only_span(phrases: Mapping[str, Phrase]) -> Span | None:
    """The one pair of parameters that can be said together; None if there is none, or a second to mix it up with."""
    found = [
        span
        for one in phrases.values()
        for other in phrases.values()
        for pairs in (_WAYS, _BOUNDS)
        if (span := _span_of(one, other, pairs))
    ]
    return found[0] if len(found) == 1 else None


def _span_of(one: Phrase, other: Phrase, pairs: tuple[tuple[str, str], ...]) -> Span | None:
    if one.field.kind != other.field.kind or one.unit != other.unit or not _is_plain(one) or not _is_plain(other):
        return None
    mine, others = one.field.words.split(), other.field.words.split()
    for first, last in pairs:
        if (
            first in mine
            and last in others
            and [word for word in mine if word != first] == [word for word in others if word != last]
        ):
            noun = " ".join(word for word in one.noun.split() if word != first)
            return Span(one.field.name, other.field.name, noun, pairs is _WAYS)
    return None


def _is_plain(phrase: Phrase) -> bool:
    field = phrase.field
    return field.kind in ("integer", "number") or bool(field.choices) or field.text_kind in _TEXTS


def span_text(span: Span, phrases: Mapping[str, Phrase], values: Mapping[str, Any], voice: Voice) -> str:
    """Both values of a call in one phrase."""
    one, other = (phrases[name].value(values[name], voice) for name in (span.first, span.last))
    return span.said(one, other, isinstance(values[span.first], (int, float)), voice)
