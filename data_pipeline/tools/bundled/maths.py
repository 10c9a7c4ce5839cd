"""Mathematics: equations, sequences, combinatorics, geometry and number formats."""

import math
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "approximate_as_fraction",
    "count_possible_selections",
    "fit_trend_line",
    "list_sequence_terms",
    "measure_polygon_from_corners",
    "solve_linear_system",
    "write_integer_in_base",
]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class LinearEquation(TypedDict):
    """The equation x_coefficient * x + y_coefficient * y = constant."""

    x_coefficient: Annotated[float, Field(description="Coefficient of x")]
    y_coefficient: Annotated[float, Field(description="Coefficient of y")]
    constant: Annotated[float, Field(description="Right-hand side of the equation")]


class Corner(TypedDict):
    """A point of the plane."""

    x: float
    y: float


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _tidy(value: float | Fraction) -> float:
    """Keep ten significant digits, and turn -0.0 into 0.0."""
    _require(-1e300 < value < 1e300, "the result is too large to represent")
    return float(f"{float(value):.10g}") + 0.0


def _exact(value: float) -> Fraction:
    """Return the decimal number as written, so that 0.1 is one tenth."""
    _require(math.isfinite(value), "numbers must be finite")
    return Fraction(str(value))


def approximate_as_fraction(
    value: float, max_denominator: Annotated[int, Field(ge=1, le=100000)] = 100
) -> dict[str, int]:
    """Find the simple fraction closest to a decimal number.

    Queries:
        What simple fraction comes closest to {value#}[ with a denominator of at most {max_denominator}]?
        My calculator shows {value#} but I want a fraction[, bottom number no higher than {max_denominator}].
        Turn {value#} into a fraction[, denominator up to {max_denominator}].
        I'd like {value#} written as numerator over denominator.

    Args:
        value: Decimal number to approximate
        max_denominator: Largest denominator allowed

    Returns:
        The numerator and the denominator in lowest terms.

    Raises:
        ValueError: If the largest denominator is out of range.
    """
    _require(1 <= max_denominator <= 100_000, "max_denominator must be between 1 and 100000")
    fraction = _exact(value).limit_denominator(max_denominator)
    return {"numerator": fraction.numerator, "denominator": fraction.denominator}


def count_possible_selections(
    item_count: Annotated[int, Field(ge=1, le=1000)],
    pick_count: Annotated[int, Field(ge=0, le=1000)],
    order_matters: bool = False,
    allow_repeats: bool = False,
) -> int:
    """Count the ways to pick some items out of a larger set.

    Queries:
        How many ways are there to pick {pick_count} out of {item_count}[?order_matters: when the order matters][?allow_repeats:, with repeats allowed]?
        I'm choosing {pick_count} from a menu of {item_count}. How many possible choices are there[?allow_repeats: if I may take the same thing again]?
        Count the ways to choose {pick_count} from a set of {item_count}[?order_matters:, treating each order as different][?allow_repeats:, with repeats allowed].
        If I draw {pick_count} from a pool of {item_count}, how many outcomes are possible[?order_matters:, given that their order matters]?

    Args:
        item_count: Number of different items available
        pick_count: Number of items picked
        order_matters: Whether picks in another order count separately
        allow_repeats: Whether the same item may be picked again

    Returns:
        The number of possible selections.

    Raises:
        ValueError: If a count is out of range.
    """
    _require(1 <= item_count <= 1000, "item_count must be between 1 and 1000")
    _require(0 <= pick_count <= 1000, "pick_count must be between 0 and 1000")
    if order_matters:
        return int(item_count**pick_count) if allow_repeats else math.perm(item_count, pick_count)
    # With repeats: stars and bars.
    return math.comb(item_count + pick_count - 1 if allow_repeats else item_count, pick_count)


def fit_trend_line(x_values: list[float], y_values: list[float], predict_at: float | None = None) -> dict[str, float]:
    """Fit a straight line through data points by least squares.

    Queries:
        What straight line fits these points best[, and what is y at x = {predict_at#}]? The x values are {x_values}; the y values are {y_values}
        I logged some measurements and suspect a trend. Fit a line to y = {y_values} over x = {x_values}
        Do a least squares line fit[ and predict y at x = {predict_at#}] with these x values: {x_values}; and these y values: {y_values}
        I need the slope and intercept[, plus the prediction for x = {predict_at#},] of the trend line for x: {x_values}; y: {y_values}

    Args:
        x_values: Horizontal coordinates of the points
        y_values: Vertical coordinates of the points, in the same order
        predict_at: Value of x at which to predict y

    Returns:
        The slope, the intercept, R squared and the prediction if one was asked for.

    Raises:
        ValueError: If the lists differ in length, or x takes fewer than two values.
    """
    _require(len(x_values) == len(y_values), "x_values and y_values must have the same length")
    _require(len(set(x_values)) >= 2, "x_values must hold at least two different numbers")
    xs, ys = [_exact(x) for x in x_values], [_exact(y) for y in y_values]
    x_mean, y_mean = sum(xs) / Fraction(len(xs)), sum(ys) / Fraction(len(ys))
    sxx = sum(((x - x_mean) ** 2 for x in xs), Fraction())
    syy = sum(((y - y_mean) ** 2 for y in ys), Fraction())
    sxy = sum(((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)), Fraction())
    slope = sxy / sxx
    intercept = y_mean - slope * x_mean
    r_squared = sxy * sxy / (sxx * syy) if syy else Fraction(1)
    line = {"slope": slope, "intercept": intercept, "r_squared": r_squared}
    if predict_at is not None:
        line["prediction"] = intercept + slope * _exact(predict_at)
    return {name: _tidy(value) for name, value in line.items()}


def list_sequence_terms(
    first_term: float,
    step: float,
    term_count: Annotated[int, Field(ge=1, le=100)],
    kind: Literal["arithmetic", "geometric"] = "arithmetic",
) -> list[float]:
    """List the first terms of an arithmetic or geometric sequence.

    Queries:
        Which numbers are in a sequence of length {term_count} that starts at {first_term#} with step {step#}[, if it is {kind}]?
        My number puzzle is a sequence that opens with {first_term#} and has step {step#}. Give me all of it up to term number {term_count}.
        List the[ {kind}] sequence that starts at {first_term#} with step {step#}, up to term number {term_count}.
        I'd like the[ {kind}] sequence with step {step#} that begins at {first_term#} and has length {term_count}.

    Args:
        first_term: First term of the sequence
        step: Difference, or ratio when geometric, between terms
        term_count: Number of terms to list
        kind: Kind of sequence

    Returns:
        The terms in order.

    Raises:
        ValueError: If the number of terms is out of range or a term is too large.
    """
    _require(1 <= term_count <= 100, "term_count must be between 1 and 100")
    terms, term = [], float(first_term)
    for index in range(1, term_count + 1):
        terms.append(_tidy(term))
        term = first_term + index * step if kind == "arithmetic" else term * step
    return terms


def measure_polygon_from_corners(corners: Annotated[list[Corner], Field(min_length=3)]) -> dict[str, float]:
    """Measure the area and the perimeter of a polygon from its corner coordinates.

    Queries:
        What are the area and the perimeter of a polygon with these corners: {corners}
        I noted the corners of my field on a grid. Work out its area and how long a fence around it would be: {corners}
        Measure the size and outline of the shape whose corners, in order, are {corners}
        Area and perimeter for a plot with corners at {corners}

    Args:
        corners: Corners of the polygon, in order around it

    Returns:
        The area and the perimeter.

    Raises:
        ValueError: If there are fewer than three corners.
    """
    _require(len(corners) >= 3, "a polygon needs at least three corners")
    points = [(corner["x"], corner["y"]) for corner in corners]
    sides = list(zip(points, points[1:] + points[:1], strict=True))
    # Shoelace formula.
    doubled_area = sum(ax * by - bx * ay for (ax, ay), (bx, by) in sides)
    perimeter = sum(math.dist(start, end) for start, end in sides)
    return {"area": _tidy(abs(doubled_area) / 2), "perimeter": _tidy(perimeter)}


def solve_linear_system(first_equation: LinearEquation, second_equation: LinearEquation) -> dict[str, float]:
    """Solve a system of two linear equations in x and y.

    Queries:
        Which x and y satisfy both equations? The first has {first_equation}; the second has {second_equation}
        I'm stuck on homework. Find x and y for one equation with {first_equation}; the other with {second_equation}
        Solve for x and y, equation A: {first_equation}; equation B: {second_equation}
        Where do these lines cross, first line: {first_equation}; second line: {second_equation}

    Args:
        first_equation: Coefficients of the first equation
        second_equation: Coefficients of the second equation

    Returns:
        The values of x and y.

    Raises:
        ValueError: If the system has no solution or infinitely many.
    """
    (a, b, c), (d, e, f) = (
        (_exact(line["x_coefficient"]), _exact(line["y_coefficient"]), _exact(line["constant"]))
        for line in (first_equation, second_equation)
    )
    determinant = a * e - b * d
    _require(determinant != 0, "the equations are parallel: there is no single solution")
    # Cramer's rule.
    x, y = (c * e - b * f) / determinant, (a * f - c * d) / determinant
    return {"x": _tidy(x), "y": _tidy(y)}


def write_integer_in_base(
    number: int,
    base: Annotated[int, Field(ge=2, le=36)],
    min_digits: Annotated[int, Field(ge=1, le=64)] = 1,
) -> str:
    """Write a whole number in another base such as binary or hexadecimal.

    Queries:
        How do you write {number#} in base {base#}[, padded to length {min_digits}]?
        I'm labeling crates in base {base#}. What's {number#} there[, filled up with zeros to length {min_digits}]?
        Convert {number#} to base {base#}[ with leading zeros up to length {min_digits}].
        Base {base#} form of {number#}?

    Args:
        number: Whole number in decimal
        base: Base to write the number in
        min_digits: Number of digits to reach with leading zeros

    Returns:
        The digits of the number, with lower-case letters above nine.

    Raises:
        ValueError: If the base or the number of digits is out of range.
    """
    _require(2 <= base <= 36, "base must be between 2 and 36")
    _require(1 <= min_digits <= 64, "min_digits must be between 1 and 64")
    rest, digits = abs(number), ""
    while rest:
        rest, digit = divmod(rest, base)
        digits = _DIGITS[digit] + digits
    return ("-" if number < 0 else "") + digits.rjust(min_digits, "0")
