"""The leaderboard's questions put to a model, each answer on the disk as soon as it is there.

`answers.jsonl` has a line an answer, and `run.json` says what was asked of what. The same command goes on where it
was stopped; answers are a function of case, model and settings alone, so the order of asking does not count.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, get_args

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from data_pipeline.core.schema import Message
from data_pipeline.core.turns import prompt
from data_pipeline.report.console import progress_bar
from xlam_train.infer.backends import Chat, Request
from xlam_train.infer.constrain import answer_constraint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from data_pipeline.core.xlam_format import ToolConversion, Variant
    from xlam_train.evaluate.bfcl.cases import Case
    from xlam_train.infer.backends import Backend, Completion

Prompting = Literal["template", "xlam-1", "xlam-1-bfcl"]
PROMPTINGS: tuple[Prompting, ...] = get_args(Prompting)
CHUNK = 32  # answers that a kill can cost at most; enough to keep an endpoint busy
RUN, ANSWERS = "run.json", "answers.jsonl"


class Question(Protocol):
    """What has an answer."""

    @property
    def id(self) -> str:
        """Unique on the leaderboard."""


QuestionT = TypeVar("QuestionT", bound=Question)


@dataclass(frozen=True)
class Asking:
    """What makes an answer what it is.

    Attributes:
        model: as named on the command line.
        prompting: `template` leaves messages and tools to the artefact's chat template (FC mode); a variant renders
            them here and gives the template plain messages.
        max_tokens: an answer that is not over by then is wrong.
        package: version of the leaderboard's package.
        weights: of the model, by `weights_fingerprint`; of a server, what it calls the model.
        constrained: only valid calls can come out, which the leaderboard asks of nobody.
    """

    model: str
    prompting: Prompting
    max_tokens: int
    package: str
    weights: str
    constrained: bool = False

    @property
    def variant(self) -> Variant:
        """How answers are read."""
        return "xlam-1" if self.prompting == "template" else self.prompting

    def request(self, case: Case) -> Request:
        """The case as a request."""
        constraint = answer_constraint(case.tools, self.variant) if self.constrained else None
        if self.prompting == "template":
            tools = tuple({"type": "function", "function": tool} for tool in case.tools)
            return Request(Chat(case.messages, tools), self.max_tokens, constraint=constraint)
        messages = [Message(role=m["role"], content=m["content"]) for m in case.messages]
        # As each was asked in July 2024: the published handler wrote `required` into the parameters.
        conversion: ToolConversion = "leaderboard" if self.prompting == "xlam-1-bfcl" else "card"
        asked = prompt(case.tools, messages, self.variant, conversion)
        return Request(Chat(tuple(asked.messages)), self.max_tokens, constraint=constraint)


@dataclass(frozen=True)
class Answer:
    """One line of answers.jsonl.

    Attributes:
        id: of the case.
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


def ask(backend: Backend, asking: Asking, cases: Sequence[Case], folder: Path) -> dict[str, Answer]:
    """All answers by id: those on the disk, and the rest from the model.

    Raises:
        InputError: the folder holds answers of another model or other settings, or the model cannot be asked.
    """

    def put(chunk: Sequence[Case], done: Callable[[int], None]) -> list[Answer]:
        completions = backend.complete([asking.request(case) for case in chunk], done)
        return [_answer(case, completion) for case, completion in zip(chunk, completions, strict=True)]

    return answer_all(asking, sorted(cases, key=_shared_first), folder, CHUNK, put)


def answer_all(
    asking: Asking,
    questions: Sequence[QuestionT],
    folder: Path,
    chunk_size: int,
    put: Callable[[Sequence[QuestionT], Callable[[int], None]], list[Answer]],
) -> dict[str, Answer]:
    """What the folder has not yet is asked, chunk by chunk, and stored after each.

    Args:
        asking: whose answers the folder holds.
        questions: all of them, in the order of asking.
        folder: of the answers.
        chunk_size: questions asked together.
        put: asks some; hears how many more are done.
    """
    found = {answer.id: answer for answer in open_answers(asking, folder)}
    left = [question for question in questions if question.id not in found]
    with progress_bar() as bar, (folder / ANSWERS).open("a", encoding="utf-8") as stream:
        task = bar.add_task("leaderboard", total=len(questions), completed=len(questions) - len(left), note="")
        for start in range(0, len(left), chunk_size):
            for answer in put(left[start : start + chunk_size], lambda done: bar.advance(task, done)):
                found[answer.id] = answer
                stream.write(json.dumps(asdict(answer)) + "\n")
            stream.flush()
    return {question.id: found[question.id] for question in questions}


def open_answers(asking: Asking, folder: Path) -> Iterator[Answer]:
    """Claim a folder for these settings, and read what it has.

    Raises:
        InputError: it belongs to others.
    """
    path, wanted = folder / RUN, asdict(asking)
    stored = read_json(path) if path.exists() else wanted
    if stored != wanted:
        renewed = "weights" in stored and {**stored, "weights": asking.weights} == wanted
        whose = f"{asking.model} before its weights changed" if renewed else "another model or of other settings"
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


def _answer(case: Case, completion: Completion) -> Answer:
    # Half a surrogate pair cannot be written, and a model can write one.
    text = completion.text.encode("utf-8", "replace").decode()
    return Answer(case.id, text, completion.stopped, len(completion.tokens), round(completion.seconds, 3))


def _shared_first(case: Case) -> tuple[str, str]:
    """Backends keep the keys and values of the last prompt: what begins alike is asked one after the other."""
    return json.dumps(case.tools), case.id


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
