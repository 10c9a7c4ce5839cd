"""Sampled values: they fit their schema, and look like what their name says."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.core.schema import Tool
from data_pipeline.core.seeding import stream
from data_pipeline.generate import lexicon
from data_pipeline.generate.values import sample_arguments, sample_value, words_of
from data_pipeline.tools.schema_check import argument_errors

Schema = dict[str, Any]
NAMES = st.sampled_from(["amount", "city", "page", "ratio", "weight_kg", "temperature", "year", "total_count"])


def draws(name: str, schema: Schema, count: int = 200) -> list[Any]:
    return [sample_value(name, schema, stream(seed, name)) for seed in range(count)]


def test_arguments_of_every_bundled_tool_fit_its_schema(pool: list[Tool]) -> None:
    found = {
        (tool.name, argument_errors(tool, sample_arguments(tool.parameters, stream(seed, tool.name), share)))
        for tool in pool
        for seed in range(25)
        for share in (0.0, 1.0)
    }
    assert {error for _, error in found} == {None}, [pair for pair in found if pair[1]]


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


@settings(deadline=None, max_examples=300, derandomize=True)
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
        ({"items": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}, {2}),
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
        ("contact_email", "", r"[a-z]+\.[a-z]+@example\.com"),
        ("website", "", r"https://[a-z]+\.example\.org/[a-z]+"),
        ("order_id", "", r"[A-Z]{2,3}-\d{3,4}"),
        ("barcode", "", r"\d{8,13}"),
        ("departure_city", "", "|".join(map(re.escape, lexicon.CITIES))),
        ("x", "Favourite colour", "|".join(lexicon.COLORS)),
        ("anything_else", "", r"[A-Z][a-z]+ [A-Z][a-z]+"),
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
    ("name", "words"), [("unitPrice_usd", "unit price usd"), ("to-base", "to base"), ("x1Value", "x1 value")]
)
def test_words_of_an_identifier(name: str, words: str) -> None:
    assert words_of(name) == words
