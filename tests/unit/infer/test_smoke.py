"""What is compared, what is checked against which bar, and what is said of it."""

import json
import math
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from data_pipeline.core.errors import CheckFailed
from xlam_train.evaluate.heldout import Outcome, score
from xlam_train.infer.agreement import Agreement, Parting, answers_by_prompt, compare
from xlam_train.infer.artefact import NO_END, NO_XLAM, Artefact
from xlam_train.infer.backends import Completion
from xlam_train.infer.smoke_checks import Check, SmokeTest, checks
from xlam_train.infer.smoke_report import SmokeReport, first_of

WHOLE = Artefact(prompts=("", ""), end=9, stop=9)


def completion(*tokens: int, logprobs: tuple[float, ...] | None = None, text: str = "") -> Completion:
    margins = tuple(0.5 * (n + 1) for n in range(len(tokens)))
    return Completion(text, tokens, (-0.1,) * len(tokens) if logprobs is None else logprobs, margins, True, 0.25, 1.0)


def report(*answers: Completion, exact: int = 1, **changes: object) -> SmokeReport:
    outcomes = tuple(
        Outcome(str(i), "simple", True, True, i < exact, True, True, "ok" if i < exact else "wrong_arguments", "[/b]{}")
        for i in range(len(answers))
    )
    ids = tuple((7, i) for i in range(len(answers)))
    return replace(SmokeReport("b", score(outcomes), outcomes, answers, ids, 1.0, 1.0, 1.0, WHOLE), **changes)


def failures(found: SmokeReport, agreement: Agreement | None = None, min_exact: float = 0.5) -> dict[str, str]:
    return {check.name: check.detail for check in checks(found, agreement, min_exact) if check.verdict == "FAILED"}


SOUND = report(completion(1, 9), completion(2, 9), expected=((-0.1, -0.2), (-0.3,)))


def test_partings_name_the_first_difference_and_both_margins() -> None:
    first = report(completion(1, 2, 3), completion(1, 2), completion(4))
    second = report(completion(1, 2, 3), completion(1, 9), completion(4, 5))
    partings = (Parting("1", 1, 1.0, 1.0), Parting("2", 1, 0.0, 1.0))
    assert compare(first, second) == Agreement(3, 1, 3, partings)


def test_runs_over_other_samples_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different samples"):
        compare(report(completion(1)), report(completion(1), completion(2)))


def test_differences_of_log_probability_are_absolute_and_a_token() -> None:
    parent = report(completion(1, 2, logprobs=(-1.0, -2.0)), completion(3, logprobs=(-3.0,)), expected=((-1.0,),))
    child = replace(parent, expected=((-1.5, -2.5),))
    found = compare(parent, child, along=[(-1.5, -1.0), (-3.0,)])
    assert found.delta == pytest.approx(0.5)
    assert found.nats == pytest.approx(1.0)


def test_where_a_server_tells_no_tokens_texts_are_compared() -> None:
    silent = {"prompt_ids": ((), ())}
    first = report(completion(text="a"), completion(text="b"), **silent)
    second = report(completion(text="a"), completion(text="c"), **silent)
    assert compare(first, second) == Agreement(2, 1, None, ())


def test_the_first_samples_are_scored_alone() -> None:
    both = report(completion(1), completion(2))
    assert both.score.exact == 0.5
    assert first_of(both, 1).score.exact == 1.0
    assert answers_by_prompt([both]) == {(7, 0): (1,), (7, 1): (2,)}


def test_what_is_sound_passes_and_says_each_measure() -> None:
    assert failures(SOUND) == {}
    found = {check.name: check for check in checks(SOUND, Agreement(2, 1, 2, (), 0.01, 0.02), 0.5)}
    assert found["expected answers, a token"].shown == "0.2 nats"
    assert found["answers equal to the parent's"].shown == "50%"
    assert found["answers equal to the parent's"].verdict == "told"
    assert found["first token, median"].shown == "0.25 seconds"
    assert found["exact calls"].bar == ">= 50%"


@pytest.mark.parametrize(
    ("changes", "name", "detail"),
    [
        ({"artefact": replace(WHOLE, prompts=("", NO_XLAM))}, "prompt as the format has it", "does not speak xLAM"),
        ({"artefact": replace(WHOLE, end=2)}, "ends turns as its template does", "ends with token 9, its template wit"),
        ({"artefact": replace(WHOLE, stop=3)}, "ends turns as its template does", "ends with token 3"),
        ({"artefact": Artefact((), 9, None, NO_END)}, "ends turns as its template does", "set eos_token_id to token 9"),
        ({"expected": ((-9.0,),)}, "expected answers, a token", "not those it was trained with"),
        ({"expected": ((math.nan,),)}, "expected answers, a token", "not those it was trained with"),
        ({"expected": ((-math.inf,),)}, "log-probabilities are numbers", "overflow"),
        ({"stopped": 0.4}, "answers that end", ""),
    ],
)
def test_what_is_broken_is_named(changes: dict[str, object], name: str, detail: str) -> None:
    assert detail in failures(replace(SOUND, **changes))[name]


@pytest.mark.parametrize(
    ("agreement", "name"),
    [
        (Agreement(2, 2, 1, ()), "prompts read as the parent reads them"),
        (Agreement(2, 2, 2, (), delta=0.6), "|difference| along the parent's answers"),
        (Agreement(2, 2, 2, (), delta=math.nan), "|difference| along the parent's answers"),
        (Agreement(2, 2, 2, (), nats=0.3), "expected answers over the parent"),
    ],
)
def test_what_differs_from_the_parent_is_named(agreement: Agreement, name: str) -> None:
    assert list(failures(SOUND, agreement)) == [name]


def test_what_a_server_does_not_tell_fails_nothing() -> None:
    silent = report(completion(text="x"), exact=1, prompt_ids=((),), artefact=Artefact(None, None, None, "no grammar"))
    found = {check.name: check for check in checks(silent, Agreement(1, 1, None, ()), 0.5)}
    assert {check.verdict for check in found.values()} == {"ok", "told", "not told"}
    assert found["ends turns as its template does"].detail == "no grammar"
    assert found["prompts read as the parent reads them"].shown == "-"


def test_a_failed_test_is_one_line_for_people_and_whole_in_json() -> None:
    broken = replace(SOUND, expected=((math.nan,),))
    agreement = Agreement(2, 1, 2, (Parting("1", 0, 0.25, 0.5),))
    test = SmokeTest("m.gguf", broken, checks(broken, agreement, 0.75), "parent", SOUND, agreement)
    with pytest.raises(CheckFailed, match=r"^m.gguf: smoke test failed: .*; exact calls 50%, bar >= 75%$") as caught:
        test.require()
    assert "\n" not in str(caught.value)
    written = json.loads(json.dumps(test.to_dict(), allow_nan=False))
    assert written["passed"] is False
    assert written["nats"] is None
    assert written["agreement"]["partings"][0]["position"] == 0
    console = Console(width=200, file=StringIO())
    console.print(test.show())
    shown = console.file.getvalue()
    assert "1 (simple): wrong_arguments: '[/b]{}'" in shown
    assert "1: parts from parent at token 0, with margins of 0.250 nats there and 0.500 here" in shown


def test_what_passed_raises_nothing() -> None:
    SmokeTest("m", SOUND, checks(SOUND, None, 0.5)).require()


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.5, "ok"), (0.49, "FAILED"), (math.nan, "FAILED"), (None, "not told")]
)
def test_a_bar_is_reached_by_equality(value: float | None, verdict: str) -> None:
    assert Check("x", "share", value, least=0.5).verdict == verdict
