"""The second check: the calls really run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from data_pipeline.core.schema import Verdict, dumps
from data_pipeline.tools.executor import STATUSES, Call, is_executable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.tools.executor import ExecutionResult, Executor

EXECUTION_REASONS: dict[str, str] = {
    "unknown_tool": "a call names a tool that is not on offer",
    "not_executed": "passed, but a called tool is a schema only, so its call was not run",
    **{status: meaning for status, meaning in STATUSES.items() if status != "ok"},
}
"""Reason codes of `execute_all`, each with its meaning."""

MAX_RESULT_CHARACTERS = 500
"""Longest text of a result that a sample keeps; what is cut off is marked by `CUT`."""

CUT = " ... [cut]"
"""Stands at the end of a result's text that was cut."""


class Executed(NamedTuple):
    """What came of a sample's calls.

    Attributes:
        verdict: whether they ran; the first call that did not gives the reason.
        results: JSON text of what each call returned, cut where it is long; '' for a schema only and for a
            call that failed; () if no call was run.
    """

    verdict: Verdict
    results: tuple[str, ...] = ()


def execute_all(samples: Sequence[Trajectory], executor: Executor) -> list[Executed]:
    """Run the calls of all samples in one batch.

    Raises:
        XlamError: a process that runs tools cannot be started at all.
    """
    plans = [list(_runnable(sample, executor)) for sample in samples]
    results = iter(executor.call_many([call for plan in plans for call in plan if call is not None]))
    return [
        _judged(sample, [None if call is None else next(results) for call in plan])
        for sample, plan in zip(samples, plans, strict=True)
    ]


def _runnable(sample: Trajectory, executor: Executor) -> Iterator[Call | None]:
    """Each call of a sample, or None for one that nothing can run."""
    tools = {tool.name: tool for tool in sample.tools}
    for call in sample.calls:
        tool = tools.get(call.name)
        runs = tool is not None and (is_executable(tool) or executor.runs(tool))
        yield Call(tool, call.arguments) if tool is not None and runs else None


def _judged(sample: Trajectory, results: Sequence[ExecutionResult | None]) -> Executed:
    offered = {tool.name for tool in sample.tools}
    skipped = []
    texts = tuple(map(_result_text, results)) if any(result is not None for result in results) else ()
    for call, result in zip(sample.calls, results, strict=True):
        if call.name not in offered:
            return Executed(_failed("unknown_tool", f"'{call.name}' is not on offer"), texts)
        if result is None:
            skipped.append(call.name)
        elif result.status != "ok":
            return Executed(_failed(result.status, f"{call.name}: {result.error}"), texts)
    if skipped:
        detail = f"schema only: {', '.join(dict.fromkeys(skipped))}"
        return Executed(Verdict(stage="execution", passed=True, reason="not_executed", detail=detail), texts)
    return Executed(Verdict(stage="execution", passed=True), texts)


def _result_text(result: ExecutionResult | None) -> str:
    if result is None or result.status != "ok":
        return ""
    text = dumps(result.result)
    return text if len(text) <= MAX_RESULT_CHARACTERS else text[:MAX_RESULT_CHARACTERS] + CUT


def _failed(reason: str, detail: str) -> Verdict:
    return Verdict(stage="execution", passed=False, reason=reason, detail=detail)
