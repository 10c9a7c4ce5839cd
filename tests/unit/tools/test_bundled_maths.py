"""Known answers and refusals of the bundled mathematics tools."""

import pytest

from data_pipeline.tools.bundled import maths


@pytest.mark.parametrize(
    ("number", "base", "min_digits", "expected"),
    [
        (10, 2, 8, "00001010"),
        (255, 16, 1, "ff"),
        (-255, 16, 4, "-00ff"),
        (0, 2, 1, "0"),
        (35, 36, 1, "z"),
        (8, 8, 1, "10"),
    ],
)
def test_integer_in_base(number: int, base: int, min_digits: int, expected: str) -> None:
    assert maths.write_integer_in_base(number, base, min_digits) == expected


@pytest.mark.parametrize("args", [(1, 1, 1), (1, 37, 1), (1, 2, 0), (1, 2, 65)])
def test_integer_in_base_refuses(args: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="must be between"):
        maths.write_integer_in_base(*args)


def test_linear_system() -> None:
    # 2 * 1 + 3 * 2 = 8 and 1 - 2 = -1.
    assert maths.solve_linear_system(
        {"x_coefficient": 2, "y_coefficient": 3, "constant": 8},
        {"x_coefficient": 1, "y_coefficient": -1, "constant": -1},
    ) == {"x": 1.0, "y": 2.0}


def test_parallel_lines_are_found_in_exact_decimals() -> None:
    # In floating point 0.1 * 0.6 - 0.2 * 0.3 is not zero.
    with pytest.raises(ValueError, match="parallel"):
        maths.solve_linear_system(
            {"x_coefficient": 0.1, "y_coefficient": 0.2, "constant": 1},
            {"x_coefficient": 0.3, "y_coefficient": 0.6, "constant": 2},
        )


@pytest.mark.parametrize(
    ("order_matters", "allow_repeats", "expected"),
    [(False, False, 10), (True, False, 20), (False, True, 15), (True, True, 25)],
)
def test_selections_of_two_out_of_five(order_matters: bool, allow_repeats: bool, expected: int) -> None:
    assert maths.count_possible_selections(5, 2, order_matters, allow_repeats) == expected


def test_selections_of_more_than_there_are() -> None:
    assert maths.count_possible_selections(3, 4) == 0
    assert maths.count_possible_selections(3, 4, order_matters=True) == 0


@pytest.mark.parametrize("args", [(0, 1), (1001, 1), (5, -1), (5, 1001)])
def test_selections_refuses(args: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="_count must be between"):
        maths.count_possible_selections(*args)


def test_trend_line_by_hand() -> None:
    # Means 2 and 10/3; sxx 2, sxy 3, syy 14/3: R squared is 9 / (28/3) = 27/28.
    assert maths.fit_trend_line([1, 2, 3], [2, 3, 5], 4) == {
        "slope": 1.5,
        "intercept": 0.3333333333,
        "r_squared": 0.9642857143,
        "prediction": 6.333333333,
    }
    assert maths.fit_trend_line([0, 1], [7, 7]) == {"slope": 0.0, "intercept": 7.0, "r_squared": 1.0}


def test_trend_line_refuses() -> None:
    with pytest.raises(ValueError, match="same length"):
        maths.fit_trend_line([1, 2], [1])
    with pytest.raises(ValueError, match="two different"):
        maths.fit_trend_line([2, 2], [1, 3])
    with pytest.raises(ValueError, match="finite"):
        maths.fit_trend_line([1, float("inf")], [1, 3])


def test_polygons() -> None:
    triangle: list[maths.Corner] = [{"x": 0, "y": 0}, {"x": 4, "y": 0}, {"x": 4, "y": 3}]
    assert maths.measure_polygon_from_corners(triangle) == {"area": 6.0, "perimeter": 12.0}
    assert maths.measure_polygon_from_corners(triangle[::-1])["area"] == 6.0
    arrow: list[maths.Corner] = [{"x": 0, "y": 0}, {"x": 2, "y": 1}, {"x": 4, "y": 0}, {"x": 2, "y": 4}]
    assert maths.measure_polygon_from_corners(arrow)["area"] == 6.0


def test_polygon_refuses_two_corners() -> None:
    with pytest.raises(ValueError, match="three corners"):
        maths.measure_polygon_from_corners([{"x": 0, "y": 0}, {"x": 1, "y": 1}])


def test_fractions() -> None:
    # The best approximations of pi: 22/7, then 311/99 below 100, and 355/113.
    assert maths.approximate_as_fraction(3.14159265, 10) == {"numerator": 22, "denominator": 7}
    assert maths.approximate_as_fraction(3.14159265) == {"numerator": 311, "denominator": 99}
    assert maths.approximate_as_fraction(3.14159265, 200) == {"numerator": 355, "denominator": 113}
    assert maths.approximate_as_fraction(-0.75) == {"numerator": -3, "denominator": 4}


def test_fraction_refuses() -> None:
    with pytest.raises(ValueError, match="max_denominator"):
        maths.approximate_as_fraction(0.5, 0)
    with pytest.raises(ValueError, match="finite"):
        maths.approximate_as_fraction(float("nan"))


def test_sequences() -> None:
    assert maths.list_sequence_terms(0.1, 0.1, 3) == [0.1, 0.2, 0.3]
    assert maths.list_sequence_terms(3, -2, 4, "geometric") == [3.0, -6.0, 12.0, -24.0]


def test_sequence_refuses() -> None:
    with pytest.raises(ValueError, match="term_count"):
        maths.list_sequence_terms(1, 1, 0)
    with pytest.raises(ValueError, match="too large"):
        maths.list_sequence_terms(9999, 9999, 100, "geometric")
