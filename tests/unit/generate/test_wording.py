"""Words around the values: goals from descriptions, frames, small talk, slips of the finger."""

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.core.schema import Tool
from data_pipeline.core.seeding import stream
from data_pipeline.generate.frames import RULES, expand, parsed
from data_pipeline.generate.smalltalk import TALK, introduction, small_talk
from data_pipeline.generate.text import article, content_words, join, lower_first, stems
from data_pipeline.generate.typos import with_slip
from data_pipeline.generate.verbs import base_verb, gerund
from data_pipeline.generate.voice import Voice
from data_pipeline.generate.wording import Wording, first_sentence, possessive

TERMINALS = {
    "goal",
    "doing",
    "asked",
    "question",
    "keyword",
    "details",
    "clauses",
    "terse",
    "cases",
    "ordered",
    "shared",
    "order",
    "number",
}


def tool(name: str, description: str = "", **properties: Any) -> Tool:
    return Tool(name=name, description=description, parameters={"type": "object", "properties": properties})


def goals(name: str, description: str, wide: bool = False) -> set[str]:
    wording = Wording(tool(name, description))
    return {wording.goal(Voice(stream(seed), wide=wide)) for seed in range(150)}


def test_a_goal_is_the_description_in_other_words_or_the_name() -> None:
    verbs = ("calculate", "compute", "work out", "figure out")
    rests = ("the monthly payment of a loan", "loan payment")
    text = "Calculate the monthly payment of a loan. Interest compounds."
    assert goals("loan_payment", text) == {f"{verb} {rest}" for verb in verbs for rest in rests}
    assert "compute a loan's monthly payment" in goals("loan_payment", text, wide=True)


@pytest.mark.parametrize(
    ("name", "description", "expected"),
    [
        ("get_user-infoById", "", {"get user info by id"}),
        ("scan", "Scan.", {"scan"}),
        ("disks_list", "", {"list disks"}),
        ("list_disks", "Lists the disks (zonal) of a project, see `disk`.", {
            "list the disks of a project, see disk", "show the disks of a project, see disk",
            "give me the disks of a project, see disk", "list disks",
        }),
        ("paper", "Find a paper size such as A4.", {
            "find a paper size", "look up a paper size", "find out a paper size", "find paper", "look up paper",
            "find out paper",
        }),
        ("weather", "The weather of a place", {
            "get the weather of a place", "give me the weather of a place", "look up the weather of a place",
            "get weather", "look up weather", "give me weather",
        }),
    ],
)  # fmt: skip
def test_goals_of_sparse_descriptions(name: str, description: str, expected: set[str]) -> None:
    assert goals(name, description) == expected


def test_what_can_be_asked_depends_on_the_description() -> None:
    loan = Wording(tool("loan", "Calculate the monthly payment of a loan."))
    assert (loan.thing, loan.question) == ("the monthly payment of a loan", "what the monthly payment of a loan is")
    check = Wording(tool("check", "Check whether a bag is too heavy."))
    assert (check.thing, check.question) == ("", "whether a bag is too heavy")
    convert = Wording(tool("convert", "Convert a length."))
    assert (convert.thing, convert.question) == ("", "")


def test_long_descriptions_are_cut_where_they_can_be_said() -> None:
    long = "Creates a disk, " + "using any number of the very many options that this service has " * 3
    assert first_sentence(long) == "Creates a disk"
    assert first_sentence("word " * 60) == ""
    assert first_sentence("See <b>it</b> [here](https://x.org). More.") == "See it"


@pytest.mark.parametrize(
    ("word", "verb"),
    [("Calculates", "calculate"), ("Gets", "get"), ("Applies", "apply"), ("Searches", "search"), ("Blue", None)],
)
def test_verbs_are_known_in_the_third_person(word: str, verb: str | None) -> None:
    assert base_verb(word) == verb


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("work out", "working out"),
        ("get", "getting"),
        ("calculate", "calculating"),
        ("plan", "planning"),
        ("see", "seeing"),
    ],
)
def test_gerunds(verb: str, form: str) -> None:
    assert gerund(verb) == form


def test_possessives_only_where_they_fit() -> None:
    assert possessive("the monthly payment of a loan") == "a loan's monthly payment"
    assert possessive("the area of the rooms") is None
    assert possessive("a list of things") is None


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_join(parts: list[str], text: str) -> None:
    assert join(parts) == text


def test_small_words() -> None:
    assert [article(noun) for noun in ("age", "Item", "weight")] == ["an", "an", "a"]
    assert [lower_first(text) for text in ("I'd go", "DNA is", "Is it", "In")] == ["I'd go", "DNA is", "is it", "in"]


def test_every_symbol_of_the_frames_leads_somewhere_and_is_used() -> None:
    rules = {**RULES, **TALK}
    symbols = {part.removeprefix("^") for texts in parsed(rules).values() for parts in texts for part in parts[1::2]}
    assert symbols <= rules.keys() | TERMINALS
    starts = {
        "plain",
        "plain_thing",
        "plain_bare",
        "wide",
        "wide_thing",
        "wide_question",
        "wide_bare",
        "wide_bare_thing",
    }
    starts |= {"wide_bare_question", "terse", "terse_bare", "chat", "chat_bare", "cases", "wide_cases", "wide_shared"}
    starts |= {"repeat", "wide_repeat", "link", "wide_link", "opener", "closer", "wide_opener", "wide_closer", "talk"}
    starts |= {"woven", "woven_told", "woven_thing", "woven_price", "woven_question"}
    assert rules.keys() <= symbols | starts


def test_frames_say_no_number_of_their_own() -> None:
    for symbol, texts in RULES.items():
        assert not any(re.search(r"\d", text) for text in texts), symbol


def test_frames_begin_sentences_with_capitals() -> None:
    terminals = {name: (lambda name=name: name) for name in TERMINALS}  # type: ignore[misc]
    for symbol in ("plain", "wide", "wide_thing", "wide_question", "wide_bare"):
        for seed in range(200):
            text = expand(symbol, terminals, Voice(stream(seed), wide=True))
            assert re.fullmatch(r"[A-Z].*[.?]", text), text
            assert not re.search(r"[.?] [a-z]|  | [.,?]", text.replace("details.", "details")), text


def test_small_talk_keeps_clear_of_the_tools() -> None:
    avoid = stems(content_words(["cat cats goldfish drum brother", "Turn the light on"]))
    talk = [small_talk(avoid, Voice(stream(seed), wide=True)) for seed in range(300)]
    assert len(set(talk)) > 100
    assert not any(re.search(r"\bcats|goldfish|drum|brother|turned", sentence) for sentence in talk)
    assert all(re.fullmatch(r"[A-Z].*\.", sentence) for sentence in talk if sentence)
    kinds = Counter(bool(re.search(r"\d", sentence)) for sentence in talk)
    assert min(kinds.values()) > 50


@pytest.mark.parametrize(
    ("persona", "sentence"),
    [
        ("a nurse on night shift", "I'm a nurse on night shift."),
        ("The owner of a bakery.", "I'm the owner of a bakery."),
        ("engineer", "I'm an engineer."),
        ("a mother of 3", "I'm a mother of 3."),
        ("a driver with 12 trucks", ""),
    ],
)
def test_introductions(persona: str, sentence: str) -> None:
    assert introduction(persona, stems(["truck", "load"])) == sentence


@given(seed=st.integers(0, 500))
def test_a_slip_changes_one_word_that_is_no_value(seed: int) -> None:
    query = "Please convert the length of Lisbon bridge, which is twenty metres"
    slipped = with_slip(query, ["Lisbon", "twenty metres"], stream(seed))
    changed = [(one, other) for one, other in zip(query.split(), slipped.split(), strict=True) if one != other]
    assert len(changed) == 1
    one, other = changed[0]
    assert one not in ("Lisbon", "twenty", "metres", "of", "is", "the")
    assert one[0] == other[0]
    assert abs(len(one) - len(other)) <= 1
    assert with_slip("To be or not", [], stream(seed)) == "To be or not"
