"""Held-out answers in groups, their arguments, and two models beside one another."""

from __future__ import annotations

import json

import pytest

from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.tools.executor import Executor
from xlam_train.evaluate.comparison import argument_match, as_dict, compare_outcomes, group_outcomes, group_table
from xlam_train.evaluate.heldout import Outcome, judge

PARAMETERS = {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "string"}}, "required": ["x"]}


def sample(name: str, *calls: dict[str, object], style: str = "simple") -> Trajectory:
    tool = Tool(name=name, description="Does a thing.", parameters=PARAMETERS)
    made = tuple(ToolCall(name=name, arguments=arguments) for arguments in calls)  # type: ignore[arg-type]
    messages = (Message(role="user", content="Do it"), Message(role="assistant", tool_calls=made))
    return Trajectory(id=f"{name}-{len(calls)}", style=style, tools=(tool,), messages=messages)  # type: ignore[arg-type]


def answer(name: str, *calls: dict[str, object]) -> str:
    return json.dumps({"tool_calls": [{"name": name, "arguments": arguments} for arguments in calls]})


def outcomes(samples: list[Trajectory], answers: list[str]) -> list[Outcome]:
    with Executor() as executor:
        return [judge(asked, text, executor) for asked, text in zip(samples, answers, strict=True)]


@pytest.mark.parametrize(
    ("given", "share"),
    [
        (answer("f", {"x": 1, "y": "a"}), 1.0),
        (answer("f", {"y": "a", "x": 1.0}), 1.0),
        (answer("f", {"x": 1}), 0.5),
        (answer("f", {"x": 2, "y": "a"}), 0.5),
        (answer("g", {"x": 1, "y": "a"}), 0.0),
        ("no", 0.0),
    ],
)
def test_arguments_count_one_by_one(given: str, share: float) -> None:
    assert argument_match(sample("f", {"x": 1, "y": "a"}), given, "xlam-1") == share


def test_where_nothing_is_to_be_called_only_nothing_matches() -> None:
    refusal = sample("f", style="irrelevance")
    assert argument_match(refusal, answer("f"), "xlam-1") == 1.0
    assert argument_match(refusal, answer("f", {"x": 1}), "xlam-1") == 0.0


def test_groups_by_style_and_by_tools_of_the_training() -> None:
    samples = [sample("f", {"x": 1}), sample("g", {"x": 1}), sample("g", {"x": 1}, {"x": 2}, style="parallel")]
    found = outcomes(samples, [answer("f", {"x": 1}), answer("g", {"x": 3}), answer("g", {"x": 2}, {"x": 1})])
    groups = group_outcomes(samples, found, "xlam-1", frozenset({"f"}))
    named = {group.name: group for group in groups}
    assert [group.name for group in groups] == ["all", "seen tools", "unseen tools", "parallel", "simple"]
    assert (named["all"].exact, named["unseen tools"].exact, named["parallel"].exact) == (2 / 3, 0.5, 1.0)
    assert named["simple"].arguments == 0.5
    assert named["all"].low <= named["all"].exact <= named["all"].high
    assert group_table("title", groups).row_count == 5
    assert as_dict(groups)["simple"]["samples"] == 2


def test_two_models_on_the_same_samples() -> None:
    samples = [sample("f", {"x": number}) for number in range(12)]
    good = outcomes(samples, [answer("f", {"x": number}) for number in range(12)])
    bad = outcomes(samples, [answer("f", {"x": 0}) for _ in range(12)])
    found = compare_outcomes(good, bad)
    assert (found.both, found.only_first, found.only_second) == (1, 11, 0)
    assert found.p_value == pytest.approx(2 / 2**11)
    assert "good is better" in found.sentence("good", "bad")
    assert "no difference" in compare_outcomes(good, good).sentence("good", "again")
