"""A model's answers, each on the disk as soon as it is there.

`answers.jsonl` has a line an answer, and `run.json` says what was asked of what. The same command goes on where it
was stopped; answers are a function of question, model and settings alone, so the order of asking does not count.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from data_pipeline.report.console import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from xlam_train.infer.backends import Completion

CHUNK = 32  # answers that a kill can cost at most; enough to keep an endpoint busy
RUN, ANSWERS = "run.json", "answers.jsonl"


class Question(Protocol):
    """What has an answer."""

    @property
    def id(self) -> str:
        """Unique in its run."""


QuestionT = TypeVar("QuestionT", bound=Question)


@dataclass(frozen=True)
class Answer:
    """One line of answers.jsonl.

    Attributes:
        id: of the question.
        text: what the model wrote.
        stopped: it ended by itself.
        tokens: how many it wrote, 0 where a server does not tell.
        seconds: it took.
    """

    id: str
    text: str
    stopped: bool
    tokens: int
    seconds: float

    @classmethod
    def of(cls, question: Question, completion: Completion) -> Answer:
        """What a backend answered."""
        # Half a surrogate pair cannot be written, and a model can write one.
        text = completion.text.encode("utf-8", "replace").decode()
        return cls(question.id, text, completion.stopped, len(completion.tokens), round(completion.seconds, 3))


def answer_all(
    identity: Mapping[str, Any],
    questions: Sequence[QuestionT],
    folder: Path,
    chunk_size: int,
    put: Callable[[Sequence[QuestionT], Callable[[int], None]], list[Answer]],
) -> dict[str, Answer]:
    """All answers by id: those on the disk, and the rest chunk by chunk, stored after each.

    Args:
        identity: of the answers that the folder holds; see `open_answers`.
        questions: all of them, in the order of asking.
        folder: of the answers.
        chunk_size: questions asked together.
        put: asks some; hears how many more are done.

    Raises:
        InputError: the folder holds answers of another model or other settings, or the model cannot be asked.
    """
    found = {answer.id: answer for answer in open_answers(identity, folder)}
    left = [question for question in questions if question.id not in found]
    with progress_bar() as bar, (folder / ANSWERS).open("a", encoding="utf-8") as stream:
        task = bar.add_task("leaderboard", total=len(questions), completed=len(questions) - len(left), note="")
        for start in range(0, len(left), chunk_size):
            for answer in put(left[start : start + chunk_size], lambda done: bar.advance(task, done)):
                found[answer.id] = answer
                stream.write(json.dumps(asdict(answer)) + "\n")
            stream.flush()
    return {question.id: found[question.id] for question in questions}


def open_answers(identity: Mapping[str, Any], folder: Path) -> Iterator[Answer]:
    """Claim a folder for these settings, and read what it has.

    Args:
        identity: all that makes an answer what it is, `model` and `weights` among it.
        folder: of the answers.

    Raises:
        InputError: it belongs to others.
    """
    path, wanted = folder / RUN, dict(identity)
    stored = read_json(path) if path.exists() else wanted
    if stored != wanted:
        renewed = "weights" in stored and {**stored, "weights": wanted["weights"]} == wanted
        whose = f"{wanted['model']} before its weights changed" if renewed else "another model or of other settings"
        raise InputError(f"{folder}: holds answers of {whose}; choose another --out, or delete it")
    write_json(path, wanted)
    return iter(_read(folder / ANSWERS))


def _read(path: Path) -> list[Answer]:
    """A kill may have cut the last line: it is asked again."""
    if not path.exists():
        return []
    whole, _, cut = path.read_bytes().rpartition(b"\n")
    if cut:
        path.write_bytes(whole + b"\n" if whole else b"")
    return [Answer(**json.loads(line)) for line in whole.splitlines() if line]


def rate(answers: Iterable[Answer]) -> dict[str, Any]:
    """Time and length of answers."""
    done = list(answers)
    seconds, tokens = sum(answer.seconds for answer in done), sum(answer.tokens for answer in done)
    return {
        "answers": len(done),
        "stopped": round(sum(answer.stopped for answer in done) / max(len(done), 1), 4),
        "seconds_an_answer": round(seconds / max(len(done), 1), 3),
        "tokens_an_answer": round(tokens / max(len(done), 1), 1),
    }
