"""One run of the leaderboard: which cases, asked and judged, and what is kept of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from xlam_train.evaluate.answers import rate
from xlam_train.evaluate.bfcl.asking import Asking, ask
from xlam_train.evaluate.bfcl.cases import ANY_CALL, MULTI_TURN, NO_CALL, SINGLE_TURN, choose_categories, load_cases
from xlam_train.evaluate.bfcl.multi_turn import Services, ask_conversations, judge_conversations, load_conversations
from xlam_train.evaluate.bfcl.package import load_package
from xlam_train.evaluate.bfcl.scores import count, judge_answers
from xlam_train.infer.opening import open_backend, weights_fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xlam_train.evaluate.answers import Answer
    from xlam_train.evaluate.bfcl.asking import Prompting
    from xlam_train.evaluate.bfcl.scores import BfclReport, Judged
    from xlam_train.infer.backends import Backend


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
        InputError: an unknown category, irrelevance alone, a missing package, or a model that cannot be asked.
    """
    categories = choose_categories(names)
    if not set(categories) - {*NO_CALL, *ANY_CALL}:
        raise InputError("--category: a model that never calls is perfect at irrelevance; add an AST category, or core")
    if set(categories) & set(MULTI_TURN) and prompting != "xlam-1":
        raise InputError(f"--prompt: {prompting} has no multi-turn form here; use xlam-1 for multi-turn categories")
    if set(categories) & set(MULTI_TURN) and constrained:
        raise InputError("--constrained: multi-turn categories end with text, which no call is; leave them out")
    version = load_package().version
    folder.mkdir(parents=True, exist_ok=True)
    with open_backend(model) as backend:
        weights = weights_fingerprint(model) or backend.name
        asking = Asking(model, prompting, max_tokens, version, weights, constrained)
        answers, judged = _single(backend, asking, [name for name in categories if name in SINGLE_TURN], sample, folder)
        if set(categories) & set(MULTI_TURN):
            chosen = [name for name in categories if name in MULTI_TURN]
            more, conversations = _multi(backend, asking, chosen, sample, folder)
            answers, judged = {**answers, **more}, [*judged, *conversations]
    report = count(judged)
    kept = {"run": asdict(asking), "sample": sample, "speed": rate(answers.values()), **report.to_dict()}
    return report, kept


def _single(
    backend: Backend, asking: Asking, categories: Sequence[str], sample: int | None, folder: Path
) -> tuple[dict[str, Answer], list[Judged]]:
    package = load_package()
    cases = [case for name in categories for case in load_cases(package, name, sample)]
    answers = ask(backend, asking, cases, folder)
    return answers, judge_answers(package, cases, answers, asking.variant)


def _multi(
    backend: Backend, asking: Asking, categories: Sequence[str], sample: int | None, folder: Path
) -> tuple[dict[str, Answer], list[Judged]]:
    services = Services.load()
    chosen = [c for name in categories for c in load_conversations(load_package(), name, sample)]
    answers = ask_conversations(backend, services, asking, chosen, folder)
    return answers, judge_conversations(services, chosen, answers)
