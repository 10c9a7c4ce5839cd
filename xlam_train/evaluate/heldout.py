"""Scores of answers against held-out samples: format, tool, exact arguments, and whether the calls run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from data_pipeline.core.errors import FormatError
from data_pipeline.core.schema import ToolCall, Trajectory
from data_pipeline.core.xlam_format import parse_calls
from data_pipeline.tools.executor import Executor


@dataclass(frozen=True)
class Outcome:
    """What came of one answer.

    Attributes:
        sample_id: the sample asked.
        style: its style.
        valid: the answer parses strictly.
        tools: the called tools are the expected ones, counted.
        exact: the calls are the expected ones in any order, every argument equal.
        runs: every call was executed without error; True where none was to be made and none was.
        reason: why the answer failed: a parse reason, `wrong_tools`, `wrong_arguments`, or 'ok'.
        answer: the text.
    """

    sample_id: str
    style: str
    valid: bool
    tools: bool
    exact: bool
    runs: bool
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
    exact_by_style: dict[str, float]


def judge(sample: Trajectory, answer: str, executor: Executor) -> Outcome:
    """Compare one answer with the sample's calls, and run what it calls."""
    try:
        calls = parse_calls(answer)
    except FormatError as error:
        return Outcome(sample.id, sample.style, False, False, False, False, error.reason, answer)
    tools = Counter(c.name for c in calls) == Counter(c.name for c in sample.calls)
    exact = Counter(map(canonical, calls)) == Counter(map(canonical, sample.calls))
    reason = "ok" if exact else "wrong_arguments" if tools else "wrong_tools"
    return Outcome(sample.id, sample.style, True, tools, exact, _runs(sample, calls, executor), reason, answer)


def canonical(call: ToolCall) -> str:
    """A call as text that is equal where the calls are: keys sorted, 5.0 and 5 the same number, 1 not true."""
    return json.dumps([call.name, _fold(call.arguments)], sort_keys=True)


def _fold(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _fold(entry) for key, entry in value.items()}
    return [_fold(entry) for entry in value] if isinstance(value, list) else value


def _runs(sample: Trajectory, calls: Sequence[ToolCall], executor: Executor) -> bool:
    offered = {tool.name: tool for tool in sample.tools}
    return all(
        call.name in offered and executor.call(offered[call.name], call.arguments).status == "ok" for call in calls
    )


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
        exact_by_style={style: sum(hits) / len(hits) for style, hits in sorted(styles.items())},
    )
