"""Known answers and refusals of the bundled food tools."""

from typing import Any

import pytest

from data_pipeline.tools.bundled import food

PANCAKES: list[food.Ingredient] = [
    {"name": "flour", "quantity": 250, "unit": "g"},
    {"name": "eggs", "quantity": 3, "unit": ""},
]


def test_recipe_for_four_made_for_six() -> None:
    assert food.scale_recipe_ingredients(PANCAKES, 4, 6) == [
        {"name": "flour", "quantity": 375.0, "unit": "g"},
        {"name": "eggs", "quantity": 4.5, "unit": ""},
    ]
    assert PANCAKES[0]["quantity"] == 250


def test_recipe_refuses() -> None:
    with pytest.raises(ValueError, match="current_servings"):
        food.scale_recipe_ingredients(PANCAKES, 0, 6)
    with pytest.raises(ValueError, match="desired_servings"):
        food.scale_recipe_ingredients(PANCAKES, 4, -1)
    with pytest.raises(ValueError, match="negative"):
        food.scale_recipe_ingredients([{"name": "salt", "quantity": -1, "unit": "g"}], 4, 6)


def test_volumes_to_grams() -> None:
    assert food.weigh_ingredient_volume("flour", 2.5) == 300.0
    assert food.weigh_ingredient_volume("honey", 2, "tablespoon") == 42.0
    assert food.weigh_ingredient_volume("sugar", 3, "teaspoon") == 12.5


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("flour", -1, "cup"), "amount"),
        (("gravel", 1, "cup"), "ingredient must be one of flour"),
        (("flour", 1, "barrel"), "unit must be one of cup"),
        (("flour", float("inf"), "cup"), "too large"),
    ],
)
def test_volumes_to_grams_refuses(args: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        food.weigh_ingredient_volume(*args)


def test_oven_temperatures() -> None:
    # Usual oven chart: gas mark 4 is 350 F and 177 C.
    expected = {"celsius": 177.0, "fahrenheit": 350.0, "gas_mark": 4.0}
    assert food.convert_oven_temperature(4, "gas_mark") == expected
    assert food.convert_oven_temperature(350, "fahrenheit") == expected
    assert food.convert_oven_temperature(200, "celsius") == {
        "celsius": 200.0,
        "fahrenheit": 392.0,
        "gas_mark": 6.0,
    }
    assert food.convert_oven_temperature(100, "celsius")["gas_mark"] is None
    assert food.convert_oven_temperature(300, "celsius")["gas_mark"] is None


def test_oven_temperature_refuses() -> None:
    with pytest.raises(ValueError, match="gas mark"):
        food.convert_oven_temperature(11, "gas_mark")
    with pytest.raises(ValueError, match="absolute zero"):
        food.convert_oven_temperature(-274, "celsius")


def test_roasting_time() -> None:
    # 45 minutes a kilogram and 20 more.
    assert food.estimate_roasting_time("chicken", 1.6) == {
        "roasting_minutes": 92,
        "center_temperature_celsius": 74,
    }
    assert food.estimate_roasting_time("turkey", 5, stuffed=True)["roasting_minutes"] == 230


def test_roasting_time_refuses() -> None:
    with pytest.raises(ValueError, match="weight_kg"):
        food.estimate_roasting_time("beef", 0)
    with pytest.raises(ValueError, match="weight_kg"):
        food.estimate_roasting_time("beef", 20.1)
    with pytest.raises(ValueError, match="meat must be one of"):
        food.estimate_roasting_time("tofu", 1)  # type: ignore[arg-type]


def test_bill_is_split_with_its_tip() -> None:
    assert food.split_restaurant_bill(120, 4) == {"tip": 18.0, "total": 138.0, "per_person": 34.5}
    assert food.split_restaurant_bill(100, 3, 0)["per_person"] == 33.33


@pytest.mark.parametrize("args", [(-1, 2, 15), (10, 0, 15), (10, 501, 15), (10, 2, 101)])
def test_bill_refuses(args: tuple[float, int, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        food.split_restaurant_bill(*args)


def test_missing_ingredients_ignore_case_spaces_and_repeats() -> None:
    recipe = ["Eggs", "flour ", "Milk", "milk", "Crème fraîche", ""]
    assert food.list_missing_ingredients(recipe, ["EGGS", " Flour"]) == ["Milk", "Crème fraîche"]
    assert food.list_missing_ingredients(recipe, ["eggs", "flour", "milk", "CRÈME FRAÎCHE"]) == []


def test_bread_dough() -> None:
    # 1000 g of flour, 650 of water, 20 of salt, 10 of yeast.
    assert food.plan_bread_dough(1680) == {
        "flour_grams": 1000.0,
        "water_grams": 650.0,
        "salt_grams": 20.0,
        "yeast_grams": 10.0,
    }
    assert food.plan_bread_dough(900, 80, 0, 0) == {
        "flour_grams": 500.0,
        "water_grams": 400.0,
        "salt_grams": 0.0,
        "yeast_grams": 0.0,
    }


@pytest.mark.parametrize("args", [(0, 65, 2, 1), (900, 39, 2, 1), (900, 65, 6, 1), (900, 65, 2, -1)])
def test_bread_dough_refuses(args: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        food.plan_bread_dough(*args)
