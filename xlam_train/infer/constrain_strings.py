"""JSON strings: every character raw in UTF-8 or escaped, as `json.dumps` writes it, and never half a surrogate pair."""

from __future__ import annotations

import json
from collections.abc import Iterable

from data_pipeline.core.schema import dumps
from xlam_train.infer.constrain_grammar import EMPTY, Chars, Grammar, Node, Ref, Text, alt, chars, repeat, seq

LAST = 0x10FFFF
Ranges = tuple[tuple[int, int], ...]

ALL: Ranges = ((0, 0xD7FF), (0xE000, LAST))
"""Every character; halves of surrogate pairs are none."""

_HEX = Chars(((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)))
_SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def literal(value: object) -> Node:
    """A JSON value as `json.dumps` writes it, in ASCII or in UTF-8.

    Raises:
        ValueError: it holds NaN or infinity.
    """
    return alt((dumps(value), json.dumps(value, ensure_ascii=False)))


def ranges(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Sorted, merged, without surrogates."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(_overlap(pairs, ALL)):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return tuple(merged)


def without(kept: Ranges, left_out: Iterable[tuple[int, int]]) -> Ranges:
    """The characters of the first that are not in the second."""
    found, start = [], 0
    for low, high in ranges(left_out):
        found.append((start, low - 1))
        start = high + 1
    found.append((start, LAST))
    return ranges(_overlap(kept, [pair for pair in found if pair[0] <= pair[1]]))


def _overlap(left: Iterable[tuple[int, int]], right: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    others = list(right)
    both = [(max(a, c), min(b, d)) for a, b in left for c, d in others]
    return [(low, high) for low, high in both if low <= high]


class Strings:
    """Nodes of string content that share the rules of one grammar."""

    def __init__(self, grammar: Grammar) -> None:
        """Adds no rules before they are needed."""
        self._grammar = grammar

    def string(self, least: int = 0, most: int | None = None) -> Node:
        """A string of `least` to `most` characters, quotes included; an escaped pair counts as one character."""
        return seq('"', repeat(self.character(), least, most), '"')

    def character(self) -> Ref:
        """Any character, with every escape that JSON knows (RFC 8259, section 7)."""
        raw = Chars(without(ALL, ((0, 0x1F), (34, 34), (92, 92))))
        hex4 = alt(
            (
                seq(Chars(((0x30, 0x39), (0x41, 0x43), (0x45, 0x46), (0x61, 0x63), (0x65, 0x66))), _HEX, _HEX, _HEX),
                seq(Chars(((0x44, 0x44), (0x64, 0x64))), chars("0", "7"), _HEX, _HEX),
            )
        )
        short = Chars(tuple((ord(char), ord(char)) for char in '"/\\bfnrt'))
        pair = seq(
            _surrogate(Chars(((0x38, 0x39), (0x41, 0x42), (0x61, 0x62)))),
            "\\u",
            _surrogate(Chars(((0x43, 0x46), (0x63, 0x66)))),
        )
        escape = seq("\\", alt((short, seq("u", alt((hex4, pair))))))
        return self._grammar.rule("char", alt((raw, escape)))

    def of(self, allowed: Ranges) -> Node:
        """One character out of ranges: raw, or as `json.dumps` escapes it."""
        if allowed == ALL:
            return self.character()
        parts: list[Node] = []
        raw = without(allowed, ((0, 0x1F), (34, 34), (92, 92)))
        if raw:
            parts.append(Chars(raw))
        for low, high in _overlap(allowed, ((0, 0x1F), (34, 34), (92, 92))):
            parts += [Text(_SHORT.get(point) or f"\\u{point:04x}") for point in range(low, high + 1)]
        parts += [_escaped(low, high) for low, high in _overlap(allowed, ((0x7F, LAST),))]
        return self._grammar.rule("char-of", alt(parts)) if parts else alt(())

    def key_except(self, names: Iterable[str]) -> Node:
        """A key, quotes included, that is none of the names: a trie of them, left at some point."""
        return seq('"', self._unlike(frozenset(names)), '"')

    def _unlike(self, names: frozenset[str]) -> Node:
        if not names:
            return repeat(self.of(without(ALL, ())), 0, None)
        parts: list[Node] = [] if "" in names else [EMPTY]
        firsts = sorted({name[0] for name in names if name})
        other = self.of(without(ALL, [(ord(first), ord(first)) for first in firsts]))
        parts.append(seq(other, repeat(self.character(), 0, None)))
        for first in firsts:
            rest = frozenset(name[1:] for name in names if name[:1] == first)
            parts.append(seq(self.of(((ord(first), ord(first)),)), self._unlike(rest)))
        return alt(parts)


def _surrogate(second: Chars) -> Node:
    return seq(Chars(((0x44, 0x44), (0x64, 0x64))), second, _HEX, _HEX)


def _escaped(low: int, high: int) -> Node:
    """The characters of a range as one or two escapes of four hexadecimal digits."""
    if low < 0x10000 <= high:
        return alt((_escaped(low, 0xFFFF), _escaped(0x10000, high)))
    if high < 0x10000:
        return seq("\\u", _hex_range(f"{low:04x}", f"{high:04x}"))
    first, last = (low - 0x10000) >> 10, (high - 0x10000) >> 10
    bottom, top = (low - 0x10000) & 0x3FF, (high - 0x10000) & 0x3FF
    if first == last:
        return _pair(first, first, bottom, top)
    parts = [_pair(first, first, bottom, 0x3FF), _pair(last, last, 0, top)]
    return alt(parts + ([_pair(first + 1, last - 1, 0, 0x3FF)] if last - first > 1 else []))


def _pair(first: int, last: int, bottom: int, top: int) -> Node:
    leading = _hex_range(f"{0xD800 + first:04x}", f"{0xD800 + last:04x}")
    return seq("\\u", leading, "\\u", _hex_range(f"{0xDC00 + bottom:04x}", f"{0xDC00 + top:04x}"))


def _hex_range(low: str, high: str) -> Node:
    """Hexadecimal digits, of either case, between two of the same length."""
    left = len(low) - 1
    if left < 0:
        return EMPTY
    if low[0] == high[0]:
        return seq(_hex_digits(low[0], low[0]), _hex_range(low[1:], high[1:]))
    first, last, parts = int(low[0], 16), int(high[0], 16), []
    if set(low[1:]) - {"0"}:
        parts.append(seq(_hex_digits(low[0], low[0]), _hex_range(low[1:], "f" * left)))
        first += 1
    if set(high[1:]) - {"f"}:
        parts.append(seq(_hex_digits(high[0], high[0]), _hex_range("0" * left, high[1:])))
        last -= 1
    if first <= last:
        parts.append(seq(_hex_digits(f"{first:x}", f"{last:x}"), repeat(_HEX, left, left)))
    return alt(parts)


def _hex_digits(low: str, high: str) -> Node:
    points = [ord(char) for char in "0123456789abcdef" if low <= char <= high]
    both = {*points, *(ord(chr(point).upper()) for point in points)}
    return Chars(ranges((point, point) for point in both))
