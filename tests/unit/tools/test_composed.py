"""Composed tools: one sequence for all counts, sound schemas, the variety promised, and queries that can be written."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.queries import example_queries
from data_pipeline.core.schema import Tool, ToolCall
from data_pipeline.core.seeding import stream
from data_pipeline.core.xlam_format import parse_calls, render_answer
from data_pipeline.generate.grammar import GrammarGenerator
from data_pipeline.generate.sampler import Catalogue, plan_shard
from data_pipeline.generate.units import split_unit
from data_pipeline.generate.values import Field
from data_pipeline.recipe import DataRecipe, Grammar
from data_pipeline.tools import bundled
from data_pipeline.tools.composed.banks import banks
from data_pipeline.tools.composed.compose import MAX_PARAMETERS
from data_pipeline.tools.composed.domains import goals
from data_pipeline.tools.composed.naming import MAX_NAME, camel
from data_pipeline.tools.composed.parameters import Kind, Schema, kinds
from data_pipeline.tools.composed.questions import queries_of, questions
from data_pipeline.tools.schema_check import argument_errors
from data_pipeline.tools.schema_form import schema_problem
from data_pipeline.tools.source import open_source
from data_pipeline.verify.checks import Checker

COUNT = 3000
SLOTS = re.compile(r"\{([^{}#]+)#?\}")
BARE = re.compile(r"\{([^{}#]+)#\}")
HELD_OUT = ("education", "energy", "entertainment", "location")
NUMERIC = ("int", "num", "ints", "nums")
_UNIT_WORDS = (
    "percent|degrees|celsius|years|months|weeks|days|hours|minutes|seconds|meters?|kilometers|centimeters|millimeters"
    "|nanometers|kilograms|grams|milligrams|liters?|milliliters|hectares?|newtons|hertz|kilopascals|moles|tonnes|pixels"
    "|megabytes|kcal|calories|dollars|beats per minute|astronomical units|light years"
)
_UNIT_SIGNS = "kg|km|cm|mm|nm|mg|g|m|s|ml|MB|Hz|kPa|AU|mmHg|km/h|m/s|N/m|mol/L|mg/dL|kg/m"
UNIT_TOLD = re.compile(rf"\b(?:(?i:{_UNIT_WORDS})|in (?:{_UNIT_SIGNS}))\b")
UNIT_SAID = re.compile(
    rf"(?:[ -](?:(?i:{_UNIT_WORDS}|degree|year|month|week|day|hour|minute|second|tons?|molar?|bpm|px|sqm)|M|N"
    rf"|{_UNIT_SIGNS})\b| ?[%°])"
)


@cache
def tools() -> tuple[Tool, ...]:
    return open_source(f"composed:{COUNT}").tools


def share(wanted: Callable[[Tool], bool]) -> float:
    return sum(wanted(tool) for tool in tools()) / COUNT


def required_lists_of_objects(tool: Tool) -> list[Schema]:
    schemas = (tool.properties[name] for name in tool.required)
    return [schema for schema in schemas if schema["type"] == "array" and schema["items"]["type"] == "object"]


def names_below(schema: Schema) -> Iterator[str]:
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from names_below(inner)
    yield from names_below(schema["items"]) if "items" in schema else ()


def test_a_smaller_count_is_the_beginning_of_a_larger() -> None:
    few = open_source("composed:500").tools
    assert len(few) == 500
    assert [(tool.to_openai(), tool.topic) for tool in few] == [
        (tool.to_openai(), tool.topic) for tool in tools()[:500]
    ]
    assert {tool.source for tool in few} == {"composed:500"}


def test_the_same_tools_each_time() -> None:
    """Another process hashes texts differently, so an order taken from a set would show."""
    program = (
        "from data_pipeline.tools.composed.compose import compose; print([t.fingerprint for t in compose('', 300)])"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(runs[0]) > 300


@pytest.mark.parametrize(
    "source", ["composed:", "composed:0", "composed:-3", "composed:many", "composed:2.5", "composed"]
)
def test_a_count_that_is_none_is_told_in_one_line(source: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(source)
    assert source in str(caught.value)
    assert "\n" not in str(caught.value)


def test_more_than_there_is_names_how_many_there_are() -> None:
    with pytest.raises(InputError, match=r"no more than \d{4} tools"):
        open_source("composed:1000000")


def test_nothing_to_run_and_nothing_refused() -> None:
    found = open_source("composed:5")
    assert found.runner is None
    assert not found.refused
    assert not found.provenance.executable


def test_each_tool_has_a_name_of_its_own_and_a_sound_schema() -> None:
    assert len({tool.name for tool in tools()}) == COUNT
    for tool in tools():
        assert schema_problem(tool.parameters) is None
        assert len(tool.name) <= MAX_NAME
        assert tool.description.strip()
        assert set(tool.required) <= set(tool.properties)
        assert tool.properties
    assert max(len(tool.properties) for tool in tools()) == MAX_PARAMETERS


def test_defaults_and_examples_fit_their_own_schemas() -> None:
    for tool in tools():
        for name, schema in tool.properties.items():
            alone = tool.model_copy(update={"parameters": {"type": "object", "properties": {name: schema}}})
            for value in [*schema.get("examples", ()), *([schema["default"]] if "default" in schema else [])]:
                assert argument_errors(alone, {name: value}) is None, (tool.name, name, value)


def test_a_name_survives_the_answer_format() -> None:
    dotted = next(tool for tool in tools() if "." in tool.name)
    (call,) = parse_calls(render_answer([ToolCall(name=dotted.name, arguments={})]))
    assert call.name == dotted.name


def test_variety() -> None:
    domains = {goal.domain for goal in goals()}
    assert len(domains) >= 40
    assert not domains & set(HELD_OUT)
    assert share(lambda tool: len(tool.required) < len(tool.properties)) > 0.6
    assert 0.2 < share(lambda tool: any("enum" in schema for schema in tool.properties.values())) < 0.5
    assert 0.1 < share(lambda tool: any(schema["type"] == "array" for schema in tool.properties.values())) < 0.25
    assert 0.05 < share(lambda tool: any(schema["type"] == "object" for schema in tool.properties.values())) < 0.2
    assert 0.1 < share(lambda tool: "." in tool.name) < 0.2
    assert max(Counter(tool.description for tool in tools()).values()) <= 8


def test_objects_and_lists_of_them_are_often_required() -> None:
    assert 0.08 < share(lambda tool: bool(required_lists_of_objects(tool))) < 0.12
    assert 0.03 < share(lambda tool: any(tool.properties[name]["type"] == "object" for name in tool.required)) < 0.06


def test_each_object_of_a_list_has_two_or_three_entries_under_changing_names() -> None:
    schemas = [schema["items"] for tool in tools() for schema in required_lists_of_objects(tool)]
    for schema in schemas:
        assert 2 <= len(schema["properties"]) <= 3
        assert list(schema["properties"]) == schema["required"]
        assert all(entry["type"] not in ("array", "object") for entry in schema["properties"].values())
    lists = [kind for kind in kinds().values() if kind.type == "objs"]
    assert len({tuple(schema["required"]) for schema in schemas}) > 2 * len(lists)


def test_lists_of_objects_hold_two_or_three() -> None:
    rng = stream(1, "objects")
    for schema in (schema for tool in tools()[:600] for schema in required_lists_of_objects(tool)):
        assert len(Field("entries", schema).draw(rng)) in (2, 3)


def test_a_tool_in_camel_case_is_so_at_any_depth() -> None:
    camels = [tool for tool in tools() if any(re.search("[a-z][A-Z]", name) for name in tool.properties)]
    assert any(required_lists_of_objects(tool) for tool in camels)
    for tool in camels:
        assert not [name for name in names_below(tool.parameters) if "_" in name], tool.name


def test_tools_of_one_category_do_different_things() -> None:
    by_topic: dict[str, list[Tool]] = {}
    for tool in tools():
        by_topic.setdefault(tool.topic, []).append(tool)
    for found in by_topic.values():
        assert not any(one.description == other.description for one, other in combinations(found, 2))


def test_every_kind_of_parameter_is_used_and_every_one_used_is_known() -> None:
    used = {key for goal in goals() for key in (*goal.required, *goal.optional)}
    inside = {key for kind in kinds().values() if kind.type in ("obj", "objs") for key in kind.detail.split(",")}
    twins = {f"{key}_decimal" for key in used} & set(kinds())
    assert len(twins) == 5
    assert used | inside | twins == set(kinds())
    assert len(kinds()) >= 250


def test_queries_for_composed_tools_pass_the_checks() -> None:
    recipe = DataRecipe(tools=["composed:200"], tool_sets_per_shard=100, queries_per_tool_set=4)
    generator = GrammarGenerator(Grammar(), recipe.optional_share)
    drafts = [draft for plan in plan_shard(recipe, Catalogue.of(tools()[:200]), 0) for draft in generator.write(plan)]
    checked = Checker().check_many(drafts)
    failed = [sample.failed for sample in checked if sample.failed is not None]
    assert len(failed) < 0.05 * len(checked), failed[:3]


def test_a_rate_is_held_in_percent_by_some_tools_and_as_a_decimal_by_others() -> None:
    rates = [schema for tool in tools() for name, schema in tool.properties.items() if name == "annual_rate"]
    decimal = [schema["maximum"] < 1 for schema in rates]
    assert 0.3 < sum(decimal) / len(decimal) < 0.7
    assert all(("decimal" in str(s) or "fraction" in str(s)) == (s["maximum"] < 1) for s in rates)


@pytest.mark.parametrize("domain", sorted({goal.domain for goal in goals()}))
def test_each_goal_has_questions_that_can_be_asked(domain: str) -> None:
    """Outside brackets stands what the goal requires, each key once; inside them what it may take."""
    own = {f"{goal.verb} {goal.thing}": goal for goal in goals() if goal.domain == domain}
    assert questions(domain).keys() == own.keys()
    for goal, asked in questions(domain).items():
        assert len(set(asked)) == len(asked) >= 3, goal
        for text in asked:
            keys = dict.fromkeys((*own[goal].required, *own[goal].optional))
            (query,) = example_queries({"properties": keys, "x-queries": [text]})
            slots = [slot for piece in query.pieces if not piece.optional for slot in SLOTS.findall(piece.text)]
            assert sorted(slots) == sorted(own[goal].required), text
            for piece in query.pieces:
                assert not piece.optional or piece.needs or piece.switch, text
                assert not piece.switch or kinds()[piece.switch].type == "bool", text


def test_banks_are_large_and_their_values_can_be_said() -> None:
    named = {kind.detail for kind in kinds().values() if kind.type in ("str", "strs")} - {"-", "code"}
    assert banks().keys() == named
    assert sum(map(len, banks().values())) > 20_000
    assert sorted(map(len, banks().values()))[10] >= 60
    for name, values in banks().items():
        assert len({value.casefold() for value in values}) == len(values), name
        assert not [value for value in values if value != value.strip() or re.search(r'[\[\]{}"]', value)], name


def test_a_share_of_one_is_not_said_in_percent_twice() -> None:
    goal = next(goal for goal in goals() if "annual_rate" in goal.required)
    told = queries_of(goal, dict.fromkeys(goal.required, "x"), ["annual_rate"])
    assert told
    assert not [query for query in told if re.search(r"\{x\} ?(percent|%)", query)]


def has_unit(kind: Kind) -> bool:
    told = any(map(UNIT_TOLD.search, kind.descriptions)) or any(split_unit(name)[1] for name in kind.names)
    return kind.type in NUMERIC and told


def test_a_unit_is_told_by_each_description_of_a_kind_or_by_none() -> None:
    measured = [kind for kind in kinds().values() if has_unit(kind)]
    assert len(measured) > 120
    for kind in measured:
        assert all(map(UNIT_TOLD.search, kind.descriptions)), kind


def test_no_question_says_a_unit_behind_a_value_that_has_one() -> None:
    """`{weight_kg}` is said as '70 kg': where words for the unit follow, the value stands bare, as `{weight_kg#}`."""
    slot = re.compile(r"\{([^{}#]+)(#?)\}")
    bare = 0
    for text in (text for goal in goals() for asked in questions(goal.domain).values() for text in asked):
        for found in slot.finditer(text):
            if has_unit(kinds()[found[1]]) and UNIT_SAID.match(text, found.end()):
                assert found[2], text
                bare += 1
    assert bare


def test_what_is_said_bare_is_one_value() -> None:
    said = {
        key
        for goal in goals()
        for asked in questions(goal.domain).values()
        for text in asked
        for key in BARE.findall(text)
    }
    assert len(said) > 40
    assert {kinds()[key].type for key in said} <= {"int", "num"}


def test_children_and_rooms_are_as_small_as_they_are() -> None:
    for goal in goals():
        keys = {*goal.required, *goal.optional}
        if "child" in goal.thing:
            assert not keys & {"age", "adult_age", "weight_kg", "height_cm"}, goal
        if re.search(r"\b(?:room|wall|slab|floor)\b", goal.thing):
            assert not keys & {"height", "height_m", "side"}, goal
    assert (kinds()["child_kg"].detail, kinds()["wall_height"].detail) == ("3..45", "2..6")


def test_a_limit_is_for_results_of_which_there_may_be_many() -> None:
    limits = {*kinds()["limit"].names, *map(camel, kinds()["limit"].names)}
    limited = [tool.description for tool in tools() if limits & {*names_below(tool.parameters)}]
    assert len(limited) > 0.04 * COUNT
    single = (
        r"shoe size|camera|outfit|vertex|divisors|blood pressure|biography|follower count|follow|walking tour|climate"
    )
    assert [tool for tool in tools() if re.search(single, tool.description)]
    assert not [description for description in limited if re.search(single, description)]


def test_no_tool_does_what_a_bundled_tool_of_its_category_does() -> None:
    names = {domain: [*bundled.functions(domain)] for domain in bundled.domains()}
    assert not {tool.name for tool in tools()} & {name for domain in names for name in names[domain]}
    assert {tool.topic for tool in tools()} & names.keys() == {"real_estate", "sports", "travel", "weather"}
    for tool in tools():
        words = {*re.findall("[a-z]+", tool.description)}
        assert not [name for name in names.get(tool.topic, ()) if {*name.split("_")[1:]} <= words], tool
    assert any("dew point" in tool.description for tool in tools())


def test_choices_are_told_by_the_schema_or_by_the_description() -> None:
    told: Counter[str] = Counter()
    for tool in tools():
        for schema in tool.properties.values():
            if schema.get("examples") and all(word in schema["description"] for word in schema["examples"]):
                told["description"] += 1
            told["schema"] += "enum" in schema
    assert 0.08 < told["description"] / told.total() < 0.25


def test_questions_are_in_the_words_of_the_tool() -> None:
    for tool in tools():
        assert len(example_queries(tool.parameters)) == len(tool.parameters["x-queries"]) >= 3, tool.name
        assert all(query.needs <= tool.properties.keys() for query in example_queries(tool.parameters))


def test_well_known_words_are_drawn_more_often_and_the_others_too() -> None:
    rank = {word: number for number, word in enumerate(banks()["city"])}
    drawn = [rank[word] for seed in range(200) for word in kinds()["city"].schema(stream(seed, "words"))["examples"]]
    common = sum(number < len(rank) / 4 for number in drawn) / len(drawn)
    assert 0.45 < common < 0.55
    assert max(drawn) > 0.95 * len(rank)
