"""Queries: every value is in them, in sentences, by one grammar for all tools."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data_pipeline import generate
from data_pipeline.core.schema import Tool, ToolCall
from data_pipeline.core.seeding import stream
from data_pipeline.generate.grammar import LINKS, REPEATS, goal, write_query
from data_pipeline.generate.values import sample_arguments

LOAN = Tool(
    name="loan_payment",
    description="Calculate the monthly payment of a loan. Interest compounds.",
    parameters={"properties": {"principal": {"type": "integer"}, "bank": {"type": "string"}}},
)
CONVERT = Tool(
    name="convert_length",
    description="Convert a length.",
    parameters={"properties": {"length_m": {"type": "integer"}}},
)
CLOCK = Tool(name="read_clock", description="", parameters={"type": "object", "properties": {}})


def call(tool: Tool, **arguments: Any) -> tuple[Tool, ToolCall]:
    return tool, ToolCall(name=tool.name, arguments=arguments)


def queries(*calls: tuple[Tool, ToolCall], count: int = 200) -> list[str]:
    return [write_query(calls, stream(seed)) for seed in range(count)]


def test_a_goal_is_the_description_in_other_words_or_the_name() -> None:
    rest = "the monthly payment of a loan"
    verbs = ("calculate", "compute", "work out", "figure out")
    found = {goal(LOAN, stream(seed)) for seed in range(100)}
    assert found == {"loan payment", *(f"{verb} {rest}" for verb in verbs)}


@pytest.mark.parametrize(
    ("name", "description", "expected"),
    [
        ("get_user-infoById", "", {"get user info by id"}),
        ("scan", "Scan.", {"scan"}),
        ("x", "DNA is matched! Slowly.", {"x", "DNA is matched"}),
        ("y", "Ping version 1.2 hosts", {"y", "ping version 1.2 hosts"}),
    ],
)
def test_goals_of_sparse_descriptions(name: str, description: str, expected: set[str]) -> None:
    tool = Tool(name=name, description=description, parameters={})
    assert {goal(tool, stream(seed)) for seed in range(60)} == expected


def test_only_a_thing_to_be_found_is_asked_for_with_what() -> None:
    what = re.compile(r"\b[Ww]hat (is|would be) ")
    asked = [query for query in queries(call(LOAN, principal=500)) if what.search(query)]
    assert asked
    assert all("the monthly payment of a loan" in query for query in asked)
    assert not any(what.search(query) for query in queries(call(CONVERT, length_m=5)))


def test_a_call_without_arguments_is_only_its_goal() -> None:
    assert all(re.search(r"[Rr]ead clock\.", query) for query in queries(call(CLOCK)))


def test_requests_follow_the_order_of_the_calls() -> None:
    links = "|".join(LINKS)
    for query in queries(call(LOAN, principal=500), call(CONVERT, length_m=77)):
        assert re.search(rf"500.* ({links}).*77 (m|meters)\b", query), query


def test_calls_of_one_tool_are_one_request() -> None:
    repeats = "|".join(repeat.split("{}")[0] for repeat in REPEATS)
    for query in queries(call(CONVERT, length_m=31), call(CONVERT, length_m=77)):
        assert re.search(rf"for each of these: .*31 .*; .*77 |31 .*({repeats}).*77 ", query), query


def scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, dict)):
        for nested in value.values() if isinstance(value, dict) else value:
            yield from scalars(nested)
    elif not isinstance(value, bool):
        yield value


def test_every_value_stands_in_the_query_of_every_bundled_tool(pool: list[Tool]) -> None:
    missing = []
    for tool in pool:
        for seed in range(8):
            rng = stream(seed, tool.name)
            arguments = sample_arguments(tool.parameters, rng, 0.5)
            query = write_query([call(tool, **arguments)], rng)
            text = query.replace(",", "").replace("_", " ").lower()
            wanted = (str(value).replace(",", "").replace("_", " ").lower() for value in scalars(arguments))
            missing += [(tool.name, value, query) for value in wanted if value not in text]
    assert missing == []


def test_queries_of_every_bundled_tool_are_sentences(pool: list[Tool]) -> None:
    for tool in pool:
        for seed in range(5):
            rng = stream(seed, tool.name)
            calls = [call(tool, **sample_arguments(tool.parameters, rng, 0.5)) for _ in range(1 + seed % 2)]
            query = write_query(calls, rng)
            assert re.fullmatch(r"[^a-z\s].*[.!?]", query), query
            # Values may hold what they like; the grammar adds no double space and no empty place.
            assert not re.search(r"  | [.,;?]|\{\}|\bNone\b", query), query


def test_a_bare_foreign_schema_is_enough() -> None:
    properties = {"maxItems": {"type": "int"}, "opts": {"type": "dict"}, "tags": {"type": ["null", "array"]}, "q": {}}
    tool = Tool(name="searchWeb", description="", parameters={"properties": properties, "required": ["maxItems", "q"]})
    for seed in range(50):
        rng = stream(seed)
        arguments = sample_arguments(tool.parameters, rng, 0.5)
        query = write_query([call(tool, **arguments)], rng)
        assert "search web" in query.lower()
        assert str(arguments["maxItems"]) in query
        assert arguments["q"] in query


def test_no_bundled_tool_is_known_to_the_generator(pool: list[Tool]) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(generate.__path__[0]).glob("*.py"))
    assert [tool.name for tool in pool if tool.name in source] == []
    assert [tool.name for tool in pool if tool.description.rstrip(".") in source] == []
