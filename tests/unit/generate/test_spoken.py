"""What is said in words keeps the exact value, also for the checks that read it."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.core.seeding import stream
from data_pipeline.generate.phrases import Phrase
from data_pipeline.generate.spoken import (
    date_spoken,
    number_spoken,
    number_words,
    ordinal_digits,
    ordinal_words,
    time_spoken,
    unit_spoken,
)
from data_pipeline.generate.units import UNITS, british, singular
from data_pipeline.generate.values import Field
from data_pipeline.generate.voice import Voice
from data_pipeline.verify.semantic import check_semantic


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "zero"),
        (12, "twelve"),
        (21, "twenty-one"),
        (100, "one hundred"),
        (250, "two hundred and fifty"),
        (1000, "one thousand"),
        (1250, "one thousand two hundred and fifty"),
        (12_050, "twelve thousand and fifty"),
    ],
)
def test_numbers_in_words(value: int, words: str) -> None:
    assert number_words(value) == words


@pytest.mark.parametrize(
    ("value", "words", "digits"),
    [
        (1, "first", "1st"),
        (3, "third", "3rd"),
        (11, "eleventh", "11th"),
        (20, "twentieth", "20th"),
        (22, "twenty-second", "22nd"),
    ],
)
def test_ordinals(value: int, words: str, digits: str) -> None:
    assert ordinal_words(value) == words
    assert ordinal_digits(value) == digits


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (12, {"a dozen", "twelve"}),
        (0.5, {"half"}),
        (2.5, {"two and a half"}),
        (2500, {"2.5k", "two thousand five hundred"}),
        (1_500_000, {"1.5 million"}),
        (2024, {None}),
        (-3, {None}),
        (137, {None}),
        (3.7, {None}),
    ],
)
def test_numbers_as_people_say_them(value: float, said: set[str | None]) -> None:
    assert {number_spoken(value, stream(seed)) for seed in range(50)} == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (60, "minutes", {"an hour"}),
        (90, "minutes", {"an hour and a half"}),
        (150, "minutes", {"two and a half hours"}),
        (120, "minutes", {"2 hours"}),
        (45, "minutes", {None}),
        (14, "days", {"2 weeks"}),
        (10, "days", {None}),
        (6.7, "hours", {None}),
        (1500, "m", {"1.5 km", None}),
        (750, "g", {None}),
        (1500, "ml", {"a liter and a half"}),
        (5, "hectares", {None}),
        (0, "minutes", {None}),
    ],
)
def test_amounts_in_another_unit_are_exact(value: float, unit: str, said: set[str | None]) -> None:
    assert {unit_spoken(value, unit, stream(seed)) for seed in range(50)} == said


@given(day=st.dates(date(1950, 1, 1), date(2050, 12, 31)), is_british=st.booleans(), seed=st.integers(0, 20))
def test_dates_keep_day_month_and_year(day: date, is_british: bool, seed: int) -> None:
    said = date_spoken(day.isoformat(), is_british, stream(seed))
    assert said is not None
    assert str(day.year) in said
    assert day.strftime("%B") in said
    assert re.search(rf"\b{day.day}(st|nd|rd|th)?\b|\b{ordinal_words(day.day)}\b", said)


@pytest.mark.parametrize("text", ["2026-13-03", "03.04.2026", "2026-02", "tomorrow"])
def test_what_is_no_date_is_left_alone(text: str) -> None:
    assert date_spoken(text, False, stream(1)) is None


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("14:30", {"2:30 pm", "half past two in the afternoon"}),
        ("08:45", {"8:45 am", "quarter to nine in the morning"}),
        ("12:00", {"noon", "12 pm"}),
        ("00:00", {"midnight", "12 am"}),
        ("21:15", {"9:15 pm", "quarter past nine at night"}),
        ("23:45", {"11:45 pm", "quarter to twelve at night"}),
        ("07:07", {"7:07 am"}),
        ("25:00", {None}),
        ("7:07", {None}),
    ],
)
def test_times_as_people_say_them(time: str, said: set[str | None]) -> None:
    assert {time_spoken(time, stream(seed)) for seed in range(60)} == said


@pytest.mark.parametrize(
    ("form", "one"),
    [("hours", "hour"), ("feet", "foot"), ("square meters", "square meter"), ("kg", "kg"), ("knots", "knots")],
)
def test_one_of_a_unit(form: str, one: str) -> None:
    assert singular(form) == one


def test_british_units_are_spelled_so() -> None:
    assert british("5 kilometers and a liter") == "5 kilometres and a litre"
    assert Voice(stream(1), british=True).amount(3, UNITS["liters"]) == "3 litres"


SPOKEN = [
    ("duration_minutes", {"type": "integer"}, (60, 90, 120, 45, 150)),
    ("distance_m", {"type": "integer"}, (1500, 3000, 250)),
    ("weight_kg", {"type": "number"}, (2, 2.5, 70)),
    ("days", {"type": "integer"}, (14, 21, 10)),
    ("party_size", {"type": "integer"}, (12, 25, 6)),
    ("budget_usd", {"type": "number"}, (2500, 40, 1_500_000)),
    ("tip_percent", {"type": "number"}, (5, 12.5)),
    ("visit_date", {"type": "string", "format": "date"}, ("2026-03-03", "2027-11-22")),
    ("start_time", {"type": "string"}, ("14:30", "09:15", "20:45", "12:00")),
    ("currency", {"type": "string", "enum": ["EUR", "USD", "GBP"]}, ("EUR", "USD")),
]


@pytest.mark.parametrize(("name", "schema", "values"), SPOKEN)
@pytest.mark.parametrize("is_british", [False, True])
def test_every_spoken_value_is_grounded(
    name: str, schema: dict[str, object], values: tuple[object, ...], is_british: bool
) -> None:
    tool = Tool(
        name="book_trip", description="Book a trip.", parameters={"type": "object", "properties": {name: schema}}
    )
    phrase = Phrase(Field(name, schema))
    wrong = []
    for value in values:
        for seed in range(40):
            said = phrase.argument(value, Voice(stream(seed), 1.0, is_british, wide=True))
            query = f"Please book a trip with {said}."
            call = ToolCall.model_validate({"name": "book_trip", "arguments": {name: value}})
            messages = (Message(role="user", content=query), Message(role="assistant", tool_calls=(call,)))
            verdict = check_semantic(Trajectory(id="x", style="simple", tools=(tool,), messages=messages))
            wrong += [] if verdict.passed else [(query, verdict.detail)]
    assert wrong == []
