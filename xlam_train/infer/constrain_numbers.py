"""JSON numbers within bounds, digit by digit.

An integer is written without fraction and exponent, since to the checks 1.0 is none. How many digits there may be has a
bound, so that a model that rambles comes to an end: 19 for an integer (those of 64 bits), and what Python writes for a
double. No number overflows to infinity or, written with an exponent, falls to zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from xlam_train.infer.constrain_grammar import DIGIT, EMPTY, NEVER, Node, Text, alt, chars, repeat, seq

INTEGER_DIGITS = 19
"""Of the largest integer of 64 bits."""
FRACTION_DIGITS = 20
"""Behind the point: Python writes 17 significant digits, with up to three zeros before them."""
EXACT_INTEGER = 2**53
"""Integers to here are doubles; Python compares larger ones with a double exactly."""
LARGEST = 10**INTEGER_DIGITS - 1

_LEADING = chars("1", "9")
_POINT = seq(".", repeat(DIGIT, 1, 17))
# To 307: nine times ten to the 308th is infinite, and what is below the least normal double rounds to zero.
_POWER = alt((repeat(DIGIT, 1, 2), seq(chars("1", "2"), DIGIT, DIGIT), seq("30", chars("0", "7"))))
_LONG_POWERS = (seq(chars("1", "2"), DIGIT, DIGIT), seq("30", chars("0", "7")))
_TINY_POWER = seq("e-", alt((seq("0", chars("5", "9")), seq(_LEADING, DIGIT), *_LONG_POWERS)))
_HUGE_POWER = seq("e+", alt((seq("1", chars("6", "9")), seq(chars("2", "9"), DIGIT), *_LONG_POWERS)))
_TINY = Decimal("0.0001")
_HUGE = Decimal(10**16)


@dataclass(frozen=True)
class Bound:
    """The least or the greatest value; `open`, which only zero may be, leaves zero itself out."""

    value: Decimal
    open: bool = False

    def __neg__(self) -> Bound:
        """The bound on the other side of zero."""
        return Bound(-self.value, self.open)


def bound(told: int | float, beyond: float | None = None) -> Bound:
    """A bound as a decimal.

    Args:
        told: the schema's number.
        beyond: the infinity on the side that is allowed, where the number itself is not. The double next to it is then
            the bound, since what is written is rounded to a double, and rounding keeps the order.
    """
    if beyond is None or told == 0 or abs(told) > EXACT_INTEGER:
        return Bound(Decimal(str(told)), open=beyond is not None)
    return Bound(Decimal(str(math.nextafter(told, beyond))))


def can_be_said(limit: Bound | None) -> bool:
    """Whether `number` can keep the bound: Python does not round an integer that it compares with a double."""
    return limit is None or abs(limit.value) <= EXACT_INTEGER


def integer(least: int | None = None, most: int | None = None) -> Node:
    """Integers from `least` to `most`."""
    if least is None and most is None:
        return seq(repeat(_minus(), 0, 1), _whole(0, LARGEST))
    low = max(-LARGEST, least if least is not None else -LARGEST)
    high = min(LARGEST, most if most is not None else LARGEST)
    parts = [_whole(max(low, 0), high)] if high >= 0 else []
    if low < 0:
        parts.append(seq("-", _whole(max(-high, 1), -low)))
    return alt(parts)


def number(least: Bound | None = None, most: Bound | None = None) -> Node:
    """Numbers from `least` to `most`, both of which `can_be_said`."""
    if least is None and most is None:
        plain = seq(_whole(0, LARGEST), repeat(seq(".", repeat(DIGIT, 1, FRACTION_DIGITS)), 0, 1))
        sign = repeat(alt(("+", "-")), 0, 1)
        exponent = alt((seq(chars("E", "E"), sign, _POWER), seq("e", sign, _POWER)))
        scientific = seq(DIGIT, repeat(_POINT, 0, 1), exponent)
        return seq(repeat(_minus(), 0, 1), alt((plain, scientific)))
    zero, parts = Bound(Decimal(0)), list[Node]()
    if most is None or most.value >= 0:
        parts.append(_magnitude(zero if least is None or least.value < 0 else least, most))
    if least == zero:
        parts.append(Text("-0.0"))
    if least is None or least.value < 0:
        nearest = zero if most is None or most.value > 0 else -most
        parts.append(seq("-", _magnitude(nearest, None if least is None else -least)))
    return alt(parts)


def _minus() -> Node:
    return seq("-")


def _whole(low: int, high: int) -> Node:
    """Integers from `low` >= 0 to `high` without leading zeros."""
    if low > high:
        return NEVER
    parts = []
    for length in range(len(str(low)), len(str(high)) + 1):
        first = max(low, 10 ** (length - 1) if length > 1 else 0)
        parts.append(_digits(str(first), str(min(high, 10**length - 1))))
    return _shorter(low, high) if (low, high) in ((0, LARGEST), (1, LARGEST)) else alt(parts)


def _shorter(low: int, high: int) -> Node:
    """All integers of at most so many digits, in few words."""
    positive = seq(_LEADING, repeat(DIGIT, 0, len(str(high)) - 1))
    return positive if low else alt(("0", positive))


def _digits(low: str, high: str) -> Node:
    """Strings of digits between two of the same length."""
    if low == high:
        return seq(low)
    left = len(low) - 1
    if set(low) == {"0"} and set(high) == {"9"}:
        return repeat(DIGIT, left + 1, left + 1)
    if low[0] == high[0]:
        return seq(low[0], _digits(low[1:], high[1:]))
    first, last, parts = ord(low[0]), ord(high[0]), []
    if set(low[1:]) - {"0"}:
        parts.append(seq(low[0], _digits(low[1:], "9" * left)))
        first += 1
    if set(high[1:]) - {"9"}:
        parts.append(seq(high[0], _digits("0" * left, high[1:])))
        last -= 1
    if first <= last:
        parts.append(seq(chars(chr(first), chr(last)), repeat(DIGIT, left, left)))
    return alt(parts)


def _magnitude(least: Bound, most: Bound | None) -> Node:
    """Numbers from `least` >= 0 on, as Python writes them: an exponent only for tiny and for huge ones."""
    if most is not None and (most.value < least.value or (most.value == least.value and (most.open or least.open))):
        return NEVER
    low, high = int(least.value), LARGEST + 1 if most is None else int(most.value)
    alone = low == least.value and not least.open
    if most is not None and low == high:
        return alt([_decimal(low, _between(least, most), alone), *_scientific(least, most)])
    parts = [_decimal(low, _at_least(_fraction(least), least.open, 1, FRACTION_DIGITS), alone)]
    parts.append(seq(_whole(low + 1, high - 1), repeat(seq(".", repeat(DIGIT, 1, FRACTION_DIGITS)), 0, 1)))
    if most is not None:
        parts.append(_decimal(high, _at_most(_fraction(most), 1, FRACTION_DIGITS), alone=True))
    return alt([*parts, *_scientific(least, most)])


def _scientific(least: Bound, most: Bound | None) -> list[Node]:
    """Forms with an exponent, where all of them are within the bounds."""
    parts: list[Node] = []
    mantissa = seq(_LEADING, repeat(_POINT, 0, 1))
    if least.value == 0 and (most is None or most.value >= _TINY):
        parts.append(seq(mantissa, _TINY_POWER))
    if most is None and least.value <= _HUGE:
        parts.append(seq(mantissa, _HUGE_POWER))
    return parts


def _decimal(whole: int, tail: Node, alone: bool) -> Node:
    """The whole number with digits behind the point, and `alone` where that is within the bounds, too."""
    return alt([*([Text(str(whole))] if alone else []), seq(f"{whole}.", tail)])


def _fraction(limit: Bound) -> str:
    """The digits behind the point, without zeros at the end."""
    return f"{limit.value:f}".partition(".")[2].rstrip("0")


# The three below: digits s behind the point, `least` to `room` of them, such that 0.s is on the right side of 0.d.


def _at_least(d: str, is_open: bool, least: int, room: int) -> Node:
    if not d and is_open:
        return seq(repeat(chars("0", "0"), 0, room - 1), _LEADING, repeat(DIGIT, 0, room - 1))
    if not d:
        return repeat(DIGIT, least, room)
    above = [seq(chars(chr(ord(d[0]) + 1), "9"), repeat(DIGIT, 0, room - 1))] if d[0] < "9" else []
    return alt([*above, seq(d[0], _at_least(d[1:], is_open, 0, room - 1))])


def _at_most(d: str, least: int, room: int) -> Node:
    if not d:
        return repeat(chars("0", "0"), least, room)
    parts: list[Node] = [] if least else [EMPTY]
    if d[0] > "0":
        parts.append(seq(chars("0", chr(ord(d[0]) - 1)), repeat(DIGIT, 0, room - 1)))
    return alt([*parts, seq(d[0], _at_most(d[1:], 0, room - 1))])


def _between(least: Bound, most: Bound) -> Node:
    return _between_digits(_fraction(least), least.open, _fraction(most), 1, FRACTION_DIGITS)


def _between_digits(low: str, is_open: bool, high: str, least: int, room: int) -> Node:
    if not low and not is_open:
        return _at_most(high, least, room)
    first, last = low[:1] or "0", high[:1] or "0"
    if first > last or not high:
        return NEVER
    if first == last:
        return seq(first, _between_digits(low[1:], is_open, high[1:], 0, room - 1))
    tail = repeat(DIGIT, 0, room - 1)
    parts = [seq(first, _at_least(low[1:], is_open, 0, room - 1)), seq(last, _at_most(high[1:], 0, room - 1))]
    inner = ord(last) - ord(first) > 1
    return alt([*parts, *([seq(chars(chr(ord(first) + 1), chr(ord(last) - 1)), tail)] if inner else [])])
