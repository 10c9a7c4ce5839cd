"""The funnel: how many samples each stage let through, why the others fell out, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast, get_args

from rich.table import Table

from data_pipeline.core.schema import Origin, Stage, Trajectory
from data_pipeline.report.console import table

STAGES: tuple[Stage, ...] = get_args(Stage)
TOKEN_DIGITS, COST_DIGITS = 3, 9
"""Decimals kept in stats.json, so that a sum of shares has one spelling."""


@dataclass
class Funnel:
    """Counts of one job; those of its parts add up with `+`.

    Attributes:
        drafted: samples generated, or read.
        accepted: samples that passed every stage.
        rejected: (stage, reason) -> samples that fell out there.
        ran: stage -> samples it judged; a stage that is not in it did not run.
        styles: style -> accepted samples.
        calls: calls in the accepted samples.
        not_executed: accepted samples with a call that was not run, since its tool is a schema only.
        generators: who wrote a sample, '' where it does not say -> what became of it: `drafted`, `accepted`, or the
            stage that refused it.
        prompts: name and version of a prompt -> accepted samples it was asked for with.
        input_tokens: prompt tokens spent on all samples, the refused ones included.
        output_tokens: tokens written for them.
        cost: of both, in the currency of the recipe's prices.
    """

    drafted: int = 0
    accepted: int = 0
    rejected: Counter[tuple[Stage, str]] = field(default_factory=Counter)
    ran: Counter[Stage] = field(default_factory=Counter)
    styles: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    not_executed: int = 0
    generators: Counter[tuple[str, str]] = field(default_factory=Counter)
    prompts: Counter[str] = field(default_factory=Counter)
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    cost: float = 0.0

    def count(self, samples: Iterable[Trajectory]) -> None:
        """Add checked samples, accepted or rejected."""
        for sample in samples:
            self.drafted += 1
            self.ran.update({verdict.stage for verdict in sample.verdicts})
            self._account(sample.origin)
            generator = sample.origin.generator if sample.origin else ""
            self.generators[generator, "drafted"] += 1
            failed = sample.failed
            self.generators[generator, failed.stage if failed else "accepted"] += 1
            if failed:
                self.rejected[failed.stage, failed.reason] += 1
                continue
            self.accepted += 1
            self.styles[sample.style] += 1
            self.calls += len(sample.calls)
            if sample.origin and sample.origin.prompt:
                self.prompts[sample.origin.prompt] += 1
            self.not_executed += any(verdict.reason == "not_executed" for verdict in sample.verdicts)

    def refuse_accepted(self, samples: Iterable[Trajectory]) -> None:
        """Count samples as refused, by their last verdict, that were counted as accepted."""
        for sample in samples:
            failed, generator = sample.verdicts[-1], sample.origin.generator if sample.origin else ""
            self.accepted -= 1
            self.rejected[failed.stage, failed.reason] += 1
            self.styles[sample.style] -= 1
            self.calls -= len(sample.calls)
            if sample.origin and sample.origin.prompt:
                self.prompts[sample.origin.prompt] -= 1
            self.generators[generator, "accepted"] -= 1
            self.generators[generator, failed.stage] += 1
            self.not_executed -= any(verdict.reason == "not_executed" for verdict in sample.verdicts)
        self.styles += Counter()  # without those that fell to zero
        self.prompts += Counter()

    def count_unreadable(self, reason: str) -> None:
        """Add something that was to be a sample and could not even be read; it fails the format check."""
        self.drafted += 1
        self.ran["format"] += 1
        self.rejected["format", reason] += 1
        self.generators["", "drafted"] += 1
        self.generators["", "format"] += 1

    def _account(self, origin: Origin | None) -> None:
        if origin:
            # Rounded before they are added, so that the sum is the same in any order and after a restart.
            self.input_tokens += round(origin.input_tokens, TOKEN_DIGITS)
            self.output_tokens += round(origin.output_tokens, TOKEN_DIGITS)
            self.cost += round(origin.cost, COST_DIGITS)

    def __add__(self, other: Funnel) -> Funnel:
        """The counts of both together."""
        return Funnel(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(Funnel)))

    def stages(self) -> list[tuple[Stage, int, int]]:
        """(stage, samples that entered, samples that left) of the stages that ran, in their order."""
        rows, left = [], self.drafted
        for stage in (stage for stage in STAGES if self.ran[stage]):
            entered, left = left, left - sum(n for (s, _), n in self.rejected.items() if s == stage)
            rows.append((stage, entered, left))
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Plain data for stats.json, in a stable order; `from_dict` reads it back."""
        return {
            "drafted": self.drafted,
            "accepted": self.accepted,
            "stages": [{"stage": s, "entered": e, "passed": p} for s, e, p in self.stages()],
            "rejected": {f"{stage}.{reason}": n for (stage, reason), n in sorted(self.rejected.items())},
            "styles": dict(sorted(self.styles.items())),
            "calls": self.calls,
            "not_executed": self.not_executed,
            "ran": {stage: self.ran[stage] for stage in STAGES if self.ran[stage]},
            "generators": self._by_generator(),
            "prompts": dict(sorted(self.prompts.items())),
            "tokens": {
                "input": round(self.input_tokens, TOKEN_DIGITS),
                "output": round(self.output_tokens, TOKEN_DIGITS),
            },
            "cost": round(self.cost, COST_DIGITS),
        }

    def _by_generator(self) -> dict[str, dict[str, int]]:
        names = sorted({name for name, _ in self.generators})
        fates = ("drafted", "accepted", *STAGES)
        return {name: {fate: n for fate in fates if (n := self.generators[name, fate])} for name in names}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Funnel:
        """Back from `to_dict`; other keys are ignored, and the newer ones of its own may be missing."""
        rejected: Counter[tuple[Stage, str]] = Counter()
        fates = Counter({"drafted": data["drafted"], "accepted": data["accepted"]})
        for key, number in data["rejected"].items():
            stage, _, reason = key.partition(".")
            rejected[cast("Stage", stage), reason] = number
            fates[stage] += number
        tokens = data.get("tokens") or {}
        generators = data.get("generators") or ({"": fates} if data["drafted"] else {})
        return cls(
            drafted=data["drafted"],
            accepted=data["accepted"],
            rejected=rejected,
            ran=Counter(data.get("ran") or {row["stage"]: row["entered"] for row in data["stages"]}),
            styles=Counter(data["styles"]),
            calls=data["calls"],
            not_executed=data.get("not_executed", 0),
            generators=Counter({(name, fate): n for name, row in generators.items() for fate, n in row.items()}),
            prompts=Counter(data.get("prompts", {})),
            input_tokens=tokens.get("input", 0.0),
            output_tokens=tokens.get("output", 0.0),
            cost=data.get("cost", 0.0),
        )

    def reasons(self, stage: Stage) -> list[tuple[str, int]]:
        """(reason, samples refused for it) of one stage, the most frequent first."""
        found = [(reason, number) for (s, reason), number in self.rejected.items() if s == stage]
        return sorted(found, key=lambda entry: (-entry[1], entry[0]))

    def to_table(self, title: str) -> Table:
        """The funnel as people read it."""
        rows = []
        for stage, entered, passed in self.stages():
            told = ", ".join(f"{reason} {number}" for reason, number in self.reasons(stage))
            rows.append((stage, entered, passed, f"{passed / max(entered, 1):.1%}", told or "-"))
        made = table(title, ("stage", "entered", "passed", "share", "rejects by reason"), rows)
        if self.not_executed:
            made.caption = f"accepted without being executed: {self.not_executed}"
            made.caption_justify = "left"
        return made

    def pass_rows(self, generator_name: str) -> list[tuple[str, ...]]:
        """The pass table: a heading, then one row a generator.

        The columns of table 1 of the APIGen paper (Liu et al. 2024): verified samples passed all checks, and the
        pass rate is their share of all drafts. What a generator could not write and what curation took out afterwards
        are not in that table; they are told where there were any.

        Args:
            generator_name: of samples that do not say who wrote them.
        """
        also = [stage for stage in ("generate", "curate") if any(s == stage for s, _ in self.rejected)]
        heading = ("generator", "verified", "fail format", "fail execution", "fail semantic", "pass rate")
        rows = [(*heading, *({"generate": "not written", "curate": "curated out"}[stage] for stage in also))]
        for name, fates in self._by_generator().items():
            verified = fates.get("accepted", 0) + fates.get("curate", 0)
            failed = (fates.get(stage, 0) for stage in ("format", "execution", "semantic"))
            rate = f"{verified / fates['drafted']:.2%}"
            counts = [verified, *failed, rate, *(fates.get(stage, 0) for stage in also)]
            rows.append((name or generator_name, *map(_grouped, counts)))
        return rows

    def to_pass_table(self, generator_name: str) -> Table:
        """The pass table as people read it; see `pass_rows`."""
        heading, *rows = self.pass_rows(generator_name)
        return table("Checks passed", heading, rows)


def _grouped(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
