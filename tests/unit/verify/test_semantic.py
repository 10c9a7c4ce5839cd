"""The third check: what counts as stated, and each reason for a drop."""

from __future__ import annotations

from typing import Any

import pytest

from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.verify.grounding import ungrounded
from data_pipeline.verify.query_facts import read_facts
from data_pipeline.verify.semantic import SEMANTIC_REASONS, check_semantic
from data_pipeline.verify.words import same_word


def _grounded(query: str, value: Any, name: str = "value", **schema: Any) -> bool:
    return not list(ungrounded(name, value, schema, read_facts(query)))


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("pay 1,250 now", 1250),
        ("pay $1250.00 now", 1250),
        ("pay 1250 now", 1250.0),
        ("a rate of 5%", 5),
        ("a rate of 5 percent", 0.05),
        ("around 20k people", 20000),
        ("1.5 million users", 1_500_000),
        ("twelve eggs", 12),
        ("a dozen eggs", 12),
        ("half of it", 0.5),
        ("3/4 of a cup", 0.75),
        ("twenty-five guests", 25),
        ("two hundred and fifty people", 250),
        ("it is -5 outside", -5),
        ("minus 5 degrees", -5),
        ("3 days before", -3),
        ("values [100,200]", 200),
        ("a 5kg bag", 5),
        ("in March 2026", 3),
        ("1e-5 moles", 1e-5),
    ],
)
def test_numbers_by_value(query: str, value: float) -> None:
    assert _grounded(query, value)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("pay 1,250 now", 125),
        ("room 12", 2),
        ("it is -5 outside", 5),
        ("it is 5 outside", -5),
        ("2.5 litres", 5),
        ("hello", 0),
        ("two three four", 5),
        ("version v2.5", 25),
    ],
)
def test_other_numbers_are_not_stated(query: str, value: float) -> None:
    assert not _grounded(query, value)


@pytest.mark.parametrize(
    "query",
    [
        "on 2026-03-03",
        "on 3 March 2026",
        "on 3rd of March, 2026",
        "on March 3, 2026",
        "on March 3rd 2026",
        "on Mar. 3, 2026",
        "on 03/03/2026",
        "on 3.3.2026",
    ],
)
def test_dates_in_any_notation(query: str) -> None:
    assert _grounded(query, "2026-03-03")
    assert not _grounded(query, "2026-03-04")


def test_a_date_needs_its_year() -> None:
    assert not _grounded("on March 3", "2026-03-03")
    assert _grounded("in March 2026", "2026-03")


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("at 2:30 pm", "14:30"),
        ("at 2:30 p.m. sharp", "14:30"),
        ("at 9 am", "09:00"),
        ("at 9:00", "09:00"),
        ("at noon", "12:00"),
        ("at midnight", "00:00"),
        ("on 3 March 2026 at 2pm", "2026-03-03T14:00"),
    ],
)
def test_times_in_any_notation(query: str, value: str) -> None:
    assert _grounded(query, value)


def test_another_time_is_not_stated() -> None:
    assert not _grounded("at 2:30 pm", "02:30")


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("weather in new york", "New York"),
        ("the New-York office", "new_york"),
        ("say 'Hello, World!' twice", "Hello World"),
        ("red, green and blue", "red, green, blue"),
        ("three apples", "apple"),
        ("Anna's birthday", "Anna"),
        ("mail a.b+c@example.com", "a.b+c@example.com"),
        ("東京の天気", "東京"),
        ("join with ->", "->"),
    ],
)
def test_text_by_its_words(query: str, value: str) -> None:
    assert _grounded(query, value)


@pytest.mark.parametrize(
    ("query", "value"),
    [("the category", "cat"), ("weather in York", "New York"), ("Paris please", "Paris, France"), ("x", "")],
)
def test_other_text_is_not_stated(query: str, value: str) -> None:
    assert not _grounded(query, value)


@pytest.mark.parametrize(
    ("query", "value", "choices", "stated"),
    [
        ("fly premium economy", "premium_economy", ["economy", "premium_economy"], True),
        ("I went for a run", "running", ["running", "walking"], True),
        ("5 kilometres", "km", ["km", "miles"], True),
        ("costs 5 dollars", "USD", ["USD", "EUR"], True),
        ("costs €5", "EUR", ["USD", "EUR"], True),
        ("costs €5", "USD", ["USD", "EUR"], False),
        ("convert to camelCase", "camelCase", ["camelCase", "snake_case"], True),
        ("a grade of B+", "B+", ["A", "B+", "B"], True),
        ("a grade of B+", "B", ["A", "B+", "B"], False),
        ("parents aa and AA", "Aa", ["AA", "Aa", "aa"], False),
        ("twice a month", "weekly", ["weekly", "monthly"], False),
        ("whatever", "only", ["only"], True),
    ],
)
def test_choices(query: str, value: str, choices: list[str], stated: bool) -> None:
    assert _grounded(query, value, enum=choices) is stated


@pytest.mark.parametrize(
    ("query", "value", "stated"),
    [
        ("a round trip to Rome", True, True),
        ("to Rome", True, False),
        ("to Rome, not a round trip", False, True),
        ("to Rome, not a round trip", True, False),
        ("a round trip to Rome", False, False),
        ("to Rome", False, False),
        ("to Rome, I don't come back", False, True),
        ("round trip: yes", True, True),
    ],
)
def test_flags(query: str, value: bool, stated: bool) -> None:
    assert _grounded(query, value, name="round_trip", type="boolean") is stated


def test_places_inside_lists_and_objects_are_named() -> None:
    schema = {"items": {"properties": {"name": {"type": "string"}, "price": {"type": "number"}}}}
    value = [{"name": "tea", "price": 3}, {"name": "milk", "price": 4}]
    missing = list(ungrounded("items", value, schema, read_facts("tea for 3 and milk")))
    assert missing == [("items[1].price", 4)]


def test_keys_of_an_open_object_are_values_too() -> None:
    assert list(ungrounded("m", {"a1": 3}, {}, read_facts("just 3"))) == [("m.a1", "a1")]


@pytest.mark.parametrize("value", [[], {}, None])
def test_empty_values_need_a_word_of_refusal(value: Any) -> None:
    assert not _grounded("plan it", value)
    assert _grounded("plan it without extras", value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("convert", "conversion", True),
        ("city", "cities", True),
        ("run", "running", True),
        ("payment", "pay", True),
        ("interest", "internal", False),
        ("car", "cart", True),
        ("is", "island", False),
        ("weather", "water", False),
    ],
)
def test_inflections(one: str, other: str, same: bool) -> None:
    assert same_word(one, other) is same


def _tool(name: str, description: str, **properties: Any) -> Tool:
    return Tool(name=name, description=description, parameters={"type": "object", "properties": properties})


TIP = _tool(
    "calculate_tip",
    "Calculate the tip on a restaurant bill.",
    bill={"type": "number"},
    percent={"type": "number", "default": 15},
)
TAX = _tool("estimate_tax", "Estimate the sales tax of a purchase.", amount={"type": "number"})
PING = _tool("ping_host", "Ping a host.", times={"type": "integer"})


def _sample(query: str, *calls: tuple[str, dict[str, Any]]) -> Trajectory:
    answer = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in calls)
    messages = (Message(role="user", content=query), Message(role="assistant", tool_calls=answer))
    return Trajectory(id="1", style="multiple", tools=(TIP, TAX, PING), messages=messages)


@pytest.mark.parametrize(
    "sample",
    [
        _sample("What tip for a bill of $80?", ("calculate_tip", {"bill": 80})),
        _sample("Tips for an 80 dollar bill at 20%?", ("calculate_tip", {"bill": 80, "percent": 20})),
        _sample("Tip on 80 at 15 percent?", ("calculate_tip", {"bill": 80})),
        _sample("2 tips: on 80 and on 90", ("calculate_tip", {"bill": 80}), ("calculate_tip", {"bill": 90})),
        _sample("Book a table on 3 March 2026 and tip on 80", ("calculate_tip", {"bill": 80})),
        _sample("Translate this sentence"),
    ],
)
def test_good_samples_pass(sample: Trajectory) -> None:
    verdict = check_semantic(sample)
    assert (verdict.stage, verdict.passed, verdict.reason) == ("semantic", True, "ok")


@pytest.mark.parametrize(
    ("sample", "reason", "detail"),
    [
        (
            _sample("What tip for a bill of $80?", ("calculate_tip", {"bill": 90})),
            "value_not_grounded",
            "calculate_tip.bill=90",
        ),
        (
            _sample("What tip for a bill of $80?", ("calculate_tip", {"bill": 80, "percent": 15})),
            "value_not_grounded",
            "calculate_tip.percent=15",
        ),
        (_sample("Sales tax of 80?", ("calculate_tip", {"bill": 80})), "wrong_tool", "'estimate_tax'"),
        (_sample("Sing 3 songs", ("ping_host", {"times": 3})), "call_not_served", "'ping_host'"),
        (_sample("A tip of 20% on 80?", ("calculate_tip", {"bill": 80})), "unused_number", "'20%'"),
        (_sample("Please calculate the tip"), "answerable", "'calculate_tip'"),
        (_sample("Sail away", ("sail", {})), "unknown_tool", "'sail'"),
    ],
)
def test_broken_samples_are_dropped_with_the_reason(sample: Trajectory, reason: str, detail: str) -> None:
    verdict = check_semantic(sample)
    assert not verdict.passed
    assert verdict.reason == reason
    assert reason in SEMANTIC_REASONS
    assert detail in verdict.detail


def test_the_same_sample_gets_the_same_verdict() -> None:
    sample = _sample("Sales tax of 80?", ("calculate_tip", {"bill": 80}))
    assert check_semantic(sample) == check_semantic(sample)


@pytest.mark.parametrize("value", [10**400, -(10**400), float("nan"), "m²", "²", "\x00", "1" * 400, "٣"])
@pytest.mark.parametrize("query", ["", "5 m² on 31/02/2026 at 99:99", "9" * 400, "99999999-99-99 1/0 ½ ٣ 1e999"])
def test_odd_values_and_queries_never_raise(query: str, value: Any) -> None:
    assert check_semantic(_sample(query, ("calculate_tip", {"bill": value}))).stage == "semantic"
    _grounded(query, value, enum=[value, "m³", "x"])
