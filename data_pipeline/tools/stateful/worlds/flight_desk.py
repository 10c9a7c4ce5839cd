"""The world of a small airline: its flights, and the bookings and vouchers sold at one desk."""

from datetime import timedelta
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from data_pipeline.tools.stateful.common import Moment, Money, money, parse_moment, people
from data_pipeline.tools.stateful.state import DomainState, Record

Fare = Literal["light", "standard", "flex"]
Airport = Literal["AAL", "BRE", "GRZ", "LYS", "OPO", "TRN"]
BagKind = Literal["checked", "sports"]

SEATS = tuple(f"{row}{letter}" for row in range(1, 13) for letter in "ABCD")
"""Every seat of the aircraft, from the front."""

FARES: dict[Fare, float] = {"light": 1.0, "standard": 1.3, "flex": 1.7}
"""What a ticket costs, as a multiple of the base price of the flight."""

_ROUTES: tuple[tuple[Airport, Airport], ...] = (("AAL", "BRE"), ("GRZ", "LYS"), ("OPO", "TRN"), ("LYS", "OPO"))


class Bag(Record):
    """A bag that is paid for."""

    kind: BagKind
    weight_kg: Annotated[float, Field(gt=0)]


class Flight(Record):
    """One flight on one day; `held_seats` are sold elsewhere."""

    origin: Airport
    destination: Airport
    departs: Moment
    base_price: Money
    status: Literal["scheduled", "delayed", "cancelled"] = "scheduled"
    delay_minutes: Annotated[int, Field(ge=0)] = 0
    held_seats: list[str] = []


class Booking(Record):
    """A passenger on a flight; `price` is that of the ticket, `fees` come on top."""

    passenger: str
    flight_id: str
    fare: Fare
    price: Money
    fees: Money = 0.0
    seat: str | None = None
    bags: list[Bag] = []
    status: Literal["confirmed", "checked_in", "cancelled"] = "confirmed"


class Voucher(Record):
    """Money for a later flight, and what it was given for."""

    booking_id: str
    amount: Money
    reason: Literal["cancellation", "delay"]


class State(DomainState):
    """The airline's flights and what was sold at this desk."""

    now: Moment
    flights: dict[str, Flight]
    bookings: dict[str, Booking]
    vouchers: dict[str, Voucher] = {}
    next_voucher: int = 501


def initial_state(seed: int) -> State:
    """Twelve flights on three routes over four days, and fourteen bookings.

    One flight is cancelled, one a little late and one so late that it earns a voucher; all three are booked.

    Args:
        seed: what the world is drawn from.

    Returns:
        The world, the same for the same seed.
    """
    rng = Random(seed)
    state = State(now="2026-03-09 08:00", flights={}, bookings={})
    routes = rng.sample(_ROUTES, 3)
    for number in range(12):
        departs = parse_moment(state.now) + timedelta(days=number // 3, minutes=rng.randrange(60, 780, 5))
        state.flights[f"LR{201 + number}"] = Flight(
            origin=routes[number % 3][0],
            destination=routes[number % 3][1],
            departs=f"{departs:%Y-%m-%d %H:%M}",
            base_price=float(rng.randrange(60, 180, 5)),
            held_seats=sorted(rng.sample(SEATS, rng.randint(8, 24))),
        )
    ids, names = rng.sample(sorted(state.flights), 12), people(rng, 11)
    state.flights[ids[0]].status = "cancelled"
    for flight_id, minutes in ((ids[1], 45), (ids[2], 150)):
        state.flights[flight_id].status, state.flights[flight_id].delay_minutes = "delayed", minutes
    for number in range(14):
        state.bookings[f"B{1001 + number}"] = _initial_booking(rng, state, names[number % 11], ids[number % 12])
    return state


def _initial_booking(rng: Random, state: State, passenger: str, flight_id: str) -> Booking:
    flight, fare = state.flights[flight_id], rng.choice(list(FARES))
    booking = Booking(passenger=passenger, flight_id=flight_id, fare=fare, price=ticket_price(flight, fare))
    booking.seat = rng.choice([None, rng.choice(free_seats(state, flight_id)[8:])])
    if rng.random() < 0.3:
        booking.bags, booking.fees = [Bag(kind="checked", weight_kg=float(rng.randint(9, 23)))], 30.0
    early = flight.departs < "2026-03-10" and flight.status == "scheduled"
    booking.status = "checked_in" if early and rng.random() < 0.3 else "confirmed"
    return booking


def ticket_price(flight: Flight, fare: Fare) -> float:
    """What a ticket for a flight costs.

    Args:
        flight: the flight.
        fare: the fare.

    Returns:
        The price in whole cents.
    """
    return money(flight.base_price * FARES[fare])


def free_seats(state: State, flight_id: str) -> list[str]:
    """The seats of a flight that nobody holds.

    Args:
        state: the world.
        flight_id: id of the flight.

    Returns:
        The seats, from the front.
    """
    sold = {item.seat for item in state.bookings.values() if item.flight_id == flight_id and item.status != "cancelled"}
    return [seat for seat in SEATS if seat not in sold and seat not in state.flights[flight_id].held_seats]
