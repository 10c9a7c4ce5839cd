"""What counts as valid, the right tool, exact, running and the right result."""

import pytest

from data_pipeline.core.schema import Message, Style, ToolCall, Trajectory
from data_pipeline.tools.executor import Executor
from data_pipeline.tools.source import open_source
from xlam_train.evaluate.heldout import judge, score

TOOLS = open_source("bundled:weather").tools
CALL = ToolCall(name="calculate_wind_chill", arguments={"temperature_c": -5, "wind_speed_kmh": 20})
OTHER = ToolCall(name="calculate_wind_chill", arguments={"temperature_c": -10, "wind_speed_kmh": 30})


STORM = ToolCall(name="estimate_storm_distance", arguments={"seconds_to_thunder": 5})


def sample(*calls: ToolCall, style: Style = "simple") -> Trajectory:
    messages = (Message(role="user", content="?"), Message(role="assistant", tool_calls=calls))
    return Trajectory(id="x", style=style, tools=TOOLS, messages=messages)


def answer(calls: str) -> str:
    return '{"tool_calls": [' + calls + "]}"


RIGHT = '{"name": "calculate_wind_chill", "arguments": {"temperature_c": -5, "wind_speed_kmh": 20}}'
REORDERED = '{"name": "calculate_wind_chill", "arguments": {"wind_speed_kmh": 20.0, "temperature_c": -5.0}}'
WRONG = '{"name": "calculate_wind_chill", "arguments": {"temperature_c": 5, "wind_speed_kmh": 20}}'
SECOND = '{"name": "calculate_wind_chill", "arguments": {"temperature_c": -10, "wind_speed_kmh": 30}}'
UNKNOWN = '{"name": "get_wind_chill", "arguments": {}}'
SPELT_OUT = '{"name": "estimate_storm_distance", "arguments": {"seconds_to_thunder": 5, "temperature_c": 20}}'
CRASHING = '{"name": "calculate_wind_chill", "arguments": {"temperature_c": "cold", "wind_speed_kmh": 20}}'


@pytest.mark.parametrize(
    ("calls", "text", "expected", "reason"),
    [
        # (valid, tools, exact, runs, result)
        ((CALL,), answer(RIGHT), (True, True, True, True, True), "ok"),
        ((CALL,), answer(REORDERED), (True, True, True, True, True), "ok"),
        ((CALL,), answer(WRONG), (True, True, False, True, False), "wrong_arguments"),
        ((CALL,), answer(CRASHING), (True, True, False, False, False), "wrong_arguments"),
        ((CALL,), answer(UNKNOWN), (True, False, False, False, False), "wrong_tools"),
        ((CALL,), answer(""), (True, False, False, True, False), "wrong_tools"),
        ((CALL,), answer(f"{RIGHT}, {RIGHT}"), (True, False, False, True, False), "wrong_tools"),
        ((CALL, OTHER), answer(f"{SECOND}, {RIGHT}"), (True, True, True, True, True), "ok"),
        ((CALL, OTHER), answer(f"{RIGHT}, {RIGHT}"), (True, True, False, True, False), "wrong_arguments"),
        ((STORM,), answer(SPELT_OUT), (True, True, False, True, True), "wrong_arguments"),
        ((), answer(""), (True, True, True, True, True), "ok"),
        ((), answer(RIGHT), (True, False, False, True, False), "wrong_tools"),
        ((CALL,), f"Sure! {answer(RIGHT)}", (False, False, False, False, False), "text_around"),
        ((CALL,), answer(RIGHT)[:-3], (False, False, False, False, False), "not_json"),
    ],
)
def test_answers_are_judged(calls: tuple[ToolCall, ...], text: str, expected: tuple[bool, ...], reason: str) -> None:
    with Executor() as executor:
        outcome = judge(sample(*calls), text, executor)
    assert (outcome.valid, outcome.tools, outcome.exact, outcome.runs, outcome.result) == expected
    assert outcome.reason == reason


def test_true_is_not_one() -> None:
    call = ToolCall(name="calculate_wind_chill", arguments={"flag": True})
    with Executor() as executor:
        text = answer('{"name": "calculate_wind_chill", "arguments": {"flag": 1}}')
        assert not judge(sample(call), text, executor).exact


def test_scores_are_shares_and_none_is_zero() -> None:
    with Executor() as executor:
        outcomes = [
            judge(sample(CALL), answer(RIGHT), executor),
            judge(sample(CALL), answer(WRONG), executor),
            judge(sample(CALL), "no", executor),
            judge(sample(style="irrelevance"), answer(""), executor),
        ]
    found = score(outcomes)
    assert (found.samples, found.valid, found.tools, found.exact, found.runs, found.result) == (
        4,
        0.75,
        0.75,
        0.5,
        0.75,
        0.5,
    )
    assert found.exact_by_style == {"irrelevance": 1.0, "simple": 1 / 3}
    assert score([]).exact == 0.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [(RIGHT, (True, True, True)), (WRONG, (False, True, False)), (CRASHING, (False, False, False))],
)
def test_a_schema_without_a_function_is_judged_by_its_schema(text: str, expected: tuple[bool, ...]) -> None:
    schemas = tuple(tool.model_copy(update={"source": "json:tools.json"}) for tool in TOOLS)
    asked = sample(CALL).model_copy(update={"tools": schemas})
    with Executor() as executor:
        outcome = judge(asked, answer(text), executor)
    assert (outcome.exact, outcome.runs, outcome.result) == expected


def test_the_variant_decides_what_an_answer_is() -> None:
    with Executor() as executor:
        thoughtful = f'{{"thought": "Cold.", "tool_calls": [{RIGHT}]}}'
        assert not judge(sample(CALL), thoughtful, executor).valid
        assert judge(sample(CALL), thoughtful, executor, "xlam-1-history").exact
        assert judge(sample(CALL), f"[{RIGHT}]", executor, "actionstudio").exact
