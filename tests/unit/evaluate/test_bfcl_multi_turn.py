"""Conversations on the leaderboard's simulated services: replayed, remembered apart, and safe."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.xlam_format import parse_calls
from xlam_train.evaluate.answers import Answer
from xlam_train.evaluate.bfcl.asking import Asking
from xlam_train.evaluate.bfcl.cases import MULTI_TURN
from xlam_train.evaluate.bfcl.multi_turn import (
    MAX_STEPS,
    Services,
    ask_conversations,
    converse,
    judge_conversation,
    judge_conversations,
    load_conversations,
    safe_calls,
)
from xlam_train.evaluate.bfcl.package import load_package
from xlam_train.evaluate.bfcl.scores import count
from xlam_train.infer.backends import Completion, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xlam_train.evaluate.bfcl.multi_turn import Conversation

pytest.importorskip("bfcl_eval", reason="needs the package bfcl-eval")


def as_answer(conversation: Conversation, calls: list[str]) -> str:
    """Source of calls -> an answer, positional arguments named by the tool's schema."""
    functions = {f["name"]: f for f in conversation.entry["function"]}
    functions |= {f["name"]: f for more in conversation.entry.get("missed_function", {}).values() for f in more}
    made = []
    for source in calls:
        node = ast.parse(source, mode="eval").body
        assert isinstance(node, ast.Call)
        name = ast.unparse(node.func)
        names = list(functions[name]["parameters"]["properties"])
        arguments = {names[i]: ast.literal_eval(value) for i, value in enumerate(node.args)}
        arguments |= {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
        made.append({"name": name, "arguments": arguments})
    return json.dumps({"tool_calls": made})


class Script:
    """A model that answers what it was told, one text after the other."""

    name = "script"

    def __init__(self, texts: Sequence[str], refuses_after: int | None = None, cut_at: int | None = None) -> None:
        self.texts, self.prompts, self.refuses_after, self.cut_at = list(texts), list[str](), refuses_after, cut_at

    def complete(self, requests: Sequence[Any], progress: Any) -> list[Completion]:
        (request,) = requests
        if len(self.prompts) == self.refuses_after:
            self.refuses_after = None
            raise RequestRefused("beyond the context")
        self.prompts.append(json.dumps(request.prompt.messages))
        return [Completion(self.texts.pop(0), (1,), (), (), len(self.prompts) != self.cut_at, 0.1, 0.1)]


def texts_of(written: Sequence[Sequence[Completion]]) -> list[list[str]]:
    return [[step.text for step in request] for request in written]


@pytest.fixture(scope="module")
def services() -> Services:
    return Services.load()


@pytest.mark.parametrize("category", MULTI_TURN)
def test_the_expected_calls_are_right_and_nothing_is_wrong(services: Services, category: str) -> None:
    for number, conversation in enumerate(load_conversations(load_package(), category)[:4]):
        texts = [text for calls in conversation.truth for text in (as_answer(conversation, calls), "[]")]
        script = Script([text for text in texts if json.loads(text) != {"tool_calls": []}])
        written = converse(script, services, conversation, 64, f"asked{number}")  # type: ignore[arg-type]
        assert judge_conversation(services, conversation, texts_of(written), f"judged{number}").valid
        silent = [["[]"] for _ in conversation.truth]
        found = judge_conversation(services, conversation, silent, f"silent{number}")
        assert found.error == "multi_turn:empty_turn_model_response"
    assert not [key for key in services.memory if key.startswith(("asked", "judged", "silent"))]


def test_results_of_calls_come_back_and_hidden_functions_appear(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_miss_func")[0]
    texts = [as_answer(conversation, calls) if calls else "[]" for calls in conversation.truth]
    script = Script([part for text in texts for part in ((text, "[]") if text != "[]" else ("[]",))])
    converse(script, services, conversation, 64, "results")  # type: ignore[arg-type]
    hidden = next(iter(conversation.entry["missed_function"].values()))[0]["name"]
    assert "TOOL RESULT" in script.prompts[1]
    assert f'\\"name\\": \\"{hidden}\\"' not in script.prompts[0]
    assert f'\\"name\\": \\"{hidden}\\"' in script.prompts[-1]


def test_a_model_that_never_stops_is_stopped(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_base")[0]
    first = as_answer(conversation, conversation.truth[0][:1])
    script = Script([first] * MAX_STEPS * len(conversation.truth))
    written = converse(script, services, conversation, 64, "endless")  # type: ignore[arg-type]
    assert [len(steps) for steps in written] == [MAX_STEPS] * len(conversation.truth)
    assert judge_conversation(services, conversation, texts_of(written), "endless").error == (
        "multi_turn:force_terminated"
    )


def test_tokens_times_and_cuts_of_all_steps_are_kept(services: Services, tmp_path: Path) -> None:
    (conversation,) = load_conversations(load_package(), "multi_turn_base")[:1]
    script = Script([as_answer(conversation, conversation.truth[0]), *["[]" for _ in conversation.truth]], cut_at=2)
    asking = Asking("m", "xlam-1", 64, "1", "w")
    answers = ask_conversations(script, services, asking, [conversation], tmp_path)  # type: ignore[arg-type]
    answer = answers[conversation.id]
    steps = 1 + len(conversation.truth)
    assert (answer.tokens, answer.seconds, answer.stopped, answer.cut) == (
        steps,
        pytest.approx(0.1 * steps),
        False,
        True,
    )
    assert count(judge_conversations(services, [conversation], answers)).categories["multi_turn_base"].cut == 1


def test_a_refused_step_ends_its_conversation_alone(services: Services, tmp_path: Path) -> None:
    first, second = load_conversations(load_package(), "multi_turn_base")[:2]
    texts = [as_answer(first, first.truth[0][:1]), *["[]" for _ in second.truth]]
    script = Script(texts, refuses_after=1)
    asking = Asking("m", "xlam-1", 64, "1", "w")
    answers = ask_conversations(script, services, asking, [first, second], tmp_path)  # type: ignore[arg-type]
    assert answers[first.id] == Answer(first.id, "", False, 0, 0.0, "beyond the context")
    judged = judge_conversations(services, [first, second], answers)
    assert [found.judgement.error for found in judged] == ["refused", "multi_turn:empty_turn_model_response"]
    assert not [key for key in services.memory if key.startswith("asked")]


@pytest.mark.parametrize(
    "answer",
    [
        '[{"name": "__import__(\\"os\\").system", "arguments": {}}]',
        '[{"name": "cd", "arguments": {"folder=print(1), x": 1}}]',
        '[{"name": "rm_everything", "arguments": {}}]',
        "cd()",
    ],
)
def test_only_literal_calls_on_offer_are_evaluated(answer: str) -> None:
    assert safe_calls(answer, {"cd"}) is None


def test_a_literal_call_is_taken() -> None:
    answer = '[{"name": "cd", "arguments": {"folder": "x"}}]'
    assert safe_calls(answer, {"cd"}) == parse_calls(answer)
