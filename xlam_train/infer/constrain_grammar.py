"""A context-free grammar as data, and its text in GBNF.

GBNF is llama.cpp's notation (llama.cpp, grammars/README.md). Only what xgrammar reads alike is written: literals,
character classes, sequences, alternatives, bounded repetition and rule names.

A grammar made from a schema can hold parts that no text fits, such as a required argument whose type is empty. They
are left out when the text is written: of an alternative only the productive branches stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """These characters."""

    text: str


@dataclass(frozen=True)
class Chars:
    """One character out of inclusive ranges of code points."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Seq:
    """One part after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Alt:
    """Any one of the parts; without any, nothing fits."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """A part that fits no empty text, `least` to `most` times; None is no upper bound."""

    part: Node
    least: int
    most: int | None


@dataclass(frozen=True)
class Ref:
    """What the rule of that name says."""

    name: str


Node = Text | Chars | Seq | Alt | Repeat | Ref

EMPTY = Text("")
NEVER = Alt(())
DIGIT = Chars(((0x30, 0x39),))


def seq(*parts: Node | str) -> Node:
    """One part after the other; text stands for itself, and neighbouring texts are joined."""
    joined: list[Node] = []
    for part in _flat(parts, Seq):
        if isinstance(part, Text) and joined and isinstance(joined[-1], Text):
            joined[-1] = Text(joined[-1].text + part.text)
        elif part != EMPTY:
            joined.append(part)
    return joined[0] if len(joined) == 1 else Seq(tuple(joined)) if joined else EMPTY


def alt(parts: Iterable[Node | str]) -> Node:
    """Any one of the parts, each listed once."""
    nodes = dict.fromkeys(_flat(parts, Alt))
    return next(iter(nodes)) if len(nodes) == 1 else Alt(tuple(nodes))


def _flat(parts: Iterable[Node | str], kind: type[Seq | Alt]) -> Iterator[Node]:
    """The parts, those of parts of the same kind in their place."""
    for part in parts:
        if isinstance(part, Seq | Alt) and isinstance(part, kind):
            yield from part.parts
        else:
            yield Text(part) if isinstance(part, str) else part


def chars(first: str, last: str) -> Chars:
    """One character from `first` to `last`."""
    return Chars(((ord(first), ord(last)),))


def repeat(part: Node, least: int, most: int | None) -> Node:
    """`least` to `most` times; NEVER where that is no range."""
    if most is not None and most < least:
        return NEVER
    return EMPTY if most == 0 else Repeat(part, least, most)


class Grammar:
    """Named rules, each body once."""

    def __init__(self) -> None:
        """No rules yet."""
        self._bodies: dict[str, Node] = {}
        self._names: dict[Node, str] = {}

    def reserve(self, hint: str) -> Ref:
        """A name for a rule whose body refers to itself; `define` it later."""
        stem = re.sub(r"[^a-zA-Z0-9]+", "-", hint).strip("-").lower() or "rule"
        name, count = stem, 1
        while name in self._bodies:
            count += 1
            name = f"{stem}-{count}"
        self._bodies[name] = NEVER
        return Ref(name)

    def define(self, ref: Ref, body: Node) -> None:
        """The body of a reserved rule."""
        self._bodies[ref.name] = body

    def rule(self, hint: str, body: Node) -> Ref:
        """A rule with that body; the one there is, if any."""
        if body not in self._names:
            ref = self.reserve(hint)
            self.define(ref, body)
            self._names[body] = ref.name
        return Ref(self._names[body])

    def __len__(self) -> int:
        """Number of rules."""
        return len(self._bodies)

    def productive(self) -> frozenset[str]:
        """Names of the rules that at least one text fits: the least fixed point."""
        known: set[str] = set()
        while True:
            found = {name for name, body in self._bodies.items() if name not in known and _fits(body, known)}
            if not found:
                return frozenset(known)
            known |= found

    def to_gbnf(self, root: Node) -> str:
        """The rules that `root` needs, one a line, `root` first.

        Raises:
            ValueError: no text fits.
        """
        productive = self.productive()
        if not _fits(root, productive):
            raise ValueError("no text fits the grammar")
        lines, waiting, seen = [f"root ::= {_write(root, productive)}"], [*_refs(root)], set[str]()
        while waiting:
            name = waiting.pop(0)
            if name in seen or name not in productive:
                continue
            seen.add(name)
            lines.append(f"{name} ::= {_write(self._bodies[name], productive)}")
            waiting += _refs(self._bodies[name])
        return "\n".join(lines) + "\n"


def _fits(node: Node, known: Iterable[str]) -> bool:
    """Whether some text fits, given the names of the rules that some text fits."""
    if isinstance(node, Seq):
        return all(_fits(part, known) for part in node.parts)
    if isinstance(node, Alt):
        return any(_fits(part, known) for part in node.parts)
    if isinstance(node, Repeat):
        return node.least == 0 or _fits(node.part, known)
    return node.name in known if isinstance(node, Ref) else node != Chars(())


def _refs(node: Node) -> list[str]:
    if isinstance(node, Ref):
        return [node.name]
    parts = node.parts if isinstance(node, Seq | Alt) else (node.part,) if isinstance(node, Repeat) else ()
    return [name for part in parts for name in _refs(part)]


def _write(node: Node, productive: frozenset[str]) -> str:
    if isinstance(node, Text):
        return quoted(node.text)
    if isinstance(node, Chars):
        return _class(node.ranges)
    if isinstance(node, Ref):
        return node.name
    if isinstance(node, Seq):
        return " ".join(_grouped(part, productive) for part in node.parts)
    if isinstance(node, Alt):
        return " | ".join(_write(part, productive) for part in node.parts if _fits(part, productive))
    if not _fits(node.part, productive):
        return quoted("")
    return _grouped(node.part, productive) + _count(node.least, node.most)


def _grouped(node: Node, productive: frozenset[str]) -> str:
    text = _write(node, productive)
    return f"({text})" if isinstance(node, Seq | Alt) else text


def _count(least: int, most: int | None) -> str:
    simple = {(0, None): "*", (1, None): "+", (0, 1): "?", (1, 1): ""}
    if (least, most) in simple:
        return simple[least, most]
    return f"{{{least}}}" if least == most else f"{{{least},{'' if most is None else most}}}"


_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """A literal."""
    return '"' + "".join(_SHORT.get(char) or _code(ord(char), "") for char in text) + '"'


def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    """A class; what has a meaning in it is written by its code."""
    ends = [(_code(low, '\\]^[-"'), _code(high, '\\]^[-"')) for low, high in ranges]
    return "[" + "".join(low if low == high else f"{low}-{high}" for low, high in ends) + "]"


def _code(point: int, special: str) -> str:
    if 0x20 <= point < 0x7F and chr(point) not in special:
        return chr(point)
    # Not \\x, which ends after two digits in llama.cpp and after the last one in xgrammar.
    return f"\\u{point:04X}" if point < 0x10000 else f"\\U{point:08X}"
