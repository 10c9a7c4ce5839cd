"""Phrases: the value survives, and the words are those of the parameter."""

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.core.schema import Tool
from data_pipeline.core.seeding import stream
from data_pipeline.generate.phrases import (
    article,
    distinct_heads,
    join,
    noun_phrase,
    say_argument,
    say_clause,
    say_number,
    say_value,
    split_unit,
)
from data_pipeline.generate.values import sample_value

Schema = dict[str, Any]
Say = Callable[[str, Schema, Any, random.Random], str]


def said(say: Say, name: str, value: Any, schema: Schema | None = None, count: int = 150) -> set[str]:
    return {say(name, schema or {}, value, stream(seed, name)) for seed in range(count)}


@pytest.mark.parametrize(
    ("name", "words", "units"),
    [
        ("weight_kg", "weight", ("kg", "kilograms")),
        ("discountPercent", "discount", ("percent", "%")),
        ("hours", "", ("hours",)),
        ("price_per_kwh", "price per kwh", ()),
        ("city", "city", ()),
        ("_", "", ()),
    ],
)
def test_the_last_word_of_a_name_is_its_unit(name: str, words: str, units: tuple[str, ...]) -> None:
    assert split_unit(name) == (words, units)


def test_a_weight_is_said_in_kilograms_in_every_form() -> None:
    forms = ("weight {}", "weight of {}", "{} as the weight", "weight: {}", "weight = {}", "a weight of {}")
    expected = {form.format(amount) for form in forms for amount in ("70 kg", "70 kilograms")}
    assert said(say_argument, "weight_kg", 70) == expected
    assert said(say_clause, "weight_kg", 70) == {
        f"the weight {verb} {amount}" for verb in ("is", "should be") for amount in ("70 kg", "70 kilograms")
    }


def test_signs_stand_at_the_number_and_words_apart() -> None:
    assert said(say_clause, "tax_percent", 8) >= {"the tax is 8%", "the tax is 8 percent"}
    assert said(say_clause, "air_celsius", -3.5) >= {"the air is -3.5°C", "the air is -3.5 degrees Celsius"}


def test_a_price_per_unit_is_not_an_amount_of_that_unit() -> None:
    for phrase in said(say_argument, "price_per_kwh", 0.3) | said(say_clause, "price_per_kwh", 0.3):
        assert "price per kwh" in phrase
        assert not re.search(r"0\.3 ?k", phrase)


def test_a_name_that_is_a_unit_follows_the_number() -> None:
    assert said(say_argument, "months", 12) == {"12 months"}


@pytest.mark.parametrize("name", ["hours", "hours_per_day", "fixed_costs", "number_of_guests", "starts_at"])
def test_no_article_before_a_plural_or_a_verb(name: str) -> None:
    phrases = said(say_argument, name, 5)
    assert {phrase for phrase in phrases if re.match(r"an? (hours|fixed|starts)", phrase)} == set()
    assert all("5" in phrase for phrase in phrases)


@pytest.mark.parametrize(
    ("name", "verbs"),
    [
        ("hours_per_day", {"are"}),
        ("fixed_costs", {"are"}),
        ("price_of_goods", {"is", "should be"}),
        ("bonus", {"is", "should be"}),
        ("mass", {"is", "should be"}),
        ("starts_at", {"is", "should be"}),
    ],
)
def test_verbs_agree_with_their_noun(name: str, verbs: set[str]) -> None:
    noun = name.replace("_", " ")
    assert said(say_clause, name, 5) == {f"the {noun} {verb} 5" for verb in verbs}


@pytest.mark.parametrize(("noun", "expected"), [("age", "an"), ("Item", "an"), ("weight", "a")])
def test_article(noun: str, expected: str) -> None:
    assert article(noun) == expected


@pytest.mark.parametrize("name", ["from_city", "to_city", "in_city", "by_city"])
def test_a_leading_preposition_is_used_as_one(name: str) -> None:
    preposition = name.split("_")[0]
    assert f"{preposition} Oslo" in said(say_argument, name, "Oslo")


def test_the_heads_of_short_descriptions_name_the_parameter_too() -> None:
    schema = {"description": "The room temperature, measured inside"}
    assert {noun_phrase("t", schema, stream(n)) for n in range(50)} == {"t", "room temperature"}
    long = {"description": "Whatever the present caller happens to know"}
    assert {noun_phrase("t", long, stream(n)) for n in range(50)} == {"t"}
    assert noun_phrase("_", {}, stream(1)) == "_"


def test_a_leading_preposition_does_not_stand_for_a_number() -> None:
    assert all("latitude" in phrase for phrase in said(say_argument, "from_latitude", 40))


def test_a_head_that_may_mean_a_neighbour_is_not_used() -> None:
    schemas = {
        "day_kwh": {"description": "Electricity used by day"},
        "night_kwh": {"description": "Electricity used at night"},
        "first_parent": {"description": "Genotype of one parent"},
        "second_parent": {"description": "Genotype of the other parent"},
        "price": {"description": "Flat price, in euros"},
    }
    distinct = distinct_heads(schemas)
    assert {name for name, schema in distinct.items() if schema["description"]} == {"price"}
    assert {noun_phrase("night_kwh", distinct["night_kwh"], stream(n)) for n in range(50)} == {"night"}


@given(value=st.integers(-(10**12), 10**12), seed=st.integers(0, 50))
def test_integers_keep_their_value(value: int, seed: int) -> None:
    assert int(say_number(value, stream(seed)).replace(",", "")) == value


@given(value=st.floats(-1e9, 1e9), seed=st.integers(0, 50))
def test_floats_are_never_rounded(value: float, seed: int) -> None:
    assert float(say_number(value, stream(seed))) == value


@pytest.mark.parametrize(
    ("value", "texts"),
    [(1234567, {"1234567", "1,234,567"}), (-1000, {"-1000", "-1,000"}), (2024, {"2024"}), (999, {"999"})],
)
def test_thousands_are_separated_at_times_and_years_never(value: int, texts: set[str]) -> None:
    assert {say_number(value, stream(n)) for n in range(50)} == texts


@pytest.mark.parametrize(
    ("name", "value", "phrases"),
    [
        ("include_tax", True, {"include tax"}),
        ("include_tax", False, {"do not include tax"}),
        ("is_member", True, {"member: yes", "with member", "member set to true", "member on"}),
        ("has_lift", False, {"lift: no", "without lift", "lift set to false", "lift off"}),
        ("with_adult", True, {"adult: yes", "with adult", "adult set to true", "adult on"}),
    ],
)
def test_flags(name: str, value: bool, phrases: set[str]) -> None:
    assert said(say_argument, name, value) == phrases
    assert said(say_clause, name, value) == phrases


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_join(parts: list[str], text: str) -> None:
    assert join(parts) == text


def values_said(value: Any, schema: Schema | None = None) -> set[str]:
    return {say_value(value, schema or {}, stream(n)) for n in range(100)}


def test_text_that_would_blur_into_the_sentence_is_quoted() -> None:
    assert values_said("the quiet old harbor") == {'"the quiet old harbor"', "'the quiet old harbor'"}
    assert values_said("it's a quiet harbor") == {'"it\'s a quiet harbor"'}
    assert values_said("Oslo") == {"Oslo", '"Oslo"', "'Oslo'"}


def test_choices_are_said_with_or_without_their_underscores() -> None:
    assert values_said("brown_sugar", {"enum": ["brown_sugar"]}) == {"brown_sugar", "brown sugar"}


def test_lists_and_objects_say_every_entry() -> None:
    assert values_said([1, 2, 3]) == {"1, 2 and 3", "[1, 2, 3]"}
    items = {"properties": {"width_cm": {}, "is_open": {}}}
    for text in values_said([{"width_cm": 3, "is_open": True}, {"width_cm": 8}], {"items": items}):
        assert re.fullmatch(r"\(.*3 (cm|centimeters).*open.*\) and \(.*8 (cm|centimeters).*\)", text)


def test_an_object_stands_in_brackets_behind_its_name() -> None:
    assert said(say_argument, "box", {"tall": True}) == {
        f"box ({phrase})" for phrase in ("tall: yes", "with tall", "tall set to true", "tall on")
    }


@pytest.mark.parametrize("say", [say_argument, say_clause])
def test_no_bundled_parameter_is_said_clumsily(pool: list[Tool], say: Say) -> None:
    clumsy = re.compile(r"\ba hours\b|\ban? \w*[^isu\W]s of \d|\bwith with\b|%%|\(\)|\bof of\b|  |^ | $")
    found = set()
    for tool in pool:
        for name, schema in tool.properties.items():
            for seed in range(12):
                rng = stream(seed, tool.name, name)
                phrase = say(name, schema, sample_value(name, schema, rng), rng)
                found |= {phrase} if clumsy.search(phrase) else set()
    assert found == set()


@settings(deadline=None)
@given(
    name=st.text(min_size=1).filter(str.strip),
    kind=st.sampled_from(["int", "float", "dict", "list", "str", "bool", ["null", "int"]]),
)
def test_any_name_and_type_of_a_bare_schema_can_be_said(name: str, kind: str | list[str]) -> None:
    schema, rng = {"type": kind}, stream(1, "bare")
    value = sample_value(name, schema, rng)
    assert say_argument(name, schema, value, rng)
    assert say_clause(name, schema, value, rng)
