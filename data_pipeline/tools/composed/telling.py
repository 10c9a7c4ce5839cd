"""Descriptions of tools: what it does as a command or in the third person, at times with a second sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from data_pipeline.tools.composed.domains import Goal

_VERBS = {
    "calculate": ("calculate", "calculate", "calculate", "compute", "determine"),
    "get": ("get", "get", "retrieve", "fetch", "find", "return"),
    "search": ("search", "find"),
    "find": ("find", "find", "get"),
    "list": ("list", "get", "show"),
    "recommend": ("recommend", "suggest"),
    "create": ("create",),
    "estimate": ("estimate", "calculate", "predict"),
    "generate": ("generate", "create"),
    "check": ("check", "determine", "verify"),
}
_MORE = {
    "calculate": ("Uses the standard formula.", "Returns the numerical result.", "All values must be valid."),
    "estimate": ("The result is an approximation.", "Returns the estimate with a range.", "Based on average values."),
    "get": ("Returns the latest known value.", "Returns a short record.", "Data come from public records."),
    "search": (
        "Returns a list of matches.",
        "Returns one page of matches.",
        "Returns the best matches first.",
    ),
    "find": ("Returns a list of matches with basic details.", "Returns the best matches first."),
    "list": ("Returns a list of names.", "Returns the entries in order."),
    "recommend": ("Returns a ranked list.", "Suggestions are based on popularity."),
    "convert": ("Returns the converted value.", "Works for all common units."),
}
_ANY_MORE = ("Returns a confirmation.", "Returns the result as an object.", "Fails where the input is not known.")
_CONFIRMED = re.compile(r"\b(of|in|for|at|on) an? (?!t-test|number of|list of)([a-z]+)")
_THIRD_PERSON_SHARE, _MORE_SHARE, _GIVEN_SHARE = 0.4, 0.35, 0.15


def told(goal: Goal, rng: random.Random) -> str:
    """A description of one or two sentences."""
    verb = rng.choice(_VERBS.get(goal.verb, (goal.verb,)))
    if rng.random() < _THIRD_PERSON_SHARE:
        verb = _third_person(verb)
    thing = goal.thing
    if rng.random() < _GIVEN_SHARE:
        thing = _CONFIRMED.sub(rf"\1 a {rng.choice(('given', 'specific', 'specified'))} \2", thing, count=1)
    sentence = f"{verb[:1].upper()}{verb[1:]} {thing}."
    if rng.random() >= _MORE_SHARE:
        return sentence
    return f"{sentence} {rng.choice(_MORE.get(goal.verb, _ANY_MORE))}"


def _third_person(verb: str) -> str:
    if verb.endswith(("ch", "sh", "ss", "x")):
        return f"{verb}es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}s"
