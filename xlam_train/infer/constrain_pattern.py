"""Regular expressions of schemas as grammars.

The dialect is ECMA-262's, searched for anywhere in the string unless anchored. Read is what a grammar can say:
characters, classes, groups, alternatives, repetition, and anchors at the two ends. Where engines differ (what \\w, \\s
and the full stop mean beyond ASCII) the narrower meaning is taken, so that what comes out matches in all of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from xlam_train.infer.constrain_grammar import EMPTY, Node, alt, repeat, seq
from xlam_train.infer.constrain_strings import ALL, Ranges, Strings, ranges, without

_DATE = "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"

FORMATS = {
    "date": f"^{_DATE}$",
    "time": f"^{_TIME}$",
    "date-time": f"^{_DATE}T{_TIME}$",
    "uuid": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
}
"""Formats of JSON Schema that a grammar can say, after RFC 3339 and RFC 4122."""

MAX_COUNT = 1000

_DIGITS: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 13), (32, 32))
_WIDE_SPACE: Ranges = (
    *_SPACE,
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
    (0x85, 0x85),
)
_NEW_LINES: Ranges = ((10, 10), (13, 13), (0x85, 0x85), (0x2028, 0x2029))
_CONTROL = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11}


class UnreadablePattern(Exception):
    """The expression uses what no grammar can say; data, not a crash."""


class Read(NamedTuple):
    """A part of an expression: its node and how many characters it takes; None is no upper bound."""

    node: Node
    least: int
    most: int | None


def pattern_node(pattern: str, strings: Strings) -> Read:
    """The content of a JSON string in which the pattern is found.

    Raises:
        UnreadablePattern: it uses more than a grammar can say.
    """
    return _Reader(pattern, strings).read()


class _Reader:
    """Recursive descent over one expression."""

    def __init__(self, pattern: str, strings: Strings) -> None:
        self._left = pattern
        self._strings = strings

    def read(self) -> Read:
        parts = []
        while True:
            parts.append(self._anchored())
            if not self._take("|"):
                break
        if self._left:
            raise UnreadablePattern(self._left)
        return _either(parts)

    def _anchored(self) -> Read:
        """One alternative of the outermost level, which alone may have anchors."""
        anywhere = Read(repeat(self._strings.character(), 0, None), 0, None)
        before = Read(EMPTY, 0, 0) if self._take("^") else anywhere
        body = self._sequence()
        after = Read(EMPTY, 0, 0) if self._take("$") else anywhere
        return _after_each_other([before, body, after])

    def _alternatives(self) -> Read:
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        return _either(parts)

    def _sequence(self) -> Read:
        parts = []
        while self._left and self._left[0] not in "|)$":
            parts.append(self._repeated(self._atom()))
        return _after_each_other(parts)

    def _repeated(self, part: Read) -> Read:
        counts = self._counts()
        if counts is None:
            return part
        self._take("?")  # How greedy a repetition is changes no set of strings.
        least, most = counts
        if part.least == 0 or least > MAX_COUNT or (most or 0) > MAX_COUNT or (most is not None and most < least):
            raise UnreadablePattern("a repetition of what may be empty, or one too long")
        return Read(repeat(part.node, least, most), part.least * least, _times(part.most, most))

    def _counts(self) -> tuple[int, int | None] | None:
        for mark, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(mark):
                return counts
        found = re.match(r"\{(\d+)(,?)(\d*)\}", self._left, re.ASCII)
        if found is None:
            return None
        self._left = self._left[found.end() :]
        least = int(found[1])
        return least, (int(found[3]) if found[3] else None) if found[2] else least

    def _atom(self) -> Read:
        if self._take("("):
            self._take("?:")
            if self._left.startswith("?"):
                raise UnreadablePattern("look-around or a named group")
            inner = self._alternatives()
            self._expect(")")
            return inner
        if self._take("["):
            allowed = self._class()
        elif self._take("."):
            allowed = without(ALL, _NEW_LINES)
        elif self._take("\\"):
            allowed = self._escape()
        elif self._left[0] in "^*+?{}]":
            raise UnreadablePattern(self._left)
        else:
            allowed = self._single()
        return Read(self._strings.of(allowed), 1, 1)

    def _single(self) -> Ranges:
        char, self._left = self._left[:1], self._left[1:]
        if not char or 0xD800 <= ord(char) <= 0xDFFF:
            raise UnreadablePattern("it ends too early")
        return ((ord(char), ord(char)),)

    def _class(self) -> Ranges:
        inverse = self._take("^")
        pairs: list[tuple[int, int]] = []
        while not self._take("]"):
            low = self._member()
            if self._left.startswith("-") and not self._left.startswith("-]"):
                self._take("-")
                high = self._member()
                if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or high[0][0] < low[0][0]:
                    raise UnreadablePattern("a range of classes")
                low = ((low[0][0], high[0][1]),)
            pairs += low
        if inverse and any(point > 0x7F for pair in pairs for point in pair):
            raise UnreadablePattern("what is left out goes beyond ASCII, where engines differ")
        found = without(ALL, pairs) if inverse else ranges(pairs)
        if not found:
            raise UnreadablePattern("an empty class")
        return found

    def _member(self) -> Ranges:
        # Rust's engine nests classes and has set operations, which ECMA-262 has not.
        if self._left.startswith(("[", "&&", "--", "~~")):
            raise UnreadablePattern("engines read this class differently")
        return self._escape() if self._take("\\") else self._single()

    def _escape(self) -> Ranges:
        char = chr(self._single()[0][0])
        if char in "dws":
            return {"d": _DIGITS, "w": _WORD, "s": _SPACE}[char]
        if char in "DWS":
            # Beyond ASCII engines differ, so nothing is taken from there.
            return without(((0, 0x7F),), {"D": _DIGITS, "W": _WORD, "S": _WIDE_SPACE}[char])
        if char in _CONTROL:
            return ((_CONTROL[char], _CONTROL[char]),)
        code = re.match(f"[0-9a-fA-F]{{{4 if char == 'u' else 2}}}", self._left)
        if char in "xu" and code is not None:
            self._left = self._left[code.end() :]
            return ranges([(int(code[0], 16), int(code[0], 16))]) or self._single()
        if char.isalnum():
            raise UnreadablePattern(f"\\{char}")
        return ((ord(char), ord(char)),)

    def _take(self, text: str) -> bool:
        found = self._left.startswith(text)
        self._left = self._left[len(text) :] if found else self._left
        return found

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise UnreadablePattern(f"'{text}' is missing")


def _either(parts: list[Read]) -> Read:
    most = [part.most for part in parts]
    longest = None if None in most else max(count for count in most if count is not None)
    return Read(alt(part.node for part in parts), min(part.least for part in parts), longest)


def _after_each_other(parts: list[Read]) -> Read:
    most: int | None = 0
    for part in parts:
        most = None if most is None or part.most is None else most + part.most
    return Read(seq(*(part.node for part in parts)), sum(part.least for part in parts), most)


def _times(length: int | None, count: int | None) -> int | None:
    return None if length is None or count is None else length * count
