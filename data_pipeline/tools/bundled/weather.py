"""Weather: felt temperatures, wind, pressure, storms and daily readings."""

import math
from bisect import bisect_right
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "calculate_dew_point",
    "calculate_heat_index",
    "calculate_sea_level_pressure",
    "calculate_wind_chill",
    "classify_wind_force",
    "estimate_storm_distance",
    "summarize_weather_readings",
]

_ABSOLUTE_ZERO_C = -273.15
_METRES_PER_SECOND = {"m/s": 1.0, "km/h": 1 / 3.6, "mph": 0.44704, "knots": 1852 / 3600}
_BEAUFORT = (
    (0.3, "calm"),
    (1.6, "light air"),
    (3.4, "light breeze"),
    (5.5, "gentle breeze"),
    (8.0, "moderate breeze"),
    (10.8, "fresh breeze"),
    (13.9, "strong breeze"),
    (17.2, "near gale"),
    (20.8, "gale"),
    (24.5, "strong gale"),
    (28.5, "storm"),
    (32.7, "violent storm"),
)


class DayReading(TypedDict):
    """A day's weather: date as YYYY-MM-DD, low and high in °C, rain in millimetres."""

    date: str
    low_c: float
    high_c: float
    rain_mm: float


def calculate_dew_point(temperature_c: float, humidity_percent: Annotated[float, Field(ge=1, le=100)]) -> float:
    """Calculate the dew point of the air from its temperature and humidity.

    Queries:
        At what temperature does dew form when the air is {temperature_c} with {humidity_percent} humidity?
        My cellar is at {temperature_c} and {humidity_percent} humidity. How cool must a wall be for water to condense?
        Find the dew point for {humidity_percent} humidity and {temperature_c}.
        It's {temperature_c} here and the air is {humidity_percent} humid, so where's the dew point?

    Args:
        temperature_c: Air temperature in degrees Celsius
        humidity_percent: Relative humidity in percent

    Returns:
        The dew point in degrees Celsius, to one decimal.

    Raises:
        ValueError: If the humidity is not 1 to 100, or the temperature is not -80 to 100.
    """
    if not 1 <= humidity_percent <= 100:
        raise ValueError("The relative humidity must be between 1 and 100 percent.")
    if not -80 <= temperature_c <= 100:
        raise ValueError("The temperature must be between -80 and 100 degrees Celsius.")
    # Magnus formula with the Alduchov-Eskridge coefficients.
    gamma = math.log(humidity_percent / 100) + 17.625 * temperature_c / (243.04 + temperature_c)
    return round(243.04 * gamma / (17.625 - gamma), 1)


def calculate_heat_index(
    temperature: float,
    humidity_percent: Annotated[float, Field(ge=0, le=100)],
    unit: Literal["celsius", "fahrenheit"] = "celsius",
) -> float:
    """Calculate how hot humid summer weather feels as a heat index.

    Queries:
        How hot does {temperature#}°[ {unit}] feel in {humidity_percent} humidity?
        It's muggy: {humidity_percent} humidity and a temperature of {temperature}[ {unit}]. What does that feel like?
        Give me the heat index for {humidity_percent} humidity and {temperature#}°[ {unit}].
        My thermometer says {temperature}[ {unit}] and the air is {humidity_percent} humid. How warm does that feel?

    Args:
        temperature: Air temperature in the chosen unit
        humidity_percent: Relative humidity in percent
        unit: Unit of the temperature given and of the result

    Returns:
        The heat index in the chosen unit, to one decimal.

    Raises:
        ValueError: If the humidity is not between 0 and 100.
    """
    if not 0 <= humidity_percent <= 100:
        raise ValueError("The relative humidity must be between 0 and 100 percent.")
    t, h = (temperature if unit == "fahrenheit" else temperature * 1.8 + 32), humidity_percent
    index = (t + 0.5 * (t + 61 + (t - 68) * 1.2 + h * 0.094)) / 2  # Steadman's simple form
    if index >= 80:  # Rothfusz regression with the National Weather Service adjustments
        index = -42.379 + 2.04901523 * t + 10.14333127 * h - 0.22475541 * t * h - 6.83783e-3 * t * t
        index += -5.481717e-2 * h * h + 1.22874e-3 * t * t * h + 8.5282e-4 * t * h * h
        index -= 1.99e-6 * t * t * h * h
        if h < 13 and 80 <= t <= 112:
            index -= (13 - h) / 4 * math.sqrt((17 - abs(t - 95)) / 17)
        elif h > 85 and 80 <= t <= 87:
            index += (h - 85) / 10 * (87 - t) / 5
    return round(index if unit == "fahrenheit" else (index - 32) / 1.8, 1)


def calculate_sea_level_pressure(station_pressure_hpa: float, elevation_m: float, temperature_c: float = 15.0) -> float:
    """Calculate the sea-level pressure from a barometer reading at altitude.

    Queries:
        What's the sea-level pressure if my barometer reads {station_pressure_hpa} at an altitude of {elevation_m}[ and the air is {temperature_c}]?
        I live {elevation_m} up and my barometer shows {station_pressure_hpa}. What would it be at sea level?
        Reduce a pressure of {station_pressure_hpa}, read at a station {elevation_m} up[ where it's {temperature_c}], to sea level.
        Our hut is at {elevation_m} and the air pressure here is {station_pressure_hpa}. What would that be down at the coast?

    Args:
        station_pressure_hpa: Pressure read at the station in hectopascals
        elevation_m: Height of the station above sea level in metres
        temperature_c: Air temperature at the station in degrees Celsius

    Returns:
        The pressure reduced to sea level in hectopascals, to one decimal.

    Raises:
        ValueError: If the pressure is not positive, or the elevation or temperature is impossible.
    """
    if station_pressure_hpa <= 0:
        raise ValueError("The station pressure must be greater than zero.")
    if not -500 <= elevation_m <= 9000:
        raise ValueError("The elevation must be between -500 and 9000 metres.")
    if not -100 <= temperature_c <= 60:
        raise ValueError("The temperature must be between -100 and 60 degrees Celsius.")
    fall = 0.0065 * elevation_m  # barometric formula with the standard lapse rate
    sea_level_kelvin = temperature_c + fall - _ABSOLUTE_ZERO_C
    ratio: float = (1 - fall / sea_level_kelvin) ** -5.257
    return round(station_pressure_hpa * ratio, 1)


def calculate_wind_chill(temperature_c: float, wind_speed_kmh: float) -> float:
    """Calculate how cold the wind makes winter air feel.

    Queries:
        How cold does {temperature_c} feel with the wind at {wind_speed_kmh}?
        I'm about to walk the dog. Wind is at {wind_speed_kmh}, and it's {temperature_c} outside. How will that feel?
        Tell me the wind chill for {wind_speed_kmh} of wind and {temperature_c}.
        It's {temperature_c} with a wind of {wind_speed_kmh}. How icy is that on bare skin?

    Args:
        temperature_c: Air temperature in degrees Celsius
        wind_speed_kmh: Wind speed in kilometres per hour

    Returns:
        The wind chill in degrees Celsius; the air temperature itself above 10 °C or in still air.

    Raises:
        ValueError: If the wind speed is negative or the temperature is below absolute zero.
    """
    if wind_speed_kmh < 0 or temperature_c < _ABSOLUTE_ZERO_C:
        raise ValueError("The wind speed cannot be negative, nor the temperature below absolute zero.")
    if temperature_c > 10 or wind_speed_kmh < 4.8:
        return round(float(temperature_c), 1)
    wind: float = wind_speed_kmh**0.16  # 2001 North American wind chill index
    return round(13.12 + 0.6215 * temperature_c - 11.37 * wind + 0.3965 * temperature_c * wind, 1)


def classify_wind_force(wind_speed: float, unit: Literal["m/s", "km/h", "mph", "knots"]) -> dict[str, int | str]:
    """Classify a wind speed on the Beaufort scale.

    Queries:
        What's the Beaufort number of a wind of {wind_speed#} {unit}?
        I'm taking the boat out and it's blowing at {wind_speed} {unit}. What force is that on the Beaufort scale?
        Put a wind speed of {wind_speed#} {unit} on the Beaufort scale.
        The forecast says wind of {wind_speed} {unit}. Does that count as a breeze, a gale or a storm?

    Args:
        wind_speed: Mean wind speed
        unit: Unit of the wind speed

    Returns:
        The Beaufort number from 0 to 12 and its description.

    Raises:
        ValueError: If the wind speed is negative.
    """
    if wind_speed < 0:
        raise ValueError("The wind speed cannot be negative.")
    metres_per_second = round(wind_speed * _METRES_PER_SECOND[unit], 6)
    force = bisect_right([limit for limit, _ in _BEAUFORT], metres_per_second)
    return {"beaufort": force, "description": _BEAUFORT[force][1] if force < 12 else "hurricane force"}


def estimate_storm_distance(seconds_to_thunder: float, temperature_c: float = 20.0) -> float:
    """Estimate how far away lightning struck from the delay before the thunder.

    Queries:
        How far off is lightning if the thunder takes {seconds_to_thunder#} seconds to get here[ and the air is {temperature_c}]?
        I counted {seconds_to_thunder#} seconds from the flash to the bang[, and it's {temperature_c} outside]. How close was that?
        Estimate the distance to a lightning strike whose thunder came {seconds_to_thunder#} seconds later[ through air of {temperature_c}].
        The thunder was {seconds_to_thunder#} seconds behind the lightning, so how many kilometers away is the storm?

    Args:
        seconds_to_thunder: Seconds between the flash and the thunder
        temperature_c: Air temperature in degrees Celsius

    Returns:
        The distance of the lightning in kilometres, to two decimals.

    Raises:
        ValueError: If the delay is negative or the temperature is below absolute zero.
    """
    if seconds_to_thunder < 0 or temperature_c < _ABSOLUTE_ZERO_C:
        raise ValueError("The delay cannot be negative, nor the temperature below absolute zero.")
    speed_of_sound = 331.3 * math.sqrt(1 + temperature_c / 273.15)
    return round(seconds_to_thunder * speed_of_sound / 1000, 2)


def summarize_weather_readings(readings: list[DayReading], rainy_day_mm: float = 1.0) -> dict[str, str | float | int]:
    """Summarize several days of temperature and rain readings.

    Queries:
        How did the weather average out over these days[, with a day counting as rainy from {rainy_day_mm}]: {readings}
        I keep a weather diary and want to know the warmest day, the coldest and the rain in all. My notes: {readings}
        Sum up these daily temperatures and rainfalls[, counting a day as rainy from {rainy_day_mm} of rain]: {readings}
        What's the mean temperature, and how many days were wet[, meaning {rainy_day_mm} of rain or more,] in this log: {readings}

    Args:
        readings: Readings with date as YYYY-MM-DD, low, high and rain
        rainy_day_mm: Rain from which a day counts as rainy, in millimetres

    Returns:
        The mean temperature, the warmest and coldest dates, the total rain and the rainy days.

    Raises:
        ValueError: If there are no readings, a low is above its high, or a rainfall is negative.
    """
    if not readings:
        raise ValueError("At least one day of readings is needed.")
    if any(day["low_c"] > day["high_c"] or day["rain_mm"] < 0 for day in readings):
        raise ValueError("A day's low cannot be above its high, and rain cannot be negative.")
    middles = [(day["low_c"] + day["high_c"]) / 2 for day in readings]
    return {
        "mean_temperature_c": round(sum(middles) / len(middles), 1),
        "warmest_date": max(readings, key=lambda day: day["high_c"])["date"],
        "coldest_date": min(readings, key=lambda day: day["low_c"])["date"],
        "total_rain_mm": round(sum(day["rain_mm"] for day in readings), 1),
        "rainy_days": sum(day["rain_mm"] >= rainy_day_mm for day in readings),
    }
