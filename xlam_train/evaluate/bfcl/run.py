"""One run of the leaderboard: which cases, asked and judged, and what is kept of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from xlam_train.evaluate.answers import check_owner, has_all, rate, stored_weights
from xlam_train.evaluate.bfcl.asking import Asking, ask
from xlam_train.evaluate.bfcl.cases import (
    ANY_CALL,
    AST,
    MULTI_TURN,
    NO_CALL,
    SINGLE_TURN,
    choose_categories,
    load_cases,
)
from xlam_train.evaluate.bfcl.multi_turn import Services, ask_conversations, judge_conversations, load_conversations
from xlam_train.evaluate.bfcl.package import load_package
from xlam_train.evaluate.bfcl.scores import count, judge_answers
from xlam_train.infer.opening import open_backend, weights_fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from xlam_train.evaluate.answers import Answer
    from xlam_train.evaluate.bfcl.cases import Case
    from xlam_train.evaluate.bfcl.multi_turn import Conversation
    from xlam_train.evaluate.bfcl.prompting import Prompting
    from xlam_train.evaluate.bfcl.scores import BfclReport


def run_bfcl(
    model: str,
    names: Sequence[str],
    prompting: Prompting,
    max_tokens: int,
    sample: int | None,
    folder: Path,
    constrained: bool = False,
) -> tuple[BfclReport, dict[str, Any]]:
    """Ask and judge, or go on where the same run was stopped.

    Args:
        model: as for `open_backend`.
        names: categories and groups of them.
        prompting: who writes the prompt.
        max_tokens: of one answer.
        sample: so many of each category; None is all.
        folder: of the answers; created.
        constrained: only valid calls can come out.

    Returns:
        The report, and all there is to keep as plain data.

    Raises:
        InputError: an unknown category, irrelevance or relevance alone, a missing package, or a model that cannot be
            asked.
    """
    categories = choose_categories(names)
    _check(frozenset(categories), prompting, constrained)
    package = load_package()
    cases = [c for name in categories if name in SINGLE_TURN for c in load_cases(package, name, sample)]
    conversations = [c for name in categories if name in MULTI_TURN for c in load_conversations(package, name, sample)]
    services = Services.load() if conversations else None

    def asking_of(weights: str) -> Asking:
        return Asking.of(model, prompting, max_tokens, package.version, weights, constrained)

    asking, answers = _ask(asking_of, model, cases, conversations, services, folder)
    judged = judge_answers(package, cases, answers, asking.variant)
    if services is not None:
        judged += judge_conversations(services, conversations, answers)
    report = count(judged)
    kept = {
        "run": asdict(asking),
        "sample": sample,
        "differences": asking.differences(sample),
        "speed": rate(answers.values()),
        **report.to_dict(),
    }
    return report, kept


def _ask(
    asking_of: Callable[[str], Asking],
    model: str,
    cases: Sequence[Case],
    conversations: Sequence[Conversation],
    services: Services | None,
    folder: Path,
) -> tuple[Asking, dict[str, Answer]]:
    """All answers by id, and how they were asked for; the model is only loaded if some are missing."""
    with ExitStack() as stack:
        backend, weights = open_backend(model), weights_fingerprint(model)
        if weights is not None:  # before it is loaded
            check_owner(asdict(asking_of(weights)), folder)
        if not has_all(folder, (*cases, *conversations)):
            stack.enter_context(backend)
        elif weights is None:  # a server need not be there for what it has answered
            weights = stored_weights(folder)
        asking = asking_of(weights or backend.name)
        answers = ask(backend, asking, cases, folder)
        if services is not None:
            answers |= ask_conversations(backend, services, asking, conversations, folder)
    return asking, answers


def _check(categories: frozenset[str], prompting: Prompting, constrained: bool) -> None:
    """Raises:
    InputError: the categories tell nothing by themselves, or cannot be asked so.
    """
    if categories.isdisjoint(AST):
        if not categories.isdisjoint(NO_CALL):
            raise InputError(
                "--category: a model that never calls is perfect at irrelevance; add an AST category, or core"
            )
        if not categories.isdisjoint(ANY_CALL):
            raise InputError(
                "--category: a model that always calls is perfect at relevance; add an AST category, or live"
            )
    if categories.isdisjoint(MULTI_TURN):
        return
    if prompting != "xlam-1":
        raise InputError(f"--prompt: {prompting} has no multi-turn form here; use xlam-1 for multi-turn categories")
    if constrained:
        raise InputError("--constrained: multi-turn categories end with text, which no call is; leave them out")
