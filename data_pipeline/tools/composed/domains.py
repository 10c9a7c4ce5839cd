"""What tools are for: goals, by domain and subject, as lines.

# geometry                      a domain
@ radius ? precision            a subject: what its goals need, and after `?` what they may take
calculate the area of a circle; height ? units - radius
                                a goal: verb and thing, then kinds of parameters needed beside the subject's,
                                after `?` more that it may take, after `-` those of the subject it has no use for
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from data_pipeline.tools.composed.domains_culture import CULTURE
from data_pipeline.tools.composed.domains_life import LIFE
from data_pipeline.tools.composed.domains_lists import LISTS
from data_pipeline.tools.composed.domains_money import MONEY
from data_pipeline.tools.composed.domains_science import SCIENCE
from data_pipeline.tools.composed.domains_work import WORK


class Goal(NamedTuple):
    """Something a tool may do.

    Attributes:
        domain: what it is about.
        verb: what is done, such as 'calculate'.
        thing: to what, such as 'the area of a circle'.
        required: keys of the kinds of parameters that it needs.
        optional: keys of those that it may take.
    """

    domain: str
    verb: str
    thing: str
    required: tuple[str, ...]
    optional: tuple[str, ...]


@cache
def goals() -> tuple[Goal, ...]:
    """All goals, in the order of the banks."""
    found = []
    domain, subject = "", _Keys()
    for line in "".join((SCIENCE, MONEY, LIFE, CULTURE, WORK, LISTS)).split("\n"):
        if line.startswith("# "):
            domain = line[2:]
        elif line.startswith("@ "):
            subject = _keys(line[2:])
        elif line:
            told, _, own = line.partition(";")
            verb, _, thing = told.partition(" ")
            found.append(Goal(domain, verb, thing, *subject.joined(_keys(own))))
    return tuple(found)


class _Keys(NamedTuple):
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def joined(self, own: _Keys) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Required and optional keys of a goal of this subject; what it requires itself is no option."""
        required = tuple(key for key in dict.fromkeys((*self.required, *own.required)) if key not in own.dropped)
        optional = tuple(key for key in dict.fromkeys((*self.optional, *own.optional)) if key not in required)
        return required, tuple(key for key in optional if key not in own.dropped)


def _keys(text: str) -> _Keys:
    parts: dict[str, list[str]] = {"": [], "?": [], "-": []}
    current = parts[""]
    for word in text.split():
        if word in parts:
            current = parts[word]
        else:
            current.append(word)
    return _Keys(*map(tuple, parts.values()))
