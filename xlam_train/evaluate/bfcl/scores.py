"""Answers judged and counted: by category, by class of error, and beside what was published."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import CheckFailed
from xlam_train.evaluate.bfcl.cases import AST, OTHER_LANGUAGES
from xlam_train.evaluate.bfcl.judging import judge, refused
from xlam_train.evaluate.bfcl.published import MODELS, ROWS, together, weighted
from xlam_train.evaluate.statistics import combined_interval, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xlam_train.evaluate.answers import Answer
    from xlam_train.evaluate.bfcl.cases import Case
    from xlam_train.evaluate.bfcl.judging import Judgement
    from xlam_train.evaluate.bfcl.package import Package

EXAMPLES = 3  # of each class of error
SHOWN = 500  # characters of an example


@dataclass(frozen=True)
class CategoryScore:
    """Of one category.

    Attributes:
        cases: asked.
        right: by the strict reading.
        lenient: by the lenient one.
        low: lower end of the 95 % interval of the share (Wilson 1927).
        high: its upper end.
        cut: answers that were not over at the most tokens they may have; of conversations, those with such a step.
        refused: cases without an answer.
    """

    cases: int
    right: int
    lenient: int
    low: float
    high: float
    cut: int
    refused: int

    @property
    def share(self) -> float:
        """Right ones."""
        return self.right / self.cases


@dataclass(frozen=True)
class BfclReport:
    """What came of a run.

    Attributes:
        categories: score by category.
        errors: by category, how many wrong answers of each class.
        examples: by category and class, a few wrong answers.
    """

    categories: dict[str, CategoryScore]
    errors: dict[str, dict[str, int]]
    examples: dict[str, dict[str, list[dict[str, Any]]]]

    def ast_mean(self) -> float | None:
        """Plain mean over the categories in Python whose calls are compared; None if none was asked.

        Java and JavaScript count in `july_2024`, by their cases.
        """
        shares = [score.share for score in self._python()]
        return sum(shares) / len(shares) if shares else None

    def ast_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `ast_mean`."""
        scores = self._python()
        return combined_interval((1 / len(scores), s.share, s.low, s.high) for s in scores) if scores else None

    def _python(self) -> list[CategoryScore]:
        return [score for name, score in self.categories.items() if name in AST and name not in OTHER_LANGUAGES]

    def check_ast_mean(self, model: str, least: float) -> None:
        """Hold the mean to a bar; 0 is none.

        Raises:
            CheckFailed: it is lower, or no category of it was asked.
        """
        mean = self.ast_mean()
        if least and (mean is None or mean < least):
            measured = "not measured: ask one of them" if mean is None else f"{mean:.1%}"
            raise CheckFailed(f"{model}: mean of the AST categories in Python {measured}; the bar is {least:.0%}")

    def july_2024(self) -> dict[str, float] | None:
        """Shares of the rows of July 2024 and `together`; None unless every row was asked."""
        if not all(name in self.categories for row in ROWS for name in row.categories):
            return None
        measured = {name: score.share for name, score in self.categories.items()}
        shares = {row.name: row.share(measured) for row in ROWS}
        return {**shares, "together": weighted(shares)}

    def july_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `together`; None unless every row was asked."""
        if self.july_2024() is None:
            return None
        all_cases = sum(row.cases for row in ROWS)
        weights = {name: cases / all_cases for row in ROWS for name, cases in row.categories.items()}
        scores = {name: self.categories[name] for name in weights}
        return combined_interval((weights[name], s.share, s.low, s.high) for name, s in scores.items())

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "categories": {name: {**asdict(s), "share": s.share} for name, s in self.categories.items()},
            "ast_mean": self.ast_mean(),
            "ast_interval": self.ast_interval(),
            "july_2024": self.july_2024(),
            "july_interval": self.july_interval(),
            "published": {
                m: {**{row.name: row.shares[m] / 100 for row in ROWS}, "together": together(m) / 100} for m in MODELS
            },
            "errors": self.errors,
            "examples": self.examples,
        }


@dataclass(frozen=True)
class Judged:
    """A judged answer: of which category, what there is of it, and the judgement."""

    category: str
    answer: Answer
    judgement: Judgement


def judge_answers(package: Package, cases: Sequence[Case], answers: Mapping[str, Answer], variant: str) -> list[Judged]:
    """Judge every single-turn answer.

    Args:
        package: the leaderboard's.
        cases: what was asked.
        answers: by case id.
        variant: how calls are written.
    """

    def judged(case: Case, answer: Answer) -> Judged:
        found = refused(answer.refused) if answer.refused else judge(package, case, answer.text, variant)
        return Judged(case.category, answer, found)

    return [judged(case, answers[case.id]) for case in cases]


def count(judged: Iterable[Judged]) -> BfclReport:
    """Counted by category, in the order of their first answers."""
    found: dict[str, list[Judged]] = defaultdict(list)
    for entry in judged:
        found[entry.category].append(entry)
    return BfclReport(
        categories={name: _score(entries) for name, entries in found.items()},
        errors={name: _errors(entries) for name, entries in found.items()},
        examples={name: _examples(entries) for name, entries in found.items()},
    )


def _score(judged: Sequence[Judged]) -> CategoryScore:
    right = sum(entry.judgement.valid for entry in judged)
    lenient = sum(entry.judgement.lenient for entry in judged)
    low, high = wilson_interval(right, len(judged))
    cut = sum(entry.answer.cut for entry in judged)
    return CategoryScore(
        len(judged), right, lenient, low, high, cut, sum(bool(entry.answer.refused) for entry in judged)
    )


def _errors(judged: Iterable[Judged]) -> dict[str, int]:
    """Classes of errors, the most frequent first."""
    return dict(Counter(entry.judgement.error for entry in judged if entry.judgement.error).most_common())


def _examples(judged: Iterable[Judged]) -> dict[str, list[dict[str, Any]]]:
    """The first few of each class, without the question: the leaderboard is no source of training data."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in judged:
        error, detail = entry.judgement.error, entry.judgement.detail[:SHOWN]
        if error and len(found[error]) < EXAMPLES:
            found[error].append({"id": entry.answer.id, "answer": entry.answer.text[:SHOWN], "detail": detail})
    return dict(found)
