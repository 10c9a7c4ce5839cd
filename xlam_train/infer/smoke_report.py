"""What a run over the smoke test's queries brought, and how it is cut down."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from statistics import fmean, quantiles
from typing import Any

from rich.table import Table

from data_pipeline.report.console import table
from xlam_train.evaluate.heldout import Outcome, Score, score
from xlam_train.infer.artefact import Artefact
from xlam_train.infer.backends import Completion


@dataclass(frozen=True)
class SmokeReport:
    """One backend's run over the samples.

    Attributes:
        backend: what answered.
        score: shares over all samples.
        outcomes: one a sample, in their order.
        completions: the raw answers, in their order.
        prompt_ids: the prompts as this backend tokenized them; () each where it does not tell.
        stopped: share of answers that ended by themselves.
        seconds: wall time, loading excluded.
        tokens_per_second: generated tokens over wall time, prompts included; 0 where a server tells no tokens.
        artefact: what its template, tokenizer and settings do; None unless asked for.
        expected: log-probability of each token of the expected answers, the one that ends the turn last, in the
            samples' order; () where not asked for, or not told.
    """

    backend: str
    score: Score
    outcomes: tuple[Outcome, ...]
    completions: tuple[Completion, ...]
    prompt_ids: tuple[tuple[int, ...], ...]
    stopped: float
    seconds: float
    tokens_per_second: float
    artefact: Artefact | None = None
    expected: tuple[tuple[float, ...], ...] = ()

    @property
    def nats(self) -> float | None:
        """Mean negative log-probability of the expected answers' tokens; None where not told."""
        logprobs = [logprob for row in self.expected for logprob in row]
        return -fmean(logprobs) if logprobs else None

    @property
    def first_token_seconds(self) -> tuple[float, float]:
        """Median and 95th percentile over the answers."""
        seconds = [done.first_token_seconds for done in self.completions]
        cuts = quantiles([*seconds, *seconds], n=20)  # twice, because quantiles() wants two values at least
        return cuts[9], cuts[18]

    def to_dict(self) -> dict[str, Any]:
        """Plain data with every answer, for people who read failures."""
        return {
            "backend": self.backend,
            "score": asdict(self.score),
            "stopped": self.stopped,
            "seconds": round(self.seconds, 2),
            "tokens_per_second": round(self.tokens_per_second, 1),
            "first_token_seconds": [round(value, 3) for value in self.first_token_seconds],
            "nats": self.nats,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }

    def to_table(self) -> Table:
        """Each answer with what was wrong, and the shares above."""
        rows = [
            (o.sample_id, o.style, "yes" if o.exact else o.reason, "yes" if o.runs else "no") for o in self.outcomes
        ]
        done = self.score
        title = (
            f"{self.backend}: {done.samples} queries, {done.valid:.0%} valid, {done.tools:.0%} right tool, "
            f"{done.exact:.0%} exact, {done.runs:.0%} run, {self.tokens_per_second:.0f} tokens/s"
        )
        return table(title, ("sample", "style", "exact", "calls run"), rows)


def first_of(report: SmokeReport, count: int) -> SmokeReport:
    """The report cut to its first samples, with the score of those alone."""
    outcomes = report.outcomes[:count]
    return replace(
        report,
        score=score(outcomes),
        outcomes=outcomes,
        completions=report.completions[:count],
        prompt_ids=report.prompt_ids[:count],
        expected=report.expected[:count],
    )
