"""The calendars of a small studio: agendas, meetings, invitations and rooms, for the colleague who asks."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from data_pipeline.tools.stateful.common import clock_text, look_up, parse_clock, parse_day, require
from data_pipeline.tools.stateful.state import reads, writes
from data_pipeline.tools.stateful.worlds.meeting_calendar import (
    Equipment,
    Meeting,
    Team,
    coming,
    is_free,
    is_room_free,
    length_minutes,
)
from data_pipeline.tools.stateful.worlds.meeting_calendar import State as State
from data_pipeline.tools.stateful.worlds.meeting_calendar import initial_state as initial_state

__all__ = [
    "answer_invitation",
    "call_off_meeting",
    "find_common_slots",
    "invite_colleagues",
    "list_colleagues",
    "list_free_rooms",
    "plan_meeting",
    "reschedule_meeting",
    "reserve_room",
    "view_agenda",
]

POLICY = """Calendars of Brackenridge Studio. The tools refuse what is [enforced]; the rest is yours to keep.
1. [yours] If no time is given, offer two slots in which everyone is free before you plan a meeting.
2. [yours] Invite only the colleagues who were named.
3. [enforced] Meetings start on a full quarter of an hour, on a weekday, and not in the past.
4. [enforced] A meeting lies within the working hours of everyone in it.
5. [enforced] Nobody is put into two meetings at once; a meeting that was declined does not count.
6. [enforced] Only its organizer moves a meeting, invites to it, gives it a room or calls it off.
7. [enforced] A meeting that has started, or was called off, is not changed.
8. [enforced] A room holds one meeting at a time and has a seat for everyone who has not declined.
9. [enforced] A meeting that is moved asks everyone again, and loses its room if that is taken or too small.
10. [enforced] What a private meeting is about is shown only to those in it.
11. [enforced] The organizer cannot decline a meeting, but call it off."""

PersonId = Annotated[str, Field(examples=["P2", "P5"])]
MeetingId = Annotated[str, Field(examples=["M302", "M306"])]
RoomId = Annotated[str, Field(examples=["R2", "R4"])]
Date = Annotated[str, Field(examples=["2026-10-07"])]
Start = Annotated[str, Field(examples=["10:30", "15:00"])]
Title = Annotated[str, Field(min_length=2, max_length=80, examples=["Colour review"])]
Seats = Annotated[int, Field(ge=1, le=50)]
Minutes = Literal[15, 30, 45, 60, 90, 120]
PersonIds = Annotated[list[str], Field(min_length=1, examples=[["P3", "P6"]])]


def _own_meeting(state: State, meeting_id: str) -> Meeting:
    """A meeting that the colleague who asks may change now."""
    meeting = look_up(state.meetings, meeting_id, "meeting", "view_agenda")
    require(meeting.organizer_id == state.me, f"Only its organizer can change meeting {meeting_id}.")
    _require_ahead(state, meeting_id)
    return meeting


def _require_ahead(state: State, meeting_id: str) -> None:
    meeting = state.meetings[meeting_id]
    require(meeting.status == "planned", f"Meeting {meeting_id} is called off.")
    require(f"{meeting.date} {meeting.start}" > state.now, f"Meeting {meeting_id} has started.")


def _require_time(state: State, person_ids: list[str], day: str, start: str, minutes: int, besides: str = "") -> str:
    """Refuse a time that does not suit everyone; the end of the meeting otherwise."""
    begins, date = parse_clock(start), parse_day(day)
    require(begins % 15 == 0, f"Meetings start on a quarter of an hour, not at {start}.")
    require(date.weekday() < 5, f"{day} is not a weekday.")
    require(f"{day} {start}" > state.now, f"{day} {start} is in the past.")
    end = clock_text(begins + minutes)
    for person_id in person_ids:
        person = look_up(state.people, person_id, "colleague", "list_colleagues")
        hours = f"{person_id} works from {person.works_from} to {person.works_until}."
        require(person.works_from <= start and end <= person.works_until, hours)
        require(is_free(state, person_id, day, start, end, besides), f"{person_id} is in another meeting then.")
    return end


def _require_room(state: State, meeting_id: str, room_id: str) -> None:
    meeting, room = state.meetings[meeting_id], look_up(state.rooms, room_id, "room", "list_free_rooms")
    free = is_room_free(state, room_id, meeting.date, meeting.start, meeting.end, meeting_id)
    require(free, f"Room {room_id} is taken then; use list_free_rooms.")
    needed = len(coming(meeting))
    require(needed <= room.seats, f"Room {room_id} seats {room.seats}, and {needed} are coming.")


def _shown(state: State, meeting_id: str) -> dict[str, Any]:
    meeting = state.meetings[meeting_id]
    if meeting.private and state.me not in meeting.replies:
        times = meeting.model_dump(include={"date", "start", "end"})
        return {"meeting_id": meeting_id, "title": "private", **times}
    return {"meeting_id": meeting_id, **meeting.model_dump(), "replies": dict(sorted(meeting.replies.items()))}


@writes
def answer_invitation(state: State, meeting_id: MeetingId, answer: Literal["accepted", "declined"]) -> dict[str, Any]:
    """Answer an invitation for the colleague who asks.

    Args:
        meeting_id: Id of the meeting
        answer: Answer to give, which may replace an earlier one

    Returns:
        The meeting with the answer.

    Raises:
        ValueError: If there is no such invitation, the meeting is over, or you are busy or have no seat.
    """
    meeting = look_up(state.meetings, meeting_id, "meeting", "view_agenda")
    require(state.me in meeting.replies, f"You are not invited to meeting {meeting_id}.")
    require(meeting.organizer_id != state.me, f"You organize meeting {meeting_id}; use call_off_meeting.")
    _require_ahead(state, meeting_id)
    free = is_free(state, state.me, meeting.date, meeting.start, meeting.end, meeting_id)
    require(answer == "declined" or free, f"You are in another meeting at the time of {meeting_id}.")
    meeting.replies[state.me] = answer
    if meeting.room_id:
        _require_room(state, meeting_id, meeting.room_id)
    return _shown(state, meeting_id)


@writes
def call_off_meeting(state: State, meeting_id: MeetingId) -> dict[str, Any]:
    """Call off a meeting and free its room.

    Args:
        meeting_id: Id of the meeting

    Returns:
        The colleagues to whom that is news.

    Raises:
        ValueError: If the meeting is not yours, or has started or is called off.
    """
    meeting = _own_meeting(state, meeting_id)
    meeting.status, meeting.room_id = "called_off", None
    return {"meeting_id": meeting_id, "told": [key for key in coming(meeting) if key != state.me]}


@reads
def find_common_slots(state: State, person_ids: PersonIds, day: Date, minutes: Minutes) -> dict[str, Any]:
    """Find the times of a day at which several colleagues are free and at work.

    Args:
        person_ids: Ids of the colleagues
        day: Day as YYYY-MM-DD
        minutes: Length of the meeting in minutes

    Returns:
        The possible starts, at every quarter of an hour.

    Raises:
        ValueError: If a colleague is unknown or the day is not valid or not a weekday.
    """
    require(parse_day(day).weekday() < 5, f"{day} is not a weekday.")
    workers = [look_up(state.people, key, "colleague", "list_colleagues") for key in person_ids]
    require(bool(workers), "Name at least one colleague.")
    first = max(parse_clock(person.works_from) for person in workers)
    last = min(parse_clock(person.works_until) for person in workers) - minutes
    slots = [(clock_text(begins), clock_text(begins + minutes)) for begins in range(first, last + 1, 15)]
    starts = [
        start
        for start, end in slots
        if f"{day} {start}" > state.now and all(is_free(state, key, day, start, end) for key in person_ids)
    ]
    return {"day": day, "starts": starts}


@writes
def invite_colleagues(state: State, meeting_id: MeetingId, person_ids: PersonIds) -> dict[str, Any]:
    """Invite more colleagues to a meeting.

    Args:
        meeting_id: Id of the meeting
        person_ids: Ids of the colleagues, none of them invited before

    Returns:
        The meeting with everyone in it.

    Raises:
        ValueError: If the meeting is not yours or over, or a colleague is in it, not free or has no seat.
    """
    meeting = _own_meeting(state, meeting_id)
    require(bool(person_ids), "Name at least one colleague.")
    for person_id in person_ids:
        require(person_id not in meeting.replies, f"{person_id} is in meeting {meeting_id} already.")
        _require_time(state, [person_id], meeting.date, meeting.start, length_minutes(meeting))
        meeting.replies[person_id] = "invited"
    if meeting.room_id:
        _require_room(state, meeting_id, meeting.room_id)
    return _shown(state, meeting_id)


@reads
def list_colleagues(state: State, team: Team | None = None) -> dict[str, Any]:
    """List the colleagues with their teams and working hours.

    Args:
        team: Team to list, every team unless given

    Returns:
        The id of the colleague who asks, and the colleagues by id.
    """
    found = {key: person.model_dump() for key, person in sorted(state.people.items()) if team in (None, person.team)}
    return {"you": state.me, "colleagues": found}


@reads
def list_free_rooms(
    state: State, day: Date, start: Start, minutes: Minutes, seats: Seats = 2, equipment: list[Equipment] | None = None
) -> list[dict[str, Any]]:
    """List the rooms that are free at a time.

    Args:
        day: Day as YYYY-MM-DD
        start: Time at which the meeting starts as HH:MM
        minutes: Length of the meeting in minutes
        seats: Number of seats needed
        equipment: Equipment the room must have

    Returns:
        The rooms with their seats and equipment, the smallest first.

    Raises:
        ValueError: If the day or the time is not valid.
    """
    date, begins = parse_day(day).isoformat(), parse_clock(start)
    require(begins + minutes < 24 * 60, "A meeting must end before midnight.")
    end = clock_text(begins + minutes)
    return [
        {"room_id": room_id, **room.model_dump()}
        for room_id, room in sorted(state.rooms.items(), key=lambda item: (item[1].seats, item[0]))
        if room.seats >= seats
        and {*(equipment or ())} <= {*room.equipment}
        and is_room_free(state, room_id, date, start, end)
    ]


@writes
def plan_meeting(
    state: State, title: Title, day: Date, start: Start, minutes: Minutes, person_ids: PersonIds, private: bool = False
) -> dict[str, Any]:
    """Plan a meeting and invite colleagues to it, without a room.

    Args:
        title: Title of the meeting
        day: Day as YYYY-MM-DD
        start: Time at which it starts as HH:MM
        minutes: Length in minutes
        person_ids: Ids of the colleagues to invite, without the one who asks
        private: Whether to hide from others what it is about

    Returns:
        The new meeting.

    Raises:
        ValueError: If the time does not suit everyone, or a colleague is unknown or named twice.
    """
    everyone = [state.me, *person_ids]
    require(len(everyone) > 1, "Invite at least one colleague.")
    require(len({*everyone}) == len(everyone), "Name each colleague once, and not yourself.")
    end = _require_time(state, everyone, day, start, minutes)
    meeting_id, state.next_meeting = f"M{state.next_meeting}", state.next_meeting + 1
    meeting = Meeting(title=title, organizer_id=state.me, date=day, start=start, end=end, replies={}, private=private)
    meeting.replies = {key: "accepted" if key == state.me else "invited" for key in everyone}
    state.meetings[meeting_id] = meeting
    return _shown(state, meeting_id)


@writes
def reschedule_meeting(state: State, meeting_id: MeetingId, day: Date, start: Start) -> dict[str, Any]:
    """Move a meeting to another time, at its old length, and ask everyone again.

    Args:
        meeting_id: Id of the meeting
        day: New day as YYYY-MM-DD
        start: New time at which it starts as HH:MM

    Returns:
        The meeting, with its room only if that is free then and large enough.

    Raises:
        ValueError: If the meeting is not yours or over, or the time does not suit everyone in it.
    """
    meeting = _own_meeting(state, meeting_id)
    end = _require_time(state, sorted(meeting.replies), day, start, length_minutes(meeting), meeting_id)
    meeting.date, meeting.start, meeting.end = day, start, end
    meeting.replies = {key: "accepted" if key == state.me else "invited" for key in meeting.replies}
    if meeting.room_id:
        free = is_room_free(state, meeting.room_id, day, start, end, meeting_id)
        fits = len(meeting.replies) <= state.rooms[meeting.room_id].seats
        meeting.room_id = meeting.room_id if free and fits else None
    return _shown(state, meeting_id)


@writes
def reserve_room(state: State, meeting_id: MeetingId, room_id: RoomId) -> dict[str, Any]:
    """Reserve a room for a meeting, instead of the one it has.

    Args:
        meeting_id: Id of the meeting
        room_id: Id of the room

    Returns:
        The meeting with its room.

    Raises:
        ValueError: If the meeting is not yours or over, or the room is unknown, taken or too small.
    """
    meeting = _own_meeting(state, meeting_id)
    _require_room(state, meeting_id, room_id)
    meeting.room_id = room_id
    return _shown(state, meeting_id)


@reads
def view_agenda(
    state: State, person_id: PersonId, day: Date, days: Annotated[int, Field(ge=1, le=7)] = 1
) -> list[dict[str, Any]]:
    """View the meetings of a colleague, except those declined or called off.

    Args:
        person_id: Id of the colleague
        day: First day as YYYY-MM-DD
        days: Number of days

    Returns:
        The meetings by time; of private ones only the time, unless the colleague who asks is in them.

    Raises:
        ValueError: If the colleague is unknown or the day is not valid.
    """
    look_up(state.people, person_id, "colleague", "list_colleagues")
    last = (parse_day(day) + timedelta(days=days - 1)).isoformat()
    held = sorted((item.date, item.start, key) for key, item in state.meetings.items() if item.status == "planned")
    found = [key for date, _, key in held if day <= date <= last and person_id in coming(state.meetings[key])]
    return [_shown(state, key) for key in found]
