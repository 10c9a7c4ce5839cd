"""What the grammar and the schema of an answer say, against the parser and the argument checks."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tiny_constrained import bench_module

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Tool, ToolCall
from data_pipeline.core.variants import VARIANTS
from data_pipeline.core.xlam_format import parse_calls, render_answer
from data_pipeline.tools.schema_check import argument_errors
from data_pipeline.tools.source import open_source
from xlam_train.infer.constrain import answer_constraint, not_enforced

Matcher = bench_module("constrained_matcher").Matcher


def tool(properties: dict[str, Any], name: str = "f", **more: Any) -> Tool:
    return Tool(name=name, description="", parameters={"type": "object", "properties": properties, **more})


def of_value(schema: Any) -> Any:
    """Whether the grammar of one required argument `v` of that schema admits the text of a value."""
    matcher = Matcher(answer_constraint([tool({"v": schema}, required=["v"])]).grammar)
    return lambda text: matcher.admits(f'{{"tool_calls": [{{"name": "f", "arguments": {{"v": {text}}}}}]}}')


def fits(schema: Any, text: str) -> bool:
    """Whether the checks take the text of a value."""
    try:
        calls = parse_calls(f'[{{"name": "f", "arguments": {{"v": {text}}}}}]')
    except ValueError:
        return False
    return argument_errors(tool({"v": schema}, required=["v"]), calls[0].arguments) is None


WEATHER = tool({"city": {"type": "string"}, "days": {"type": "integer"}}, "weather", required=["city"])
CALLS = (ToolCall(name="weather", arguments={"city": "Zürich", "days": 3}), ToolCall(name="now", arguments={}))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("empty", [True, False])
def test_each_variant_has_its_own_form(variant: Any, empty: bool) -> None:
    constraint = answer_constraint([WEATHER, tool({}, "now")], variant, empty=empty)
    matcher, validator = Matcher(constraint.grammar), Draft202012Validator(dict(constraint.schema))
    for calls, good in ((CALLS, True), (CALLS[:1], True), ((), empty)):
        text = render_answer(calls, variant, thought='Hm. "So"')
        assert matcher.admits(text) == good
        assert validator.is_valid(json.loads(text)) == good
        assert not matcher.admits(text + " ")
        assert not matcher.admits(text.replace(": ", ":", 1)) or ": " not in text
    other = "xlam-1" if variant == "actionstudio" else "actionstudio"
    assert not matcher.admits(render_answer(CALLS, other))


def test_the_model_card_answer_and_openai_schemas() -> None:
    weather = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the current weather for a location",
            "parameters": {
                "type": "object",
                "properties": {"location": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
                "required": ["location"],
            },
        },
    }
    text = '{"tool_calls": [{"name": "get_weather", "arguments": {"location": "New York", "unit": "fahrenheit"}}]}'
    matcher = Matcher(answer_constraint([weather]).grammar)
    assert matcher.admits(text)
    assert not matcher.admits(text.replace("fahrenheit", "kelvin"))


def test_without_tools_the_empty_list_is_the_only_answer() -> None:
    matcher = Matcher(answer_constraint([]).grammar)
    assert matcher.admits('{"tool_calls": []}')
    assert not matcher.admits('{"tool_calls": [{"name": "f", "arguments": {}}]}')


def test_arguments_come_in_any_order_when_few_and_in_the_order_of_the_schema_when_many() -> None:
    rng = random.Random(0)
    for count in (5, 6):
        names = [f"p{number}" for number in range(count)]
        schema = tool({name: {"type": "integer"} for name in names}, required=names[1:3])
        matcher = Matcher(answer_constraint([schema]).grammar)
        for _ in range(60):
            given = rng.sample(names, rng.randint(0, count))
            text = render_answer([ToolCall(name="f", arguments=dict.fromkeys(given, 1))])
            good = {*names[1:3]} <= {*given} and (count == 5 or given == sorted(given))
            assert matcher.admits(text) == good, text


LEAST_NORMAL = 1e-307
NUMBERS = [
    {"type": "integer"},
    {"type": "integer", "minimum": -12, "maximum": 305},
    {"type": "integer", "minimum": 1.5, "exclusiveMaximum": 1000},
    {"type": "integer", "exclusiveMinimum": -100, "maximum": -7},
    {"type": "number"},
    {"type": "number", "minimum": 0, "maximum": 1},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.3},
    {"type": "number", "minimum": -90.5, "maximum": 90.25},
    {"type": "number", "exclusiveMinimum": 1.25},
    {"type": "number", "exclusiveMaximum": -0.5},
    {"type": "number", "minimum": 99.95, "maximum": 100.05},
    {"type": ["integer", "number"], "maximum": 0},
]


@pytest.mark.parametrize("schema", NUMBERS, ids=json.dumps)
def test_numbers_are_admitted_within_their_bounds_and_nowhere_else(schema: dict[str, Any]) -> None:
    admits, rng = of_value(schema), random.Random(1)
    bounds = [float(value) for key, value in schema.items() if key != "type"]
    near = [math.nextafter(bound, side) for bound in bounds for side in (-math.inf, math.inf)]
    wide = [rng.uniform(-400, 400) for _ in range(100)] + [rng.uniform(-1, 1) for _ in range(100)]
    values: list[Any] = [*bounds, *near, *wide, *(round(value, 2) for value in wide), *(int(value) for value in wide)]
    values += [int(bound) for bound in bounds] + [0, 0.0, -0.0, 1e-7, 7, -7, 10**9, 10**18, 2.5]
    for value in values:
        text = json.dumps(value)
        if 0 < abs(value) < LEAST_NORMAL:
            continue  # such numbers are left out, because what is smaller still would be read as zero
        assert admits(text) == fits(schema, text), text


@pytest.mark.parametrize(
    "text", ["01", "+1", "1.", ".5", "1e", "--1", "NaN", "Infinity", "1e999", '"1"', "0x1", "9" * 20]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    assert not of_value({"type": "number"})(text)
    assert not of_value({"type": "integer"})(text)


def test_digits_beyond_the_bound_come_out_rounded_and_never_beyond_it() -> None:
    schema = {"type": "number", "exclusiveMaximum": 1, "exclusiveMinimum": 0}
    admits = of_value(schema)
    for text in (
        "0.99999999999999999",
        "0.9999999999999999",
        "0.00000000000000000001",
        "0." + "0" * 400 + "1",
        "1e-400",
    ):
        assert not admits(text) or fits(schema, text), text
    assert admits("0.9999999999999999")


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (
            {},
            ['"a\\u00e9é\\ud83d\\ude00😀\\/\\n"', '""'],
            ['"\\ud83d"', '"\\ude00\\ud83d"', '"\n"', '"\\x41"', "'a'", '"a'],
        ),
        ({"minLength": 2, "maxLength": 3}, ['"ab"', '"\\ud83d\\ude00é\\n"'], ['"a"', '"abcd"', '"\\ud83d\\ude00"']),
        ({"maxLength": 0}, ['""'], ['"a"']),
        ({"pattern": "^[A-Z]{2}-\\d+$"}, ['"AB-1"', '"ZZ-0042"'], ['"AB-"', '"ab-1"', '" AB-1"', '"AB-1\\n"']),
        ({"pattern": "a|^b$"}, ['"xay"', '"b"'], ['"bb"', '""']),
        ({"pattern": "^(?:x[^\\]\\\\a-c]){1,2}?$"}, ['"x\\""', '"xdxé"', '"x\\u00e9"'], ['"xa"', '"x"', '"xdxdxd"']),
        ({"pattern": "^[é-ü]😀?\\u0041$"}, ['"éA"', '"\\u00fc\\ud83d\\ude00A"'], ['"eA"', '"é\\ud83dA"']),
        ({"pattern": "^a.c$"}, ['"abc"', '"a\\"c"', '"aéc"'], ['"a\\nc"', '"ac"']),
        ({"format": "date"}, ['"2024-02-29"', '"1999-12-31"'], ['"2024-02-30"', '"2024-13-01"', '"today"']),
        ({"format": "date-time"}, ['"2024-02-29T12:00:00Z"'], ['"2024-02-29"', '"2024-02-29T25:00:00Z"']),
    ],
    ids=str,
)
def test_strings(schema: dict[str, Any], good: list[str], bad: list[str]) -> None:
    admits = of_value({"type": "string", **schema})
    assert [text for text in good if not admits(text)] == []
    assert [text for text in bad if admits(text)] == []
    assert all(fits({"type": "string", **schema}, text) for text in good)


VALUES = ["null", "true", "0", "5", "2.5", '""', '"abc"', '"5"', "[]", "[1]", "[1, 2]", '["a"]', '["a", 1]', "{}"]
VALUES += ['{"a": 1}', '{"a": 1, "b": "x"}', '{"b": "x", "a": 1}', '{"b": "x"}', '{"a": "x"}', '{"a": {"a": {}}}']
BOTH = {"a": {"type": "integer"}, "b": {"type": "string"}}
SCHEMAS: list[dict[str, Any]] = [
    {"enum": ["abc", 5, None, [1], {"a": 1}]},
    {"const": "5"},
    {"type": ["string", "null"]},
    {"type": "integer", "enum": [0, "5", 2.5]},
    {"anyOf": [{"type": "integer", "maximum": 3}, {"const": "abc"}]},
    {"oneOf": [{"type": "integer"}, {"type": "string", "minLength": 1}]},
    {"allOf": [{"type": ["integer", "string"]}, {"type": ["number", "null"]}, {"minimum": 1}]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 1},
    {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False, "minItems": 1},
    {"type": "object", "properties": BOTH, "required": ["a"], "additionalProperties": False},
    {"type": "object", "additionalProperties": {"type": "integer"}},
    {
        "allOf": [{"type": "object", "properties": BOTH}, {"properties": {"a": {"minimum": 1}}, "required": ["b"]}],
        "properties": {"a": True, "b": True},
        "additionalProperties": False,
    },
    {"minimum": 1, "maxLength": 1, "maxItems": 1},
    {"type": "string", "required": True},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_what_is_admitted_is_what_the_checks_take(schema: dict[str, Any]) -> None:
    admits = of_value(schema)
    assert [(text, admits(text)) for text in VALUES] == [(text, fits(schema, text)) for text in VALUES]


def test_schemas_may_refer_to_themselves_and_to_one_another() -> None:
    node = {
        "type": "object",
        "properties": {"value": {"$ref": "#/$defs/Id"}, "below": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
        "required": ["value"],
    }
    named = {"Node": node, "Id": {"type": "integer", "minimum": 1}}
    constraint = answer_constraint([tool({"tree": {"$ref": "#/$defs/Node"}}, **{"$defs": named})])
    matcher, validator = Matcher(constraint.grammar), Draft202012Validator(dict(constraint.schema))
    for value, good in ((1, True), (0, False)):
        tree = {"value": 2, "below": [{"value": 3}, {"below": [{"value": value}], "value": 1}]}
        text = render_answer([ToolCall(name="f", arguments={"tree": tree})])
        assert matcher.admits(text) == good
        assert validator.is_valid(json.loads(text)) == good


def test_names_that_are_not_listed_are_told_from_those_that_are() -> None:
    schema = {"type": "object", "properties": {"ab": {"type": "integer"}}, "additionalProperties": {"type": "string"}}
    admits = of_value(schema)
    for name in ("a", "abc", "", "b", "ac", "é", '\\"', "a\\u00e9"):
        assert admits(f'{{"{name}": "x"}}'), name
        assert not admits(f'{{"{name}": 1}}'), name
    assert admits('{"x": "y", "ab": 1, "z": "w"}')
    assert not admits('{"ab": "x"}')
    assert not admits('{"\\u0061b": "x"}')


def test_bundled_tools_are_enforced_to_the_last_keyword() -> None:
    assert not_enforced(open_source("bundled").tools) == ()


@pytest.mark.parametrize(
    ("schema", "note"),
    [
        ({"type": "string", "pattern": "^(?=a)"}, "f.v: pattern"),
        ({"type": "string", "pattern": "(a)\\1"}, "f.v: pattern"),
        ({"type": "string", "maxLength": 5000}, "f.v: maxLength"),
        ({"type": "string", "format": "email"}, "f.v: format"),
        ({"type": "string", "pattern": "^a+$", "maxLength": 3}, "f.v: minLength or maxLength beside pattern"),
        ({"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, "f.v: uniqueItems"),
        ({"type": "integer", "multipleOf": 5}, "f.v: multipleOf"),
        ({"type": "number", "maximum": 1e300}, "f.v: maximum"),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "f.v: oneOf"),
        ({"type": "object"}, "f.v: a repeated name among additionalProperties"),
        ({"type": "integer", "not": {"const": 3}}, "f.v: not"),
    ],
)
def test_what_no_grammar_says_is_named(schema: dict[str, Any], note: str) -> None:
    assert note in not_enforced([tool({"v": schema})])
    assert of_value(schema) is not None


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"properties": {"v": {"type": "float"}}}, 'f.v: type "float" is unknown'),
        ({"properties": {"v": {"$ref": "#/$defs/No"}}}, "'#/\\$defs/No' refers to nothing"),
        ({"properties": {"v": {"$ref": "http://x.y/z"}}}, "outside the schema"),
        ({"properties": {"v": {"$ref": "#/properties/v"}}}, "refers to itself"),
        ({"properties": {"v": {"anyOf": []}}}, "f.v: anyOf must be a list"),
        ({"properties": {"v": {"type": "integer", "minimum": "3"}}}, "f.v: minimum must be a number"),
        ({"properties": {"v": {"type": "array", "items": [1]}}}, r"f.v\[\]: a schema must be an object"),
        ({"properties": {"v": {"enum": [1], "type": "nope"}}}, "f: the tool's schema is broken|unknown"),
        ({"properties": {}, "required": [1]}, "f: required must be a list of names"),
    ],
)
def test_a_broken_schema_is_refused_in_one_line(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        answer_constraint([Tool(name="f", description="", parameters=parameters)])
    assert "\n" not in str(caught.value)


def test_tools_that_cannot_be_told_apart_or_called_are_refused() -> None:
    with pytest.raises(InputError, match="'f' is offered 2 times"):
        answer_constraint([tool({}), tool({})])
    with pytest.raises(InputError, match="no valid answer"):
        answer_constraint([tool({"v": False}, required=["v"])], empty=False)
    assert Matcher(answer_constraint([tool({"v": False}, required=["v"])]).grammar).admits('{"tool_calls": []}')
    endless = {"type": "object", "properties": {"v": {"$ref": "#"}}, "required": ["v"]}
    with pytest.raises(InputError, match="no valid answer"):
        answer_constraint([Tool(name="f", description="", parameters=endless)], empty=False)
