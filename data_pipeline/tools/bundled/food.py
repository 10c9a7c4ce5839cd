"""Cooking and eating out: recipes, kitchen measures, baking and restaurant bills."""

import math
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "convert_oven_temperature",
    "estimate_roasting_time",
    "list_missing_ingredients",
    "plan_bread_dough",
    "scale_recipe_ingredients",
    "split_restaurant_bill",
    "weigh_ingredient_volume",
]

_GRAMS_PER_CUP = {
    "flour": 120,
    "sugar": 200,
    "brown_sugar": 213,
    "butter": 227,
    "honey": 336,
    "cocoa_powder": 84,
    "rolled_oats": 90,
}
_UNITS_PER_CUP = {"cup": 1, "tablespoon": 16, "teaspoon": 48}
# Minutes per kilogram, extra minutes, safe temperature of the center in degrees Celsius.
_ROASTS = {
    "beef": (40, 20, 63),
    "lamb": (45, 20, 63),
    "pork": (60, 30, 63),
    "chicken": (45, 20, 74),
    "turkey": (30, 60, 74),
}


class Ingredient(TypedDict):
    """A line of a recipe."""

    name: Annotated[str, Field(description="Name of the ingredient")]
    quantity: Annotated[float, Field(description="Quantity in the recipe")]
    unit: Annotated[str, Field(description="Unit of the quantity, such as g or cup")]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _rounded(value: float, digits: int) -> float:
    _require(math.isfinite(value), "the quantities are too large")
    return round(value, digits) + 0.0


def convert_oven_temperature(
    temperature: float, scale: Literal["celsius", "fahrenheit", "gas_mark"]
) -> dict[str, float | None]:
    """Convert an oven temperature between Celsius, Fahrenheit and gas mark.

    Queries:
        What is an oven temperature of {temperature} ({scale}) on the other scales?
        My cookbook is from abroad and gives the oven in {scale}: {temperature}. What's that on the other scales?
        Convert the oven setting {temperature} from {scale} to the other scales.
        The recipe says to bake at {temperature}, in {scale}, but my oven is marked differently. Convert it, please.

    Args:
        temperature: Temperature the oven is set to
        scale: Scale of the given temperature

    Returns:
        The temperature on the three scales, without gas mark if the oven has none for it.

    Raises:
        ValueError: If the gas mark is not between 1 and 10 or the temperature is impossible.
    """
    if scale == "celsius":
        fahrenheit = temperature * 9 / 5 + 32
    elif scale == "fahrenheit":
        fahrenheit = temperature
    else:
        _require(1 <= temperature <= 10, "a gas mark is between 1 and 10")
        fahrenheit = 250 + 25 * temperature
    _require(fahrenheit >= -459.67, "temperature is below absolute zero")
    # Gas mark 1 is 275 degrees Fahrenheit, and each mark adds 25.
    mark = _rounded((fahrenheit - 250) / 25, 0)
    return {
        "celsius": _rounded((fahrenheit - 32) * 5 / 9, 0),
        "fahrenheit": _rounded(fahrenheit, 0),
        "gas_mark": mark if 1 <= mark <= 10 else None,
    }


def estimate_roasting_time(
    meat: Literal["beef", "lamb", "pork", "chicken", "turkey"],
    weight_kg: Annotated[float, Field(gt=0, le=20)],
    stuffed: bool = False,
) -> dict[str, int]:
    """Estimate how long to roast a piece of meat in the oven.

    Queries:
        How long do I roast {weight_kg} of {meat}[?stuffed: with stuffing]?
        I'm making {meat} for the family, {weight_kg} of it[?stuffed:, stuffed]. How long should it stay in the oven?
        Give me the oven time for[?stuffed: stuffed] {meat} weighing {weight_kg}.
        {weight_kg} of[?stuffed: stuffed] {meat} is about to go in the oven. How many minutes does it need?

    Args:
        meat: Kind of meat
        weight_kg: Weight of the meat in kilograms
        stuffed: Whether the meat is stuffed

    Returns:
        The minutes in the oven and the safe temperature of the center in Celsius.

    Raises:
        ValueError: If the weight is out of range or the meat is unknown.
    """
    _require(0 < weight_kg <= 20, "weight_kg must be above 0 and at most 20")
    _require(meat in _ROASTS, f"meat must be one of {', '.join(_ROASTS)}")
    per_kg, extra, center = _ROASTS[meat]
    minutes = per_kg * weight_kg + extra + (20 if stuffed else 0)
    return {"roasting_minutes": round(minutes), "center_temperature_celsius": center}


def list_missing_ingredients(recipe_ingredients: list[str], pantry_items: list[str]) -> list[str]:
    """List the ingredients of a recipe that are not in the pantry.

    Queries:
        What do I still have to buy? The recipe needs {recipe_ingredients}, and I have {pantry_items}.
        I've got {pantry_items} at home and want to cook something with {recipe_ingredients}. What's missing?
        Make me a shopping list: the dish takes {recipe_ingredients}; in the pantry there's {pantry_items}.
        The recipe calls for {recipe_ingredients}. Tell me what I'm out of; my cupboard holds {pantry_items}.

    Args:
        recipe_ingredients: Names of the ingredients the recipe needs
        pantry_items: Names of the ingredients at home

    Returns:
        The ingredients to buy, in the order of the recipe and without repeats.
    """
    seen = {item.strip().casefold() for item in pantry_items}
    missing = []
    for ingredient in recipe_ingredients:
        key = ingredient.strip().casefold()
        if key and key not in seen:
            seen.add(key)
            missing.append(ingredient.strip())
    return missing


def plan_bread_dough(
    dough_weight_grams: float,
    hydration_percent: Annotated[float, Field(ge=40, le=120)] = 65.0,
    salt_percent: Annotated[float, Field(ge=0, le=5)] = 2.0,
    yeast_percent: Annotated[float, Field(ge=0, le=5)] = 1.0,
) -> dict[str, float]:
    """Plan the flour, water, salt and yeast of a bread dough.

    Queries:
        How much flour, water, salt and yeast go into {dough_weight_grams} of dough[ at {hydration_percent} hydration]?
        I'm baking bread and want {dough_weight_grams} of dough[, with {salt_percent} salt][, with {yeast_percent} yeast]. What goes in?
        Plan the ingredients for {dough_weight_grams} of bread dough[, with {hydration_percent} water][, with {salt_percent} salt].
        My loaf should start as {dough_weight_grams} of dough. What do I mix[ if I use {yeast_percent} yeast]?

    Args:
        dough_weight_grams: Total weight of dough wanted in grams
        hydration_percent: Water in percent of the flour weight
        salt_percent: Salt in percent of the flour weight
        yeast_percent: Yeast in percent of the flour weight

    Returns:
        The grams of each ingredient.

    Raises:
        ValueError: If the weight is not positive or a percentage is out of range.
    """
    _require(dough_weight_grams > 0, "dough_weight_grams must be positive")
    _require(40 <= hydration_percent <= 120, "hydration_percent must be between 40 and 120")
    _require(0 <= salt_percent <= 5, "salt_percent must be between 0 and 5")
    _require(0 <= yeast_percent <= 5, "yeast_percent must be between 0 and 5")
    # Baker's percentages: the flour is 100 percent.
    shares = {"flour": 100, "water": hydration_percent, "salt": salt_percent, "yeast": yeast_percent}
    whole = sum(shares.values())
    return {f"{name}_grams": _rounded(dough_weight_grams * s / whole, 1) for name, s in shares.items()}


def scale_recipe_ingredients(
    ingredients: list[Ingredient], current_servings: int, desired_servings: int
) -> list[dict[str, str | float]]:
    """Scale the ingredients of a recipe to another number of servings.

    Queries:
        What do I need for {desired_servings} people if the recipe serves {current_servings}: {ingredients}
        My recipe is for {current_servings}, but there will be {desired_servings} of us. Adjust it: {ingredients}
        Scale this from {current_servings} servings to {desired_servings}: {ingredients}
        I'd like {desired_servings} portions instead of {current_servings} from these ingredients: {ingredients}

    Args:
        ingredients: Ingredients of the recipe
        current_servings: Number of servings the recipe makes
        desired_servings: Number of servings wanted

    Returns:
        The ingredients with their new quantities.

    Raises:
        ValueError: If a number of servings is not positive or a quantity is negative.
    """
    _require(current_servings > 0, "current_servings must be positive")
    _require(desired_servings > 0, "desired_servings must be positive")
    _require(all(line["quantity"] >= 0 for line in ingredients), "no quantity may be negative")
    return [
        {
            "name": line["name"],
            "quantity": _rounded(line["quantity"] * desired_servings / current_servings, 2),
            "unit": line["unit"],
        }
        for line in ingredients
    ]


def split_restaurant_bill(
    bill_total: float,
    party_size: Annotated[int, Field(ge=1, le=500)],
    tip_percent: Annotated[float, Field(ge=0, le=100)] = 15.0,
) -> dict[str, float]:
    """Split a restaurant bill and its tip between the guests.

    Queries:
        What do {party_size} of us pay each for a bill of {bill_total} with the tip[ at {tip_percent}]?
        We were {party_size} at dinner and the bill was {bill_total}. What's that each, with a tip[ of {tip_percent}]?
        Split {bill_total} and a tip[ of {tip_percent}] between {party_size} people.
        Dinner came to {bill_total} before the tip[, and we give {tip_percent}]. Share it out among {party_size} guests.

    Args:
        bill_total: Amount of the bill before the tip
        party_size: Number of guests who pay
        tip_percent: Tip in percent of the bill

    Returns:
        The tip, the total with the tip and the share of each guest.

    Raises:
        ValueError: If the bill is negative, or the party size or the tip is out of range.
    """
    _require(bill_total >= 0, "bill_total must not be negative")
    _require(1 <= party_size <= 500, "party_size must be between 1 and 500")
    _require(0 <= tip_percent <= 100, "tip_percent must be between 0 and 100")
    tip = _rounded(bill_total * tip_percent / 100, 2)
    total = bill_total + tip
    return {"tip": tip, "total": _rounded(total, 2), "per_person": _rounded(total / party_size, 2)}


def weigh_ingredient_volume(
    ingredient: Literal["flour", "sugar", "brown_sugar", "butter", "honey", "cocoa_powder", "rolled_oats"],
    amount: float,
    unit: Literal["cup", "tablespoon", "teaspoon"] = "cup",
) -> float:
    """Convert cups or spoons of a cooking ingredient to grams.

    Queries:
        How many grams are {amount#} {unit}s of {ingredient}?
        My recipe calls for {amount#} {unit}s of {ingredient}, but I bake with a scale. How many grams is that?
        Convert {amount#} cups of {ingredient} to grams.
        I don't own measuring cups. What do {amount#} cups of {ingredient} weigh?

    Args:
        ingredient: Ingredient to weigh
        amount: Number of cups or spoons
        unit: US kitchen measure

    Returns:
        The weight in grams.

    Raises:
        ValueError: If the amount is negative or the ingredient or the unit is unknown.
    """
    _require(amount >= 0, "amount must not be negative")
    _require(ingredient in _GRAMS_PER_CUP, f"ingredient must be one of {', '.join(_GRAMS_PER_CUP)}")
    _require(unit in _UNITS_PER_CUP, f"unit must be one of {', '.join(_UNITS_PER_CUP)}")
    return _rounded(amount * _GRAMS_PER_CUP[ingredient] / _UNITS_PER_CUP[unit], 1)
