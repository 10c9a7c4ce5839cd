"""The funnel: how many samples each stage let through, and why the others fell out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, get_args

from rich.table import Table

from data_pipeline.core.schema import Stage, Trajectory
from data_pipeline.report.console import table


@dataclass
class Funnel:
    """Counts of one job.

    Attributes:
        drafted: samples generated.
        accepted: samples that passed every stage.
        rejected: (stage, reason) -> samples that fell out there.
        styles: style -> accepted samples.
        calls: calls in the accepted samples.
    """

    drafted: int = 0
    accepted: int = 0
    rejected: Counter[tuple[Stage, str]] = field(default_factory=Counter)
    styles: Counter[str] = field(default_factory=Counter)
    calls: int = 0

    def count(self, samples: Iterable[Trajectory]) -> None:
        """Add checked samples, accepted or rejected."""
        for sample in samples:
            self.drafted += 1
            failed = next((v for v in sample.verdicts if not v.passed), None)
            if failed:
                self.rejected[failed.stage, failed.reason] += 1
                continue
            self.accepted += 1
            self.styles[sample.style] += 1
            self.calls += len(sample.calls)

    def stages(self) -> list[tuple[Stage, int, int]]:
        """(stage, samples that entered, samples that left), in the order of the checks."""
        rows, left = [], self.drafted
        for stage in get_args(Stage):
            entered, left = left, left - sum(n for (s, _), n in self.rejected.items() if s == stage)
            rows.append((stage, entered, left))
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Plain data for stats.json, in a stable order."""
        return {
            "drafted": self.drafted,
            "accepted": self.accepted,
            "stages": [{"stage": s, "entered": e, "passed": p} for s, e, p in self.stages()],
            "rejected": {f"{stage}.{reason}": n for (stage, reason), n in sorted(self.rejected.items())},
            "styles": dict(sorted(self.styles.items())),
            "calls": self.calls,
        }

    def to_table(self, title: str) -> Table:
        """The funnel as people read it."""
        rows = []
        for stage, entered, passed in self.stages():
            reasons = [f"{r} {n}" for (s, r), n in self.rejected.most_common() if s == stage]
            rows.append((stage, entered, passed, f"{passed / max(entered, 1):.1%}", ", ".join(reasons) or "-"))
        return table(title, ("stage", "entered", "passed", "share", "rejects by reason"), rows)
