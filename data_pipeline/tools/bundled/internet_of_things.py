"""Internet of things: sensors, readings, radio, thermostats, watering and device upkeep."""

import math
import statistics
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "calculate_irrigation_time",
    "calculate_lora_airtime",
    "calibrate_sensor_reading",
    "check_condensation_risk",
    "decide_thermostat_action",
    "estimate_sensor_battery_life",
    "find_outlier_readings",
    "list_devices_needing_service",
]

_CODING_RATES = {"4/5": 5, "4/6": 6, "4/7": 7, "4/8": 8}
_USABLE_CHARGE = 0.85  # the rest is lost to self-discharge and to the voltage sinking too low
_AWAY_TOLERANCE_C = 2.0

_Value = Annotated[float, Field(ge=-1e6, le=1e6)]


class Device(TypedDict):
    """A battery-powered device and when it was last heard of."""

    name: Annotated[
        str, Field(description="Name of the device", examples=["hallway motion sensor", "garden valve", "attic sensor"])
    ]
    battery_percent: Annotated[float, Field(ge=0, le=100, description="Charge of the battery in percent")]
    silence_hours: Annotated[float, Field(ge=0, description="Hours since the last message", examples=[0.5, 3, 30, 72])]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def calculate_irrigation_time(
    soil_moisture_percent: Annotated[float, Field(ge=0, le=60, examples=[8, 12, 15.5, 18])],
    target_moisture_percent: Annotated[float, Field(ge=0, le=60, examples=[25, 28, 32])],
    bed_area_m2: Annotated[float, Field(gt=0, le=10_000)],
    flow_liters_per_minute: Annotated[float, Field(gt=0, le=1000)],
    root_depth_cm: Annotated[float, Field(ge=5, le=100, examples=[15, 20, 30])] = 20.0,
) -> dict[str, float]:
    """Calculate the time to water a garden bed until its soil is moist enough.

    Queries:
        How long do I water {bed_area_m2} at {flow_liters_per_minute#} liters a minute to get from {soil_moisture_percent} soil moisture to {target_moisture_percent}[, {root_depth_cm} deep]?
        My bed of {bed_area_m2} is at {soil_moisture_percent} moisture; I want {target_moisture_percent} and the hose gives {flow_liters_per_minute#} liters a minute. How long should it run?
        Work out how long to water {bed_area_m2} with {flow_liters_per_minute#} liters a minute to raise soil moisture from {soil_moisture_percent} to {target_moisture_percent}.
        Drip irrigation at {flow_liters_per_minute#} l/min on {bed_area_m2}: how long from {soil_moisture_percent} soil moisture to {target_moisture_percent}[ down to {root_depth_cm}]?

    Args:
        soil_moisture_percent: Water in the soil now, in percent of its volume
        target_moisture_percent: Water wanted in the soil, in percent of its volume
        bed_area_m2: Area of the bed in square meters
        flow_liters_per_minute: Flow of the irrigation in liters per minute
        root_depth_cm: Depth of soil to moisten in centimeters

    Returns:
        The water needed in liters and the minutes it takes, both 0 if the soil is moist enough.

    Raises:
        ValueError: If a moisture, the area, the flow or the depth is out of range.
    """
    moistures = (soil_moisture_percent, target_moisture_percent)
    _require(min(moistures) >= 0 and max(moistures) <= 60, "Soil moistures must be between 0 and 60 percent.")
    _require(0 < bed_area_m2 <= 10_000, "The area must be above 0 and at most 10000 square meters.")
    _require(0 < flow_liters_per_minute <= 1000, "The flow must be above 0 and at most 1000 liters per minute.")
    _require(5 <= root_depth_cm <= 100, "The root depth must be between 5 and 100 centimeters.")
    missing = max(target_moisture_percent - soil_moisture_percent, 0.0) / 100
    liters = missing * bed_area_m2 * root_depth_cm * 10  # 1 cm of water on 1 m² is 10 liters
    return {"water_liters": round(liters, 1), "minutes": round(liters / flow_liters_per_minute, 1)}


def calculate_lora_airtime(
    payload_bytes: Annotated[int, Field(ge=1, le=222, examples=[8, 12, 20, 51])],
    spreading_factor: Annotated[int, Field(ge=7, le=12)],
    bandwidth_khz: Literal["125", "250", "500"] = "125",
    coding_rate: Literal["4/5", "4/6", "4/7", "4/8"] = "4/5",
) -> dict[str, float | int]:
    """Calculate the airtime of a LoRa radio message.

    Queries:
        How long is a LoRa packet of {payload_bytes} on air at spreading factor {spreading_factor#}[ and a bandwidth of {bandwidth_khz#} kHz]?
        My probe sends {payload_bytes} by LoRa at SF {spreading_factor#}[, with a coding rate of {coding_rate}]. How long is each message on air?
        Work out LoRa airtime for spreading factor {spreading_factor#} and {payload_bytes}[, coding rate {coding_rate}].
        LoRa airtime at SF {spreading_factor#} for {payload_bytes}[, with {bandwidth_khz#} kHz of bandwidth][, at coding rate {coding_rate}]?

    Args:
        payload_bytes: Length of the payload in bytes
        spreading_factor: Spreading factor of the signal
        bandwidth_khz: Bandwidth of the channel in kilohertz
        coding_rate: Coding rate of the error correction

    Returns:
        The airtime in milliseconds and the messages an hour that fill 1 percent of the air.

    Raises:
        ValueError: If the payload is not 1 to 222 bytes or the spreading factor is not 7 to 12.
    """
    _require(1 <= payload_bytes <= 222, "The payload must be 1 to 222 bytes long.")
    _require(7 <= spreading_factor <= 12, "The spreading factor must be between 7 and 12.")
    symbol_ms = 2**spreading_factor / int(bandwidth_khz)
    # Explicit header, checksum, a preamble of 8 symbols, and the slow mode beyond 16 ms a symbol.
    slow = 2 if symbol_ms > 16 else 0
    blocks = math.ceil((8 * payload_bytes - 4 * spreading_factor + 44) / (4 * (spreading_factor - slow)))
    symbols = 12.25 + 8 + blocks * _CODING_RATES[coding_rate]
    airtime_ms = symbols * symbol_ms
    return {"airtime_ms": round(airtime_ms, 3), "messages_per_hour": int(36_000 // airtime_ms)}


def calibrate_sensor_reading(
    raw_reading: _Value,
    first_raw_value: Annotated[_Value, Field(examples=[0, 4, 102])],
    first_true_value: Annotated[_Value, Field(examples=[0, 5, 20])],
    second_raw_value: Annotated[_Value, Field(examples=[512, 870, 1023])],
    second_true_value: Annotated[_Value, Field(examples=[50, 80, 100])],
) -> dict[str, float]:
    """Calibrate a sensor reading on a line through two reference points.

    Queries:
        What does a reading of {raw_reading#} really mean if my sensor shows {first_raw_value#} at a true {first_true_value#} and {second_raw_value#} at a true {second_true_value#}?
        My probe says {first_raw_value} instead of {first_true_value} and {second_raw_value} instead of {second_true_value}. Now it shows {raw_reading}. What's the real value?
        Correct the sensor reading {raw_reading#}, knowing that raw {first_raw_value#} stands for {first_true_value#} and raw {second_raw_value#} for {second_true_value#}.
        Calibration points: actual {first_true_value#} came out as raw {first_raw_value#}, actual {second_true_value#} as raw {second_raw_value#}. Convert a raw {raw_reading#} for me.

    Args:
        raw_reading: Reading to correct
        first_raw_value: Reading at the first reference point
        first_true_value: True value at the first reference point
        second_raw_value: Reading at the second reference point
        second_true_value: True value at the second reference point

    Returns:
        The corrected value, and the slope and offset of the line.

    Raises:
        ValueError: If both reference points have the same reading, or a number is out of range.
    """
    values = (raw_reading, first_raw_value, first_true_value, second_raw_value, second_true_value)
    _require(max(map(abs, values)) <= 1e6, "All readings and values must be between -1000000 and 1000000.")
    _require(abs(second_raw_value - first_raw_value) >= 1e-6, "The two reference points must have different readings.")
    slope = (second_true_value - first_true_value) / (second_raw_value - first_raw_value)
    offset = first_true_value - slope * first_raw_value
    results = {"corrected_value": (slope * raw_reading + offset, 3), "slope": (slope, 6), "offset": (offset, 3)}
    return {name: round(value, digits) + 0.0 for name, (value, digits) in results.items()}


def check_condensation_risk(
    air_temperature_c: Annotated[float, Field(ge=-40, le=60)],
    humidity_percent: Annotated[float, Field(ge=1, le=100)],
    surface_temperature_c: Annotated[float, Field(ge=-40, le=60)],
    margin_c: Annotated[float, Field(ge=0, le=10)] = 2.0,
) -> dict[str, float | str]:
    """Check whether moisture will condense on a cold surface such as a pipe or window.

    Queries:
        Will a pipe at {surface_temperature_c} sweat in air of {air_temperature_c} and {humidity_percent} humidity?
        Our cellar air is at {air_temperature_c} with {humidity_percent} humidity, the outer wall at {surface_temperature_c}. Will it get damp[, with a safety margin of {margin_c}]?
        Check whether dew forms on a window at {surface_temperature_c} when the air is at {air_temperature_c} with {humidity_percent} humidity.
        At {humidity_percent} humidity and an air temperature of {air_temperature_c}, is glass at {surface_temperature_c} going to fog up[, with a margin of {margin_c}]?

    Args:
        air_temperature_c: Temperature of the air in degrees Celsius
        humidity_percent: Relative humidity of the air in percent
        surface_temperature_c: Temperature of the surface in degrees Celsius
        margin_c: Distance from the dew point below which to warn, in degrees Celsius

    Returns:
        The dew point in degrees Celsius and the alarm: none, warning or condensation.

    Raises:
        ValueError: If a temperature, the humidity or the margin is out of range.
    """
    temperatures = (air_temperature_c, surface_temperature_c)
    _require(min(temperatures) >= -40 and max(temperatures) <= 60, "Temperatures must be between -40 and 60 °C.")
    _require(1 <= humidity_percent <= 100, "The humidity must be between 1 and 100 percent.")
    _require(0 <= margin_c <= 10, "The margin must be between 0 and 10 °C.")
    # Magnus formula with the constants of Sonntag.
    gamma = math.log(humidity_percent / 100) + 17.62 * air_temperature_c / (243.12 + air_temperature_c)
    dew_point = round(243.12 * gamma / (17.62 - gamma), 1) + 0.0
    above = round(surface_temperature_c - dew_point, 6)
    return {
        "dew_point_c": dew_point,
        "alarm": "condensation" if above <= 0 else "warning" if above <= margin_c else "none",
    }


def decide_thermostat_action(
    room_temperature_c: Annotated[float, Field(ge=-30, le=50, examples=[17.5, 19, 21.5, 24])],
    target_temperature_c: Annotated[float, Field(ge=5, le=35, examples=[18, 20.5, 21])],
    mode: Literal["heating", "cooling", "auto"],
    tolerance_c: Annotated[float, Field(ge=0, le=5, examples=[0.3, 1])] = 0.5,
    away: bool = False,
) -> dict[str, str | float]:
    """Decide whether a smart thermostat should heat, cool or stay idle.

    Queries:
        Set to {mode}, what should my thermostat do in a room at {room_temperature_c} if I want {target_temperature_c}?
        I like {target_temperature_c} at home and it's {room_temperature_c} now. Should the thermostat on {mode} kick in[, give or take {tolerance_c}][?away:, now that nobody's home]?
        Decide what a thermostat on {mode} should do when the room is at {room_temperature_c} and {target_temperature_c} is wanted[?away:, with the house empty].
        The room is at {room_temperature_c}, I want {target_temperature_c} and the thermostat is on {mode}[, with a tolerance of {tolerance_c}]. Heat, cool or wait?

    Args:
        room_temperature_c: Temperature of the room in degrees Celsius
        target_temperature_c: Temperature wanted in degrees Celsius
        mode: What the thermostat may do
        tolerance_c: Deviation allowed either way in degrees Celsius
        away: Whether nobody is at home, which allows 2 degrees more

    Returns:
        The action and how far the room is above the target in degrees Celsius.

    Raises:
        ValueError: If a temperature or the tolerance is out of range.
    """
    _require(-30 <= room_temperature_c <= 50, "The room temperature must be between -30 and 50 °C.")
    _require(5 <= target_temperature_c <= 35, "The target temperature must be between 5 and 35 °C.")
    _require(0 <= tolerance_c <= 5, "The tolerance must be between 0 and 5 °C.")
    above = round(room_temperature_c - target_temperature_c, 6) + 0.0
    allowed = tolerance_c + (_AWAY_TOLERANCE_C if away else 0.0)
    action = "heat" if above < -allowed and mode != "cooling" else "cool" if above > allowed else "idle"
    return {"action": "idle" if action == "cool" and mode == "heating" else action, "above_target_c": above}


def estimate_sensor_battery_life(
    battery_mah: Annotated[float, Field(ge=10, le=100_000, examples=[220, 1200, 2400, 3000])],
    sleep_microamps: Annotated[float, Field(ge=0, le=10_000, examples=[2, 5, 15, 40])],
    active_milliamps: Annotated[float, Field(ge=0.01, le=2000, examples=[12, 45, 120])],
    seconds_per_reading: Annotated[float, Field(ge=0.01, le=3600, examples=[0.5, 2, 5])],
    readings_per_hour: Annotated[float, Field(ge=0.01, le=3600)],
) -> dict[str, float]:
    """Estimate the battery life of a sensor that sleeps between its readings.

    Queries:
        How long does {battery_mah} last a sensor drawing {sleep_microamps#} µA asleep and {active_milliamps#} mA awake, for {seconds_per_reading#} s {readings_per_hour#}x an hour?
        My logger sleeps at {sleep_microamps#} µA and measures {readings_per_hour#}x an hour for {seconds_per_reading#} s at {active_milliamps#} mA. How many days will {battery_mah} last?
        Estimate a sensor's battery life on {battery_mah}: {sleep_microamps#} µA idle, {active_milliamps#} mA for {seconds_per_reading#} s per measurement, {readings_per_hour#}x an hour.
        When is a battery of {battery_mah} flat if a sensor takes {active_milliamps#} mA for {seconds_per_reading#} s, {readings_per_hour#}x an hour, and {sleep_microamps#} µA in between?

    Args:
        battery_mah: Capacity of the battery in mAh
        sleep_microamps: Consumption asleep in microamperes
        active_milliamps: Consumption awake in milliamperes
        seconds_per_reading: Seconds that the sensor is awake for each reading
        readings_per_hour: Readings per hour

    Returns:
        The average current in milliamperes and the life in days, with 85 percent of the charge usable.

    Raises:
        ValueError: If a value is out of range, or the readings of an hour take longer than an hour.
    """
    _require(10 <= battery_mah <= 100_000, "The battery must hold 10 to 100000 milliampere-hours.")
    _require(0 <= sleep_microamps <= 10_000, "The sleep current must be between 0 and 10000 microamperes.")
    _require(0.01 <= active_milliamps <= 2000, "The active current must be between 0.01 and 2000 milliamperes.")
    _require(min(seconds_per_reading, readings_per_hour) >= 0.01, "Seconds and readings must be at least 0.01.")
    awake = round(seconds_per_reading * readings_per_hour / 3600, 9)
    _require(awake <= 1, "The readings of an hour take longer than an hour.")
    average_ma = active_milliamps * awake + sleep_microamps / 1000 * (1 - awake)
    hours = battery_mah * _USABLE_CHARGE / average_ma
    return {"average_current_ma": round(average_ma, 4), "battery_life_days": round(hours / 24, 1)}


def find_outlier_readings(
    readings: Annotated[
        list[_Value], Field(min_length=3, examples=[[21.1, 21.3, 20.9, 35, 21.2], [402, 398, 405, 12]])
    ],
    threshold: Annotated[float, Field(ge=1, le=10, examples=[2.5, 3, 5])] = 3.5,
) -> dict[str, float | list[float]]:
    """Find the readings of a sensor that deviate too much from the others.

    Queries:
        Which of these sensor values are too far off from the rest[, with a cutoff of {threshold}]: {readings}
        My thermometer glitches now and then. Pick out the odd readings[, with a deviation limit of {threshold}]: {readings}
        Find the outliers in this sensor log[ at a threshold of {threshold}]: {readings}
        I suspect spikes in my data and need the average without them: {readings}

    Args:
        readings: Readings of the sensor
        threshold: Deviation beyond which a reading is an outlier, in robust standard deviations

    Returns:
        The median, the outliers in their order and the average of the other readings.

    Raises:
        ValueError: If there are fewer than 3 readings, or one or the threshold is out of range.
    """
    _require(len(readings) >= 3, "At least 3 readings are needed.")
    _require(max(map(abs, readings)) <= 1e6, "All readings must be between -1000000 and 1000000.")
    _require(1 <= threshold <= 10, "The threshold must be between 1 and 10.")
    median = statistics.median(readings)
    # The median deviation times 1.4826 estimates the standard deviation, whatever the outliers are.
    spread = 1.4826 * statistics.median(abs(value - median) for value in readings)
    usual = [value for value in readings if abs(value - median) <= threshold * spread]
    outliers = [value for value in readings if abs(value - median) > threshold * spread]
    return {"median": round(median, 3), "outliers": outliers, "usual_average": round(statistics.fmean(usual), 3)}


def list_devices_needing_service(
    devices: list[Device],
    lowest_battery_percent: Annotated[float, Field(ge=0, le=100)] = 20.0,
    longest_silence_hours: Annotated[float, Field(gt=0, examples=[6, 12, 48])] = 24.0,
) -> list[dict[str, str | list[str]]]:
    """List the smart devices that need a new battery or have gone silent.

    Queries:
        Which of these have a weak battery[ (under {lowest_battery_percent})] or have been silent for too long[ (over {longest_silence_hours})]: {devices}
        I'm about to do my maintenance round. Which gadgets are low on power or stopped reporting: {devices}
        List the sensors that are low on charge[, below {lowest_battery_percent},] or gone quiet: {devices}
        Which devices need a new battery or lost contact[ for over {longest_silence_hours}]: {devices}

    Args:
        devices: Devices with their battery charge and silence
        lowest_battery_percent: Charge below which a battery is to be changed, in percent
        longest_silence_hours: Silence beyond which a device counts as lost, in hours

    Returns:
        The name of each device to look after, and why.

    Raises:
        ValueError: If a charge is not 0 to 100 percent, or a silence or a limit is out of range.
    """
    _require(0 <= lowest_battery_percent <= 100, "The lowest battery charge must be between 0 and 100 percent.")
    _require(longest_silence_hours > 0, "The longest silence must be greater than zero.")
    found: list[dict[str, str | list[str]]] = []
    for device in devices:
        charge, silence = device["battery_percent"], device["silence_hours"]
        _require(0 <= charge <= 100, f"The battery of {device['name']!r} must be between 0 and 100 percent.")
        _require(silence >= 0, f"The silence of {device['name']!r} cannot be negative.")
        reasons = ["low battery"] * (charge < lowest_battery_percent) + ["silent"] * (silence > longest_silence_hours)
        if reasons:
            found.append({"name": device["name"], "reasons": reasons})
    return found
