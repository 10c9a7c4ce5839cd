from collections.abc import Callable
from typing import Any

import pytest

from data_pipeline.tools.bundled import internet_of_things as tools

Arguments = tuple[Any, ...]


def device(battery_percent: float, silence_hours: float) -> tools.Device:
    return {"name": "valve", "battery_percent": battery_percent, "silence_hours": silence_hours}


def test_irrigation_time() -> None:
    # 15 % of 10 m² * 0.2 m are 0.3 m³ = 300 liters, 25 minutes at 12 liters a minute.
    assert tools.calculate_irrigation_time(10, 25, 10, 12) == {"water_liters": 300.0, "minutes": 25.0}
    # Half the area and twice the depth
    assert tools.calculate_irrigation_time(10, 25, 5, 12, 40)["water_liters"] == 300.0
    for moisture in (25, 40):
        assert tools.calculate_irrigation_time(moisture, 25, 10, 12) == {"water_liters": 0.0, "minutes": 0.0}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((-1, 25, 10, 12, 20), "moistures"),
        ((10, 61, 10, 12, 20), "moistures"),
        ((10, 25, 0, 12, 20), "area"),
        ((10, 25, 10_001, 12, 20), "area"),
        ((10, 25, 10, 0, 20), "flow"),
        ((10, 25, 10, 1001, 20), "flow"),
        ((10, 25, 10, 12, 4), "root depth"),
        ((10, 25, 10, 12, 101), "root depth"),
    ],
)
def test_irrigation_time_refuses(args: tuple[float, float, float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_irrigation_time(*args)


def test_lora_airtime_of_a_fast_signal() -> None:
    # A symbol takes 2^7 / 125 = 1.024 ms. ceil((80 - 28 + 44) / 28) = 4 blocks of 5, so 12.25 + 8 + 20
    # = 40.25 symbols, 41.216 ms; 36 s an hour hold 873 of them.
    assert tools.calculate_lora_airtime(10, 7) == {"airtime_ms": 41.216, "messages_per_hour": 873}
    # 12 bytes fill the 4 blocks: (96 - 28 + 44) / 28 is 4 exactly.
    assert tools.calculate_lora_airtime(12, 7) == tools.calculate_lora_airtime(10, 7)
    # Blocks of 8: 12.25 + 8 + 32 = 52.25 symbols
    assert tools.calculate_lora_airtime(10, 7, coding_rate="4/8")["airtime_ms"] == 53.504


def test_lora_airtime_of_a_slow_signal() -> None:
    # 32.768 ms a symbol, so two bits of each are not used: ceil((80 - 48 + 44) / 40) = 2 blocks of 5,
    # 30.25 symbols, 991.232 ms.
    assert tools.calculate_lora_airtime(10, 12) == {"airtime_ms": 991.232, "messages_per_hour": 36}
    # At 500 kHz 8.192 ms, and all bits are used: ceil(76 / 48) = 2 blocks, 247.808 ms.
    assert tools.calculate_lora_airtime(10, 12, "500")["airtime_ms"] == 247.808
    # 2^11 / 125 = 16.384 ms is slow too: ceil((400 - 44 + 44) / 36) = 12 blocks, 80.25 symbols
    # (not 10 blocks), 1314.816 ms.
    assert tools.calculate_lora_airtime(50, 11)["airtime_ms"] == 1314.816
    # One byte: ceil((8 - 48 + 44) / 40) = 1 block, 25.25 symbols of 32.768 ms
    assert tools.calculate_lora_airtime(1, 12)["airtime_ms"] == 827.392


def test_lora_airtime_refuses() -> None:
    for payload in (0, 223):
        with pytest.raises(ValueError, match="1 to 222 bytes"):
            tools.calculate_lora_airtime(payload, 7)
    for factor in (6, 13):
        with pytest.raises(ValueError, match="spreading factor"):
            tools.calculate_lora_airtime(10, factor)


def test_calibration_within_and_beyond_the_points() -> None:
    # 100 units of 4 to 20 mA: (100 - 0) / (20 - 4) = 6.25 a unit, offset -25; 12 -> 50
    assert tools.calibrate_sensor_reading(12, 4, 0, 20, 100) == {
        "corrected_value": 50.0,
        "slope": 6.25,
        "offset": -25.0,
    }
    assert tools.calibrate_sensor_reading(22, 20, 100, 4, 0)["corrected_value"] == 112.5
    # Falling: -2 a unit from 10 at 0
    assert tools.calibrate_sensor_reading(5, 0, 10, 10, -10) == {"corrected_value": 0.0, "slope": -2.0, "offset": 10.0}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((1, 5, 0, 5, 100), "different readings"),
        ((1_000_001, 4, 0, 20, 100), "between -1000000 and 1000000"),
        ((1, 4, 0, 20, -1_000_001), "between -1000000 and 1000000"),
    ],
)
def test_calibration_refuses(args: tuple[float, float, float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calibrate_sensor_reading(*args)


def test_condensation_alarm_by_distance_from_the_dew_point() -> None:
    # ln 0.5 + 17.62 * 20 / 263.12 = 0.64617; 243.12 * 0.64617 / (17.62 - 0.64617) = 9.3
    assert tools.check_condensation_risk(20, 50, 9.3) == {"dew_point_c": 9.3, "alarm": "condensation"}
    alarms = [tools.check_condensation_risk(20, 50, surface)["alarm"] for surface in (9.4, 11.3, 11.4)]
    assert alarms == ["warning", "warning", "none"]
    assert tools.check_condensation_risk(20, 50, 9.4, 0)["alarm"] == "none"
    # ln 0.8 + 17.62 * 30 / 273.12 = 1.71227; 243.12 * 1.71227 / (17.62 - 1.71227) = 26.17
    assert tools.check_condensation_risk(30, 80, 30)["dew_point_c"] == 26.2
    # Saturated air is at its dew point.
    assert tools.check_condensation_risk(0, 100, 5) == {"dew_point_c": 0.0, "alarm": "none"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((-41, 50, 10, 2), "Temperatures"),
        ((20, 50, 61, 2), "Temperatures"),
        ((20, 0.9, 10, 2), "humidity"),
        ((20, 101, 10, 2), "humidity"),
        ((20, 50, 10, -1), "margin"),
        ((20, 50, 10, 11), "margin"),
    ],
)
def test_condensation_refuses(args: tuple[float, float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.check_condensation_risk(*args)


@pytest.mark.parametrize(
    ("room", "mode", "action"),
    [
        (19.4, "heating", "heat"),
        (19.5, "heating", "idle"),  # at the edge of the tolerance of half a degree
        (20.6, "heating", "idle"),
        (20.6, "cooling", "cool"),
        (20.5, "cooling", "idle"),
        (19.4, "cooling", "idle"),
        (19.4, "auto", "heat"),
        (20.6, "auto", "cool"),
        (20.0, "auto", "idle"),
    ],
)
def test_thermostat_at_its_limits(room: float, mode: Any, action: str) -> None:
    assert tools.decide_thermostat_action(room, 20, mode)["action"] == action


def test_thermostat_tolerance_and_absence() -> None:
    assert tools.decide_thermostat_action(18, 20, "auto", 1) == {"action": "heat", "above_target_c": -2.0}
    # Away allows 1 + 2 degrees.
    assert tools.decide_thermostat_action(17, 20, "auto", 1, away=True)["action"] == "idle"
    assert tools.decide_thermostat_action(16.9, 20, "auto", 1, away=True)["action"] == "heat"
    # 20.3 - 20 is not quite 0.3 in floating point.
    assert tools.decide_thermostat_action(20.3, 20, "cooling", 0.3) == {"action": "idle", "above_target_c": 0.3}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((-31, 20, 0.5), "room temperature"),
        ((51, 20, 0.5), "room temperature"),
        ((20, 4, 0.5), "target temperature"),
        ((20, 36, 0.5), "target temperature"),
        ((20, 20, -0.1), "tolerance"),
        ((20, 20, 5.1), "tolerance"),
    ],
)
def test_thermostat_refuses(args: tuple[float, float, float], message: str) -> None:
    room, target, tolerance = args
    with pytest.raises(ValueError, match=message):
        tools.decide_thermostat_action(room, target, "auto", tolerance)


def test_battery_life() -> None:
    # 10 s * 36 an hour is a tenth of the time: 20 mA / 10 + 1 mA * 0.9 = 2.9 mA;
    # 85 % of 2400 mAh / 2.9 mA = 703.4 h = 29.3 days
    assert tools.estimate_sensor_battery_life(2400, 1000, 20, 10, 36) == {
        "average_current_ma": 2.9,
        "battery_life_days": 29.3,
    }
    # Always awake: 85 mAh at 10 mA are 8.5 h.
    assert tools.estimate_sensor_battery_life(100, 5, 10, 3600, 1)["battery_life_days"] == 0.4


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((9, 5, 20, 2, 4), "battery"),
        ((100_001, 5, 20, 2, 4), "battery"),
        ((2400, -1, 20, 2, 4), "sleep current"),
        ((2400, 10_001, 20, 2, 4), "sleep current"),
        ((2400, 5, 0, 2, 4), "active current"),
        ((2400, 5, 2001, 2, 4), "active current"),
        ((2400, 5, 20, 0, 4), "at least 0.01"),
        ((2400, 5, 20, 2, 0), "at least 0.01"),
        ((2400, 5, 20, 60, 61), "longer than an hour"),
    ],
)
def test_battery_life_refuses(args: tuple[float, float, float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.estimate_sensor_battery_life(*args)


def test_outlier_readings() -> None:
    # Median 21.2; deviations 0.1, 0.1, 0.3, 13.8 and 0, their median 0.1, so the limit is 3.5 * 0.148 = 0.52.
    assert tools.find_outlier_readings([21.1, 21.3, 20.9, 35, 21.2]) == {
        "median": 21.2,
        "outliers": [35],
        "usual_average": 21.125,
    }
    # The limit is 1.4826 with a threshold of 1: median 3, deviations 2, 1, 0, 1 and 2.
    assert tools.find_outlier_readings([5, 4, 3, 2, 1], 1)["outliers"] == [5, 1]
    assert tools.find_outlier_readings([5, 4, 3, 2, 1], 2)["outliers"] == []
    # Where most are equal, any other stands out.
    assert tools.find_outlier_readings([7, 7, 7.5, 7]) == {"median": 7, "outliers": [7.5], "usual_average": 7.0}


@pytest.mark.parametrize(
    ("readings", "threshold", "message"),
    [
        ([1, 2], 3.5, "At least 3"),
        ([1, 2, -1_000_001], 3.5, "between -1000000 and 1000000"),
        ([1, 2, 3], 0.9, "threshold"),
        ([1, 2, 3], 11, "threshold"),
    ],
)
def test_outlier_readings_refuses(readings: list[float], threshold: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.find_outlier_readings(readings, threshold)


def test_devices_needing_service() -> None:
    # At the limits of 20 percent and 24 hours nothing is wrong yet.
    assert tools.list_devices_needing_service([device(20, 24)]) == []
    found = tools.list_devices_needing_service([device(19.9, 1), device(50, 24.5), device(5, 48)])
    assert [entry["reasons"] for entry in found] == [["low battery"], ["silent"], ["low battery", "silent"]]
    assert tools.list_devices_needing_service([device(50, 5)], 60, 4) == [
        {"name": "valve", "reasons": ["low battery", "silent"]}
    ]
    assert tools.list_devices_needing_service([]) == []


@pytest.mark.parametrize(
    ("battery", "silence", "lowest", "longest", "message"),
    [
        (-1, 1, 20, 24, "battery of 'valve'"),
        (101, 1, 20, 24, "battery of 'valve'"),
        (50, -1, 20, 24, "silence of 'valve'"),
        (50, 1, -1, 24, "lowest battery"),
        (50, 1, 101, 24, "lowest battery"),
        (50, 1, 20, 0, "longest silence"),
    ],
)
def test_devices_needing_service_refuses(
    battery: float, silence: float, lowest: float, longest: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        tools.list_devices_needing_service([device(battery, silence)], lowest, longest)


def test_results_are_rounded() -> None:
    # 10 % of 0.333 m² * 0.2 m are 6.66 liters, and 6.66 / 7 = 0.951.
    assert tools.calculate_irrigation_time(0, 10, 0.333, 7) == {"water_liters": 6.7, "minutes": 1.0}
    # A third a unit from 0 at 1
    assert tools.calibrate_sensor_reading(2, 1, 0, 4, 1) == {
        "corrected_value": 0.333,
        "slope": 0.333333,
        "offset": -0.333,
    }
    # (402 + 398 + 405) / 3 = 401.6667
    assert tools.find_outlier_readings([402, 398, 405, 12])["usual_average"] == 401.667


@pytest.mark.parametrize(
    ("tool", "lowest", "highest"),
    [
        (tools.calculate_irrigation_time, (0, 0, 0.5, 0.5, 5), (60, 60, 10_000, 1000, 100)),
        (tools.calculate_lora_airtime, (1, 7), (222, 12)),
        (tools.calibrate_sensor_reading, (-1e6, -1e6, -1e6, 1e6, 1e6), (1e6, 0, 1e6, 1, -1e6)),
        (tools.check_condensation_risk, (-40, 1, -40, 0), (60, 100, 60, 10)),
        (tools.decide_thermostat_action, (-30, 5, "auto", 0), (50, 35, "auto", 5)),
        (tools.estimate_sensor_battery_life, (10, 0, 0.01, 0.01, 0.01), (100_000, 10_000, 2000, 1, 3600)),
        (tools.find_outlier_readings, ([-1e6, 0, 1], 1), ([1e6, 0, 1], 10)),
        (tools.list_devices_needing_service, ([device(0, 0)], 0, 0.5), ([device(100, 1e6)], 100, 1e6)),
    ],
)
def test_the_limits_belong_to_the_range(tool: Callable[..., Any], lowest: Arguments, highest: Arguments) -> None:
    for limits in (lowest, highest):
        tool(*limits)
