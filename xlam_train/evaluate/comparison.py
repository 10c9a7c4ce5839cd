"""Answers to a held-out dataset in numbers: by style, on seen and on unseen tools, and beside another model's."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import FormatError
from data_pipeline.core.xlam_format import parse_calls
from data_pipeline.report.console import table
from xlam_train.evaluate.heldout import canonical
from xlam_train.evaluate.statistics import bootstrap_interval, paired_p_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.core.variants import Variant
    from xlam_train.evaluate.heldout import Outcome


@dataclass(frozen=True)
class Group:
    """Some of the samples.

    Attributes:
        name: what they share.
        samples: how many.
        exact: share whose calls are all as expected.
        low: lower end of the 95 % interval of `exact`.
        high: its upper end.
        tools: share whose called tools are as expected.
        arguments: mean share of expected arguments that were given as expected.
        runs: share whose calls ran.
    """

    name: str
    samples: int
    exact: float
    low: float
    high: float
    tools: float
    arguments: float
    runs: float


@dataclass(frozen=True)
class Comparison:
    """Two models on the same samples.

    Attributes:
        both: right in both.
        only_first: right in the first alone.
        only_second: right in the second alone.
        p_value: of McNemar's exact test.
    """

    both: int
    only_first: int
    only_second: int
    p_value: float

    def sentence(self, first: str, second: str) -> str:
        """The result in words."""
        better = first if self.only_first > self.only_second else second
        verdict = f"{better} is better" if self.p_value < 0.05 else "no difference that 19 in 20 would see"
        return (
            f"{first} alone {self.only_first}, {second} alone {self.only_second}, both {self.both}; "
            f"p = {self.p_value:.3g}: {verdict}"
        )


def group_outcomes(
    samples: Sequence[Trajectory], outcomes: Sequence[Outcome], variant: Variant, trained_on: frozenset[str] | None
) -> list[Group]:
    """All samples, each style, and where training tools are known, seen and unseen tools.

    Args:
        samples: held out.
        outcomes: one a sample.
        variant: how answers are written.
        trained_on: names of tools in training; a sample is unseen if it offers any other.
    """
    matched = [
        argument_match(sample, outcome.answer, variant) if outcome.valid else 0.0
        for sample, outcome in zip(samples, outcomes, strict=True)
    ]
    members: dict[str, list[int]] = {"all": list(range(len(samples)))}
    for index, sample in enumerate(samples):
        if trained_on is not None:
            seen = all(tool.name in trained_on for tool in sample.tools)
            members.setdefault("seen tools" if seen else "unseen tools", []).append(index)
    for style in sorted({sample.style for sample in samples}):
        members[style] = [index for index, sample in enumerate(samples) if sample.style == style]
    return [
        _group(name, [outcomes[i] for i in chosen], [matched[i] for i in chosen]) for name, chosen in members.items()
    ]


def argument_match(sample: Trajectory, answer: str, variant: Variant) -> float:
    """Share of the expected arguments that stand in the answer, each with its tool and value.

    1 or 0 where none is expected, as the answer calls nothing or something.
    """
    try:
        calls = parse_calls(answer, variant)
    except FormatError:
        return 0.0
    if not sample.calls:
        return float(not calls)
    wanted, given = _arguments(sample.calls), _arguments(calls)
    return sum((wanted & given).values()) / max(wanted.total(), 1)


def compare_outcomes(first: Sequence[Outcome], second: Sequence[Outcome]) -> Comparison:
    """A paired test of two models on the same samples, in the same order."""
    split = Counter((a.exact, b.exact) for a, b in zip(first, second, strict=True))
    left, right = split[True, False], split[False, True]
    return Comparison(split[True, True], left, right, paired_p_value(left, right))


def group_table(title: str, groups: Iterable[Group]) -> Table:
    """A row a group."""
    rows = [
        (
            g.name,
            g.samples,
            f"{g.exact:.0%}",
            f"{g.low:.0%} to {g.high:.0%}",
            *(f"{v:.0%}" for v in (g.tools, g.arguments, g.runs)),
        )
        for g in groups
    ]
    return table(title, ("samples", "number", "exact", "95 % interval", "tools", "arguments", "calls run"), rows)


def as_dict(groups: Iterable[Group]) -> dict[str, Any]:
    """Plain data by name."""
    return {group.name: asdict(group) for group in groups}


def _group(name: str, outcomes: Sequence[Outcome], matched: Sequence[float]) -> Group:
    count, exact = len(outcomes), [float(outcome.exact) for outcome in outcomes]
    low, high = bootstrap_interval(exact)
    tools, runs = (sum(getattr(o, what) for o in outcomes) / count for what in ("tools", "runs"))
    return Group(name, count, sum(exact) / count, low, high, tools, sum(matched) / count, runs)


def _arguments(calls: Iterable[Any]) -> Counter[str]:
    """Each argument as text that is equal where tool, name and value are; a call without arguments counts as one."""
    found: Counter[str] = Counter()
    for call in calls:
        single = [call.model_copy(update={"arguments": {key: value}}) for key, value in call.arguments.items()]
        found.update(canonical(part) for part in single or [call])
    return found
