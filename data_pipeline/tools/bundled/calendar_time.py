"""Calendar and clock tools: working days, date spans, recurring dates, UTC offsets and conflicts."""

import calendar
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "add_business_days",
    "check_schedule_conflicts",
    "convert_utc_offset",
    "describe_calendar_date",
    "find_weekday_occurrence",
    "list_recurring_dates",
    "measure_date_span",
]

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class CalendarEvent(TypedDict):
    """An event within one day."""

    title: Annotated[str, Field(description="Title of the event")]
    start_time: Annotated[str, Field(description="Start as HH:MM")]
    end_time: Annotated[str, Field(description="End as HH:MM, later than the start")]


def _parse_date(text: str) -> date:
    """Return a date far enough from both ends of the calendar to count from."""
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"{text!r} is not a date as YYYY-MM-DD.") from None
    if not 1600 <= day.year <= 9000:
        raise ValueError("The year must be between 1600 and 9000.")
    return day


def _parse_minutes(text: str) -> int:
    """Return the minutes since midnight of a time as HH:MM."""
    try:
        time = datetime.strptime(text.strip(), "%H:%M")
    except ValueError:
        raise ValueError(f"{text!r} is not a time as HH:MM.") from None
    return time.hour * 60 + time.minute


def _add_months(day: date, months: int) -> date:
    """Return the day some months later, moved back to the month's last day where it is shorter."""
    years, month_index = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month_index + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def add_business_days(
    start_date: str,
    days: Annotated[int, Field(ge=-5000, le=5000)],
    holidays: list[str] | None = None,
) -> str:
    """Find the date a number of working days after or before a date.

    Queries:
        Which date is {days#} working days from {start_date}[, not counting {holidays}]?
        I'm setting a deadline {days#} business days from {start_date}[, with {holidays} off]. What date is that?
        Count {days#} workdays from {start_date}[, skipping {holidays} as well], and tell me the date.
        If I move {days#} business days from {start_date}, what date do I land on[, with {holidays} off as well]?

    Args:
        start_date: Date to count from as YYYY-MM-DD, itself not counted
        days: Number of working days to add, negative to go back
        holidays: Dates as YYYY-MM-DD to skip besides Saturdays and Sundays

    Returns:
        The resulting date as YYYY-MM-DD; the start date itself for zero days.

    Raises:
        ValueError: If a date is not valid or more than 5000 days are asked for.
    """
    if abs(days) > 5000:
        raise ValueError("days must be between -5000 and 5000.")
    current = _parse_date(start_date)
    skipped = {_parse_date(holiday) for holiday in holidays or []}
    step = timedelta(days=1 if days > 0 else -1)
    left = abs(days)
    while left:
        current += step
        if current.weekday() < 5 and current not in skipped:
            left -= 1
    return current.isoformat()


def check_schedule_conflicts(
    events: list[CalendarEvent], buffer_minutes: Annotated[int, Field(ge=0, le=240)] = 0
) -> list[dict[str, str | int]]:
    """Check which events of a day overlap or follow each other too closely.

    Queries:
        Do any of these clash[ if I want {buffer_minutes} between them]: {events}
        I've crammed a lot into the day[ and need {buffer_minutes} in between]. What overlaps in my plan: {events}
        Find the overlaps in this day's appointments[, leaving {buffer_minutes} free between them]: {events}
        Check my day for double bookings[ and gaps shorter than {buffer_minutes}]: {events}

    Args:
        events: Events of one day, in any order
        buffer_minutes: Free minutes wanted between two events

    Returns:
        The conflicting pairs, each with the minutes missing to keep the two apart.

    Raises:
        ValueError: If a time is not valid or an event does not end after its start.
    """
    spans = []
    for event in events:
        start, end = _parse_minutes(event["start_time"]), _parse_minutes(event["end_time"])
        if end <= start:
            raise ValueError(f"Event {event['title']!r} must end after it starts.")
        spans.append((start, end, event["title"]))
    spans.sort()
    conflicts: list[dict[str, str | int]] = []
    for index, (_, end, title) in enumerate(spans):
        for other_start, other_end, other in spans[index + 1 :]:
            if other_start >= end + buffer_minutes:
                break
            missing = min(end, other_end) + buffer_minutes - other_start
            conflicts.append({"first": title, "second": other, "conflict_minutes": missing})
    return conflicts


def convert_utc_offset(
    clock_time: str,
    from_offset_hours: Annotated[float, Field(ge=-12, le=14)],
    to_offset_hours: Annotated[float, Field(ge=-12, le=14)] = 0,
) -> dict[str, str | int]:
    """Convert a clock time from one UTC offset to another.

    Queries:
        If it's {clock_time} at UTC offset {from_offset_hours#}, what time is it at UTC offset {to_offset_hours#}?
        My UTC offset is {to_offset_hours#}. When is a call set for {clock_time} at UTC offset {from_offset_hours#}?
        Convert {clock_time} at UTC offset {from_offset_hours#} to plain UTC.
        Our server log says {clock_time}, on a clock at UTC offset {from_offset_hours#}. What was that in UTC?

    Args:
        clock_time: Time to convert as HH:MM
        from_offset_hours: UTC offset of the given time, such as -5 or 5.5
        to_offset_hours: UTC offset to convert to

    Returns:
        The converted time as HH:MM, and the day shift: -1 previous day, 0 same day, 1 next day.

    Raises:
        ValueError: If the time is not valid or an offset is outside -12 to 14 hours.
    """
    if not all(-12 <= offset <= 14 for offset in (from_offset_hours, to_offset_hours)):
        raise ValueError("UTC offsets must be between -12 and 14 hours.")
    minutes = _parse_minutes(clock_time) + round((to_offset_hours - from_offset_hours) * 60)
    day_shift, minutes = divmod(minutes, 24 * 60)
    return {"time": f"{minutes // 60:02d}:{minutes % 60:02d}", "day_shift": day_shift}


def describe_calendar_date(calendar_date: str) -> dict[str, str | int | bool]:
    """Get the weekday, week number, quarter and day of the year of a date.

    Queries:
        What day of the week is {calendar_date}, and which week of the year?
        I'm filing a report for {calendar_date}. Which quarter and calendar week is that?
        Tell me the weekday and the day of the year for {calendar_date}.
        Weekday, week number and quarter of {calendar_date}?

    Args:
        calendar_date: Date to look up as YYYY-MM-DD

    Returns:
        The weekday, ISO 8601 year and week, quarter, day of the year, and whether it is a leap year.

    Raises:
        ValueError: If the date is not valid.
    """
    day = _parse_date(calendar_date)
    iso_year, iso_week, iso_weekday = day.isocalendar()
    return {
        "weekday": _WEEKDAYS[iso_weekday - 1],
        "iso_year": iso_year,
        "iso_week": iso_week,
        "quarter": (day.month + 2) // 3,
        "day_of_year": day.timetuple().tm_yday,
        "leap_year": calendar.isleap(day.year),
    }


def find_weekday_occurrence(
    year: Annotated[int, Field(ge=1, le=9999)],
    month: Annotated[int, Field(ge=1, le=12)],
    weekday: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    occurrence: Literal["first", "second", "third", "fourth", "last"] = "first",
) -> str:
    """Find the date of a given weekday's nth or last occurrence in a month.

    Queries:
        What date is the {occurrence} {weekday} of month {month#} in {year#}?
        Our club meets every {occurrence} {weekday}. Which date is that in month {month#} of {year#}?
        Give me the earliest date in month {month#} of {year#} that is a {weekday}.
        I'd like to start on a {weekday}. How early in month {month#} of {year#} can I?

    Args:
        year: Year with four digits
        month: Month number from 1 to 12
        weekday: English name of the weekday
        occurrence: Which occurrence in the month to find

    Returns:
        The date as YYYY-MM-DD.

    Raises:
        ValueError: If the year or the month does not exist.
    """
    first_weekday = date(year, month, 1).weekday()
    day = 1 + (_WEEKDAYS.index(weekday) - first_weekday) % 7
    if occurrence == "last":
        day += (calendar.monthrange(year, month)[1] - day) // 7 * 7
    else:
        day += 7 * ("first", "second", "third", "fourth").index(occurrence)
    return date(year, month, day).isoformat()


def list_recurring_dates(
    start_date: str,
    frequency: Literal["daily", "weekly", "biweekly", "monthly", "quarterly", "yearly"],
    occurrences: Annotated[int, Field(ge=1, le=366)] = 5,
) -> list[str]:
    """List the dates on which a repeating event takes place.

    Queries:
        A meeting repeats {frequency}, starting on {start_date}. Which dates does it fall on[, up to meeting number {occurrences}]?
        My club meets {frequency}, starting on {start_date}. Which dates go in my calendar[ if I enter the first {occurrences}]?
        List the dates of something that happens {frequency} from {start_date} on[, {occurrences} in total].
        I pay rent {frequency}, for the first time on {start_date}. When is it due[, up to payment number {occurrences}]?

    Args:
        start_date: First occurrence as YYYY-MM-DD
        frequency: How often the event repeats
        occurrences: Number of dates to list, the first included

    Returns:
        The dates as YYYY-MM-DD; a missing month day, such as the 31st, becomes the month's last.

    Raises:
        ValueError: If the date is not valid or the number of occurrences is not 1 to 366.
    """
    if not 1 <= occurrences <= 366:
        raise ValueError("occurrences must be between 1 and 366.")
    first = _parse_date(start_date)
    day_steps = {"daily": 1, "weekly": 7, "biweekly": 14}
    if frequency in day_steps:
        dates = [first + timedelta(days=day_steps[frequency] * index) for index in range(occurrences)]
    else:
        months = {"monthly": 1, "quarterly": 3, "yearly": 12}[frequency]
        dates = [_add_months(first, months * index) for index in range(occurrences)]
    return [day.isoformat() for day in dates]


def measure_date_span(start_date: str, end_date: str, include_last_day: bool = False) -> dict[str, int]:
    """Break down the time between two dates into years, months and days.

    Queries:
        How long is it until {end_date}, counting from {start_date}[?include_last_day:, with the last day included]?
        My lease runs from {start_date} to {end_date}[?include_last_day:, last day included]. How many years, months and days is that?
        Count the days between {start_date} and {end_date}[?include_last_day:, and count the last one too].
        Give me the time from {start_date} to {end_date} in years, months and days[?include_last_day:, including the final day].

    Args:
        start_date: First date as YYYY-MM-DD
        end_date: Last date as YYYY-MM-DD
        include_last_day: Whether the last day counts as a full day

    Returns:
        Whole years, then months, then days, and the total number of days; the order is ignored.

    Raises:
        ValueError: If a date is not valid.
    """
    first, last = sorted((_parse_date(start_date), _parse_date(end_date)))
    last += timedelta(days=int(include_last_day))
    months = (last.year - first.year) * 12 + last.month - first.month
    if _add_months(first, months) > last:
        months -= 1
    return {
        "years": months // 12,
        "months": months % 12,
        "days": (last - _add_months(first, months)).days,
        "total_days": (last - first).days,
    }
