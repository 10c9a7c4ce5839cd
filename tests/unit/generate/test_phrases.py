"""Phrases: the value survives, and the words are those of the parameter."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.core.schema import Tool
from data_pipeline.core.seeding import stream
from data_pipeline.generate.phrases import Phrase, distinct_heads, head_of, is_plural, phrases_of
from data_pipeline.generate.units import split_unit, with_unit
from data_pipeline.generate.values import Field
from data_pipeline.generate.voice import Voice

Schema = dict[str, Any]
Say = Callable[[Phrase, Any, Voice], str]


def said(say: Say, name: str, value: Any, schema: Schema | None = None, count: int = 200, **voice: Any) -> set[str]:
    phrase = phrases_of({name: Field(name, schema or {})})[name]
    return {say(phrase, value, Voice(stream(seed, name), **voice)) for seed in range(count)}


@pytest.mark.parametrize(
    ("name", "words", "forms"),
    [
        ("weight_kg", "weight", ("kg", "kilograms")),
        ("discountPercent", "discount", ("percent", "%")),
        ("hours", "", ("hours",)),
        ("price_per_kwh", "price per kwh", None),
        ("times_in_milliseconds", "times", ("milliseconds", "ms")),
        ("battery_mah", "battery", ("mAh",)),
        ("resolution_dpi", "resolution", ("dpi", "dots per inch")),
        ("sunshine_kwh_m2", "sunshine kwh m2", None),
        ("side_c", "side c", None),
        ("c", "c", None),
        ("surface_temperature_c", "surface temperature", ("°C", "degrees Celsius")),
        ("city", "city", None),
        ("_", "_", None),
    ],
)
def test_the_last_word_of_a_name_is_its_unit(name: str, words: str, forms: tuple[str, ...] | None) -> None:
    found, unit = split_unit(name)
    assert found == words
    assert (unit.forms if unit else None) == forms


def test_a_weight_is_said_in_kilograms_in_every_plain_form() -> None:
    forms = ("weight {}", "weight of {}", "{} as the weight", "weight: {}", "weight = {}", "a weight of {}")
    expected = {form.format(amount) for form in forms for amount in ("70 kg", "70 kilograms")}
    assert said(Phrase.argument, "weight_kg", 70) == expected
    assert said(Phrase.clause, "weight_kg", 70) == {
        f"the weight {verb} {amount}" for verb in ("is", "should be") for amount in ("70 kg", "70 kilograms")
    }


def test_wide_forms_are_more_and_hold_the_value_too() -> None:
    wide = said(Phrase.argument, "weight_kg", 70, count=600, wide=True)
    assert wide > said(Phrase.argument, "weight_kg", 70)
    assert all(re.search(r"\b70 (kg|kilograms)\b", phrase) for phrase in wide)
    assert "4 nights" in said(Phrase.argument, "nights", 4, wide=True)
    assert "economy cabin" in said(Phrase.argument, "cabin", "economy", {"enum": ["economy", "first"]}, wide=True)


def test_signs_stand_at_the_number_and_words_apart() -> None:
    assert said(Phrase.clause, "tax_percent", 8) >= {"the tax is 8%", "the tax is 8 percent"}
    assert said(Phrase.clause, "air_celsius", -3.5) >= {"the air is -3.5°C", "the air is -3.5 degrees Celsius"}
    assert with_unit("5", "km/h") == "5 km/h"


def test_one_of_a_unit_is_singular() -> None:
    assert said(Phrase.argument, "hours", 1) == {"1 hour"}
    assert said(Phrase.argument, "months", 12) == {"12 months"}


def test_a_price_per_unit_is_not_an_amount_of_that_unit() -> None:
    for phrase in said(Phrase.argument, "price_per_kwh", 0.3) | said(Phrase.clause, "price_per_kwh", 0.3):
        assert "price per kwh" in phrase
        assert not re.search(r"0\.3 ?k", phrase)


@pytest.mark.parametrize("name", ["hours", "hours_per_day", "fixed_costs", "number_of_guests", "starts_at"])
def test_no_article_before_a_plural_or_a_verb(name: str) -> None:
    phrases = said(Phrase.argument, name, 5) | said(Phrase.argument, name, 5, wide=True)
    assert {phrase for phrase in phrases if re.match(r"an? (hours|fixed|starts)", phrase)} == set()
    assert all("5" in phrase for phrase in phrases)


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("hours per day", True),
        ("fixed costs", True),
        ("price of goods", False),
        ("bonus", False),
        ("mass", False),
        ("starts at", False),
        ("", False),
    ],
)
def test_plurals(noun: str, plural: bool) -> None:
    assert is_plural(noun) is plural
    if noun:
        verbs = {"are"} if plural else {"is", "should be"}
        expected = {f"the {noun} {verb} 5" for verb in verbs}
        assert said(Phrase.clause, noun.replace(" ", "_"), 5) == expected


@pytest.mark.parametrize("name", ["from_city", "to_city", "in_city", "by_city"])
def test_a_leading_preposition_is_used_as_one(name: str) -> None:
    preposition = name.split("_")[0]
    assert f"{preposition} Oslo" in said(Phrase.argument, name, "Oslo")
    assert all("latitude" in phrase for phrase in said(Phrase.argument, "from_latitude", 40))


def test_a_city_is_a_place_only_where_it_is_the_only_one() -> None:
    alone = phrases_of({"city": Field("city", {}), "nights": Field("nights", {"type": "integer"})})
    two = phrases_of({"city": Field("city", {}), "destination": Field("destination", {})})
    voices = [Voice(stream(seed), wide=True) for seed in range(200)]
    assert "in Oslo" in {alone["city"].argument("Oslo", voice) for voice in voices}
    assert "in Oslo" not in {two["city"].argument("Oslo", voice) for voice in voices}


@pytest.mark.parametrize(
    ("description", "head"),
    [
        ("The room temperature, measured inside", "room temperature"),
        ("Required. The name of the disk", "name of the disk"),
        ("Specifies a fingerprint", ""),
        ("Whatever the present caller happens to know", ""),
        ("ISBN of the book", "ISBN of the book"),
        ("", ""),
    ],
)
def test_the_head_of_a_description(description: str, head: str) -> None:
    assert head_of({"description": description}) == head


def test_a_head_that_may_mean_a_neighbour_is_not_used() -> None:
    described = {
        "day_kwh": "Electricity used by day",
        "night_kwh": "Electricity used at night",
        "first_parent": "Genotype of one parent",
        "second_parent": "Genotype of the other parent",
        "price": "Flat price, in euros",
    }
    fields = {name: Field(name, {"description": text}) for name, text in described.items()}
    assert {name for name, head in distinct_heads(fields).items() if head} == {"price"}


@given(value=st.integers(-(10**12), 10**12), seed=st.integers(0, 50))
def test_integers_keep_their_value(value: int, seed: int) -> None:
    assert int(Voice(stream(seed)).number(value).replace(",", "")) == value


@given(value=st.floats(-1e9, 1e9), seed=st.integers(0, 50))
def test_floats_are_never_rounded(value: float, seed: int) -> None:
    assert float(Voice(stream(seed)).number(value)) == value


@pytest.mark.parametrize(
    ("value", "texts"),
    [(1234567, {"1234567", "1,234,567"}), (-1000, {"-1000", "-1,000"}), (2024, {"2024"}), (999, {"999"})],
)
def test_thousands_are_separated_at_times_and_years_never(value: int, texts: set[str]) -> None:
    assert {Voice(stream(n)).number(value) for n in range(50)} == texts


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
    assert said(Phrase.argument, name, value) == phrases
    assert said(Phrase.clause, name, value) == phrases
    assert said(Phrase.argument, name, value, wide=True) > phrases


def values_said(value: Any, schema: Schema | None = None, name: str = "x", **voice: Any) -> set[str]:
    return said(Phrase.value, name, value, schema, 100, **voice)


def test_text_that_would_blur_into_the_sentence_is_quoted() -> None:
    assert values_said("the quiet old harbor") == {'"the quiet old harbor"', "'the quiet old harbor'"}
    assert values_said("it's a quiet harbor") == {'"it\'s a quiet harbor"'}
    assert values_said("Oslo") == {"Oslo", '"Oslo"', "'Oslo'"}
    assert values_said("2026-03-03", {"format": "date", "type": "string"}) == {"2026-03-03"}


def test_choices_are_said_with_or_without_their_underscores() -> None:
    assert values_said("brown_sugar", {"enum": ["brown_sugar"]}) == {"brown_sugar", "brown sugar"}
    assert values_said("Monday", {"enum": ["Monday", "Friday"]}, in_words=1.0) == {"monday"}
    assert values_said("EUR", {"enum": ["EUR", "USD"]}, in_words=1.0) == {"euros"}


@pytest.mark.parametrize(("value", "other"), [("AA", "aa"), ("C+", "C"), ("camelCase", "x")])
def test_case_is_kept_where_it_matters(value: str, other: str) -> None:
    assert values_said(value, {"enum": [value, other]}, in_words=1.0) == {value}


def test_lists_and_objects_say_every_entry() -> None:
    assert values_said([1, 2, 3]) == {"1, 2 and 3", "[1, 2, 3]"}
    assert values_said([1, 2.5], {"type": "array", "items": {"type": "number"}}, "gaps_cm") == {
        "1 and 2.5 cm",
        "1 and 2.5 centimeters",
    }
    schema = {
        "type": "array",
        "items": {"properties": {"width_cm": {"type": "number"}, "is_open": {"type": "boolean"}}},
    }
    for text in values_said([{"width_cm": 3, "is_open": True}, {"width_cm": 8}], schema):
        assert re.fullmatch(r"\(.*3 (cm|centimeters).*open.*\) and \(.*8 (cm|centimeters).*\)", text)
    assert values_said([]) == {"none"}


ITEMS = {
    "type": "array",
    "items": {
        "properties": {
            "product": {"type": "string", "description": "Name of the product"},
            "quantity": {"type": "integer", "description": "Number of pieces"},
            "price": {"type": "number", "description": "Price in dollars"},
        }
    },
}
TWO_ITEMS = [{"product": "yoga mat", "quantity": 2, "price": 30}, {"product": "tent", "quantity": 1, "price": 55.5}]


def test_a_list_of_objects_is_often_told_by_their_first_text() -> None:
    found = {text.replace('"', "").replace("'", "") for text in values_said(TWO_ITEMS, ITEMS, "items", wide=True)}
    assert found >= {
        "2 x yoga mat at 30 dollars and 1 x tent at 55.5 dollars",
        "2 x yoga mat (price 30) and 1 x tent (price 55.5)",
        "yoga mat (quantity 2, price 30) and tent (quantity 1, price 55.5)",
        "yoga mat: quantity 2, price 30; tent: quantity 1, price 55.5",
    }
    assert all(
        re.search(r"\b2\b.*\b30\b.*\b1\b.*\b55\.5\b", re.sub(r"price", "", text)) for text in found if " x " in text
    )
    assert not any(" x " in text or text[0] != "(" for text in values_said(TWO_ITEMS, ITEMS, "items"))


def test_numbers_without_a_text_keep_their_names_in_short() -> None:
    points = [{"x": 1, "y": 2.5}, {"x": 3, "y": 4}]
    schema = {"type": "array", "items": {"properties": {name: {"type": "number"} for name in "xy"}}}
    found = values_said(points, schema, "points", wide=True)
    assert "(x 1, y 2.5) and (x 3, y 4)" in found
    assert all(len(re.findall(r"\bx\b", text)) == len(re.findall(r"\by\b", text)) == 2 for text in found)


def test_two_texts_that_might_be_mixed_up_are_both_named() -> None:
    teams = [{"home_team": "Harbour Rovers", "away_team": "Porto Waves"}, {"home_team": "Lyon", "away_team": "Cork"}]
    schema = {"type": "array", "items": {"properties": {name: {"type": "string"} for name in teams[0]}}}
    for text in values_said(teams, schema, "games", wide=True):
        assert len(re.findall("home team", text)) == len(re.findall("away team", text)) == 2


def test_an_object_stands_in_brackets_behind_its_name() -> None:
    schema = {"properties": {"tall": {"type": "boolean"}}}
    assert said(Phrase.argument, "box", {"tall": True}, schema) == {
        f"box ({phrase})" for phrase in ("tall: yes", "with tall", "tall set to true", "tall on")
    }


def test_values_are_remembered_so_that_no_typo_touches_them() -> None:
    voice = Voice(stream(1))
    Phrase(Field("stay", {"properties": {"city": {}, "pets": {"type": "boolean"}}})).argument(
        {"city": "Oslo", "pets": True}, voice
    )
    assert any("Oslo" in text for text in voice.said)
    assert any("pets" in text for text in voice.said)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("say", [Phrase.argument, Phrase.clause, Phrase.terse])
def test_no_bundled_parameter_is_said_clumsily(pool: list[Tool], say: Say, wide: bool) -> None:
    clumsy = re.compile(r"\ba hours\b|\ban? \w*[^isu\W]s of \d|\bwith with\b|%%|\(\)|\bof of\b|  |^ | $")
    found = set()
    for tool in pool:
        fields = Field("", tool.parameters).fields
        for name, phrase in phrases_of(fields).items():
            for seed in range(8):
                rng = stream(seed, tool.name, name)
                text = say(phrase, fields[name].draw(rng), Voice(rng, 0.3, wide=wide))
                found |= {text} if clumsy.search(text) else set()
    assert found == set()


@settings(deadline=None)
@given(
    name=st.text(min_size=1).filter(str.strip),
    kind=st.sampled_from(["int", "float", "dict", "list", "str", "bool", ["null", "int"]]),
)
def test_any_name_and_type_of_a_bare_schema_can_be_said(name: str, kind: str | list[str]) -> None:
    field, rng = Field(name, {"type": kind}), stream(1, "bare")
    phrase = phrases_of({name: field})[name]
    value = field.draw(rng)
    for say in (Phrase.argument, Phrase.clause, Phrase.terse):
        assert say(phrase, value, Voice(rng, wide=True))


@pytest.mark.parametrize(
    ("description", "value", "forms"),
    [
        ("Interest rate as a decimal, e.g. 0.045", 0.045, {"0.045", "4.5%", "4.5 percent"}),
        ("Chance, between 0 and 1", 0.07, {"0.07", "7%", "7 percent"}),
        ("Interest rate in percent", 0.045, {"0.045"}),
    ],
)
def test_a_share_of_one_is_said_in_percent(description: str, value: float, forms: set[str]) -> None:
    schema = {"type": "number", "description": description}
    assert said(Phrase.value, "rate", value, schema, wide=True) == forms
    assert said(Phrase.value, "rate", value, schema) == {str(value)}


def test_a_count_is_no_noun() -> None:
    assert said(Phrase.argument, "num_days", 12, {"type": "integer"}, wide=True) == {"12 days"}
    assert said(Phrase.argument, "numberOfHours", 3, {"type": "integer"}) == {"3 hours"}


def test_entries_of_a_list_are_said_in_one_manner() -> None:
    numbers = said(
        Phrase.value, "flows", [1955, 13000, 12], {"type": "array", "items": {"type": "number"}}, in_words=0.5
    )
    assert {"1955, 13000 and 12", "[1955, 13000, 12]"} <= numbers
    assert not any(re.search(r"1,955|13,000", text) for text in numbers)
    assert all(bool(re.search(r"[a-z]{4}", text)) != ("1955" in text) for text in numbers), numbers
    foods = said(Phrase.value, "foods", ["granola", "rye bread"], {"type": "array", "items": {"type": "string"}})
    quotes = {text.count("'") + text.count('"') for text in foods}
    assert quotes == {0, 4}
