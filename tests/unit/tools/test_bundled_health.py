"""Known answers and refusals of the bundled health tools."""

import pytest

from data_pipeline.tools.bundled import health


def test_heart_rate_zones_at_forty() -> None:
    # Maximum 208 - 28 = 180, reserve 120.
    assert health.list_heart_rate_zones(40) == {
        "very_light": [120, 132],
        "light": [132, 144],
        "moderate": [144, 156],
        "hard": [156, 168],
        "maximum": [168, 180],
    }
    assert health.list_heart_rate_zones(40, 50)["very_light"] == [115, 128]


@pytest.mark.parametrize("args", [(9, 60), (101, 60), (40, 29), (40, 111)])
def test_heart_rate_zones_refuses(args: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="must be between"):
        health.list_heart_rate_zones(*args)


@pytest.mark.parametrize(
    ("systolic", "diastolic", "category"),
    [
        (119, 79, "normal"),
        (120, 79, "elevated"),
        (119, 80, "hypertension stage 1"),
        (130, 70, "hypertension stage 1"),
        (139, 90, "hypertension stage 2"),
        (140, 70, "hypertension stage 2"),
        (180, 120, "hypertension stage 2"),
        (181, 70, "hypertensive crisis"),
        (150, 121, "hypertensive crisis"),
    ],
)
def test_blood_pressure_categories(systolic: int, diastolic: int, category: str) -> None:
    assert health.classify_blood_pressure(systolic, diastolic) == category


@pytest.mark.parametrize(("args", "message"), [((59, 40), "60"), ((120, 29), "30"), ((80, 80), "higher")])
def test_blood_pressure_refuses(args: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        health.classify_blood_pressure(*args)


def test_exercise_calories() -> None:
    # 9.8 MET * 3.5 * 70 kg / 200 = 12.005 kcal a minute.
    assert health.estimate_exercise_calories("running", 40) == 480.2
    assert health.estimate_exercise_calories("yoga", 60, 80) == 210.0


def test_exercise_calories_refuses() -> None:
    with pytest.raises(ValueError, match="duration_minutes"):
        health.estimate_exercise_calories("running", 0)
    with pytest.raises(ValueError, match="weight_kg"):
        health.estimate_exercise_calories("running", 10, -1)
    with pytest.raises(ValueError, match="activity must be one of walking"):
        health.estimate_exercise_calories("chess", 10)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="too large"):
        health.estimate_exercise_calories("running", 1e300, 1e300)


def test_due_date_follows_naegele() -> None:
    # A year on, three months back, seven days more.
    assert health.predict_due_date("2023-01-01") == {
        "conception_date": "2023-01-15",
        "due_date": "2023-10-08",
    }
    assert health.predict_due_date("2023-01-01", 31)["due_date"] == "2023-10-11"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("01/02/2023", 28), "does not match"),
        (("2023-02-30", 28), "day"),
        (("9999-12-01", 28), "too late"),
        (("2023-01-01", 19), "cycle_days"),
    ],
)
def test_due_date_refuses(args: tuple[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        health.predict_due_date(*args)


def test_doses_run_over_midnight() -> None:
    assert health.schedule_medication_doses("ibuprofen", "08:30", 8, 3) == [
        {"medication": "ibuprofen", "day": 1, "time": "08:30"},
        {"medication": "ibuprofen", "day": 1, "time": "16:30"},
        {"medication": "ibuprofen", "day": 2, "time": "00:30"},
    ]


@pytest.mark.parametrize(
    "args", [("x", "25:00", 8, 3), ("x", "8h", 8, 3), ("x", "08:00", 0, 3), ("x", "08:00", 8, 101)]
)
def test_doses_refuses(args: tuple[str, str, int, int]) -> None:
    with pytest.raises(ValueError, match=r"must be|does not match|remains"):
        health.schedule_medication_doses(*args)


def test_bedtimes_before_seven() -> None:
    assert health.suggest_bedtimes("07:00") == [
        {"bedtime": "21:45", "sleep_hours": 9.0},
        {"bedtime": "23:15", "sleep_hours": 7.5},
        {"bedtime": "00:45", "sleep_hours": 6.0},
    ]
    assert health.suggest_bedtimes("07:00", 0)[0]["bedtime"] == "22:00"


@pytest.mark.parametrize("args", [("7 am", 15), ("07:00", -1), ("07:00", 121)])
def test_bedtimes_refuses(args: tuple[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must be|does not match"):
        health.suggest_bedtimes(*args)


def test_weight_log_in_any_order() -> None:
    log: list[health.WeighIn] = [
        {"date": "2024-03-14", "weight_kg": 78.5},
        {"date": "2024-02-29", "weight_kg": 80.0},
        {"date": "2024-03-07", "weight_kg": 79.8},
    ]
    assert health.summarize_weight_log(log, 75) == {
        "from_date": "2024-02-29",
        "to_date": "2024-03-14",
        "change_kg": -1.5,
        "weekly_change_kg": -0.75,
        "left_to_goal_kg": -3.5,
    }
    assert "left_to_goal_kg" not in health.summarize_weight_log(log)


def test_weight_log_refuses() -> None:
    day: health.WeighIn = {"date": "2024-02-29", "weight_kg": 80}
    later: health.WeighIn = {"date": "2024-03-01", "weight_kg": 80}
    with pytest.raises(ValueError, match="two different days"):
        health.summarize_weight_log([day, day])
    with pytest.raises(ValueError, match="goal_weight_kg"):
        health.summarize_weight_log([day, later], 0)
    with pytest.raises(ValueError, match="each weight_kg"):
        health.summarize_weight_log([day, {"date": "2024-03-01", "weight_kg": 0}])
