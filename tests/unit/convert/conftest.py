"""Samples with everything a format may lose."""

import pytest

from data_pipeline.core.schema import Message, Origin, Style, Tool, ToolCall, Trajectory, Verdict

PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Name of the city"},
        "days": {"type": "integer", "description": "How far ahead", "default": 3},
        "unit": {"type": "string", "enum": ["c", "f"], "description": "Of the temperature"},
        "spots": {"type": "array", "items": {"type": "number"}, "description": "Heights in metres"},
    },
    "required": ["city", "unit"],
}
FORECAST = Tool(name="forecast", description="Forecast the weather.", parameters=PARAMETERS, source="bundled:weather")
NOTHING = Tool(name="ping", description="Answer.", parameters={"type": "object", "properties": {}, "required": []})


def make_sample(
    style: Style, *calls: ToolCall, tools: tuple[Tool, ...] = (FORECAST, NOTHING), **more: object
) -> Trajectory:
    messages = Message(role="user", content="Weather in Rome, “please”\n?"), Message(role="assistant", tool_calls=calls)
    fields = {"id": "7", "style": style, "tools": tools, "messages": messages, **more}
    return Trajectory.model_validate(fields)


@pytest.fixture
def samples() -> list[Trajectory]:
    """One of each style, all values JSON has among the arguments."""
    rome = ToolCall(name="forecast", arguments={"city": "Rome", "unit": "c", "spots": [1.0, 2, -3.5e-7]})
    oslo = ToolCall(name="forecast", arguments={"city": "Ósló 😀", "unit": "f", "days": 10**20})
    odd = ToolCall(name="ping", arguments={"x": {"y": [None, True, {}]}})
    return [
        make_sample("simple", rome, tools=(FORECAST,)),
        make_sample("multiple", oslo),
        make_sample("parallel", rome, oslo),
        make_sample("parallel-multiple", rome, odd),
        make_sample("irrelevance"),
    ]


@pytest.fixture
def told_of() -> Trajectory:
    """A sample with a verdict, results, an incomplete call and an origin."""
    return make_sample(
        "missing-parameter",
        verdicts=(Verdict(stage="format", passed=True),),
        results=("1",),
        incomplete=ToolCall(name="forecast", arguments={"unit": "c"}),
        origin=Origin(generator="grammar", locale="en-GB"),
    )
