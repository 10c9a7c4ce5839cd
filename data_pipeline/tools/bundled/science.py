"""Science tools: small calculations from chemistry, physics and genetics."""

import math
from itertools import product
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "combine_circuit_resistors",
    "estimate_buffer_ph",
    "estimate_remaining_isotope",
    "find_sound_wavelength",
    "locate_center_of_mass",
    "plan_serial_dilution",
    "predict_genetic_cross",
]

# Half-lives in days (NUBASE2020, rounded).
_HALF_LIFE_DAYS = {
    "carbon-14": 5700 * 365.25,
    "cesium-137": 30.04 * 365.25,
    "cobalt-60": 5.271 * 365.25,
    "iodine-131": 8.025,
    "technetium-99m": 6.007 / 24,
    "tritium": 12.32 * 365.25,
}
# Speed of sound in m/s at about 20 °C (in steel: longitudinal waves).
_SOUND_SPEED = {"air": 343.0, "helium": 1007.0, "fresh water": 1482.0, "sea water": 1522.0, "steel": 5960.0}


class PointMass(TypedDict):
    """A body on a plane, taken as a point."""

    mass_kg: Annotated[float, Field(gt=0, description="Mass in kilograms")]
    x_m: Annotated[float, Field(description="Horizontal position in meters")]
    y_m: Annotated[float, Field(description="Vertical position in meters")]


def _significant(value: float, digits: int = 6) -> float:
    """Round to a number of significant digits."""
    return float(f"{value:.{digits}g}")


def combine_circuit_resistors(
    resistances_ohm: list[float],
    wiring: Literal["series", "parallel"] = "series",
    supply_volts: float | None = None,
) -> dict[str, float]:
    """Combine resistors wired in series or parallel into one total resistance.

    Queries:
        What's the total resistance of these resistors[ in {wiring}][, and the current at {supply_volts}], values in ohms: {resistances_ohm}
        I'm wiring up these resistors[ in {wiring}] and need their combined value, in ohms: {resistances_ohm}
        Combine the following resistors[ in {wiring}][, fed with {supply_volts}], given in ohms: {resistances_ohm}
        What do these resistors come to in ohms[, wired in {wiring}][, and how much power do they draw at {supply_volts}]: {resistances_ohm}

    Args:
        resistances_ohm: Resistance of each resistor in ohms
        wiring: How the resistors are connected
        supply_volts: Voltage across the circuit, to get current and power too

    Returns:
        The total resistance in ohms and, with a voltage, the current in amperes and power in watts.

    Raises:
        ValueError: If there is no resistor or one has less than a millionth of an ohm.
    """
    if not resistances_ohm or min(resistances_ohm) < 1e-6:
        raise ValueError("Give at least one resistor, each of at least 0.000001 ohm.")
    if wiring == "series":
        total = math.fsum(resistances_ohm)
    else:
        total = 1 / math.fsum(1 / resistance for resistance in resistances_ohm)
    result = {"total_ohm": _significant(total)}
    if supply_volts is not None:
        result["current_a"] = _significant(supply_volts / total)
        result["power_w"] = _significant(supply_volts**2 / total)
    return result


def estimate_buffer_ph(pka: Annotated[float, Field(ge=-2, le=16)], acid_molarity: float, base_molarity: float) -> float:
    """Estimate the pH of a buffer of a weak acid and its conjugate base.

    Queries:
        What pH does a buffer of {acid_molarity#} M weak acid and {base_molarity#} M conjugate base have at pKa {pka#}?
        I'm mixing a buffer: {base_molarity#} M conjugate base, {acid_molarity#} M acid, pKa {pka#}. What pH will I get?
        Estimate the pH for pKa {pka#}, acid at {acid_molarity#} mol/L and conjugate base at {base_molarity#} mol/L.
        My weak acid has pKa {pka#} and is at {acid_molarity#} M, its conjugate base at {base_molarity#} M. How acidic is the buffer?

    Args:
        pka: Acid dissociation constant pKa of the weak acid
        acid_molarity: Concentration of the acid in mol per liter
        base_molarity: Concentration of the conjugate base in mol per liter

    Returns:
        The pH with two decimals.

    Raises:
        ValueError: If a concentration is not positive.
    """
    if acid_molarity <= 0 or base_molarity <= 0:
        raise ValueError("Both concentrations must be greater than zero.")
    # Henderson-Hasselbalch equation.
    return round(pka + math.log10(base_molarity) - math.log10(acid_molarity), 2)


def estimate_remaining_isotope(
    isotope: Literal["carbon-14", "cesium-137", "cobalt-60", "iodine-131", "technetium-99m", "tritium"],
    initial_amount_g: float,
    elapsed_days: float,
) -> dict[str, float]:
    """Estimate how much of a radioactive isotope is left after some days.

    Queries:
        How much is left of {initial_amount_g} of {isotope} after {elapsed_days}?
        Our lab put away {initial_amount_g} of {isotope}, and that was {elapsed_days} ago. How much hasn't decayed yet?
        Work out what remains after {elapsed_days} from the {isotope} sample of {initial_amount_g}.
        Decay of {isotope}: {initial_amount_g} at the start, what's still there after {elapsed_days}?

    Args:
        isotope: Name of the isotope
        initial_amount_g: Amount at the beginning in grams
        elapsed_days: Time passed in days

    Returns:
        The amount left in grams, the part decayed in percent, and the half-lives passed.

    Raises:
        ValueError: If the amount or the time is negative.
    """
    if initial_amount_g < 0 or elapsed_days < 0:
        raise ValueError("The initial amount and the elapsed time must not be negative.")
    half_lives = elapsed_days / _HALF_LIFE_DAYS[isotope]
    fraction = 0.5**half_lives
    return {
        "remaining_g": _significant(initial_amount_g * fraction),
        "decayed_percent": round(100 * (1 - fraction), 4),
        "half_lives": _significant(half_lives),
    }


def find_sound_wavelength(
    frequency_hz: float, medium: Literal["air", "helium", "fresh water", "sea water", "steel"] = "air"
) -> dict[str, float]:
    """Find the wavelength of a sound in a medium such as air or water.

    Queries:
        How long is a sound wave of {frequency_hz}[ in {medium}]?
        I'm building a sonar that pings at {frequency_hz}[ through {medium}]. What wavelength do its sound waves have?
        Find the wavelength of a tone at {frequency_hz}[ traveling through {medium}].
        There's a hum at {frequency_hz} that bothers me. What's its wavelength?

    Args:
        frequency_hz: Frequency of the sound in hertz
        medium: Medium the sound travels through, at about 20 degrees Celsius

    Returns:
        The wavelength in meters, the period in milliseconds and the speed of sound in m/s.

    Raises:
        ValueError: If the frequency is below 0.001 hertz.
    """
    if frequency_hz < 0.001:
        raise ValueError("The frequency must be at least 0.001 hertz.")
    speed = _SOUND_SPEED[medium]
    return {
        "wavelength_m": _significant(speed / frequency_hz, 5),
        "period_ms": _significant(1000 / frequency_hz, 5),
        "speed_m_s": speed,
    }


def locate_center_of_mass(bodies: list[PointMass]) -> dict[str, float]:
    """Locate the center of mass of bodies on a plane.

    Queries:
        Where is the center of mass of these bodies: {bodies}
        I'm loading a platform and want to know the point where it balances. The loads are {bodies}
        Locate the common center of mass for {bodies}
        Balance point and total mass of the following objects: {bodies}

    Args:
        bodies: Mass and position of each body

    Returns:
        The coordinates of the center in meters and the total mass in kilograms.

    Raises:
        ValueError: If there is no body or a mass is not positive.
    """
    if not bodies or any(body["mass_kg"] <= 0 for body in bodies):
        raise ValueError("Give at least one body, each with a mass greater than zero.")
    total = math.fsum(body["mass_kg"] for body in bodies)
    return {
        "x_m": round(math.fsum(body["mass_kg"] * body["x_m"] for body in bodies) / total, 4),
        "y_m": round(math.fsum(body["mass_kg"] * body["y_m"] for body in bodies) / total, 4),
        "total_mass_kg": _significant(total),
    }


def plan_serial_dilution(
    start_concentration: float,
    tube_volume_ml: float,
    dilution_factor: Annotated[float, Field(gt=1, le=1000)] = 10,
    steps: Annotated[int, Field(ge=1, le=20)] = 5,
) -> dict[str, float | list[float]]:
    """Plan a serial dilution of a stock solution.

    Queries:
        How do I dilute stock with a concentration of {start_concentration} stepwise[, {dilution_factor#}-fold each time,] with {tube_volume_ml} in each tube?
        My assay needs a dilution series with {tube_volume_ml} a tube, from stock at a concentration of {start_concentration}. How much do I transfer each time?
        Plan my[ {steps#}-step][ {dilution_factor#}-fold] dilution series from a stock concentration of {start_concentration}, with {tube_volume_ml} in each tube.
        I'm doing a serial dilution in tubes of {tube_volume_ml}, the stock has a concentration of {start_concentration}[ and I go on to step {steps#}]. What do I pass on each time?

    Args:
        start_concentration: Concentration of the stock solution, in any unit
        tube_volume_ml: Volume prepared in each tube in milliliters
        dilution_factor: Factor by which each step dilutes the previous one
        steps: Number of dilution steps

    Returns:
        The volume to transfer and the diluent a tube, and the concentration after each step.

    Raises:
        ValueError: If an amount is not positive, the factor not above 1, or the steps not 1 to 20.
    """
    if start_concentration <= 0 or tube_volume_ml <= 0:
        raise ValueError("The concentration and the tube volume must be greater than zero.")
    if dilution_factor <= 1 or not 1 <= steps <= 20:
        raise ValueError("The dilution factor must be above 1 and the steps between 1 and 20.")
    transfer = tube_volume_ml / dilution_factor
    return {
        "transfer_ml": _significant(transfer),
        "diluent_ml": _significant(tube_volume_ml - transfer),
        "concentrations": [_significant(start_concentration / dilution_factor**n) for n in range(1, steps + 1)],
    }


def predict_genetic_cross(
    first_parent: Literal["AA", "Aa", "aa"], second_parent: Literal["AA", "Aa", "aa"]
) -> dict[str, float]:
    """Predict the offspring of two parents for one gene with a Punnett square.

    Queries:
        What offspring can I expect when {first_parent} is crossed with {second_parent}?
        I'm breeding rabbits, one {first_parent} and the other {second_parent}. What share shows the dominant trait?
        Do the Punnett square for a cross of {first_parent} with {second_parent}.
        Genotype percentages from {first_parent} x {second_parent}?

    Args:
        first_parent: Genotype of one parent, A dominant and a recessive
        second_parent: Genotype of the other parent, A dominant and a recessive

    Returns:
        The percentage of each genotype, and of offspring that show the dominant trait.
    """
    genotypes = ["".join(sorted(pair)) for pair in product(first_parent, second_parent)]
    shares = {genotype: 25.0 * genotypes.count(genotype) for genotype in ("AA", "Aa", "aa")}
    return {**shares, "dominant_trait": 100.0 - shares["aa"]}
