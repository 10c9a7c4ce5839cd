"""JSON schema -> grammar: exactly the values that the schema takes, in the form `json.dumps` writes.

Arguments may come in any order where an object has few (a rule for each set of names already given, so that none is
missing and none comes twice); where it has more, in the order of the schema.
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

from xlam_train.infer import constrain_numbers as numbers
from xlam_train.infer.constrain_grammar import EMPTY, NEVER, Grammar, Node, Ref, alt, repeat, seq
from xlam_train.infer.constrain_pattern import FORMATS, UnreadablePattern, pattern_node
from xlam_train.infer.constrain_schema import NOT_SAID, Plain, Schema, ToolSchema, finite
from xlam_train.infer.constrain_strings import Strings, literal

ANY_ORDER = 5
"""Most members of an object that may come in any order: n of them take 2^n rules, and each engine reads the whole
grammar before its first token. For 16 tools of n arguments it has 60 kB at 5, 129 kB at 6 and 638 kB at 8."""

ANY_DEPTH = 6
"""How deep a value goes that the schema says nothing of; a model could open brackets until its budget is spent."""

MAX_COUNT = 1000
"""Largest bound of a length that is said: llama.cpp writes repetitions out, and refuses more than 2,000."""

MAX_RULES = 20_000
"""Rules of one grammar."""


class Values:
    """Nodes for the values of one tool's schemas."""

    def __init__(self, grammar: Grammar, schema: ToolSchema) -> None:
        """No rules are added yet."""
        self._grammar = grammar
        self._schema = schema
        self._strings = Strings(grammar)
        self._known: dict[str, Ref] = {}

    def value(self, schema: Schema, place: str) -> Node:
        """What a schema takes, as a rule: schemas that refer to themselves become rules that do.

        Args:
            schema: of the value.
            place: dotted path, for messages.

        Raises:
            InputError: the schema is broken, or its grammar too large.
        """
        text = json.dumps(schema)
        if text not in self._known:
            if len(self._grammar) > MAX_RULES:
                raise self._schema.refuse(place, f"the grammar takes more than {MAX_RULES:,} rules")
            self._known[text] = self._grammar.reserve(place)
            self._grammar.define(self._known[text], self._body(schema, place))
        return self._known[text]

    def _body(self, schema: Schema, place: str) -> Node:
        parts = []
        for plain in self._schema.branches(schema, place):
            values = finite(plain)
            if values is None:
                parts.append(self._unlisted(plain, place))
            else:
                parts += [literal(value) for value in values if self._schema.allows(schema, value)]
        return alt(parts)

    def _unlisted(self, plain: Plain, place: str) -> Node:
        for keyword in NOT_SAID:
            if keyword in plain and plain[keyword] is not False:
                self._schema.note(place, keyword)
        return alt(self._of_type(kind, plain, place) for kind in self._schema.types(plain, place))

    def _of_type(self, kind: str, plain: Plain, place: str) -> Node:
        if kind == "null":
            return seq("null")
        if kind == "boolean":
            return alt(("true", "false"))
        if kind == "string":
            return self._string(plain, place)
        if kind == "array":
            return self._array(plain, place)
        if kind == "object":
            return self.object(plain, place)
        return self._integer(plain) if kind == "integer" else self._number(plain, place)

    def _integer(self, plain: Plain) -> Node:
        least = [math.ceil(Fraction(bound)) for bound in _told(plain, "minimum")]
        least += [math.floor(Fraction(bound)) + 1 for bound in _told(plain, "exclusiveMinimum")]
        most = [math.floor(Fraction(bound)) for bound in _told(plain, "maximum")]
        most += [math.ceil(Fraction(bound)) - 1 for bound in _told(plain, "exclusiveMaximum")]
        body = numbers.integer(max(least, default=None), min(most, default=None))
        return self._grammar.rule("integer", body)

    def _number(self, plain: Plain, place: str) -> Node:
        least = [numbers.bound(told) for told in _told(plain, "minimum")]
        least += [numbers.bound(told, math.inf) for told in _told(plain, "exclusiveMinimum")]
        most = [numbers.bound(told) for told in _told(plain, "maximum")]
        most += [numbers.bound(told, -math.inf) for told in _told(plain, "exclusiveMaximum")]
        low = max(least, key=lambda limit: (limit.value, limit.open), default=None)
        high = min(most, key=lambda limit: (limit.value, not limit.open), default=None)
        for limit, keyword in ((low, "minimum"), (high, "maximum")):
            if not numbers.can_be_said(limit):
                self._schema.note(place, keyword)
        low, high = (limit if numbers.can_be_said(limit) else None for limit in (low, high))
        return self._grammar.rule("number", numbers.number(low, high))

    def _counts(self, plain: Plain, lowest: str, highest: str, place: str) -> tuple[int, int | None]:
        """Least and most of a length; a bound that is too large to be said is noted and left out."""
        found: list[int | None] = []
        for keyword in (lowest, highest):
            told = next((int(count) for count in _told(plain, keyword)), None)
            if told is not None and told > MAX_COUNT:
                self._schema.note(place, keyword)
                told = None
            found.append(told)
        return found[0] or 0, found[1]

    def _string(self, plain: Plain, place: str) -> Node:
        least, most = self._counts(plain, "minLength", "maxLength", place)
        pattern = plain.get("pattern", FORMATS.get(plain.get("format", "")))
        if "format" in plain and ("pattern" in plain or plain["format"] not in FORMATS):
            self._schema.note(place, "format")
        if pattern is not None:
            try:
                body, shortest, longest = pattern_node(pattern, self._strings)
            except UnreadablePattern:
                self._schema.note(place, "pattern")
            else:
                if shortest < least or (most is not None and (longest is None or longest > most)):
                    self._schema.note(place, "minLength or maxLength beside pattern")
                return self._grammar.rule("text", seq('"', body, '"'))
        return self._grammar.rule("string", self._strings.string(least, most))

    def _array(self, plain: Plain, place: str) -> Node:
        first = plain.get("prefixItems", [])
        least, most = self._counts(plain, "minItems", "maxItems", place)
        more = plain.get("items", True)
        item = self._free(place) if more is True or more == {} else self.value(more, f"{place}[]")
        body: Node = self._further(item, max(least - len(first), 0), None if most is None else most - len(first), first)
        for index in reversed(range(len(first))):
            here = seq(", " if index else "", self.value(first[index], f"{place}[{index}]"), body)
            can_end, can_go_on = index >= least, most is None or index < most
            body = alt([*([EMPTY] if can_end else []), *([here] if can_go_on else [])])
        return seq("[", body, "]")

    @staticmethod
    def _further(item: Node, least: int, most: int | None, first: list[Schema]) -> Node:
        """Items behind those that have schemas of their own."""
        if most is not None and most <= 0:
            return EMPTY if least == 0 else NEVER
        if first:
            return repeat(seq(", ", item), least, most)
        some = seq(item, repeat(seq(", ", item), max(least - 1, 0), None if most is None else most - 1))
        return some if least else alt((EMPTY, some))

    def object(self, plain: Plain, place: str) -> Node:
        """An object: each listed member at most once, required ones always, others only where the schema says so."""
        properties = plain.get("properties", {})
        required = plain.get("required", [])
        extra = plain.get("additionalProperties", not properties)
        free = self._free_member(extra, [*properties, *required], place)
        unlisted = [name for name in required if name not in properties]
        members = {**properties, **dict.fromkeys(unlisted, extra)}
        nodes = [seq(literal(name), ": ", self.value(schema, f"{place}.{name}")) for name, schema in members.items()]
        wanted = [name in required for name in members]
        order = self._any_order if len(nodes) <= ANY_ORDER else self._schema_order
        return seq("{", order(nodes, wanted, free, place), "}")

    def _free_member(self, extra: Schema, names: list[Any], place: str) -> Node:
        """A member that is not listed; a grammar cannot see that its name comes twice."""
        if extra is False:
            return NEVER
        self._schema.note(place, "a repeated name among additionalProperties")
        value = self._free(place) if extra is True or extra == {} else self.value(extra, f"{place}.*")
        return seq(self._strings.key_except(str(name) for name in names), ": ", value)

    def _any_order(self, nodes: list[Node], wanted: list[bool], free: Node, place: str) -> Node:
        """One rule for each set of members given so far."""
        members = [self._grammar.rule(f"{place}-member", node) for node in nodes]
        states: dict[tuple[int, bool], Ref] = {}
        all_given = (1 << len(nodes)) - 1
        for given in reversed(range(all_given + 1)):
            for begun in (True, False) if given == 0 else (True,):
                comma = ", " if begun else ""
                parts = [
                    seq(comma, member, states[given | 1 << index, True])
                    for index, member in enumerate(members)
                    if not given >> index & 1
                ]
                parts.append(seq(comma, free, states.setdefault((given, True), self._grammar.reserve(place))))
                done = all(given >> index & 1 or not want for index, want in enumerate(wanted))
                ref = states.setdefault((given, begun), self._grammar.reserve(place))
                self._grammar.define(ref, alt([*parts, *([EMPTY] if done else [])]))
        return states[0, False]

    def _schema_order(self, nodes: list[Node], wanted: list[bool], free: Node, place: str) -> Node:
        """Two rules for each member: what may follow when something came before, and when nothing did."""
        more = self._grammar.rule(f"{place}-more", repeat(seq(", ", free), 0, None))
        begun, fresh = more, self._grammar.rule(f"{place}-more", alt((EMPTY, seq(free, more))))
        for node, want in reversed([*zip(nodes, wanted, strict=True)]):
            member = self._grammar.rule(f"{place}-member", node)
            after, skipped = seq(", ", member, begun), seq(member, begun)
            fresh = self._grammar.rule(place, skipped if want else alt((skipped, fresh)))
            begun = self._grammar.rule(place, after if want else alt((after, begun)))
        return fresh

    def _free(self, place: str) -> Node:
        """Any JSON value of at most `ANY_DEPTH` levels."""
        self._schema.note(place, "a repeated name among additionalProperties")
        node: Node = alt((self._strings.string(), numbers.number(), "true", "false", "null"))
        scalar = node = self._grammar.rule("any-scalar", node)
        key = self._strings.string()
        for _ in range(ANY_DEPTH):
            members = seq(key, ": ", node)
            array = seq("[", self._further(node, 0, None, []), "]")
            held = seq("{", self._further(members, 0, None, []), "}")
            node = self._grammar.rule("any", alt((scalar, array, held)))
        return node


def _told(plain: Plain, keyword: str) -> list[int | float]:
    """The keyword's number, if it is there."""
    return [plain[keyword]] if keyword in plain else []
