"""What a tool is called in a request: its goal as a verb, a thing, a question or a keyword, from its description.

Only English descriptions that begin with a verb or a noun are understood; of others the name's words are used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from data_pipeline.generate.asked import Asker
from data_pipeline.generate.phrases import Phrase, phrases_of
from data_pipeline.generate.schemas import words_of
from data_pipeline.generate.spans import Span, only_span, span_text
from data_pipeline.generate.text import content_words, lower_first, stems
from data_pipeline.generate.values import Field
from data_pipeline.generate.verbs import CATALOGUE_VERBS, SYNONYMS, base_verb, gerund
from data_pipeline.generate.voice import Voice
from data_pipeline.generate.woven import Weaver

if TYPE_CHECKING:
    from data_pipeline.core.schema import Tool

ASKED_AS_WHAT = {"calculate", "compute", "estimate", "find", "get", "determine", "return", "retrieve", "fetch"}
_QUESTION_WORDS = ("whether ", "how ", "what ", "which ", "where ", "when ", "who ")
_ASIDE = re.compile(r"\s*\([^)]*\)|\s*\[[^\]]*\]|<[^>]+>|`+|\*\*|https?://\S+")
_GOAL_END = re.compile(r"[,;:]? (?:such as|e\.g\.|i\.e\.|for example|for instance|including|like) .*|[;:] .*")
MAX_GOAL_WORDS = 16
_SPAN_SHARE = 0.5

Say = Callable[[Phrase, Any, Voice], str]


class Goal(NamedTuple):
    """Something to do: a verb in one of several words, and the rest."""

    verbs: tuple[str, ...]
    rest: str


def first_sentence(description: str) -> str:
    """The first sentence without asides, examples and links, and not too long to be said."""
    text = " ".join(_ASIDE.sub("", description).split())
    sentence = re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]
    sentence = _GOAL_END.sub("", sentence).rstrip(".!?:;, ")
    words = sentence.split()
    if len(words) <= MAX_GOAL_WORDS:
        return sentence
    head = re.split(r",? (?:so that|so|that|which|where|because|when|if|unless) |, ", sentence, maxsplit=1)[0]
    return head if 2 <= len(head.split()) <= MAX_GOAL_WORDS else ""


def possessive(rest: str) -> str | None:
    """'the monthly payment of a loan' -> "a loan's monthly payment"; None where it does not fit."""
    found = re.fullmatch(r"the ((?:[a-z-]+ )?[a-z-]+) of ((?:a|an|the) [a-z]*[^s\W])", rest)
    return f"{found[2]}'s {found[1]}" if found else None


class Wording:
    """One tool's schema and words, read once, used for every query."""

    def __init__(self, tool: Tool) -> None:
        """Read the tool."""
        self.tool = tool
        self.field = Field("", tool.parameters, topic=words_of(tool.name))

    @cached_property
    def phrases(self) -> dict[str, Phrase]:
        """How each parameter is spoken of."""
        return phrases_of(self.field.fields)

    @cached_property
    def weaver(self) -> Weaver:
        """How values are woven into the goal."""
        return Weaver(self.phrases)

    @cached_property
    def asker(self) -> Asker:
        """The tool's own example queries."""
        return Asker(self)

    @cached_property
    def name_goal(self) -> Goal:
        """What to do, from the name."""
        own = self.tool.name.rpartition(".")[2]  # what stands before a dot says where it belongs
        words = words_of(own).split() or [self.tool.name]
        if base_verb(words[0]) != words[0] and len(words) > 1 and words[-1] in CATALOGUE_VERBS:
            words = [words[-1], *words[:-1]]  # files list -> list files; books, too, are no verb here
        verb = base_verb(words[0])
        if verb is None:
            told = base_verb(first_sentence(self.tool.description).partition(" ")[0])
            return Goal(SYNONYMS.get(told, (told,)) if told else ("get", "look up", "give me"), " ".join(words))
        return Goal((verb,), " ".join(words[1:]))

    @cached_property
    def goals(self) -> tuple[Goal, ...]:
        """What to do, in the description's words first; then the name's."""
        sentence = first_sentence(self.tool.description)
        head, _, rest = sentence.partition(" ")
        verb = base_verb(head)
        if verb is not None:
            return Goal(SYNONYMS.get(verb, (verb,)), rest), self.name_goal
        if head.lower() in ("the", "a", "an") and len(sentence.split()) <= 9:
            return Goal(("get", "give me", "look up"), lower_first(sentence)), self.name_goal
        return (self.name_goal,)

    @cached_property
    def thing(self) -> str:
        """'the monthly payment of a loan': what is asked for with 'what is'; '' if it is no thing."""
        goal = self.goals[0]
        is_thing = goal.rest.startswith(("the ", "a ", "an "))
        head = base_verb(first_sentence(self.tool.description).partition(" ")[0]) or "get"
        return goal.rest if is_thing and head in ASKED_AS_WHAT else ""

    @cached_property
    def question(self) -> str:
        """'whether a purchase can still be returned', 'what the monthly payment is'; '' if there is none."""
        rest = self.goals[0].rest
        if rest.startswith(_QUESTION_WORDS):
            return rest
        return f"what {self.thing} is" if self.thing and len(self.thing.split()) <= 9 else ""

    @cached_property
    def words(self) -> frozenset[str]:
        """The beginnings of all content words of the tool, so that small talk can keep clear of them."""
        texts = [self.tool.name, self.tool.description]
        for name, field in self.field.fields.items():
            texts += [name, str(field.schema.get("description") or ""), *map(str, field.choices)]
        return stems(content_words(texts))

    def verb_and_rest(self, voice: Voice) -> tuple[str, str]:
        """'calculate' and 'the monthly payment of a loan'."""
        goal = self.goals[0] if len(self.goals) == 1 or not voice.chance(0.2) else self.goals[-1]
        rest = goal.rest
        if voice.wide and voice.chance(0.3):
            rest = possessive(rest) or rest
        return voice.pick(goal.verbs), rest

    def order(self, voice: Voice) -> tuple[str, str]:
        """The verb and the rest for one who speaks in whole sentences: no 'look through for', no 'find out a bank'."""
        verb, rest = self.verb_and_rest(voice)
        if verb == "find out" and not rest.startswith(_QUESTION_WORDS):
            verb = "find"
        if verb == "change" and "convert" in self.goals[0].verbs:
            verb = "convert"  # "Change 250 USD to EUR" would have no word of the tool.
        return ("search" if verb == "look through" and rest.startswith("for ") else verb), rest

    def goal(self, voice: Voice) -> str:
        """'calculate the monthly payment of a loan'."""
        return " ".join(self.verb_and_rest(voice)).strip()

    def doing(self, voice: Voice) -> str:
        """'calculating the monthly payment of a loan'."""
        verb, rest = self.verb_and_rest(voice)
        # "Giving me" would be what the user does.
        return f"{gerund('find' if verb.endswith(' me') else verb)} {rest}".strip()

    def keyword(self, voice: Voice) -> str:
        """'monthly loan payment': a search box's words."""
        goal = self.name_goal
        return goal.rest if goal.rest.count(" ") and voice.chance(0.7) else f"{goal.verbs[0]} {goal.rest}".strip()

    def asked(self, voice: Voice) -> str:
        """The thing, perhaps with a possessive."""
        return (possessive(self.thing) or self.thing) if voice.chance(0.3) else self.thing

    @cached_property
    def _span(self) -> Span | None:
        return only_span(self.phrases)

    def parts(self, arguments: dict[str, Any], say: Say, voice: Voice) -> list[str]:
        """Each argument said one way, such as `Phrase.argument`, at times in another order or two as one."""
        rest, spoken = arguments, []
        span = self._span
        if voice.wide and span and span.first in arguments and span.last in arguments and voice.chance(_SPAN_SHARE):
            spoken = [span_text(span, self.phrases, arguments, voice)]
            rest = {name: value for name, value in arguments.items() if name not in (span.first, span.last)}
            if say is Phrase.clause:
                spoken = [f"{voice.pick(('it is', 'that would be', 'I mean'))} {spoken[0]}"]
        for name, value in rest.items():
            spoken.append(say(self.phrases.get(name) or Phrase(Field(name, {})), value, voice))
        if voice.chance(0.4):
            voice.rng.shuffle(spoken)
        return spoken
