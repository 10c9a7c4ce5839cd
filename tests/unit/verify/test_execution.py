"""The second check, on a real child process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.tools.executor import Executor
from data_pipeline.tools.python_runner import PythonRunner
from data_pipeline.verify.execution import EXECUTION_REASONS, execute_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULE = """
__all__ = ["double", "fail"]
def double(x): return 2 * x
def fail(x): raise LookupError(f"no {x}")
"""


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor]:
    (tmp_path / "checked_tools.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    runner = PythonRunner({"test": {"kind": "module", "name": "checked_tools"}}, "partial", [str(tmp_path)])
    with Executor({"test": runner}) as running:
        yield running


def _sample(*calls: tuple[str, dict[str, Any]]) -> Trajectory:
    parameters: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "integer"}}}
    sources = {
        "double": "test",
        "fail": "test",
        "schema_only": "json:tools.json",
        "gone": "bundled:no_such_domain",
    }
    tools = tuple(
        Tool(name=name, description="d", parameters=parameters, source=source) for name, source in sources.items()
    )
    answer = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in calls)
    messages = (Message(role="user", content="q"), Message(role="assistant", tool_calls=answer))
    return Trajectory(id="1", style="parallel-multiple", tools=tools, messages=messages)


@pytest.mark.parametrize(
    ("calls", "passed", "reason"),
    [
        ([("double", {"x": 2}), ("double", {"x": 3})], True, "ok"),
        ([], True, "ok"),
        ([("double", {"x": 2}), ("fail", {"x": 2})], False, "tool_error"),
        ([("double", {"x": "2"})], False, "bad_arguments"),
        ([("gone", {})], False, "unavailable"),
        ([("unheard_of", {})], False, "unknown_tool"),
        ([("schema_only", {"x": 1})], True, "not_executed"),
        ([("double", {"x": 2}), ("schema_only", {})], True, "not_executed"),
        ([("schema_only", {}), ("fail", {"x": 1})], False, "tool_error"),
    ],
)
def test_verdict(executor: Executor, calls: list[tuple[str, dict[str, Any]]], passed: bool, reason: str) -> None:
    verdict = execute_all([_sample(*calls)], executor)[0].verdict
    assert (verdict.stage, verdict.passed, verdict.reason) == ("execution", passed, reason)
    assert reason == "ok" or reason in EXECUTION_REASONS


def test_detail_names_the_tool_and_its_error(executor: Executor) -> None:
    verdict = execute_all([_sample(("fail", {"x": 7}))], executor)[0].verdict
    assert verdict.detail == "fail: LookupError: no 7"
