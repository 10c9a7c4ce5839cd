"""Texts for a regular expression: the common part of the language, enough for the patterns of tool schemas.

Look-arounds, back references and Unicode classes are not understood; callers check the text and do
without it.
"""

from __future__ import annotations

import random
import string

MAX_REPEAT = 6
"""Most repetitions drawn for `*`, `+` and `{n,}` beyond the least."""

_CLASSES = {
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_",
    "s": " ",
    "D": string.ascii_letters,
    "W": "-",
    "S": string.ascii_lowercase,
}
_ANY = string.ascii_lowercase
_PRINTABLE = string.ascii_lowercase + string.digits + "-"


class Unreadable(ValueError):
    """A pattern outside the part of the language that is understood."""


def text_for(pattern: str, rng: random.Random) -> str:
    """A text that the pattern describes.

    Raises:
        Unreadable: the pattern has something that is not understood here.
    """
    writer = _Writer(pattern, rng)
    text = writer.alternation()
    if writer.place != len(pattern):
        raise Unreadable(pattern)
    return text


class _Writer:
    """Reads a pattern once, left to right, and writes a text on the way."""

    def __init__(self, pattern: str, rng: random.Random) -> None:
        self.pattern = pattern
        self.rng = rng
        self.place = 0

    def peek(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def take(self) -> str:
        char = self.peek()
        if not char:
            raise Unreadable(self.pattern)
        self.place += 1
        return char

    def alternation(self) -> str:
        """One of the branches up to the end or a closing bracket."""
        branches = [self.sequence()]
        while self.peek() == "|":
            self.take()
            branches.append(self.sequence())
        return self.rng.choice(branches)

    def sequence(self) -> str:
        parts = []
        while self.peek() not in ("", "|", ")"):
            start = self.place
            text = self.atom()
            least, most = self.count()
            after = self.place
            parts.append(text if least == most == 1 else "")
            for _ in range(0 if least == most == 1 else self.rng.randint(least, most)):
                # Written anew each time, so that repeats differ.
                self.place = start
                parts.append(self.atom())
            self.place = after
        return "".join(parts)

    def atom(self) -> str:
        char = self.take()
        if char in "^$":
            return ""
        if char == ".":
            return self.rng.choice(_ANY)
        if char == "[":
            return self.rng.choice(self.char_class())
        if char == "(":
            return self.group()
        if char == "\\":
            return self.escaped()
        if char in "*+?{":
            raise Unreadable(self.pattern)
        return char

    def group(self) -> str:
        if self.peek() == "?":
            self.take()
            if self.take() != ":":
                raise Unreadable(self.pattern)
        text = self.alternation()
        if self.take() != ")":
            raise Unreadable(self.pattern)
        return text

    def escaped(self) -> str:
        char = self.take()
        if char in "bAZz":
            return ""
        if char in _CLASSES:
            return self.rng.choice(_CLASSES[char])
        if char.isalnum():
            raise Unreadable(self.pattern)
        return char

    def char_class(self) -> str:
        negated = self.peek() == "^" and bool(self.take())
        letters = ""
        while self.peek() != "]" or not letters:
            char = self.take()
            if char == "\\":
                escape = self.take()
                letters += _CLASSES.get(escape, escape)
            elif self.peek() == "-" and self.pattern[self.place + 1 : self.place + 2] not in ("]", ""):
                self.take()
                letters += "".join(map(chr, range(ord(char), ord(self.take()) + 1)))
            else:
                letters += char
        self.take()
        if negated:
            letters = "".join(letter for letter in _PRINTABLE if letter not in letters)
        if not letters:
            raise Unreadable(self.pattern)
        return letters

    def count(self) -> tuple[int, int]:
        """How often the atom before is repeated: least and most."""
        char = self.peek()
        if char == "?":
            found = (0, 1)
        elif char in ("*", "+") and char:
            found = (int(char == "+"), MAX_REPEAT)
        elif char == "{":
            end = self.pattern.find("}", self.place)
            least, comma, most = self.pattern[self.place + 1 : end].partition(",")
            if end < 0 or not least.isdigit() or (most and not most.isdigit()):
                raise Unreadable(self.pattern)
            low = int(least)
            found = (low, int(most) if most else low + MAX_REPEAT if comma else low)
            self.place = end
        else:
            return 1, 1
        self.take()
        if self.peek() in ("?", "+"):
            self.take()
        return found[0], max(found[0], min(found[1], found[0] + MAX_REPEAT))
