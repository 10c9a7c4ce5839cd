"""The first check: one broken sample a reason."""

from __future__ import annotations

from typing import Any

import pytest

from data_pipeline.core.schema import Message, Style, Tool, ToolCall, Trajectory
from data_pipeline.verify.format_check import FORMAT_REASONS, check_format


def _tool(name: str) -> Tool:
    properties: dict[str, Any] = {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}}
    return Tool(
        name=name,
        description=f"The {name} of a city.",
        parameters={"type": "object", "properties": properties, "required": ["city"]},
    )


def _call(name: str = "weather", **arguments: Any) -> ToolCall:
    return ToolCall(name=name, arguments=arguments or {"city": "Oslo"})


def _sample(
    style: Style = "simple",
    tools: tuple[str, ...] = ("weather",),
    calls: tuple[ToolCall, ...] = (_call(),),
    query: str = "Weather in Oslo?",
) -> Trajectory:
    messages = (Message(role="user", content=query), Message(role="assistant", tool_calls=calls))
    return Trajectory(id="1", style=style, tools=tuple(_tool(name) for name in tools), messages=messages)


TWO = (_call(), _call(city="Rome"))
MIXED = (_call(), _call("traffic"))


@pytest.mark.parametrize(
    "sample",
    [
        _sample(),
        _sample("multiple", ("weather", "traffic")),
        _sample("parallel", calls=TWO),
        _sample("parallel", ("weather", "traffic"), TWO),
        _sample("parallel-multiple", ("weather", "traffic"), MIXED),
        _sample("irrelevance", ("traffic",), ()),
    ],
)
def test_good_samples_pass(sample: Trajectory) -> None:
    verdict = check_format(sample)
    assert (verdict.stage, verdict.passed, verdict.reason) == ("format", True, "ok")


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (_sample(query=" \n"), "blank_query"),
        (_sample("multiple", ("weather", "weather")), "duplicate_tool"),
        (_sample("simple", ("weather", "traffic")), "wrong_tool_count"),
        (_sample("multiple"), "wrong_tool_count"),
        (_sample("irrelevance", (), ()), "wrong_tool_count"),
        (_sample(calls=(_call("wether"),)), "unknown_tool"),
        (_sample(calls=()), "wrong_call_count"),
        (_sample(calls=TWO), "wrong_call_count"),
        (_sample("parallel"), "wrong_call_count"),
        (_sample("parallel", ("weather", "traffic"), MIXED), "wrong_call_count"),
        (_sample("parallel-multiple", ("weather", "traffic"), TWO), "wrong_call_count"),
        (_sample("irrelevance"), "wrong_call_count"),
        (_sample(calls=(_call(days=2),)), "missing_argument"),
        (_sample(calls=(_call(city="Oslo", day=2),)), "unknown_argument"),
        (_sample(calls=(_call(city=3),)), "wrong_type"),
        (_sample(calls=(_call(city="Oslo", days=0),)), "out_of_range"),
        (_sample("parallel", calls=(_call(), _call())), "repeated_call"),
    ],
)
def test_broken_samples_are_dropped_with_the_reason(sample: Trajectory, reason: str) -> None:
    verdict = check_format(sample)
    assert not verdict.passed
    assert verdict.reason == reason
    assert reason in FORMAT_REASONS
    assert verdict.detail
    assert "\n" not in verdict.detail


def test_repeats_are_found_whatever_the_order_of_arguments() -> None:
    calls = (_call(city="Oslo", days=2), _call(days=2, city="Oslo"))
    assert check_format(_sample("parallel", calls=calls)).reason == "repeated_call"


@pytest.mark.parametrize("roles", [(), ("user",), ("assistant",), ("user", "user"), ("system", "user", "assistant")])
def test_other_messages_are_refused(roles: tuple[Any, ...]) -> None:
    messages = tuple(Message(role=role, content="x") for role in roles)
    sample = _sample().model_copy(update={"messages": messages})
    assert check_format(sample).reason == "wrong_messages"


def test_values_that_json_cannot_hold() -> None:
    tool = Tool(name="t", description="d", parameters={"type": "object", "properties": {"x": {}}})
    calls = (ToolCall(name="t", arguments={"x": float("nan")}),)
    sample = _sample(calls=calls).model_copy(update={"tools": (tool,)})
    assert check_format(sample).reason == "unparseable_answer"


def test_a_misspelt_tool_gets_a_hint() -> None:
    assert "did you mean 'weather'?" in check_format(_sample(calls=(_call("wether"),))).detail
