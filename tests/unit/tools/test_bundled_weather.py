import pytest

from data_pipeline.tools.bundled import weather as tools


def test_dew_point() -> None:
    assert tools.calculate_dew_point(20, 50) == 9.3
    assert tools.calculate_dew_point(25, 60) == 16.7
    assert tools.calculate_dew_point(12.5, 100) == 12.5
    with pytest.raises(ValueError, match="humidity"):
        tools.calculate_dew_point(20, 0)
    with pytest.raises(ValueError, match="temperature"):
        tools.calculate_dew_point(-243.04, 50)


@pytest.mark.parametrize(
    ("temperature", "humidity", "chart"), [(90, 60, 100), (90, 70, 106), (100, 50, 118), (84, 90, 98)]
)
def test_heat_index_against_the_weather_service_chart(temperature: int, humidity: int, chart: int) -> None:
    assert tools.calculate_heat_index(temperature, humidity, "fahrenheit") == pytest.approx(chart, abs=1)


def test_heat_index_units_and_dry_air() -> None:
    celsius = tools.calculate_heat_index(35, 50)
    assert celsius == pytest.approx((tools.calculate_heat_index(95, 50, "fahrenheit") - 32) / 1.8, abs=0.1)
    # 70 °F at 50 %: (70 + 0.5 * (70 + 61 + 2.4 + 4.7)) / 2 = 69.5
    assert tools.calculate_heat_index(70, 50, "fahrenheit") == 69.5
    # At 95 °F and 0 %, the dry adjustment takes away 13 / 4.
    base = -42.379 + 2.04901523 * 95 - 6.83783e-3 * 95**2
    assert tools.calculate_heat_index(95, 0, "fahrenheit") == pytest.approx(base - 3.25, abs=0.06)
    with pytest.raises(ValueError, match="humidity"):
        tools.calculate_heat_index(30, 101)


def test_sea_level_pressure() -> None:
    assert tools.calculate_sea_level_pressure(1013.25, 0) == 1013.2
    # The standard atmosphere has 898.7 hPa and 8.5 °C at 1000 m.
    assert tools.calculate_sea_level_pressure(898.7, 1000, 8.5) == pytest.approx(1013.25, abs=0.3)
    for pressure, elevation, temperature in ((0, 100, 15), (900, 9500, 15), (900, 100, -273.15)):
        with pytest.raises(ValueError, match=r"pressure|elevation|temperature"):
            tools.calculate_sea_level_pressure(pressure, elevation, temperature)


def test_wind_chill() -> None:
    # Environment Canada's table: -10 °C at 30 km/h feels like -20, -20 °C at 50 km/h like -35.
    assert tools.calculate_wind_chill(-10, 30) == pytest.approx(-20, abs=0.5)
    assert tools.calculate_wind_chill(-20, 50) == pytest.approx(-35, abs=0.5)
    assert tools.calculate_wind_chill(15, 30) == 15.0
    assert tools.calculate_wind_chill(-5, 3) == -5.0
    with pytest.raises(ValueError, match="wind speed"):
        tools.calculate_wind_chill(0, -1)
    with pytest.raises(ValueError, match="absolute zero"):
        tools.calculate_wind_chill(-300, 10)


def test_wind_force_on_the_beaufort_scale() -> None:
    assert tools.classify_wind_force(0, "m/s") == {"beaufort": 0, "description": "calm"}
    assert tools.classify_wind_force(35, "knots") == {"beaufort": 8, "description": "gale"}
    assert tools.classify_wind_force(45, "km/h") == {"beaufort": 6, "description": "strong breeze"}
    assert tools.classify_wind_force(80, "mph") == {"beaufort": 12, "description": "hurricane force"}
    assert tools.classify_wind_force(5.5, "m/s")["beaufort"] == 4
    with pytest.raises(ValueError, match="wind speed"):
        tools.classify_wind_force(-1, "m/s")


def test_storm_distance_by_the_speed_of_sound() -> None:
    # Sound covers 331.3 m/s at 0 °C and 343.2 m/s at 20 °C.
    assert tools.estimate_storm_distance(10, 0) == 3.31
    assert tools.estimate_storm_distance(10) == 3.43
    with pytest.raises(ValueError, match="delay"):
        tools.estimate_storm_distance(-1)


def test_readings_summary() -> None:
    summary = tools.summarize_weather_readings(
        [
            {"date": "2024-05-01", "low_c": 8, "high_c": 18, "rain_mm": 0},
            {"date": "2024-05-02", "low_c": 10, "high_c": 24, "rain_mm": 0.4},
            {"date": "2024-05-03", "low_c": 6, "high_c": 12, "rain_mm": 12.1},
        ]
    )
    assert summary == {
        "mean_temperature_c": 13.0,
        "warmest_date": "2024-05-02",
        "coldest_date": "2024-05-03",
        "total_rain_mm": 12.5,
        "rainy_days": 1,
    }
    with pytest.raises(ValueError, match="one day"):
        tools.summarize_weather_readings([])
    with pytest.raises(ValueError, match="low"):
        tools.summarize_weather_readings([{"date": "2024-05-01", "low_c": 9, "high_c": 8, "rain_mm": 0}])
