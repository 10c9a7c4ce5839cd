"""Argument phrases: how people say a parameter and its value, derived from the schema's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from data_pipeline.generate.phrases_objects import are_scalars, entries_spoken, objects_spoken
from data_pipeline.generate.schemas import Schema, words_of
from data_pipeline.generate.text import article, join
from data_pipeline.generate.units import PREPOSITIONS, split_unit
from data_pipeline.generate.values import Field
from data_pipeline.generate.values_text import told_by
from data_pipeline.generate.verbs import base_verb
from data_pipeline.generate.voice import Voice

Form = tuple[str, str]
"""What stands before and behind a value."""

SMALL_WORDS = {"a", "an", "the", "of", "one", "two", "other", "first", "second"}
COUNT_WORDS = {"num", "number", "number of", "no", "no of", "count", "n"}
ACTION_WORDS = {
    "include",
    "use",
    "show",
    "allow",
    "ignore",
    "keep",
    "return",
    "sort",
    "remove",
    "apply",
    "exclude",
}
_HEAD_END = re.compile(r"[,;:.(]| as | in | e\.g| for | to | at | when | on | used | from ")
_ARTICLE = re.compile(r"^(the|a|an|your|optional|required)\s+", re.IGNORECASE)
# What a text holds -> the word before it where nothing else of the call could be meant.
_PLACED = {"city": "in", "date": "on", "time": "at"}
_MARK = re.compile(
    r"^(?:\[?(?:required|optional|output only|immutable|deprecated|identifier)\]?[.:]\s*)+", re.IGNORECASE
)
_HEAD_WORDS = 4
_QUESTION_WORDS = frozenset({"how", "what", "when", "where", "whether", "which", "who"})
_FRACTION = re.compile(r"\b(?:as|is) a (?:decimal|fraction)\b|\b(?:from|between) 0 (?:and|to) 1\b", re.IGNORECASE)
_PERCENT_SHARE = 0.7
_OBJECTS_SHARE = 0.5
"""Objects that are said in short, not spelled out."""


def head_of(schema: Schema) -> str:
    """The noun that a description begins with, or ''."""
    description = _MARK.sub("", str(schema.get("description") or "").strip())
    head = _ARTICLE.sub("", _HEAD_END.split(description, maxsplit=1)[0].strip())
    words = head.split()
    if not 1 <= len(words) <= _HEAD_WORDS or not re.fullmatch(r"[\w' -]+", head):
        return ""
    if words[-1] in PREPOSITIONS or words[0].lower() in _QUESTION_WORDS:
        return ""
    if words[0].endswith("s") and base_verb(words[0]):  # "Specifies a fingerprint" is no noun.
        return ""
    return head if words[0].isupper() else head[0].lower() + head[1:]


def distinct_heads(fields: Mapping[str, Field]) -> dict[str, str]:
    """The head of each description, '' where it may mean a neighbour too.

    "Electricity used by day" and "Electricity used at night" have the same head, so people say "day" and "night".
    """
    told = {
        name: {*field.words.split(), *re.findall(r"\w+", str(field.schema.get("description") or "").lower())}
        for name, field in fields.items()
    }

    def distinct(name: str, head: str) -> bool:
        words = {*head.lower().split()} - SMALL_WORDS
        return not any(words <= others for other, others in told.items() if other != name)

    heads = {name: head_of(field.schema) for name, field in fields.items()}
    return {name: head if head and distinct(name, head) else "" for name, head in heads.items()}


class Phrase:
    """How one parameter is spoken of; read once from its field, used for every query."""

    def __init__(self, field: Field, head: str = "", kinds: Sequence[str | None] = ()) -> None:
        """Find the words.

        Args:
            field: the parameter.
            head: another noun for it; '' for none.
            kinds: what the texts beside it hold, so that 'in Oslo' is said only where one city is asked for.
        """
        self.field = field
        self.noun, self.unit = split_unit(field.name)
        if self.unit and self.noun in COUNT_WORDS:
            self.noun = ""  # "12 days" of num_days, not "12 days as the num"
        whole = words_of(field.name)
        self.nouns: tuple[str, ...] = (self.noun or whole or "value",)
        if head:
            self.nouns = (*(self.nouns * 3 if self.noun else ()), head)
        self.bare = bool(self.unit) and not self.noun
        alone = list(kinds).count(field.text_kind) == 1 and told_by(field.words) == field.text_kind
        alone = alone and not {"pattern", "enum"} & field.schema.keys()
        self.placed = _PLACED.get(field.text_kind or "", "") if alone else ""

    @cached_property
    def is_fraction(self) -> bool:
        """Whether its numbers are shares of one, which people say in percent: 4.5% for an interest rate of 0.045."""
        told = _FRACTION.search(str(self.field.schema.get("description") or ""))
        return self.field.kind == "number" and told is not None

    @cached_property
    def inner(self) -> dict[str, Phrase]:
        """The phrases of an object's entries."""
        return phrases_of(self.field.fields)

    @cached_property
    def items(self) -> Phrase:
        """The phrase of an array's entries."""
        return Phrase(self.field.items)

    def of(self, value: Any) -> Phrase:
        """The phrase of the alternative that a value is of."""
        return Phrase(self.field.branch_of(value)) if self.field.kind == "union" else self

    @cached_property
    def _forms(self) -> dict[tuple[str, bool], tuple[Form, ...]]:
        return {
            (kind, wide): tuple(form for noun in self.nouns for form in self._forms_of(noun, kind, wide))
            for kind in ("number", "text", "list")
            for wide in (False, True)
        }

    def _forms_of(self, noun: str, kind: str, wide: bool) -> list[Form]:
        if kind == "list":
            forms = [(f"{noun} ", ""), (f"the {noun} ", ""), (f"{noun}: ", "")]
            return forms + ([(f"{noun} set to ", ""), ("", f" as the {noun}")] if wide else [])
        forms = [(f"{noun} ", ""), (f"{noun} of ", ""), ("", f" as the {noun}"), (f"{noun}: ", ""), (f"{noun} = ", "")]
        plural, ends_open = is_plural(noun), noun.split()[-1] in PREPOSITIONS
        if kind == "number" and not plural and not ends_open:
            forms += [(f"{article(noun)} {noun} of ", "")] * 3
        if kind == "text" and self.noun.startswith(("from ", "to ", "by ", "in ")):
            # "from Oslo" says what "from 40" does not: a latitude, a percentage?
            forms += [(f"{self.noun.split()[0]} ", "")] * 3
        return forms + (self._wide_forms(noun, kind, plural) if wide and not ends_open else [])

    def _wide_forms(self, noun: str, kind: str, plural: bool) -> list[Form]:
        forms = [(f"{noun} set to ", ""), ("", f" for the {noun}"), (f"the {noun} being ", ""), (f"{noun} ", "")]
        if kind == "number" and plural and not self.unit and noun == self.noun:
            forms += [("", f" {noun}")] * 4
        if kind == "number" and not plural:
            forms += [(f"the {noun} at ", ""), (f"{article(noun)} {noun} of ", "")]
        if kind == "text" and self.field.choices:
            forms += [("", f" {noun}")] * 2
        if kind == "text" and self.placed:
            forms += [(f"{self.placed} ", "")] * 6
        return forms

    @cached_property
    def _clauses(self) -> dict[tuple[bool, bool], tuple[Form, ...]]:
        return {
            (many, wide): tuple(form for noun in self.nouns for form in self._clauses_of(noun, many, wide))
            for many in (False, True)
            for wide in (False, True)
        }

    def _clauses_of(self, noun: str, many: bool, wide: bool) -> list[Form]:
        if many or is_plural(noun):
            if wide and not is_plural(noun):  # 'people' are, a schedule is: neither is said.
                return [(f"the {noun}: ", ""), (f"for the {noun}: ", "")]
            forms: list[Form] = [(f"the {noun} are ", "")]
            return forms + ([(f"I have these {noun}: ", ""), (f"my {noun} are ", "")] if wide else [])
        forms = [(f"the {noun} is ", "")] * 2 + [(f"the {noun} should be ", "")]
        if wide:
            forms += [(f"my {noun} is ", ""), (f"the {noun} would be ", "")]
            forms += [(f"the {noun} comes to ", ""), ("it's ", f" for the {noun}"), ("use ", f" as the {noun}")]
        return forms

    def value(self, value: Any, voice: Voice) -> str:
        """A value in words."""
        if self.field.kind == "union":
            return self.of(value).value(value, voice)
        if isinstance(value, dict):
            return self._entries(value, voice)
        if isinstance(value, list):
            return self._list(value, voice)
        if self.unit and isinstance(value, (int, float)) and not isinstance(value, bool):
            said = voice.amount(value, self.unit)
            voice.said.append(said)
            return said
        if voice.wide and self.is_fraction and isinstance(value, float) and voice.chance(_PERCENT_SHARE):
            said = f"{voice.pick(('{:.10g}%', '{:.10g}%', '{:.10g} percent')).format(value * 100)}"
            voice.said.append(said)
            return said
        return voice.scalar(value, self.field)

    def _entries(self, values: dict[str, Any], voice: Voice) -> str:
        if voice.wide and are_scalars([values], self.inner) and voice.chance(_OBJECTS_SHARE):
            return entries_spoken(values, self.inner, voice)
        phrases = ((self.inner.get(name) or Phrase(Field(name, {})), value) for name, value in values.items())
        return join([phrase.argument(value, voice) for phrase, value in phrases]) or "none"

    def _list(self, values: list[Any], voice: Voice) -> str:
        if not values:
            return "none"
        if self.unit and all(type(value) in (int, float) for value in values):
            return voice.amounts(values, self.unit)
        if voice.wide and are_scalars(values, self.items.inner) and voice.chance(_OBJECTS_SHARE):
            return objects_spoken(values, self.items.inner, voice)
        said = self._entries_said(values, voice)
        if isinstance(values[0], (dict, list)):
            return " and ".join(f"({entry})" for entry in said)
        return "[" + ", ".join(said) + "]" if voice.chance(0.15 if voice.wide else 0.3) else join(said)

    def _entries_said(self, values: list[Any], voice: Voice) -> list[str]:
        """Each entry in words, all in one manner."""
        if self.items.unit is None and all(type(value) in (int, float) for value in values):
            return voice.numbers(values)
        if all(isinstance(value, str) for value in values) and self.items.field.kind == "string":
            return voice.texts(values, self.items.field)
        return [self.items.value(value, voice) for value in values]

    def argument(self, value: Any, voice: Voice) -> str:
        """An argument inside a sentence: 'a weight of 70 kg', 'currency EUR', 'without tax'."""
        if isinstance(value, bool):
            return self.flag(value, voice)
        said = self.value(value, voice)
        if self.bare and isinstance(value, (int, float)) and self.nouns[0] == words_of(self.field.name):
            return said  # The name is the unit: "12 months".
        if isinstance(value, dict):
            return f"{voice.pick(self.nouns)} ({said})"
        kind = "number" if isinstance(value, (int, float)) else "list" if isinstance(value, list) else "text"
        before, behind = voice.pick(self._forms[kind, voice.wide])
        return f"{before}{said}{behind}"

    def clause(self, value: Any, voice: Voice) -> str:
        """An argument as a clause of its own: 'the weight is 70 kg'."""
        if isinstance(value, bool):
            return self.flag(value, voice)
        said = self.value(value, voice)
        if isinstance(value, dict):
            noun = voice.pick(self.nouns)
            return f"the {noun} has {said}" if voice.wide and voice.chance(0.5) else f"{noun} ({said})"
        before, behind = voice.pick(self._clauses[isinstance(value, list), voice.wide])
        return f"{before}{said}{behind}"

    def terse(self, value: Any, voice: Voice) -> str:
        """An argument as a keyword: 'weight 70 kg', 'currency=EUR'."""
        if isinstance(value, bool):
            return self.flag(value, voice)
        said = self.value(value, voice)
        if self.bare:
            return said
        return f"{voice.pick(self.nouns)}{voice.pick((' ', ' ', ': ', '='))}{said}"

    def flag(self, value: bool, voice: Voice) -> str:
        """A switch: 'include tax', 'without tax'."""
        said = voice.pick(self._flags[value, voice.wide])
        voice.said.append(said)
        return said

    @cached_property
    def _flags(self) -> dict[tuple[bool, bool], tuple[str, ...]]:
        words = words_of(self.field.name)
        if words.split(" ", 1)[0] in ACTION_WORDS:
            yes, no = (words,), (f"do not {words}",)
            return {
                (True, False): yes,
                (False, False): no,
                (True, True): (words, f"make sure to {words}", f"{words}: yes"),
                (False, True): (f"do not {words}", f"don't {words}", f"{words}: no"),
            }
        noun = words.removeprefix("is ").removeprefix("has ").removeprefix("with ")
        plain_yes = (f"{noun}: yes", f"with {noun}", f"{noun} set to true", f"{noun} on")
        plain_no = (f"{noun}: no", f"without {noun}", f"{noun} set to false", f"{noun} off")
        return {
            (True, False): plain_yes,
            (False, False): plain_no,
            (True, True): (*plain_yes, f"{noun} = true", f"yes to {noun}", *self._told()),
            (False, True): (*plain_no, f"{noun} = false", f"no {noun}"),
        }

    def _told(self) -> tuple[str, ...]:
        """'the space has a roof', from a description that says 'Whether the space has a roof'."""
        description = str(self.field.schema.get("description") or "")
        told = re.split(r"[.;(]", description, maxsplit=1)[0].strip()
        if told.lower().startswith(("whether the ", "whether a ")) and len(told.split()) < 12:
            return (f"{told[8:]} (true)",)
        return ()


def phrases_of(fields: Mapping[str, Field]) -> dict[str, Phrase]:
    """The phrase of each field, told apart from its neighbours."""
    heads = distinct_heads(fields)
    kinds = [field.text_kind for field in fields.values()]
    return {name: Phrase(field, heads[name], kinds) for name, field in fields.items()}


def is_plural(noun: str) -> bool:
    """'hours per day' and 'fixed costs' are; 'starts at', 'bonus' and 'mass' are not."""
    words = noun.split()
    end = next((index for index, word in enumerate(words) if index and word in PREPOSITIONS), len(words))
    if not words or end == len(words) - 1:  # The preposition ends the name, so what it follows is a verb.
        return False
    return words[end - 1].endswith("s") and not words[end - 1].endswith(("ss", "us", "is"))
