"""What the tools of the calendar do to its state, and what they refuse."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from data_pipeline.tools.stateful import meeting_calendar as calendar
from data_pipeline.tools.stateful.state import diff
from data_pipeline.tools.stateful.worlds.meeting_calendar import Meeting, Person, Room

MONDAY, TUESDAY, SATURDAY = "2026-10-05", "2026-10-06", "2026-10-10"


def person(name: str, begins: str = "09:00", ends: str = "17:00", team: Any = "design") -> Person:
    return Person(name=name, team=team, works_from=begins, works_until=ends)


def meeting(organizer_id: str, day: str, start: str, end: str, replies: dict[str, Any], **more: Any) -> Meeting:
    fields = {"title": "Talk", "organizer_id": organizer_id, "date": day, "start": start, "end": end, **more}
    return Meeting(replies={organizer_id: "accepted", **replies}, **fields)


def world() -> calendar.State:
    """It is Monday, 10:00; P1 asks."""
    return calendar.State(
        now=f"{MONDAY} 10:00",
        me="P1",
        people={
            "P1": person("Bram Okonjo"),
            "P2": person("Sanna Juhl", "08:00", "16:00"),
            "P3": person("Edda Rossi", team="sales"),
            "P4": person("Umar Demir"),
            "P5": person("Wren Sorel"),
        },
        rooms={
            "R1": Room(name="Attic", seats=2, equipment=["screen"]),
            "R2": Room(name="Foundry", seats=4, equipment=["phone", "screen"]),
        },
        meetings={
            "M1": meeting("P1", MONDAY, "10:00", "10:30", {"P2": "accepted"}),  # has started
            "M2": meeting("P1", MONDAY, "11:00", "12:00", {"P2": "accepted", "P3": "declined"}, room_id="R1"),
            "M3": meeting("P2", MONDAY, "13:00", "14:00", {"P1": "invited"}),
            "M4": meeting("P3", MONDAY, "14:00", "15:00", {"P2": "declined", "P4": "invited"}, private=True),
            "M5": meeting("P3", MONDAY, "11:30", "12:30", {"P1": "declined", "P5": "accepted"}, room_id="R2"),
            "M6": meeting("P1", TUESDAY, "09:00", "10:00", {"P2": "accepted"}, status="called_off"),
            "M7": meeting("P1", TUESDAY, "11:00", "11:45", {"P2": "accepted", "P3": "declined"}),
            "M8": meeting("P4", TUESDAY, "12:00", "13:00", {"P5": "invited"}, room_id="R1"),
        },
        next_meeting=9,
    )


def effects(state: calendar.State) -> list[str]:
    return [str(change) for change in diff(world(), state)]


@pytest.mark.parametrize("answer", ["accepted", "declined"])
def test_an_invitation_is_answered(answer: Any) -> None:
    state = world()
    assert calendar.answer_invitation(state, "M3", answer)["replies"] == {"P1": answer, "P2": "accepted"}
    assert effects(state) == [f'changed meetings.M3.replies.P1: "invited" -> "{answer}"']


@pytest.mark.parametrize(
    ("meeting_id", "message"),
    [
        ("M2", "You organize meeting M2; use call_off_meeting"),
        ("M4", "You are not invited to meeting M4"),
        ("M5", "You are in another meeting at the time of M5"),
        ("M9", "no meeting 'M9'; use view_agenda"),
    ],
)
def test_an_answer_is_refused(meeting_id: str, message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        calendar.answer_invitation(state, meeting_id, "accepted")
    assert effects(state) == []


def test_an_answer_needs_a_seat_and_a_meeting_ahead() -> None:
    state = world()
    state.meetings["M8"].replies["P1"] = "declined"
    with pytest.raises(ValueError, match="Room R1 seats 2, and 3 are coming"):
        calendar.answer_invitation(state, "M8", "accepted")
    state = world()
    state.now = f"{MONDAY} 13:00"
    with pytest.raises(ValueError, match="Meeting M3 has started"):
        calendar.answer_invitation(state, "M3", "accepted")


def test_a_meeting_is_called_off() -> None:
    state = world()
    assert calendar.call_off_meeting(state, "M2") == {"meeting_id": "M2", "told": ["P2"]}  # P3 had declined
    assert effects(state) == [
        'changed meetings.M2.room_id: "R1" -> null',
        'changed meetings.M2.status: "planned" -> "called_off"',
    ]


@pytest.mark.parametrize(
    ("meeting_id", "message"),
    [
        ("M1", "Meeting M1 has started"),
        ("M3", "Only its organizer can change meeting M3"),
        ("M6", "Meeting M6 is called off"),
        ("M0", "no meeting 'M0'"),
    ],
)
def test_only_an_own_meeting_ahead_is_changed(meeting_id: str, message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        calendar.call_off_meeting(state, meeting_id)
    with pytest.raises(ValueError, match=message):
        calendar.invite_colleagues(state, meeting_id, ["P4"])
    with pytest.raises(ValueError, match=message):
        calendar.reschedule_meeting(state, meeting_id, TUESDAY, "15:00")
    with pytest.raises(ValueError, match=message):
        calendar.reserve_room(state, meeting_id, "R2")
    assert effects(state) == []


def test_common_slots() -> None:
    # P1 is busy 11-12 and 13-14, P2 works until 16:00 and declined M4; M5 does not count for P1.
    found = calendar.find_common_slots(world(), ["P1", "P2"], MONDAY, 60)
    assert found == {
        "day": MONDAY,
        "starts": ["12:00", "14:00", "14:15", "14:30", "14:45", "15:00"],
    }
    assert calendar.find_common_slots(world(), ["P1"], MONDAY, 15)["starts"][:3] == ["10:30", "10:45", "12:00"]
    assert calendar.find_common_slots(world(), ["P2"], TUESDAY, 120)["starts"][:5] == [
        *("08:00", "08:15", "08:30", "08:45", "09:00"),
    ]


def test_common_slots_are_refused() -> None:
    with pytest.raises(ValueError, match="2026-10-10 is not a weekday"):
        calendar.find_common_slots(world(), ["P1"], SATURDAY, 60)
    assert calendar.find_common_slots(world(), ["P4"], MONDAY, 15)["starts"][0] == "10:15"  # later than now
    with pytest.raises(ValueError, match="at least one colleague"):
        calendar.find_common_slots(world(), [], MONDAY, 60)
    with pytest.raises(ValueError, match="no colleague 'P9'; use list_colleagues"):
        calendar.find_common_slots(world(), ["P9"], MONDAY, 60)
    with pytest.raises(ValueError, match="not a date"):
        calendar.find_common_slots(world(), ["P1"], "today", 60)


def test_colleagues_are_invited() -> None:
    state = world()
    assert calendar.invite_colleagues(state, "M7", ["P4", "P5"])["replies"]["P4"] == "invited"
    assert effects(state) == [
        'added meetings.M7.replies.P4: "invited"',
        'added meetings.M7.replies.P5: "invited"',
    ]


@pytest.mark.parametrize(
    ("meeting_id", "person_ids", "message"),
    [
        ("M7", [], "at least one colleague"),
        ("M7", ["P3"], "P3 is in meeting M7 already"),
        ("M7", ["P4", "P4"], "P4 is in meeting M7 already"),
        ("M7", ["P9"], "no colleague 'P9'"),
        ("M2", ["P5"], "P5 is in another meeting then"),
        ("M2", ["P4"], "Room R1 seats 2, and 3 are coming"),
    ],
)
def test_an_invitation_is_refused(meeting_id: str, person_ids: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calendar.invite_colleagues(world(), meeting_id, person_ids)


def test_colleagues_of_a_team() -> None:
    assert calendar.list_colleagues(world(), "sales") == {
        "you": "P1",
        "colleagues": {
            "P3": {"name": "Edda Rossi", "team": "sales", "works_from": "09:00", "works_until": "17:00"},
        },
    }
    assert [*calendar.list_colleagues(world())["colleagues"]] == ["P1", "P2", "P3", "P4", "P5"]


@pytest.mark.parametrize(
    ("start", "minutes", "more", "rooms"),
    [
        ("10:00", 60, {}, ["R1", "R2"]),
        ("10:15", 60, {}, ["R2"]),  # M2 holds R1
        ("12:00", 30, {}, ["R1"]),  # M5 holds R2
        ("12:30", 30, {}, ["R1", "R2"]),
        ("13:00", 30, {"seats": 3}, ["R2"]),
        ("13:00", 30, {"seats": 5}, []),
        ("13:00", 30, {"equipment": ["screen", "phone"]}, ["R2"]),
    ],
)
def test_free_rooms(start: str, minutes: Any, more: dict[str, Any], rooms: list[str]) -> None:
    found = calendar.list_free_rooms(world(), MONDAY, start, minutes, **more)
    assert [room["room_id"] for room in found] == rooms


def test_free_rooms_are_refused() -> None:
    with pytest.raises(ValueError, match="not a time as HH:MM"):
        calendar.list_free_rooms(world(), MONDAY, "noon", 30)
    with pytest.raises(ValueError, match="must end before midnight"):
        calendar.list_free_rooms(world(), MONDAY, "23:30", 30)


def test_a_meeting_is_planned() -> None:
    state = world()
    planned = calendar.plan_meeting(state, "Colours", MONDAY, "12:00", 60, ["P2"], private=True)
    assert planned["meeting_id"] == "M9"
    assert effects(state) == [
        'added meetings.M9: {"title": "Colours", "organizer_id": "P1", "date": "2026-10-05", "start": "12:00", '
        '"end": "13:00", "replies": {"P1": "accepted", "P2": "invited"}, "room_id": null, "private": true, '
        '"status": "planned"}',
        "changed next_meeting: 9 -> 10",
    ]


@pytest.mark.parametrize(
    ("day", "start", "minutes", "person_ids", "message"),
    [
        (MONDAY, "10:40", 15, ["P2"], "quarter of an hour, not at 10:40"),
        (SATURDAY, "10:00", 15, ["P2"], "2026-10-10 is not a weekday"),
        (MONDAY, "10:00", 15, ["P2"], "2026-10-05 10:00 is in the past"),
        (TUESDAY, "08:45", 30, ["P2"], "P1 works from 09:00 to 17:00"),
        (TUESDAY, "15:15", 60, ["P2"], "P2 works from 08:00 to 16:00"),
        (TUESDAY, "23:45", 120, ["P3"], "P1 works from 09:00 to 17:00"),
        (MONDAY, "12:45", 30, ["P3"], "P1 is in another meeting then"),  # invited counts
        (MONDAY, "12:15", 30, ["P5"], "P5 is in another meeting then"),
        (TUESDAY, "10:00", 30, [], "at least one colleague"),
        (TUESDAY, "10:00", 30, ["P1"], "once, and not yourself"),
        (TUESDAY, "10:00", 30, ["P2", "P2"], "once, and not yourself"),
        (TUESDAY, "10:00", 30, ["P9"], "no colleague 'P9'"),
        ("2026-10-5", "10:00", 30, ["P2"], "not a date"),
        (TUESDAY, "10am", 30, ["P2"], "not a time"),
    ],
)
def test_a_plan_is_refused(day: str, start: str, minutes: Any, person_ids: list[str], message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        calendar.plan_meeting(state, "Talk", day, start, minutes, person_ids)
    assert effects(state) == []


def test_a_meeting_may_last_until_the_work_ends() -> None:
    assert calendar.plan_meeting(world(), "Talk", TUESDAY, "15:00", 60, ["P2"])["end"] == "16:00"


def test_a_meeting_called_off_or_declined_is_no_conflict() -> None:
    state = world()
    assert calendar.plan_meeting(state, "Talk", TUESDAY, "09:00", 60, ["P2"])["start"] == "09:00"
    assert calendar.plan_meeting(state, "Talk", MONDAY, "14:00", 60, ["P2"])["start"] == "14:00"


def test_a_meeting_moves_and_asks_everyone_again() -> None:
    state = world()
    moved = calendar.reschedule_meeting(state, "M7", TUESDAY, "11:15")  # over its old time
    assert (moved["start"], moved["end"]) == ("11:15", "12:00")
    assert effects(state) == [
        'changed meetings.M7.end: "11:45" -> "12:00"',
        'changed meetings.M7.replies.P2: "accepted" -> "invited"',
        'changed meetings.M7.replies.P3: "declined" -> "invited"',
        'changed meetings.M7.start: "11:00" -> "11:15"',
    ]


@pytest.mark.parametrize(
    ("room_id", "start", "kept"),
    [("R2", "15:00", "R2"), ("R2", "12:15", "R2"), ("R1", "12:15", None), ("R1", "15:00", None)],
)
def test_a_meeting_that_moves_keeps_a_room_that_is_free_and_large_enough(
    room_id: str, start: str, kept: str | None
) -> None:
    state = world()
    calendar.reserve_room(state, "M7", room_id)
    assert calendar.reschedule_meeting(state, "M7", TUESDAY, start)["room_id"] == kept


def test_a_meeting_that_moves_keeps_a_room_with_just_enough_seats() -> None:
    state = world()
    calendar.reserve_room(state, "M7", "R2")
    state.rooms["R2"].seats = 3
    assert calendar.reschedule_meeting(state, "M7", TUESDAY, "15:00")["room_id"] == "R2"


def test_a_meeting_that_moves_loses_a_room_that_is_taken() -> None:
    state = world()
    calendar.reserve_room(state, "M7", "R2")
    state.meetings["M8"].room_id = "R2"
    assert calendar.reschedule_meeting(state, "M7", TUESDAY, "12:15")["room_id"] is None


def test_a_move_must_suit_those_who_declined_too() -> None:
    with pytest.raises(ValueError, match="P3 is in another meeting then"):
        calendar.reschedule_meeting(world(), "M7", MONDAY, "14:15")


def test_a_room_is_reserved() -> None:
    state = world()
    assert calendar.reserve_room(state, "M7", "R1")["room_id"] == "R1"  # two come, and one declined
    assert effects(state) == ['changed meetings.M7.room_id: null -> "R1"']
    assert calendar.reserve_room(state, "M7", "R2")["room_id"] == "R2"
    with pytest.raises(ValueError, match="Room R2 is taken then; use list_free_rooms"):
        calendar.reserve_room(state, "M2", "R2")
    with pytest.raises(ValueError, match="no room 'R9'; use list_free_rooms"):
        calendar.reserve_room(state, "M7", "R9")
    state.rooms["R1"].seats = 1
    with pytest.raises(ValueError, match="Room R1 seats 1, and 2 are coming"):
        calendar.reserve_room(state, "M7", "R1")


def test_an_agenda() -> None:
    found = calendar.view_agenda(world(), "P1", MONDAY, days=2)
    assert [item["meeting_id"] for item in found] == ["M1", "M2", "M3", "M7"]
    assert [item["meeting_id"] for item in calendar.view_agenda(world(), "P1", TUESDAY)] == ["M7"]
    assert calendar.view_agenda(world(), "P1", "2026-10-07") == []
    with pytest.raises(ValueError, match="no colleague 'P9'"):
        calendar.view_agenda(world(), "P9", MONDAY)


def test_a_private_meeting_is_hidden_from_others() -> None:
    hidden = {"meeting_id": "M4", "title": "private", "date": MONDAY, "start": "14:00", "end": "15:00"}
    assert calendar.view_agenda(world(), "P4", MONDAY) == [hidden]
    state = world()
    state.me = "P2"  # invited to it, and declined
    assert calendar.view_agenda(state, "P4", MONDAY)[0]["title"] == "Talk"


def test_nobody_is_in_two_meetings_at_the_start() -> None:
    for seed in range(20):
        state = calendar.initial_state(seed)
        spans = sorted((item.date, item.start, item.end) for item in state.meetings.values())
        assert all(one[0] < two[0] or one[2] <= two[1] for one, two in pairwise(spans))
        assert [key for key, item in state.meetings.items() if item.replies.get("P1") == "invited"] == [
            *("M301", "M305", "M309"),
        ]
        for item in state.meetings.values():
            assert "2026-10-05" <= item.date <= "2026-10-09"
            assert "09:00" <= item.start < item.end <= "17:00"
            assert len(item.replies) <= (state.rooms[item.room_id].seats if item.room_id else 7)
