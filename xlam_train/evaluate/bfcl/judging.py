"""Right or wrong, as the leaderboard's own evaluator says, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import FormatError
from data_pipeline.core.xlam_format import parse_calls
from xlam_train.evaluate.bfcl.calls import for_checker
from xlam_train.evaluate.bfcl.cases import AST, NO_CALL
from xlam_train.evaluate.bfcl.package import MODEL

if TYPE_CHECKING:
    from xlam_train.evaluate.bfcl.calls import Calls
    from xlam_train.evaluate.bfcl.cases import Case
    from xlam_train.evaluate.bfcl.package import Package


@dataclass(frozen=True)
class Judgement:
    """Of one answer.

    Attributes:
        valid: right by the strict reading.
        lenient: right if the first JSON object or list inside the text is read, whatever stands around it; as `valid`
            where the strict reading finds calls.
        error: class of the error of the strict reading; '' if it is right.
        detail: what the evaluator said.
    """

    valid: bool
    lenient: bool
    error: str = ""
    detail: str = ""


def refused(reason: str) -> Judgement:
    """Of a case without an answer: wrong, also where nothing is to be called."""
    return Judgement(valid=False, lenient=False, error="refused", detail=reason)


def checker_failed(trouble: Exception) -> tuple[str, str]:
    """Class and text of an error of the checker, which is not made for every value: no answer may end the scoring."""
    return f"checker:{type(trouble).__name__}", str(trouble)


def judge(package: Package, case: Case, answer: str, variant: str = "xlam-1") -> Judgement:
    """Judge an answer.

    Args:
        package: the leaderboard's.
        case: what was asked.
        answer: the model's text.
        variant: how it writes calls.
    """
    calls, reason = read_strictly(answer, variant)
    error, detail = _error(package, case, calls, reason)
    if calls:
        return Judgement(valid=not error, lenient=not error, error=error, detail=detail)
    rescued, _ = _error(package, case, read_leniently(answer, variant), reason)
    return Judgement(valid=not error, lenient=not rescued, error=error, detail=detail)


def read_strictly(answer: str, variant: str) -> tuple[Calls | None, str]:
    """The calls in the evaluator's form, or None and the parser's reason."""
    try:
        return for_checker(parse_calls(answer, variant)), ""
    except FormatError as error:
        return None, error.reason


def read_leniently(answer: str, variant: str) -> Calls | None:
    """The calls of the first JSON value in a text that holds any."""
    decoder = json.JSONDecoder()
    for start, sign in enumerate(answer):
        if sign in "{[":
            try:
                _, end = decoder.raw_decode(answer, start)
                return for_checker(parse_calls(answer[start:end], variant))
            except (FormatError, ValueError, RecursionError):
                continue
    return None


def _error(package: Package, case: Case, calls: Calls | None, reason: str) -> tuple[str, str]:
    """Class and text of what is wrong; ('', '') if nothing is.

    An answer that cannot be read calls nothing, which is right where nothing is to be called.
    """
    if case.category not in AST:
        if bool(calls) != (case.category in NO_CALL):
            return "", ""
        return ("calls_something", "called a tool that does not help") if calls else ("calls_nothing", reason)
    if calls is None:
        return f"unreadable:{reason}", reason
    language = package.languages[case.language]
    try:
        found = package.ast_checker(case.functions, calls, case.truth, language, case.category, MODEL)
    except Exception as trouble:
        return checker_failed(trouble)
    if found["valid"]:
        return "", ""
    return str(found["error_type"]), _text(found["error"])


def _text(error: Any) -> str:
    return "; ".join(map(str, error)) if isinstance(error, list) else str(error)
