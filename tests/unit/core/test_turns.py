"""Conversations to the byte in every variant, written out by hand, and what is no conversation."""

from __future__ import annotations

import json

import pytest

from data_pipeline.core.errors import FormatError, InputError
from data_pipeline.core.prompt_texts import FORMAT_INSTRUCTION, TASK_INSTRUCTION
from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.core.turns import Prompt, prompt, turn, turns
from data_pipeline.core.variants import VARIANTS
from data_pipeline.core.xlam_format import parse_calls, render, render_answer, render_prompt

WEATHER = Tool(
    name="weather",
    description="Tells the weather.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def call(city: str) -> ToolCall:
    return ToolCall(name="weather", arguments={"city": city})


def user(text: str) -> Message:
    return Message(role="user", content=text)


def answer(*cities: str, text: str = "") -> Message:
    return Message(role="assistant", content=text, tool_calls=tuple(map(call, cities)))


def result(text: str) -> Message:
    return Message(role="tool", content=text)


def sample(*messages: Message) -> Trajectory:
    return Trajectory(id="s1", style="simple", tools=(WEATHER,), messages=messages)


SYSTEM = Message(role="system", content="Today is Monday.")
TRIP = sample(
    SYSTEM,
    user("Oslo and Rome?"),
    answer("Oslo", "Rome", text="Two cities."),
    result('{"sky": "grey"}'),
    result('{"sky": "blue"}'),
    answer(text="Grey and blue."),
    user("Paris?"),
    answer("Paris"),
)


def test_a_single_turn_is_the_published_prompt() -> None:
    one = sample(user("Oslo?"), answer("Oslo"))
    (made,) = turns(one)
    assert made.messages == [{"role": "user", "content": render_prompt([WEATHER], "Oslo?")}]
    assert made.tools is None
    assert made.answer == render_answer([call("Oslo")]) == render(one)[1].text


def test_xlam_1_goes_on_in_blocks() -> None:
    first, second, third = turns(TRIP)
    opening = "Today is Monday.\n\n" + render_prompt([WEATHER], "Oslo and Rome?")
    called = (
        '{"tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}, '
        '{"name": "weather", "arguments": {"city": "Rome"}}]}'
    )
    results = (
        '[BEGIN OF TOOL RESULT]\n{"sky": "grey"}\n[END OF TOOL RESULT]\n\n'
        '[BEGIN OF TOOL RESULT]\n{"sky": "blue"}\n[END OF TOOL RESULT]\n\n'
    )
    assert third.messages == [
        {"role": "user", "content": opening},
        {"role": "assistant", "content": called},
        {"role": "user", "content": results},
        {"role": "assistant", "content": '{"tool_calls": []}'},
        {"role": "user", "content": "[BEGIN OF QUERY]\nParis?\n[END OF QUERY]\n\n"},
    ]
    assert third.answer == '{"tool_calls": [{"name": "weather", "arguments": {"city": "Paris"}}]}'
    assert (first.messages, first.answer) == (third.messages[:1], called)
    assert (second.messages, second.answer) == (third.messages[:3], '{"tool_calls": []}')


def test_what_the_user_says_at_once_is_one_message() -> None:
    (made,) = turns(sample(user("Oslo?"), user("Now."), answer("Oslo")))
    content = render_prompt([WEATHER], "Oslo?") + "[BEGIN OF QUERY]\nNow.\n[END OF QUERY]\n\n"
    assert made.messages == [{"role": "user", "content": content}]


def test_history_stands_in_the_one_message() -> None:
    first, second, third = turns(TRIP, "xlam-1-history")
    opening = "Today is Monday.\n\n" + render_prompt([WEATHER], "Oslo and Rome?")
    assert first.messages == [{"role": "user", "content": opening}]
    assert first.answer == (
        '{"thought": "Two cities.", "tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}, '
        '{"name": "weather", "arguments": {"city": "Rome"}}]}'
    )
    step = (
        '{"step_id": 1, "thought": "Two cities.", "tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}, '
        '{"name": "weather", "arguments": {"city": "Rome"}}], '
        '"next_observation": ["{\\"sky\\": \\"grey\\"}", "{\\"sky\\": \\"blue\\"}"], "user_input": ""}'
    )
    assert second.messages[0]["content"] == f"{opening}\n[BEGIN OF HISTORY STEPS]\n[{step}]\n[END OF HISTORY STEPS]\n"
    assert second.answer == '{"thought": "Grey and blue.", "tool_calls": []}'
    said = (
        '{"step_id": 2, "thought": "Grey and blue.", "tool_calls": [], "next_observation": "", "user_input": "Paris?"}'
    )
    (message,) = third.messages
    assert message["content"] == f"{opening}\n[BEGIN OF HISTORY STEPS]\n[{step}, {said}]\n[END OF HISTORY STEPS]\n"
    assert third.answer == '{"tool_calls": [{"name": "weather", "arguments": {"city": "Paris"}}]}'


def test_a_single_result_stands_in_the_history_as_its_text() -> None:
    made = turns(sample(user("Oslo?"), answer("Oslo"), result("grey"), answer(text="Grey.")), "xlam-1-history")
    assert '"next_observation": "grey"' in made[-1].messages[0]["content"]


def test_leaderboard_handler_to_the_byte() -> None:
    (made,) = turns(sample(user("Oslo?"), answer("Oslo")), "xlam-1-bfcl", "leaderboard")
    system, asked = made.messages
    assert system == {
        "role": "system",
        "content": "You are an AI assistant for function calling. \nFor politically sensitive questions, security and "
        "privacy issues, \nand other non-computer science questions, you will refuse to answer",
    }
    content = asked["content"]
    assert "\nIf none of the function can be used, point it out" in content
    assert '"parameters": {"city": {"type": "string", "required": true}}' in content
    form = content.split("[BEGIN OF FORMAT INSTRUCTION]\n")[1].split("\n[END OF FORMAT INSTRUCTION]")[0]
    assert form == (
        "\nThe output MUST strictly adhere to the following JSON format, and NO other text MUST be included.\nThe "
        "example format is as follows. Please make sure the parameter type is correct. If no function call is needed, "
        'please make tool_calls an empty list \'[]\'\n```\n{\n  "tool_calls": [\n    {"name": "func_name1", '
        '"arguments": {"argument1": "value1", "argument2": "value2"}},\n    ... (more tool calls as required)\n  ]\n}\n'
        "```\n"
    )
    assert content.endswith("[BEGIN OF QUERY]\nOslo?\n[END OF QUERY]\n\n")


def test_actionstudio_leaves_tools_and_roles_to_the_template() -> None:
    first, second, third = turns(TRIP, "actionstudio")
    system = third.messages[0]["content"]
    assert system.startswith("Today is Monday.\nYou are an assistant that can use tools.")
    assert '```\n[{"name": "tool_call_name", "arguments"' in system
    assert "[TOOL_CALLS]" not in system
    assert third.tools == [{"type": "function", "function": WEATHER.to_openai()}]
    called = '[{"name": "weather", "arguments": {"city": "Oslo"}}, {"name": "weather", "arguments": {"city": "Rome"}}]'
    assert third.messages[1:] == [
        {"role": "user", "content": "Oslo and Rome?"},
        {"role": "assistant", "content": called},
        {"role": "tool", "content": '{"sky": "grey"}'},
        {"role": "tool", "content": '{"sky": "blue"}'},
        {"role": "assistant", "content": "Grey and blue."},
        {"role": "user", "content": "Paris?"},
    ]
    assert (first.answer, second.answer) == (called, "Grey and blue.")
    assert third.answer == '[{"name": "weather", "arguments": {"city": "Paris"}}]'


def test_actionstudio_without_a_system_message_or_an_answer() -> None:
    (made,) = turns(sample(user("Hello"), answer()), "actionstudio")
    assert made.messages[0]["content"].startswith(TASK_INSTRUCTION + "\nYou are an assistant")
    assert made.answer == "[]"


def test_mistral_has_its_prefix_and_calls_of_its_own() -> None:
    first, second, _ = turns(TRIP, "actionstudio", mistral=True)
    assert "JSON list after [TOOL_CALLS], where" in first.messages[0]["content"]
    assert '```\n[TOOL_CALLS][{"name": "tool_call_name"' in first.messages[0]["content"]
    assert first.answer.startswith('[TOOL_CALLS][{"name": "weather"')
    assert second.answer == "Grey and blue."
    _, _, called, one, two = second.messages
    assert (called["role"], called["content"]) == ("assistant", "")
    assert [entry["function"] for entry in called["tool_calls"]] == [
        {"name": "weather", "arguments": {"city": city}} for city in ("Oslo", "Rome")
    ]
    ids = [entry["id"] for entry in called["tool_calls"]]
    assert ids == [one["tool_call_id"], two["tool_call_id"]]
    assert all(len(name) == 9 and name.isalnum() for name in ids)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_prompt_of_a_turn_is_what_is_served(variant: str) -> None:
    """Each turn is asked for by its own messages alone, and changes nothing that it was given."""
    before = TRIP.to_json()
    at = [index for index, message in enumerate(TRIP.messages) if message.role == "assistant"]
    for index, made in zip(at, turns(TRIP, variant), strict=True):  # type: ignore[arg-type]
        asked = prompt([WEATHER.to_openai()], TRIP.messages[:index], variant)  # type: ignore[arg-type]
        assert asked == Prompt(made.messages, made.tools)
        assert turn(TRIP, TRIP.messages[: index + 1], variant) == made  # type: ignore[arg-type]
    assert TRIP.to_json() == before


@pytest.mark.parametrize("variant", VARIANTS)
def test_answers_parse_back(variant: str) -> None:
    for made, message in zip(turns(TRIP, variant), (TRIP.messages[2], TRIP.messages[5], TRIP.messages[7]), strict=True):  # type: ignore[arg-type]
        assert parse_calls(made.answer, variant) == list(message.tool_calls)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ((), "does not end with an answer"),
        ((user("Oslo?"),), "does not end with an answer"),
        ((user("Oslo?"), answer("Oslo"), result("grey")), "does not end with an answer"),
        ((answer("Oslo"),), "nothing is asked before an answer"),
        ((SYSTEM, answer("Oslo")), "nothing is asked before an answer"),
        ((user("Oslo?"), answer("Oslo"), answer("Rome")), "nothing is asked before an answer"),
        ((user("Oslo?"), answer(), answer(), user("?"), answer()), "nothing is asked before|where nothing was asked"),
        ((user("Oslo?"), result("grey"), answer("Oslo")), "returns something that was not called"),
        ((user("Oslo?"), answer(), result("grey"), answer()), "returns something that was not called"),
        ((user("Oslo?"), SYSTEM, answer("Oslo")), "comes after others"),
    ],
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_no_conversation(variant: str, messages: tuple[Message, ...], reason: str) -> None:
    with pytest.raises(InputError, match=f"^sample s1: .*({reason})") as caught:
        turns(sample(*messages), variant)  # type: ignore[arg-type]
    assert "remove the sample" in str(caught.value)


def test_actionstudio_has_no_single_message() -> None:
    with pytest.raises(InputError, match="leaves the tools to the chat template"):
        render_prompt([WEATHER], "Oslo?", "actionstudio")


def test_history_without_history_is_the_first_variant() -> None:
    assert render_prompt([WEATHER], "Oslo?", "xlam-1-history") == render_prompt([WEATHER], "Oslo?")
    assert FORMAT_INSTRUCTION in render_prompt([WEATHER], "Oslo?")


CALL = '[{"name": "weather", "arguments": {"city": "Oslo"}}]'


@pytest.mark.parametrize(
    ("variant", "text"),
    [
        ("xlam-1-history", f'{{"thought": "x", "tool_calls": {CALL}}}'),
        ("actionstudio", f"[TOOL_CALLS]{CALL}"),
        ("actionstudio", f" [TOOL_CALLS] {CALL}"),
        ("actionstudio", f" {CALL}\n"),
        ("xlam-1-bfcl", CALL),
    ],
)
def test_each_variant_reads_its_answers(variant: str, text: str) -> None:
    assert parse_calls(text, variant) == [call("Oslo")]


@pytest.mark.parametrize(
    ("variant", "text"),
    [("actionstudio", "It is grey."), ("xlam-1-bfcl", "Sorry."), ("xlam-1-bfcl", ""), ("xlam-1-bfcl", "[1")],
)
def test_plain_text_is_no_call_where_the_variant_says_so(variant: str, text: str) -> None:
    assert parse_calls(text, variant) == []


@pytest.mark.parametrize(
    ("variant", "text", "reason"),
    [
        ("xlam-1", f'{{"thought": "x", "tool_calls": {CALL}}}', "unknown_shape"),
        ("xlam-1-history", f'{{"thought": 1, "tool_calls": {CALL}}}', "unknown_shape"),
        ("actionstudio", "", "empty"),
        ("actionstudio", "[TOOL_CALLS][{", "not_json"),
        ("xlam-1", f"[TOOL_CALLS]{CALL}", "not_json"),
        ("xlam-1-bfcl", '{"name": "f"}', "unknown_shape"),
        ("xlam-1-bfcl", "[1]", "bad_call"),
    ],
)
def test_and_refuses_the_rest(variant: str, text: str, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_calls(text, variant)
    assert caught.value.reason == reason


def test_past_answers_are_those_that_were_trained() -> None:
    """What the model reads of itself is what it wrote, so that later prompts go on where an answer ended."""
    for variant in ("xlam-1", "actionstudio"):
        made = turns(TRIP, variant)
        said = [message["content"] for message in made[-1].messages if message["role"] == "assistant"]
        assert said == [one.answer for one in made[:-1]]


def test_history_is_json_dumps() -> None:
    content = turns(TRIP, "xlam-1-history")[-1].messages[0]["content"]
    text = content.split("[BEGIN OF HISTORY STEPS]\n")[1].split("\n[END")[0]
    assert json.dumps(json.loads(text)) == text
