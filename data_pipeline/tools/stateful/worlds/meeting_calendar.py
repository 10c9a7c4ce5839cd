"""The world of a small studio: colleagues, rooms and a week of meetings."""

from datetime import timedelta
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from data_pipeline.tools.stateful.common import Clock, Day, Moment, clock_text, parse_clock, parse_moment, people
from data_pipeline.tools.stateful.state import DomainState, Record

Team = Literal["design", "engineering", "sales"]
Equipment = Literal["phone", "screen", "whiteboard"]
Reply = Literal["invited", "accepted", "declined"]

_TITLES = (
    *("Sprint review", "Logo workshop", "Budget check", "Client call", "Hiring round", "Release plan"),
    *("Poster critique", "Pricing talk", "Bug hunt", "Roadmap", "Pay review", "Contract draft"),
)


class Person(Record):
    """A colleague, and the hours worked every weekday."""

    name: str
    team: Team
    works_from: Clock
    works_until: Clock


class Room(Record):
    """A meeting room."""

    name: str
    seats: Annotated[int, Field(ge=1)]
    equipment: list[Equipment]


class Meeting(Record):
    """A meeting; `replies` holds everyone in it, the organizer too."""

    title: str
    organizer_id: str
    date: Day
    start: Clock
    end: Clock
    replies: dict[str, Reply]
    room_id: str | None = None
    private: bool = False
    status: Literal["planned", "called_off"] = "planned"


class State(DomainState):
    """The calendars of the studio, as seen by the colleague `me`."""

    now: Moment
    me: str
    people: dict[str, Person]
    rooms: dict[str, Room]
    meetings: dict[str, Meeting]
    next_meeting: int


def initial_state(seed: int) -> State:
    """Seven colleagues, four rooms and the meetings of a week, none of them at the same time as another.

    Args:
        seed: what the world is drawn from.

    Returns:
        The world, the same for the same seed.
    """
    rng = Random(seed)
    teams: list[Team] = ["design", "design", "engineering", "engineering", "engineering", "sales", "sales"]
    state = State(now="2026-10-05 10:00", me="P1", people={}, rooms={}, meetings={}, next_meeting=313)
    for number, name in enumerate(people(rng, 7)):
        begins = rng.choice([480, 510, 540])
        state.people[f"P{1 + number}"] = Person(
            name=name, team=teams[number], works_from=clock_text(begins), works_until=clock_text(begins + 510)
        )
    for number, (name, seats) in enumerate((("Attic", 3), ("Harbor", 5), ("Orchard", 8), ("Foundry", 14))):
        equipment: list[Equipment] = sorted(rng.sample(["phone", "screen", "whiteboard"], rng.randint(1, 3)))
        state.rooms[f"R{1 + number}"] = Room(name=name, seats=seats, equipment=equipment)
    titles = rng.sample(_TITLES, 12)
    for number, title in enumerate(titles):
        state.meetings[f"M{301 + number}"] = _meeting(rng, state, title, number)
    return state


def _meeting(rng: Random, state: State, title: str, number: int) -> Meeting:
    """The days have slots of their own, so that no two meetings meet."""
    day = parse_moment(state.now) + timedelta(days=number % 5)
    start = (540, 660, 840)[number // 5] + rng.choice([0, 15, 30])
    chosen = sorted(rng.sample(sorted({*state.people} - {state.me}), rng.randint(2, 4)))
    replies: dict[str, Reply] = {key: rng.choice(["invited", "accepted", "accepted", "declined"]) for key in chosen}
    # Who asks organizes every other meeting, and is invited to every other one of the rest.
    organizer = state.me if number % 2 else chosen[0]
    replies[organizer] = "accepted"
    if number % 4 == 0:
        replies[state.me] = "invited"
    return Meeting(
        title=title,
        organizer_id=organizer,
        date=f"{day:%Y-%m-%d}",
        start=clock_text(start),
        end=clock_text(start + rng.choice([30, 45, 60])),
        replies=dict(sorted(replies.items())),
        room_id=rng.choice([None, "R3", "R4"]),
        private=rng.random() < 0.25,
    )


def is_free(state: State, person_id: str, day: str, start: str, end: str, besides: str = "") -> bool:
    """Whether a colleague is in no meeting then, but for those declined.

    Args:
        state: the world.
        person_id: id of the colleague.
        day: the day as YYYY-MM-DD.
        start: first time as HH:MM.
        end: last time as HH:MM.
        besides: id of a meeting that does not count.

    Returns:
        Whether the colleague is free.
    """
    return not any(
        meeting.replies.get(person_id) in ("invited", "accepted")
        for meeting_id, meeting in state.meetings.items()
        if meeting_id != besides and _overlaps(meeting, day, start, end)
    )


def is_room_free(state: State, room_id: str, day: str, start: str, end: str, besides: str = "") -> bool:
    """Whether no meeting holds a room then.

    Args:
        state: the world.
        room_id: id of the room.
        day: the day as YYYY-MM-DD.
        start: first time as HH:MM.
        end: last time as HH:MM.
        besides: id of a meeting that does not count.

    Returns:
        Whether the room is free.
    """
    return not any(
        meeting.room_id == room_id
        for meeting_id, meeting in state.meetings.items()
        if meeting_id != besides and _overlaps(meeting, day, start, end)
    )


def _overlaps(meeting: Meeting, day: str, start: str, end: str) -> bool:
    return meeting.status == "planned" and meeting.date == day and meeting.start < end and start < meeting.end


def coming(meeting: Meeting) -> list[str]:
    """Who has not declined a meeting.

    Args:
        meeting: the meeting.

    Returns:
        The ids of the colleagues, sorted.
    """
    return sorted(person_id for person_id, reply in meeting.replies.items() if reply != "declined")


def length_minutes(meeting: Meeting) -> int:
    """How long a meeting lasts.

    Args:
        meeting: the meeting.

    Returns:
        Its length in minutes.
    """
    return parse_clock(meeting.end) - parse_clock(meeting.start)
