"""Travel planning: routes, flights, luggage, hotels and itineraries."""

import math
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "build_packing_list",
    "check_baggage_allowance",
    "compute_flight_arrival",
    "estimate_driving_fuel_cost",
    "estimate_trip_emissions",
    "plan_city_itinerary",
    "quote_hotel_stay",
]

# Average kilograms of CO2 equivalent per kilometer: of the car, of each passenger otherwise.
_KG_CO2_PER_KM = {"car": 0.17, "bus": 0.03, "train": 0.035, "plane": 0.15}
# Usual airline limits: number of checked bags, and kilograms for each.
_ALLOWANCES = {"economy": (1, 23), "premium_economy": (2, 23), "business": (2, 32), "first": (3, 32)}
_MAX_BAG_SIZE_CM = 158  # length + width + height
_CLIMATE_ITEMS = {
    "hot": ["sunscreen", "sunglasses", "hat"],
    "mild": ["light jacket", "umbrella"],
    "cold": ["winter coat", "gloves", "warm hat", "thermal underwear"],
}


class Bag(TypedDict):
    """A checked bag."""

    weight_kg: Annotated[float, Field(description="Weight in kilograms")]
    length_cm: Annotated[float, Field(description="Length in centimeters")]
    width_cm: Annotated[float, Field(description="Width in centimeters")]
    height_cm: Annotated[float, Field(description="Height in centimeters")]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _rounded(value: float, digits: int = 2) -> float:
    _require(math.isfinite(value), "the amounts are too large")
    return round(value, digits) + 0.0


def _parse_date(text: str) -> date:
    """Read a date, leaving room in the calendar to add a year or two to it."""
    day = datetime.strptime(text, "%Y-%m-%d").date()
    _require(2 <= day.year <= 9990, "the year of the date must be between 2 and 9990")
    return day


def build_packing_list(
    destination: str,
    climate: Literal["hot", "mild", "cold"],
    nights: Annotated[int, Field(ge=1, le=365)],
    activities: list[str] | None = None,
) -> dict[str, str | list[str]]:
    """Build a packing list for a vacation.

    Queries:
        What do I pack for our {nights#}-night trip to {destination} in {climate} weather[ with {activities} planned]?
        I'm off to {destination} and expect {climate} weather. What goes in my bag for my {nights#}-night stay[, given that I've planned {activities}]?
        Make a packing list for my {nights#}-night stay in {destination} in {climate} weather[, with gear for {activities}].
        The forecast for {destination} is {climate}. Which things do I take on our {nights#}-night vacation?

    Args:
        destination: Place of the vacation
        climate: Weather expected at the destination
        nights: Number of nights away
        activities: Activities that need their own gear

    Returns:
        The destination and the items to pack.

    Raises:
        ValueError: If the number of nights is out of range or the climate is unknown.
    """
    _require(1 <= nights <= 365, "nights must be between 1 and 365")
    _require(climate in _CLIMATE_ITEMS, f"climate must be one of {', '.join(_CLIMATE_ITEMS)}")
    outfits = min(nights + 1, 8)  # beyond a week, clothes are washed on the way
    items = ["travel documents", "toiletries", f"{outfits} tops", f"{outfits} sets of underwear"]
    items += [f"{math.ceil(outfits / 3)} trousers or skirts", *_CLIMATE_ITEMS[climate]]
    items += [f"{activity} gear" for activity in activities or []]
    return {"destination": destination, "items": items}


def check_baggage_allowance(
    bags: list[Bag],
    cabin_class: Literal["economy", "premium_economy", "business", "first"] = "economy",
) -> dict[str, bool | list[str]]:
    """Check whether checked bags respect the usual airline limits.

    Queries:
        Are these within the airline's usual limits[ in {cabin_class}]: {bags}
        I fly tomorrow[ in {cabin_class}] and wonder if my luggage is too big or too heavy. I packed: {bags}
        Check this luggage against the usual airline rules[ for {cabin_class}]: {bags}
        Will I get into trouble at check-in[ with {cabin_class} tickets]? My luggage: {bags}

    Args:
        bags: Bags to check in
        cabin_class: Cabin class of the ticket

    Returns:
        Whether all the bags are allowed, and what is wrong with them.

    Raises:
        ValueError: If a weight or a size is not positive or the class is unknown.
    """
    _require(cabin_class in _ALLOWANCES, f"cabin_class must be one of {', '.join(_ALLOWANCES)}")
    max_bags, max_kg = _ALLOWANCES[cabin_class]
    problems = []
    if len(bags) > max_bags:
        problems.append(f"{len(bags)} bags instead of {max_bags} at most")
    for number, bag in enumerate(bags, start=1):
        sizes = (bag["length_cm"], bag["width_cm"], bag["height_cm"])
        _require(min(bag["weight_kg"], *sizes) > 0, "weights and sizes must be positive")
        if bag["weight_kg"] > max_kg:
            problems.append(f"bag {number} is {bag['weight_kg'] - max_kg:g} kg too heavy")
        if sum(sizes) > _MAX_BAG_SIZE_CM:
            problems.append(f"bag {number} is {sum(sizes) - _MAX_BAG_SIZE_CM:g} cm too large")
    return {"allowed": not problems, "problems": problems}


def compute_flight_arrival(
    departure_date: str,
    departure_time: str,
    flight_minutes: Annotated[int, Field(ge=1, le=10000)],
    time_difference_hours: Annotated[float, Field(ge=-26, le=26)] = 0.0,
) -> dict[str, str]:
    """Compute the local date and time at which a flight lands.

    Queries:
        When do I land if I take off at {departure_time} on {departure_date} and fly for {flight_minutes}[ to a place whose clocks are {time_difference_hours} ahead of ours]?
        My flight leaves on {departure_date} at {departure_time} and takes {flight_minutes}[, and my destination is {time_difference_hours} ahead of here]. What time is it there when I land?
        Work out the local arrival time of a flight that spends {flight_minutes} in the air, departing on {departure_date} at {departure_time}.
        I depart at {departure_time} on {departure_date}. After {flight_minutes} of flying, what will the local date and time be[ if it's {time_difference_hours} later there than here]?

    Args:
        departure_date: Local date of departure as YYYY-MM-DD
        departure_time: Local time of departure as HH:MM
        flight_minutes: Duration of the flight in minutes
        time_difference_hours: Hours the destination is ahead of the origin

    Returns:
        The local arrival date and time.

    Raises:
        ValueError: If the date or the time is not valid or a number is out of range.
    """
    _require(1 <= flight_minutes <= 10_000, "flight_minutes must be between 1 and 10000")
    _require(-26 <= time_difference_hours <= 26, "time_difference_hours must be between -26 and 26")
    clock = datetime.strptime(departure_time, "%H:%M").time()
    elapsed = timedelta(minutes=flight_minutes + round(time_difference_hours * 60))
    arrival = datetime.combine(_parse_date(departure_date), clock) + elapsed
    return {"arrival_date": arrival.date().isoformat(), "arrival_time": f"{arrival:%H:%M}"}


def estimate_driving_fuel_cost(
    distance_km: float, fuel_price_per_liter: float, liters_per_100_km: float = 7.0
) -> dict[str, float]:
    """Estimate the cost of the fuel for a road trip.

    Queries:
        What will fuel cost for {distance_km} at {fuel_price_per_liter} a liter[ if the car uses {liters_per_100_km#} liters per 100 km]?
        We're driving {distance_km} on vacation. With gas at ${fuel_price_per_liter#} per liter, what do we spend on it?
        Estimate the gas bill for driving {distance_km}[ in a car that uses {liters_per_100_km#} L/100 km], with gas at {fuel_price_per_liter} a liter.
        A liter of fuel is {fuel_price_per_liter} now. How expensive does a road trip of {distance_km} get?

    Args:
        distance_km: Distance driven in kilometers
        fuel_price_per_liter: Price of one liter of fuel
        liters_per_100_km: Fuel the car uses per 100 kilometers, in liters

    Returns:
        The liters of fuel and their cost.

    Raises:
        ValueError: If a number is negative.
    """
    _require(distance_km >= 0, "distance_km must not be negative")
    _require(fuel_price_per_liter >= 0, "fuel_price_per_liter must not be negative")
    _require(liters_per_100_km >= 0, "liters_per_100_km must not be negative")
    liters = distance_km * liters_per_100_km / 100
    return {"fuel_liters": _rounded(liters), "fuel_cost": _rounded(liters * fuel_price_per_liter)}


def estimate_trip_emissions(
    distance_km: float,
    transport_mode: Literal["car", "bus", "train", "plane"],
    travelers: Annotated[int, Field(ge=1, le=1000)] = 1,
    round_trip: bool = False,
) -> float:
    """Estimate the carbon footprint of a trip.

    Queries:
        How much carbon does going {distance_km} by {transport_mode} cause[?round_trip:, there and back]?
        We're traveling {distance_km} by {transport_mode}[ as a group of {travelers}]. What's our carbon footprint[?round_trip:, counting the way back too]?
        Estimate the emissions of a trip of {distance_km} by {transport_mode}[ for a group of {travelers}][?round_trip:, and the same distance back].
        I'd like to know what {distance_km} of travel by {transport_mode} does to the climate.

    Args:
        distance_km: One-way distance in kilometers
        transport_mode: Means of transport, where a car carries all the travelers
        travelers: Number of people traveling together
        round_trip: Whether the way back is included

    Returns:
        The emissions of the whole group in kilograms of CO2 equivalent.

    Raises:
        ValueError: If the distance is negative, nobody travels or the means is unknown.
    """
    _require(distance_km >= 0, "distance_km must not be negative")
    _require(1 <= travelers <= 1000, "travelers must be between 1 and 1000")
    _require(transport_mode in _KG_CO2_PER_KM, f"transport_mode must be one of {', '.join(_KG_CO2_PER_KM)}")
    seats = math.ceil(travelers / 5) if transport_mode == "car" else travelers  # five seats a car
    return _rounded(distance_km * (2 if round_trip else 1) * _KG_CO2_PER_KM[transport_mode] * seats)


def plan_city_itinerary(
    city: str,
    start_date: str,
    attractions: list[str],
    visits_per_day: Annotated[int, Field(ge=1, le=10)] = 2,
) -> list[dict[str, str | list[str]]]:
    """Plan a day-by-day itinerary of the attractions to visit in a city.

    Queries:
        How do I spread {attractions} over my days in {city} from {start_date} on[, seeing {visits_per_day} a day]?
        I arrive in {city} on {start_date} and want to see {attractions}, in that order. What do I do on which day?
        Starting on {start_date}, lay out a day-by-day plan for {city} with {attractions}[, {visits_per_day} each day].
        My wish list for {city} is {attractions}. Put it on the calendar, beginning {start_date}.

    Args:
        city: City to visit
        start_date: First day of the visit as YYYY-MM-DD
        attractions: Attractions to visit, in order
        visits_per_day: Number of attractions a day

    Returns:
        The date and the attractions of each day.

    Raises:
        ValueError: If the date is not valid or a number of visits is out of range.
    """
    _require(1 <= visits_per_day <= 10, "visits_per_day must be between 1 and 10")
    _require(len(attractions) <= 365, "there may be at most 365 attractions")
    start = _parse_date(start_date)
    return [
        {
            "city": city,
            "date": (start + timedelta(days=index // visits_per_day)).isoformat(),
            "visits": attractions[index : index + visits_per_day],
        }
        for index in range(0, len(attractions), visits_per_day)
    ]


def quote_hotel_stay(
    hotel_name: str,
    check_in_date: str,
    nights: Annotated[int, Field(ge=1, le=365)],
    nightly_rate: float,
    rooms: Annotated[int, Field(ge=1, le=100)] = 1,
) -> dict[str, str | float]:
    """Quote the total price of a hotel stay.

    Queries:
        What does my {nights#}-night stay at {hotel_name} from {check_in_date} cost at {nightly_rate} a night per room[ if I book {rooms} of their rooms]?
        I arrive at {hotel_name} on {check_in_date} for my {nights#}-night break, and a room is {nightly_rate} a night. What will the bill be?
        Quote my {nights#}-night stay at {hotel_name}, checking in on {check_in_date}, with each room at ${nightly_rate#} a night[ and {rooms} of them booked].
        At {nightly_rate} a night, what's the bill for our {nights#}-night visit to {hotel_name} from {check_in_date}?

    Args:
        hotel_name: Name of the hotel
        check_in_date: Day of arrival as YYYY-MM-DD
        nights: Number of nights
        nightly_rate: Price of one room for one night
        rooms: Number of rooms

    Returns:
        The hotel, the dates of the stay and the total price.

    Raises:
        ValueError: If the date is not valid or a number is out of range.
    """
    _require(1 <= nights <= 365, "nights must be between 1 and 365")
    _require(1 <= rooms <= 100, "rooms must be between 1 and 100")
    _require(nightly_rate >= 0, "nightly_rate must not be negative")
    arrival = _parse_date(check_in_date)
    return {
        "hotel_name": hotel_name,
        "check_in_date": arrival.isoformat(),
        "check_out_date": (arrival + timedelta(days=nights)).isoformat(),
        "total_price": _rounded(nightly_rate * nights * rooms),
    }
