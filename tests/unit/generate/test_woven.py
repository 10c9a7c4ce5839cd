"""Requests with the values woven into the goal."""

from typing import Any

import pytest

from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.core.seeding import stream
from data_pipeline.generate.requests import Call, write_query
from data_pipeline.generate.voice import Voice
from data_pipeline.generate.wording import Wording
from data_pipeline.verify.semantic import check_semantic

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
WHOLE = {"type": "integer"}


def tool(name: str, description: str, **properties: Any) -> Tool:
    return Tool(name=name, description=description, parameters={"type": "object", "properties": properties})


WEATHER = tool(
    "get_weather", "Get the weather for a city.", city=TEXT, date=TEXT, unit={"enum": ["celsius", "fahrenheit"]}
)
CIRCLE = tool(
    "circle_area", "Calculate the area of a circle.", radius={**NUMBER, "description": "Radius of the circle"}
)
EXCHANGE = tool(
    "convert_currency",
    "Convert an amount of money from one currency to another.",
    amount=NUMBER, from_currency=TEXT, to_currency=TEXT,
)  # fmt: skip
LOAN = tool(
    "loan_payment", "Calculate the monthly payment of a loan.",
    loan_amount=NUMBER, interest_rate_percent=NUMBER, term_years=WHOLE,
)  # fmt: skip
PARCEL = tool(
    "parcel_price", "Calculate the price of a parcel.",
    weight_kg={**NUMBER, "description": "Weight of the parcel"}, length_cm={**NUMBER, "description": "Of the parcel"},
    include_tax={"type": "boolean"}, fragile={"type": "boolean"},
)  # fmt: skip
STAY = tool(
    "parking_fee", "Get the fee of a parking space.",
    stay={**NUMBER, "description": "Length of the stay in minutes"}, covered={"type": "boolean"},
)  # fmt: skip
NOTE = tool("translate_text", "Translate a text to another language.", text=TEXT, language=TEXT)


def woven(one: Tool, arguments: dict[str, Any], rest: str | None = None) -> set[str]:
    """All ways, as far as 200 voices find them."""
    wording = Wording(one)
    goal = wording.goals[0].rest if rest is None else rest
    return {wording.weaver.woven(goal, arguments, Voice(stream(seed), wide=True)) for seed in range(200)}


@pytest.mark.parametrize(
    ("one", "arguments", "said"),
    [
        (WEATHER, {"city": "Oslo", "date": "2026-05-03", "unit": "celsius"},
         "the weather for Oslo on 2026-05-03 in Celsius"),
        (WEATHER, {"date": "2026-05-03"}, "the weather for a city on 2026-05-03"),
        (CIRCLE, {"radius": 5}, "the area of a circle with a radius of 5"),
        (CIRCLE, {"radius": 5}, "the area of a circle whose radius is 5"),
        (EXCHANGE, {"amount": 250, "from_currency": "USD", "to_currency": "EUR"}, "250 USD to EUR"),
        (LOAN, {"loan_amount": 20, "interest_rate_percent": 4.5, "term_years": 5},
         "the monthly payment of a loan of 20 at 4.5% over 5 years"),
        (PARCEL, {"weight_kg": 3, "length_cm": 20, "include_tax": True, "fragile": False},
         "the price of a parcel weighing 3 kg and 20 cm long including tax (not fragile)"),
        (STAY, {"stay": 45}, "the fee of a parking space with a stay of 45 minutes"),
        (NOTE, {"text": "Well met", "language": "Greek"}, 'this text to Greek: "Well met"'),
    ],
)  # fmt: skip
def test_values_are_said_as_people_say_them(one: Tool, arguments: dict[str, Any], said: str) -> None:
    assert said in woven(one, arguments)


@pytest.mark.parametrize(
    ("parameter", "schema", "said"),
    [
        ("symbol", {**TEXT, "description": "Ticker symbol of the stock"}, "the stock "),
        ("location", {**TEXT, "description": "The place to look in"}, "the city "),
        ("holder", {**TEXT, "description": "The account's name"}, "the account "),
    ],
)
def test_a_goal_may_call_a_parameter_by_what_its_value_is(parameter: str, schema: dict[str, Any], said: str) -> None:
    noun = said.split()[-1]
    one = tool("look_up", f"Get the history of a {noun}.", **{parameter: schema})
    for found in woven(one, {parameter: "Lima"}):
        assert f"a {noun}" not in found
        assert "Lima" in found


def test_a_goal_that_two_parameters_could_be_meant_by_keeps_its_noun() -> None:
    names = {name: {**TEXT, "description": "Name of the city"} for name in ("home", "work")}
    for found in woven(tool("look_up", "Get the history of a city.", **names), {"home": "Lima", "work": "Oslo"}):
        assert "the history of a city" in found


def test_what_stands_before_a_dot_is_no_part_of_the_goal() -> None:
    assert Wording(tool("sports.get_batting_average", "", hits=WHOLE)).name_goal == (("get",), "batting average")


def test_a_parameter_without_a_role_is_named_behind_the_others() -> None:
    shop = tool("find_shops", "Find shops.", city=TEXT, radius=NUMBER, stars=WHOLE, tags={"type": "array"})
    said = woven(shop, {"tags": ["open", "new"], "radius": 5, "city": "Oslo", "stars": 1})
    assert "shops in Oslo with 1 star, a radius of 5 and the tags open and new" in said
    assert all(text.index("Oslo") < text.index("radius") < text.index("open") for text in said)


def test_objects_and_empty_values_do_not_fit_a_sentence() -> None:
    weaver = Wording(PARCEL).weaver
    assert weaver.fits({"weight_kg": 3})
    for value in ({"a": 1}, [], [{"a": 1}], "", None, [""]):
        assert not weaver.fits({"weight_kg": value})
    assert not weaver.fits({"unknown": 1})


def queries(calls: list[Call], count: int = 400) -> set[str]:
    return {write_query(calls, Voice(stream(seed), wide=True)) for seed in range(count)}


def test_calls_that_differ_in_one_value_list_it_in_place() -> None:
    wording = Wording(WEATHER)
    found = queries([(wording, {"city": city, "unit": "celsius"}) for city in ("Oslo", "Lima", "Cork")])
    assert any("weather for Oslo, Lima and Cork in Celsius" in query for query in found)
    pair = queries([(wording, {"city": city}) for city in ("Oslo", "Lima")])
    assert any("weather for both Oslo and Lima" in query for query in pair)


def test_calls_that_differ_in_more_are_said_one_by_one_with_what_they_share_once() -> None:
    wording = Wording(LOAN)
    calls = [(wording, {"interest_rate_percent": 4, "loan_amount": n, "term_years": y}) for n, y in ((20, 5), (30, 7))]
    found = queries(calls, 1500)
    assert any("payment of a loan of 20 at 4% over 5 years, and also " in query for query in found)
    assert any(query.count("4%") == 1 and "first" in query and ", then " in query for query in found)


def test_what_only_the_first_call_holds_is_not_said_for_all() -> None:
    wording = Wording(WEATHER)
    found = queries([(wording, {"city": "Oslo", "unit": "celsius"}), (wording, {"city": "Lima"})])
    assert not any("weather for Oslo in Celsius, and also" in query for query in found)
    assert any("once in Oslo in Celsius and once in Lima" in query for query in found)


def test_numbers_are_listed_without_both() -> None:
    wording = Wording(LOAN)
    found = queries([(wording, {"term_years": years}) for years in (5, 7)])
    assert any("over 5 years and 7 years" in query for query in found)
    assert not any(" both " in query for query in found)


def test_switches_alone_stand_without_brackets() -> None:
    wording = Wording(STAY)
    found = queries([(wording, {"stay": 45, "covered": covered}) for covered in (True, False)])
    assert any("once covered and once not covered" in query for query in found)


def test_two_goals_are_joined_in_one_sentence() -> None:
    found = queries([(Wording(CIRCLE), {"radius": 5}), (Wording(WEATHER), {"city": "Oslo"})])
    assert any("area of a circle with a radius of 5 and " in query and "weather for Oslo" in query for query in found)
    assert any(", then " in query for query in found)


def test_nobody_needs_to_give_himself_something() -> None:
    found = queries([(Wording(WEATHER), {"city": "Oslo"})])
    clean = [query for query in found if query.endswith(("give me the weather for Oslo.", "for Oslo", "for Oslo?"))]
    assert clean
    assert not [query for query in clean if query.startswith(("I need to give", "I want to give", "Help me give"))]


@pytest.mark.parametrize("one", [WEATHER, CIRCLE, EXCHANGE, LOAN, PARCEL, STAY, NOTE])
def test_every_woven_query_states_what_its_call_holds(one: Tool) -> None:
    wording = Wording(one)
    for seed in range(150):
        rng = stream(seed, "draw")
        arguments = wording.field.draw_object(rng, 0.7)
        call = ToolCall(name=one.name, arguments=arguments)
        voice = Voice(rng, in_words=0.3, wide=True)
        verb, rest = wording.order(voice)
        query = f"{verb} {wording.weaver.woven(rest, arguments, voice)}"
        messages = (Message(role="user", content=query), Message(role="assistant", tool_calls=(call,)))
        verdict = check_semantic(Trajectory(id="a", style="simple", tools=(one,), messages=messages))
        assert verdict.passed, (query, arguments, verdict.detail)


@pytest.mark.parametrize("description", ["Whether to list every step", "List every step too", "List every step."])
def test_a_switch_is_said_in_the_words_of_its_description(description: str) -> None:
    shown = {"type": "boolean", "description": description}
    solve = tool("solve", "Solve an equation.", detailed=shown)
    assert woven(solve, {"detailed": True}) == {"an equation, and list every step"}
    assert woven(solve, {"detailed": False}) == {"an equation, but don't list every step"}


def test_a_catalogue_verb_comes_first() -> None:
    assert Wording(tool("books_series_get", "", id=TEXT)).name_goal == (("get",), "books series")
    assert Wording(tool("get_user_list", "", id=TEXT)).name_goal == (("get",), "user list")
