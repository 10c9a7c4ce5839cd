"""Numbers, dates and times in the notations people use."""

from __future__ import annotations

import time

import pytest

from data_pipeline.verify.query_facts import read_facts
from data_pipeline.verify.units import UNITS, unit_of


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("twenty-five guests", {25}),
        ("twenty, five and six", {20, 5, 6, 25}),
        ("two three four", {2, 3, 4}),
        ("two hundred and fifty", {250, 200, 50}),
        ("twenty thousand five hundred", {20_500}),
        ("one hundred, fifty and twenty", {150, 100, 50, 20}),
        ("two hundred and fifty thousand, twenty-one", {250_021, 200, 249_821, 250_000, 21}),
        ("one and a half cups", {1.5}),
        ("2 and a half cups", {2, 2.5}),
        ("2 1/2 cups", {2.5}),
        ("two point five", {2.5}),
        ("three quarters", {0.75}),
        ("a dozen eggs", {12}),
        ("two dozen eggs", {24}),
        ("half a dozen eggs", {6}),
        ("half a million people", {500_000}),
        ("a hundred euros", {100}),
        ("2.5k", {2.5, 2500}),
        ("five percent", {5, 0.05}),
        ("twenty per cent", {20, 0.2}),
        ("the twenty-first", {21}),
        ("the thirteenth", {13}),
        ("5 m/s and 6 m²", {5, 6}),
        ("the oneness of attention in Kitten Tenerife", set()),
        ("m² and ² alone", set()),
    ],
)
def test_numbers(text: str, numbers: set[float]) -> None:
    assert read_facts(text).plain == numbers


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("for 2 hours", 2, "hour"),
        ("1.5km away", 1.5, "km"),
        ("two-hour talk", 2, "hour"),
        ("an hour and a half", 1.5, "hour"),
        ("two hours and a half", 2.5, "hour"),
        ("2 and a half hours", 2.5, "hour"),
        ("half an hour", 0.5, "hour"),
        ("three quarters of an hour", 0.75, "hour"),
        ("set to a week", 1, "week"),
        ("1 hour and 30 minutes", 90, "minute"),
        ("an hour and fifteen minutes, 5 km", 75, "minute"),
    ],
)
def test_quantities(text: str, value: float, unit: str) -> None:
    assert (value, UNITS[unit]) in [(found.value, found.unit) for found in read_facts(text).quantities]


@pytest.mark.parametrize(
    "text", ["three times a week", "$30 an hour", "once an hour", "5 km per hour", "two cups a day"]
)
def test_a_rate_is_no_duration(text: str) -> None:
    assert not read_facts(text).quantities


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("the third of March 2026", {"2026-03-03"}),
        ("March third, 2026", {"2026-03-03"}),
        ("twenty-third of March 2026", {"2026-03-23"}),
        ("March 3rd, 2026", {"2026-03-03"}),
        ("my third coffee in May", set()),
    ],
)
def test_dates(text: str, dates: set[str]) -> None:
    assert read_facts(text).dates == dates


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("half past two", {"02:30", "14:30"}),
        ("half past two in the afternoon", {"14:30"}),
        ("quarter past nine", {"09:15", "21:15"}),
        ("quarter to nine in the evening", {"20:45"}),
        ("quarter to one in the afternoon", {"12:45"}),
        ("half past twelve at night", {"00:30"}),
        ("2:30 in the afternoon", {"14:30"}),
        ("nine o'clock", {"09:00", "21:00"}),
        ("two pm", {"14:00"}),
        ("at 9 tonight", {"21:00"}),
        ("12 am", {"00:00"}),
        ("from five to nine people", set()),
        ("56.55, night price 3", set()),
        ("2 a meal", set()),
    ],
)
def test_times(text: str, times: set[str]) -> None:
    assert read_facts(text).times == times


@pytest.mark.parametrize(
    ("name", "description", "unit"),
    [
        ("duration_minutes", "", "minute"),
        ("distance_m", "", "m"),
        ("m", "Slope", None),
        ("duration", "How long, in minutes; an hour is 60", "minute"),
        ("interval", "Hours between feeds", "hour"),
        ("price_per_kg", "", None),
        ("area_square_metres", "", None),
        ("speed", "Speed in km/h", None),
        ("start", "From hours or minutes", None),
        ("count", "How many", None),
    ],
)
def test_unit_of_a_parameter(name: str, description: str, unit: str | None) -> None:
    assert unit_of(name, description) == (UNITS[unit] if unit else None)


@pytest.mark.parametrize(
    "piece",
    [
        *("1", "1,", "1 hour ", "an hour and a half ", "twenty-", "two hundred and ", "two  million  "),
        *("march 1 ", "12:30 in the ", "a'"),
    ],
)
def test_long_texts_take_linear_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    read_facts(text)
    assert time.process_time() - began < 1
