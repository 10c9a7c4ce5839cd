"""Words and sentences: capitals, articles, lists, and which words say what something is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from data_pipeline.generate.schemas import words_of

# Words that may stand in any tool's description, and mean nothing by themselves.
FILLERS = frozenset(
    re.findall(
        r"\w+",
        "a about all are been by for has have hello i in into is just know me my not of on "
        "says so that the there this to ve we with you",
    )
)


def upper_first(text: str) -> str:
    """'what is' -> 'What is'."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """'With' -> 'with'; 'I need' keeps its capital, and so do acronyms and names in capitals."""
    first = text.split(" ", 1)[0]
    return text if first.split("'")[0] == "I" or first[1:2].isupper() else text[:1].lower() + text[1:]


def article(noun: str) -> str:
    """'an' before a vowel letter, else 'a'."""
    return "an" if noun[:1].lower() in "aeiou" else "a"


def spoken_article(text: str) -> str:
    """'an' where the text begins with a vowel when it is read aloud: '8', 'eighty' and 'hour', not 'useful'."""
    if re.match(r"(?:8|1[18](?!\d)|hour|honest)", text.lower()):
        return "an"
    return "a" if re.match(r"(?:us[aei]|uni|uti|eur|one\b)", text.lower()) else article(text)


def join(parts: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def content_words(texts: Iterable[str]) -> frozenset[str]:
    """The words of names and descriptions, lower case, singular and plural alike."""
    found = {word for text in texts for word in re.findall(r"[^\W\d_]+", words_of(text).lower())}
    return frozenset(word.removesuffix("s") for word in found)


def stems(words: Iterable[str]) -> frozenset[str]:
    """The beginnings of words, so that 'cook' keeps clear of 'cooking' too."""
    return frozenset(word[:4] for word in words if word not in FILLERS)
