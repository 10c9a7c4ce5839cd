"""Health and fitness: exercise, sleep, blood pressure, weight and medication."""

import math
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "classify_blood_pressure",
    "estimate_exercise_calories",
    "list_heart_rate_zones",
    "predict_due_date",
    "schedule_medication_doses",
    "suggest_bedtimes",
    "summarize_weight_log",
]

_ZONES = {"very_light": 50, "light": 60, "moderate": 70, "hard": 80, "maximum": 90}
# Metabolic equivalents of task, from the Compendium of Physical Activities.
_METS = {"walking": 3.5, "running": 9.8, "cycling": 7.5, "swimming": 5.8, "yoga": 2.5, "hiking": 6.0}
_SLEEP_CYCLE_MINUTES = 90


class WeighIn(TypedDict):
    """A body weight measured on a day."""

    date: Annotated[str, Field(description="Day of the measure as YYYY-MM-DD")]
    weight_kg: Annotated[float, Field(description="Body weight in kilograms")]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _parse_date(text: str) -> date:
    return datetime.strptime(text, "%Y-%m-%d").date()


def _parse_minutes(text: str) -> int:
    """Return the minutes since midnight of a time written HH:MM."""
    moment = datetime.strptime(text, "%H:%M")
    return moment.hour * 60 + moment.minute


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def classify_blood_pressure(
    systolic_mmhg: Annotated[int, Field(ge=60, le=300)],
    diastolic_mmhg: Annotated[int, Field(ge=30, le=200)],
) -> str:
    """Classify a blood pressure reading.

    Queries:
        Is a blood pressure of {systolic_mmhg#} over {diastolic_mmhg#} normal?
        My cuff shows {systolic_mmhg} for the upper value and {diastolic_mmhg} for the lower. What category is that?
        Classify this blood pressure: {systolic_mmhg#}/{diastolic_mmhg#}.
        The nurse measured {diastolic_mmhg#} for my lower pressure, {systolic_mmhg#} for the upper. How bad is that?

    Args:
        systolic_mmhg: Systolic (upper) pressure in mmHg
        diastolic_mmhg: Diastolic (lower) pressure in mmHg

    Returns:
        The category of the reading.

    Raises:
        ValueError: If a pressure is out of range, or the upper one is not the higher.
    """
    _require(60 <= systolic_mmhg <= 300, "systolic_mmhg must be between 60 and 300")
    _require(30 <= diastolic_mmhg <= 200, "diastolic_mmhg must be between 30 and 200")
    _require(systolic_mmhg > diastolic_mmhg, "systolic_mmhg must be higher than diastolic_mmhg")
    # 2017 ACC/AHA guideline.
    if systolic_mmhg > 180 or diastolic_mmhg > 120:
        return "hypertensive crisis"
    if systolic_mmhg >= 140 or diastolic_mmhg >= 90:
        return "hypertension stage 2"
    if systolic_mmhg >= 130 or diastolic_mmhg >= 80:
        return "hypertension stage 1"
    return "elevated" if systolic_mmhg >= 120 else "normal"


def estimate_exercise_calories(
    activity: Literal["walking", "running", "cycling", "swimming", "yoga", "hiking"],
    duration_minutes: float,
    weight_kg: float = 70.0,
) -> float:
    """Estimate the calories burned during a workout.

    Queries:
        How many calories do I burn in {duration_minutes} of {activity}[ if I weigh {weight_kg}]?
        I did {duration_minutes} of {activity} this morning[ and weigh {weight_kg}]. What did that burn?
        Estimate the calories for {duration_minutes} of {activity}[ at a body weight of {weight_kg}].
        Can {activity} make up for a big lunch? Tell me what {duration_minutes} of it burns[ if I weigh {weight_kg}].

    Args:
        activity: Kind of exercise
        duration_minutes: Duration of the workout in minutes
        weight_kg: Body weight in kilograms

    Returns:
        The energy spent in kilocalories.

    Raises:
        ValueError: If the duration or the weight is not positive.
    """
    _require(0 < duration_minutes < math.inf, "duration_minutes must be positive")
    _require(0 < weight_kg < math.inf, "weight_kg must be positive")
    _require(activity in _METS, f"activity must be one of {', '.join(_METS)}")
    # kcal per minute = MET * 3.5 * kg / 200.
    calories = _METS[activity] * 3.5 * weight_kg / 200 * duration_minutes
    _require(math.isfinite(calories), "duration_minutes and weight_kg are too large")
    return round(calories, 1)


def list_heart_rate_zones(
    age_years: Annotated[int, Field(ge=10, le=100)],
    resting_heart_rate: Annotated[int, Field(ge=30, le=110)] = 60,
) -> dict[str, list[int]]:
    """List the heart rate training zones for a person.

    Queries:
        What are the heart rate zones at age {age_years#}[ with a resting pulse of {resting_heart_rate}]?
        I'm {age_years} old[ with a resting pulse of {resting_heart_rate}] and getting into running. What are my training zones?
        List the pulse zones for training at the age of {age_years#}[, resting heart rate {resting_heart_rate}].
        My watch wants my training zones. I'm {age_years#}[ and at rest my heart beats {resting_heart_rate} a minute].

    Args:
        age_years: Age of the person in years
        resting_heart_rate: Heart rate at rest in beats per minute

    Returns:
        The lowest and highest heart rate of each training zone.

    Raises:
        ValueError: If the age or the resting heart rate is out of range.
    """
    _require(10 <= age_years <= 100, "age_years must be between 10 and 100")
    _require(30 <= resting_heart_rate <= 110, "resting_heart_rate must be between 30 and 110")
    # Tanaka's maximum heart rate, and Karvonen's share of the heart rate reserve.
    reserve = 208 - 0.7 * age_years - resting_heart_rate

    def rate_at(percent: int) -> int:
        return round(resting_heart_rate + reserve * percent / 100)

    return {zone: [rate_at(percent), rate_at(percent + 10)] for zone, percent in _ZONES.items()}


def predict_due_date(last_period_date: str, cycle_days: Annotated[int, Field(ge=20, le=45)] = 28) -> dict[str, str]:
    """Predict the due date of a pregnancy.

    Queries:
        When is my baby due if my last period began on {last_period_date}[ and my cycle is {cycle_days}]?
        I'm pregnant, and my last period began on {last_period_date}[, with a usual cycle of {cycle_days}]. What's my due date?
        Work out the due date for a last period that began on {last_period_date}[ and a cycle of {cycle_days}].
        My wife is expecting. Her last period began on {last_period_date}[ and her cycle takes {cycle_days}]. When is the baby due?

    Args:
        last_period_date: First day of the last period as YYYY-MM-DD
        cycle_days: Usual length of the menstrual cycle in days

    Returns:
        The estimated conception date and due date.

    Raises:
        ValueError: If the date is not valid or the cycle length is out of range.
    """
    _require(20 <= cycle_days <= 45, "cycle_days must be between 20 and 45")
    start = _parse_date(last_period_date)
    _require(start.year < 9999, "last_period_date is too late")
    # Naegele's rule: 280 days, corrected for cycles other than 28 days.
    conception = start + timedelta(days=cycle_days - 14)
    return {
        "conception_date": conception.isoformat(),
        "due_date": (conception + timedelta(days=266)).isoformat(),
    }


def schedule_medication_doses(
    medication_name: str,
    first_dose_time: str,
    interval_hours: Annotated[int, Field(ge=1, le=72)],
    dose_count: Annotated[int, Field(ge=1, le=100)],
) -> list[dict[str, str | int]]:
    """Schedule the doses of a medication at regular intervals.

    Queries:
        When do I take {medication_name} if I need {dose_count} doses, {interval_hours} apart, the first at {first_dose_time}?
        I have to take {dose_count} doses of {medication_name}, one every {interval_hours} from {first_dose_time} on. When exactly is each due?
        Schedule {dose_count} doses of {medication_name} every {interval_hours}, starting at {first_dose_time}.
        I take my first {medication_name} at {first_dose_time}, then one every {interval_hours}. Give me the times of all {dose_count} doses.

    Args:
        medication_name: Name of the medication
        first_dose_time: Time of the first dose as HH:MM
        interval_hours: Hours between two doses
        dose_count: Total number of doses

    Returns:
        The day number and the time of each dose.

    Raises:
        ValueError: If the time is not valid, or the interval or the count is out of range.
    """
    _require(1 <= interval_hours <= 72, "interval_hours must be between 1 and 72")
    _require(1 <= dose_count <= 100, "dose_count must be between 1 and 100")
    start = _parse_minutes(first_dose_time)
    moments = [start + index * interval_hours * 60 for index in range(dose_count)]
    return [{"medication": medication_name, "day": moment // 1440 + 1, "time": _clock(moment)} for moment in moments]


def suggest_bedtimes(
    wake_up_time: str, fall_asleep_minutes: Annotated[int, Field(ge=0, le=120)] = 15
) -> list[dict[str, str | float]]:
    """Suggest bedtimes that fit whole sleep cycles before a wake-up time.

    Queries:
        When should I go to bed to get up at {wake_up_time}[ if I need {fall_asleep_minutes} to drop off]?
        My alarm goes at {wake_up_time}[ and I take {fall_asleep_minutes} to fall asleep]. When is a good bedtime?
        Suggest bedtimes that fit whole sleep cycles before {wake_up_time}[, with {fall_asleep_minutes} to doze off].
        I have to be up at {wake_up_time} and don't want to feel groggy. What time should I lie down?

    Args:
        wake_up_time: Time to wake up as HH:MM
        fall_asleep_minutes: Minutes needed to fall asleep

    Returns:
        Bedtimes for six, five and four sleep cycles, with the hours of sleep.

    Raises:
        ValueError: If the time is not valid or the minutes are out of range.
    """
    _require(0 <= fall_asleep_minutes <= 120, "fall_asleep_minutes must be between 0 and 120")
    wake = _parse_minutes(wake_up_time)
    return [
        {
            "bedtime": _clock((wake - fall_asleep_minutes - cycles * _SLEEP_CYCLE_MINUTES) % 1440),
            "sleep_hours": cycles * _SLEEP_CYCLE_MINUTES / 60,
        }
        for cycles in (6, 5, 4)
    ]


def summarize_weight_log(weigh_ins: list[WeighIn], goal_weight_kg: float | None = None) -> dict[str, float | str]:
    """Summarize the progress shown by a log of body weights.

    Queries:
        How is my weight going[ if I'm aiming for {goal_weight_kg}]: {weigh_ins}
        I've been stepping on the scale regularly[ and want to get to {goal_weight_kg}]. How am I doing: {weigh_ins}
        Sum up my weight log[ against a goal of {goal_weight_kg}]: {weigh_ins}
        I'd like to know my weekly pace[ and what's left to reach {goal_weight_kg}] from these weigh-ins: {weigh_ins}

    Args:
        weigh_ins: Dated body weights, in any order
        goal_weight_kg: Target body weight in kilograms

    Returns:
        The period, the change of weight, its weekly pace and what is left to the goal.

    Raises:
        ValueError: If a weight is not positive or fewer than two days are logged.
    """
    log = sorted((_parse_date(entry["date"]), entry["weight_kg"]) for entry in weigh_ins)
    _require(all(0 < weight < math.inf for _, weight in log), "each weight_kg must be positive")
    _require(len({day for day, _ in log}) >= 2, "weigh_ins must cover at least two different days")
    (first_day, first), (last_day, last) = log[0], log[-1]
    summary: dict[str, float | str] = {
        "from_date": first_day.isoformat(),
        "to_date": last_day.isoformat(),
        "change_kg": round(last - first, 2),
        "weekly_change_kg": round((last - first) / (last_day - first_day).days * 7, 2),
    }
    if goal_weight_kg is not None:
        _require(0 < goal_weight_kg < math.inf, "goal_weight_kg must be positive")
        summary["left_to_goal_kg"] = round(goal_weight_kg - last, 2)
    return summary
