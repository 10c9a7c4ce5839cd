"""Energy: electricity use and tariffs, solar panels, batteries, charging and heat loss."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "calculate_appliance_cost",
    "calculate_wall_heat_loss",
    "compare_electricity_tariffs",
    "estimate_ev_charging_time",
    "estimate_solar_output",
    "find_biggest_consumers",
    "size_backup_battery",
]

_ROOF_FACTOR = {"south": 1.0, "east": 0.83, "west": 0.83, "north": 0.6, "flat": 0.88}
_USABLE_CHARGE = {"lithium": 0.8, "lead_acid": 0.5}


class Appliance(TypedDict):
    """A household appliance: its name, power in watts and hours of use a day."""

    name: str
    power_watts: float
    hours_per_day: float


def calculate_appliance_cost(
    power_watts: float,
    hours_per_day: Annotated[float, Field(ge=0, le=24)],
    price_per_kwh: float,
    days: Annotated[int, Field(ge=1)] = 30,
) -> dict[str, float]:
    """Calculate what it costs to run an electrical appliance.

    Queries:
        What does it cost to run a heater of {power_watts} for {hours_per_day#} hours a day[ over {days}] if electricity is {price_per_kwh#} a kWh?
        My PC draws {power_watts} and runs {hours_per_day#} hours a day. At {price_per_kwh#} a kWh, what do I pay[ in {days}]?
        Work out what an appliance of {power_watts} costs me[ over {days}] when it's on {hours_per_day#} hours daily and a kWh is {price_per_kwh#}.
        Electricity is {price_per_kwh#} per kWh here. What will something that uses {power_watts} cost me[ in {days}] if it's on for {hours_per_day#} hours every day?

    Args:
        power_watts: Power of the appliance in watts
        hours_per_day: Hours of use a day
        price_per_kwh: Price of one kilowatt-hour
        days: Number of days of use

    Returns:
        The energy used in kilowatt-hours and its cost.

    Raises:
        ValueError: If a value is negative, or the hours a day are more than 24.
    """
    if min(power_watts, price_per_kwh, days) < 0:
        raise ValueError("The power, the price and the number of days cannot be negative.")
    if not 0 <= hours_per_day <= 24:
        raise ValueError("The hours of use must be between 0 and 24 a day.")
    energy_kwh = power_watts * hours_per_day * days / 1000
    return {"energy_kwh": round(energy_kwh, 3), "cost": round(energy_kwh * price_per_kwh, 2)}


def calculate_wall_heat_loss(
    area_m2: float,
    u_value: float,
    indoor_temperature_c: float,
    outdoor_temperature_c: float,
    hours: float = 24.0,
) -> dict[str, float]:
    """Calculate the heat lost through a wall, roof or window.

    Queries:
        How much heat escapes[ in {hours}] through {area_m2} of wall with a U-value of {u_value} when it's {indoor_temperature_c} inside and {outdoor_temperature_c} outside?
        It's {outdoor_temperature_c} outside and {indoor_temperature_c} in the house. How much heat do I lose[ over {hours}] through my roof of {area_m2} if its U-value is {u_value}?
        Work out the heat loss of {area_m2} of wall[ over {hours}]: its U-value is {u_value}, the room is kept at {indoor_temperature_c}, and outdoors it's {outdoor_temperature_c}.
        My windows have a U-value of {u_value} and cover {area_m2} in all. How much heat gets out[ in {hours}] at {outdoor_temperature_c} outside and {indoor_temperature_c} inside?

    Args:
        area_m2: Area of the surface in square metres
        u_value: Thermal transmittance in W/m²K
        indoor_temperature_c: Indoor temperature in degrees Celsius
        outdoor_temperature_c: Outdoor temperature in degrees Celsius
        hours: Length of the period in hours

    Returns:
        The rate of loss in watts and the loss in kilowatt-hours; negative when heat comes in.

    Raises:
        ValueError: If the area, the u-value or the hours are negative.
    """
    if min(area_m2, u_value, hours) < 0:
        raise ValueError("The area, the u-value and the hours cannot be negative.")
    watts = area_m2 * u_value * (indoor_temperature_c - outdoor_temperature_c)
    return {"heat_loss_watts": round(watts, 1), "heat_loss_kwh": round(watts * hours / 1000, 2)}


def compare_electricity_tariffs(
    day_kwh: float,
    night_kwh: float,
    flat_price_per_kwh: float,
    day_price_per_kwh: float,
    night_price_per_kwh: float,
) -> dict[str, float | str]:
    """Compare a flat electricity tariff with a day-and-night tariff.

    Queries:
        I use {day_kwh} by day and {night_kwh} at night. Is a flat {flat_price_per_kwh} per kWh cheaper, or {day_price_per_kwh} by day and {night_price_per_kwh} at night?
        I can pay {flat_price_per_kwh} per kWh all day, or {day_price_per_kwh} by day and {night_price_per_kwh} by night. What's best for {day_kwh} of daytime and {night_kwh} of night use?
        Compare a flat {flat_price_per_kwh} per kWh with {day_price_per_kwh} by day and {night_price_per_kwh} at night, for {day_kwh} used in the daytime and {night_kwh} overnight.
        We use {night_kwh} at night and {day_kwh} by day. Do we save if a kWh costs {night_price_per_kwh} at night and {day_price_per_kwh} by day instead of a flat {flat_price_per_kwh}?

    Args:
        day_kwh: Electricity used by day in kilowatt-hours
        night_kwh: Electricity used by night in kilowatt-hours
        flat_price_per_kwh: Price per kilowatt-hour of the flat tariff
        day_price_per_kwh: Daytime price per kilowatt-hour
        night_price_per_kwh: Night-time price per kilowatt-hour

    Returns:
        The cost under each tariff, the cheaper one and the saving.

    Raises:
        ValueError: If a quantity or a price is negative.
    """
    if min(day_kwh, night_kwh, flat_price_per_kwh, day_price_per_kwh, night_price_per_kwh) < 0:
        raise ValueError("Quantities and prices cannot be negative.")
    flat = round((day_kwh + night_kwh) * flat_price_per_kwh, 2)
    split = round(day_kwh * day_price_per_kwh + night_kwh * night_price_per_kwh, 2)
    return {
        "flat_cost": flat,
        "day_night_cost": split,
        "cheaper": "equal" if flat == split else "flat" if flat < split else "day_night",
        "saving": round(abs(flat - split), 2),
    }


def estimate_ev_charging_time(
    battery_kwh: float,
    charger_kw: float,
    start_percent: Annotated[float, Field(ge=0, le=100)],
    target_percent: Annotated[float, Field(ge=0, le=100)] = 80,
) -> dict[str, float | str]:
    """Estimate how long an electric car needs to charge.

    Queries:
        How long does my car need to charge from {start_percent}[ to {target_percent}] if its battery holds {battery_kwh} and the charger gives {charger_kw}?
        My battery of {battery_kwh} is at {start_percent}. How long do I have to stay plugged in at {charger_kw}[ to reach {target_percent}]?
        Estimate how long a charger of {charger_kw} takes to fill a car battery of {battery_kwh} from {start_percent}[ up to {target_percent}].
        The wallbox gives {charger_kw}, and the car holds {battery_kwh} and is {start_percent} full. How long will it take[ to get to {target_percent}]?

    Args:
        battery_kwh: Usable capacity of the car's battery in kilowatt-hours
        charger_kw: Power of the charger in kilowatts
        start_percent: State of charge at the start in percent
        target_percent: State of charge wanted in percent

    Returns:
        The energy drawn, with a tenth lost in charging, and the time as H:MM.

    Raises:
        ValueError: If the capacity or power is not positive, or the percentages are impossible.
    """
    if battery_kwh <= 0 or charger_kw <= 0:
        raise ValueError("The battery capacity and the charger power must be greater than zero.")
    if not 0 <= start_percent <= target_percent <= 100:
        raise ValueError("The start must not be above the target, and both must be 0 to 100 percent.")
    drawn_kwh = battery_kwh * (target_percent - start_percent) / 100 / 0.9  # 90 % efficient
    hours, minutes = divmod(round(60 * drawn_kwh / charger_kw), 60)
    return {"energy_drawn_kwh": round(drawn_kwh, 2), "charging_time": f"{hours}:{minutes:02d}"}


def estimate_solar_output(
    panel_area_m2: float,
    yearly_sunshine_kwh_m2: float,
    panel_efficiency_percent: Annotated[float, Field(gt=0, le=50)] = 20,
    roof_orientation: Literal["south", "east", "west", "north", "flat"] = "south",
) -> dict[str, float]:
    """Estimate the yearly output of a rooftop solar system.

    Queries:
        What would {panel_area_m2} of solar panels[ on our {roof_orientation} roof] make in a year with {yearly_sunshine_kwh_m2#} kWh of sun per square meter?
        My[ {roof_orientation}] roof fits {panel_area_m2} of panels. How much power would they give a year if we get {yearly_sunshine_kwh_m2#} kWh of sun per square meter?
        Estimate the yearly output of {panel_area_m2} of panels[ that are {panel_efficiency_percent} efficient] where the sun brings {yearly_sunshine_kwh_m2#} kWh per square meter a year.
        We get {yearly_sunshine_kwh_m2#} kWh of sun per square meter a year. What can {panel_area_m2} of panels[ with an efficiency of {panel_efficiency_percent}] produce?

    Args:
        panel_area_m2: Total area of the solar panels in square metres
        yearly_sunshine_kwh_m2: Solar energy received a year in kWh per square metre
        panel_efficiency_percent: Efficiency of the panels in percent
        roof_orientation: Direction the roof faces, in the northern hemisphere

    Returns:
        The peak power in kilowatts and the yearly output in kilowatt-hours.

    Raises:
        ValueError: If the area or the sunshine is negative, or the efficiency is not above 0 to 50.
    """
    if panel_area_m2 < 0 or yearly_sunshine_kwh_m2 < 0:
        raise ValueError("The panel area and the yearly sunshine cannot be negative.")
    if not 0 < panel_efficiency_percent <= 50:
        raise ValueError("The panel efficiency must be above 0 and at most 50 percent.")
    peak_kw = panel_area_m2 * panel_efficiency_percent / 100  # at 1 kW per square metre
    # A performance ratio of 0.8 covers the inverter, cables, dirt and heat.
    yearly_kwh = peak_kw * yearly_sunshine_kwh_m2 * 0.8 * _ROOF_FACTOR[roof_orientation]
    return {"peak_power_kw": round(peak_kw, 2), "yearly_output_kwh": round(yearly_kwh, 1)}


def find_biggest_consumers(
    appliances: list[Appliance], limit: Annotated[int, Field(ge=1)] = 3
) -> list[dict[str, str | float]]:
    """Find which household appliances use the most electricity.

    Queries:
        What's using the most electricity in my home[ (top {limit#})]: {appliances}
        My power bill is far too high. Find the worst[ {limit#}] of these appliances: {appliances}
        Show me which of these eat the most power[, {limit#} at most]: {appliances}
        I'd like to know where our electricity goes, biggest users first[, top {limit#}]: {appliances}

    Args:
        appliances: Appliances with their power and hours of use a day
        limit: Largest number of appliances to return

    Returns:
        The appliances, biggest user first, with energy a day and share of the total.

    Raises:
        ValueError: If a power is negative, hours are not 0 to 24, or the limit is below 1.
    """
    if limit < 1:
        raise ValueError("The limit must be at least 1.")
    usage: list[tuple[float, str]] = []
    for item in appliances:
        if item["power_watts"] < 0 or not 0 <= item["hours_per_day"] <= 24:
            raise ValueError(f"Power cannot be negative and hours must be 0 to 24: {item['name']!r}.")
        usage.append((item["power_watts"] * item["hours_per_day"] / 1000, item["name"]))
    total = sum(kwh for kwh, _ in usage) or 1.0
    usage.sort(key=lambda entry: -entry[0])
    return [
        {"name": name, "daily_kwh": round(kwh, 3), "share_percent": round(100 * kwh / total, 1)}
        for kwh, name in usage[:limit]
    ]


def size_backup_battery(
    load_watts: float,
    backup_hours: float,
    chemistry: Literal["lithium", "lead_acid"],
    system_voltage: Literal["12", "24", "48"] = "12",
) -> dict[str, float]:
    """Work out how large a battery must be to power a load during an outage.

    Queries:
        How big a {chemistry} battery do I need to run {load_watts} for {backup_hours}[ at {system_voltage#} volts]?
        We get blackouts. What size {chemistry} battery[ at {system_voltage#} V] runs {load_watts} for {backup_hours}?
        Size a[ {system_voltage#} V] {chemistry} battery that carries {load_watts} through an outage of {backup_hours}.
        I want {backup_hours} of backup for {load_watts} from {chemistry} batteries[ at {system_voltage#} V]. What capacity do I need?

    Args:
        load_watts: Power of the devices to keep running in watts
        backup_hours: Hours the battery must last
        chemistry: Type of battery, which sets how deeply it may be discharged
        system_voltage: Voltage of the battery bank

    Returns:
        The capacity needed in watt-hours and in ampere-hours.

    Raises:
        ValueError: If the load or the hours are not positive.
    """
    if load_watts <= 0 or backup_hours <= 0:
        raise ValueError("The load and the backup hours must be greater than zero.")
    watt_hours = load_watts * backup_hours / _USABLE_CHARGE[chemistry]
    return {"capacity_wh": round(watt_hours, 1), "capacity_ah": round(watt_hours / int(system_voltage), 1)}
