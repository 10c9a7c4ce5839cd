"""Where a tool's goal speaks of a parameter: 'the weather in a city' becomes 'the weather in Oslo'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from data_pipeline.generate.phrases import Phrase
from data_pipeline.generate.units import UNITS

_ENDS = (
    r"(?=$|[,.;:)]|'s\b|\s(?:in|for|from|to|of|on|at|with|by|and|or|over|between|using|during|before|after|within|is|are"
    r"|has|was|can|about|against|into|under|as|per)\b)"
)
_ANY = (
    r"(?:an?|one|another|the given|the specified|the selected|the provided|some)"
    r"(?: (?:given|specific|specified|certain))?"
)
_MANY = (
    r"(?:(?:several|multiple|some|many|given|different|two or more|an? (?:list|set|group|series|number) of"
    r"|the given|the specified)(?: given)? )"
)
_TWO = r"two(?: (?:given|different))?"
# What is said by itself, as 'Oslo' is for a city; other values follow the noun: 'the text "..."'.
_PROPER = frozenset(
    {"city", "country", "person", "company", "team", "product", "title", "animal", "language", "currency", "date",
     "time", "food", "subject", "medicine", "address", "ipv4", "email", "url", "genre", "activity", "job",
     "weekday"}
)  # fmt: skip
_LABELS = frozenset({"name", "title", "id", "code", "number", "symbol", "email", "address", "url"})
_PERIODS = frozenset({"year", "month", "day", "hour", "week", "age", *UNITS})
_KINDS = frozenset(
    {"type", "kind", "genre", "style", "color", "colour", "category", "cuisine", "class", "material", "shape", "size",
     "flavor", "breed", "mode"}
)  # fmt: skip
_KIND_OF = re.compile(
    r"^(?:the )?(?:type|kind|genre|style|category|cuisine|class|material) of (?:the |an? )?(\w+)", re.IGNORECASE
)
_CARRIED = re.compile(
    r" (?:from one [\w ]+? to another(?: one)?|between (?:two |different )?[\w ]+s|to another \w+)"
    r"(?=$| (?:at|using|with|by|on)\b)"
)
# What a goal may call what a text holds, whatever its parameter is called.
_CALLED = {
    "city": ("city", "town", "place", "location"),
    "country": ("country",),
    "person": ("person",),
    "company": ("company",),
    "team": ("team",),
    "product": ("product",),
    "animal": ("animal",),
    "food": ("food",),
    "medicine": ("medicine",),
    "language": ("language",),
}
_NAME_OF = re.compile(
    r"^(?:the )?(?:full |common |last |first )?(?:names?|title|symbol|code|identifier|id) of (?:the |an? )?"
    r"([a-z]+(?: [a-z]+)?)\b(?! of)",
    re.IGNORECASE,
)
_OWN_NAME = re.compile(
    r"^(?:the )?([a-z]+(?: [a-z]+)?)'s (?:full )?(?:name|title|symbol|ticker|identifier)", re.IGNORECASE
)
# Parameter -> what its value is the name of.
_NAMES_A = {"username": "user", "user name": "user", "symbol": "stock", "ticker": "stock", "ticker symbol": "stock"}
_AMOUNTS = ("amount", "principal", "sum")
_ORDERED = (("first", "second"), ("start", "end"), ("from", "to"), ("origin", "destination"), ("a", "b"), ("1", "2"))
_GIVEN = re.compile(r",? (?:from|given|using|based on|with) (?:its|their|the|an?) ([\w' ,-]+)$")
_MONEY = re.compile(r"\b(?:an amount(?: of money)?|a sum(?: of money)?|a value|a quantity)(?= |$)")


class Mention(NamedTuple):
    """A stretch of a goal that gives way to values.

    Attributes:
        start: of the stretch.
        end: behind it; the same as start where the value is put in.
        names: of the parameters whose values it takes; () where it only falls away.
        before: of the value.
        behind: of the value.
        needs: parameters without which it stays.
        is_adjective: whether the value is one word of a noun phrase, as 'vegan' in 'a vegan recipe'.
    """

    start: int
    end: int
    names: tuple[str, ...]
    before: str = ""
    behind: str = ""
    needs: tuple[str, ...] = ()
    is_adjective: bool = False


def mentions_of(rest: str, phrases: Mapping[str, Phrase], leading: tuple[str, ...]) -> list[Mention]:
    """What of a goal can be said with values, none overlapping, from the left.

    Args:
        rest: the goal behind its verb.
        phrases: of the tool's parameters.
        leading: the two parameters that are said as 'from X' and 'to Y'; () if there are none.
    """
    found: list[Mention] = []
    for name, phrase in phrases.items():
        found += _of_one(rest, name, phrase, phrases)
    found += _of_two(rest, phrases)
    if leading and (carried := _CARRIED.search(rest)):
        found.append(Mention(carried.start(), carried.end(), (), needs=leading[:1]))
    found += _told_twice(rest, phrases)
    return _apart(found)


def _apart(found: list[Mention]) -> list[Mention]:
    """Those that do not overlap, one a parameter."""
    kept: list[Mention] = []
    names: set[str] = set()
    for mention in sorted(found, key=lambda one: (one.start, -one.end)):
        if (not kept or mention.start >= kept[-1].end) and names.isdisjoint(mention.names):
            kept.append(mention)
            names.update(mention.names)
    return kept


def _told_twice(rest: str, phrases: Mapping[str, Phrase]) -> Iterator[Mention]:
    """'from its temperature and humidity', which falls away where both are said."""
    match = _GIVEN.search(rest)
    words = set(re.findall(r"\w+", match[1])) - {"and", "or", "the", "a", "an", "of", "its"} if match else set()
    needs = tuple(name for name, phrase in phrases.items() if words & {*phrase.field.words.split()})
    if match and words and words <= {word for name in needs for word in phrases[name].field.words.split()}:
        yield Mention(match.start(), match.end(), (), needs=needs)


def _of_one(rest: str, name: str, phrase: Phrase, phrases: Mapping[str, Phrase]) -> Iterator[Mention]:
    kind = phrase.field.kind
    if not phrase.field.words.strip():
        return
    if kind in ("integer", "number"):
        yield from _of_number(rest, name, phrase)
    elif kind == "array":
        yield from _of_list(rest, name, phrase)
    elif kind == "string":
        if offered := _offered(rest, phrase):
            yield Mention(offered.start(), offered.end(), (name,), is_adjective=True)
        elif noun := _kind_noun(phrase):
            yield from _before_noun(rest, name, noun)
        if not phrase.field.choices or phrase.field.text_kind == "weekday":
            yield from _of_text(rest, name, phrase, phrases)


def _of_text(rest: str, name: str, phrase: Phrase, phrases: Mapping[str, Phrase]) -> Iterator[Mention]:
    for noun in _nouns(phrase, phrases):
        match = re.search(rf"\b{_ANY} {re.escape(noun)}{_ENDS}", rest)
        if match:
            is_proper = phrase.field.text_kind in _PROPER
            yield Mention(match.start(), match.end(), (name,), "" if is_proper else f"the {noun} ")
            return


def _nouns(phrase: Phrase, phrases: Mapping[str, Phrase]) -> list[str]:
    """What a goal may call a parameter: 'clock time' and 'time', 'hotel' of hotel_name; no noun of two of them."""
    if stood_for := _NAMES_A.get(phrase.field.words):
        return [stood_for]
    words = phrase.field.words.split()
    while len(words) > 1 and words[-1] in _LABELS:
        words.pop()
    others = [other.field.words.split() for other in phrases.values() if other is not phrase]
    alone = not any(words[-1] in other for other in others)
    if words == ["email"]:  # "Send an email" speaks of the letter, not of the address.
        return []
    nouns = [" ".join(words), *([words[-1]] if alone and len(words) > 1 else [])]
    return [*nouns, *(noun for noun in _other_nouns(phrase) if noun not in nouns and _is_only(noun, phrase, phrases))]


def _other_nouns(phrase: Phrase) -> list[str]:
    """'stock' of a "Ticker symbol of the stock", 'city' of any parameter that holds one."""
    description = str(phrase.field.schema.get("description") or "")
    told = _NAME_OF.match(description) or _OWN_NAME.match(description)
    words = told[1].lower().split() if told else []
    return [*([" ".join(words), words[-1]] if words else []), *_CALLED.get(phrase.field.text_kind or "", ())]


def _is_only(noun: str, phrase: Phrase, phrases: Mapping[str, Phrase]) -> bool:
    """Whether no other parameter could be called so."""
    others = [other for other in phrases.values() if other is not phrase]
    return not any(noun in _other_nouns(other) or noun.split()[-1] in other.field.words.split() for other in others)


def _of_number(rest: str, name: str, phrase: Phrase) -> Iterator[Mention]:
    noun = phrase.noun or phrase.field.words
    if noun.split()[-1] in ("amount", "value", "quantity", "sum") and (match := _MONEY.search(rest)):
        yield Mention(match.start(), match.end(), (name,))
        return
    counted = re.search(rf"\b(?:an? (?:given )?number) of (?=(?:[\w-]+ )?{re.escape(phrase.field.words)}\b)", rest)
    if counted and phrase.field.words.endswith("s"):
        yield Mention(counted.start(), counted.end(), (name,), behind=" ")
    elif owned := _owner(rest, noun):
        yield Mention(owned.end(), owned.end(), (name,), " of ")
    elif other := re.search(rf"\banother {re.escape(noun)}{_ENDS}", rest):
        yield Mention(other.start(), other.end(), (name,), f"{noun} ")
    elif noun not in _PERIODS and (
        match := re.search(rf"\b(?:an?|the given) (?:[\w-]+ )?{re.escape(noun)}{_ENDS}", rest)
    ):
        is_number = noun == "number"
        yield Mention(match.start() if is_number else match.end(), match.end(), (name,), "" if is_number else " of ")


def _owner(rest: str, noun: str) -> re.Match[str] | None:
    """'a loan', which a loan_amount is the size of."""
    owner, _, last = noun.rpartition(" ")
    return (
        re.search(rf"\ban? (?:[\w-]+ )?{re.escape(owner)}(?!')\b{_ENDS}", rest) if owner and last in _AMOUNTS else None
    )


def _of_list(rest: str, name: str, phrase: Phrase) -> Iterator[Mention]:
    noun = phrase.field.words.split()[-1]
    match = re.search(rf"\b{_MANY}{re.escape(noun)}{_ENDS}", rest)
    if match:
        is_proper = phrase.items.field.text_kind in _PROPER
        yield Mention(match.start(), match.end(), (name,), "" if is_proper else f"the {noun} ")


def _offered(rest: str, phrase: Phrase) -> re.Match[str] | None:
    """'arithmetic or geometric', where these are a parameter's choices."""
    choices = "|".join(re.escape(str(choice).replace("_", " ")) for choice in phrase.field.choices)
    return re.search(rf"(?:\ban? )?\b(?:{choices})(?:, (?:{choices}))*,? or (?:{choices})\b", rest) if choices else None


def _kind_noun(phrase: Phrase) -> str:
    """'battery' of a battery_type, or of a 'Type of battery'."""
    words = phrase.field.words.split()
    if words[-1] in _KINDS and len(words) == 2:
        return words[0]
    told = _KIND_OF.match(str(phrase.field.schema.get("description") or ""))
    return told[1] if told else ""


def _before_noun(rest: str, name: str, noun: str) -> Iterator[Mention]:
    stem = noun if noun.endswith("ss") else noun.removesuffix("s")
    found = list(re.finditer(rf"(?:\b(?P<article>an?) )?(?<![-'\w]){re.escape(stem)}s?\b(?!['-])", rest))
    if len(found) == 1:
        at = found[0].start()
        end = found[0].end("article") + 1 if found[0]["article"] else at
        yield Mention(at, end, (name,), "", " ", is_adjective=True)


def _of_two(rest: str, phrases: Mapping[str, Phrase]) -> Iterator[Mention]:
    """'between two dates', where one parameter is the first and one the second."""
    for one in phrases.values():
        for other in phrases.values():
            noun = _shared_noun(one.field.words.split(), other.field.words.split())
            if noun and one.field.kind == other.field.kind == "string":
                match = re.search(rf"\b{_TWO} (?:[\w-]+ )?{re.escape(plural(noun))}{_ENDS}", rest)
                if match:
                    yield Mention(match.start(), match.end(), (one.field.name, other.field.name))


def plural(noun: str) -> str:
    """'city' -> 'cities'."""
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"


def _shared_noun(ones: list[str], others: list[str]) -> str:
    """'date' of 'start date' and 'end date'; '' where their order does not show in their names."""
    for first, second in _ORDERED:
        if first in ones and second in others:
            rest = [word for word in ones if word != first]
            if rest and rest == [word for word in others if word != second]:
                return rest[-1]
    return ""
