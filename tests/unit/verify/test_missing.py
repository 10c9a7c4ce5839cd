"""Samples whose query leaves a required argument out."""

from __future__ import annotations

from typing import Any

import pytest

from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.verify.checks import Checker
from data_pipeline.verify.format_check import FORMAT_REASONS
from data_pipeline.verify.semantic import SEMANTIC_REASONS


def _tool(name: str, description: str, required: list[str], **properties: Any) -> Tool:
    parameters = {"type": "object", "properties": properties, "required": required}
    return Tool(name=name, description=description, parameters=parameters)


CONVERT = _tool(
    "convert_money",
    "Convert an amount of money.",
    ["amount", "source", "target"],
    amount={"type": "number", "minimum": 0},
    source={"type": "string", "enum": ["EUR", "USD", "GBP"]},
    target={"type": "string", "enum": ["EUR", "USD", "GBP"]},
    on={"type": "string", "description": "Date, YYYY-MM-DD"},
)
REMIND = _tool(
    "set_reminder",
    "Set a reminder.",
    ["text", "at"],
    text={"type": "string"},
    at={"type": "string"},
    loud={"type": "boolean"},
)
PAID = {"amount": 20, "source": "EUR"}


def _reason(query: str, name: str, arguments: dict[str, Any] | None, **changed: Any) -> tuple[str, str]:
    given = None if arguments is None else ToolCall(name=name, arguments=arguments)
    messages = (Message(role="user", content=query), Message(role="assistant"))
    sample = Trajectory(
        id="1", style="missing-parameter", tools=(CONVERT, REMIND), messages=messages, incomplete=given
    ).model_copy(update=changed)
    verdict = Checker().check_many([sample])[0].verdicts[-1]
    assert verdict.passed or verdict.reason in {"format": FORMAT_REASONS, "semantic": SEMANTIC_REASONS}[verdict.stage]
    return verdict.stage, verdict.reason


@pytest.mark.parametrize(
    ("query", "name", "arguments"),
    [
        ("Convert 20 euros for me.", "convert_money", PAID),
        ("Convert some money to dollars.", "convert_money", {"target": "USD"}),
        ("Convert 20 euros for me. I have 3 cats, by the way.", "convert_money", PAID),
        ("Set a reminder for half past two.", "set_reminder", {"at": "14:30"}),
        ("Set a reminder that says 'Call Ann'.", "set_reminder", {"text": "Call Ann"}),
        ("Please set a reminder.", "set_reminder", {}),
    ],
)
def test_good_samples_pass(query: str, name: str, arguments: dict[str, Any]) -> None:
    assert _reason(query, name, arguments) == ("semantic", "ok")


@pytest.mark.parametrize(
    ("query", "name", "arguments", "reason"),
    [
        ("Convert 20 euros.", "convert_money", None, "incomplete_missing"),
        ("Convert 20 euros.", "convert_cash", PAID, "unknown_tool"),
        ("Convert 20 euros to pounds.", "convert_money", {**PAID, "target": "GBP"}, "nothing_missing"),
        ("Convert 20 euros.", "convert_money", {"amount": "20"}, "wrong_type"),
        ("Convert -20 euros.", "convert_money", {"amount": -20}, "out_of_range"),
        ("Convert 20 yen.", "convert_money", {"source": "JPY"}, "not_in_enum"),
        ("Convert 20 euros.", "convert_money", {"sum": 20}, "unknown_argument"),
    ],
)
def test_format(query: str, name: str, arguments: dict[str, Any] | None, reason: str) -> None:
    assert _reason(query, name, arguments) == ("format", reason)


@pytest.mark.parametrize(
    ("query", "name", "arguments", "reason"),
    [
        ("Convert 20 euros.", "convert_money", {"source": "EUR"}, "value_stated"),
        ("Convert twenty euros.", "convert_money", {"source": "EUR"}, "value_stated"),
        ("Convert 20 euros to pounds.", "convert_money", PAID, "value_stated"),
        ("Convert 30 euros.", "convert_money", PAID, "value_not_grounded"),
        ("Sing me a song.", "convert_money", {}, "call_not_served"),
        ("Set a reminder at noon.", "set_reminder", {}, "value_stated"),
        ("Set a reminder on 3 March 2026.", "set_reminder", {}, "value_stated"),
        ("Set a reminder that says 'Call Ann'.", "set_reminder", {}, "value_stated"),
    ],
)
def test_semantic(query: str, name: str, arguments: dict[str, Any], reason: str) -> None:
    assert _reason(query, name, arguments) == ("semantic", reason)


def test_an_answer_that_calls_is_refused() -> None:
    call = ToolCall(name="set_reminder", arguments={"text": "tea", "at": "14:30"})
    messages = (Message(role="user", content="Set a reminder."), Message(role="assistant", tool_calls=(call,)))
    assert _reason("", "set_reminder", {}, messages=messages) == ("format", "wrong_call_count")


def test_other_styles_have_no_incomplete_call() -> None:
    assert _reason("Set a reminder.", "set_reminder", {}, style="irrelevance") == ("format", "incomplete_unexpected")


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [(["integer", "null"], "ok"), (["string", "null"], "value_stated"), (["integer", "string"], "value_stated")],
)
def test_a_parameter_may_be_of_several_types(kinds: list[str], reason: str) -> None:
    note = _tool("note_down", "Note a message down.", ["message"], message={"type": kinds})
    assert _reason("Note down 'Call Ann'.", "note_down", {}, tools=(note, REMIND)) == ("semantic", reason)
