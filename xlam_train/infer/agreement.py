"""Two artefacts of one model over the same queries: their tokens, and how likely they find the same answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import fmean

from xlam_train.infer.backends import Completion
from xlam_train.infer.smoke_report import SmokeReport


@dataclass(frozen=True)
class Parting:
    """Where two greedy answers first differ; margins in nats say how close the choice was on each side."""

    sample_id: str
    position: int
    margin_first: float
    margin_second: float


@dataclass(frozen=True)
class Agreement:
    """Token-by-token comparison of two artefacts on the same prompts, the first of which is the parent.

    Attributes:
        prompts: how many were asked.
        equal: answers that are the same to the last token; of the same text where a server tells no tokens.
        same_prompt_ids: prompts that both read as the same token ids; None where a server does not tell.
        partings: of the answers that differ.
        delta: mean |difference of log-probability| along the parent's answers, in nats a token; None where not told.
        nats: the second one's mean negative log-probability of the expected answers' tokens minus the parent's; None
            likewise. Its exponential is the ratio of their perplexities.
    """

    prompts: int
    equal: int
    same_prompt_ids: int | None
    partings: tuple[Parting, ...]
    delta: float | None = None
    nats: float | None = None


def compare(parent: SmokeReport, child: SmokeReport, along: Sequence[Sequence[float]] | None = None) -> Agreement:
    """Compare two runs over the same samples.

    Args:
        parent: the artefact that the other one was made of.
        child: the other one.
        along: the child's log-probabilities of the tokens of the parent's answers; None where not told.

    Raises:
        ValueError: the runs are not over the same samples.
    """
    ids = [outcome.sample_id for outcome in parent.outcomes]
    if ids != [outcome.sample_id for outcome in child.outcomes]:
        raise ValueError("the two runs answered different samples")
    pairs = list(zip(parent.completions, child.completions, strict=True))
    partings = [_parting(name, *pair) for name, pair in zip(ids, pairs, strict=True) if not _same(*pair)]
    return Agreement(
        prompts=len(ids),
        equal=sum(_same(*pair) for pair in pairs),
        same_prompt_ids=_same_prompts(parent, child),
        partings=tuple(found for found in partings if found is not None),
        delta=None if along is None else _mean_difference(parent.completions, along),
        nats=None if parent.nats is None or child.nats is None else child.nats - parent.nats,
    )


def _same(first: Completion, second: Completion) -> bool:
    if first.tokens and second.tokens:
        return first.tokens == second.tokens
    return first.text == second.text


def _parting(sample_id: str, first: Completion, second: Completion) -> Parting | None:
    if not (first.tokens and second.tokens):
        return None
    position = _shared(first.tokens, second.tokens)
    return Parting(sample_id, position, _at(first, position), _at(second, position))


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    """Number of leading tokens that are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _at(completion: Completion, position: int) -> float:
    return completion.margins[position] if position < len(completion.margins) else 0.0


def _same_prompts(parent: SmokeReport, child: SmokeReport) -> int | None:
    pairs = list(zip(parent.prompt_ids, child.prompt_ids, strict=True))
    return sum(a == b for a, b in pairs) if all(a and b for a, b in pairs) else None


def _mean_difference(parent: Sequence[Completion], along: Sequence[Sequence[float]]) -> float | None:
    found = [
        abs(mine - theirs)
        for done, row in zip(parent, along, strict=True)
        for mine, theirs in zip(row, done.logprobs, strict=True)
    ]
    return fmean(found) if found else None


def answers_by_prompt(reports: Iterable[SmokeReport]) -> dict[tuple[int, ...], tuple[int, ...]]:
    """A prompt's token ids -> the tokens of its answer, over all reports."""
    return {
        ids: done.tokens for report in reports for ids, done in zip(report.prompt_ids, report.completions, strict=True)
    }
