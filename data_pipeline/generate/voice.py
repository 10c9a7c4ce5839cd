"""How one query is spoken: the random draws, the region, how much is said in words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from data_pipeline.generate.lexicon import CURRENCIES
from data_pipeline.generate.spoken import date_spoken, number_spoken, time_spoken, unit_spoken
from data_pipeline.generate.text import join
from data_pipeline.generate.units import GLUED, Unit, british, singular, with_unit
from data_pipeline.generate.values import Field

T = TypeVar("T")

_CURRENCY_WORDS = {
    "USD": "dollars", "EUR": "euros", "GBP": "pounds", "JPY": "yen", "INR": "rupees", "KRW": "won", "CHF": "francs",
}  # fmt: skip


_DATES_IN_WORDS = 4
"""How many times as often as numbers dates and times are said in words: few people type 2025-03-14."""
_SIGN_SHARE = 0.35
"""Amounts of money said with a sign, '$1,450'."""
_NEVER_QUOTED = frozenset({"date", "time", "date-time", "currency", "digits", "weekday"})


@dataclass
class Voice:
    """Who speaks a query.

    Attributes:
        rng: of every draw.
        in_words: share of numbers, dates and units said as people say them.
        british: spelling and order of dates as in Britain.
        wide: whether the whole range of phrases is used, not the plain ones only.
        woven: share of wide queries that are one sentence, of those that can be.
        own_queries: share of queries in a tool's own example queries, where it has some.
        said: the words of values so far, which no typo may touch.
    """

    rng: random.Random
    in_words: float = 0.0
    british: bool = False
    wide: bool = False
    woven: float = 1.0
    own_queries: float = 0.0
    said: list[str] = field(default_factory=list)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.rng.random() * len(options))]

    def chance(self, share: float) -> bool:
        """True with this probability."""
        return self.rng.random() < share

    def number(self, value: float) -> str:
        """A number as people type it: sometimes with thousands separators, never rounded."""
        if self.in_words and self.chance(self.in_words):
            spoken = number_spoken(value, self.rng)
            if spoken is not None:
                return spoken
        if isinstance(value, int) and abs(value) >= 1000 and not 1900 <= value <= 2100 and self.chance(0.25):
            return f"{value:,}"
        return str(value)

    def amount(self, value: float, unit: Unit) -> str:
        """A number with its unit, perhaps in another unit that holds it exactly."""
        if self.in_words and self.chance(self.in_words):
            other = unit_spoken(value, unit.key, self.rng)
            if other is not None:
                return british(other) if self.british else other
            if unit.sign and value >= 0:
                return f"{unit.sign}{value}"
        if self.wide and unit.sign and value >= 0 and self.chance(_SIGN_SHARE):
            return f"{unit.sign}{value:,}" if isinstance(value, int) else f"{unit.sign}{value}"
        number = self.number(value)
        if number == "half":
            one = singular(unit.word)
            return f"half {'an' if one[0] in 'aeiou' or one == 'hour' else 'a'} {british(one) if self.british else one}"
        form = self.pick(unit.forms) if number[-1].isdigit() else unit.word
        if value == 1 and form not in GLUED:
            form = singular(form)
        return with_unit(number, british(form) if self.british else form)

    def amounts(self, values: Sequence[float], unit: Unit) -> str:
        """'95, 117.1 and 93 cm': a list says its unit once."""
        form = self.pick(unit.forms)
        said = with_unit(join([str(value) for value in values]), british(form) if self.british else form)
        self.said.append(said)
        return said

    def numbers(self, values: Sequence[float]) -> list[str]:
        """The entries of a list, all in words or all in digits: in '1,955, 560' a separator would add an entry."""
        spoken = [number_spoken(v, self.rng) for v in values] if self.in_words and self.chance(self.in_words) else []
        said = [words for words in spoken if words is not None]
        if len(said) != len(values):
            said = list(map(str, values))
        self.said += said
        return said

    def text(self, value: str, field: Field) -> str:
        """A text; one long enough to blur into the sentence is quoted."""
        return self._as_written(value, field) or self._quoted([value])[0]

    def texts(self, values: Sequence[str], field: Field) -> list[str]:
        """The entries of a list, all quoted or none."""
        written = [self._as_written(value, field) for value in values]
        said = [word or "" for word in written] if all(written) else self._quoted(values)
        self.said += said
        return said

    def _as_written(self, value: str, field: Field) -> str | None:
        """A text that is never quoted; None for others."""
        if field.choices:
            return self._choice(value, field)
        if field.text_kind in ("date", "time", "currency") and self.chance(self._spoken_share(field.text_kind)):
            spoken = self._spoken(value, field.text_kind)
            if spoken is not None:
                return spoken
        if not value:
            return '""'
        return value if field.text_kind in _NEVER_QUOTED else None

    def _quoted(self, values: Sequence[str]) -> list[str]:
        """In quotation marks, if one of them is long, or by chance."""
        if not any(len(value.split()) > 3 for value in values) and not self.chance(0.25):
            return list(values)
        quote = self.pick("\"'") if not any("'" in value for value in values) else '"'
        return [f"{quote}{value}{quote}" for value in values]

    def _spoken_share(self, kind: str) -> float:
        return self.in_words if kind == "currency" else min(1.0, _DATES_IN_WORDS * self.in_words)

    def _spoken(self, value: str, kind: str) -> str | None:
        if kind == "date":
            return date_spoken(value, self.british, self.rng)
        return time_spoken(value, self.rng) if kind == "time" else _CURRENCY_WORDS.get(value)

    def _choice(self, value: str, field: Field) -> str:
        if value in CURRENCIES and self.chance(self.in_words):
            return _CURRENCY_WORDS.get(value, value.lower())
        said = value.replace("_", " ") if self.chance(0.5) else value
        # 'camelCase' in lower case would be another word.
        foldable = field.is_caseless and len(value) > 2 and (value.isupper() or value.istitle())
        return said.lower() if foldable and self.chance(self.in_words) else said

    def scalar(self, value: Any, field: Field) -> str:
        """Any value that is no list and no object, and remembered."""
        if value is None:
            said = "none"
        elif isinstance(value, bool):
            said = self.pick(("yes", "true") if value else ("no", "false"))
        elif isinstance(value, (int, float)):
            said = self.number(value)
        else:
            said = self.text(str(value), field)
        self.said.append(said)
        return said
