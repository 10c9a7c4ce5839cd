"""Real estate: rents, listings, plots and returns on property."""

import calendar
import datetime as dt
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "calculate_rental_yield",
    "check_floor_area_ratio",
    "draft_listing_headline",
    "project_rent_increases",
    "prorate_move_in_rent",
    "rank_property_listings",
    "split_rent_by_room",
]


class Listing(TypedDict):
    """A property for sale: its address, asking price and floor area in square metres."""

    address: str
    price: float
    area_m2: float


def calculate_rental_yield(purchase_price: float, monthly_rent: float, yearly_costs: float = 0.0) -> dict[str, float]:
    """Calculate the gross and net rental yield of an investment property.

    Queries:
        What yield do I get on a place bought for {purchase_price} that rents for {monthly_rent} a month[, with costs of {yearly_costs} a year]?
        I could buy a flat for {purchase_price} and let it for {monthly_rent} a month. What would it yield?
        Calculate my yield if I collect ${monthly_rent#} a month in rent on a place that cost me ${purchase_price#}[ and upkeep is ${yearly_costs#} a year].
        My flat is let at {monthly_rent} a month and I bought it for {purchase_price}. What's the yield[ after yearly costs of {yearly_costs}]?

    Args:
        purchase_price: Price paid for the property
        monthly_rent: Rent received each month
        yearly_costs: Yearly upkeep, insurance and tax paid by the owner

    Returns:
        Gross and net yield as percentages of the purchase price.

    Raises:
        ValueError: If the price is not positive, or the rent or costs are negative.
    """
    if purchase_price <= 0:
        raise ValueError("The purchase price must be greater than zero.")
    if monthly_rent < 0 or yearly_costs < 0:
        raise ValueError("The monthly rent and the yearly costs cannot be negative.")
    yearly_rent = 12 * monthly_rent
    return {
        "gross_yield_percent": round(100 * yearly_rent / purchase_price, 2),
        "net_yield_percent": round(100 * (yearly_rent - yearly_costs) / purchase_price, 2),
    }


def check_floor_area_ratio(
    floor_area_m2: float, plot_area_m2: float, max_ratio: float = 1.0
) -> dict[str, float | bool]:
    """Check whether a building's floor area ratio respects the zoning limit.

    Queries:
        Does {floor_area_m2} of floor space meet zoning on a plot of {plot_area_m2}[, where the floor area ratio is limited to {max_ratio}]?
        We want to build {floor_area_m2} in total on land of {plot_area_m2}. Is the floor area ratio okay?
        Check the floor area ratio for {plot_area_m2} of land and {floor_area_m2} of floor space[, maximum {max_ratio}].
        My plot is {plot_area_m2} and all storeys together come to {floor_area_m2}[, with the ratio capped at {max_ratio}]. How much more may I build?

    Args:
        floor_area_m2: Total floor area of all storeys in square metres
        plot_area_m2: Area of the building plot in square metres
        max_ratio: Highest floor area ratio that zoning allows

    Returns:
        The ratio, whether it is allowed, and the floor area that may still be built.

    Raises:
        ValueError: If the plot area or the limit is not positive, or the floor area is negative.
    """
    if plot_area_m2 <= 0 or max_ratio <= 0:
        raise ValueError("The plot area and the maximum ratio must be greater than zero.")
    if floor_area_m2 < 0:
        raise ValueError("The floor area cannot be negative.")
    spare = max_ratio * plot_area_m2 - floor_area_m2
    return {
        "ratio": round(floor_area_m2 / plot_area_m2, 3),
        "allowed": spare >= -1e-9,
        "remaining_area_m2": round(max(spare, 0.0), 2),
    }


def draft_listing_headline(
    property_type: Literal["apartment", "house", "townhouse", "villa"],
    bedrooms: Annotated[int, Field(ge=0, le=50)],
    city: str,
    features: list[str] | None = None,
) -> str:
    """Draft the headline of a property advertisement.

    Queries:
        Can you write an ad headline for my {bedrooms#}-bedroom {property_type} in {city}[, mentioning {features}]?
        I'm selling our {bedrooms#}-bedroom {property_type} in {city}. Draft the headline for the ad[ and play up {features}].
        Draft a listing title for the {property_type} with {bedrooms#} BR in {city}[, with {features} as selling points].
        My {bedrooms#}-bedroom {property_type} in {city} is going on the market. What could the headline of the ad be?

    Args:
        property_type: Kind of property being advertised
        bedrooms: Number of bedrooms, 0 for a studio
        city: City or neighbourhood of the property
        features: Selling points to mention, such as a garden or a sea view

    Returns:
        The headline as one line of text.

    Raises:
        ValueError: If the number of bedrooms is negative.
    """
    if bedrooms < 0:
        raise ValueError("The number of bedrooms cannot be negative.")
    size = f"{bedrooms}-bedroom" if bedrooms else "Studio"
    headline = f"{size} {property_type} in {city.strip()}"
    points = [point.strip() for point in features or [] if point.strip()]
    if len(points) > 1:
        points = [", ".join(points[:-1]) + " and " + points[-1]]
    return f"{headline} with {points[0]}" if points else headline


def project_rent_increases(
    current_rent: float,
    yearly_increase_percent: Annotated[float, Field(ge=0, le=100)],
    years: Annotated[int, Field(ge=1, le=50)] = 5,
) -> list[float]:
    """Project the monthly rent of a lease that rises by a fixed percentage each year.

    Queries:
        What will my rent of {current_rent} become if it goes up {yearly_increase_percent} every year[ for {years}]?
        My rent is {current_rent} a month and rises {yearly_increase_percent} a year. What will I be paying[ over the next {years}]?
        Project a monthly rent of ${current_rent#} rising {yearly_increase_percent} a year[, looking {years} ahead].
        Rent is {current_rent} a month today, with an annual raise of {yearly_increase_percent}. Show me the monthly amount year by year[ for {years}].

    Args:
        current_rent: Monthly rent paid today
        yearly_increase_percent: Rise applied every year, in percent
        years: Number of years to look ahead

    Returns:
        The monthly rent after each yearly increase, first year first.

    Raises:
        ValueError: If the rent is negative, or the years or the percentage are out of range.
    """
    if current_rent < 0:
        raise ValueError("The current rent cannot be negative.")
    if not 0 <= yearly_increase_percent <= 100:
        raise ValueError("The yearly increase must be between 0 and 100 percent.")
    if not 1 <= years <= 50:
        raise ValueError("The number of years must be between 1 and 50.")
    growth = 1 + yearly_increase_percent / 100
    return [round(current_rent * growth**year, 2) for year in range(1, years + 1)]


def prorate_move_in_rent(monthly_rent: float, move_in_date: str) -> dict[str, float | int]:
    """Work out the partial first month's rent for a tenant moving in mid-month.

    Queries:
        How much rent do I owe for the first month if I move in on {move_in_date} and a full month is {monthly_rent}?
        My tenancy begins on {move_in_date} and rent is ${monthly_rent#} a month. What do I pay until the month ends?
        Prorate a monthly rent of {monthly_rent} for a tenant moving in on {move_in_date}.
        A new tenant moves in on {move_in_date} and the full rent is {monthly_rent} a month. What do I charge for that first month?

    Args:
        monthly_rent: Rent for a full month
        move_in_date: First day of the tenancy as YYYY-MM-DD

    Returns:
        The number of days charged, the rent per day and the rent due for the month.

    Raises:
        ValueError: If the rent is negative or the date is not valid.
    """
    if monthly_rent < 0:
        raise ValueError("The monthly rent cannot be negative.")
    try:
        start = dt.datetime.strptime(move_in_date, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"The move-in date must be a real date as YYYY-MM-DD: {move_in_date!r}.") from None
    month_days = calendar.monthrange(start.year, start.month)[1]
    charged = month_days - start.day + 1
    return {
        "days_charged": charged,
        "daily_rent": round(monthly_rent / month_days, 2),
        "rent_due": round(monthly_rent * charged / month_days, 2),
    }


def rank_property_listings(listings: list[Listing]) -> list[dict[str, str | float]]:
    """Rank property listings from the lowest to the highest price per square metre.

    Queries:
        How do these properties rank by price per square meter: {listings}
        We're house hunting and want space for our money. Put these in order of price per square meter: {listings}
        Sort these homes from lowest to highest price per square meter: {listings}
        Cheapest per square meter first, please: {listings}

    Args:
        listings: Properties to compare, each with its address, price and area

    Returns:
        The listings, cheapest per square metre first, with that price.

    Raises:
        ValueError: If an area is not positive or a price is negative.
    """
    ranked: list[tuple[float, str]] = []
    for listing in listings:
        if listing["area_m2"] <= 0 or listing["price"] < 0:
            raise ValueError(f"The area must be positive and the price not negative: {listing['address']!r}.")
        ranked.append((round(listing["price"] / listing["area_m2"], 2), listing["address"]))
    ranked.sort()
    return [{"address": address, "price_per_m2": price} for price, address in ranked]


def split_rent_by_room(
    total_rent: float,
    room_areas_m2: list[float],
    equal_share_percent: Annotated[float, Field(ge=0, le=100)] = 0,
) -> list[float]:
    """Split a shared flat's rent among housemates according to the size of their rooms.

    Queries:
        How do we split {total_rent} of rent by room size[, with {equal_share_percent} shared equally]: {room_areas_m2}
        My flatmates and I pay ${total_rent#} together. Work out who owes what by the size of our rooms: {room_areas_m2}
        Divide the rent of {total_rent}[, {equal_share_percent} of it evenly,] among rooms measuring {room_areas_m2}
        Share out a rent of {total_rent} by room area[, after splitting {equal_share_percent} of it evenly]: {room_areas_m2}

    Args:
        total_rent: Rent of the whole flat
        room_areas_m2: Area of each private room in square metres
        equal_share_percent: Part of the rent split equally for common areas, in percent

    Returns:
        The rent of each room, in the order given; the amounts add up to the total.

    Raises:
        ValueError: If there is no room, an area is not positive, or the rent or percentage is impossible.
    """
    if not room_areas_m2 or min(room_areas_m2) <= 0:
        raise ValueError("Give at least one room, each with an area greater than zero.")
    if total_rent < 0 or not 0 <= equal_share_percent <= 100:
        raise ValueError("The rent cannot be negative and the equal share must be 0 to 100 percent.")
    equal = total_rent * equal_share_percent / 100
    by_size = (total_rent - equal) / sum(room_areas_m2)
    shares = [round(equal / len(room_areas_m2) + by_size * area, 2) for area in room_areas_m2]
    largest = room_areas_m2.index(max(room_areas_m2))
    shares[largest] = round(shares[largest] + total_rent - sum(shares), 2)  # takes the rounding cents
    return shares
