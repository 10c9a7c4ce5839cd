"""The leaderboard's multi-turn categories: several requests on simulated services that remember.

For each request the model calls until it calls nothing more; what it called is then replayed by the leaderboard's
checker beside the expected calls, and states and results are compared. The services are the package's own classes,
which run calls by `eval`. Only calls reach them whose name is on offer and whose parameter names are identifiers, with
values written as literals, so no text of a model is ever evaluated. Any other call fails as a call of an unknown name
does, and the model goes on; on the leaderboard, functions that are held back until a later request run already.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message
from data_pipeline.core.turns import prompt
from xlam_train.evaluate.answers import Answer, answer_all, complete_each, writable
from xlam_train.evaluate.bfcl.calls import as_source, read_calls
from xlam_train.evaluate.bfcl.cases import draw, tool_schema
from xlam_train.evaluate.bfcl.judging import Judgement, checker_failed, refused
from xlam_train.evaluate.bfcl.scores import Judged
from xlam_train.infer.backends import Chat, Request, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
    from pathlib import Path

    from data_pipeline.core.schema import ToolCall
    from xlam_train.evaluate.bfcl.asking import Asking
    from xlam_train.evaluate.bfcl.package import Package
    from xlam_train.infer.backends import Backend, Completion, Progress

    Steps = Generator[Request, Completion, list[list[Completion]]]

MAX_STEPS = 20  # rounds of calls for one request, the leaderboard's own limit: one more ends the conversation
MOST = {
    "power": {"base": 1e18, "exponent": 1e5},
    "square_root": {"precision": 1e5},
    "logarithm": {"precision": 1e5},
    "round_number": {"decimal_places": 1e5},
}
"""Functions of the package that compute for ever, and what their parameters may be at most, either side of 0."""
MORE_FUNCTIONS = "I have updated some more functions you can choose from. What about now?"  # the leaderboard's words
FAILED = "Error during execution: "  # and these
NOT_EVALUATED = "not_on_offer()"  # replayed for a call that must not be evaluated: a name that nothing has
_UTILS = "bfcl_eval.eval_checker.multi_turn_eval.multi_turn_utils"
_CHECKER = "bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker"


@dataclass(frozen=True)
class Services:
    """The simulated services of one conversation, and the checker's."""

    execute: Callable[..., tuple[list[str], dict[str, Any]]]
    check: Callable[..., dict[str, Any]]
    memory: dict[str, Any]
    """Where the package keeps its services between calls, by name."""

    @classmethod
    def load(cls) -> Services:
        """Import them.

        Raises:
            InputError: something that a service needs is not installed.
        """
        try:
            utils = importlib.import_module(_UTILS)
            checker = importlib.import_module(_CHECKER)
        except ImportError as error:
            raise InputError(f"multi-turn categories need {error.name}; pip install {error.name}") from error
        return cls(utils.execute_multi_turn_func_call, checker.multi_turn_checker, vars(utils))

    def forget(self, name: str) -> None:
        """End the services of a conversation."""
        for key in [key for key in self.memory if key.startswith(f"{name}_")]:
            del self.memory[key]


@dataclass(frozen=True)
class Conversation:
    """A case.

    Attributes:
        entry: as the package has it.
        truth: expected calls of each request, as source.
    """

    entry: dict[str, Any]
    truth: list[list[str]]

    @property
    def id(self) -> str:
        """The leaderboard's."""
        return str(self.entry["id"])

    @property
    def category(self) -> str:
        """Its category."""
        return self.id.rsplit("_", 1)[0]

    def functions(self, number: int) -> list[dict[str, Any]]:
        """On offer at a request; some are held back until a later one."""
        held_back = self.entry.get("missed_function", {})
        return [*self.entry["function"], *(f for n in range(number + 1) for f in held_back.get(str(n), ()))]

    def run(self, services: Services, name: str, call: ToolCall, functions: Iterable[Mapping[str, Any]]) -> str:
        """Execute a call if it may be; what it returned, as text that can be written."""
        if problem := problem_with(call, functions):
            return writable(FAILED + problem)
        long = "long_context" in self.id
        given = self.entry["initial_config"], self.entry["involved_classes"], name, self.id
        return writable(services.execute([as_source(call.name, call.arguments)], *given, long_context=long)[0][0])


def load_conversations(package: Package, category: str, sample: int | None = None) -> list[Conversation]:
    """The cases of a category, in the leaderboard's order; only `sample` of them, always the same ones, if given."""
    pairs = zip(package.load_cases(category), package.load_truth(category), strict=True)
    return draw([Conversation(entry, truth["ground_truth"]) for entry, truth in pairs], category, sample)


def ask_conversations(
    backend: Backend, services: Services, asking: Asking, conversations: Sequence[Conversation], folder: Path
) -> dict[str, Answer]:
    """All answers by id, resumable like single ones; the text of an answer is the JSON of the texts of `converse`.

    As many conversations as suits the backend go on side by side. A request that is refused ends its conversation,
    which then has no answer.
    """

    def put(chunk: Sequence[Conversation], done: Progress) -> list[Answer]:
        talks = [
            _Talk(conversation, converse(services, conversation, asking.max_tokens, f"asked_{number}"))
            for number, conversation in enumerate(chunk)
        ]
        try:
            while waiting := [talk for talk in talks if talk.answer is None]:
                found = complete_each(backend, [talk.request for talk in waiting], lambda count: None)
                ended = [talk.hear(completion) for talk, completion in zip(waiting, found, strict=True)]
                done(sum(ended))
            return [talk.answer for talk in talks if talk.answer is not None]
        finally:
            for talk in talks:
                talk.steps.close()

    return answer_all("leaderboard, multi-turn", asdict(asking), conversations, folder, backend.at_once, put)


class _Talk:
    """A conversation that waits for the model, or has come to its answer."""

    def __init__(self, conversation: Conversation, steps: Steps) -> None:
        self.answer: Answer | None = None
        self.steps = steps
        self.request = next(steps)
        self._conversation = conversation

    def hear(self, completion: Completion | RequestRefused) -> bool:
        """Go on with what came of the request; whether that was the end."""
        if isinstance(completion, RequestRefused):
            self.answer = Answer.of(self._conversation, completion)
            return True
        try:
            self.request = self.steps.send(completion)
        except StopIteration as end:
            self.answer = _answer(self._conversation, end.value)
        return self.answer is not None


def _answer(conversation: Conversation, written: Sequence[Sequence[Completion]]) -> Answer:
    """All that was written in a conversation as one answer."""
    steps = [step for request in written for step in request]
    return Answer(
        id=conversation.id,
        text=json.dumps([[step.text for step in request] for request in written]),
        stopped=all(step.stopped for step in steps),
        tokens=sum(len(step.tokens) for step in steps),
        seconds=round(sum(step.seconds for step in steps), 3),
    )


def judge_conversations(
    services: Services, conversations: Sequence[Conversation], answers: Mapping[str, Answer]
) -> list[Judged]:
    """Judge what `ask_conversations` returned."""

    def judged(conversation: Conversation, answer: Answer) -> Judged:
        if answer.refused:
            found = refused(answer.refused)
        else:
            found = judge_conversation(services, conversation, json.loads(answer.text), "judged")
        return Judged(conversation.category, answer, found)

    return [judged(conversation, answers[conversation.id]) for conversation in conversations]


def converse(services: Services, conversation: Conversation, max_tokens: int, name: str) -> Steps:
    """Hold a conversation: yields what the model is to be asked, is sent each answer, and returns all, turn by turn.

    A model that still calls after `MAX_STEPS` rounds of calls is asked no more, as on the leaderboard.

    Args:
        services: where calls run.
        conversation: the case.
        max_tokens: of one answer.
        name: of the services, unique in this process while the conversation goes on.
    """
    messages: list[Message] = []
    written: list[list[Completion]] = []
    try:
        for number, asked in enumerate(conversation.entry["question"]):
            functions = conversation.functions(number)
            turn = asked or [{"role": "user", "content": MORE_FUNCTIONS}]  # only new functions come without a text
            messages += [Message.model_validate(dict(message)) for message in turn]
            written.append([])
            while True:
                chat = prompt([tool_schema(function) for function in functions], messages)
                done = yield Request(Chat(tuple(chat.messages)), max_tokens)
                written[-1].append(done)
                calls = read_calls(done.text)
                messages.append(Message(role="assistant", tool_calls=tuple(calls)))
                if not calls:
                    break
                if len(written[-1]) > MAX_STEPS:
                    return written
                messages += [
                    Message(role="tool", content=conversation.run(services, name, call, functions)) for call in calls
                ]
    finally:
        services.forget(name)
    return written


def problem_with(call: ToolCall, functions: Iterable[Mapping[str, Any]]) -> str:
    """Why a call must not be evaluated, in the words of its failure on the leaderboard; '' if it may."""
    if call.name not in {function["name"] for function in functions}:
        return f"name '{call.name}' is not defined"
    if not all(key.isidentifier() for key in call.arguments):
        return "invalid syntax"
    sizes = [(call.arguments.get(key), most) for key, most in MOST.get(call.name, {}).items()]
    unbounded = any(isinstance(size, (int, float)) and abs(size) > most for size, most in sizes)
    return "the number is too large" if unbounded else ""


def judge_conversation(
    services: Services, conversation: Conversation, written: list[list[str]], name: str
) -> Judgement:
    """Replay the calls beside the expected ones.

    Args:
        services: fresh ones are made.
        conversation: the case.
        written: texts of what `converse` returns.
        name: of the services, unique in this process.
    """
    if len(written) != len(conversation.truth):
        return Judgement(False, False, "multi_turn:force_terminated", f"more than {MAX_STEPS} rounds for one request")
    decoded = [_sources(steps, conversation.functions(number)) for number, steps in enumerate(written)]
    try:
        found = services.check(decoded, conversation.truth, conversation.entry, conversation.category, name)
    except Exception as trouble:
        return Judgement(False, False, *checker_failed(trouble))
    finally:
        services.forget(name)
    if found["valid"]:
        return Judgement(valid=True, lenient=True)
    return Judgement(False, False, str(found["error_type"]), str(found.get("error_message", "")))


def _sources(steps: Iterable[str], functions: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The calls of answers to one request as source; answers without any are left out."""

    def source(call: ToolCall) -> str:
        return NOT_EVALUATED if problem_with(call, functions) else as_source(call.name, call.arguments)

    return [[source(call) for call in calls] for text in steps if (calls := read_calls(text))]
