from __future__ import annotations

import pytest

from data_pipeline.tools.bundled import science as tools


def test_plan_serial_dilution() -> None:
    assert tools.plan_serial_dilution(50, 10, dilution_factor=5, steps=3) == {
        "transfer_ml": 2.0,
        "diluent_ml": 8.0,
        "concentrations": [10.0, 2.0, 0.4],
    }
    assert tools.plan_serial_dilution(1, 1)["concentrations"] == [0.1, 0.01, 0.001, 0.0001, 0.00001]
    with pytest.raises(ValueError, match="greater than zero"):
        tools.plan_serial_dilution(0, 10)
    with pytest.raises(ValueError, match="above 1"):
        tools.plan_serial_dilution(50, 10, dilution_factor=1)
    with pytest.raises(ValueError, match="between 1 and 20"):
        tools.plan_serial_dilution(50, 10, steps=0)


def test_estimate_remaining_isotope() -> None:
    # Three half-lives of iodine-131 leave an eighth.
    assert tools.estimate_remaining_isotope("iodine-131", 80, 24.075) == {
        "remaining_g": 10.0,
        "decayed_percent": 87.5,
        "half_lives": 3.0,
    }
    # Carbon-14 loses about ln 2 / 5700 = 0.0122 percent a year.
    assert tools.estimate_remaining_isotope("carbon-14", 1, 365.25)["decayed_percent"] == pytest.approx(
        0.0122, abs=1e-4
    )
    assert tools.estimate_remaining_isotope("technetium-99m", 5, 1_000_000)["remaining_g"] == 0
    with pytest.raises(ValueError, match="not be negative"):
        tools.estimate_remaining_isotope("tritium", -1, 10)
    with pytest.raises(ValueError, match="not be negative"):
        tools.estimate_remaining_isotope("tritium", 1, -10)


def test_estimate_buffer_ph() -> None:
    assert tools.estimate_buffer_ph(4.76, 0.1, 0.1) == 4.76
    assert tools.estimate_buffer_ph(4.76, 0.01, 0.1) == 5.76
    assert tools.estimate_buffer_ph(7.2, 0.2, 0.1) == 6.9  # log10(1/2) = -0.30
    with pytest.raises(ValueError, match="greater than zero"):
        tools.estimate_buffer_ph(4.76, 0, 0.1)


def test_find_sound_wavelength() -> None:
    # Concert pitch A in air: 343 / 440 = 0.77955 m.
    assert tools.find_sound_wavelength(440) == {
        "wavelength_m": 0.77955,
        "period_ms": 2.2727,
        "speed_m_s": 343.0,
    }
    assert tools.find_sound_wavelength(1482, medium="fresh water")["wavelength_m"] == 1
    with pytest.raises(ValueError, match=r"at least 0\.001"):
        tools.find_sound_wavelength(0)


def test_combine_circuit_resistors() -> None:
    assert tools.combine_circuit_resistors([10, 20, 30]) == {"total_ohm": 60}
    assert tools.combine_circuit_resistors([60, 30], "parallel", supply_volts=10) == {
        "total_ohm": 20,
        "current_a": 0.5,
        "power_w": 5,
    }
    with pytest.raises(ValueError, match="at least one resistor"):
        tools.combine_circuit_resistors([])
    with pytest.raises(ValueError, match=r"at least 0\.000001 ohm"):
        tools.combine_circuit_resistors([10, 0], "parallel")


def test_locate_center_of_mass() -> None:
    bodies: list[tools.PointMass] = [
        {"mass_kg": 1, "x_m": 0, "y_m": 0},
        {"mass_kg": 3, "x_m": 4, "y_m": -2},
    ]
    assert tools.locate_center_of_mass(bodies) == {"x_m": 3, "y_m": -1.5, "total_mass_kg": 4}
    with pytest.raises(ValueError, match="at least one body"):
        tools.locate_center_of_mass([])
    with pytest.raises(ValueError, match="greater than zero"):
        tools.locate_center_of_mass([{"mass_kg": 0, "x_m": 1, "y_m": 1}])


def test_predict_genetic_cross() -> None:
    assert tools.predict_genetic_cross("Aa", "Aa") == {"AA": 25, "Aa": 50, "aa": 25, "dominant_trait": 75}
    assert tools.predict_genetic_cross("aa", "Aa") == {"AA": 0, "Aa": 50, "aa": 50, "dominant_trait": 50}
    assert tools.predict_genetic_cross("AA", "aa") == {"AA": 0, "Aa": 100, "aa": 0, "dominant_trait": 100}
