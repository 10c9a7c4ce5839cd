"""Judges vote; who cannot be understood or reached has no vote, and no sample passes by accident."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory, Verdict
from data_pipeline.llm.chat import ChatAnswer, ChatRequest
from data_pipeline.verify.execution import CUT, MAX_RESULT_CHARACTERS
from data_pipeline.verify.judge import JUDGE_REASONS, NOT_RUN, SCHEMA, Committee, judge_prompt

ADD = Tool(name="add", description="Add.", parameters={"type": "object", "properties": {"a": {"type": "integer"}}})
SAMPLE = Trajectory(
    id="s",
    style="simple",
    tools=(ADD,),
    messages=(
        Message(role="user", content="What is one and one?"),
        Message(role="assistant", tool_calls=(ToolCall(name="add", arguments={"a": 1}),)),
    ),
    results=('{"sum": 2}',),
)


def says(problem: object) -> ChatAnswer:
    return ChatAnswer(json.dumps({"thought": "t", "problem": problem}))


YES, COUNT, OBJECTIVE = says("none"), says("wrong_count"), says("wrong_objective")
RUBBISH, DOWN = ChatAnswer("I think it is fine."), ChatAnswer("", "timeout", "no answer in 5 s")


class Judge:
    """Gives its answers one after another."""

    def __init__(self, name: str, *answers: ChatAnswer) -> None:
        self.name = name
        self.max_tokens: int | None = None
        self.answers = list(answers)
        self.requests: list[ChatRequest] = []

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        self.requests.append(request)
        return self.answers.pop(0)

    async def close(self) -> None:
        self.answers = []


def vote(answers: Sequence[ChatAnswer], quorum: int | None = None) -> tuple[Verdict, int]:
    """The verdict, and how many were asked."""
    judges = [Judge(name, answer) for name, answer in zip("abcde", answers, strict=False)]
    verdict = asyncio.run(Committee(judges, quorum).judge(SAMPLE)).verdict
    return verdict, sum(len(judge.requests) for judge in judges)


@pytest.mark.parametrize(
    ("answers", "quorum", "reason", "asked"),
    [
        ([YES], None, "ok", 1),
        ([COUNT], None, "judge_wrong_count", 1),
        ([YES, YES, COUNT], None, "ok", 2),
        ([YES, COUNT, YES], None, "ok", 3),
        ([YES, COUNT, COUNT], None, "judge_wrong_count", 3),
        ([COUNT, COUNT, YES], None, "judge_wrong_count", 2),
        ([YES, COUNT], None, "judge_wrong_count", 2),  # half is not more than half
        ([YES, COUNT], 1, "ok", 1),
        ([COUNT, YES], 1, "ok", 2),
        ([YES, YES, COUNT], 3, "judge_wrong_count", 3),
        ([COUNT, YES, YES], 3, "judge_wrong_count", 1),
        ([COUNT, OBJECTIVE, YES], 2, "judge_wrong_objective", 2),  # of equally many the first of the rules
        ([COUNT, YES, COUNT, OBJECTIVE], 2, "judge_wrong_count", 4),
    ],
)
def test_votes_are_counted_no_further_than_needed(
    answers: list[ChatAnswer], quorum: int | None, reason: str, asked: int
) -> None:
    verdict, count = vote(answers, quorum)
    assert (verdict.stage, verdict.reason, verdict.passed, count) == ("semantic", reason, reason == "ok", asked)


def test_the_votes_are_on_record() -> None:
    assert vote([YES, COUNT, YES])[0].detail == "a: yes, b: wrong_count, c: yes"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes",
        "{}",
        '{"problem": "other"}',
        '{"problem": null}',
        '["none"]',
        '{"problem": ["none"]}',
        '```{"problem"',
    ],
)
def test_an_answer_that_cannot_be_understood_is_no_vote(text: str) -> None:
    judge = Judge("a", *[ChatAnswer(text)] * 3)
    verdict = asyncio.run(Committee([judge]).judge(SAMPLE)).verdict
    assert (verdict.passed, verdict.reason) == (False, "judge_unparseable")
    assert [(request.seed, request.temperature) for request in judge.requests] == [(0, 0.0), (1, 0.5), (2, 0.5)]


@pytest.mark.parametrize("first", [RUBBISH, ChatAnswer("", "empty_answer"), ChatAnswer('{"tho', "cut_off")])
def test_it_is_asked_again_and_then_counts(first: ChatAnswer) -> None:
    judge = Judge("a", first, first, YES)
    assert asyncio.run(Committee([judge]).judge(SAMPLE)).verdict.passed


def test_a_judge_that_cannot_be_reached_refuses_the_sample() -> None:
    verdict, _ = vote([YES, DOWN, YES])
    assert (verdict.passed, verdict.reason) == (False, "judge_unavailable")
    assert verdict.detail == "b: timeout (no answer in 5 s)"
    # Asked in order, the decision may not need the one that is down.
    assert vote([YES, YES, DOWN])[0].passed


def test_many_are_judged_each_by_itself() -> None:
    judge = Judge("a", YES, COUNT, YES)
    judged = asyncio.run(Committee([judge]).judge_many([SAMPLE] * 3))
    assert [one.verdict.passed for one in judged] == [True, False, True]


def test_a_judge_sees_everything() -> None:
    text = judge_prompt(SAMPLE)
    for part in (json.dumps(ADD.to_openai()), SAMPLE.query, '{"name": "add", "arguments": {"a": 1}}', '{"sum": 2}'):
        assert part in text
    cut = "x" * MAX_RESULT_CHARACTERS + CUT
    assert f"Results:\n{cut}\n" in judge_prompt(SAMPLE.model_copy(update={"results": (cut,)}))
    none = SAMPLE.model_copy(update={"results": (), "messages": (SAMPLE.messages[0], Message(role="assistant"))})
    assert "Calls: []" in judge_prompt(none)
    assert "Results:\n(no call, no result)\n" in judge_prompt(none)


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ((), [NOT_RUN, NOT_RUN]),
        (("", '{"sum": 2}'), [NOT_RUN, '{"sum": 2}']),
        (('{"sum": 2}', '{"sum": 3}'), ['{"sum": 2}', '{"sum": 3}']),
    ],
)
def test_a_judge_is_told_of_each_call_that_was_not_run(results: tuple[str, ...], told: list[str]) -> None:
    answer = Message(role="assistant", tool_calls=SAMPLE.calls * 2)
    sample = SAMPLE.model_copy(update={"results": results, "messages": (SAMPLE.messages[0], answer)})
    assert judge_prompt(sample).split("Results:\n")[1].split("\n\n")[0].split("\n") == told


def test_a_judge_sees_no_example_queries_of_the_tools() -> None:
    asked = ADD.model_copy(update={"parameters": {**ADD.parameters, "x-queries": ["What is {a} and one?"]}})
    assert judge_prompt(SAMPLE.model_copy(update={"tools": (asked,)})) == judge_prompt(SAMPLE)


def test_each_judge_may_write_as_much_as_the_recipe_says() -> None:
    brief, thinker = Judge("a", YES), Judge("b", YES)
    thinker.max_tokens = 9000
    asyncio.run(Committee([brief, thinker], 2).judge(SAMPLE))
    assert [judge.requests[0].max_tokens for judge in (brief, thinker)] == [512, 9000]


def test_every_problem_has_its_reason() -> None:
    problems = SCHEMA["properties"]["problem"]["enum"]  # type: ignore[index]
    assert [f"judge_{problem}" for problem in problems[1:]] == list(JUDGE_REASONS)[:5]
    for problem in problems[1:]:
        assert vote([says(problem)])[0].reason == f"judge_{problem}"
