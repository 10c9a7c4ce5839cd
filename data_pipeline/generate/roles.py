"""What a parameter is to a request, so that its value is said without its name: 'in Oslo', 'over 5 years'.

A role is read from the words, the type, the unit and the description of the schema. It is given only where
the words around a value tell it from every other parameter of the tool, stated or not; all others are named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from data_pipeline.generate.phrases import Form, Phrase, is_plural
from data_pipeline.generate.text import spoken_article
from data_pipeline.generate.units import singular
from data_pipeline.generate.verbs import VERBS

_FROM = frozenset({"from", "origin", "source", "departure"})
_TO = frozenset({"to", "target", "destination", "arrival"})
_START = frozenset({"start", "from", "begin", "starting"})
_END = frozenset({"end", "until", "to", "ending"})
_MAKERS = frozenset({"author", "writer", "artist", "director", "composer", "painter", "singer", "band", "by"})
_RECEIVERS = frozenset({"recipient", "receiver", "to"})
_VENUES = frozenset(
    {"hotel", "restaurant", "store", "shop", "museum", "venue", "school", "gym", "cinema", "hospital", "library"}
)
_GUESTS = frozenset(
    {"people", "adults", "children", "guests", "persons", "passengers", "travelers", "attendees", "students", "players"}
)
_LASTS = frozenset({"duration", "period", "term", "horizon", "length", "tenure"})
_TIMES = frozenset({"seconds", "minutes", "hours", "days", "weeks", "months", "years"})
_MOSTS = frozenset({"max", "maximum", "highest", "budget"})
_LEASTS = frozenset({"min", "minimum", "lowest"})
_MONEY = frozenset({"price", "budget", "cost", "rent", "fee", "spend"})
_SAID_OF_MOMENTS = frozenset({"date", "day", "time", "local", "datetime", "on", "at"})
_COUNTABLE = frozenset(
    {"tip", "discount", "margin", "fee", "increase", "raise", "decrease", "share", "commission", "deposit", "yield",
     "premium", "slope", "grade", "surcharge"}
)  # fmt: skip
_LIMITS = frozenset(
    {"limit", "max results", "num results", "number of results", "count", "result count", "page size", "results limit",
     "top n", "top k", "top"}
)  # fmt: skip
_SIZES = {"length": "long", "width": "wide", "height": "high", "depth": "deep", "thickness": "thick"}
_WORDED_IN = frozenset({"unit", "units", "currency", "language", "format", "system"})
_OBJECTS = frozenset({"company", "team", "product", "title", "medicine", "animal", "country", "food"})
_TOPICS = frozenset({"topic", "subject", "keyword", "keywords", "theme"})
_SWITCHED = frozenset({"include", "includes", "including", "with", "has"})
_SAID_OF_PEOPLE = frozenset({"person", "customer", "patient", "student", "user", "name", "guest", "player", "client"})
_ALSO_NOUNS = frozenset(
    {
        "rate",
        "grade",
        "score",
        "time",
        "weight",
        "name",
        "share",
        "balance",
        "order",
        "group",
        "place",
        "label",
        "post",
        "record",
        "total",
        "price",
        "match",
        "start",
        "location",
        "plan",
        "report",
    }
)
_ONE = {"people": "person", "children": "child"}
_MOST_COUNTED_WORDS = 3

TRAIT, OBJECT, WAY, COUNT, PLACE, AMOUNT, LASTING, DATE, TIME, MANNER = range(10)
"""The usual order of phrases in a sentence; a trait follows its noun at once, as in 'a parcel 30 cm wide'."""


class Role(NamedTuple):
    """How a value is said without naming its parameter.

    Attributes:
        slot: what it fills in a sentence; two of a tool's parameters must not fill the same.
        forms: what may stand around the value.
        place: among the other phrases.
        is_marked: whether its words tell it from other parameters that hold the same kind of value.
        by_one: the forms beside a 1, where a noun follows; () for the same.
    """

    slot: str
    forms: tuple[Form, ...]
    place: int
    is_marked: bool = True
    by_one: tuple[Form, ...] = ()


def roles_of(phrases: Mapping[str, Phrase]) -> dict[str, Role]:
    """The roles of a tool's parameters; none for those that would be mixed up."""
    found = {name: role for name, phrase in phrases.items() if (role := role_of(phrase))}
    slots = Counter(role.slot for role in found.values())
    kinds = Counter(_kind_of(phrase) for phrase in phrases.values())
    return {
        name: role
        for name, role in found.items()
        if slots[role.slot] == 1 and (role.is_marked or kinds[_kind_of(phrases[name])] == 1)
    }


def role_of(phrase: Phrase) -> Role | None:
    """The role of one parameter by itself."""
    kind = phrase.field.kind
    if not phrase.field.words.strip():
        return None
    if kind in ("integer", "number"):
        readings = (_lasting, _limit, _bound, _share, _size, _count, _leading)
        return next((role for reading in readings if (role := reading(phrase))), None)
    if kind == "boolean":
        return _switch(phrase)
    if kind == "array":
        return _list(phrase)
    return _text(phrase) if kind == "string" else None


def _kind_of(phrase: Phrase) -> str:
    """What other parameters must not hold where a value is said bare."""
    if phrase.unit:
        return phrase.unit.key
    inner = phrase.items.field if phrase.field.kind == "array" else phrase.field
    return "object" if inner.text_kind in _OBJECTS else inner.text_kind or phrase.field.name


def _words(phrase: Phrase) -> list[str]:
    return phrase.field.words.split()


def _lasting(phrase: Phrase) -> Role | None:
    """'over 5 years': a time that something lasts."""
    noun = phrase.noun.split()
    if not phrase.unit or phrase.unit.key not in _TIMES or (noun and noun[-1] not in _LASTS):
        return None
    return Role("lasting", (("over ", ""), ("for ", "")), LASTING, is_marked=False)


def _limit(phrase: Phrase) -> Role | None:
    if phrase.field.words not in _LIMITS:
        return None
    forms = (("limited to ", " results"), ("showing up to ", " results"), ("with at most ", " results"))
    return Role("limit", forms, MANNER, by_one=(("limited to ", " result"), ("with at most ", " result")))


def _bound(phrase: Phrase) -> Role | None:
    """'under 40 euros', from max_price or budget."""
    words = set(_words(phrase))
    if not words & _MONEY:
        return None
    if words & _MOSTS:
        return Role(
            "most", (("up to ", ""), ("under ", ""), ("for no more than ", ""), ("costing at most ", "")), AMOUNT
        )
    return Role("least", (("costing at least ", ""), ("from ", " upwards")), AMOUNT) if words & _LEASTS else None


def _share(phrase: Phrase) -> Role | None:
    """'at 4.5 %', 'with 20 % humidity'."""
    if not phrase.unit or phrase.unit.key != "percent" or not phrase.noun:
        return None
    if phrase.noun.split()[-1] in ("rate", "interest"):
        return Role("rate", (("at ", ""), ("at a rate of ", "")), AMOUNT, is_marked=False)
    if phrase.noun.split()[-1] in _COUNTABLE:
        return Role(phrase.noun, (("with a ", f" {phrase.noun}"),), AMOUNT)
    return Role(phrase.noun, (("with ", f" {phrase.noun}"),), AMOUNT)


def _size(phrase: Phrase) -> Role | None:
    """'30 cm wide', 'weighing 70 kg', 'aged 34'."""
    if phrase.noun == "age" or _words(phrase)[:1] == ["age"]:
        return Role("age", (("aged ", ""), ("of age ", "")), TRAIT)
    if not phrase.unit:
        return Role("year", (("in ", ""),), DATE) if phrase.noun == "year" else None
    if phrase.noun == "weight":
        return Role("weight", (("weighing ", ""),), TRAIT)
    size = _SIZES.get(phrase.noun)
    return Role(size, (("", f" {size}"),), TRAIT) if size and phrase.unit.key not in _TIMES else None


def counted(phrase: Phrase) -> str:
    """'votes' of vote_count, 'guests' of number_of_guests; '' where it is no count."""
    words = phrase.field.words.removeprefix("total ")
    for prefix in ("number of ", "num ", "no of ", "amount of "):
        if words.startswith(prefix):
            return words.removeprefix(prefix)
    noun = words.removesuffix(" count")
    if noun != words:
        return noun if noun.endswith("s") else f"{noun}s"
    return words if is_plural(words) or words in _GUESTS else ""


def _count(phrase: Phrase) -> Role | None:
    """'with 3 bedrooms', 'for 4 guests'."""
    if phrase.field.words == "party size":
        return Role("people", (("for ", " people"),), COUNT, by_one=(("for ", " person"),))
    noun = counted(phrase)
    if " per " in noun:
        one = " ".join([singular(noun.split()[0]), *noun.split()[1:]])
        return Role(noun, (("with ", f" {noun}"),), COUNT, by_one=(("with ", f" {one}"),))
    if not noun or (phrase.unit and not phrase.bare) or phrase.field.kind != "integer":
        return None
    *before, last = noun.split()
    if len(before) >= _MOST_COUNTED_WORDS or not (last.endswith("s") or last in _ONE):
        return None
    one = " ".join([*before, _ONE.get(last) or singular(last)])
    if noun == "nights":
        return Role("nights", (("for ", " nights"),), LASTING, by_one=(("for ", " night"),))
    if phrase.bare:
        return None
    lead = "for " if last in _GUESTS and not before else "with "
    return Role(noun, ((lead, f" {noun}"),), COUNT, by_one=((lead, f" {one}"),))


def _leading(phrase: Phrase) -> Role | None:
    """'from an offset of 5 hours', from from_offset_hours."""
    head, _, rest = phrase.noun.partition(" ")
    if head not in ("from", "to") or not rest:
        return None
    return Role(phrase.noun, ((f"{head} {spoken_article(rest)} {rest} of ", ""),), WAY)


def _switch(phrase: Phrase) -> Role | None:
    """'including taxes' or 'without taxes'; the value says which."""
    head, _, rest = phrase.field.words.partition(" ")
    return Role(f"switch {rest}", ((rest, ""),), MANNER) if head in _SWITCHED and rest else None


def _list(phrase: Phrase) -> Role | None:
    inner = phrase.items.field
    if inner.kind != "string" or inner.choices or inner.text_kind not in (*_OBJECTS, "city", "person"):
        return None
    return Role("object", (("for ", ""),), OBJECT, is_marked=False)


def _text(phrase: Phrase) -> Role | None:
    words, kind = set(_words(phrase)), phrase.field.text_kind
    if kind in ("date", "date-time"):
        return _dated(phrase, words)
    if kind == "time":
        return _timed(words)
    if "unit" in words and phrase.field.words not in _WORDED_IN and not words & (_FROM | _TO):
        return None
    if kind in ("city", "country", "country-code", "currency", "language", "unit") or words & _WORDED_IN:
        return _at_place(phrase, words, kind)
    if phrase.field.choices:
        return None
    return _somebody(words, kind) or _something(phrase, words, kind)


def _dated(phrase: Phrase, words: set[str]) -> Role | None:
    if {"check", "in"} <= words:
        return Role("start", (("checking in on ", ""), ("from ", " on")), DATE)
    if {"check", "out"} <= words:
        return Role("end", (("checking out on ", ""),), DATE)
    own = words - _SAID_OF_MOMENTS
    if own in ({"departure"}, {"arrival"}):
        return Role("leave", (("departing on " if "departure" in words else "arriving on ", ""),), DATE)
    if own and own <= _START:
        return Role("start", (("starting on ", ""), ("beginning ", "")), DATE)
    if own and own <= _END:
        return Role("end", (("until ", ""), ("ending on ", "")), DATE)
    if words & {"birth", "birthday", "birthdate"}:
        return Role("born", (("born on ", ""),), DATE)
    plain = words <= {"date", "day", "calendar", "event", "travel", "booking", "reservation"}
    return Role("date", (("on ", ""), ("for ", "")), DATE, is_marked=False) if plain else None


def _timed(words: set[str]) -> Role | None:
    own = words - _SAID_OF_MOMENTS
    if own in ({"departure"}, {"arrival"}):
        return Role("leave at", (("departing at " if "departure" in words else "arriving at ", ""),), TIME)
    if own and own <= _START:
        return Role("start at", (("starting at ", ""),), TIME)
    if own and own <= _END:
        return Role("end at", (("until ", ""),), TIME)
    plain = words <= {"time", "clock", "booking", "reservation", "appointment", "pickup"}
    return Role("time", (("at ", ""),), TIME, is_marked=False) if plain else None


def _at_place(phrase: Phrase, words: set[str], kind: str | None) -> Role | None:
    if words & _FROM:
        return Role("from", (("from ", ""),), WAY)
    if words & _TO:
        return Role("to", (("to ", ""),), WAY)
    if kind in ("city", "country", "country-code"):
        named = words <= {"city", "location", "place", "town", "country", "name", "area", "region"}
        return Role("in", (("in ", ""),), PLACE, is_marked=False) if named else None
    return Role(f"in {kind}", (("in ", ""),), MANNER, is_marked=False) if words & _WORDED_IN else None


def _somebody(words: set[str], kind: str | None) -> Role | None:
    if words & _MAKERS:
        return Role("by", (("by ", ""),), OBJECT)
    if kind in ("person", "email", "phone") and words & _RECEIVERS:
        return Role("to", (("to ", ""),), WAY)
    if kind == "person" and words <= {*_SAID_OF_PEOPLE, "full"}:
        return Role("object", (("for ", ""),), OBJECT, is_marked=False)
    return Role("user", (("for user ", ""), ("of user ", "")), OBJECT) if kind == "username" else None


def _something(phrase: Phrase, words: set[str], kind: str | None) -> Role | None:
    if words & _VENUES and words <= {*_VENUES, "name"}:
        return Role("at", (("at ", ""),), PLACE)
    if words & _TOPICS and len(words) == 1:
        return Role("about", (("about ", ""),), OBJECT)
    if words == {"query"} or words == {"search", "query"}:
        return Role("query", (("for ", ""),), OBJECT, is_marked=False)
    if kind == "code" and len(words) > 1 and words & {"id", "code", "number"}:
        noun = phrase.noun.rpartition(" ")[0]
        return Role(f"code {noun}", ((f"for {noun} ", ""), (f"of {noun} ", "")), OBJECT)
    if kind in _OBJECTS and phrase.field.words.split()[-1] in {kind, "name", "title"}:
        noun = phrase.noun.removesuffix(" name").removesuffix(" title")
        if noun in ("name", "title"):
            return Role("object", (("called ", ""), ("titled " if noun == "title" else "named ", "")), OBJECT)
        return Role("object", ((f"for the {noun} ", ""), ("for ", "")), OBJECT, is_marked=False)
    return None


def named_forms(phrase: Phrase, is_number: bool) -> tuple[Form, ...]:
    """Forms that name the parameter behind a 'with': 'a radius of 5', 'the style modern'."""
    if phrase.bare:
        return (("", ""),)
    nouns = [noun for noun in dict.fromkeys(phrase.nouns) if not _is_awkward(noun)] or [phrase.nouns[0]]
    return tuple(form for noun in nouns for form in _named_as(noun, phrase, is_number))


def _is_awkward(noun: str) -> bool:
    """'a number of days of 32 days', 'a study of 59 days', 'an elapsed of 9 days' is not said."""
    last = noun.split()[-1]
    return noun.startswith("number of ") or noun in _TIMES or last in ("elapsed", "used") or last in VERBS - _ALSO_NOUNS


def _named_as(noun: str, phrase: Phrase, is_number: bool) -> tuple[Form, ...]:
    if is_plural(noun) or phrase.field.kind == "array":
        return ((f"{noun} of ", ""),) if is_number else ((f"the {noun} ", ""),)
    if is_number and noun in ("number", "value"):
        return ((f"the {noun} ", ""),)
    if is_number:
        return ((f"{spoken_article(noun)} {noun} of ", ""),)
    return ((f"the {noun} ", ""), (f"{noun} ", ""), ("", f" as the {noun}"))
