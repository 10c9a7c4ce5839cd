"""Scores of answers against held-out samples: format, tool, exact arguments, and what the calls return."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from data_pipeline.core.errors import FormatError
from data_pipeline.core.schema import Tool, ToolCall, Trajectory
from data_pipeline.core.variants import Variant
from data_pipeline.core.xlam_format import parse_calls
from data_pipeline.tools.executor import ExecutionResult, Executor
from data_pipeline.tools.schema_check import argument_errors


@dataclass(frozen=True)
class Outcome:
    """What came of one answer.

    Attributes:
        sample_id: the sample asked.
        style: its style.
        valid: the answer parses strictly.
        tools: the called tools are the expected ones, counted.
        exact: the calls are the expected ones in any order, every argument equal.
        runs: every call was executed without error, or, of tools that are schemas only, has arguments that fit; True
            where none was to be made and none was.
        result: the calls ran and returned what the expected ones return, in any order; the same as `exact` where
            nothing can be run. Arguments may differ, as where a default is written out.
        reason: why the answer failed: a parse reason, `wrong_tools`, `wrong_arguments`, `refused`, or 'ok'.
        answer: the text.
    """

    sample_id: str
    style: str
    valid: bool
    tools: bool
    exact: bool
    runs: bool
    result: bool
    reason: str
    answer: str


@dataclass(frozen=True)
class Score:
    """Shares over a set of outcomes, each in 0..1, and the number of samples."""

    samples: int
    valid: float
    tools: float
    exact: float
    runs: float
    result: float
    exact_by_style: dict[str, float]


def judge(sample: Trajectory, answer: str, executor: Executor, variant: Variant = "xlam-1") -> Outcome:
    """Compare one answer with the sample's calls, and run what it calls.

    Args:
        sample: ends with the expected answer.
        answer: a model's text.
        executor: of the sample's tools.
        variant: prompt variant the model was asked in.
    """
    try:
        calls = parse_calls(answer, variant)
    except FormatError as error:
        return Outcome(sample.id, sample.style, False, False, False, False, False, error.reason, answer)
    tools = Counter(c.name for c in calls) == Counter(c.name for c in sample.calls)
    exact = Counter(map(canonical, calls)) == Counter(map(canonical, sample.calls))
    reason = "ok" if exact else "wrong_arguments" if tools else "wrong_tools"
    done = _execute(sample, calls, executor)
    runs = all(result.status == "ok" for result in done)
    same = runs and (exact or (tools and _same_results(sample, calls, done, executor)))
    return Outcome(sample.id, sample.style, True, tools, exact, runs, same, reason, answer)


def refused(sample: Trajectory) -> Outcome:
    """Of a sample without an answer: wrong, also where nothing is to be called."""
    return Outcome(sample.id, sample.style, False, False, False, False, False, "refused", "")


def canonical(call: ToolCall) -> str:
    """A call as text that is equal where the calls are: keys sorted, 5.0 and 5 the same number, 1 not true."""
    return json.dumps([call.name, _fold(call.arguments)], sort_keys=True)


def _fold(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _fold(entry) for key, entry in value.items()}
    return [_fold(entry) for entry in value] if isinstance(value, list) else value


def _execute(sample: Trajectory, calls: Sequence[ToolCall], executor: Executor) -> list[ExecutionResult]:
    offered = {tool.name: tool for tool in sample.tools}
    return [_run(offered.get(call.name), call, executor) for call in calls]


def _run(tool: Tool | None, call: ToolCall, executor: Executor) -> ExecutionResult:
    if tool is None:
        return ExecutionResult("unavailable", error=f"no tool '{call.name}' on offer")
    if executor.runs(tool):
        return executor.call(tool, call.arguments)
    problem = argument_errors(tool, call.arguments)
    return ExecutionResult("ok") if problem is None else ExecutionResult("bad_arguments", error=problem.detail)


def _same_results(
    sample: Trajectory, calls: Sequence[ToolCall], done: Sequence[ExecutionResult], executor: Executor
) -> bool:
    """Whether calls of the expected tools returned what the expected calls return."""
    if not all(executor.runs(tool) for tool in sample.tools if tool.name in {call.name for call in calls}):
        return False
    return _returned(calls, done) == _returned(sample.calls, _execute(sample, sample.calls, executor))


def _returned(calls: Sequence[ToolCall], done: Sequence[ExecutionResult]) -> Counter[str]:
    found = [[call.name, _fold(result.result)] for call, result in zip(calls, done, strict=True)]
    return Counter(json.dumps(entry, sort_keys=True) for entry in found)


def score(outcomes: Sequence[Outcome]) -> Score:
    """Shares over the outcomes; all zero for none."""
    total = max(len(outcomes), 1)
    styles: dict[str, list[bool]] = {}
    for outcome in outcomes:
        styles.setdefault(outcome.style, []).append(outcome.exact)
    return Score(
        samples=len(outcomes),
        valid=sum(o.valid for o in outcomes) / total,
        tools=sum(o.tools for o in outcomes) / total,
        exact=sum(o.exact for o in outcomes) / total,
        runs=sum(o.runs for o in outcomes) / total,
        result=sum(o.result for o in outcomes) / total,
        exact_by_style={style: sum(hits) / len(hits) for style, hits in sorted(styles.items())},
    )
