"""Runs tools for real: arguments are checked against the schema, then handed to what runs the tool's source."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from data_pipeline.tools import bundled, stateful
from data_pipeline.tools.python_runner import PythonRunner
from data_pipeline.tools.reading import ReadingRunner
from data_pipeline.tools.runner import STATUSES, Call, ExecutionResult
from data_pipeline.tools.schema_check import ArgumentCheck

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from data_pipeline.core.schema import Tool
    from data_pipeline.tools.runner import Runner
    from data_pipeline.tools.sandbox import Level

__all__ = ["CALL_SECONDS", "STATUSES", "Call", "ExecutionResult", "Executor", "bundled_runners", "is_executable"]

CALL_SECONDS = 5.0
"""Wall time one call may take unless said otherwise: bundled tools need a millisecond, a web API a second."""


def is_executable(tool: Tool) -> bool:
    """Whether the tool claims that calling it runs something; tools from JSON are schemas only.

    So is a tool of an MCP server that may write, unless that is allowed, which `Executor.runs` knows.
    """
    kind = tool.source.partition(":")[0]
    return kind in ("bundled", "python", "openapi") or (kind == "mcp" and tool.side_effects != "write")


class Executor:
    """Runs calls of any source; a context manager that owns the processes and connections behind them.

    Not to be shared between threads or with a forked process: give each its own.
    """

    def __init__(
        self,
        runners: Mapping[str, Runner] | None = None,
        timeout_seconds: float = CALL_SECONDS,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is started before the first call.

        Args:
            runners: a tool's `source` -> what runs it; the bundled tools unless given.
            timeout_seconds: wall time one call may take.
            renamed: a tool's name -> the one its source knows it by, where they differ.
        """
        self._renamed = dict(renamed or {})
        self._runners = bundled_runners() if runners is None else dict(runners)
        self._timeout = timeout_seconds
        self._check = ArgumentCheck()

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the processes of Python tools without waiting for them, so that the first call need not."""
        for runner in {id(runner): runner for runner in self._runners.values()}.values():
            if isinstance(runner, PythonRunner):
                runner.start()

    def close(self) -> None:
        """End what runs; a later call starts it again."""
        for runner in {id(runner): runner for runner in self._runners.values()}.values():
            runner.close()

    def runs(self, tool: Tool) -> bool:
        """Whether there is something behind the tool's source that runs it, and may."""
        runner = self._runners.get(tool.source)
        if isinstance(runner, ReadingRunner):
            return runner.runs(self._renamed.get(tool.name, tool.name))
        return runner is not None

    def call(self, tool: Tool, arguments: Mapping[str, Any], state: str | None = None) -> ExecutionResult:
        """Check the arguments, then run the tool; see `call_many`."""
        return self.call_many([Call(tool, arguments, state)])[0]

    def call_many(self, calls: Sequence[Call]) -> list[ExecutionResult]:
        """Check and run calls, those of one runner in one batch, and return their results in order.

        Raises:
            XlamError: a process that runs tools cannot be started at all.
        """
        results: list[ExecutionResult | None] = [None] * len(calls)
        batches: dict[int, tuple[Runner, list[int]]] = {}
        for index, call in enumerate(calls):
            runner = self._runners.get(call.tool.source)
            results[index] = self._refuse(call, runner)
            if runner is not None and results[index] is None:
                batches.setdefault(id(runner), (runner, []))[1].append(index)
        for runner, chosen in batches.values():
            found = runner.run([self._as_known(calls[index]) for index in chosen], self._timeout)
            for index, result in zip(chosen, found, strict=True):
                results[index] = result
        return [result for result in results if result is not None]

    def _as_known(self, call: Call) -> Call:
        known = self._renamed.get(call.tool.name)
        return call if known is None else call._replace(tool=call.tool.model_copy(update={"name": known}))

    def _refuse(self, call: Call, runner: Runner | None) -> ExecutionResult | None:
        """Why a call does not run at all, if so."""
        started = time.perf_counter()
        if runner is None:
            why = f"'{call.tool.name}' is a schema without a function (source '{call.tool.source}')"
            return ExecutionResult("unavailable", error=why)
        problem = self._check(call.tool, call.arguments)
        if problem is None:
            return None
        seconds = time.perf_counter() - started
        return ExecutionResult("bad_arguments", error=f"{problem.reason}: {problem.detail}", seconds=seconds)


def bundled_runners(level: Level = "partial") -> dict[str, Runner]:
    """One process for all bundled tools and one for the stateful domains: this package's own code.

    Args:
        level: the layers that a process puts on itself are enough for code that comes with the package.
    """
    plain = {f"bundled:{name}": {"kind": "module", "name": f"{bundled.__name__}.{name}"} for name in bundled.domains()}
    domains = {f"bundled:{name}": {"kind": "stateful", "name": name} for name in stateful.domains()}
    runners: list[Runner] = [PythonRunner(plain, level), PythonRunner(domains, level)]
    return {**dict.fromkeys(plain, runners[0]), **dict.fromkeys(domains, runners[1])}
