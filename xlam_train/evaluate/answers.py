"""A model's answers, each on the disk as soon as it is there.

`answers.jsonl` has a line an answer, and `run.json` says what was asked of what. The same command goes on where it
was stopped; but for rounding, answers are a function of question, model and settings alone, so the order of asking
does not count.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from data_pipeline.core.lock import locked
from data_pipeline.core.schema import Message, Tool, ToolCall
from data_pipeline.core.turns import prompt
from data_pipeline.report.console import progress_bar
from xlam_train.infer.backends import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from data_pipeline.core.variants import ToolConversion, Variant
    from xlam_train.infer.backends import Backend, Completion, Progress, Request

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
        refused: why there is no answer, such as a prompt beyond the context; '' where there is one.
    """

    id: str
    text: str
    stopped: bool
    tokens: int
    seconds: float
    refused: str = ""

    @property
    def cut(self) -> bool:
        """It was not over at the most tokens that an answer may have."""
        return not self.stopped and not self.refused

    @classmethod
    def of(cls, question: Question, completion: Completion | RequestRefused) -> Answer:
        """What came of a request."""
        if isinstance(completion, RequestRefused):
            return cls(question.id, "", False, 0, 0.0, str(completion))
        tokens, seconds = len(completion.tokens), round(completion.seconds, 3)
        return cls(question.id, writable(completion.text), completion.stopped, tokens, seconds)


def writable(text: str) -> str:
    """The text without half surrogate pairs, which a model can write and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def prompts_sha256(variant: Variant, conversion: ToolConversion) -> str:
    """How conversations are written today: answers to prompts of another version are not taken for answers to ours."""
    number = {"type": "object", "properties": {"n": {"type": "integer", "default": 1}}, "required": ["n"]}
    tool = Tool(name="f", description="d", parameters=number)
    called = Message(role="assistant", tool_calls=(ToolCall(name="f", arguments={"n": 1}),))
    returned, said = Message(role="tool", content="t"), Message(role="user", content="u")
    asked = prompt([tool], [Message(role="system", content="s"), said, called, returned, said], variant, conversion)
    return hashlib.sha256(json.dumps([asked.messages, asked.tools]).encode()).hexdigest()


def complete_each(
    backend: Backend, requests: Sequence[Request], progress: Progress
) -> list[Completion | RequestRefused]:
    """As `Backend.complete`, with the refusal in place of each answer that is refused.

    Answers are a function of their requests, so where one is refused, all are asked again one by one.

    Raises:
        InputError: the model cannot be asked.
    """
    try:
        return [*backend.complete(requests, progress)]
    except RequestRefused as refusal:
        if len(requests) == 1:
            return [refusal]
    return [found for request in requests for found in complete_each(backend, [request], lambda count: None)]


def ask_each(
    backend: Backend,
    title: str,
    identity: Mapping[str, Any],
    questions: Sequence[QuestionT],
    request: Callable[[QuestionT], Request],
    folder: Path,
) -> dict[str, Answer]:
    """All answers by id, one request a question; arguments as for `answer_all`.

    Raises:
        InputError: see `answer_all`.
    """

    def put(chunk: Sequence[QuestionT], done: Progress) -> list[Answer]:
        completions = complete_each(backend, [request(question) for question in chunk], done)
        return [Answer.of(*pair) for pair in zip(chunk, completions, strict=True)]

    return answer_all(title, identity, questions, folder, CHUNK, put)


def answer_all(
    title: str,
    identity: Mapping[str, Any],
    questions: Sequence[QuestionT],
    folder: Path,
    chunk_size: int,
    put: Callable[[Sequence[QuestionT], Progress], list[Answer]],
) -> dict[str, Answer]:
    """All answers by id: those on the disk, and the rest chunk by chunk, stored after each.

    Args:
        title: of the progress bar.
        identity: of the answers that the folder holds; see `open_answers`.
        questions: all of them, in the order of asking.
        folder: of the answers.
        chunk_size: questions asked together.
        put: asks some; hears how many more are done.

    Raises:
        InputError: the folder holds answers of another model or other settings, another run writes it, the model cannot
            be asked, or refused all it was asked first.
    """
    with locked(folder):
        found = {answer.id: answer for answer in open_answers(identity, folder)}
        _drop_cut_line(folder / ANSWERS)
        left = [question for question in questions if question.id not in found]
        known = len(questions) - len(left)
        fresh: list[Answer] = []
        with progress_bar() as bar, (folder / ANSWERS).open("a", encoding="utf-8") as stream:
            task = bar.add_task(title, total=len(questions), completed=known, note="")
            for start in range(0, len(left), chunk_size):
                fresh += put(left[start : start + chunk_size], lambda done: bar.advance(task, done))
                bar.update(task, completed=known + min(start + chunk_size, len(left)))
                if not found and _are_all_refused(fresh, min(CHUNK, len(left))):
                    continue  # stored with the first one that is answered
                stream.writelines(json.dumps(asdict(answer)) + "\n" for answer in fresh)
                stream.flush()
                found.update((answer.id, answer) for answer in fresh)
                fresh = []
    return {question.id: found[question.id] for question in questions}


def _are_all_refused(first: Sequence[Answer], enough: int) -> bool:
    """Whether the first answers of a run are refusals, all of them.

    Raises:
        InputError: they are `enough` to tell that model or settings are wrong, which must not become a score of 0.
    """
    if not all(answer.refused for answer in first):
        return False
    if len(first) < enough:
        return True
    raise InputError(f"none of the first {len(first)} questions was answered; mend this first: {first[0].refused}")


def open_answers(identity: Mapping[str, Any], folder: Path) -> Iterator[Answer]:
    """Claim a folder for these settings, and read what it has.

    Args:
        identity: all that makes an answer what it is, `model` and `weights` among it.
        folder: of the answers.

    Raises:
        InputError: it belongs to others, or nothing says to whom.
    """
    check_owner(identity, folder)
    write_json(folder / RUN, dict(identity))
    return iter(_read(folder / ANSWERS))


def check_owner(identity: Mapping[str, Any], folder: Path) -> None:
    """Raises:
    InputError: a folder holds answers of another model or other settings, or nothing says whose; see `open_answers`.
    """
    path, wanted = folder / RUN, dict(identity)
    if not path.exists() and (folder / ANSWERS).exists():
        raise InputError(f"{folder}: holds answers, and no {RUN} says whose; choose another --out, or delete it")
    stored = read_json(path) if path.exists() else wanted
    if stored != wanted:
        renewed = "weights" in stored and {**stored, "weights": wanted["weights"]} == wanted
        whose = f"{wanted['model']} before its weights changed" if renewed else "another model or of other settings"
        raise InputError(f"{folder}: holds answers of {whose}; choose another --out, or delete it")


def has_all(folder: Path, questions: Iterable[Question]) -> bool:
    """Whether a folder that some run claimed holds an answer to each question, so that no model is needed."""
    found = {answer.id for answer in _read(folder / ANSWERS)}
    return (folder / RUN).exists() and all(question.id in found for question in questions)


def stored_weights(folder: Path) -> str | None:
    """Whose answers a claimed folder holds; None if it does not tell."""
    weights: str | None = read_json(folder / RUN).get("weights")
    return weights


def _read(path: Path) -> list[Answer]:
    """A kill may have cut the last line: it is asked again."""
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [Answer(**json.loads(line)) for line in whole.splitlines() if line]


def _drop_cut_line(path: Path) -> None:
    """So that the next line begins one."""
    if path.exists() and (cut := len(path.read_bytes().rpartition(b"\n")[2])):
        os.truncate(path, path.stat().st_size - cut)


def rate(answers: Iterable[Answer]) -> dict[str, Any]:
    """Time and length of answers, without what was refused."""
    done = [answer for answer in answers if not answer.refused]
    seconds, tokens = sum(answer.seconds for answer in done), sum(answer.tokens for answer in done)
    return {
        "answers": len(done),
        "stopped": round(sum(answer.stopped for answer in done) / max(len(done), 1), 4),
        "seconds_an_answer": round(seconds / max(len(done), 1), 3),
        "tokens_an_answer": round(tokens / max(len(done), 1), 1),
    }
