"""Location: coordinates, bearings, routes, map scales and nautical time zones."""

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "convert_map_distance",
    "encode_geohash",
    "find_compass_bearing",
    "find_nearest_place",
    "format_coordinates_dms",
    "get_nautical_time_zone",
    "measure_route_length",
]

_EARTH_RADIUS_KM = 6371.0
_KM = {"km": 1.0, "miles": 1.609344, "nautical_miles": 1.852}
_GEOHASH_DIGITS = "0123456789bcdefghjkmnpqrstuvwxyz"
_COMPASS_POINTS = (
    *("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE"),
    *("S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"),
)

_Latitude = Annotated[float, Field(ge=-90, le=90)]
_Longitude = Annotated[float, Field(ge=-180, le=180)]


class Waypoint(TypedDict):
    """A point on a route, in decimal degrees."""

    latitude: float
    longitude: float


class Place(TypedDict):
    """A named place, in decimal degrees."""

    name: str
    latitude: float
    longitude: float


def _check_position(latitude: float, longitude: float) -> None:
    if not -90 <= latitude <= 90:
        raise ValueError(f"The latitude must be between -90 and 90 degrees, not {latitude}.")
    if not -180 <= longitude <= 180:
        raise ValueError(f"The longitude must be between -180 and 180 degrees, not {longitude}.")


def _haversine_km(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    _check_position(latitude_a, longitude_a)
    _check_position(latitude_b, longitude_b)
    a, b = math.radians(latitude_a), math.radians(latitude_b)
    across = math.radians(longitude_b - longitude_a)
    chord = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))


def convert_map_distance(
    map_distance_cm: float, scale_denominator: int, unit: Literal["m", "km", "miles"] = "km"
) -> float:
    """Convert a distance measured on a paper map into the distance on the ground.

    Queries:
        How far is {map_distance_cm} on a 1:{scale_denominator#} map in reality[, in {unit}]?
        My hike is {map_distance_cm} on the map, scale 1 to {scale_denominator#}. What's that on the ground[ in {unit}]?
        Convert {map_distance_cm} on a map with scale 1:{scale_denominator#} to the real distance[ in {unit}].
        Map scale 1:{scale_denominator#}, my ruler shows {map_distance_cm} between the villages. How far apart are they?

    Args:
        map_distance_cm: Distance measured on the map in centimetres
        scale_denominator: Second number of the map scale, 25000 for 1:25000
        unit: Unit of the result

    Returns:
        The distance on the ground in the chosen unit.

    Raises:
        ValueError: If the distance is negative or the scale is not positive.
    """
    if map_distance_cm < 0 or scale_denominator <= 0:
        raise ValueError("The map distance cannot be negative and the scale must be greater than zero.")
    metres = map_distance_cm * scale_denominator / 100
    return round(metres / {"m": 1.0, "km": 1000.0, "miles": 1609.344}[unit], 3)


def encode_geohash(latitude: _Latitude, longitude: _Longitude, length: Annotated[int, Field(ge=1, le=12)] = 8) -> str:
    """Encode a position as a geohash.

    Queries:
        What's the geohash for {latitude#}, {longitude#}[ at a length of {length}]?
        I'm indexing shops by area and need the geohash of latitude {latitude#}, longitude {longitude#}.
        Turn latitude {latitude#} and longitude {longitude#} into a geohash[, cut to length {length}].
        Geohash of the point at longitude {longitude#}, latitude {latitude#}[, code length {length}]?

    Args:
        latitude: Latitude in decimal degrees, north positive
        longitude: Longitude in decimal degrees, east positive
        length: Number of characters in the geohash

    Returns:
        The geohash of the position.

    Raises:
        ValueError: If the position is not on Earth or the length is not 1 to 12.
    """
    _check_position(latitude, longitude)
    if not 1 <= length <= 12:
        raise ValueError("The geohash length must be between 1 and 12.")
    ranges = ([-180.0, 180.0], [-90.0, 90.0])
    code = 0
    for bit in range(5 * length):  # bits alternate, longitude first
        axis = bit % 2
        low, high = ranges[axis]
        middle = (low + high) / 2
        upper = (longitude, latitude)[axis] >= middle
        ranges[axis][0 if upper else 1] = middle
        code = 2 * code + upper
    return "".join(_GEOHASH_DIGITS[code >> 5 * (length - 1 - i) & 31] for i in range(length))


def find_compass_bearing(
    from_latitude: _Latitude, from_longitude: _Longitude, to_latitude: _Latitude, to_longitude: _Longitude
) -> dict[str, float | str]:
    """Find the compass direction in which to set out from one point to another.

    Queries:
        Which compass direction leads from the coordinates {from_latitude#}, {from_longitude#} to {to_latitude#}, {to_longitude#}?
        Our boat is at latitude {from_latitude#}, longitude {from_longitude#}, the port at latitude {to_latitude#}, longitude {to_longitude#}. Which way do we set out?
        Find my initial course to latitude {to_latitude#}, longitude {to_longitude#} when leaving latitude {from_latitude#}, longitude {from_longitude#}.
        What's the bearing to lat {to_latitude#}, lon {to_longitude#} from lat {from_latitude#}, lon {from_longitude#}?

    Args:
        from_latitude: Latitude of the start in decimal degrees
        from_longitude: Longitude of the start in decimal degrees
        to_latitude: Latitude of the destination in decimal degrees
        to_longitude: Longitude of the destination in decimal degrees

    Returns:
        The initial bearing in degrees clockwise from north, and its compass point.

    Raises:
        ValueError: If a position is not on Earth.
    """
    _check_position(from_latitude, from_longitude)
    _check_position(to_latitude, to_longitude)
    a, b = math.radians(from_latitude), math.radians(to_latitude)
    across = math.radians(to_longitude - from_longitude)
    east = math.sin(across) * math.cos(b)
    north = math.cos(a) * math.sin(b) - math.sin(a) * math.cos(b) * math.cos(across)
    bearing = round(math.degrees(math.atan2(east, north)), 1) % 360
    return {
        "bearing_degrees": round(bearing, 1),
        "compass_point": _COMPASS_POINTS[round(bearing / 22.5) % 16],
    }


def find_nearest_place(latitude: _Latitude, longitude: _Longitude, places: list[Place]) -> dict[str, str | float]:
    """Find which of several places is closest to a position.

    Queries:
        Which place is nearest to latitude {latitude#}, longitude {longitude#} out of these: {places}
        Our van broke down at latitude {latitude#}, longitude {longitude#}. Tell me the closest depot and how far off it is: {places}
        Find the place closest to the coordinates {latitude#}, {longitude#} among {places}
        I'm at longitude {longitude#}, latitude {latitude#} and want to go to the nearest of these: {places}

    Args:
        latitude: Latitude of the position in decimal degrees
        longitude: Longitude of the position in decimal degrees
        places: Places to choose from, each with its name and coordinates

    Returns:
        The name of the closest place and its distance in kilometres.

    Raises:
        ValueError: If no places are given or a position is not on Earth.
    """
    if not places:
        raise ValueError("At least one place is needed.")
    distances = [_haversine_km(latitude, longitude, place["latitude"], place["longitude"]) for place in places]
    nearest = min(range(len(places)), key=distances.__getitem__)
    return {"name": places[nearest]["name"], "distance_km": round(distances[nearest], 2)}


def format_coordinates_dms(
    latitude: _Latitude, longitude: _Longitude, decimals: Annotated[int, Field(ge=0, le=4)] = 1
) -> str:
    """Format decimal coordinates as degrees, minutes and seconds.

    Queries:
        What are latitude {latitude#} and longitude {longitude#} in degrees, minutes and seconds[, with the seconds to {decimals} d.p.]?
        My plotter wants degrees, minutes and seconds. Rewrite latitude {latitude#}, longitude {longitude#} that way.
        Convert the decimal coordinates {latitude#}, {longitude#} to DMS[, with {decimals} d.p. in the seconds].
        In DMS notation[, seconds rounded to {decimals} d.p.], I need longitude {longitude#} and latitude {latitude#}.

    Args:
        latitude: Latitude in decimal degrees, north positive
        longitude: Longitude in decimal degrees, east positive
        decimals: Number of decimals of the seconds

    Returns:
        The coordinates, latitude first, such as 48°51'29.6"N 2°17'40.2"E.

    Raises:
        ValueError: If the position is not on Earth or the decimals are not 0 to 4.
    """
    _check_position(latitude, longitude)
    if not 0 <= decimals <= 4:
        raise ValueError("The number of decimals must be between 0 and 4.")
    parts = []
    for value, (positive, negative) in ((latitude, "NS"), (longitude, "EW")):
        minutes, units = divmod(round(abs(value) * 3600 * 10**decimals), 60 * 10**decimals)
        degrees, minutes = divmod(minutes, 60)
        seconds = f"{units / 10**decimals:.{decimals}f}"
        parts.append(f"{degrees}°{minutes}'{seconds}\"{positive if value >= 0 else negative}")
    return " ".join(parts)


def get_nautical_time_zone(longitude: _Longitude) -> dict[str, str | float]:
    """Get the nautical time zone at a given longitude.

    Queries:
        Which nautical time zone am I in at longitude {longitude#}?
        We're sailing along longitude {longitude#}. Which time zone do we set the ship's clock to?
        Look up the time zone at sea for a longitude of {longitude#}.
        Zone letter and UTC offset on the ocean at longitude {longitude#}?

    Args:
        longitude: Longitude in decimal degrees, east positive

    Returns:
        The zone as UTC offset, its letter, and the mean solar time's offset in minutes.

    Raises:
        ValueError: If the longitude is not between -180 and 180.
    """
    _check_position(0.0, longitude)
    hours = math.floor((longitude + 7.5) / 15)
    letter = ("ZABCDEFGHIKLM" if hours >= 0 else "ZNOPQRSTUVWXY")[abs(hours)]
    return {
        "utc_offset": f"UTC{hours:+d}" if hours else "UTC",
        "zone_letter": letter,
        "solar_offset_minutes": round(4.0 * longitude, 1),  # the Earth turns a degree in four minutes
    }


def measure_route_length(
    waypoints: list[Waypoint],
    unit: Literal["km", "miles", "nautical_miles"] = "km",
    return_to_start: bool = False,
) -> float:
    """Measure the length of a route through a series of coordinates.

    Queries:
        How long is the route through these points[ in {unit}][?return_to_start:, coming back to the start]: {waypoints}
        I've planned a tour with these stops. Add up its length[?return_to_start:, return leg included]: {waypoints}
        Measure the track along these coordinates[ in {unit}][?return_to_start: as a closed loop]: {waypoints}
        What's the total distance[ in {unit}] of a trip via these points[?return_to_start: and back to the start]: {waypoints}

    Args:
        waypoints: Points of the route in order, in decimal degrees
        unit: Unit of the result
        return_to_start: Whether the route ends where it began

    Returns:
        The sum of the great-circle distances between the points.

    Raises:
        ValueError: If there are fewer than two points or one is not on Earth.
    """
    if len(waypoints) < 2:
        raise ValueError("A route needs at least two waypoints.")
    stops = [*waypoints, waypoints[0]] if return_to_start else waypoints
    total_km = sum(
        _haversine_km(a["latitude"], a["longitude"], b["latitude"], b["longitude"]) for a, b in pairwise(stops)
    )
    return round(total_km / _KM[unit], 2)
