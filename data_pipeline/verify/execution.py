"""The second check: the calls really run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_pipeline.core.schema import Verdict
from data_pipeline.tools.executor import STATUSES, is_executable

if TYPE_CHECKING:
    from data_pipeline.core.schema import Trajectory
    from data_pipeline.tools.executor import Executor

EXECUTION_REASONS: dict[str, str] = {
    "unknown_tool": "a call names a tool that is not on offer",
    "not_executed": "passed, but a called tool is a schema only, so its call was not run",
    **{status: meaning for status, meaning in STATUSES.items() if status != "ok"},
}
"""Reason codes of `check_execution`, each with its meaning."""


def check_execution(sample: Trajectory, executor: Executor) -> Verdict:
    """Run every call; the first that fails gives the reason, one of `EXECUTION_REASONS`."""
    tools = {tool.name: tool for tool in sample.tools}
    skipped = []
    for call in sample.calls:
        tool = tools.get(call.name)
        if tool is None:
            return _failed("unknown_tool", f"'{call.name}' is not on offer")
        if not (is_executable(tool) or executor.runs(tool)):
            skipped.append(call.name)
            continue
        result = executor.call(tool, call.arguments)
        if result.status != "ok":
            return _failed(result.status, f"{call.name}: {result.error}")
    if skipped:
        detail = f"schema only: {', '.join(dict.fromkeys(skipped))}"
        return Verdict(stage="execution", passed=True, reason="not_executed", detail=detail)
    return Verdict(stage="execution", passed=True)


def _failed(reason: str, detail: str) -> Verdict:
    return Verdict(stage="execution", passed=False, reason=reason, detail=detail)
