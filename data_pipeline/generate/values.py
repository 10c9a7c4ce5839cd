"""Plausible argument values from a parameter's schema alone.

What a value should look like is read from, in this order: `const` and `enum`, `examples`, the
format, the pattern, the type's own bounds, and the words of the parameter's name and description (a
"city" gets a city, a "_kg" a weight). A schema is read once, into `Field`s, and drawn from often.

Not honoured: `not`, `if`, `contains`, `propertyNames`, and dependencies between alternatives.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from data_pipeline.generate import lexicon
from data_pipeline.generate.schemas import Schema, alternatives, plain, type_of, words_of
from data_pipeline.generate.values_agree import Rule, agreements
from data_pipeline.generate.values_number import number_range, real_number, whole_number
from data_pipeline.generate.values_pattern import Unreadable, text_for
from data_pipeline.generate.values_text import TEXT_MAKERS, fitted, maker_of, text_kind

Draw = Callable[[random.Random], Any]

NESTED_OPTIONAL_SHARE = 0.3
"""Probability that an optional entry of a nested object is given."""
MANY_EXAMPLES = 8
"""Examples from which on nothing else is drawn: so many tell better what a value is like than words do."""
OPTIONAL_DEPTH = 3
"""Levels down to which optional entries are drawn, so that recursive schemas end."""
MAX_DEPTH = 12
"""Levels below which nothing is drawn; only a schema that requires itself comes here."""
_TRIES = 6


class Field:
    """One place of a schema, read once: what its values look like.

    Attributes:
        name: of the parameter or entry.
        words: of the name.
        schema: with references followed.
        kind: JSON type of the values; 'union' where there are alternatives.
        text_kind: what a text holds, such as 'date', or None.
        draw: one value from a random stream.
    """

    def __init__(
        self, name: str, schema: Any, root: Schema | None = None, depth: int = 0, topic: str = "", parent: str = ""
    ) -> None:
        """Read a schema.

        Args:
            name: of the parameter or entry.
            schema: of its values.
            root: what references point into; the schema itself unless given.
            depth: levels above this one.
            topic: words of the tool's name.
            parent: words of the name of what it belongs to.
        """
        self.root: Schema = root if root is not None else schema if isinstance(schema, dict) else {}
        self.name, self.depth, self.topic = name, depth, topic
        self.schema = plain(schema, self.root)
        self.words = words_of(name)
        self.kind = "union" if self.branches else type_of(self.schema)
        self.text_kind = text_kind(self.words, self.schema, parent) if self.kind == "string" else None
        self.draw: Draw = self._drawer()

    @cached_property
    def branches(self) -> tuple[Field, ...]:
        """The alternatives of a union."""
        if self.depth > MAX_DEPTH:
            return ()
        return tuple(self._below(self.name, branch) for branch in alternatives(self.schema, self.root))

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The entries of an object by name."""
        properties = self.schema.get("properties")
        found = properties if isinstance(properties, dict) else {}
        return {name: self._below(name, schema) for name, schema in found.items()}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Names an object must have."""
        names = self.schema.get("required")
        return tuple(names) if isinstance(names, list) else ()

    @cached_property
    def items(self) -> Field:
        """What the entries of an array are like."""
        singular = self.name[:-1] if self.name.endswith("s") and not self.name.endswith("ss") else self.name
        items = self.schema.get("items")
        inner: Schema = plain(items, self.root) if isinstance(items, dict) and items else {"type": "string"}
        described = {**inner, "description": inner.get("description") or self.schema.get("description") or ""}
        return self._below(singular, described)

    @cached_property
    def choices(self) -> tuple[Any, ...]:
        """The values of an `enum` or `const`; () if any value will do."""
        if "const" in self.schema:
            return (self.schema["const"],)
        listed = self.schema.get("enum")
        if not isinstance(listed, list) or not listed:
            return ()
        return tuple(value for value in listed if value is not None) or (None,)

    @cached_property
    def is_caseless(self) -> bool:
        """Whether no two choices differ in case only, as the genes AA and aa do."""
        return len({str(choice).casefold() for choice in self.choices}) == len(self.choices)

    @cached_property
    def rules(self) -> list[Rule]:
        """What makes the entries of an object agree."""
        return agreements(self.fields)

    def branch_of(self, value: Any) -> Field:
        """The alternative that a value was drawn from, as far as its type and keys tell."""
        if self.kind != "union":
            return self
        wanted = _JSON_NAMES.get(type(value), "string")
        fitting = [branch.branch_of(value) for branch in self.branches]
        same = [branch for branch in fitting if branch.kind in (wanted, "number" if wanted == "integer" else wanted)]
        known = [branch for branch in same if not isinstance(value, dict) or branch.fields.keys() >= value.keys()]
        return (known or same or fitting)[0]

    def _below(self, name: str, schema: Any) -> Field:
        return Field(name, schema, self.root, self.depth + 1, self.topic, self.words)

    def _drawer(self) -> Draw:
        if self.choices:
            values = self.choices
            return lambda rng: rng.choice(values)
        plainly: Draw = getattr(self, f"_{self.kind}", self._string)
        if self.kind == "string":
            plainly = self._text_drawer()
        elif self.kind in ("integer", "number"):
            plainly = self._number_drawer()
        examples = self.schema.get("examples")
        if not isinstance(examples, list) or not examples:
            return plainly
        if len(examples) >= MANY_EXAMPLES or self._are_told(examples):
            return lambda rng: rng.choice(examples)
        # Where nothing else says what a text is, the examples do.
        share = 0.5 if self.kind != "string" or self.text_kind else 0.75
        return lambda rng: rng.choice(examples) if rng.random() < share else plainly(rng)

    def _are_told(self, examples: list[Any]) -> bool:
        """Whether the description lists them, or names one where no words say what else would do."""
        description = str(self.schema.get("description") or "")
        told = [re.search(rf"(?<!\w){re.escape(str(example))}(?!\w)", description) is not None for example in examples]
        return self.kind == "string" and (all(told) or (any(told) and self.text_kind in (None, "unit")))

    def _number_drawer(self) -> Draw:
        found, schema = number_range(self.words, self.schema, self.topic), self.schema
        if self.kind == "integer":
            return lambda rng: whole_number(found, schema, rng)
        return lambda rng: real_number(found, schema, rng)

    def _text_drawer(self) -> Draw:
        make, schema = maker_of(self.text_kind, self.words), self.schema
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            return lambda rng: _matching(pattern, make, schema, rng)
        if "minLength" in schema or "maxLength" in schema:
            return lambda rng: fitted(make(rng), schema, rng)
        return make

    def _string(self, rng: random.Random) -> Any:
        """A type nobody knows is answered with a text."""
        return TEXT_MAKERS["title"](rng)

    def _boolean(self, rng: random.Random) -> bool:
        # Stating a flag mostly means to change it.
        default = self.schema.get("default")
        return (not default) if isinstance(default, bool) and rng.random() < 0.8 else rng.random() < 0.5

    def _null(self, _rng: random.Random) -> None:
        return None

    def _union(self, rng: random.Random) -> Any:
        return rng.choice(self.branches).draw(rng)

    def _object(self, rng: random.Random) -> dict[str, Any]:
        share = NESTED_OPTIONAL_SHARE if self.depth < OPTIONAL_DEPTH else 0.0
        drawn = self.draw_object(rng, share)
        if not drawn and self.fields and self.depth < MAX_DEPTH:
            name = rng.choice(list(self.fields))  # nobody gives an empty object
            drawn[name] = self.fields[name].draw(rng)
        return drawn

    def draw_object(self, rng: random.Random, optional_share: float) -> dict[str, Any]:
        """All required entries, and each optional one with probability `optional_share`."""
        if self.depth > MAX_DEPTH:
            return {}
        drawn = {
            name: field.draw(rng)
            for name, field in self.fields.items()
            if name in self.required or rng.random() < optional_share
        }
        for rule in self.rules:
            rule(drawn, rng)
        more = self.schema.get("additionalProperties")
        wanted = max(self.schema.get("minProperties") or 0, 2 if more and not self.fields else 0)
        for _ in range(wanted * _TRIES if more is not False else 0):
            if len(drawn) >= wanted:
                break
            name = rng.choice(lexicon.NOUNS)
            drawn[name] = self._below(name, more if isinstance(more, dict) else {"type": "string"}).draw(rng)
        return drawn

    def _array(self, rng: random.Random) -> list[Any]:
        if self.depth > MAX_DEPTH:
            return []
        leading = self.schema.get("prefixItems")
        if isinstance(leading, list) and leading:
            return [self._below(self.name, schema).draw(rng) for schema in leading]
        least, most = self._array_length()
        found: list[Any] = []
        for _ in range(rng.randint(least, most) * 4):
            value = self.items.draw(rng)
            if value not in found and not _is_named_again(value, found):
                found.append(value)
            if len(found) >= least and (len(found) == most or rng.random() < 0.3):
                break
        # Fewer different values than `minItems`: then some repeat.
        return found + [self.items.draw(rng) for _ in range(least - len(found))]

    def _array_length(self) -> tuple[int, int]:
        deep = self.depth >= OPTIONAL_DEPTH
        low = max(self.schema.get("minItems") or 0, 1 if deep else 2)
        high = low if deep else low + (self.items.kind == "object") if self.items.kind == "object" else max(low, 4)
        most = self.schema.get("maxItems")
        return (low, high) if most is None else (min(low, most), min(high, most))


def _is_named_again(value: Any, found: list[Any]) -> bool:
    """Whether an object begins with the same text as another, as two orders of one product do."""
    head = next(iter(value.values()), None) if isinstance(value, dict) else None
    return isinstance(head, str) and any(next(iter(other.values()), None) == head for other in found)


_JSON_NAMES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}


def _matching(pattern: str, make: Draw, schema: Schema, rng: random.Random) -> str:
    """A text of the usual kind if one fits the pattern by chance, else one made from the pattern."""
    text = ""
    for attempt in range(_TRIES):
        try:
            text = str(make(rng)) if attempt == 0 else text_for(pattern, rng)
            if re.search(pattern, text) and fitted(text, schema, rng) == text:
                return text
        except (Unreadable, re.error):
            # A pattern of another dialect: the sample is refused later if the text does not fit.
            return fitted(str(make(rng)), schema, rng)
    return text


def sample_arguments(schema: Schema, rng: random.Random, optional_share: float) -> dict[str, Any]:
    """Arguments for an object schema: all required ones, each optional one with `optional_share`."""
    return Field("", schema).draw_object(rng, optional_share)
