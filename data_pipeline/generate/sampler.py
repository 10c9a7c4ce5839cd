"""Drafts of samples: which tools are offered, which are called with what, and the query that asks for it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from typing import TypeVar

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Style, Tool, ToolCall, Trajectory
from data_pipeline.core.seeding import stream
from data_pipeline.generate.grammar import write_query
from data_pipeline.generate.values import sample_arguments
from data_pipeline.recipe import DataRecipe

T = TypeVar("T")
MIN_TOOLS: dict[Style, int] = {
    "simple": 1,
    "multiple": 2,
    "parallel": 1,
    "parallel-multiple": 2,
    "irrelevance": 1,
}


def draft_shard(recipe: DataRecipe, pool: Sequence[Tool], shard: int) -> Iterator[Trajectory]:
    """The unchecked samples of one shard; they depend on (recipe, pool, shard) alone.

    Raises:
        InputError: the pool is too small for the recipe.
    """
    if not pool:
        raise InputError("no tools to sample from: 'tools' minus 'without' is empty")
    deck = islice(_deal(pool, recipe.seed), shard * recipe.tool_sets_per_shard, None)
    for index in range(recipe.tool_sets_per_shard):
        rng = stream(recipe.seed, "shard", shard, "set", index)
        offered = _tool_set(next(deck), pool, recipe.tools_per_set, rng)
        for number in range(recipe.queries_per_tool_set):
            style = _style(recipe.styles, offered, pool, rng)
            yield _draft(f"{shard:04d}-{index:04d}-{number:02d}", style, offered, pool, recipe, rng)


def _deal(pool: Sequence[Tool], seed: int) -> Iterator[Tool]:
    """Shuffled rounds through the pool, of which shards take consecutive parts: each tool leads equally often."""
    for number in count():
        yield from stream(seed, "deck", number).sample(pool, len(pool))


def _weighted(shares: Mapping[T, float], rng: random.Random) -> T:
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def _tool_set(first: Tool, pool: Sequence[Tool], sizes: Mapping[int, float], rng: random.Random) -> tuple[Tool, ...]:
    """`first` and companions, half of them on its own topic so that telling them apart takes reading."""
    chosen = [first]
    size = _weighted(sizes, rng)
    while len(chosen) < min(size, len(pool)):
        rest = [tool for tool in pool if tool not in chosen]
        near = [tool for tool in rest if tool.topic == first.topic]
        chosen.append(rng.choice(near if near and rng.random() < 0.5 else rest))
    rng.shuffle(chosen)
    return tuple(chosen)


def _strangers(offered: Sequence[Tool], pool: Sequence[Tool]) -> list[Tool]:
    topics = {tool.topic for tool in offered}
    return [tool for tool in pool if tool.topic not in topics]


def _style(shares: Mapping[Style, float], offered: Sequence[Tool], pool: Sequence[Tool], rng: random.Random) -> Style:
    """A style this tool set can carry, by the recipe's weights."""
    allowed = {
        style: share
        for style, share in shares.items()
        if len(offered) >= MIN_TOOLS[style]
        and not (style == "simple" and len(offered) > 1)
        and not (style == "irrelevance" and not _strangers(offered, pool))
    }
    if not any(allowed.values()):
        raise InputError(f"no style of the recipe fits {len(offered)} offered tools; widen 'styles' or 'tools_per_set'")
    return _weighted(allowed, rng)


def _draft(
    sample_id: str,
    style: Style,
    offered: tuple[Tool, ...],
    pool: Sequence[Tool],
    recipe: DataRecipe,
    rng: random.Random,
) -> Trajectory:
    refuse = style == "irrelevance"
    asked = [rng.choice(_strangers(offered, pool))] if refuse else _called_tools(style, offered, rng)
    calls = [
        (
            tool,
            ToolCall(name=tool.name, arguments=sample_arguments(tool.parameters, rng, recipe.optional_share)),
        )
        for tool in asked
    ]
    answer = () if refuse else tuple(call for _, call in calls)
    messages = (
        Message(role="user", content=write_query(calls, rng)),
        Message(role="assistant", tool_calls=answer),
    )
    return Trajectory(id=sample_id, style=style, tools=offered, messages=messages)


def _called_tools(style: Style, offered: Sequence[Tool], rng: random.Random) -> list[Tool]:
    """The tools to call, in order; repeated where one is called several times."""
    if style == "parallel":
        return [rng.choice(offered)] * rng.choice((2, 2, 2, 3))
    if style == "parallel-multiple":
        tools = rng.sample(offered, min(len(offered), rng.choice((2, 2, 2, 3))))
        return tools + ([tools[-1]] if len(tools) == 2 and rng.random() < 0.2 else [])
    return [rng.choice(offered)]
