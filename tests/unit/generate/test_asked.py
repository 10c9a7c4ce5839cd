"""Queries made from a tool's own example queries."""

import re
from typing import Any

import pytest

from data_pipeline.core.queries import KEYWORD, example_queries, renamed, without_options
from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.core.seeding import stream
from data_pipeline.generate.requests import Call, write_query
from data_pipeline.generate.units import UNIT_BEHIND
from data_pipeline.generate.voice import Voice
from data_pipeline.generate.wording import Wording
from data_pipeline.verify.semantic import check_semantic

TEXT = {"type": "string"}


def tool(name: str, description: str, queries: object, **properties: Any) -> Tool:
    schema = {"type": "object", "properties": properties, "x-queries": queries}
    return Tool(name=name, description=description, parameters=schema)


ROUTE = tool(
    "route_distance",
    "Get the distance between two cities.",
    ["How far is it from {start} to {end}[ by {mode}][?tolls: on toll roads]?"],
    start=TEXT, end=TEXT, mode={"enum": ["car", "train"]}, tolls={"type": "boolean"}, stops={"type": "integer"},
)  # fmt: skip
CONE = tool(
    "cone_volume",
    "Calculate the volume of a cone.",
    ["A cone is {height_cm} tall and its radius is {radius}. What does it hold?"],
    height_cm={"type": "number"}, radius={"type": "number"},
)  # fmt: skip
PLUGS = tool("travel_plugs", "Get the plugs of a country.", ["Which plugs do they use in {country}?"], country=TEXT)


def queries(*calls: tuple[Tool, dict[str, Any]], count: int = 60) -> set[str]:
    known = {each.name: Wording(each) for each, _ in calls}
    made: list[Call] = [(known[each.name], arguments) for each, arguments in calls]
    return {write_query(made, Voice(stream(seed), wide=True, own_queries=1.0)) for seed in range(count)}


def test_brackets_are_said_if_given() -> None:
    near = {"start": "Oslo", "end": "Bergen"}
    assert {re.sub("[\"']", "", query) for query in queries((ROUTE, near))} == {"How far is it from Oslo to Bergen?"}
    assert any(query.endswith(" by car?") for query in queries((ROUTE, {**near, "mode": "car"})))
    assert all(query.endswith(" on toll roads?") for query in queries((ROUTE, {**near, "tolls": True})))


def test_what_has_no_place_follows() -> None:
    for query in queries((ROUTE, {"start": "Oslo", "end": "Bergen", "tolls": False, "stops": 3})):
        assert query.endswith("?")
        assert "on toll roads" not in query
        assert "toll" in query.partition("Bergen")[2]
        assert "3" in query


def test_a_unit_is_said_with_the_value() -> None:
    assert any("is 9 cm tall" in query for query in queries((CONE, {"height_cm": 9, "radius": 4})))
    bare = tool("f", "Do it.", ["A {height_cm#} centimeter cone"], height_cm={"type": "number"})
    assert queries((bare, {"height_cm": 9})) == {"A 9 centimeter cone"}


def test_one_value_of_several_calls_is_listed() -> None:
    calls = [(PLUGS, {"country": name}) for name in ("Peru", "Chile", "Cuba")]
    assert "Which plugs do they use in Peru, Chile and Cuba?" in queries(*calls)
    bare = tool("f", "Do it.", ["A {height_cm#} centimeter cone"], height_cm={"type": "number"})
    assert queries((bare, {"height_cm": 9}), (bare, {"height_cm": 12})) == {
        "A 9 centimeter cone. A 12 centimeter cone",
        "A 9 centimeter cone, and 12 centimeter",
        "A 9 centimeter cone And 12 centimeter.",
    }


def test_values_are_not_listed_where_they_would_run_into_others() -> None:
    """'133 and 108 and 27' has three pairs, 'a frame of 8 cm and 7 cm by 9 cm' is one frame."""
    number = {"type": "number"}
    pair = tool("f", "Do it.", ["Do {a} and {b} share a factor?"], a=number, b=number)
    assert all(query.count("share") == 2 for query in queries((pair, {"a": 4, "b": 6}), (pair, {"a": 9, "b": 6})))
    orbit = tool("f", "Do it.", ["How long is a year at {au} AU of {star}?"], au=number, star=TEXT)
    assert any(
        "at 3, 4 and 5 AU" in query for query in queries(*[(orbit, {"au": n, "star": "Vega"}) for n in (3, 4, 5)])
    )
    hall = tool("f", "Do it.", ["Heat a room of {length} for {hours} hours"], length=number, hours=number)
    calls = [(hall, {"length": length, "hours": 2}) for length in (8, 9)]
    assert not any("8 and 9" in query for query in queries(*calls))


def test_a_second_value_is_not_added_where_it_could_be_another() -> None:
    """Behind 'the first sample is A, the second B, and C' nobody knows which one C replaces."""
    lists = {"type": "array", "items": {"type": "number"}}
    pair = tool(
        "f", "Do it.", ["What covariance do {one}, the first, and {two}, the second, have?"], one=lists, two=lists
    )
    calls = [(pair, {"one": [1, 2], "two": [3, 4]}), (pair, {"one": [5, 6], "two": [3, 4]})]
    assert all(query.count("covariance") == 2 for query in queries(*calls))


def test_a_further_call_keeps_the_unit() -> None:
    number = {"type": "number"}
    wind = tool("f", "Do it.", ["How cold is it at {c} degrees with wind at {speed#} km/h?"], c=number, speed=number)
    calls = [(wind, {"c": 4, "speed": 9}), (wind, {"c": 4, "speed": 12})]
    assert "How cold is it at 4 degrees with wind at 9 km/h, and at 12 km/h?" in queries(*calls)


def test_sentences_of_several_calls_differ_in_their_words() -> None:
    two = tool("f", "Do it.", ["Sun in {a}, please", "Is it sunny in {a}?"], a={"enum": ["x", "y"]}, b=TEXT)
    calls = [(two, {"a": "x"}), (two, {"a": "y", "b": "z"})]
    assert all(("please" in query) and ("sunny" in query) for query in queries(*calls))


@pytest.mark.parametrize("description", ["Weight in kilograms", "How heavy it is, in kg"])
def test_a_unit_that_only_the_description_tells_is_said(description: str) -> None:
    weigh = tool("f", "Do it.", ["What does {m} need?"], m={"type": "number", "description": description})
    assert queries((weigh, {"m": 9})) <= {"What does 9 kg need?", "What does 9 kilograms need?"}


def test_several_values_are_said_call_by_call() -> None:
    calls = [(ROUTE, {"start": a, "end": b}) for a, b in (("Oslo", "Rome"), ("Rome", "Bari"), ("Bari", "Oslo"))]
    made = queries(*calls, count=300)
    assert "How far is it from Oslo to Rome, and from Rome to Bari, and from Bari to Oslo?" in made
    assert "How far is it from Oslo to Rome? And from Rome to Bari? And from Bari to Oslo?" in made
    again = [f"How far is it from {a} to {b}?" for a, b in (("Oslo", "Rome"), ("Rome", "Bari"), ("Bari", "Oslo"))]
    assert " ".join(again) in made


def test_arguments_of_one_call_alone_are_not_left_to_the_first() -> None:
    """Behind 'by train', what follows would be by train, too."""
    calls = [(ROUTE, {"start": "Oslo", "end": "Rome", "mode": "train"}), (ROUTE, {"start": "Rome", "end": "Bari"})]
    assert all(query.count("How far is it") == 2 for query in queries(*calls))


def test_several_tools_share_a_query() -> None:
    made = queries((PLUGS, {"country": "Peru"}), (CONE, {"height_cm": 9, "radius": 4}), count=200)
    assert all(query.index("plugs") < query.index("tall") for query in made)
    assert any("Also, a cone is 9 cm tall" in query for query in made)


def test_a_sentence_ends_before_the_next() -> None:
    bare = tool("f", "Do it.", ["Weather in {city} on {day}"], city=TEXT, day=TEXT)
    calls = [(bare, {"city": "Oslo", "day": "3 May"}), (bare, {"city": "Rome", "day": "4 May"})]
    made = {re.sub("[\"']", "", query) for query in queries(*calls)}
    assert "Weather in Oslo on 3 May. Weather in Rome on 4 May" in made
    assert "Weather in Oslo on 3 May, and in Rome on 4 May" in made


def test_a_call_without_what_they_need_is_said_otherwise() -> None:
    assert all("How far is it" not in query for query in queries((ROUTE, {"start": "Oslo"})))


def test_one_is_not_in_the_tools_own_words_at_share_0() -> None:
    made: list[Call] = [(Wording(PLUGS), {"country": "Peru"})]
    said = {write_query(made, Voice(stream(seed), wide=True, own_queries=0.0)) for seed in range(60)}
    assert not any(query.startswith("Which plugs do they use") for query in said)


@pytest.mark.parametrize("told", [None, "one", [1, None], ["{nowhere}"], ["Go[?nothing: on]"], [""]])
def test_what_is_no_example_query_is_left_out(told: object) -> None:
    assert example_queries({"properties": {"city": TEXT}, "x-queries": told}) == ()


def test_templates_take_other_names() -> None:
    query = "Go to {a}[ by {b#}][?c: at night]"
    assert renamed(query, str.upper) == "Go to {A}[ by {B#}][?C: at night]"
    assert without_options(query, {"a", "c"}) == "Go to {a}[?c: at night]"


def test_the_check_agrees() -> None:
    arguments = {"start": "Oslo", "end": "Bergen", "mode": "train", "tolls": True, "stops": 3}
    for number, query in enumerate(sorted(queries((ROUTE, arguments)))):
        messages = (
            Message(role="user", content=query),
            Message(role="assistant", tool_calls=(ToolCall(name=ROUTE.name, arguments=arguments),)),
        )
        verdict = check_semantic(Trajectory(id=str(number), style="simple", tools=(ROUTE,), messages=messages))
        assert verdict.passed, (query, verdict)


def test_a_query_in_other_words_than_the_tools_serves_it_if_it_is_one_of_its_own() -> None:
    told = ["Who came up with {thing}?"]
    own = tool("find_inventor", "Get the inventor.", told, thing=TEXT)
    bare = tool("find_inventor", "Get the inventor.", [], thing=TEXT)
    verdicts = []
    for one, query in (
        (own, "Who came up with velcro?"),
        (bare, "Who came up with velcro?"),
        (own, "Who sells velcro?"),
    ):
        messages = (
            Message(role="user", content=query),
            Message(role="assistant", tool_calls=(ToolCall(name=one.name, arguments={"thing": "velcro"}),)),
        )
        verdicts.append(check_semantic(Trajectory(id="0", style="simple", tools=(one,), messages=messages)).reason)
    assert verdicts[1:] == ["call_not_served"] * 2
    assert verdicts[0] != "call_not_served"


def test_dates_are_oftener_in_words_than_numbers_and_money_has_a_sign_outside_plain_requests() -> None:
    event = tool(
        "f", "Do it.", ["Pay {price_usd} on {day}"], price_usd={"type": "integer"}, day={**TEXT, "format": "date"}
    )
    calls: list[Call] = [(Wording(event), {"price_usd": 1450, "day": "2025-03-14"})]

    def said(wide: bool) -> list[str]:
        return [write_query(calls, Voice(stream(n), 0.1, wide=wide, own_queries=1.0)) for n in range(300)]

    assert 0.3 < sum("2025-03-14" not in query for query in said(wide=True)) / 300 < 0.5
    assert sum("$1,450" in query for query in said(wide=True)) / 300 > 0.25
    assert not any("$1,450" in query for query in said(wide=False))


def test_bundled_tools_have_four_queries_that_say_what_is_required(pool: list[Tool]) -> None:
    for one in pool:
        read = example_queries(one.parameters)
        assert len(read) == len(one.parameters[KEYWORD]) == 4, one.name
        said = frozenset[str]().union(*(piece.needs | {piece.switch} for query in read for piece in query.pieces))
        assert one.parameters["properties"].keys() <= said, one.name
        assert all({*one.parameters.get("required", ())} <= query.needs for query in read), one.name


def test_bundled_queries_say_no_unit_twice(pool: list[Tool]) -> None:
    """'{altitude_m} meters' would be '300 meters meters'."""
    for one in pool:
        wording = Wording(one)
        with_unit = {name for name, phrase in wording.phrases.items() if phrase.unit} | {*wording.weaver.told_units}
        for query in one.parameters[KEYWORD]:
            twice = [slot[1] for slot in re.finditer(r"\{([^{}#]+)\}", query) if UNIT_BEHIND.match(query, slot.end())]
            assert with_unit.isdisjoint(twice), query
