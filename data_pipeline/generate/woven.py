"""Requests as people write them: values woven into the goal, each said by its role, the others named at the end.

'Calculate the area of a circle with a radius of 5', 'Get the weather in Oslo on 3 May', 'Convert 250 USD to EUR'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from data_pipeline.generate.mentions import Mention, mentions_of
from data_pipeline.generate.phrases import ACTION_WORDS, Form, Phrase
from data_pipeline.generate.roles import DATE, TRAIT, WAY, Role, named_forms, roles_of
from data_pipeline.generate.schemas import words_of
from data_pipeline.generate.spans import only_span, span_text
from data_pipeline.generate.text import join, lower_first, spoken_article
from data_pipeline.generate.units import Unit, unit_told
from data_pipeline.generate.verbs import base_verb
from data_pipeline.generate.voice import Voice

Listed = Mapping[str, str]
"""Name of a parameter -> the values of several calls in one, 'Oslo, Lisbon and Kyoto'."""

_MOST_NAMED = 5
_MOST_ORDERED = 7
"""Words of a switch's description that are said as they are."""
_ENDS_WITH_NOUN = re.compile(r"\ban? (?:[\w-]+ )?([\w-]+)$")
_OF_NUMBER = re.compile(r"an? ([\w -]+?) of (.+)")
_UNIT_WORDS = ("unit", "units", "currency")
_RESULTING = frozenset({"to", "target", "result", "output", "into"})
_WHETHER_TO = re.compile(r"(?:Whether|True|Set to true) to ([a-z][\w -]{2,40})(?=$|[.,;(])")
_DEGREES = ("celsius", "fahrenheit")


class _Said(NamedTuple):
    place: float
    text: str


class Weaver:
    """One tool's roles and mentions, read once, used for every query."""

    def __init__(self, phrases: Mapping[str, Phrase]) -> None:
        """Read the parameters."""
        self.phrases = phrases
        self.roles = roles_of(phrases)
        self._span = only_span(phrases)
        self._mentions: dict[str, list[Mention]] = {}

    def fits(self, arguments: Mapping[str, Any]) -> bool:
        """Whether every value can be said inside one sentence."""
        named = [name for name in arguments if name not in self.roles]
        known = all(name in self.phrases and _is_short(value) for name, value in arguments.items())
        return known and len(named) <= _MOST_NAMED

    def places(self, rest: str, name: str) -> bool:
        """Whether a goal takes a parameter's value in, or a role does, so that it can hold several."""
        if any(name in mention.names and not mention.is_adjective for mention in self.mentions(rest)):
            return True
        role = self.roles.get(name)
        if role is None or role.place == TRAIT or role.slot in ("most", "least"):
            return False
        return not any(behind for _, behind in role.forms)

    def mentions(self, rest: str) -> list[Mention]:
        """Where a goal speaks of the parameters."""
        if rest not in self._mentions:
            self._mentions[rest] = mentions_of(rest, self.phrases, self._leading)
        return self._mentions[rest]

    def woven(
        self, rest: str, arguments: Mapping[str, Any], voice: Voice, listed: Listed | None = None, ends: bool = True
    ) -> str:
        """A goal behind its verb, with the values.

        Args:
            rest: the goal; '' for the values alone.
            arguments: what to say.
            voice: who speaks.
            listed: values of several calls, said instead of the arguments'.
            ends: whether the sentence may end with a quoted text behind a colon.
        """
        weave = _Weave(self, arguments, voice, listed or {})
        quoted = weave.quoted() if ends else ""
        return weave.finished(weave.replaced(rest)) + quoted

    @cached_property
    def span(self) -> tuple[str, ...]:
        """The two parameters that are said as one; () if there are none."""
        return (self._span.first, self._span.last) if self._span else ()

    def span_said(self, arguments: Mapping[str, Any], voice: Voice) -> str:
        """'from Oslo to Lisbon'."""
        return span_text(self._span, self.phrases, arguments, voice) if self._span else ""

    @cached_property
    def _leading(self) -> tuple[str, ...]:
        ways = [(role.slot.split()[0], name) for name, role in self.roles.items() if role.place == WAY]
        return tuple(name for _, name in sorted(ways)) if sorted(way for way, _ in ways) == ["from", "to"] else ()

    @cached_property
    def told_units(self) -> dict[str, Unit]:
        """The units that only a description tells."""
        plain = {name: phrase for name, phrase in self.phrases.items() if _is_plain_number(phrase)}
        found = {name: unit_told(str(phrase.field.schema.get("description") or "")) for name, phrase in plain.items()}
        return {name: unit for name, unit in found.items() if unit is not None and name not in self.units}

    def amount(self, name: str, value: Any, voice: Voice) -> str | None:
        """A number with the unit that only its description tells; None where there is no such unit."""
        unit = self.told_units.get(name)
        if unit is None or isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        said = voice.amount(value, unit)
        voice.said.append(said)
        return said

    @cached_property
    def units(self) -> dict[str, str]:
        """Number -> the parameter that holds its unit, so that both are said as '20 knots'."""
        numbers = [name for name, phrase in self.phrases.items() if _is_plain_number(phrase)]
        found: dict[str, str] = {}
        for name, phrase in self.phrases.items():
            words = phrase.field.words.split()
            if not {*words[-1:]} & {*_UNIT_WORDS} or _RESULTING & {*words} or phrase.field.kind != "string":
                continue
            own = {*words} - {*_UNIT_WORDS, "from", "source"}
            fitting = [number for number in numbers if own <= {*self.phrases[number].field.words.split()}]
            if len(fitting) == 1 and (own or len(numbers) == 1):
                found[fitting[0]] = name
        return found


def _is_short(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and not any(isinstance(entry, (dict, list)) or entry in (None, "") for entry in value)
    return not isinstance(value, dict) and value is not None and value != ""


def _is_about(phrase: Phrase, noun: str) -> bool:
    """Whether a parameter's own words say that it is a trait of the noun."""
    return noun in re.findall(r"\w+", f"{phrase.field.words} {phrase.field.schema.get('description') or ''}".lower())


def _order_of(description: str) -> str:
    """'list every step', of a switch that is described as 'Whether to list every step' or 'List every step too'."""
    if told := _WHETHER_TO.match(description):
        return told[1]
    text = description.rstrip(".").removesuffix(" too")
    words = text.split()
    is_order = 1 < len(words) <= _MOST_ORDERED and base_verb(words[0]) == words[0].lower() and text.isascii()
    return lower_first(text) if is_order and not re.search(r"[^\w ,'-]", text) else ""


def _is_plain_number(phrase: Phrase) -> bool:
    return phrase.field.kind in ("integer", "number") and phrase.unit is None


class _Weave:
    """One sentence on its way."""

    def __init__(self, weaver: Weaver, arguments: Mapping[str, Any], voice: Voice, listed: Listed) -> None:
        self.weaver, self.voice, self.listed = weaver, voice, listed
        self.arguments = arguments
        self.left = dict(arguments)
        self.units: dict[str, Any] = {}
        for number, unit in weaver.units.items():
            if number in self.left and unit in self.left and not {number, unit} & {*listed}:
                self.units[number] = self.left.pop(unit)
        self.used: set[str] = set()
        self.pointed_at: set[str] = set()
        self.with_said: list[str] = []

    def value(self, name: str, value: Any) -> str:
        """A value in words, with the unit that another argument holds."""
        if name in self.listed:
            return self.listed[name]
        amount = self.weaver.amount(name, value, self.voice)
        if amount is not None:
            return amount
        said = self.weaver.phrases[name].value(value, self.voice)
        if name not in self.units:
            return said.title() if said.lower() in _DEGREES else said
        unit = self.weaver.phrases[self.weaver.units[name]].value(self.units[name], self.voice)
        return f"{said} degrees {unit.title()}" if unit.lower() in _DEGREES else f"{said} {unit}"

    def replaced(self, rest: str) -> str:
        """The goal with values where it speaks of the parameters."""
        pieces, at = [], 0
        for mention in self.weaver.mentions(rest):
            if not self.pointed_at.isdisjoint(mention.names):
                noun = rest[mention.start : mention.end].rpartition(" ")[2]
                pieces += [rest[at : mention.start], f"this {noun}"]
                at = mention.end
                continue
            if not {*mention.names} <= {*self.left} or not {*mention.needs} <= {*self.arguments}:
                continue
            values = [self.value(name, self.left[name]) for name in mention.names]
            if mention.is_adjective and not re.fullmatch(r"[A-Za-z-]{3,}(?: [A-Za-z-]+)?", values[0]):
                continue
            before = mention.before
            if mention.is_adjective and re.match(r"an? ", rest[mention.start :] if mention.end > mention.start else ""):
                before = f"{spoken_article(values[0])} "
            pieces += [rest[at : mention.start], before, " and ".join(values), mention.behind]
            at = mention.end
            for name in mention.names:
                self.left.pop(name)
        return "".join([*pieces, rest[at:]])

    def finished(self, text: str) -> str:
        """The goal and what is left to say."""
        traits = self._traits(text)
        said = self._roles()
        named = self._named()
        flags = self._flags()
        parts = [text, join(traits), *(entry.text for entry in said)]
        withs = self.with_said + named
        if len(withs) == 1 and (owned := self._owned(text, withs[0], said)):
            parts.append(owned)
        elif withs:
            parts.append(f"with {join(withs)}")
        return " ".join(part for part in parts if part) + flags

    def _owned(self, text: str, said: str, others: Sequence[_Said]) -> str:
        """'whose radius is 5', behind the noun that it is the radius of."""
        ending, trait = _ENDS_WITH_NOUN.search(text), _OF_NUMBER.fullmatch(said)
        phrases = self.weaver.phrases.values()
        if others or not ending or not trait or self.voice.chance(0.6):
            return ""
        own = [phrase for phrase in phrases if trait[1] in phrase.nouns and _is_about(phrase, ending[1])]
        return f"whose {trait[1]} is {trait[2]}" if own else ""

    def quoted(self) -> str:
        """': "a text"', for the only text of a call that is long."""
        texts = [
            name
            for name, phrase in self.weaver.phrases.items()
            if phrase.field.kind == "string" and phrase.field.text_kind == "sentence" and not phrase.field.choices
        ]
        if len(texts) != 1 or texts[0] not in self.left or texts[0] in self.listed:
            return ""
        value = str(self.left[texts[0]])
        if ('"' in value and "'" in value) or self.voice.chance(0.3):
            return ""
        self.left.pop(texts[0])
        self.pointed_at.add(texts[0])
        self.voice.said.append(value)
        return f": '{value}'" if '"' in value or ("'" not in value and self.voice.chance(0.4)) else f': "{value}"'

    def _traits(self, text: str) -> list[str]:
        """'30 cm wide', where the goal ends with the noun that it is said of."""
        ending = _ENDS_WITH_NOUN.search(text)
        if not ending:
            return []
        traits = [name for name in self.left if name in self.weaver.roles and self.weaver.roles[name].place == TRAIT]
        names = [name for name in traits if _is_about(self.weaver.phrases[name], ending[1])]
        return [self._in_role(self.weaver.roles[name], self.value(name, self.left.pop(name)), False) for name in names]

    def _roles(self) -> list[_Said]:
        """The phrases of what has a role, in a natural order."""
        said = self._spanned()
        for name in [name for name in self.left if name in self.weaver.roles]:
            role = self.weaver.roles[name]
            if isinstance(self.left[name], bool) or role.place == TRAIT:
                continue
            is_one = name not in self.listed and self.left[name] == 1
            text = self._in_role(role, self.value(name, self.left.pop(name)), is_one)
            if text.startswith("with "):
                self.with_said.append(text.removeprefix("with "))
            else:
                said.append(_Said(role.place + (self.voice.rng.random() * 2 if WAY < role.place <= DATE else 0), text))
        return sorted(said)

    def _spanned(self) -> list[_Said]:
        """'from Oslo to Lisbon'; what is 'a price between 20 and 50' goes to the others behind a 'with'."""
        span = self.weaver.span
        if not span or not all(name in self.left and name not in self.listed for name in span):
            return []
        text = self.weaver.span_said(self.left, self.voice)
        for name in span:
            self.left.pop(name)
        if text.startswith(("from ", "between ", "of ")):
            return [_Said(WAY, text)]
        noun = text.split(" ", 1)[0]
        self.with_said.append(text if noun.endswith("s") else f"{spoken_article(noun)} {text}")
        return []

    def _in_role(self, role: Role, said: str, is_one: bool) -> str:
        forms: Sequence[Form] = role.by_one if is_one and role.by_one else role.forms
        fresh = [form for form in forms if form[0] not in self.used] or forms
        before, behind = self.voice.pick(fresh)
        self.used.add(before)
        if before == "with a ":
            before = "with " if said.startswith("a ") else f"with {spoken_article(said)} "
        return f"{before}{said}{behind}"

    def _named(self) -> list[str]:
        """What has no role, by name; lists come last, so that what follows is not taken for an entry."""
        named = (name for name, value in self.left.items() if not isinstance(value, bool))
        names = sorted(named, key=lambda name: isinstance(self.left[name], list))
        said = []
        for name in names:
            value, phrase = self.left[name], self.weaver.phrases[name]
            first = value[0] if isinstance(value, list) else value
            before, behind = self.voice.pick(named_forms(phrase, isinstance(first, (int, float))))
            said.append(f"{before}{self.value(name, value)}{behind}")
        return said

    def _flags(self) -> str:
        """', including taxes', ', and ignore case'."""
        flags = [(name, value) for name, value in self.left.items() if isinstance(value, bool)]
        # A 'not' behind the others leaves no doubt about what it denies.
        return "".join(self._flag(name, value) for name, value in sorted(flags, key=lambda flag: not flag[1]))

    def _flag(self, name: str, value: bool) -> str:
        role = self.weaver.roles.get(name)
        words = words_of(name)
        if role is not None:
            before = self.voice.pick(("including", "with")) if value else self.voice.pick(("without", "excluding"))
            text = f" {before} {role.forms[0][0]}"
        elif words.split(" ", 1)[0] in ACTION_WORDS:
            text = f", and {'please ' if self.voice.chance(0.3) else ''}{words}" if value else f", but don't {words}"
        elif told := _order_of(str(self.weaver.phrases[name].field.schema.get("description") or "")):
            text = f", and {told}" if value else f", but don't {told}"
        else:
            noun = words.removeprefix("is ").removeprefix("has ")
            text = f" ({noun})" if value else f" (not {noun})"
        self.voice.said.append(text)
        return text
