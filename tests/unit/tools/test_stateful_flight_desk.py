"""What the tools of the flight desk do to its state, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from data_pipeline.tools.stateful import flight_desk as desk
from data_pipeline.tools.stateful.state import diff
from data_pipeline.tools.stateful.worlds.flight_desk import SEATS, Booking, Flight


def flight(departs: str, base_price: float, **more: Any) -> Flight:
    return Flight(**{"origin": "GRZ", "destination": "LYS", "departs": departs, "base_price": base_price, **more})


def world() -> desk.State:
    """It is 08:00; F1 leaves in 91 minutes, F2 in 90, F3 in 89."""
    flights = {
        "F1": flight("2026-03-09 09:31", 100, held_seats=["3A"], status="delayed", delay_minutes=120),
        "F2": flight("2026-03-09 09:30", 150, status="delayed", delay_minutes=119),
        "F3": flight("2026-03-09 09:29", 80),
        "F4": flight("2026-03-10 12:00", 60, status="cancelled"),
        "F5": flight("2026-03-10 13:00", 50, origin="OPO", destination="TRN"),
        "F6": flight("2026-03-10 14:00", 90, held_seats=list(SEATS)),
        "F7": flight("2026-03-10 15:00", 80),
    }
    bookings = {
        "B1": Booking(passenger="Bram Okonjo", flight_id="F1", fare="light", price=100, seat="5A"),
        "B2": Booking(passenger="Sanna Juhl", flight_id="F1", fare="standard", price=130.5, seat="5B"),
        "B3": Booking(passenger="Abram Sorel", flight_id="F1", fare="flex", price=170),
        "B4": Booking(passenger="Edda Rossi", flight_id="F1", fare="light", price=100, seat="1A", status="checked_in"),
        "B5": Booking(passenger="Yara Demir", flight_id="F3", fare="flex", price=136),
        "B6": Booking(passenger="Umar Brandt", flight_id="F4", fare="light", price=60, seat="8D"),
        "B7": Booking(passenger="Wren Hollis", flight_id="F2", fare="light", price=150, status="cancelled"),
        "B8": Booking(passenger="Ines Moreau", flight_id="F2", fare="light", price=150),
    }
    return desk.State(now="2026-03-09 08:00", flights=flights, bookings=bookings)


def effects(state: desk.State) -> list[str]:
    return [str(change) for change in diff(world(), state)]


def bag(kind: Any, weight_kg: float) -> desk.BagRequest:
    return {"kind": kind, "weight_kg": weight_kg}


def test_bags_cost_their_fees() -> None:
    state = world()
    added = desk.add_bags(state, "B1", [bag("checked", 23), bag("checked", 9.5), bag("sports", 30)])
    assert added["fee"] == 105.0
    assert effects(state) == [
        'added bookings.B1.bags[0]: {"kind": "checked", "weight_kg": 23.0}',
        'added bookings.B1.bags[1]: {"kind": "checked", "weight_kg": 9.5}',
        'added bookings.B1.bags[2]: {"kind": "sports", "weight_kg": 30.0}',
        "changed bookings.B1.fees: 0.0 -> 105.0",
    ]
    with pytest.raises(ValueError, match=r"can hold 2 checked bag\(s\) at most"):
        desk.add_bags(state, "B1", [bag("checked", 5)])
    with pytest.raises(ValueError, match=r"can hold 1 sports bag\(s\) at most"):
        desk.add_bags(state, "B1", [bag("sports", 5)])


def test_bags_have_a_greatest_weight() -> None:
    state = world()
    with pytest.raises(ValueError, match="checked bag may weigh at most 23 kg"):
        desk.add_bags(state, "B1", [bag("checked", 23.1)])
    with pytest.raises(ValueError, match="sports bag may weigh at most 30 kg"):
        desk.add_bags(state, "B1", [bag("sports", 30.5)])
    with pytest.raises(ValueError, match="at least one bag"):
        desk.add_bags(state, "B1", [])
    assert effects(state) == []


@pytest.mark.parametrize(
    ("booking_id", "seat", "fee"),
    [
        ("B1", "7C", 0.0),
        ("B1", "2D", 14.0),
        ("B2", "1B", 14.0),
        ("B3", "1B", 0.0),  # flex
        ("B4", "2A", 0.0),  # sits in front already, and has checked in
        ("B4", "3B", 0.0),
    ],
)
def test_a_seat_in_front_costs_a_fee(booking_id: str, seat: str, fee: float) -> None:
    state = world()
    assert desk.assign_seat(state, booking_id, seat) == {"booking_id": booking_id, "seat": seat, "fee": fee}
    assert state.bookings[booking_id].fees == fee
    changed = [f"changed bookings.{booking_id}.fees: 0.0 -> {fee}"] if fee else []
    old = world().bookings[booking_id].seat
    was = f'"{old}"' if old else "null"
    assert effects(state) == [*changed, f'changed bookings.{booking_id}.seat: {was} -> "{seat}"']


@pytest.mark.parametrize(
    ("booking_id", "seat", "message"),
    [
        ("B1", "3A", "Seat 3A is taken"),  # held elsewhere
        ("B1", "5B", "Seat 5B is taken"),  # another passenger
        ("B1", "13A", "no seat '13A'"),
        ("B5", "4A", "nothing is changed within 90 minutes"),
        ("B6", "4A", "F4 is cancelled; rebook or cancel B6"),
        ("B7", "4A", "Booking B7 is cancelled"),
        ("B9", "4A", "no booking 'B9'; use search_bookings"),
    ],
)
def test_a_seat_is_refused(booking_id: str, seat: str, message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        desk.assign_seat(state, booking_id, seat)
    assert effects(state) == []


def test_the_desk_closes_ninety_minutes_before() -> None:
    state = world()
    assert desk.assign_seat(state, "B8", "4A")["seat"] == "4A"  # 90 minutes to go
    with pytest.raises(ValueError, match="Flight F3 leaves at 2026-03-09 09:29"):
        desk.cancel_trip(state, "B5", "card")


@pytest.mark.parametrize(
    ("booking_id", "refund_to", "refund"),
    [
        ("B1", "card", 0.0),
        ("B1", "voucher", 30.0),
        ("B2", "card", 65.25),
        ("B2", "voucher", 104.4),
        ("B3", "card", 170.0),
        ("B3", "voucher", 170.0),
        ("B6", "card", 60.0),  # a light fare, on a flight that was cancelled
        ("B6", "voucher", 60.0),
    ],
)
def test_a_cancellation_returns_what_the_fare_says(booking_id: str, refund_to: Any, refund: float) -> None:
    state = world()
    done = desk.cancel_trip(state, booking_id, refund_to)
    voucher_id = "V501" if refund_to == "voucher" else None
    assert done == {"booking_id": booking_id, "refund": refund, "voucher_id": voucher_id}
    assert state.bookings[booking_id].status == "cancelled"
    assert state.bookings[booking_id].seat is None
    vouchers = {key: item.model_dump() for key, item in state.vouchers.items()}
    kept = {"booking_id": booking_id, "amount": refund, "reason": "cancellation"}
    assert vouchers == ({"V501": kept} if voucher_id else {})


def test_a_cancellation_frees_the_seat() -> None:
    state = world()
    assert "5A" not in desk.list_free_seats(state, "F1")["other"]
    desk.cancel_trip(state, "B1", "voucher")
    assert "5A" in desk.list_free_seats(state, "F1")["other"]
    assert effects(state) == [
        'changed bookings.B1.seat: "5A" -> null',
        'changed bookings.B1.status: "confirmed" -> "cancelled"',
        "changed next_voucher: 501 -> 502",
        'added vouchers.V501: {"booking_id": "B1", "amount": 30.0, "reason": "cancellation"}',
    ]
    with pytest.raises(ValueError, match="Booking B1 is cancelled"):
        desk.cancel_trip(state, "B1", "card")


def test_after_check_in_only_the_seat_can_change() -> None:
    state = world()
    with pytest.raises(ValueError, match="has checked in"):
        desk.cancel_trip(state, "B4", "card")
    with pytest.raises(ValueError, match="has checked in"):
        desk.rebook_passenger(state, "B4", "F7")
    with pytest.raises(ValueError, match="has checked in"):
        desk.add_bags(state, "B4", [bag("checked", 10)])


def test_a_long_delay_earns_one_voucher() -> None:
    state = world()
    assert desk.issue_delay_voucher(state, "B4") == {"voucher_id": "V501", "amount": 40.0}
    assert effects(state) == [
        "changed next_voucher: 501 -> 502",
        'added vouchers.V501: {"booking_id": "B4", "amount": 40.0, "reason": "delay"}',
    ]
    with pytest.raises(ValueError, match="B4 has had its delay voucher"):
        desk.issue_delay_voucher(state, "B4")
    assert desk.issue_delay_voucher(state, "B1")["voucher_id"] == "V502"


def test_a_voucher_for_a_delay_is_refused() -> None:
    state = world()
    with pytest.raises(ValueError, match="F2 is 119 minutes late, which earns no voucher"):
        desk.issue_delay_voucher(state, "B8")
    with pytest.raises(ValueError, match="B7 is cancelled"):
        desk.issue_delay_voucher(state, "B7")
    with pytest.raises(ValueError, match="no booking 'X'"):
        desk.issue_delay_voucher(state, "X")


@pytest.mark.parametrize(
    ("booking_id", "flight_id", "fee", "rise"),
    [
        ("B1", "F2", 60.0, 50.0),
        ("B1", "F7", 60.0, 0.0),  # a lower price gives nothing back
        ("B2", "F2", 25.0, 64.5),  # 150 * 1.3 = 195
        ("B3", "F2", 0.0, 85.0),  # 150 * 1.7 = 255
        ("B6", "F2", 0.0, 0.0),  # the airline cancelled
    ],
)
def test_rebooking_costs_a_fee_and_the_rise(booking_id: str, flight_id: str, fee: float, rise: float) -> None:
    state = world()
    done = desk.rebook_passenger(state, booking_id, flight_id)
    assert done == {"booking_id": booking_id, "flight_id": flight_id, "fee": fee, "price_rise": rise}
    old, new = world().bookings[booking_id], state.bookings[booking_id]
    assert (new.flight_id, new.seat) == (flight_id, None)
    assert new.fees == fee
    assert new.price == old.price + rise


@pytest.mark.parametrize(
    ("booking_id", "flight_id", "message"),
    [
        ("B1", "F1", "already on flight F1"),
        ("B1", "F5", "F5 has another route"),
        ("B1", "F4", "F4 is cancelled"),
        ("B1", "F3", "within 90 minutes"),
        ("B1", "F6", "F6 is full"),
        ("B1", "F9", "no flight 'F9'; use list_departures"),
        ("B5", "F7", "within 90 minutes"),
    ],
)
def test_rebooking_is_refused(booking_id: str, flight_id: str, message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        desk.rebook_passenger(state, booking_id, flight_id)
    assert effects(state) == []


def test_departures_of_a_route() -> None:
    state = world()
    found = desk.list_departures(state, "GRZ", "LYS")
    assert [item["flight_id"] for item in found] == ["F3", "F2", "F1", "F4", "F6", "F7"]
    assert found[2] == {
        "flight_id": "F1",
        "departs": "2026-03-09 09:31",
        "status": "delayed",
        "delay_minutes": 120,
        "prices": {"light": 100.0, "standard": 130.0, "flex": 170.0},
        "free_seats": 44,  # 48 seats, one held and three taken
    }
    assert [item["flight_id"] for item in desk.list_departures(state, "OPO", "TRN", "2026-03-10")] == ["F5"]
    assert desk.list_departures(state, "OPO", "TRN", "2026-03-09") == []
    with pytest.raises(ValueError, match="'tomorrow' is not a date"):
        desk.list_departures(state, "GRZ", "LYS", "tomorrow")


def test_free_seats_of_a_flight() -> None:
    found = desk.list_free_seats(world(), "F1")
    assert found["front"] == ["1B", "1C", "1D", "2A", "2B", "2C", "2D"]
    assert found["other"][:4] == ["3B", "3C", "3D", "4A"]
    assert len(found["other"]) == 37
    with pytest.raises(ValueError, match="no flight 'F0'"):
        desk.list_free_seats(world(), "F0")


def test_bookings_by_name() -> None:
    found = desk.search_bookings(world(), "BRAM")
    assert found == [
        {"booking_id": "B1", "passenger": "Bram Okonjo", "flight_id": "F1", "status": "confirmed"},
        {"booking_id": "B3", "passenger": "Abram Sorel", "flight_id": "F1", "status": "confirmed"},
    ]
    assert desk.search_bookings(world(), "Nobody") == []


def test_a_booking_with_its_flight() -> None:
    found = desk.view_booking(world(), "B6")
    assert found["passenger"] == "Umar Brandt"
    assert found["flight"] == {
        "origin": "GRZ",
        "destination": "LYS",
        "departs": "2026-03-10 12:00",
        "status": "cancelled",
        "delay_minutes": 0,
    }
    with pytest.raises(ValueError, match="no booking 'B0'"):
        desk.view_booking(world(), "B0")


def test_nobody_shares_a_seat_at_the_start() -> None:
    for seed in range(20):
        state = desk.initial_state(seed)
        for flight_id, found in state.flights.items():
            taken = [item.seat for item in state.bookings.values() if item.flight_id == flight_id and item.seat]
            assert len({*taken, *found.held_seats}) == len(taken) + len(found.held_seats)
        assert {item.status for item in state.flights.values()} == {"scheduled", "delayed", "cancelled"}
        assert all("2026-03-09 09:00" <= item.departs < "2026-03-13" for item in state.flights.values())
        for booking in state.bookings.values():
            leaves = state.flights[booking.flight_id]
            today = leaves.status == "scheduled" and leaves.departs.startswith("2026-03-09")
            assert booking.status == "confirmed" or (booking.status == "checked_in" and today)
