"""The smoke test's verdict: each thing that was measured, against its bar, in one row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.text import Text

from data_pipeline.core.errors import CheckFailed
from data_pipeline.report.console import table
from xlam_train.infer.agreement import Agreement
from xlam_train.infer.artefact import NO_END
from xlam_train.infer.smoke_report import SmokeReport

MAX_NATS = 2.5
"""Bar of expected answers, a token: SmolLM2-135M, never trained on the format, needs 0.77, and 2.58 with its positions
halved by a wrong rope scaling. Trained models are far below."""
MAX_NATS_OVER_PARENT = 0.2
"""Of the same model: Q8_0 0.01, Q4_K_M 0.05, Q2_K 0.07, Q4_0 0.14 over F16; 1.8 and 3.0 with rope scaled by 2 and 4."""
MAX_DELTA = 0.5
"""Of the same model and answers: Q8_0 0.04, Q4_K_M 0.17, Q2_K 0.47; 1.9 and 3.0 with rope scaled by 2 and 4."""
LONGEST_ANSWER = 160  # characters of a wrong answer that are shown

Unit = Literal["share", "nats", "seconds", "tokens/s"]
Verdict = Literal["ok", "FAILED", "told", "not told"]


@dataclass(frozen=True)
class Check:
    """One row.

    Attributes:
        name: what was measured.
        unit: of it.
        measured: None where the backend does not tell.
        least: bar it has to reach, None without.
        most: bar it must not go over, None without.
        detail: one line on what is wrong, or why it is not told.
    """

    name: str
    unit: Unit
    measured: float | None
    least: float | None = None
    most: float | None = None
    detail: str = ""

    @property
    def verdict(self) -> Verdict:
        """`told` where there is no bar."""
        if self.measured is None:
            return "not told"
        if self.least is None and self.most is None:
            return "told"
        low = self.least is not None and not self.measured >= self.least  # NaN reaches no bar
        return "FAILED" if low or (self.most is not None and not self.measured <= self.most) else "ok"

    @property
    def bar(self) -> str:
        """As people write it."""
        if self.least is not None:
            return f">= {self._show(self.least)}"
        return "" if self.most is None else f"<= {self._show(self.most)}"

    @property
    def shown(self) -> str:
        """What was measured, as people write it."""
        return "-" if self.measured is None else self._show(self.measured)

    def _show(self, value: float) -> str:
        return f"{value:.0%}" if self.unit == "share" else f"{value:.3g} {self.unit}"


@dataclass(frozen=True)
class SmokeTest:
    """A model that was asked, with the verdict.

    Attributes:
        model: as it was named.
        report: its answers.
        checks: one row a check.
        against: its parent's name; None without.
        parent: the parent's answers; None without.
        agreement: of the two; None without.
    """

    model: str
    report: SmokeReport
    checks: tuple[Check, ...]
    against: str | None = None
    parent: SmokeReport | None = None
    agreement: Agreement | None = None

    @property
    def failed(self) -> tuple[Check, ...]:
        """Checks below their bar."""
        return tuple(check for check in self.checks if check.verdict == "FAILED")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, every answer included."""
        found: dict[str, Any] = _writable(
            {
                "model": self.model,
                "passed": not self.failed,
                "checks": [{**asdict(check), "verdict": check.verdict} for check in self.checks],
                **self.report.to_dict(),
                "against": self.against,
                "parent": None if self.parent is None else self.parent.to_dict(),
                "agreement": None if self.agreement is None else asdict(self.agreement),
            }
        )
        return found

    def show(self) -> RenderableType:
        """The table of checks, then what was wrong."""
        rows = [(check.name, check.shown, check.bar, check.verdict) for check in self.checks]
        title = f"{self.report.backend}: {self.report.score.samples} queries"
        return Group(table(title, ("check", "measured", "bar", "verdict"), rows), *map(Text, self._lines()))

    def _lines(self) -> Iterator[str]:
        yield from (f"{check.name}: {check.detail}" for check in self.checks if check.detail)
        for outcome in self.report.outcomes:
            if not outcome.exact:
                yield f"{outcome.sample_id} ({outcome.style}): {outcome.reason}: {outcome.answer[:LONGEST_ANSWER]!r}"
        for parting in self.agreement.partings if self.agreement else ():
            yield (
                f"{parting.sample_id}: parts from {self.against} at token {parting.position}, with margins of "
                f"{parting.margin_first:.3f} nats there and {parting.margin_second:.3f} here"
            )

    def require(self) -> None:
        """Do nothing if every bar is reached.

        Raises:
            CheckFailed: one is not; the line names each with its reason.
        """
        if self.failed:
            said = "; ".join(f"{check.name} {check.shown}, bar {check.bar}{_why(check)}" for check in self.failed)
            raise CheckFailed(f"{self.model}: smoke test failed: {said}")


def _writable(value: Any) -> Any:
    """Without NaN and Infinity, which broken weights bring about and JSON does not have."""
    if isinstance(value, dict):
        return {key: _writable(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_writable(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _why(check: Check) -> str:
    return f" ({check.detail})" if check.detail else ""


def checks(report: SmokeReport, agreement: Agreement | None, min_exact: float) -> tuple[Check, ...]:
    """Every row, those that take no skill first.

    Args:
        report: of `examine`.
        agreement: with the parent; None without one.
        min_exact: bar of what takes skill, in 0..1.
    """
    compared = [] if agreement is None else _agreement(agreement)
    return (*_artefact(report), *compared, *_skill(report, min_exact), *_speed(report))


def _artefact(report: SmokeReport) -> Iterator[Check]:
    artefact = report.artefact
    assert artefact is not None, "checks are made of what `examine` found"
    problems = [problem for problem in artefact.prompts or () if problem]
    asked = len(artefact.prompts or ())
    right = None if not asked else 1 - len(problems) / asked
    yield Check("prompt as the format has it", "share", right, least=1, detail="".join(problems[:1]))
    yield _end(report)
    yield _finite(report)
    yield _expected(report)


def _end(report: SmokeReport) -> Check:
    """Whether the model ends its turns with the token that ends them in its template."""
    artefact, name = report.artefact, "ends turns as its template does"
    assert artefact is not None
    stops = [done.tokens[-1] for done in report.completions if done.stopped and done.tokens]
    stops += [] if artefact.stop is None else [artefact.stop]
    if artefact.no_stop == NO_END:
        return Check(name, "share", 0.0, least=1, detail=f"{NO_END}; set eos_token_id to token {artefact.end}")
    if artefact.end is None or not stops:
        return Check(name, "share", None, detail=artefact.no_stop)
    wrong = [stop for stop in stops if stop != artefact.end]
    detail = f"it ends with token {wrong[0]}, its template with {artefact.end}; mend eos_token_id" if wrong else ""
    return Check(name, "share", 1 - len(wrong) / len(stops), least=1, detail=detail)


def _finite(report: SmokeReport) -> Check:
    told = [value for done in report.completions for value in done.logprobs]
    told += [value for row in report.expected for value in row]
    share = sum(math.isfinite(value) for value in told) / len(told) if told else None
    detail = "the weights overflow; export them in a wider type" if share is not None and share < 1 else ""
    return Check("log-probabilities are numbers", "share", share, least=1, detail=detail)


def _expected(report: SmokeReport) -> Check:
    """A model that finds right answers about as likely as any text is broken, whatever it has learned."""
    broken = "weights, tokenizer or prompt are not those it was trained with"
    nats = report.nats
    failed = nats is not None and not nats <= MAX_NATS
    return Check("expected answers, a token", "nats", nats, most=MAX_NATS, detail=broken if failed else "")


def _agreement(found: Agreement) -> Iterator[Check]:
    same = None if found.same_prompt_ids is None else found.same_prompt_ids / found.prompts
    other = "the tokenizer or the template is another one" if same is not None and same < 1 else ""
    yield Check("prompts read as the parent reads them", "share", same, least=1, detail=other)
    worse = "the weights say something else than the parent's"
    yield _bounded("expected answers over the parent", found.nats, MAX_NATS_OVER_PARENT, worse)
    yield _bounded("|difference| along the parent's answers", found.delta, MAX_DELTA, worse)
    yield Check("answers equal to the parent's", "share", found.equal / found.prompts)


def _bounded(name: str, nats: float | None, most: float, reason: str) -> Check:
    failed = nats is not None and not nats <= most
    return Check(name, "nats", nats, most=most, detail=reason if failed else "")


def _skill(report: SmokeReport, least: float) -> Iterator[Check]:
    done = report.score
    shares = {
        "answers that end": report.stopped,
        "valid format": done.valid,
        "right tools": done.tools,
        "exact calls": done.exact,
        "calls run": done.runs,
        "right results": done.result,
    }
    yield from (Check(name, "share", share, least=least) for name, share in shares.items())
    for style, share in done.exact_by_style.items():
        yield Check(f"exact calls, {style}", "share", share)


def _speed(report: SmokeReport) -> Iterator[Check]:
    median, late = report.first_token_seconds
    yield Check("first token, median", "seconds", median)
    yield Check("first token, 95th percentile", "seconds", late)
    yield Check("speed, prompts included", "tokens/s", report.tokens_per_second or None)
