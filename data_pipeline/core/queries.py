"""Example queries that a tool's author wrote: `x-queries` of its parameters' JSON schema.

    "x-queries": ["How far is it from {start} to {end}[ by {mode}]?", "Is it far to {end}[?by_night: at night]?"]

`{name}` stands for a value in words with its unit, `{name#}` for the bare value; what stands in brackets is said when
the optional parameters in it are given, and `[?name: words]` when the switch `name` is on.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Container, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_pipeline.core.schema import Tool

KEYWORD = "x-queries"
"""Never shown to a model: a prompt that holds queries would be copied from."""

_OPTION = re.compile(r"\[(?:\?([^:\[\]]+):)?([^\[\]]*)\]")
_SLOT = re.compile(r"\{([^{}#]+)(#?)\}")
_PLACING = re.compile(r"\b(?:in|from|at|of|for|to|with|on|by|between|under|over|after|since|as|like) (?:an? |the )?$")
_TOUCHING = re.compile(r"[\s,]*(?:(?:and|or|by|x|to|versus|vs)[\s,]*)?")
"""All that stands between two slots whose values would run into each other if one held several."""
_MOST_WORDS = 8
"""Of what is repeated for a second call: longer parts read like half a sentence."""


@dataclass(frozen=True)
class Piece:
    """Words with slots, said if `needs` are given, or if the switch is on.

    Attributes:
        text: with its slots.
        needs: parameters of the slots.
        switch: the boolean parameter that the piece stands for; '' if it is none.
        optional: whether it stood in brackets.
    """

    text: str
    needs: frozenset[str]
    switch: str = ""
    optional: bool = False

    @property
    def words(self) -> str:
        """The text without its slots."""
        return _SLOT.sub(" ", self.text)

    def is_said(self, arguments: Mapping[str, Any]) -> bool:
        """Whether these arguments call for it."""
        if self.switch and arguments.get(self.switch) is not True:
            return False
        return not self.optional or self.needs <= arguments.keys()

    def filled(self, values: Mapping[str, str], bare: Mapping[str, str]) -> str:
        """The text with values in its slots."""
        return _SLOT.sub(lambda slot: (bare if slot[2] else values)[slot[1]], self.text)


@dataclass(frozen=True)
class ExampleQuery:
    """One template, read."""

    pieces: tuple[Piece, ...]

    @property
    def needs(self) -> frozenset[str]:
        """Parameters that it cannot do without."""
        return frozenset[str]().union(*(piece.needs for piece in self.pieces if not piece.optional))

    def said(self, arguments: Mapping[str, Any]) -> tuple[Piece, ...]:
        """The pieces that these arguments call for."""
        return tuple(piece for piece in self.pieces if piece.is_said(arguments))

    def covered(self, arguments: Mapping[str, Any]) -> frozenset[str]:
        """Arguments that it says."""
        said = self.said(arguments)
        return frozenset[str]().union(*(piece.needs | {piece.switch} for piece in said)) & arguments.keys()

    @property
    def _needed(self) -> str:
        """The text without what stands in brackets."""
        return "".join("" if piece.optional else piece.text for piece in self.pieces)

    def takes_several(self, name: str) -> bool:
        """Whether a slot may hold 'Oslo, Rome and Bari': behind a preposition, with no other slot beside it.

        'A {width} and {height} frame' would be one frame of three sizes.
        """
        text = self._needed
        slots = list(_SLOT.finditer(text))
        places = [index for index, slot in enumerate(slots) if slot[1] == name]
        if len(places) != 1 or not _PLACING.search(text, 0, slots[places[0]].start()):
            return False
        near = slots[max(0, places[0] - 1) : places[0] + 2]
        between = (text[one.end() : other.start()] for one, other in itertools.pairwise(near))
        return not any(map(_TOUCHING.fullmatch, between))

    def part(self, names: Set[str], unit: re.Pattern[str]) -> Piece | None:
        """What says these parameters alone: 'from {start} to {end}' of 'How far is it from {start} to {end}?'

        None if no few words of one sentence do.

        Args:
            names: of the parameters.
            unit: words that belong to the slot before them: 'at {speed#} km/h'.
        """
        needed = self._needed
        slots = [slot for slot in _SLOT.finditer(needed) if slot[1] in names]
        if {slot[1] for slot in slots} != names:
            return None
        before, behind = _PLACING.search(needed, 0, slots[0].start()), unit.match(needed, slots[-1].end())
        end = behind.end() if behind else slots[-1].end()
        text = (before[0] if before else "") + needed[slots[0].start() : end]
        is_short = len(text.split()) <= _MOST_WORDS and not re.search(r"[.?!:;()]", _SLOT.sub("", text))
        return _piece(text) if is_short and (before or len(slots) == 1) else None


def example_queries(schema: Mapping[str, Any]) -> tuple[ExampleQuery, ...]:
    """What `x-queries` of a schema holds; entries of other kinds, or with slots it has not, are left out."""
    told, properties = schema.get(KEYWORD), schema.get("properties")
    texts = [text for text in told if isinstance(text, str)] if isinstance(told, list) else []
    names = properties.keys() if isinstance(properties, dict) else set()
    read = (ExampleQuery(tuple(_pieces(text))) for text in texts)
    return tuple(
        query
        for query in read
        if query.pieces and all(piece.needs | ({piece.switch} - {""}) <= names for piece in query.pieces)
    )


def shown_schema(tool: Tool) -> dict[str, Any]:
    """The tool's OpenAI function schema as models are shown it: without its example queries."""
    schema = tool.to_openai()
    return {**schema, "parameters": {key: value for key, value in schema["parameters"].items() if key != KEYWORD}}


def renamed(query: str, name_of: Callable[[str], str]) -> str:
    """The template with other names for its parameters."""
    query = _SLOT.sub(lambda slot: f"{{{name_of(slot[1])}{slot[2]}}}", query)
    return _OPTION.sub(lambda option: f"[?{name_of(option[1])}:{option[2]}]" if option[1] else option[0], query)


def without_options(query: str, names: Container[str]) -> str:
    """The template without the brackets that speak of other parameters than these."""

    def kept(option: re.Match[str]) -> str:
        needed = [slot[1] for slot in _SLOT.finditer(option[2])] + ([option[1]] if option[1] else [])
        return option[0] if all(name in names for name in needed) else ""

    return _OPTION.sub(kept, query)


def _pieces(text: str) -> Iterator[Piece]:
    at = 0
    for option in _OPTION.finditer(text):
        if text[at : option.start()]:
            yield _piece(text[at : option.start()])
        yield _piece(option[2], option[1] or "", optional=True)
        at = option.end()
    if text[at:]:
        yield _piece(text[at:])


def _piece(text: str, switch: str = "", optional: bool = False) -> Piece:
    return Piece(text, frozenset(slot[1] for slot in _SLOT.finditer(text)), switch.strip(), optional)
