"""Keeps a source to those of its tools that only read: the others stay on offer, and their calls are not run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from data_pipeline.tools.runner import ExecutionResult

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from data_pipeline.tools.runner import Call, Runner, SourceTools


class ReadingRunner:
    """Runs the tools of a source that only read."""

    def __init__(self, runner: Runner, names: Collection[str]) -> None:
        """Nothing is started.

        Args:
            runner: of all the source's tools.
            names: of those that only read, as the source knows them. They decide, not what the tool of a call
                says of itself: a sample may have been written elsewhere.
        """
        self._runner = runner
        self._names = frozenset(names)

    def runs(self, name: str) -> bool:
        """Whether the tool that the source knows by this name only reads."""
        return name in self._names

    def run(self, calls: Sequence[Call], timeout_seconds: float) -> list[ExecutionResult]:
        """Results in the order of the calls; those of tools that may write are denied, and sent nowhere."""
        sent = iter(self._runner.run([call for call in calls if self.runs(call.tool.name)], timeout_seconds))
        why = "it may change something, so it was not called; --allow-write, or allow_write in a recipe, runs it"
        return [next(sent) if self.runs(call.tool.name) else ExecutionResult("denied", error=why) for call in calls]

    def close(self) -> None:
        """End what the runner started."""
        self._runner.close()


def only_reading(found: SourceTools) -> SourceTools:
    """The source whose tools that may write are not run, which its provenance remarks on."""
    names = [tool.name for tool in found.tools if tool.side_effects != "write"]
    if found.runner is None or len(names) == len(found.tools):
        return found
    remark = (
        f"{len(found.tools) - len(names)} of {len(found.tools)} tools of {found.provenance.source} may change "
        "something: their calls are checked, not run; --allow-write, or allow_write in a recipe, runs them"
    )
    provenance = replace(found.provenance, executable=bool(names), remark=remark)
    return replace(found, provenance=provenance, runner=ReadingRunner(found.runner, names))
