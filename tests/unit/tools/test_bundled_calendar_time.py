from __future__ import annotations

import pytest

from data_pipeline.tools.bundled import calendar_time as tools


def test_add_business_days() -> None:
    # 2024-07-03 is a Wednesday.
    assert tools.add_business_days("2024-07-03", 3) == "2024-07-08"
    assert tools.add_business_days("2024-07-03", 3, holidays=["2024-07-04", "2024-07-06"]) == "2024-07-09"
    assert tools.add_business_days("2024-07-08", -1) == "2024-07-05"
    assert tools.add_business_days("2024-07-06", 0) == "2024-07-06"
    assert tools.add_business_days("2024-01-01", 5000) == "2043-03-02"  # 1000 weeks
    with pytest.raises(ValueError, match="between -5000 and 5000"):
        tools.add_business_days("2024-07-03", 5001)


@pytest.mark.parametrize("bad", ["2023-02-29", "03/07/2024", "soon"])
def test_wrong_dates_are_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="not a date as YYYY-MM-DD"):
        tools.add_business_days(bad, 1)


def test_dates_at_the_end_of_the_calendar_are_refused() -> None:
    with pytest.raises(ValueError, match="between 1600 and 9000"):
        tools.list_recurring_dates("9999-12-31", "daily")


def test_measure_date_span() -> None:
    expected = {"years": 3, "months": 11, "days": 19, "total_days": 1451}
    assert tools.measure_date_span("2020-03-15", "2024-03-05") == expected
    assert tools.measure_date_span("2024-03-05", "2020-03-15") == expected
    whole = tools.measure_date_span("2024-01-01", "2024-12-31", include_last_day=True)
    assert whole == {"years": 1, "months": 0, "days": 0, "total_days": 366}
    # From the last day of January to 1 March of a common year: one month (28 February) and one day.
    assert tools.measure_date_span("2023-01-31", "2023-03-01") == {
        "years": 0,
        "months": 1,
        "days": 1,
        "total_days": 29,
    }


def test_convert_utc_offset() -> None:
    assert tools.convert_utc_offset("22:15", -5, 5.5) == {"time": "08:45", "day_shift": 1}
    assert tools.convert_utc_offset("01:00", 2) == {"time": "23:00", "day_shift": -1}
    assert tools.convert_utc_offset("09:05", 1, 1) == {"time": "09:05", "day_shift": 0}
    with pytest.raises(ValueError, match="not a time as HH:MM"):
        tools.convert_utc_offset("25:00", 0)
    with pytest.raises(ValueError, match="between -12 and 14"):
        tools.convert_utc_offset("10:00", 15)


def test_list_recurring_dates() -> None:
    assert tools.list_recurring_dates("2024-01-31", "monthly", 4) == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
    ]
    assert tools.list_recurring_dates("2024-12-30", "daily", 3) == ["2024-12-30", "2024-12-31", "2025-01-01"]
    assert tools.list_recurring_dates("2024-02-20", "biweekly", 2) == ["2024-02-20", "2024-03-05"]
    assert tools.list_recurring_dates("2023-11-30", "quarterly", 2) == ["2023-11-30", "2024-02-29"]
    assert tools.list_recurring_dates("2024-02-29", "yearly", 2) == ["2024-02-29", "2025-02-28"]
    assert len(tools.list_recurring_dates("2024-02-29", "weekly")) == 5
    with pytest.raises(ValueError, match="between 1 and 366"):
        tools.list_recurring_dates("2024-01-31", "daily", 0)


def test_find_weekday_occurrence() -> None:
    assert tools.find_weekday_occurrence(2024, 11, "Thursday", "fourth") == "2024-11-28"  # Thanksgiving
    assert tools.find_weekday_occurrence(2024, 5, "Monday", "last") == "2024-05-27"  # Memorial Day
    assert tools.find_weekday_occurrence(2024, 9, "Monday") == "2024-09-02"  # Labor Day
    assert tools.find_weekday_occurrence(2024, 2, "Thursday", "last") == "2024-02-29"
    with pytest.raises(ValueError, match="month"):
        tools.find_weekday_occurrence(2024, 13, "Monday")


def test_check_schedule_conflicts() -> None:
    events: list[tools.CalendarEvent] = [
        {"title": "Lunch", "start_time": "12:00", "end_time": "13:00"},
        {"title": "Review", "start_time": "09:00", "end_time": "12:00"},
        {"title": "Call", "start_time": "10:30", "end_time": "11:00"},
    ]
    inside = {"first": "Review", "second": "Call", "conflict_minutes": 30}
    assert tools.check_schedule_conflicts(events) == [inside]
    assert tools.check_schedule_conflicts(events, buffer_minutes=15) == [
        {"first": "Review", "second": "Call", "conflict_minutes": 45},
        {"first": "Review", "second": "Lunch", "conflict_minutes": 15},
    ]
    assert tools.check_schedule_conflicts([]) == []
    with pytest.raises(ValueError, match="'Late' must end after it starts"):
        tools.check_schedule_conflicts([{"title": "Late", "start_time": "23:00", "end_time": "01:00"}])
    with pytest.raises(ValueError, match="not a time"):
        tools.check_schedule_conflicts([{"title": "Noon", "start_time": "noon", "end_time": "13:00"}])


def test_describe_calendar_date() -> None:
    # 1 January 2021 was a Friday, in week 53 of the ISO year 2020.
    assert tools.describe_calendar_date("2021-01-01") == {
        "weekday": "Friday",
        "iso_year": 2020,
        "iso_week": 53,
        "quarter": 1,
        "day_of_year": 1,
        "leap_year": False,
    }
    last = tools.describe_calendar_date("2024-12-31")
    assert (last["quarter"], last["day_of_year"], last["leap_year"]) == (4, 366, True)
