"""Plans and drafts: styles keep their promise, and a draft depends on recipe, pool and place alone."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Style, Tool, Trajectory
from data_pipeline.generate.grammar import GrammarGenerator
from data_pipeline.generate.plan import Plan
from data_pipeline.generate.sampler import Catalogue, plan_shard
from data_pipeline.recipe import DataRecipe, Grammar

PLAIN = Grammar(typos=0, in_words=0, distractors=0)


def plans(pool: list[Tool], shard: int = 0, examples: Sequence[Trajectory] = (), **changes: Any) -> list[Plan]:
    return list(plan_shard(DataRecipe(**changes), Catalogue.of(pool), shard, examples))


def drafts(pool: list[Tool], shard: int = 0, **changes: Any) -> list[Trajectory]:
    generator = GrammarGenerator(PLAIN, 0.35)
    return [draft for plan in plans(pool, shard, **changes) for draft in generator.write(plan)]


def named_pool(sources: int, tools: int) -> list[Tool]:
    """Tools whose name and description hold one word of their own, so that a query tells who is asked."""
    names = [(f"s{source}", f"zeb{source}x{tool}ra") for source in range(sources) for tool in range(tools)]
    parameters = {"properties": {"a": {"type": "integer"}}, "required": ["a"]}
    return [
        Tool(name=name, description=f"Find the {name}.", parameters=parameters, source=source) for source, name in names
    ]


def test_calls_are_of_offered_tools_and_tools_are_offered_once(pool: list[Tool]) -> None:
    for draft in drafts(pool):
        offered = [tool.name for tool in draft.tools]
        assert len(set(offered)) == len(offered)
        assert {call.name for call in draft.calls} <= set(offered)


def test_ids_name_shard_tool_set_and_query(pool: list[Tool]) -> None:
    found = drafts(pool, shard=7, tool_sets_per_shard=2, queries_per_tool_set=2)
    assert [draft.id for draft in found] == ["0007-0000-00", "0007-0000-01", "0007-0001-00", "0007-0001-01"]


def test_queries_of_a_set_share_their_tools(pool: list[Tool]) -> None:
    found = drafts(pool, tool_sets_per_shard=3, queries_per_tool_set=5)
    assert [found[i].tools == found[i + 4].tools for i in range(11)] == [i % 5 == 0 for i in range(11)]


def test_one_tool_is_never_asked_in_the_styles_of_several(pool: list[Tool]) -> None:
    styles = {draft.style for draft in drafts(pool, tools_per_set={1: 1.0})}
    assert styles == {"simple", "parallel", "irrelevance", "missing-parameter"}


def test_several_tools_are_never_simple(pool: list[Tool]) -> None:
    styles = {draft.style for draft in drafts(pool, tools_per_set={2: 0.5, 3: 0.5})}
    assert styles == {"multiple", "parallel", "parallel-multiple", "irrelevance", "missing-parameter"}


@pytest.mark.parametrize(
    ("style", "calls", "tools_called"),
    [
        ("simple", {1}, {1}),
        ("multiple", {1}, {1}),
        ("parallel", {2, 3}, {1}),
        ("parallel-multiple", {2, 3}, {2, 3}),
        ("irrelevance", {0}, {0}),
        ("missing-parameter", {0}, {0}),
    ],
)
def test_numbers_of_calls(pool: list[Tool], style: str, calls: set[int], tools_called: set[int]) -> None:
    sizes = {1: 1.0} if style == "simple" else {3: 1.0}
    found = drafts(pool, styles={style: 1.0}, tools_per_set=sizes)
    assert {draft.style for draft in found} == {style}
    assert {len(draft.calls) for draft in found} == calls
    assert {len({call.name for call in draft.calls}) for draft in found} == tools_called


def test_irrelevant_queries_ask_for_a_tool_of_no_offered_source() -> None:
    pool = named_pool(sources=4, tools=3)
    found = drafts(pool, styles={"irrelevance": 1.0})
    assert len(found) == 300
    for draft in found:
        asked = [tool for tool in pool if tool.name in draft.query.lower()]
        assert len(asked) == 1
        assert asked[0].source not in {tool.source for tool in draft.tools}


def test_some_irrelevant_queries_ask_for_a_tool_of_an_offered_source_that_is_not_on_offer() -> None:
    changes = {"styles": {"irrelevance": 1.0}, "tools_per_set": {2: 1.0}, "tool_sets_per_shard": 64}
    near = []
    for share in (0.0, 0.5, 1.0):
        made = plans(named_pool(sources=6, tools=4), near_strangers=share, **changes)
        asked = [(stranger, plan.tools) for plan in made for stranger in plan.strangers]
        assert all(stranger.name not in {tool.name for tool in tools} for stranger, tools in asked)
        near.append(sum(s.source in {tool.source for tool in tools} for s, tools in asked) / len(asked))
    assert near[0] == 0
    assert 0.3 < near[1] < 0.7
    assert near[2] == 1


def test_a_near_stranger_is_like_a_tool_on_offer_and_not_answered_by_it() -> None:
    things = ("hotel", "flight", "table", "court", "taxi", "ticket")
    described = [(f"{deed}_{thing}", f"{deed.title()} a {thing}.") for thing in things for deed in ("book", "cancel")]
    described += [(f"compare_{thing}", f"Compares several {thing}s to book or cancel.") for thing in things]
    pool = [Tool(name=name, description=text, parameters={}, source="trips") for name, text in described]
    changes = {"styles": {"irrelevance": 1.0}, "tools_per_set": {1: 1.0}, "tool_sets_per_shard": 100}
    asked = [
        (plan.tools[0].name.split("_"), stranger.name.split("_"))
        for plan in plans([*pool, *named_pool(1, 1)], near_strangers=1.0, **changes)
        for stranger in plan.strangers
        if plan.tools[0].source == stranger.source
    ]
    assert len(asked) > 500
    assert {stranger[0] for _, stranger in asked} == {"book", "cancel"}
    same = sum(offered[1] == stranger[1] for offered, stranger in asked if offered[0] != "compare")
    # Six of eleven are drawn, so 55 % have the same thing among them; any one drawn would be it in 9 %.
    assert same / sum(offered[0] != "compare" for offered, _ in asked) > 0.3


def test_other_queries_ask_for_exactly_the_called_tools() -> None:
    pool = named_pool(sources=2, tools=3)
    shares = {"multiple": 1.0, "parallel": 1.0, "parallel-multiple": 1.0}
    for draft in drafts(pool, styles=shares, tools_per_set={3: 1.0}):
        query = draft.query.lower()
        assert {tool.name for tool in pool if tool.name in query} == {call.name for call in draft.calls}


def test_style_shares_follow_the_weights(pool: list[Tool]) -> None:
    shares = {"multiple": 0.5, "parallel": 0.3, "irrelevance": 0.2}
    found = drafts(pool, styles=shares, tools_per_set={3: 1.0}, tool_sets_per_shard=100)
    counts = Counter(draft.style for draft in found)
    # Of 1,200 drafts; three standard deviations are at most 52.
    assert {style: abs(counts[style] - 1200 * share) < 52 for style, share in shares.items()} == dict.fromkeys(
        shares, True
    )


def test_every_tool_is_offered_within_one_round(pool: list[Tool]) -> None:
    found = drafts(pool, tool_sets_per_shard=len(pool), queries_per_tool_set=1)
    assert {tool.name for draft in found for tool in draft.tools} == {tool.name for tool in pool}


def test_shards_together_deal_every_tool_once_a_round() -> None:
    pool = named_pool(sources=4, tools=3)
    alone = {"tools_per_set": {1: 1.0}, "tool_sets_per_shard": 8, "queries_per_tool_set": 1}
    offered = [draft.tools[0].name for shard in range(3) for draft in drafts(pool, shard=shard, **alone)]
    assert Counter(offered) == dict.fromkeys((tool.name for tool in pool), 2)


def test_half_of_the_companions_come_from_the_same_source() -> None:
    pool = named_pool(sources=20, tools=5)
    found = drafts(pool, tools_per_set={2: 1.0}, tool_sets_per_shard=600, queries_per_tool_set=1, linked_share=0)
    same = sum(len({tool.source for tool in draft.tools}) == 1 for draft in found)
    # One in two, and 4 of the 99 others by chance: 312 of 600 within three standard deviations.
    assert 275 < same < 349


def test_a_shard_is_the_same_alone_or_after_others(pool: list[Tool]) -> None:
    alone = drafts(pool, shard=3, tool_sets_per_shard=5)
    after_others = [drafts(pool, shard=shard, tool_sets_per_shard=5) for shard in range(4)]
    assert alone == after_others[3]
    assert [len(shard) for shard in after_others] == [60] * 4
    assert len({draft.query for shard in after_others for draft in shard}) > 235


def test_more_tool_sets_leave_the_first_as_they_were(pool: list[Tool]) -> None:
    assert drafts(pool, tool_sets_per_shard=6)[:24] == drafts(pool, tool_sets_per_shard=2)


def test_another_seed_gives_other_queries(pool: list[Tool]) -> None:
    one, other = ({draft.query for draft in drafts(pool, seed=seed)} for seed in (1, 2))
    assert len(one & other) <= 3


def test_queries_vary(pool: list[Tool]) -> None:
    queries = [draft.query for shard in range(2) for draft in drafts(pool, shard=shard)]
    assert len(queries) == 600
    assert len(set(queries)) >= 0.99 * len(queries)
    assert len({" ".join(query.split()[:3]) for query in queries}) >= 150


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(InputError, match="'tools' minus 'without' is empty"):
        drafts([])


def test_a_weight_of_a_category_is_how_often_its_tools_lead() -> None:
    pool = named_pool(sources=2, tools=4)
    alone = {"tools_per_set": {1: 1.0}, "tool_sets_per_shard": 36, "queries_per_tool_set": 1}
    found = [plan for shard in range(2) for plan in plans(pool, shard, category_mix={"s0": 2.5, "s1": 2.0}, **alone)]
    # Two rounds of 18: a tool of weight 2.5 leads two times in the first and three in the second.
    leads = Counter(plan.tools[0].name for plan in found)
    assert leads == {tool.name: 10 if tool.source == "s0" else 8 for tool in pool}


def test_a_weight_of_zero_takes_a_category_out() -> None:
    pool = named_pool(sources=2, tools=2)
    found = plans(pool, tools_per_set={1: 1.0}, category_mix={"s0": 0}, styles={"simple": 1.0})
    assert {plan.tools[0].source for plan in found} == {"s1"}
    with pytest.raises(InputError, match="category_mix: no tool is left"):
        plans(pool, category_mix={"s0": 0, "s1": 0})


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ({"s0": 1, "s00": 2}, "no tool of the recipe is of the category 's00'; did you mean 's0'?"),
        ({"s0": 1, "s1": -0.5}, "'s1' weighs -0.5; give a number from 0 up"),
        ({"s0": float("nan")}, "'s0' weighs nan; give a number from 0 up"),
        ({"s0": float("inf")}, "'s0' weighs inf; give a number from 0 up"),
    ],
)
def test_a_mix_of_unknown_categories_or_weights_is_refused(mix: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"category_mix: {message}")):
        plans(named_pool(sources=2, tools=2), category_mix=mix)


def linked_pool() -> list[Tool]:
    """One tool gives a `parcel_id`, one takes it, 30 have nothing to do with it."""
    returns = {"type": "object", "properties": {"parcel_id": {"type": "string"}}}
    takes = {"properties": {"parcel_id": {"type": "string"}}, "required": ["parcel_id"]}
    send, track = named_pool(sources=2, tools=1)
    send = send.model_copy(update={"name": "send", "source": "a", "returns": returns})
    track = track.model_copy(update={"name": "track", "source": "b", "parameters": takes})
    return [send, track, *named_pool(sources=30, tools=1)]


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 8, 8), (0.0, 0, 3)])
def test_companions_may_be_linked_by_what_a_tool_returns(share: float, least: int, most: int) -> None:
    changes = {"tools_per_set": {2: 1.0}, "tool_sets_per_shard": 128, "near_share": 0.0, "linked_share": share}
    together = [plan for plan in plans(linked_pool(), **changes) if {t.name for t in plan.tools} == {"send", "track"}]
    assert least <= len(together) <= most


def test_personas_and_locales_are_drawn_from_the_recipe(pool: list[Tool]) -> None:
    found = plans(pool, personas=["a baker", "a pilot"], locales=["en-GB", "en-US"], tool_sets_per_shard=40)
    assert {plan.persona for plan in found} == {"a baker", "a pilot"}
    assert {plan.locale for plan in found} == {"en-GB", "en-US"}
    assert {plan.persona for plan in plans(pool)} == {""}


def example(tool: Tool, style: Style) -> Trajectory:
    return Trajectory(id="x", style=style, tools=(tool,), messages=(Message(role="user", content=style),))


def test_examples_are_of_other_tools_and_of_different_styles() -> None:
    pool = named_pool(sources=2, tools=2)
    styles: tuple[Style, ...] = ("simple", "parallel", "irrelevance")
    shown = [example(tool, style) for tool in pool for style in styles]
    for plan in plans(pool, examples=shown, tools_per_set={2: 1.0}, examples_per_prompt=2):
        assert len({one.style for one in plan.examples}) == 2
        assert {one.tools[0].name for one in plan.examples}.isdisjoint(tool.name for tool in plan.tools)
    assert all(plan.examples == () for plan in plans(pool, examples=shown, examples_per_prompt=0))


@pytest.mark.parametrize("style", ["multiple", "parallel-multiple", "irrelevance"])
def test_a_pool_that_no_style_fits_is_refused(style: str) -> None:
    with pytest.raises(InputError, match="no style of the recipe fits 1 offered tools; widen 'styles'"):
        drafts(named_pool(1, 1), styles={style: 1.0})


def test_sets_are_no_larger_than_the_pool() -> None:
    found = drafts(named_pool(1, 2), tools_per_set={4: 1.0})
    assert {len(draft.tools) for draft in found} == {2}
