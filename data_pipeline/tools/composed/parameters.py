"""Kinds of parameters, shared by all tools: a line of the banks is one kind.

    names | type | descriptions [| default]

Names are alternatives for one thing, separated by slashes; goals refer to the first, or to the key where one stands
before `=`. Descriptions are separated by semicolons. Types:

    str BANK       text, like the words of a bank of `banks`; `code` for identifiers, which are made up for each
                   tool; `-` where the name says what it holds
    enum A,B,C     one of these texts
    int A..B       a whole number; num A..B any number
    bool           a switch
    nums A..B      a list of numbers; ints A..B of whole ones; strs BANK of texts
    matrix A..B    a list of rows of numbers
    obj KEY,KEY    an object with an entry of each kind; objs KEY,KEY a list of such objects
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from data_pipeline.tools.composed.banks import banks
from data_pipeline.tools.composed.parameters_lists import ENTRIES, LISTS, OBJECTS
from data_pipeline.tools.composed.parameters_number import GENERAL, LIFE, SCIENCE
from data_pipeline.tools.composed.parameters_text import CHOICES, COMPOUND, SWITCHES, TEXTS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Container, Sequence

Schema = dict[str, Any]

EXAMPLES = (8, 12)
"""Fewest and most words of a bank that a tool's schema shows as examples."""
_MIN_CHOICES = 3
_TOLD_SHARE = 0.15
"""Choices that the description tells and the schema does not limit to."""
_TOLD = (": {0}", " ({0})", ". Options: {0}", ". One of {0}", ". Can be {0}", ", e.g. {1}")


class Kind(NamedTuple):
    """What a parameter may be called, hold and say of itself.

    Attributes:
        key: what goals call it.
        names: alternatives for its name.
        type: the first word of the line's type.
        detail: the rest of it.
        descriptions: alternatives.
        default: as text; '' for none.
    """

    key: str
    names: tuple[str, ...]
    type: str
    detail: str
    descriptions: tuple[str, ...]
    default: str

    def schema(self, rng: random.Random) -> Schema:
        """A JSON schema with one of the descriptions, without the default."""
        description = rng.choice(self.descriptions)
        found = _MAKERS[self.type](self.detail, self.default, rng)
        if "enum" in found and rng.random() < _TOLD_SHARE:
            choices = found.pop("enum")
            description = f"{description}{rng.choice(_TOLD)}".format(", ".join(choices), choices[0])
            found["examples"] = choices
        return {"type": found.pop("type"), "description": description, **found}

    def name(self, style: float, taken: Container[str]) -> str:
        """A name that is not taken; kinds that go together, such as two sides, are named alike in one style."""
        names = (self.names[int(style * len(self.names))], *self.names, self.key)
        return next(name for name in names if name not in taken)

    @property
    def default_value(self) -> Any:
        """The default as JSON; None where there is none."""
        if not self.default:
            return None
        if self.type == "bool":
            return self.default == "true"
        if self.type in ("int", "num"):
            return float(self.default) if "." in self.default else int(self.default)
        return self.default


@cache
def kinds() -> dict[str, Kind]:
    """Key -> kind."""
    found = {}
    banks_of_kinds = (TEXTS, CHOICES, SWITCHES, COMPOUND, GENERAL, SCIENCE, LIFE, ENTRIES, LISTS, OBJECTS)
    for line in "".join(banks_of_kinds).split("\n"):
        if line:
            kind = _read(line)
            found[kind.key] = kind
    return found


def _read(line: str) -> Kind:
    names, typed, descriptions, *default = (part.strip() for part in line.split(" | "))
    key, equals, rest = names.partition("=")
    alternatives = tuple((rest if equals else names).split("/"))
    word, _, detail = typed.partition(" ")
    told = tuple(text.strip() for text in descriptions.split(";"))
    return Kind(key if equals else alternatives[0], alternatives, word, detail, told, default[0] if default else "")


def _text(bank: str, _: str, rng: random.Random) -> Schema:
    if bank == "-":
        return {"type": "string"}
    number = rng.randint(*EXAMPLES)
    if bank == "code":
        return {"type": "string", "examples": _codes(number, rng)}
    return {"type": "string", "examples": _common(banks()[bank], number, rng)}


def _common(words: Sequence[str], number: int, rng: random.Random) -> list[str]:
    """Distinct words; half of the draws fall on the first quarter, as people mostly speak of what is well known."""
    found: dict[str, None] = {}
    while len(found) < min(len(words), number):
        found[words[int(len(words) * rng.random() ** 2)]] = None
    return list(found)


def _codes(number: int, rng: random.Random) -> list[str]:
    """Identifiers of one shape, such as `ORD-48213`, as they are within one company."""
    letters = "".join(rng.choices("ABCDEFGHKLMNPRSTVWX", k=rng.randint(1, 3)))
    mark, digits = rng.choice(("-", "", "_")), rng.randint(4, 7)
    return [f"{letters}{mark}{rng.randrange(10 ** (digits - 1), 10**digits)}" for _ in range(number)]


def _choice(listed: str, default: str, rng: random.Random) -> Schema:
    choices = listed.split(",")
    number = rng.randint(min(_MIN_CHOICES, len(choices)), len(choices))
    kept = {*rng.sample(choices, number), default}
    return {"type": "string", "enum": [choice for choice in choices if choice in kept]}


def _bounds(detail: str) -> tuple[float, float]:
    low, _, high = detail.partition("..")
    return _number(low), _number(high)


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _whole(detail: str, _: str, __: random.Random) -> Schema:
    low, high = _bounds(detail)
    return {"type": "integer", "minimum": low, "maximum": high}


def _real(detail: str, default: str, rng: random.Random) -> Schema:
    return {**_whole(detail, default, rng), "type": "number"}


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _matrix(detail: str, default: str, rng: random.Random) -> Schema:
    # Square, so that determinants and inverses exist, and small enough to be said.
    size = {"minItems": 2, "maxItems": 2}
    return {**_list_of({**_list_of(_real(detail, default, rng)), **size}), **size}


def _object(keys: str, _: str, rng: random.Random) -> Schema:
    entries: Schema = {}
    style = rng.random()
    for kind in (kinds()[key] for key in keys.split(",")):
        entries[kind.name(style, entries)] = kind.schema(rng)
    return {"type": "object", "properties": entries, "required": list(entries)}


_MAKERS: dict[str, Callable[[str, str, random.Random], Schema]] = {
    "str": _text,
    "enum": _choice,
    "bool": lambda _, __, ___: {"type": "boolean"},
    "int": _whole,
    "num": _real,
    "ints": lambda detail, default, rng: _list_of(_whole(detail, default, rng)),
    "nums": lambda detail, default, rng: _list_of(_real(detail, default, rng)),
    "strs": lambda bank, default, rng: _list_of(_text(bank, default, rng)),
    "matrix": _matrix,
    "obj": _object,
    "objs": lambda keys, default, rng: _list_of(_object(keys, default, rng)),
}
