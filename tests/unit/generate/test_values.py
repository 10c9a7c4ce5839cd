"""Sampled values: they fit their schema, and look like what their name says."""

import re
from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.core.schema import Tool
from data_pipeline.core.seeding import stream
from data_pipeline.generate import lexicon
from data_pipeline.generate.schemas import alternatives, merged, plain, pointed, type_of, words_of
from data_pipeline.generate.values import Field, sample_arguments
from data_pipeline.generate.values_pattern import Unreadable, text_for
from data_pipeline.tools.schema_check import ArgumentCheck, argument_errors

Schema = dict[str, Any]
NAMES = st.sampled_from(["amount", "city", "page", "ratio", "weight_kg", "temperature", "year", "total_count"])


def draws(name: str, schema: Schema, count: int = 200) -> list[Any]:
    field = Field(name, schema)
    return [field.draw(stream(seed, name)) for seed in range(count)]


def test_arguments_of_every_bundled_tool_fit_its_schema(pool: list[Tool]) -> None:
    check, found = ArgumentCheck(), []
    for tool in pool:
        field = Field("", tool.parameters)
        for seed in range(30):
            error = check(tool, field.draw_object(stream(seed, tool.name), seed % 2))
            found += [(tool.name, error)] if error else []
    assert found == []


def test_shares_of_one_are_not_rounded_away() -> None:
    drawn = draws("probability", {"type": "number", "minimum": 0.01, "maximum": 0.14})
    assert all(0.01 <= value <= 0.14 for value in drawn)
    assert Counter(drawn).most_common(1)[0][1] < 60
    assert len(set(drawn)) > 30


def test_objects_of_a_list_have_names_of_their_own() -> None:
    properties = {"product": {"enum": ["tent", "lamp", "kettle", "rug"]}, "count": {"type": "integer"}}
    orders = {"type": "array", "items": {"type": "object", "properties": properties, "required": list(properties)}}
    for drawn in draws("orders", orders):
        names = [order["product"] for order in drawn]
        assert len(set(names)) == len(names) > 1


@st.composite
def numbers(draw: st.DrawFn, kind: str) -> Schema:
    """A numeric schema with none, one or two bounds, each of them sharp or not."""
    width = st.integers(2, 10**6) if kind == "integer" else st.floats(1e-3, 1e6)
    least = draw(st.integers(-(10**6), 10**6) if kind == "integer" else st.floats(-1e6, 1e6))
    low = draw(st.sampled_from(["minimum", "exclusiveMinimum", None]))
    high = draw(st.sampled_from(["maximum", "exclusiveMaximum", None]))
    bounds = {low: least, high: least + draw(width)}
    return {"type": kind, **{key: value for key, value in bounds.items() if key}}


SCALARS = st.one_of(
    numbers("integer"),
    numbers("number"),
    st.just({"type": "boolean"}),
    st.just({"type": "string"}),
    st.just({"type": ["null", "string"]}),
    st.lists(st.text(min_size=1), min_size=1, unique=True).map(lambda found: {"type": "string", "enum": found}),
    st.lists(st.integers(), min_size=1).map(
        lambda found: {"type": "integer", "examples": found, "minimum": min(found)}
    ),
)


def arrays(items: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    counts = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(sorted)
    return st.tuples(items, counts).map(
        lambda found: {"type": "array", "items": found[0], "minItems": found[1][0], "maxItems": found[1][1]}
    )


def objects(values: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.dictionaries(NAMES, values, max_size=4).map(
        lambda found: {"type": "object", "properties": found, "required": sorted(found)[:2]}
    )


SCHEMAS = objects(st.recursive(SCALARS, lambda inner: st.one_of(arrays(inner), objects(inner)), max_leaves=6))


@settings(deadline=None, max_examples=150, derandomize=True)
@given(parameters=SCHEMAS, seed=st.integers(0, 1000))
def test_arguments_of_any_schema_fit_it(parameters: Schema, seed: int) -> None:
    tool = Tool(name="t", description="", parameters=parameters)
    assert argument_errors(tool, sample_arguments(parameters, stream(seed), 0.5)) is None


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        ({"type": "integer", "exclusiveMinimum": 0, "maximum": 2}, {1, 2}),
        ({"type": "integer", "minimum": 0, "exclusiveMaximum": 2}, {0, 1}),
        ({"type": "integer", "exclusiveMinimum": 6, "exclusiveMaximum": 8}, {7}),
        ({"type": "integer", "minimum": 6.5, "maximum": 8.5}, {7, 8}),
        ({"type": "integer", "minimum": 7, "maximum": 7}, {7}),
        ({"type": "integer", "maximum": -5}, {-6, -5}),
        ({"type": "integer", "minimum": 5000}, {5000, 5001}),
        ({"type": "number", "minimum": 0.25, "maximum": 0.25}, {0.25}),
        ({"type": "string", "enum": ["a", "b", None]}, {"a", "b"}),
        ({"enum": [3, "x"]}, {3, "x"}),
        ({"enum": [None]}, {None}),
        ({"type": "boolean"}, {True, False}),
    ],
)
def test_every_allowed_value_and_no_other_is_drawn(schema: Schema, values: set[Any]) -> None:
    assert set(draws("level", schema)) == values


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.001, 0.002), (-3.5, -3.25), (1e6, 1e7)])
def test_numbers_stay_strictly_between_sharp_bounds(low: float, high: float) -> None:
    found = draws("level", {"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": high})
    assert all(low < value < high for value in found)


def test_integers_beyond_a_thousand_never_round_past_the_maximum() -> None:
    found = draws("price", {"type": "integer", "minimum": 1, "maximum": 10_960}, 3000)
    assert max(found) <= 10_960
    assert len(set(found)) > 300


def test_examples_are_used_about_half_the_time() -> None:
    found = draws("code", {"type": "string", "examples": ["ZZ-1", "ZZ-2"]}, 400)
    assert 150 < sum(value in ("ZZ-1", "ZZ-2") for value in found) < 250


@pytest.mark.parametrize(
    ("schema", "lengths"),
    [
        ({}, {2, 3, 4}),
        ({"minItems": 6}, {6}),
        ({"maxItems": 1}, {1}),
        ({"maxItems": 0}, {0}),
        ({"maxItems": 3}, {2, 3}),
        ({"minItems": 3, "items": {"type": "boolean"}}, {3, 4}),
        ({"minItems": 3, "items": {"enum": ["only"]}}, {3}),
        ({"items": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}, {2, 3}),
    ],
)
def test_arrays_have_an_allowed_length(schema: Schema, lengths: set[int]) -> None:
    assert {len(value) for value in draws("values", {"type": "array", **schema})} <= lengths


def test_array_entries_differ_while_there_are_enough() -> None:
    found = draws("values", {"type": "array", "minItems": 3, "items": {"enum": [1, 2, 3]}})
    assert all(sorted(value) == [1, 2, 3] for value in found)


@pytest.mark.parametrize(
    ("kind", "types"),
    [
        ("int", {int}),
        ("float", {int, float}),
        ("str", {str}),
        ("bool", {bool}),
        ("dict", {dict}),
        ("list", {list}),
        (["null", "integer"], {int}),
        (["number", "null"], {int, float}),
        (["array", "null"], {list}),
    ],
)
def test_python_names_and_nullable_types_are_understood(kind: str | list[str], types: set[type]) -> None:
    assert {type(value) for value in draws("x", {"type": kind})} == types


def test_required_arguments_are_always_given_and_optional_ones_by_their_share() -> None:
    schema = {"properties": {"a": {}, "b": {}}, "required": ["b"]}
    given = {share: [set(sample_arguments(schema, stream(n), share)) for n in range(300)] for share in (0, 0.35, 1)}
    assert all(names == {"b"} for names in given[0])
    assert all(names == {"a", "b"} for names in given[1])
    assert 75 < sum("a" in names for names in given[0.35]) < 135


def test_an_empty_schema_takes_no_arguments() -> None:
    assert sample_arguments({}, stream(1), 1.0) == {}


@pytest.mark.parametrize(
    ("name", "description", "pattern"),
    [
        ("checkInDate", "", r"20\d\d-[01]\d-[0-2]\d"),
        ("title", "Day as YYYY-MM-DD", r"20\d\d-[01]\d-[0-2]\d"),
        ("start_time", "", r"[012]\d:[0-5]\d"),
        ("length", "Playing time as MM:SS", r"\d:[0-5]\d"),
        ("pace", "Pace as M:SS", r"\d:[0-5]\d"),
        ("contact_email", "", r"[a-z]+\.[a-z]+@example\.com"),
        ("website", "", r"https://[a-z]+\.example\.org/[a-z]+"),
        ("order_id", "", r"[A-Z]{2,3}-\d{3,5}|[A-Z]{2,3}\d{4}[A-Z]{2}|[a-z]+-\d{2,3}"),
        ("barcode", "", r"\d{8,13}"),
        ("departure_city", "", "|".join(map(re.escape, lexicon.CITIES))),
        ("x", "Favourite colour", "|".join(lexicon.COLORS)),
        ("anything_else", "", r"[A-Z][a-z]+( of)?( [A-Z][\wé]+)+"),
    ],
)
def test_text_looks_like_its_name_or_description(name: str, description: str, pattern: str) -> None:
    for value in draws(name, {"type": "string", "description": description}):
        assert re.fullmatch(pattern, value)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("birth_year", 1995, 2035),
        ("latitude", -60, 70),
        ("month", 1, 12),
        ("weight_kg", 2, 120),
        ("unheard_of", 2, 400),
        ("current", 2, 400),
    ],
)
def test_numbers_are_of_the_size_their_name_suggests(name: str, low: int, high: int) -> None:
    found = draws(name, {"type": "integer"})
    assert low <= min(found) <= low + (high - low) // 8
    assert high - (high - low) // 8 <= max(found) <= high


def test_a_stated_flag_mostly_differs_from_its_default() -> None:
    for default in (True, False):
        found = draws("flag", {"type": "boolean", "default": default}, 400)
        # Four in five are turned round, and half of the rest.
        assert 330 < found.count(not default) < 390


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unitPrice_usd", "unit price usd"),
        ("to-base", "to base"),
        ("x1Value", "x1 value"),
        ("$filter", "filter"),
        ("_", "_"),
    ],
)
def test_words_of_an_identifier(name: str, words: str) -> None:
    assert words_of(name) == words


def test_what_a_score_is_depends_on_the_game() -> None:
    elo = Field("", {"properties": {"rating": {"type": "number"}}, "required": ["rating"]}, topic="update elo rating")
    assert all(900 <= elo.draw(stream(seed))["rating"] <= 2600 for seed in range(50))
    assert all(1 <= value <= 5 for value in draws("rating", {"type": "number"}))


def test_the_name_of_an_ingredient_is_a_food() -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    found = draws("ingredients", {"type": "array", "items": item})
    assert {entry["name"] for value in found for entry in value} <= set(lexicon.FOODS)


AGREE: list[tuple[Schema, str]] = [
    ({name: {"type": "integer"} for name in ("min_price", "max_price")}, "a['min_price'] < a['max_price']"),
    ({name: {"type": "string", "format": "date"} for name in ("start", "end")}, "a['start'] < a['end']"),
    ({name: {"type": "string"} for name in ("opening_time", "closing_time")}, "a['opening_time'] < a['closing_time']"),
    (
        {"start": {"type": "number", "maximum": 100}, "target": {"type": "number", "default": 80}},
        "a['start'] < a['target']",
    ),
    ({name: {"type": "number"} for name in ("unit_cost", "unit_price")}, "a['unit_cost'] < a['unit_price']"),
    ({name: {"enum": ["EUR", "USD"]} for name in ("from_unit", "to_unit")}, "a['from_unit'] != a['to_unit']"),
    ({name: {"type": "array"} for name in ("x_values", "y_values")}, "len(a['x_values']) == len(a['y_values'])"),
    (
        {"balance": {"type": "integer", "minimum": 500}, "monthly_payment": {"type": "number"}},
        "0.02 * a['balance'] < a['monthly_payment'] < a['balance']",
    ),
    (
        {"temperature": {"type": "number"}, "scale": {"enum": ["gas_mark"]}},
        "1 <= a['temperature'] <= 9",
    ),
    (
        {"box_widths": {"type": "array", "items": {"type": "integer"}}, "shelf_width": {"type": "integer"}},
        "sum(a['box_widths']) <= a['shelf_width']",
    ),
    ({"word": {"type": "string"}, "blank_letters": {"type": "string"}}, "a['blank_letters'] in a['word']"),
]


@pytest.mark.parametrize(("properties", "holds"), AGREE)
def test_arguments_agree(properties: Schema, holds: str) -> None:
    schema = {"properties": properties, "required": list(properties)}
    for seed in range(150):
        arguments = sample_arguments(schema, stream(seed), 1.0)
        assert eval(holds, {"a": arguments}), arguments


def test_an_end_stays_behind_the_default_of_its_start() -> None:
    schema = {
        "properties": {"start": {"type": "integer", "default": 300}, "end": {"type": "integer"}},
        "required": ["end"],
    }
    found = Counter(sample_arguments(schema, stream(seed), 0.0)["end"] > 300 for seed in range(100))
    assert found[True] > 90


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{3}-\d{2,4}$", r"^#?[0-9a-f]{6}$", r"^(?:on|off|auto)$", r"^projects/[^/]+/zones/[^/]+$",
        r"^\w+@\w+\.com$",
        r"^[a-z][a-z0-9_-]{0,62}$", r"\d+", r"^\+?[1-9]\d{1,14}$", r"^([01]\d|2[0-3]):[0-5]\d$", r"^.*$", r"^a\.b\\c$",
        r"^[-+.]$", r"^[^a-z]{4}$",
    ],
)  # fmt: skip
def test_texts_of_a_pattern_match_it(pattern: str) -> None:
    texts = {text_for(pattern, stream(seed)) for seed in range(100)}
    assert all(re.search(pattern, text) for text in texts), texts


@pytest.mark.parametrize("pattern", ["(?=a)b", r"\1", "[a", "(a", "a)", "*", "a{,3}", r"\p{L}", "(?P<x>a)"])
def test_patterns_that_are_not_understood_are_refused(pattern: str) -> None:
    with pytest.raises(Unreadable):
        text_for(pattern, stream(1))


def test_references_and_parts_become_one_schema() -> None:
    root = {"$defs": {"a/b": {"type": "integer", "minimum": 2}, "loop": {"$ref": "#/$defs/loop"}}}
    assert pointed("#/$defs/a~1b", root) == root["$defs"]["a/b"]
    assert plain({"$ref": "#/$defs/a~1b", "minimum": 5}, root) == {"type": "integer", "minimum": 5}
    assert plain({"allOf": [{"maximum": 9}, {"$ref": "#/$defs/a~1b"}, {"maximum": 7}]}, root) == {
        "type": "integer",
        "minimum": 2,
        "maximum": 7,
    }
    assert "type" not in plain({"$ref": "#/$defs/loop"}, root)
    circle: Schema = {"$defs": {"x": {"allOf": [{"$ref": "#/$defs/x"}, {"type": "string"}]}}}
    assert plain({"$ref": "#/$defs/x"}, circle)["type"] == "string"


def test_merging_keeps_what_both_allow() -> None:
    one = {"enum": [1, 2, 3], "required": ["a"], "properties": {"a": {}}}
    other = {"enum": [2, 3, 4], "required": ["b"], "properties": {"b": {}}}
    assert merged(one, other) == {"enum": [2, 3], "required": ["a", "b"], "properties": {"a": {}, "b": {}}}


def test_alternatives_leave_out_null_and_keep_the_meaning() -> None:
    schema = {"description": "Age", "anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert alternatives(schema, schema) == [{"description": "Age", "type": "integer"}]
    assert alternatives({"oneOf": [{"type": "null"}]}, {}) == [{"type": "null"}]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"properties": {}}, "object"),
        ({"items": {}}, "array"),
        ({"minimum": 3}, "number"),
        ({}, "string"),
        ({"type": ["null", "boolean"]}, "boolean"),
        ({"type": "float"}, "number"),
        ({"type": "file"}, "file"),
    ],
)
def test_types_are_told_or_implied(schema: Schema, kind: str) -> None:
    assert type_of(schema) == kind


def test_a_value_finds_its_branch_again() -> None:
    field = Field("x", {"anyOf": [{"type": "integer"}, {"enum": ["a"]}, {"properties": {"k": {}}, "type": "object"}]})
    assert field.branch_of(3).kind == "integer"
    assert field.branch_of("a").choices == ("a",)
    assert "k" in field.branch_of({"k": 1}).fields


@pytest.mark.parametrize("description", ["Image format. Can be png, jpg", "Image format (png, jpg)"])
def test_choices_that_the_description_lists_are_kept_to(description: str) -> None:
    schema = {"type": "string", "description": description, "examples": ["png", "jpg"]}
    assert set(draws("format", schema)) == {"png", "jpg"}


def test_an_example_in_the_description_leaves_others_where_words_say_what_they_are() -> None:
    city = {"type": "string", "description": "City, e.g. Paris", "examples": ["Paris", "Rome"]}
    assert len(set(draws("city", city))) > 2
    letter = {"type": "string", "description": "The shape", "examples": ["T", "h"]}
    assert len(set(draws("shape", letter))) > 2  # no word of the description
    mode = {"type": "string", "description": "How, e.g. fast", "examples": ["fast", "slow"]}
    assert set(draws("how", mode)) == {"fast", "slow"}


@pytest.mark.parametrize(
    ("name", "description", "kind"),
    [
        ("originator", "Who sent it", None),
        ("city_id", "Identifier of the city", "code"),
        ("origin", "Where it starts", "city"),
        ("country", "The ISO-3166-1 code", "country-code"),
    ],
)
def test_words_are_read_whole(name: str, description: str, kind: str | None) -> None:
    assert Field(name, {"type": "string", "description": description}).text_kind == kind


def test_most_periods_last_days() -> None:
    day = {"type": "string", "format": "date"}
    field = Field(
        "",
        {"type": "object", "properties": {"start_date": day, "end_date": day}, "required": ["start_date", "end_date"]},
    )
    drawn = [field.draw_object(stream(seed), 1.0) for seed in range(200)]
    lasting = [date.fromisoformat(one["end_date"]) - date.fromisoformat(one["start_date"]) for one in drawn]
    assert all(days.days > 0 for days in lasting)
    assert 100 < sum(days.days <= 30 for days in lasting) < 190


def test_nobody_is_born_next_year() -> None:
    for name in ("birth_date", "date_of_birth"):
        years = {int(value[:4]) for value in draws(name, {"type": "string", "format": "date"})}
        assert min(years) >= 1940
        assert max(years) <= 2018
