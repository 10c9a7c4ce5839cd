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
