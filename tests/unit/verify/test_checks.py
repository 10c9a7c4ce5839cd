"""All checks over a batch: one execution, verdicts in order, results kept, nothing raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from data_pipeline.core.schema import Message, Style, Tool, ToolCall, Trajectory, Verdict
from data_pipeline.tools.runner import ExecutionResult
from data_pipeline.verify.checks import Checker
from data_pipeline.verify.execution import CUT, MAX_RESULT_CHARACTERS
from data_pipeline.verify.format_check import check_format
from data_pipeline.verify.semantic import check_semantic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_pipeline.tools.executor import Executor
    from data_pipeline.tools.runner import Call


class _Executor:
    """Answers from a table: argument `x` -> what the call comes to."""

    def __init__(self, **answers: ExecutionResult) -> None:
        self.answers = answers
        self.batches: list[int] = []

    def runs(self, tool: Tool) -> bool:
        return tool.source == "test"

    def call_many(self, calls: Sequence[Call]) -> list[ExecutionResult]:
        self.batches.append(len(calls))
        fine = ExecutionResult("ok", result={"done": True})
        return [self.answers.get(str(call.arguments["x"]), fine) for call in calls]


def _tool(name: str, source: str = "test") -> Tool:
    parameters: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
    return Tool(name=name, description=f"The {name} of things.", parameters=parameters, source=source)


def _sample(number: int, *calls: tuple[str, str], query: str = "height and weight of a, b and c") -> Trajectory:
    answer = tuple(ToolCall(name=name, arguments={"x": value}) for name, value in calls)
    messages = (Message(role="user", content=query), Message(role="assistant", tool_calls=answer))
    style: Style = "simple" if len(calls) == 1 else "parallel-multiple"
    tools = (_tool("height"),) if len(calls) == 1 else (_tool("height"), _tool("weight", "json:x"))
    return Trajectory(id=str(number), style=style, tools=tools, messages=messages)


def _check(executor: _Executor, *samples: Trajectory) -> list[Trajectory]:
    return Checker(cast("Executor", executor)).check_many(samples)


def test_each_sample_goes_up_to_the_first_check_that_fails() -> None:
    executor = _Executor(b=ExecutionResult("crashed", error="the connection broke"))
    refused = _sample(4, ("height", "a")).model_copy(
        update={"verdicts": (Verdict(stage="generate", passed=False, reason="empty"),)}
    )
    samples = [
        _sample(0, ("height", "a"), ("weight", "b")),
        _sample(1, ("length", "a")),
        _sample(2, ("height", "b")),
        _sample(3, ("height", "d")),
        refused,
    ]
    checked = _check(executor, *samples)
    assert [sample.id for sample in checked] == ["0", "1", "2", "3", "4"]
    assert executor.batches == [3]
    said = [[(verdict.stage, verdict.reason) for verdict in sample.verdicts] for sample in checked]
    assert said == [
        [("format", "ok"), ("execution", "not_executed"), ("semantic", "ok")],
        [("format", "unknown_tool")],
        [("format", "ok"), ("execution", "crashed")],
        [("format", "ok"), ("execution", "ok"), ("semantic", "value_not_grounded")],
        [("generate", "empty")],
    ]
    assert [sample.results for sample in checked] == [('{"done": true}', ""), (), ("",), ('{"done": true}',), ()]
    assert checked[4] is refused
    assert all(Trajectory.from_row(sample.to_row()) == sample for sample in checked)


def test_earlier_verdicts_stay_in_front() -> None:
    sample = _sample(0, ("height", "a")).model_copy(update={"verdicts": (Verdict(stage="generate", passed=True),)})
    checked = _check(_Executor(), sample)[0]
    assert [verdict.stage for verdict in checked.verdicts] == ["generate", "format", "execution", "semantic"]


def test_the_first_call_that_fails_gives_the_reason() -> None:
    executor = _Executor(a=ExecutionResult("timeout", error="5 s"), b=ExecutionResult("denied", error="no"))
    sample = _sample(0, ("height", "c"), ("height", "a"), ("height", "b"), ("weight", "a"))
    checked = _check(executor, sample)[0]
    assert checked.verdicts[-1].reason == "timeout"
    assert checked.results == ('{"done": true}', "", "", "")


def test_a_long_result_is_cut_and_marked() -> None:
    checked = _check(_Executor(a=ExecutionResult("ok", result="y" * 10_000)), _sample(0, ("height", "a")))[0]
    assert len(checked.results[0]) == MAX_RESULT_CHARACTERS + len(CUT)
    assert checked.results[0].endswith(CUT)


def test_without_an_executor_nothing_is_run() -> None:
    sample = _sample(0, ("height", "a"))
    checked = Checker().check_many([sample])[0]
    assert [verdict.stage for verdict in checked.verdicts] == ["format", "semantic"]
    assert Checker().format_and_grounding(sample) == checked.verdicts
    assert Checker().check_many([]) == []


def test_tools_that_read_the_same_are_read_once() -> None:
    checker, samples = Checker(), [_sample(number, ("height", "a")) for number in range(3)]
    assert [sample.failed for sample in checker.check_many(samples)] == [None] * 3
    other = samples[0].model_copy(update={"tools": (samples[0].tools[0].model_copy(update={"name": "depth"}),)})
    assert checker.check_many([other])[0].verdicts[-1].reason == "unknown_tool"


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**5000, id="huge"),
        -(10**400),
        float("nan"),
        float("inf"),
        "\ud800",
        "",
        None,
        pytest.param(_nested(50_000), id="deep"),
        {"": [{}]},
        "9" * 9999,
    ],
)
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "maximum": 10},
        {"type": "string", "pattern": "(a+)+$"},
        {"enum": 3},
        True,
        {"items": True},
        3,
    ],
)
def test_odd_samples_get_a_verdict(value: Any, schema: Any) -> None:
    tool = Tool.model_construct(
        name="t", description="\ud800", parameters={"properties": {"x": schema}, "required": ["x"]}
    )
    call = ToolCall.model_construct(name="t", arguments={"x": value})
    answer = Message.model_construct(role="assistant", content="", tool_calls=(call,))
    messages = (Message(role="user", content="t 3 \ud800"), answer)
    sample = _sample(0, ("height", "a")).model_copy(update={"tools": (tool,), "messages": messages})
    assert Checker().check_many([sample])[0].verdicts[0].stage == "format"
    assert check_format(sample).stage == "format"
    assert check_semantic(sample).stage == "semantic"
