"""Facts that no call uses: 'I have three cats, by the way.'; each a sentence of its own."""

from __future__ import annotations

from collections.abc import Collection

from data_pipeline.generate.frames import RULES, expand, parsed
from data_pipeline.generate.spoken import number_words
from data_pipeline.generate.text import article, content_words, stems
from data_pipeline.generate.voice import Voice

TALK: dict[str, tuple[str, ...]] = {
    "talk": (
        "I have {count} {pets}{aside}.", "My {who} just turned {count}{aside}.",
        "There are {count} {people} in front of me{aside}.",
        "My {who} has {count} {kids}{aside}.", "It's been {weather} all week{aside}.",
        "The {noise} next door is driving me mad{aside}.", "I'm typing this with {pets} on my lap{aside}.",
        "My {who} says hello{aside}.", "I've been up since dawn{aside}.",
        "Yesterday I ran into {count} old {people}{aside}.", "My {who} collects {plants}{aside}.",
        "My {who} has {count} {plants}{aside}.", "We counted {count} {people} on the stairs{aside}.",
        "My {who} got {count} {pets}{aside}.", "I dropped {count} {plants} this morning{aside}.",
    ),
    "count": ("{number}",),
    "aside": ("", "", ", by the way", ", not that it matters", ", just so you know", ", in case you wonder",
        ", funnily enough"),
    "pets": ("cats", "goldfish", "parrots", "rabbits", "hens", "puppies", "hamsters", "kittens"),
    "plants": ("cacti", "ferns", "orchids", "stamps", "fridge magnets", "mugs", "old postcards"),
    "people": ("classmates", "strangers", "pensioners", "tourists", "joggers", "neighbors"),
    "kids": ("kids", "grandchildren", "nephews", "nieces", "goats"),
    "weather": ("awfully grey", "so muggy", "pretty gloomy", "lovely out"),
    "noise": ("drilling", "barking", "hoovering", "karaoke", "leaf blower", "drum practice"),
}  # fmt: skip
_PARSED = parsed({**RULES, **TALK})
_TRIES = 8


def small_talk(avoid: Collection[str], voice: Voice) -> str:
    """A sentence that shares no word with `avoid`, or '' where none is found."""

    def number() -> str:
        count = voice.rng.randint(2, 48)
        return number_words(count) if voice.chance(0.5) else str(count)

    for _ in range(_TRIES):
        sentence = expand("talk", {"number": number}, voice, _PARSED)
        if stems(content_words([sentence])).isdisjoint(avoid):
            return sentence
    return ""


def introduction(persona: str, avoid: Collection[str]) -> str:
    """'I'm a nurse on night shift.'; '' where a number of the persona might be taken for an argument."""
    told = persona.strip().rstrip(".")
    if any(char.isdigit() for char in told) and not stems(content_words([told])).isdisjoint(avoid):
        return ""
    known = told.split(" ", 1)[0].lower() in ("a", "an", "the", "my", "one", "your")
    return f"I'm {told[:1].lower()}{told[1:]}." if known else f"I'm {article(told)} {told}."
