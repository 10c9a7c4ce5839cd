"""Conversations on the leaderboard's simulated services: replayed, remembered apart, and safe."""

from __future__ import annotations

import ast
import copy
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from stock_evaluator import Handler, stock_runner

from data_pipeline.core.schema import ToolCall
from xlam_train.evaluate.answers import Answer
from xlam_train.evaluate.bfcl.asking import Asking
from xlam_train.evaluate.bfcl.cases import MULTI_TURN
from xlam_train.evaluate.bfcl.multi_turn import (
    FAILED,
    MAX_STEPS,
    NOT_EVALUATED,
    Services,
    ask_conversations,
    converse,
    judge_conversation,
    judge_conversations,
    load_conversations,
    problem_with,
)
from xlam_train.evaluate.bfcl.package import load_package
from xlam_train.evaluate.bfcl.scores import count
from xlam_train.infer.backends import Completion, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic import JsonValue

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


def call_of(name: str, *parameters: str) -> str:
    """An answer with one call."""
    return json.dumps([{"name": name, "arguments": dict.fromkeys(parameters, 1)}])


class Script:
    """A model that answers what it was told, one text after the other."""

    name = "script"
    at_once = 1

    def __init__(self, texts: Sequence[str], refuses_after: int | None = None, cut_at: int | None = None) -> None:
        self.texts, self.prompts, self.refuses_after, self.cut_at = list(texts), list[str](), refuses_after, cut_at

    def complete(self, requests: Sequence[Any], progress: Any) -> list[Completion]:
        (request,) = requests
        if len(self.prompts) == self.refuses_after:
            self.refuses_after = None
            raise RequestRefused("beyond the context")
        self.prompts.append(json.dumps(request.prompt.messages))
        return [Completion(self.texts.pop(0), (1,), (), (), len(self.prompts) != self.cut_at, 0.1, 0.1)]


def hold(script: Script, services: Services, conversation: Conversation, name: str) -> list[list[str]]:
    """A whole conversation with the script; what it wrote for each request."""
    steps = converse(services, conversation, 64, name)
    request = next(steps)
    while True:
        (done,) = script.complete([request], lambda count: None)
        try:
            request = steps.send(done)
        except StopIteration as end:
            return [[step.text for step in answers] for answers in end.value]


class Scripts:
    """A model that keeps several conversations apart, each by what the user said first."""

    name = "scripts"

    def __init__(self, conversations: Sequence[Conversation], at_once: int, refuses: str = "") -> None:
        self.at_once, self.refuses, self.sizes, self.prompts = at_once, refuses, list[int](), set[str]()
        self.texts = {
            conversation.entry["question"][0][0]["content"]: [
                text
                for calls in conversation.truth
                for text in ([as_answer(conversation, calls), "[]"] if calls else ["[]"])
            ]
            for conversation in conversations
        }

    def complete(self, requests: Sequence[Any], progress: Any) -> list[Completion]:
        self.sizes.append(len(requests))
        self.prompts |= {json.dumps(request.prompt.messages) for request in requests}
        whose = [self.asked(request) for request in requests]
        if self.refuses in whose:
            raise RequestRefused("beyond the context")
        return [Completion(self.texts[first].pop(0), (1,), (), (), True, 0.1, 0.1) for first in whose]

    def asked(self, request: Any) -> str:
        return next(first for first in self.texts if first in request.prompt.messages[0]["content"])


@pytest.fixture(scope="module")
def services() -> Services:
    return Services.load()


@pytest.mark.parametrize("category", MULTI_TURN)
def test_the_expected_calls_are_right_and_nothing_is_wrong(services: Services, category: str) -> None:
    for number, conversation in enumerate(load_conversations(load_package(), category)[:4]):
        texts = [text for calls in conversation.truth for text in (as_answer(conversation, calls), "[]")]
        script = Script([text for text in texts if json.loads(text) != {"tool_calls": []}])
        written = hold(script, services, conversation, f"asked{number}")
        assert judge_conversation(services, conversation, written, f"judged{number}").valid
        silent = [["[]"] for _ in conversation.truth]
        found = judge_conversation(services, conversation, silent, f"silent{number}")
        assert found.error == "multi_turn:empty_turn_model_response"
    assert not [key for key in services.memory if key.startswith(("asked", "judged", "silent"))]


def test_results_of_calls_come_back_and_hidden_functions_appear(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_miss_func")[0]
    texts = [as_answer(conversation, calls) if calls else "[]" for calls in conversation.truth]
    script = Script([part for text in texts for part in ((text, "[]") if text != "[]" else ("[]",))])
    hold(script, services, conversation, "results")
    hidden = next(iter(conversation.entry["missed_function"].values()))[0]["name"]
    assert "TOOL RESULT" in script.prompts[1]
    assert f'\\"name\\": \\"{hidden}\\"' not in script.prompts[0]
    assert f'\\"name\\": \\"{hidden}\\"' in script.prompts[-1]


def test_a_model_that_never_stops_ends_its_conversation(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_base")[0]
    script = Script([as_answer(conversation, conversation.truth[0][:1])] * 100)
    written = hold(script, services, conversation, "endless")
    assert [len(steps) for steps in written] == [MAX_STEPS + 1]
    found = judge_conversation(services, conversation, written, "endless")
    assert found.error == "multi_turn:force_terminated"


def test_as_many_rounds_as_on_the_leaderboard_are_allowed(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_base")[0]
    first, *others = ([as_answer(conversation, calls), "[]"] for calls in conversation.truth)
    rounds = [call_of("pwd")] * (MAX_STEPS - 1) + first
    script = Script([*rounds, *(text for texts in others for text in texts)])
    written = hold(script, services, conversation, "patient")
    assert len(written[0]) == MAX_STEPS + 1
    assert judge_conversation(services, conversation, written, "patient").valid


def test_a_call_of_an_unknown_name_fails_and_the_model_goes_on(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_base")[0]
    texts = [text for calls in conversation.truth for text in (as_answer(conversation, calls), "[]")]
    script = Script([call_of("make_coffee"), call_of("cd", "folder, x"), *texts])
    written = hold(script, services, conversation, "unknown")
    assert "Error during execution: name 'make_coffee' is not defined" in script.prompts[1]
    assert "Error during execution: invalid syntax" in script.prompts[2]
    assert judge_conversation(services, conversation, written, "unknown").valid


def test_a_function_that_is_held_back_runs_from_its_own_request_on(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_miss_func")[0]
    (number, functions) = next(iter(conversation.entry["missed_function"].items()))
    name = functions[0]["name"]
    assert [name in {f["name"] for f in conversation.functions(n)} for n in range(int(number) + 1)] == (
        [False] * int(number) + [True]
    )
    texts = [[as_answer(conversation, calls) if calls else "[]", "[]"] for calls in conversation.truth]
    early = [[texts[int(number)][0], *texts[0]], *texts[1:]]
    script = Script([text for steps in early for text in (steps if steps[0] != "[]" else steps[:1])])
    written = hold(script, services, conversation, "early")
    assert f"Error during execution: name '{name}' is not defined" in script.prompts[1]
    assert judge_conversation(services, conversation, written, "early").valid


def test_conversations_side_by_side_are_those_held_alone(services: Services, tmp_path: Path) -> None:
    conversations = load_conversations(load_package(), "multi_turn_base")[:5]
    asking = Asking("m", "xlam-1", 64, "1", "w")
    found, prompts = [], []
    for at_once in (1, 3):
        backend = Scripts(conversations, at_once)
        folder = tmp_path / str(at_once)
        found.append(ask_conversations(backend, services, asking, conversations, folder))  # type: ignore[arg-type]
        prompts.append(backend.prompts)
        assert max(backend.sizes) == at_once
    assert found[0] == found[1]
    assert prompts[0] == prompts[1], "each has services of its own, which remember"
    assert all(entry.judgement.valid for entry in judge_conversations(services, conversations, found[1]))
    assert not [key for key in services.memory if key.startswith("asked")]


def test_a_refusal_leaves_the_conversations_beside_it_alone(services: Services, tmp_path: Path) -> None:
    conversations = load_conversations(load_package(), "multi_turn_base")[:4]
    asking = Asking("m", "xlam-1", 64, "1", "w")
    backend = Scripts(conversations, 4, refuses=conversations[1].entry["question"][0][0]["content"])
    answers = ask_conversations(backend, services, asking, conversations, tmp_path)  # type: ignore[arg-type]
    judged = judge_conversations(services, conversations, answers)
    assert [entry.judgement.error for entry in judged] == ["", "refused", "", ""]


def test_a_server_that_goes_away_leaves_no_services_behind(services: Services, tmp_path: Path) -> None:
    conversations = load_conversations(load_package(), "multi_turn_base")[:2]
    backend = Scripts(conversations, 2)
    for texts in backend.texts.values():
        del texts[1:]
    with pytest.raises(IndexError):
        ask_conversations(backend, services, Asking("m", "xlam-1", 64, "1", "w"), conversations, tmp_path)  # type: ignore[arg-type]
    assert not [key for key in services.memory if key.startswith("asked")]


@pytest.mark.parametrize("category", MULTI_TURN)
def test_judgements_equal_the_stock_evaluators(
    services: Services, category: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = stock_runner(monkeypatch)
    verdicts = Counter[bool]()
    for conversation in load_conversations(load_package(), category)[:6]:
        right = [[as_answer(conversation, calls), "[]"] if calls else ["[]"] for calls in conversation.truth]
        first, rest = right[0], right[1:]
        for number, written in enumerate(
            [
                right,
                [[call_of("make_coffee"), *first], *rest],
                [[call_of("make_coffee")], *rest],
                [["I would rather not."], *rest],
                [[first[0]] * (MAX_STEPS + 1)],
                [*right[:-1], [right[-1][0]] * (MAX_STEPS + 1)],
            ]
        ):
            ours = judge_conversation(services, conversation, written, f"ours{number}")
            entry = copy.deepcopy(conversation.entry)
            theirs = runner._evaluate_single_multi_turn_entry(
                Handler(), entry["id"], written, conversation.truth, entry, f"stock{number}", category
            )
            services.forget(f"stock{number}")
            assert ours.valid == theirs["valid"]
            assert ours.valid or ours.error == theirs["error"]["error_type"]
            verdicts[ours.valid] += 1
    assert set(verdicts) == {True, False}


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
def test_only_literal_calls_on_offer_are_evaluated(services: Services, answer: str) -> None:
    conversation = load_conversations(load_package(), "multi_turn_base")[0]
    evaluated: list[list[list[str]]] = []

    def execute(*_: Any, **__: Any) -> Any:
        raise AssertionError("evaluated")

    def check(decoded: list[list[list[str]]], *_: Any) -> dict[str, Any]:
        evaluated.extend(decoded)
        return {"valid": True}

    watched = replace(services, execute=execute, check=check)
    script = Script([answer, *["[]"] * 9])
    written = hold(script, watched, conversation, "watched")
    judge_conversation(watched, conversation, written, "watched")
    assert {source for request in evaluated for step in request for source in step} <= {NOT_EVALUATED}


def test_what_stands_for_calls_that_are_not_evaluated_fails(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_base")[0]
    given = conversation.entry["initial_config"], conversation.entry["involved_classes"], "fails", conversation.id
    (result,), _ = services.execute([NOT_EVALUATED], *given)
    services.forget("fails")
    assert result.startswith(FAILED)


def test_what_would_compute_for_ever_is_not_evaluated() -> None:
    functions = [{"name": name} for name in ("power", "square_root", "logarithm", "round_number")]
    huge: list[tuple[str, dict[str, JsonValue]]] = [
        ("power", {"base": 9, "exponent": 10**12}),
        ("power", {"base": -(10**400), "exponent": 99_999}),
        ("square_root", {"number": 2, "precision": 10**9}),
        ("logarithm", {"value": 2, "base": 3, "precision": 10**9}),
        ("round_number", {"number": 7, "decimal_places": -(10**9)}),
    ]
    for name, arguments in huge:
        assert "too large" in problem_with(ToolCall(name=name, arguments=arguments), functions)
    assert problem_with(ToolCall(name="power", arguments={"base": 10**12, "exponent": 2}), functions) == ""


def test_half_a_surrogate_pair_in_a_call_can_be_written_into_the_next_prompt(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_base")[0]
    script = Script(['[{"name": "\\ud83d", "arguments": {}}]', *["[]"] * 9])
    hold(script, services, conversation, "half")
    assert "name '?' is not defined" in script.prompts[1]
    script.prompts[1].encode()


def test_a_checker_that_fails_on_an_answer_does_not_end_the_scoring(services: Services) -> None:
    conversation = load_conversations(load_package(), "multi_turn_base")[0]

    def check(*_: Any) -> dict[str, Any]:
        raise KeyError("unheard of")

    written = [["[]"] for _ in conversation.truth]
    found = judge_conversation(replace(services, check=check), conversation, written, "failing")
    assert (found.valid, found.lenient, found.error) == (False, False, "checker:KeyError")
