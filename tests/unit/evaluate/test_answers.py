"""Answers on the disk: what is asked again, what is refused, and whose they are."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.lock import locked
from data_pipeline.core.variants import CONVERSIONS, VARIANTS
from xlam_train.evaluate.answers import (
    ANSWERS,
    CHUNK,
    RUN,
    Answer,
    answer_all,
    complete_each,
    open_answers,
    prompts_sha256,
    rate,
)
from xlam_train.infer.backends import Completion, Request, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

IDENTITY = {"model": "m", "weights": "w"}


@dataclass(frozen=True)
class Question:
    id: str


class Picky:
    """A backend that refuses what is too long, and writes anything else in capitals."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def complete(self, requests: Sequence[Request], progress: Any) -> list[Completion]:
        self.asked.append(len(requests))
        if any("long" in str(request.prompt) for request in requests):
            raise RequestRefused("the prompt is beyond the context")
        progress(len(requests))
        return [Completion(str(request.prompt).upper(), (1, 2), (), (), True, 0.1, 0.2) for request in requests]


def run(folder: Path, ids: Sequence[str], backend: Picky, chunk_size: int = CHUNK) -> dict[str, Answer]:
    def put(chunk: Sequence[Question], done: Any) -> list[Answer]:
        found = complete_each(backend, [Request(question.id) for question in chunk], done)  # type: ignore[arg-type]
        return [Answer.of(*pair) for pair in zip(chunk, found, strict=True)]

    return answer_all("test", IDENTITY, [Question(name) for name in ids], folder, chunk_size, put)


def test_what_is_refused_is_found_one_by_one_and_the_rest_is_answered(tmp_path: Path) -> None:
    backend = Picky()
    answers = run(tmp_path, ["a", "long", "b"], backend)
    assert backend.asked == [3, 1, 1, 1]
    assert [answers[name].text for name in ("a", "b")] == ["A", "B"]
    assert answers["long"] == Answer("long", "", False, 0, 0.0, "the prompt is beyond the context")
    assert rate(answers.values())["answers"] == 2
    assert run(tmp_path, ["a", "long", "b"], backend) == answers
    assert len(backend.asked) == 4, "a refusal is an answer of its own, and is not asked again"


@pytest.mark.parametrize(("count", "chunk_size"), [(CHUNK, CHUNK), (CHUNK + 9, CHUNK), (3, CHUNK), (CHUNK + 9, 1)])
def test_a_run_that_begins_with_nothing_but_refusals_ends(tmp_path: Path, count: int, chunk_size: int) -> None:
    ids = [f"long {number}" for number in range(count)]
    message = f"none of the first {min(count, CHUNK)} questions was answered; mend this first: the prompt is beyond"
    with pytest.raises(InputError, match=message):
        run(tmp_path, ids, Picky(), chunk_size)
    assert (tmp_path / ANSWERS).read_text() == ""


def test_a_first_refusal_waits_for_an_answer(tmp_path: Path) -> None:
    answers = run(tmp_path, ["long", "long, too", "a", "very long"], Picky(), chunk_size=1)
    stored = [json.loads(line)["id"] for line in (tmp_path / ANSWERS).read_text().splitlines()]
    assert stored == list(answers) == ["long", "long, too", "a", "very long"]


def test_after_an_answer_only_refusals_may_be_left(tmp_path: Path) -> None:
    run(tmp_path, ["a"], Picky())
    assert run(tmp_path, ["a", "long"], Picky())["long"].refused


def test_a_folder_is_of_one_run_at_a_time(tmp_path: Path) -> None:
    backend = Picky()
    with locked(tmp_path), pytest.raises(InputError, match="another run is writing here; wait for it"):
        run(tmp_path, ["a"], backend)
    assert backend.asked == []
    assert run(tmp_path, ["a"], backend)["a"].text == "A"


def test_a_line_that_a_kill_cut_is_asked_again(tmp_path: Path) -> None:
    answers = run(tmp_path, ["a", "b"], Picky())
    whole = (tmp_path / ANSWERS).read_bytes()
    for cut in (whole[:-1], whole[:-9], whole[:5]):
        (tmp_path / ANSWERS).write_bytes(cut)
        assert run(tmp_path, ["a", "b"], Picky()) == answers
        assert (tmp_path / ANSWERS).read_bytes() == whole


def test_answers_that_nothing_says_whose_are_nobodys(tmp_path: Path) -> None:
    run(tmp_path, ["a"], Picky())
    (tmp_path / RUN).unlink()
    with pytest.raises(InputError, match=r"holds answers, and no run\.json says whose; choose another --out"):
        run(tmp_path, ["a"], Picky())


def test_prompts_in_other_words_are_other_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    both = itertools.product(VARIANTS, CONVERSIONS)
    found = {prompts_sha256(variant, conversion) for variant, conversion in both}
    # The leaderboard's conversion changes nothing where schemas go to the template.
    assert len(found) in (len(VARIANTS) * 2, len(VARIANTS) * 2 - 1)
    before = prompts_sha256("xlam-1", "card")
    assert prompts_sha256("xlam-1", "card") == before
    monkeypatch.setattr("data_pipeline.core.xlam_format.FORMAT_INSTRUCTION", "Call something.")
    assert prompts_sha256("xlam-1", "card") != before


def test_answers_from_before_refusals_are_read(tmp_path: Path) -> None:
    list(open_answers(IDENTITY, tmp_path))
    line = {key: value for key, value in asdict(Answer("a", "A", True, 2, 0.2)).items() if key != "refused"}
    (tmp_path / ANSWERS).write_text(json.dumps(line) + "\n")
    assert list(open_answers(IDENTITY, tmp_path)) == [Answer("a", "A", True, 2, 0.2)]
