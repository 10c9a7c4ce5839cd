"""Quantities in another unit than a parameter's, and numbers that no call uses."""

from __future__ import annotations

from typing import Any

import pytest

from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.verify.grounding import ungrounded
from data_pipeline.verify.query_facts import read_facts
from data_pipeline.verify.semantic import check_semantic


@pytest.mark.parametrize(
    ("query", "name", "value", "stated"),
    [
        ("park for 2 hours", "duration_minutes", 120, True),
        ("park for 2 hours", "duration_hours", 2, True),
        ("park for 2 hours", "duration_hours", 120, False),
        ("park for 2 hours", "hours", 120, False),
        ("park for 2 hours", "duration_minutes", 2, False),
        ("park for 2 hours", "count", 120, False),
        ("park for 2 hours", "count", 2, True),
        ("park for an hour and a half", "duration_minutes", 90, True),
        ("park for an hour and a half", "duration_minutes", 95, False),
        ("park for 1 hour and 30 minutes", "duration_minutes", 90, True),
        ("park for 1 hour and 30 minutes", "duration_minutes", 91, False),
        ("run 1.5 km", "distance_m", 1500, True),
        ("run 1.5 km", "distance_m", 150, False),
        ("a 5 pound bag", "weight_kg", 5, False),
        ("3 weeks away", "days", 21, True),
        ("for 2 litres", "volume_ml", 2000, True),
        ("2 hours for 3 people", "wait_minutes", 3, True),
        ("a week", "elapsed_days", 7, True),
        ("twice a week", "elapsed_days", 7, False),
        ("walk twenty minutes", "duration_minutes", 20, True),
        ("walk twenty minutes", "duration_minutes", 2, False),
    ],
)
def test_a_number_in_the_unit_of_the_parameter(query: str, name: str, value: float, stated: bool) -> None:
    assert (not list(ungrounded(name, value, {}, read_facts(query)))) is stated


def test_the_description_may_say_the_unit() -> None:
    schema = {"description": "How long, in minutes"}
    assert not list(ungrounded("duration", 120, schema, read_facts("for 2 hours")))
    assert list(ungrounded("duration", 120, {"description": "How long"}, read_facts("for 2 hours")))


def test_units_inside_lists_and_objects() -> None:
    schema = {"items": {"properties": {"distance_m": {"type": "number"}}}}
    assert not list(ungrounded("legs", [{"distance_m": 1500}], schema, read_facts("a leg of 1.5 km")))


@pytest.mark.parametrize(
    ("query", "value", "choices", "stated"),
    [
        ("pay in Canadian dollars", "CAD", ["CAD", "EUR"], True),
        ("pay in yuan", "CNY", ["CNY", "EUR"], True),
        ("pay 5 francs", "EUR", ["CHF", "EUR"], False),
        ("fly premium economy", "economy", ["economy", "premium_economy"], False),
        ("economy, not premium economy", "economy", ["economy", "premium_economy"], True),
        ("a b+ grade", "B+", ["A", "B+", "B"], True),
        ("a grade of B+", "A", ["A", "A-", "B+"], False),
        ("3 square metres", "square_metre", ["square_metre", "acre"], True),
    ],
)
def test_choices(query: str, value: str, choices: list[str], stated: bool) -> None:
    assert (not list(ungrounded("x", value, {"enum": choices}, read_facts(query)))) is stated


PARK = Tool(
    name="book_parking",
    description="Book a parking place.",
    parameters={
        "type": "object",
        "properties": {
            "duration_minutes": {"type": "integer"},
            "floor": {"type": "integer", "default": 0},
            "discount_percent": {"type": "number"},
        },
        "required": ["duration_minutes"],
    },
)


def _reason(query: str, **arguments: Any) -> str:
    call = ToolCall(name=PARK.name, arguments=arguments)
    messages = (Message(role="user", content=query), Message(role="assistant", tool_calls=(call,)))
    return check_semantic(Trajectory(id="1", style="simple", tools=(PARK,), messages=messages)).reason


@pytest.mark.parametrize(
    "query",
    [
        "Book parking for 2 hours.",
        "Book parking for 1 hour and 60 minutes.",
        "I have 3 cats, by the way. Book parking for 120 minutes.",
        "Book parking for 120 minutes. My sister just turned forty-six.",
        "Book parking for 120 minutes, and I have 3 cats.",
        "Book parking for 120 minutes (we have 3 cats, just so you know).",
        "I spent $20 on lunch. Book parking for 120 minutes.",
        "Book praking for 120 minutes.",
    ],
)
def test_asides_and_conversions_pass(query: str) -> None:
    assert _reason(query, duration_minutes=120) == "ok"


@pytest.mark.parametrize(
    "query",
    [
        "Book parking for 120 minutes on floor 3.",
        "Book parking for 120 minutes. The floor is 3.",
        "Book parking for 120 minutes. Make it 3.",
        "Book parking for 120 minutes. 3 cats.",
        "Book parking for 120 minutes, 3 people.",
        "Book parking for 120 minutes with my 3 cats.",
        "Book parking for 120 minutes. I have a coupon of 15%.",
        "Book parking for 120 minutes. I have 3 hours.",
        "Book parking for 120 minutes with twenty percent off.",
        "I have 3 cats and want parking for 120 minutes.",
    ],
)
def test_other_numbers_do_not(query: str) -> None:
    assert _reason(query, duration_minutes=120) == "unused_number"


def test_an_aside_states_no_more_than_it_says() -> None:
    assert (
        _reason("Book parking for 120 minutes. I have 3 cats.", duration_minutes=120, floor=4) == "value_not_grounded"
    )
    assert _reason("Book parking for 90 minutes.", duration_minutes=120) == "value_not_grounded"


@pytest.mark.parametrize(("query", "value"), [("pay 55,000", 0), ("at noon", 0), ("at 2 pm", 0), ("[100,200]", 0)])
def test_zeros_that_nobody_said(query: str, value: float) -> None:
    assert list(ungrounded("penalty", value, {}, read_facts(query)))


@pytest.mark.parametrize(
    ("query", "value", "stated"),
    [
        ("ignore case: yes. No rush.", True, True),
        ("ignore case. No rush.", False, False),
        ("I'd just like to compare these instead", False, False),
        ("also compare these", True, False),
        ("ignore case: no", True, False),
        ("first ignore case, then ignore case: no", True, True),
        ("first ignore case, then ignore case: no", False, True),
        ("do not ignore case", False, True),
        ("do not ignore case", True, False),
    ],
)
def test_flags_among_pleasantries(query: str, value: bool, stated: bool) -> None:
    assert (not list(ungrounded("ignore_case", value, {"type": "boolean"}, read_facts(query)))) is stated


def test_a_misspelt_value_is_not_stated() -> None:
    schema: dict[str, Any] = {"type": "string"}
    assert list(ungrounded("city", "Berlin", schema, read_facts("weather in Brelin")))
