"""The words of a tool that a query may use for it, read once a tool."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from data_pipeline.core.queries import ExampleQuery, example_queries
from data_pipeline.verify.query_facts import as_float, numbers_of
from data_pipeline.verify.units import UNITS, Unit, unit_of
from data_pipeline.verify.words import FUNCTION_WORDS, Vocabulary, identifier_words, slips, word_set, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from data_pipeline.core.schema import Tool

Schema = dict[str, Any]

# Verbs and nouns that stand in the description of almost any tool.
GENERIC_WORDS = word_set(
    "calculate compute determine estimate find get fetch give given look check make show tell return returns "
    "provide retrieve use used using work based specified specific number value values result input output "
    "function tool data information two"
)
"""Words of tools that say nothing about which tool."""


class ToolWords:
    """What a tool's name, description and parameters say, each part read when first asked for."""

    def __init__(self, tool: Tool) -> None:
        """Of one tool, or of all that read the same."""
        self._tool = tool
        self.schemas: dict[str, Schema] = {name: as_schema(schema) for name, schema in tool.properties.items()}
        """Parameter name -> its JSON schema; {} where that is none."""

    @cached_property
    def topics(self) -> frozenset[str]:
        """The words of its name and description that say what it is about."""
        return telling((*identifier_words(self._tool.name), *words_of(self._tool.description)))

    @cached_property
    def _queries(self) -> tuple[ExampleQuery, ...]:
        return example_queries(self._tool.parameters)

    @cached_property
    def asked(self) -> tuple[frozenset[str], ...]:
        """The telling words of each of its example queries, of the parts that are always said."""
        needed = (" ".join(piece.words for piece in query.pieces if not piece.optional) for query in self._queries)
        return tuple(words for words in map(telling, map(words_of, needed)) if words)

    @cached_property
    def misspelt_topics(self) -> frozenset[str]:
        """What a slip of the finger makes of them."""
        return frozenset(slip for word in self.topics for slip in slips(word))

    @cached_property
    def name(self) -> frozenset[str]:
        """The telling words of its name, or all if none is telling."""
        words = identifier_words(self._tool.name)
        return telling(words) or frozenset(words)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The words of its parameters' names and choices."""
        words: list[str] = []
        for name, schema in self.schemas.items():
            words += identifier_words(name)
            words += (word for choice in texts(schema.get("enum")) for word in identifier_words(choice))
        return telling(words)

    @cached_property
    def all(self) -> Vocabulary:
        """Every word of it, those of the parameters' descriptions included."""
        told = (word for schema in self.schemas.values() for word in words_of(str(schema.get("description") or "")))
        return Vocabulary(self.topics | self.parameters | telling(told))

    @cached_property
    def units(self) -> frozenset[str]:
        """The dimensions its parameters are measured in."""
        found = (self.unit(name) for name in self.schemas)
        named = (UNITS[word] for word in self.parameters if word in UNITS)
        return frozenset(unit.dimension for unit in (*found, *named) if unit is not None)

    @cached_property
    def told(self) -> frozenset[float]:
        """Numbers a query may repeat without meaning an argument: of a name, a default, a 'per 100 g', an example."""
        told: list[Any] = [self._tool.description]
        told += (piece.words for query in self._queries for piece in query.pieces)
        for name, schema in self.schemas.items():
            told += (name, schema.get("default"), schema.get("description"))
        return frozenset(abs(number) for number in numbers_in(told))

    def unit(self, name: str) -> Unit | None:
        """The unit of a parameter's number, where its name or description says one."""
        return unit_of(name, str(self.schemas.get(name, {}).get("description") or ""))


def as_schema(value: object) -> Schema:
    """A JSON schema; {} for `true`, and for what is none."""
    return value if isinstance(value, dict) else {}


def texts(choices: object) -> list[str]:
    """The texts of an `enum`."""
    return [choice for choice in choices if isinstance(choice, str)] if isinstance(choices, (list, tuple)) else []


def telling(words: Iterable[str]) -> frozenset[str]:
    """Those of the words that say what something is about."""
    return frozenset(w for w in words if len(w) > 1 and w not in FUNCTION_WORDS and w not in GENERIC_WORDS)


def numbers_in(value: Any) -> Iterator[float]:
    """Every number in a JSON value, those inside texts and the lengths of lists included."""
    if isinstance(value, (int, float)):
        yield as_float(value)
    elif isinstance(value, str):
        yield from numbers_of(value)
    elif isinstance(value, dict):
        for nested in value.values():
            yield from numbers_in(nested)
    elif isinstance(value, list):
        yield float(len(value))
        for nested in value:
            yield from numbers_in(nested)
