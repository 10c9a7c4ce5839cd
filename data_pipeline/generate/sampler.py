"""What to ask for: tool sets, styles, users and examples of a shard, drawn from named random streams.

APIGen's three samplers (Liu et al. 2024, section 3.3): of tools, of examples, and, in `prompts`, of prompts.
"""

from __future__ import annotations

import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from data_pipeline.core.errors import InputError, nearest
from data_pipeline.core.seeding import stream
from data_pipeline.generate.plan import Plan
from data_pipeline.generate.text import content_words, stems

if TYPE_CHECKING:
    from data_pipeline.core.schema import Style, Tool, Trajectory
    from data_pipeline.recipe import DataRecipe

T = TypeVar("T")
MIN_TOOLS: dict[Style, int] = {
    "simple": 1,
    "multiple": 2,
    "parallel": 1,
    "parallel-multiple": 2,
    "irrelevance": 1,
    "missing-parameter": 1,
}
_TRIES = 50
"""Draws for a tool that is not in a set yet before the set stays smaller; only tiny pools come near."""
_NEAR_DRAWS = 6
"""Tools of a topic of which the likest to one on offer is asked for; of all of them it would ever be the same one."""
_COMPARISON = re.compile(r"(?:compare|rank)s?\b", re.IGNORECASE)
"""How descriptions begin of what a tool about one thing answers, too, called for each."""


@dataclass(frozen=True)
class Catalogue:
    """A pool of tools with what sampling looks up, built once for all shards.

    Attributes:
        tools: the pool, each tool under a name of its own.
        topics: topic -> its tools.
        producers: parameter or result name -> tools whose result has it.
        consumers: parameter name -> tools that take it.
        words: name -> stems of the words of its description, but of the first, which mostly is a verb.
    """

    tools: tuple[Tool, ...]
    topics: dict[str, list[Tool]] = field(default_factory=lambda: defaultdict(list))
    producers: dict[str, list[Tool]] = field(default_factory=lambda: defaultdict(list))
    consumers: dict[str, list[Tool]] = field(default_factory=lambda: defaultdict(list))
    words: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tools: Sequence[Tool]) -> Catalogue:
        """Index the pool.

        Raises:
            InputError: there is no tool.
        """
        if not tools:
            raise InputError("no tools to sample from: 'tools' minus 'without' is empty")
        made = cls(tuple(tools))
        for tool in tools:
            made.topics[tool.topic].append(tool)
            made.words[tool.name] = stems(content_words([tool.description.partition(" ")[2]]))
            for name in _results(tool):
                made.producers[name].append(tool)
            for name in tool.properties:
                made.consumers[name].append(tool)
        return made

    def linked(self, tool: Tool) -> list[Tool]:
        """Tools that give what this one takes, or take what it gives."""
        found = [other for name in tool.properties for other in self.producers.get(name, ())]
        return found + [other for name in _results(tool) for other in self.consumers.get(name, ())]

    def likest(self, tool: Tool, others: Sequence[Tool]) -> Tool | None:
        """Whose description shares most words with the tool's: 'cancel a booking' beside 'make a booking'."""
        return max(others, key=lambda other: len(self.words[other.name] & self.words[tool.name]), default=None)


def _results(tool: Tool) -> tuple[str, ...]:
    """Names of what a tool returns, where its schema says."""
    properties = (tool.returns or {}).get("properties")
    return tuple(properties) if isinstance(properties, dict) else ()


def plan_shard(
    recipe: DataRecipe, catalogue: Catalogue, shard: int, examples: Sequence[Trajectory] = ()
) -> Iterator[Plan]:
    """The plans of one shard; they depend on the arguments alone.

    Args:
        recipe: shares, sizes and the seed.
        catalogue: tools to draw from.
        shard: counted over all rounds.
        examples: accepted samples to show some of.

    Raises:
        InputError: no style of the recipe fits the tools.
    """
    leaders = _deal(catalogue, recipe, shard * recipe.tool_sets_per_shard)
    for index in range(recipe.tool_sets_per_shard):
        rng = stream(recipe.seed, "shard", shard, "set", index)
        offered = _tool_set(next(leaders), catalogue, recipe, rng)
        styles = tuple(_style(recipe.styles, offered, catalogue, rng) for _ in range(recipe.queries_per_tool_set))
        yield Plan(
            id=f"{shard:04d}-{index:04d}",
            tools=offered,
            styles=styles,
            strangers=tuple(_stranger(offered, catalogue, recipe, rng) for style in styles if style == "irrelevance"),
            persona=rng.choice(recipe.personas) if recipe.personas else "",
            locale=rng.choice(recipe.locales),
            examples=_choose_examples(examples, offered, recipe.examples_per_prompt, rng),
            seed=rng.getrandbits(48),
        )


def _deal(catalogue: Catalogue, recipe: DataRecipe, position: int) -> Iterator[Tool]:
    """Tools to lead a set, from `position` on, in shuffled rounds through the pool.

    Shards take consecutive parts, so each tool leads as often as its weight says. In round k a tool of weight w
    occurs floor((k + 1) w) - floor(k w) times, which gives the start of a round without dealing those before.
    """
    weights = _weights(recipe.category_mix, catalogue)
    number = int(position / sum(weights))
    skip = position - sum(int(number * weight) for weight in weights)
    for k in count(number):
        turns = [int((k + 1) * weight) - int(k * weight) for weight in weights]
        deck = [tool for tool, times in zip(catalogue.tools, turns, strict=True) for _ in range(times)]
        stream(recipe.seed, "deck", k).shuffle(deck)
        yield from deck[skip:]
        skip = max(0, skip - len(deck))


def _weights(mix: Mapping[str, float], catalogue: Catalogue) -> list[float]:
    """How often each tool leads in a round.

    Raises:
        InputError: a category that no tool is of, a weight that is none, or no tool may lead.
    """
    for category, weight in mix.items():
        if category not in catalogue.topics:
            hint = nearest(category, catalogue.topics)
            raise InputError(f"category_mix: no tool of the recipe is of the category '{category}'; {hint}")
        if not 0 <= weight < math.inf:
            raise InputError(f"category_mix: '{category}' weighs {weight}; give a number from 0 up")
    weights = [mix.get(tool.topic, 1.0) for tool in catalogue.tools]
    if sum(weights) <= 0:
        raise InputError("category_mix: no tool is left with a weight above 0")
    return weights


def _weighted(shares: Mapping[T, float], rng: random.Random) -> T:
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def _tool_set(first: Tool, catalogue: Catalogue, recipe: DataRecipe, rng: random.Random) -> tuple[Tool, ...]:
    """`first` and companions: of its topic, linked to it by a result, or any."""
    chosen = {first.name: first}
    size = min(_weighted(recipe.tools_per_set, rng), len(catalogue.tools))
    while len(chosen) < size:
        kind = rng.random()
        near, linked = recipe.near_share, recipe.near_share + recipe.linked_share
        wanted = catalogue.topics[first.topic] if kind < near else catalogue.linked(first) if kind < linked else ()
        tool = _other(wanted, chosen, rng) or _other(catalogue.tools, chosen, rng)
        if tool is None:
            break
        chosen[tool.name] = tool
    offered = list(chosen.values())
    rng.shuffle(offered)
    return tuple(offered)


def _other(candidates: Sequence[Tool], chosen: Mapping[str, Tool], rng: random.Random) -> Tool | None:
    """One that is not chosen yet, if a fair number of draws finds any."""
    for _ in range(_TRIES if candidates else 0):
        tool = rng.choice(candidates)
        if tool.name not in chosen:
            return tool
    return None


def _has_strangers(offered: Sequence[Tool], catalogue: Catalogue) -> bool:
    return len({tool.topic for tool in offered}) < len(catalogue.topics)


def _stranger(offered: Sequence[Tool], catalogue: Catalogue, recipe: DataRecipe, rng: random.Random) -> Tool:
    """A tool that is not on offer, to write a query for that is to be refused."""
    if recipe.near_strangers and rng.random() < recipe.near_strangers:
        shown, names = rng.choice(offered), {tool.name for tool in offered}
        topic = catalogue.topics[shown.topic]
        others = [tool for tool in topic if tool.name not in names and not _COMPARISON.match(tool.description)]
        near = catalogue.likest(shown, rng.sample(others, min(len(others), _NEAR_DRAWS)))
        if near is not None:
            return near
    topics = {tool.topic for tool in offered}
    for _ in range(_TRIES):
        tool = rng.choice(catalogue.tools)
        if tool.topic not in topics:
            return tool
    return rng.choice([tool for tool in catalogue.tools if tool.topic not in topics])


def _style(shares: Mapping[Style, float], offered: Sequence[Tool], catalogue: Catalogue, rng: random.Random) -> Style:
    """A style this tool set can carry, by the recipe's weights."""
    allowed = {
        style: share
        for style, share in shares.items()
        if len(offered) >= MIN_TOOLS[style]
        and not (style == "simple" and len(offered) > 1)
        and not (style == "irrelevance" and not _has_strangers(offered, catalogue))
        and not (style == "missing-parameter" and not any(tool.required for tool in offered))
    }
    if not any(allowed.values()):
        raise InputError(f"no style of the recipe fits {len(offered)} offered tools; widen 'styles' or 'tools_per_set'")
    return _weighted(allowed, rng)


def _choose_examples(
    examples: Sequence[Trajectory], offered: Sequence[Tool], wanted: int, rng: random.Random
) -> tuple[Trajectory, ...]:
    """A few examples on other tools, of as many styles as possible."""
    names = {tool.name for tool in offered}
    chosen: list[Trajectory] = []
    for example in rng.sample(examples, min(len(examples), 8 * wanted)):
        if len(chosen) == wanted:
            break
        known = {one.style for one in chosen}
        if names.isdisjoint(tool.name for tool in example.tools) and example.style not in known:
            chosen.append(example)
    return tuple(chosen)
