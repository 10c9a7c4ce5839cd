from typing import Any

import pytest

from data_pipeline.tools.bundled import energy as tools


def test_appliance_cost() -> None:
    # 2 kW for 3 h on 10 days is 60 kWh.
    assert tools.calculate_appliance_cost(2000, 3, 0.25, 10) == {"energy_kwh": 60.0, "cost": 15.0}
    assert tools.calculate_appliance_cost(100, 10, 0.2)["energy_kwh"] == 30.0
    with pytest.raises(ValueError, match="negative"):
        tools.calculate_appliance_cost(-1, 3, 0.25)
    with pytest.raises(ValueError, match="24"):
        tools.calculate_appliance_cost(100, 25, 0.25)


def test_wall_heat_loss_both_ways() -> None:
    # 20 m² * 0.3 W/m²K * 25 K = 150 W
    assert tools.calculate_wall_heat_loss(20, 0.3, 20, -5) == {"heat_loss_watts": 150.0, "heat_loss_kwh": 3.6}
    assert tools.calculate_wall_heat_loss(20, 0.3, 20, 30, 10) == {
        "heat_loss_watts": -60.0,
        "heat_loss_kwh": -0.6,
    }
    with pytest.raises(ValueError, match="u-value"):
        tools.calculate_wall_heat_loss(20, -0.3, 20, -5)


def test_tariff_comparison() -> None:
    assert tools.compare_electricity_tariffs(100, 200, 0.2, 0.25, 0.1) == {
        "flat_cost": 60.0,
        "day_night_cost": 45.0,
        "cheaper": "day_night",
        "saving": 15.0,
    }
    assert tools.compare_electricity_tariffs(100, 0, 0.2, 0.25, 0.1)["cheaper"] == "flat"
    assert tools.compare_electricity_tariffs(100, 100, 0.2, 0.2, 0.2)["cheaper"] == "equal"
    with pytest.raises(ValueError, match="negative"):
        tools.compare_electricity_tariffs(-1, 0, 0.2, 0.25, 0.1)


def test_charging_time_includes_losses() -> None:
    # 60 kWh from 20 to 80 % stores 36 kWh, draws 40 kWh and takes 3 h 38 min at 11 kW.
    assert tools.estimate_ev_charging_time(60, 11, 20) == {"energy_drawn_kwh": 40.0, "charging_time": "3:38"}
    assert tools.estimate_ev_charging_time(90, 10, 0, 100)["charging_time"] == "10:00"
    with pytest.raises(ValueError, match="charger power"):
        tools.estimate_ev_charging_time(60, 0, 20)
    with pytest.raises(ValueError, match="above the target"):
        tools.estimate_ev_charging_time(60, 11, 90)


def test_solar_output_by_orientation() -> None:
    # 20 m² at 20 % is 4 kW; 4 kW * 1200 kWh/kW * 0.8 = 3840 kWh
    assert tools.estimate_solar_output(20, 1200) == {"peak_power_kw": 4.0, "yearly_output_kwh": 3840.0}
    assert tools.estimate_solar_output(20, 1200, 10, "north")["yearly_output_kwh"] == 1152.0
    with pytest.raises(ValueError, match="panel area"):
        tools.estimate_solar_output(-1, 1200)
    with pytest.raises(ValueError, match="efficiency"):
        tools.estimate_solar_output(20, 1200, 0)


def test_biggest_consumers_come_first() -> None:
    appliances: list[Any] = [
        {"name": "lamp", "power_watts": 10, "hours_per_day": 10},
        {"name": "heater", "power_watts": 1500, "hours_per_day": 1},
        {"name": "fridge", "power_watts": 100, "hours_per_day": 4},
    ]
    assert tools.find_biggest_consumers(appliances, 2) == [
        {"name": "heater", "daily_kwh": 1.5, "share_percent": 75.0},
        {"name": "fridge", "daily_kwh": 0.4, "share_percent": 20.0},
    ]
    assert len(tools.find_biggest_consumers(appliances)) == 3
    unplugged = tools.find_biggest_consumers([{"name": "tv", "power_watts": 0, "hours_per_day": 5}])
    assert unplugged[0]["share_percent"] == 0.0
    with pytest.raises(ValueError, match="kettle"):
        tools.find_biggest_consumers([{"name": "kettle", "power_watts": 1, "hours_per_day": 25}])
    with pytest.raises(ValueError, match="limit"):
        tools.find_biggest_consumers(appliances, 0)


def test_battery_size_by_chemistry() -> None:
    # 200 W for 6 h is 1200 Wh: 1500 Wh of lithium at 80 %, 2400 Wh of lead-acid at 50 %.
    assert tools.size_backup_battery(200, 6, "lithium") == {"capacity_wh": 1500.0, "capacity_ah": 125.0}
    assert tools.size_backup_battery(200, 6, "lead_acid", "24") == {
        "capacity_wh": 2400.0,
        "capacity_ah": 100.0,
    }
    with pytest.raises(ValueError, match="load"):
        tools.size_backup_battery(0, 6, "lithium")
