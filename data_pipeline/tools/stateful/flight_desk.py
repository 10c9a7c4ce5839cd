"""The desk of a small airline: bookings, seats, rebookings, bags, cancellations and vouchers."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from data_pipeline.tools.stateful.common import look_up, money, parse_day, parse_moment, require
from data_pipeline.tools.stateful.state import reads, writes
from data_pipeline.tools.stateful.worlds.flight_desk import (
    FARES,
    SEATS,
    Airport,
    Bag,
    BagKind,
    Booking,
    Fare,
    Voucher,
    free_seats,
    ticket_price,
)
from data_pipeline.tools.stateful.worlds.flight_desk import State as State
from data_pipeline.tools.stateful.worlds.flight_desk import initial_state as initial_state

__all__ = [
    "add_bags",
    "assign_seat",
    "cancel_trip",
    "issue_delay_voucher",
    "list_departures",
    "list_free_seats",
    "rebook_passenger",
    "search_bookings",
    "view_booking",
]

POLICY = """Desk of Larkspur Regional. The tools refuse what is [enforced]; the rest is yours to keep.
1. [yours] Discuss a booking only with someone who gives its id and the name of the passenger.
2. [yours] Say what a change costs or returns, and get a yes, before you make it.
3. [enforced] Nothing is changed within 90 minutes of the scheduled departure, unless the flight is cancelled.
4. [enforced] Rebooking costs 60 on a light, 25 on a standard and 0 on a flex fare, plus any rise in the price.
5. [enforced] A passenger is rebooked to the same route only, at no cost if the airline cancelled the flight.
6. [enforced] A seat in rows 1 and 2 costs 14, unless the fare is flex or the passenger already sits there.
7. [enforced] A booking holds two checked bags of at most 23 kg, 30 each, and one sports item of at most 30 kg, 45.
8. [enforced] Of the ticket price a light, standard and flex fare return 0, 50 and 100 percent to the card, \
or 30, 80 and 100 percent as a voucher; a flight that the airline cancelled returns all of it.
9. [enforced] After check-in a passenger can change seats, but not rebook, add bags or cancel.
10. [enforced] A delay of two hours or more earns one voucher of 40 a booking, a shorter one none.
11. [yours] Offer a later flight before you offer to cancel."""

BookingId = Annotated[str, Field(examples=["B1001", "B1006"])]
FlightId = Annotated[str, Field(examples=["LR201", "LR208"])]
Seat = Annotated[str, Field(examples=["7C", "1A"])]
Passenger = Annotated[str, Field(min_length=2, examples=["Moreau", "Odile Kowal"])]
Date = Annotated[str, Field(examples=["2026-03-11"])] | None

_REBOOKING_FEES: dict[Fare, float] = {"light": 60.0, "standard": 25.0, "flex": 0.0}
_REFUND_PERCENT: dict[str, dict[Fare, int]] = {
    "card": {"light": 0, "standard": 50, "flex": 100},
    "voucher": {"light": 30, "standard": 80, "flex": 100},
}
_BAG_RULES = {"checked": (2, 23, 30.0), "sports": (1, 30, 45.0)}  # number, kilograms, fee for each
_FRONT_SEATS, _FRONT_FEE = SEATS[:8], 14.0
_CLOSING = timedelta(minutes=90)
_DELAY_MINUTES, _DELAY_VOUCHER = 120, 40.0


class BagRequest(TypedDict):
    """A bag to add to a booking."""

    kind: Annotated[BagKind, Field(description="Kind of the bag")]
    weight_kg: Annotated[float, Field(gt=0, le=30, description="Weight in kilograms", examples=[18.5])]


def _open_booking(state: State, booking_id: str, change: Literal["seat", "bags", "flight"]) -> Booking:
    """A booking that may be changed now."""
    booking = look_up(state.bookings, booking_id, "booking", "search_bookings")
    require(booking.status != "cancelled", f"Booking {booking_id} is cancelled.")
    require(change == "seat" or booking.status == "confirmed", f"The passenger of {booking_id} has checked in.")
    if state.flights[booking.flight_id].status == "cancelled":
        require(change == "flight", f"Flight {booking.flight_id} is cancelled; rebook or cancel {booking_id}.")
    else:
        _require_time(state, booking.flight_id)
    return booking


def _require_time(state: State, flight_id: str) -> None:
    departs = state.flights[flight_id].departs
    message = f"Flight {flight_id} leaves at {departs}, and nothing is changed within 90 minutes of that."
    require(parse_moment(departs) - parse_moment(state.now) >= _CLOSING, message)


def _add_voucher(state: State, booking_id: str, amount: float, reason: Literal["cancellation", "delay"]) -> str:
    voucher_id, state.next_voucher = f"V{state.next_voucher}", state.next_voucher + 1
    state.vouchers[voucher_id] = Voucher(booking_id=booking_id, amount=amount, reason=reason)
    return voucher_id


@writes
def add_bags(state: State, booking_id: BookingId, bags: list[BagRequest]) -> dict[str, Any]:
    """Add bags to a booking and charge their fees.

    Args:
        booking_id: Id of the booking
        bags: Bags to add

    Returns:
        The fee charged and all bags of the booking.

    Raises:
        ValueError: If the booking cannot be changed, or a bag is too heavy or one too many.
    """
    booking = _open_booking(state, booking_id, "bags")
    require(bool(bags), "Name at least one bag.")
    fee = 0.0
    for bag in bags:
        limit, max_kg, price = _BAG_RULES[bag["kind"]]
        require(bag["weight_kg"] <= max_kg, f"A {bag['kind']} bag may weigh at most {max_kg} kg.")
        booking.bags.append(Bag(**bag))
        count = sum(held.kind == bag["kind"] for held in booking.bags)
        require(count <= limit, f"Booking {booking_id} can hold {limit} {bag['kind']} bag(s) at most.")
        fee += price
    booking.fees = money(booking.fees + fee)
    return {"booking_id": booking_id, "fee": fee, "bags": [bag.model_dump() for bag in booking.bags]}


@writes
def assign_seat(state: State, booking_id: BookingId, seat: Seat) -> dict[str, Any]:
    """Give a passenger another seat on the flight booked.

    Args:
        booking_id: Id of the booking
        seat: Row and letter of the seat

    Returns:
        The seat and the fee charged for it.

    Raises:
        ValueError: If the booking cannot be changed, or the seat is taken or not on the aircraft.
    """
    booking = _open_booking(state, booking_id, "seat")
    require(seat in SEATS, f"There is no seat '{seat}': rows are 1 to 12, letters A to D.")
    require(seat in free_seats(state, booking.flight_id), f"Seat {seat} is taken; use list_free_seats.")
    costs = seat in _FRONT_SEATS and booking.seat not in _FRONT_SEATS and booking.fare != "flex"
    fee = _FRONT_FEE if costs else 0.0
    booking.seat, booking.fees = seat, money(booking.fees + fee)
    return {"booking_id": booking_id, "seat": seat, "fee": fee}


@writes
def cancel_trip(state: State, booking_id: BookingId, refund_to: Literal["card", "voucher"]) -> dict[str, Any]:
    """Cancel a booking and refund what its fare returns.

    Args:
        booking_id: Id of the booking
        refund_to: Way in which the passenger wants the refund

    Returns:
        The amount refunded, and the id of the voucher if there is one.

    Raises:
        ValueError: If the booking cannot be changed.
    """
    booking = _open_booking(state, booking_id, "flight")
    by_airline = state.flights[booking.flight_id].status == "cancelled"
    percent = 100 if by_airline else _REFUND_PERCENT[refund_to][booking.fare]
    amount = money(booking.price * percent / 100)
    booking.status, booking.seat = "cancelled", None
    voucher_id = _add_voucher(state, booking_id, amount, "cancellation") if refund_to == "voucher" else None
    return {"booking_id": booking_id, "refund": amount, "voucher_id": voucher_id}


@writes
def issue_delay_voucher(state: State, booking_id: BookingId) -> dict[str, Any]:
    """Issue the voucher that a long delay earns.

    Args:
        booking_id: Id of the booking on the late flight

    Returns:
        The id and the amount of the voucher.

    Raises:
        ValueError: If the booking is cancelled, its flight is not late enough, or it has had the voucher.
    """
    booking = look_up(state.bookings, booking_id, "booking", "search_bookings")
    require(booking.status != "cancelled", f"Booking {booking_id} is cancelled.")
    late = state.flights[booking.flight_id].delay_minutes
    require(late >= _DELAY_MINUTES, f"Flight {booking.flight_id} is {late} minutes late, which earns no voucher.")
    had = any(item.booking_id == booking_id and item.reason == "delay" for item in state.vouchers.values())
    require(not had, f"Booking {booking_id} has had its delay voucher.")
    return {"voucher_id": _add_voucher(state, booking_id, _DELAY_VOUCHER, "delay"), "amount": _DELAY_VOUCHER}


@reads
def list_departures(state: State, origin: Airport, destination: Airport, day: Date = None) -> list[dict[str, Any]]:
    """List the flights of a route with their prices and free seats.

    Args:
        origin: Airport of departure
        destination: Airport of arrival
        day: Day of departure as YYYY-MM-DD

    Returns:
        The flights by time of departure.

    Raises:
        ValueError: If the date is not valid.
    """
    start = parse_day(day).isoformat() if day else ""
    return [
        {
            "flight_id": flight_id,
            **flight.model_dump(include={"departs", "status", "delay_minutes"}),
            "prices": {fare: ticket_price(flight, fare) for fare in FARES},
            "free_seats": len(free_seats(state, flight_id)),
        }
        for flight_id, flight in sorted(state.flights.items(), key=lambda item: (item[1].departs, item[0]))
        if (flight.origin, flight.destination) == (origin, destination) and flight.departs.startswith(start)
    ]


@reads
def list_free_seats(state: State, flight_id: FlightId) -> dict[str, Any]:
    """List the seats of a flight that can still be chosen.

    Args:
        flight_id: Id of the flight

    Returns:
        The free seats in rows 1 and 2, which cost a fee, and in the other rows.

    Raises:
        ValueError: If there is no such flight.
    """
    look_up(state.flights, flight_id, "flight", "list_departures")
    free = free_seats(state, flight_id)
    front = [seat for seat in free if seat in _FRONT_SEATS]
    return {"flight_id": flight_id, "front": front, "other": free[len(front) :]}


@writes
def rebook_passenger(state: State, booking_id: BookingId, flight_id: FlightId) -> dict[str, Any]:
    """Move a booking to another flight of the same route, without a seat.

    Args:
        booking_id: Id of the booking
        flight_id: Id of the new flight

    Returns:
        The fee and the rise in price charged, both 0 if the airline cancelled the old flight.

    Raises:
        ValueError: If the booking cannot be changed, or the new flight is not open, full or on another route.
    """
    booking = _open_booking(state, booking_id, "flight")
    new = look_up(state.flights, flight_id, "flight", "list_departures")
    old = state.flights[booking.flight_id]
    require(flight_id != booking.flight_id, f"Booking {booking_id} is already on flight {flight_id}.")
    require((new.origin, new.destination) == (old.origin, old.destination), f"Flight {flight_id} has another route.")
    require(new.status != "cancelled", f"Flight {flight_id} is cancelled.")
    _require_time(state, flight_id)
    require(bool(free_seats(state, flight_id)), f"Flight {flight_id} is full.")
    fee, rise = _REBOOKING_FEES[booking.fare], max(0.0, money(ticket_price(new, booking.fare) - booking.price))
    if old.status == "cancelled":
        fee, rise = 0.0, 0.0
    booking.flight_id, booking.seat = flight_id, None
    booking.fees, booking.price = money(booking.fees + fee), money(booking.price + rise)
    return {"booking_id": booking_id, "flight_id": flight_id, "fee": fee, "price_rise": rise}


@reads
def search_bookings(state: State, passenger: Passenger) -> list[dict[str, Any]]:
    """Search for bookings by the name of the passenger.

    Args:
        passenger: Name of the passenger or a part of it

    Returns:
        The id, passenger, flight and status of each booking found.
    """
    return [
        {"booking_id": booking_id, **booking.model_dump(include={"passenger", "flight_id", "status"})}
        for booking_id, booking in sorted(state.bookings.items())
        if passenger.casefold() in booking.passenger.casefold()
    ]


@reads
def view_booking(state: State, booking_id: BookingId) -> dict[str, Any]:
    """View everything about a booking and its flight.

    Args:
        booking_id: Id of the booking

    Returns:
        The booking and its flight.

    Raises:
        ValueError: If there is no such booking.
    """
    booking = look_up(state.bookings, booking_id, "booking", "search_bookings")
    flight = state.flights[booking.flight_id].model_dump(exclude={"held_seats", "base_price"})
    return {"booking_id": booking_id, **booking.model_dump(), "flight": flight}
