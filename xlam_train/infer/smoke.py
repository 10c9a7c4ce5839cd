"""The smoke test: held-out queries through a model, its calls executed, and two backends compared."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table

from data_pipeline.core.schema import Trajectory
from data_pipeline.core.xlam_format import render_answer, render_prompt
from data_pipeline.report.console import progress_bar, table
from data_pipeline.tools.executor import Executor
from xlam_train.evaluate.heldout import Outcome, Score, judge, score
from xlam_train.infer.backends import Backend, Completion

SPARE_TOKENS = 32
"""Tokens an answer may have beyond one for every two characters of the expected one. Tokenizers need fewer
for JSON, so a longer answer is wrong already, and a model that rambles does not hold up the test."""


@dataclass(frozen=True)
class SmokeReport:
    """One backend's run over the samples.

    Attributes:
        backend: what answered.
        score: shares over all samples.
        outcomes: one a sample, in their order.
        completions: the raw answers, in their order.
        prompt_ids: the prompts as this backend tokenized them.
        stopped: share of answers that ended by themselves.
        seconds: wall time, loading excluded.
        tokens_per_second: generated tokens over wall time, prompts included.
    """

    backend: str
    score: Score
    outcomes: tuple[Outcome, ...]
    completions: tuple[Completion, ...]
    prompt_ids: tuple[tuple[int, ...], ...]
    stopped: float
    seconds: float
    tokens_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data with every answer, for people who read failures."""
        return {
            "backend": self.backend,
            "score": asdict(self.score),
            "stopped": self.stopped,
            "seconds": round(self.seconds, 2),
            "tokens_per_second": round(self.tokens_per_second, 1),
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }

    def to_table(self) -> Table:
        """Each answer with what was wrong, and the shares below."""
        rows = [
            (o.sample_id, o.style, "yes" if o.exact else o.reason, "yes" if o.runs else "no") for o in self.outcomes
        ]
        done = self.score
        title = (
            f"{self.backend}: {done.samples} queries, {done.valid:.0%} valid, {done.tools:.0%} right tool, "
            f"{done.exact:.0%} exact, {done.runs:.0%} run, {self.tokens_per_second:.0f} tokens/s"
        )
        return table(title, ("sample", "style", "exact", "calls run"), rows)


@dataclass(frozen=True)
class Parting:
    """Where two greedy answers first differ; margins in nats say how close the choice was on each side."""

    sample_id: str
    position: int
    margin_first: float
    margin_second: float


@dataclass(frozen=True)
class Agreement:
    """Token-by-token comparison of two backends on the same prompts."""

    prompts: int
    equal: int
    same_prompt_ids: int
    partings: tuple[Parting, ...]


def smoke(backend: Backend, samples: Sequence[Trajectory], executor: Executor) -> SmokeReport:
    """Ask every sample's query in its own prompt and judge the answers.

    Args:
        backend: an opened backend.
        samples: held-out samples with their expected calls.
        executor: runs the calls that come back.
    """
    prompts = [backend.prompt_text(render_prompt(sample.tools, sample.query)) for sample in samples]
    budgets = [len(render_answer(sample.calls)) // 2 + SPARE_TOKENS for sample in samples]
    started = time.perf_counter()
    with progress_bar() as bar:
        task = bar.add_task(f"smoke: {backend.name}", total=len(prompts), note="")
        completions = backend.complete(prompts, budgets, lambda done: bar.advance(task, done))
    seconds = time.perf_counter() - started
    outcomes = [judge(sample, done.text, executor) for sample, done in zip(samples, completions, strict=True)]
    return SmokeReport(
        backend=backend.name,
        score=score(outcomes),
        outcomes=tuple(outcomes),
        completions=tuple(completions),
        prompt_ids=tuple(tuple(backend.tokenize(prompt)) for prompt in prompts),
        stopped=sum(done.stopped for done in completions) / max(len(completions), 1),
        seconds=seconds,
        tokens_per_second=sum(len(done.tokens) for done in completions) / max(seconds, 1e-9),
    )


def compare(first: SmokeReport, second: SmokeReport) -> Agreement:
    """Greedy tokens of two runs over the same samples.

    Raises:
        ValueError: the runs are not over the same samples.
    """
    if [o.sample_id for o in first.outcomes] != [o.sample_id for o in second.outcomes]:
        raise ValueError("the two runs answered different samples")
    partings = []
    for outcome, a, b in zip(first.outcomes, first.completions, second.completions, strict=True):
        position = _first_difference(a.tokens, b.tokens)
        if position is not None:
            partings.append(Parting(outcome.sample_id, position, _at(a, position), _at(b, position)))
    same = sum(a == b for a, b in zip(first.prompt_ids, second.prompt_ids, strict=True))
    total = len(first.outcomes)
    return Agreement(total, total - len(partings), same, tuple(partings))


def _first_difference(first: Sequence[int], second: Sequence[int]) -> int | None:
    if list(first) == list(second):
        return None
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def _at(completion: Completion, position: int) -> float:
    return completion.margins[position] if position < len(completion.margins) else 0.0


def first_of(report: SmokeReport, count: int) -> SmokeReport:
    """The report cut to its first samples, with the score of those alone."""
    outcomes = report.outcomes[:count]
    return replace(
        report,
        score=score(outcomes),
        outcomes=outcomes,
        completions=report.completions[:count],
        prompt_ids=report.prompt_ids[:count],
    )


def answers_by_prompt(reports: Iterable[SmokeReport]) -> dict[tuple[int, ...], tuple[int, ...]]:
    """A prompt's token ids -> the tokens of its answer, over all reports."""
    return {
        ids: done.tokens for report in reports for ids, done in zip(report.prompt_ids, report.completions, strict=True)
    }


def probe_ids(model: Path, samples: Iterable[Trajectory]) -> list[list[int]]:
    """Prompts of real samples with their answers, as token ids of the model's own tokenizer."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    texts = [render_prompt(sample.tools, sample.query) + render_answer(sample.calls) for sample in samples]
    return [list(tokenizer.encode(text)) for text in texts]
