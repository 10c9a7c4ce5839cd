"""Plans become prompts, prompts become answers, and every sample wanted comes back: a draft, or why not."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.core.schema import Message, Style, Tool, ToolCall, Trajectory
from data_pipeline.generate.llm_generator import GENERATE_REASONS, LlmGenerator
from data_pipeline.generate.plan import Plan
from data_pipeline.generate.prompts import PROMPT_VERSION, write_prompts
from data_pipeline.generate.prompts_schema import answer_schema, arguments_schema
from data_pipeline.llm.chat import ChatAnswer, ChatRequest
from data_pipeline.llm.settings import Endpoint, LlamaCpp

ENDPOINT = Endpoint(base_url="http://127.0.0.1:9/v1", model="m")
SMALL = LlamaCpp(path="m.gguf", context=1024)


def tool(name: str, **properties: Any) -> Tool:
    parameters = {"type": "object", "properties": properties, "required": list(properties)[:1]}
    return Tool(name=name, description=f"Do the {name} thing. More words.", parameters=parameters)


ADD = tool("add", a={"type": "integer"}, b={"type": "integer", "minimum": 3})
SAY = tool("say", word={"type": "string", "enum": ["x", "y"]})
FAR = tool("fly_away")
STYLES: tuple[Style, ...] = ("multiple", "parallel", "parallel-multiple", "irrelevance", "missing-parameter")
SHOWN = Trajectory(
    id="e",
    style="simple",
    tools=(FAR,),
    messages=(
        Message(role="user", content="Fly me away"),
        Message(role="assistant", tool_calls=(ToolCall(name="fly_away", arguments={}),)),
    ),
)
PLAN = Plan(
    id="00-0001-0002",
    tools=(ADD, SAY),
    styles=STYLES,
    strangers=(FAR,),
    persona="a nurse",
    locale="en-GB",
    examples=(SHOWN,),
    seed=7,
)

CALL = {"name": "add", "arguments": {"a": 1}}
GOOD: list[dict[str, Any]] = [
    {"query": "q0", "calls": [CALL]},
    {"query": "q1", "calls": [CALL, CALL]},
    {"query": "q2", "calls": [CALL, {"name": "say", "arguments": {"word": "x"}}]},
    {"query": "q3", "calls": []},
    {"query": "q4", "incomplete": {"name": "add", "arguments": {}}},
]


class Scripted:
    """A model that always writes the same."""

    name = "scripted"
    max_tokens: int | None = None

    def __init__(self, answer: ChatAnswer) -> None:
        self.answer = answer
        self.requests: list[ChatRequest] = []

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        self.requests.append(request)
        return self.answer

    async def close(self) -> None:
        self.requests = []


def draft(answer: ChatAnswer | str, plan: Plan = PLAN) -> list[Trajectory]:
    model = Scripted(ChatAnswer(answer, "", "", 100, 50, 1.0) if isinstance(answer, str) else answer)
    return asyncio.run(LlmGenerator(model, ENDPOINT).draft(plan))


def items(*entries: Any) -> str:
    return json.dumps({"items": entries})


def test_a_good_answer_is_five_drafts() -> None:
    found = draft(items(*GOOD))
    assert [sample.failed for sample in found] == [None] * 5
    assert [sample.id for sample in found] == [f"00-0001-0002-0{n}" for n in range(5)]
    assert [sample.query for sample in found] == ["q0", "q1", "q2", "q3", "q4"]
    assert [len(sample.calls) for sample in found] == [1, 2, 2, 0, 0]
    assert [sample.incomplete for sample in found] == [None] * 4 + [ToolCall(name="add", arguments={})]
    assert all(sample.verdicts == () and sample.tools == PLAN.tools for sample in found)
    origins = [sample.origin for sample in found if sample.origin]
    assert len(origins) == 5
    assert sum(origin.cost for origin in origins) == pytest.approx(1.0)
    assert {(o.generator, o.prompt, o.persona, o.locale, o.input_tokens, o.output_tokens) for o in origins} == {
        ("scripted", PROMPT_VERSION, "a nurse", "en-GB", 20.0, 10.0)
    }


@pytest.mark.parametrize(
    ("entry", "query"),
    [
        (None, ""),
        ([], ""),
        ({}, ""),
        ({"query": 5, "calls": []}, ""),
        ({"query": "q"}, "q"),
        ({"query": "q", "calls": [], "more": 1}, "q"),
        ({"query": "q", "incomplete": CALL}, "q"),
        ({"query": "q", "calls": CALL}, "q"),
        ({"query": "q", "calls": ["add(1)"]}, "q"),
        ({"query": "q", "calls": [{"name": "add"}]}, "q"),
        ({"query": "q", "calls": [{"name": "add", "arguments": "1"}]}, "q"),
        ({"query": "q", "calls": [{"name": "", "arguments": {}}]}, "q"),
    ],
)
def test_an_item_of_another_shape_is_refused_alone(entry: Any, query: str) -> None:
    refused, *others = draft(items(entry, *GOOD[1:]))
    assert [sample.failed for sample in others] == [None] * 4
    assert refused.failed is not None
    assert (refused.failed.stage, refused.failed.reason, refused.query) == ("format", "wrong_shape", query)
    assert refused.origin is not None


def test_an_incomplete_call_that_is_none_is_refused() -> None:
    for wrong in ({"calls": []}, {"incomplete": [CALL]}, {"incomplete": None}):
        *others, refused = draft(items(*GOOD[:4], {"query": "q", **wrong}))
        assert refused.failed is not None
        assert refused.failed.reason == "wrong_shape"
        assert all(sample.failed is None for sample in others)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Here you are: {}", "not_json"),
        (items(*GOOD)[:-3], "not_json"),
        ('{"items": [], "items": []}', "not_json"),
        ('{"items": [NaN]}', "not_json"),
        ("[]", "wrong_shape"),
        ('{"samples": []}', "wrong_shape"),
        ('{"items": {}}', "wrong_shape"),
        ('{"items": []}', "missing_item"),
    ],
)
def test_an_answer_that_cannot_be_read_refuses_all(text: str, reason: str) -> None:
    found = draft(text)
    verdicts = [sample.failed for sample in found if sample.failed]
    assert [(verdict.stage, verdict.reason) for verdict in verdicts] == [("format", reason)] * 5
    assert all(sample.messages == () for sample in found)


def test_more_items_than_asked_for_change_nothing() -> None:
    assert draft(items(*GOOD, *GOOD)) == draft(items(*GOOD))


def test_what_was_written_is_shown_in_short() -> None:
    verdict = draft("x" * 5000)[0].failed
    assert verdict is not None
    assert len(verdict.detail) == 200


@pytest.mark.parametrize(
    ("failure", "stage"), [("timeout", "generate"), ("cut_off", "format"), ("refused", "generate")]
)
def test_a_failure_on_the_way_keeps_its_name(failure: str, stage: str) -> None:
    found = draft(ChatAnswer("", failure, "after 3 attempts", 10, 0))
    assert {(v.stage, v.reason, v.detail) for s in found if (v := s.failed)} == {(stage, failure, "after 3 attempts")}
    assert failure in GENERATE_REASONS


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["items", "query", "calls", "incomplete", "name", "arguments"]), inner)
        ),
        max_leaves=12,
    )
)
def test_whatever_the_model_writes_nothing_is_lost(value: Any) -> None:
    for text in (json.dumps(value), json.dumps({"items": value}), json.dumps({"items": [value, *GOOD[1:]]})):
        found = draft(text)
        assert [sample.style for sample in found] == list(STYLES)
        assert {sample.failed.reason for sample in found if sample.failed} <= set(GENERATE_REASONS)
        assert all(Trajectory.from_row(sample.to_row()) == sample for sample in found)


def test_the_request_is_the_plans_own() -> None:
    model = Scripted(ChatAnswer(items(*GOOD)))
    generator = LlmGenerator(model, ENDPOINT)
    for plan in (PLAN, PLAN, replace(PLAN, seed=2**60 + 1)):
        asyncio.run(generator.draft(plan))
    first, again, other = model.requests
    assert first == again
    assert other.messages != first.messages
    assert other.seed == 1  # what 32 bits hold of it
    assert (first.temperature, first.max_tokens, first.seed) == (0.7, 2048, 7)


def test_a_prompt_says_all_that_is_wanted() -> None:
    (prompt,) = write_prompts(PLAN, ENDPOINT)
    text = prompt.messages[1][1]
    assert "Write exactly 5 items" in text
    assert [line[:2] for line in re.findall(r"(?m)^\d\..*$", text)] == ["1.", "2.", "3.", "4.", "5."]
    for part in (
        json.dumps(ADD.to_openai()),
        json.dumps(SAY.to_openai()),
        "a nurse",
        "en-GB",
        "fly away",
        "Fly me away",
    ):
        assert part in text
    assert "Do the fly_away thing" in text
    assert "More words" not in text.split("Write exactly")[1]


def test_a_prompt_holds_no_example_queries_of_its_tools() -> None:
    asked = ADD.model_copy(update={"parameters": {**ADD.parameters, "x-queries": ["How much are {a} and {b}?"]}})
    assert write_prompts(replace(PLAN, tools=(asked, SAY)), ENDPOINT) == write_prompts(PLAN, ENDPOINT)


def test_tools_are_dealt_out_evenly() -> None:
    wide = replace(PLAN, tools=tuple(tool(f"t{n}") for n in range(4)), styles=("multiple",) * 8, strangers=())
    (prompt,) = write_prompts(wide, ENDPOINT)
    assert set(Counter(item.tool for item in prompt.items).values()) == {2}
    orders = {tuple(i.tool for p in write_prompts(replace(wide, seed=s), ENDPOINT) for i in p.items) for s in range(20)}
    assert len(orders) > 10


def test_wordings_change_from_plan_to_plan() -> None:
    texts = {write_prompts(replace(PLAN, seed=seed), ENDPOINT)[0].messages for seed in range(50)}
    assert len(texts) > 40


def test_what_would_not_fit_is_asked_for_in_several_requests() -> None:
    plan = replace(PLAN, styles=("parallel",) * 12, strangers=())
    assert len(write_prompts(plan, ENDPOINT)) == 2  # 12 times 220 tokens are more than 2,048
    prompts = write_prompts(plan, SMALL)
    assert [item.number for prompt in prompts for item in prompt.items] == list(range(12))
    assert len(prompts) > 3
    for prompt in prompts:
        assert len(prompt.messages[1][1]) / 3 + prompt.max_tokens <= SMALL.context
        assert prompt.max_tokens >= 220 * len(prompt.items)
    found = draft(items(*GOOD[1:2] * 20), plan)
    assert [sample.id for sample in found] == [plan.sample_id(number) for number in range(12)]


def test_examples_give_way_where_the_context_is_small() -> None:
    long = SHOWN.model_copy(update={"messages": (Message(role="user", content="word " * 150), SHOWN.messages[1])})
    plan = replace(PLAN, examples=(long,) * 3)
    assert write_prompts(plan, ENDPOINT)[0].messages[1][1].count("word word") > 200
    assert "word word" not in write_prompts(plan, LlamaCpp(path="m.gguf", context=900))[0].messages[1][1]


def test_a_prompt_beyond_any_context_is_still_asked() -> None:
    giant = tool("giant", a={"type": "string", "description": "word " * 2000})
    prompts = write_prompts(replace(PLAN, tools=(giant,), styles=("simple", "simple"), strangers=()), SMALL)
    assert [len(prompt.items) for prompt in prompts] == [1, 1]
    assert prompts[0].max_tokens == 110


def test_the_answers_schema_takes_good_answers_only() -> None:
    schema = answer_schema(PLAN.tools, [(style, "add" if style == "missing-parameter" else "") for style in STYLES])
    validator = jsonschema_rs.validator_for(schema)
    assert validator.is_valid({"items": GOOD})
    for wrong in (
        GOOD[:4],
        [*GOOD, GOOD[0]],
        [{"query": "q", "calls": []}, *GOOD[1:]],
        [{"query": "q", "calls": [{"name": "other", "arguments": {}}]}, *GOOD[1:]],
        [{"query": "q", "calls": [{"name": "say", "arguments": {"word": "z"}}]}, *GOOD[1:]],
        [{"query": "q", "calls": [{"name": "add", "arguments": {"b": 1}}]}, *GOOD[1:]],
        [*GOOD[:3], {"query": "q", "calls": [CALL]}, GOOD[4]],
        [*GOOD[:4], {"query": "q", "incomplete": {"name": "say", "arguments": {}}}],
    ):
        assert not validator.is_valid({"items": wrong})


@pytest.mark.parametrize(
    ("parameter", "simple"),
    [
        ({"type": "integer", "minimum": 3, "description": "d"}, {"type": "integer"}),
        ({"type": ["string", "null"], "format": "date"}, {"type": ["string", "null"]}),
        ({"const": 5}, {"enum": [5]}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"allOf": [{"type": "string"}, {"enum": ["a"]}]}, {"enum": ["a"]}),
        (
            {"type": "array", "items": {"type": "string", "pattern": "^a"}, "maxItems": 2, "uniqueItems": True},
            {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        ),
    ],
)
def test_schemas_are_put_simply(parameter: dict[str, Any], simple: dict[str, Any]) -> None:
    found = arguments_schema(tool("t", a=parameter))
    assert found["properties"] == {"a": simple}


@pytest.mark.parametrize(
    "parameter",
    [
        {},
        {"type": "array"},
        {"type": ["object", "string"]},
        {"not": {"type": "string"}},
        {"type": "object", "patternProperties": {"^a": {}}},
        {"$ref": "#/properties/a"},
        {"type": "array", "items": {"$ref": "#/properties/a"}},
    ],
)
def test_what_cannot_be_put_simply_is_any_object(parameter: dict[str, Any]) -> None:
    assert arguments_schema(tool("t", a=parameter)) == {"type": "object"}


def test_every_bundled_tool_can_be_put_simply(pool: list[Tool]) -> None:
    assert [found.name for found in pool if arguments_schema(found) == {"type": "object"}] == []
