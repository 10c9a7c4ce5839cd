"""Drafts of the grammar: every style, any schema, every value stated, the same bytes for the same plan."""

import asyncio
import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data_pipeline import generate
from data_pipeline.core.schema import Style, Tool, Trajectory
from data_pipeline.generate.grammar import GRAMMAR_REASONS, MAX_WORDINGS, GrammarGenerator
from data_pipeline.generate.plan import Plan
from data_pipeline.recipe import Grammar
from data_pipeline.tools.executor import Executor
from data_pipeline.tools.json_file import open_json
from data_pipeline.tools.schema_check import ArgumentCheck, argument_errors
from data_pipeline.verify.format_check import check_format
from data_pipeline.verify.semantic import check_semantic

PLAIN = Grammar(typos=0, in_words=0, distractors=0, own_queries=0)
WIDE = Grammar()
ALL: tuple[Style, ...] = ("multiple", "parallel", "parallel-multiple", "irrelevance", "missing-parameter")
LOAN = Tool(
    name="loan_payment",
    description="Calculate the monthly payment of a loan.",
    parameters={
        "type": "object",
        "properties": {"principal": {"type": "integer"}, "term_years": {"type": "integer", "minimum": 2}},
        "required": ["principal", "term_years"],
    },
)
CLOCK = Tool(name="read_clock", description="Read the clock.", parameters={"type": "object", "properties": {}})


def write(
    *tools: Tool,
    styles: tuple[Style, ...] = ("simple",),
    settings: Grammar = WIDE,
    share: float = 0.35,
    seed: int = 1,
    **plan: Any,
) -> list[Trajectory]:
    generator = GrammarGenerator(settings, share)
    return generator.write(Plan(id="p", tools=tools, styles=styles, seed=seed, **plan))


def drafts(
    tools: list[Tool], styles: tuple[Style, ...], settings: Grammar, share: float = 0.35
) -> Iterator[Trajectory]:
    """Drafts on pairs of tools from opposite ends of the list, with a stranger from the middle."""
    generator = GrammarGenerator(settings, share)
    for index, tool in enumerate(tools):
        other, stranger = tools[index - len(tools) // 3], tools[index - 2 * len(tools) // 3]
        offered = (tool,) if "simple" in styles else (tool, other)
        strangers = (stranger,) * styles.count("irrelevance")
        yield from generator.write(Plan(id=str(index), tools=offered, styles=styles, strangers=strangers, seed=index))


def test_every_draft_has_its_id_style_tools_and_origin() -> None:
    written = write(LOAN, CLOCK, styles=ALL, strangers=(CLOCK,), persona="a nurse", locale="en-GB")
    assert [sample.id for sample in written] == [f"p-{number:02d}" for number in range(5)]
    assert tuple(sample.style for sample in written) == ALL
    for sample in written:
        assert sample.tools == (LOAN, CLOCK)
        assert sample.verdicts == ()
        assert sample.origin is not None
        assert (sample.origin.generator, sample.origin.persona, sample.origin.locale) == ("grammar", "a nurse", "en-GB")


def test_the_same_plan_gives_the_same_bytes_whatever_came_before(pool: list[Tool]) -> None:
    plan = Plan(id="x", tools=tuple(pool[:3]), styles=ALL * 3, strangers=tuple(pool[90:93]), seed=7)
    used = GrammarGenerator(WIDE, 0.35)
    used.write(Plan(id="y", tools=tuple(pool[1:4]), styles=ALL, strangers=(pool[80],), seed=8))
    fresh = [sample.to_json() for sample in GrammarGenerator(WIDE, 0.35).write(plan)]
    assert [sample.to_json() for sample in used.write(plan)] == fresh
    assert [sample.to_json() for sample in asyncio.run(used.draft(plan))] == fresh
    other = plan.__class__(**{**vars(plan), "seed": 9})
    assert [sample.to_json() for sample in used.write(other)] != fresh


@pytest.mark.parametrize("settings", [PLAIN, WIDE])
def test_drafts_on_bundled_tools_pass_the_checks(pool: list[Tool], settings: Grammar) -> None:
    failed: Counter[str] = Counter()
    written = [*drafts(pool, ALL, settings), *drafts(pool, ("simple",) * 2, settings)]
    with Executor() as executor:
        for sample in written:
            checks = (check_format(sample), check_semantic(sample))
            failed.update(verdict.reason for verdict in checks if not verdict.passed)
            by_name = {tool.name: tool for tool in sample.tools}
            results = [executor.call(by_name[call.name], call.arguments) for call in sample.calls]
            failed.update(result.status for result in results if result.status != "ok")
    assert failed.total() <= 0.015 * len(written), failed


@pytest.mark.parametrize("settings", [PLAIN, WIDE])
def test_drafts_fit_any_schema(nasty: list[Tool], examples: list[Tool], settings: Grammar) -> None:
    wrong = []
    for sample in drafts((nasty + examples) * 12, ("simple", "parallel", "missing-parameter"), settings, 0.6):
        by_name = {tool.name: tool for tool in sample.tools}
        wrong += [error for call in sample.calls if (error := argument_errors(by_name[call.name], call.arguments))]
        assert sample.query or sample.failed
        assert not re.search(r"\{|\bNone\b|  ", sample.query), sample.query
    assert wrong == []


BROKEN: list[Any] = [
    None, True, -2.5, "x", [], {"$ref": "#"}, {"$ref": "#/properties/0"}, {"$ref": "#/nowhere"}, {"anyOf": []},
    {"anyOf": [True, {"type": "null"}]}, {"enum": []}, {"enum": "abc"}, {"enum": [[1], {"a": 2}]}, {"type": ["null"]},
    {"type": "array", "items": [{"type": "integer"}]}, {"type": "array", "items": False}, {"type": "weird"},
    {"type": "array", "minItems": 2, "maxItems": 0}, {"type": "integer", "minimum": "3"}, {"examples": "abc"},
    {"type": "integer", "minimum": 9, "maximum": 3}, {"type": "integer", "multipleOf": 0}, {"description": 5},
    {"type": "number", "minimum": 1e308}, {"type": "number", "exclusiveMinimum": True, "minimum": 2}, {"format": 3},
    {"type": "object", "properties": [1]}, {"type": "object", "required": ["z"], "properties": {"z": {"$ref": "#"}}},
    {"type": "object", "minProperties": 3, "additionalProperties": False}, {"type": "string", "pattern": "("},
    {"type": "string", "minLength": 5, "maxLength": 2}, {"type": "object", "additionalProperties": {"$ref": "#"}},
]  # fmt: skip


@pytest.mark.parametrize("name", ["a", "", "日本", "payment", "start"])
def test_a_broken_schema_is_no_crash(name: str) -> None:
    styles: tuple[Style, ...] = ("simple", "parallel", "missing-parameter")
    for schema in BROKEN:
        parameters = {"type": "object", "properties": {name: schema, "0": {}, "balance": {"type": "integer"}}}
        for required in ([], [name], "odd"):
            tool = Tool(name="_", description="...", parameters={**parameters, "required": required})
            assert len(write(tool, styles=styles, share=1.0)) == 3


@pytest.mark.slow
def test_drafts_fit_the_schemas_of_discovery_documents() -> None:
    found = importlib.util.find_spec("googleapiclient")
    if found is None or found.origin is None:
        pytest.skip("needs google-api-python-client")
    documents = sorted((Path(found.origin).parent / "discovery_cache" / "documents").glob("*.v*.json"))[::4]
    tools = [tool for path in documents for tool in open_json(f"json:{path}").tools[::5]]
    assert len(documents) > 100
    check, wrong = ArgumentCheck(), []
    for sample in drafts(tools, ("simple", "parallel", "missing-parameter"), WIDE):
        assert sample.query or sample.failed
        wrong += [error for call in sample.calls if (error := check(sample.tools[0], call.arguments))]
    assert wrong == []


def test_values_of_nasty_schemas_are_stated(nasty: list[Tool]) -> None:
    reasons = Counter(
        check_semantic(sample).reason for sample in drafts(nasty * 20, ("simple",), Grammar(typos=0, distractors=0))
    )
    assert reasons["ok"] >= 0.9 * reasons.total(), reasons


def test_irrelevant_queries_ask_for_the_strangers_in_turn() -> None:
    other = Tool(name="paint_fence", description="Paint a garden fence.", parameters={})
    written = write(
        LOAN, styles=("irrelevance", "simple", "irrelevance"), strangers=(CLOCK, other), settings=PLAIN, seed=3
    )
    assert [len(sample.calls) for sample in written] == [0, 1, 0]
    assert "clock" in written[0].query
    assert "fence" in written[2].query
    assert write(LOAN, styles=("irrelevance",))[0].verdicts[0].reason == "no_stranger"


def test_a_missing_value_is_not_stated_but_the_tool_is_asked_for() -> None:
    seen = set()
    for sample in write(LOAN, styles=("missing-parameter",) * 150, settings=Grammar(typos=0)):
        assert sample.calls == ()
        given = sample.incomplete
        assert given is not None
        assert given.name == "loan_payment"
        seen.add(tuple(given.arguments))
        assert re.search(r"loan|payment", sample.query)
        assert check_semantic(sample).passed, sample.query
        assert all(re.search(r"\d|[a-z]", sample.query) for _ in given.arguments)
    assert seen == {(), ("principal",), ("term_years",)}


def test_missing_choices_are_not_told(pool: list[Tool]) -> None:
    for sample in drafts(pool, ("missing-parameter",) * 3, WIDE):
        given = sample.incomplete
        if sample.failed or given is None:
            continue
        tool = next(tool for tool in sample.tools if tool.name == given.name)
        assert set(tool.required) - set(given.arguments), sample.query
        assert all(tool.properties[name].get("type") != "boolean" for name in set(tool.required) - set(given.arguments))


def test_what_cannot_be_left_out_is_refused_with_a_reason() -> None:
    flag = Tool(
        name="set_alarm",
        description="Set the alarm.",
        parameters={"properties": {"on": {"type": "boolean"}, "mode": {"enum": ["x"]}}, "required": ["on", "mode"]},
    )
    sample = write(flag, styles=("missing-parameter",))[0]
    assert sample.failed is not None
    assert (sample.failed.stage, sample.failed.reason) == ("generate", "nothing_to_leave_out")
    assert sample.failed.reason in GRAMMAR_REASONS


def test_parallel_calls_differ() -> None:
    for sample in write(LOAN, styles=("parallel",) * 100):
        arguments = [str(sorted(call.arguments.items())) for call in sample.calls]
        assert len(arguments) in (2, 3)
        assert len(set(arguments)) == len(arguments)


def test_parallel_calls_differ_in_what_they_require() -> None:
    """Nobody asks for the same case once with its details and once without."""
    parameters = {
        "type": "object",
        "properties": {"case": {"type": "string"}, "details": {"type": "boolean"}, "limit": {"type": "integer"}},
        "required": ["case"],
    }
    case = Tool(name="find_case", description="Find a case.", parameters=parameters)
    for sample in write(case, styles=("parallel",) * 100):
        assert len({call.arguments["case"] for call in sample.calls}) == len(sample.calls)


def test_queries_keep_their_values_under_slips_of_the_finger(pool: list[Tool]) -> None:
    typed = Grammar(typos=1.0, in_words=0.0, distractors=0.0)
    reasons = Counter(check_semantic(sample).reason for sample in drafts(pool, ("simple",) * 2, typed))
    assert reasons["value_not_grounded"] <= 0.02 * reasons.total(), reasons
    clean = [sample.query for sample in drafts(pool, ("simple",) * 2, Grammar(typos=0.0, in_words=1e-9))]
    slipped = [sample.query for sample in drafts(pool, ("simple",) * 2, typed)]
    assert sum(one != other for one, other in zip(clean, slipped, strict=True)) > 0.9 * len(clean)


def test_plain_settings_give_plain_queries(pool: list[Tool]) -> None:
    for sample in drafts(pool, ("simple",), PLAIN):
        assert re.search(r"[.!?]$", sample.query), sample.query
        assert not re.search(r"\b(sister|neighbor|wondering|by the way|pls|thx)\b", sample.query)


def test_personas_are_told_and_regions_heard() -> None:
    tool = Tool(
        name="book_table",
        description="Book a table.",
        parameters={"properties": {"date": {"type": "string", "format": "date"}}, "required": ["date"]},
    )
    spoken = Grammar(in_words=1.0, typos=0, distractors=0)
    british = [
        s.query for s in write(tool, styles=("simple",) * 80, settings=spoken, persona="a nurse", locale="en-GB")
    ]
    american = [s.query for s in write(tool, styles=("simple",) * 80, settings=spoken, locale="en-US")]
    assert 20 < sum(query.startswith("I'm a nurse. ") for query in british) < 60
    assert any(re.search(r"\b\d{1,2} [A-Z][a-z]+ 20\d\d", query) for query in british)
    assert any(re.search(r"\b[A-Z][a-z]+ \d{1,2}, 20\d\d", query) for query in american)
    assert not any(re.search(r"\b[A-Z][a-z]+ \d{1,2}, 20\d\d", query) for query in british)
    assert not any("nurse" in query for query in american)


def test_a_thousand_queries_have_many_word_sequences(pool: list[Tool]) -> None:
    """Of the grammar itself; the tools' example queries are shorter."""
    queries = [sample.query for sample in drafts(pool, ("multiple",) * 7, Grammar(own_queries=0))][:1000]
    words = [re.findall(r"\w+", query.casefold()) for query in queries]
    grams = {tuple(found[start : start + 8]) for found in words for start in range(len(found) - 7)}
    assert len(grams) >= 20_000
    assert len(set(queries)) >= 995


def test_the_cache_of_read_tools_is_bounded(monkeypatch: pytest.MonkeyPatch, pool: list[Tool]) -> None:
    assert MAX_WORDINGS > 1000
    monkeypatch.setattr("data_pipeline.generate.grammar.MAX_WORDINGS", 3)
    generator = GrammarGenerator(WIDE, 0.35)
    for tool in pool[:10]:
        generator.write(Plan(id="x", tools=(tool,), styles=("simple",)))
    assert len(generator._wordings) <= 3


def test_no_bundled_tool_is_known_to_the_generator(pool: list[Tool]) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(generate.__path__[0]).glob("*.py"))
    assert [tool.name for tool in pool if tool.name in source] == []
    assert [tool.name for tool in pool if len(tool.description) > 12 and tool.description.rstrip(".") in source] == []
