from typing import Any

import pytest

from data_pipeline.tools.bundled import location as tools


def test_map_distance() -> None:
    assert tools.convert_map_distance(4, 25_000) == 1.0
    assert tools.convert_map_distance(4, 25_000, "m") == 1000.0
    assert tools.convert_map_distance(10, 50_000, "miles") == 3.107
    for distance, scale in ((-1, 25_000), (4, 0)):
        with pytest.raises(ValueError, match="map distance"):
            tools.convert_map_distance(distance, scale)


def test_geohash_of_known_positions() -> None:
    assert tools.encode_geohash(57.64911, 10.40744, 11) == "u4pruydqqvj"
    assert tools.encode_geohash(42.6, -5.6, 5) == "ezs42"
    assert len(tools.encode_geohash(0, 0)) == 8
    with pytest.raises(ValueError, match="length"):
        tools.encode_geohash(0, 0, 13)
    with pytest.raises(ValueError, match="latitude"):
        tools.encode_geohash(91, 0)


def test_compass_bearing() -> None:
    # Baghdad to Osaka, along the great circle.
    assert tools.find_compass_bearing(35, 45, 35, 135) == {"bearing_degrees": 60.2, "compass_point": "ENE"}
    assert tools.find_compass_bearing(0, 0, 0, -10) == {"bearing_degrees": 270.0, "compass_point": "W"}
    assert tools.find_compass_bearing(0, 0, 10, -0.001) == {"bearing_degrees": 0.0, "compass_point": "N"}
    with pytest.raises(ValueError, match="longitude"):
        tools.find_compass_bearing(0, 181, 0, 0)


def test_nearest_place() -> None:
    places: list[Any] = [
        {"name": "London", "latitude": 51.5074, "longitude": -0.1278},
        {"name": "Madrid", "latitude": 40.4168, "longitude": -3.7038},
    ]
    found = tools.find_nearest_place(48.8566, 2.3522, places)
    assert found["name"] == "London"
    assert found["distance_km"] == pytest.approx(344, abs=1)
    with pytest.raises(ValueError, match="one place"):
        tools.find_nearest_place(0, 0, [])
    with pytest.raises(ValueError, match="latitude"):
        tools.find_nearest_place(-95, 0, places)


def test_degrees_minutes_seconds() -> None:
    assert tools.format_coordinates_dms(48.858222, 2.2945) == "48°51'29.6\"N 2°17'40.2\"E"
    assert tools.format_coordinates_dms(-33.5, -70.25, 0) == "33°30'0\"S 70°15'0\"W"
    assert tools.format_coordinates_dms(9.99999999, 0) == "10°0'0.0\"N 0°0'0.0\"E"
    with pytest.raises(ValueError, match="decimals"):
        tools.format_coordinates_dms(0, 0, 5)
    with pytest.raises(ValueError, match="longitude"):
        tools.format_coordinates_dms(0, -181)


@pytest.mark.parametrize(
    ("longitude", "offset", "letter"),
    [
        (0, "UTC", "Z"),
        (7.4, "UTC", "Z"),
        (7.5, "UTC+1", "A"),
        (139.7, "UTC+9", "I"),
        (151.2, "UTC+10", "K"),
        (-74, "UTC-5", "R"),
        (180, "UTC+12", "M"),
        (-180, "UTC-12", "Y"),
    ],
)
def test_nautical_time_zone(longitude: float, offset: str, letter: str) -> None:
    zone = tools.get_nautical_time_zone(longitude)
    assert (zone["utc_offset"], zone["zone_letter"]) == (offset, letter)


def test_solar_time_and_longitude_bounds() -> None:
    assert tools.get_nautical_time_zone(-74)["solar_offset_minutes"] == -296.0
    with pytest.raises(ValueError, match="longitude"):
        tools.get_nautical_time_zone(200)


def test_route_length() -> None:
    # A degree of the equator is 6371 * pi / 180 = 111.19 km.
    points: list[Any] = [{"latitude": 0, "longitude": degrees} for degrees in (0, 1, 2)]
    assert tools.measure_route_length(points) == pytest.approx(222.39, abs=0.01)
    assert tools.measure_route_length(points, return_to_start=True) == pytest.approx(444.78, abs=0.01)
    assert tools.measure_route_length(points, "nautical_miles") == pytest.approx(120.08, abs=0.01)
    assert tools.measure_route_length(points, "miles") == pytest.approx(138.19, abs=0.01)
    with pytest.raises(ValueError, match="two waypoints"):
        tools.measure_route_length(points[:1])
