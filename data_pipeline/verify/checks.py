"""The deterministic checks over many samples, in the order of what they find out: format, execution, semantic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_pipeline.tools.schema_check import ArgumentCheck, PerTool
from data_pipeline.verify.execution import execute_all
from data_pipeline.verify.format_check import check_format
from data_pipeline.verify.semantic import check_semantic
from data_pipeline.verify.tool_words import ToolWords

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_pipeline.core.schema import Trajectory, Verdict
    from data_pipeline.tools.executor import Executor


class Checker:
    """Checks samples and remembers what it has read of their tools, so one serves a whole job."""

    def __init__(self, executor: Executor | None = None) -> None:
        """Nothing is run yet.

        Args:
            executor: runs the calls; without one they are not run, and samples get no verdict of execution.
        """
        self._executor = executor
        self._errors_in = ArgumentCheck()
        self._words = PerTool(ToolWords)

    def check_many(self, samples: Sequence[Trajectory]) -> list[Trajectory]:
        """The samples, in order, with the verdicts up to the first check that fails, and what their calls returned.

        All calls run in one batch. A sample that was refused before comes back as it is.

        Raises:
            XlamError: a process that runs tools cannot be started at all.
        """
        checked = list(samples)
        waiting = [index for index, sample in enumerate(samples) if sample.failed is None]
        waiting = self._judge(checked, waiting, [check_format(samples[i], self._errors_in) for i in waiting])
        if self._executor is not None:
            executed = execute_all([checked[index] for index in waiting], self._executor)
            for index, done in zip(waiting, executed, strict=True):
                if done.results:
                    checked[index] = _with(checked[index], results=done.results)
            waiting = self._judge(checked, waiting, [done.verdict for done in executed])
        self._judge(checked, waiting, [check_semantic(checked[index], self._words) for index in waiting])
        return checked

    def format_and_grounding(self, sample: Trajectory) -> tuple[Verdict, ...]:
        """The verdicts of the two checks that run nothing, up to the first that fails."""
        verdict = check_format(sample, self._errors_in)
        return (verdict, check_semantic(sample, self._words)) if verdict.passed else (verdict,)

    @staticmethod
    def _judge(checked: list[Trajectory], waiting: Sequence[int], verdicts: Sequence[Verdict]) -> list[int]:
        """Write one check's verdicts down and return which samples passed it."""
        for index, verdict in zip(waiting, verdicts, strict=True):
            sample = checked[index]
            checked[index] = _with(sample, verdicts=(*sample.verdicts, verdict))
        return [index for index, verdict in zip(waiting, verdicts, strict=True) if verdict.passed]


def _with(sample: Trajectory, **changed: object) -> Trajectory:
    return sample.model_copy(update=changed)
