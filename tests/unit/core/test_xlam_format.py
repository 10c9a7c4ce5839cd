"""The prompt to the byte, and answers read strictly."""

import json
import sys

import pytest

from data_pipeline.core.errors import FormatError, InputError
from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.core.xlam_format import (
    PARSE_REASONS,
    may_become_answer,
    parse_calls,
    render,
    render_answer,
    render_prompt,
    to_xlam_tools,
)

# The model card's two tools and its question.
WEATHER = {
    "name": "get_weather",
    "description": "Get the current weather for a location",
    "parameters": {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city and state, e.g. San Francisco, New York"},
            "unit": {
                "type": "string",
                "enum": ["celsius", "fahrenheit"],
                "description": "The unit of temperature to return",
            },
        },
        "required": ["location"],
    },
}
SEARCH = {
    "name": "search",
    "description": "Search for information on the internet",
    "parameters": {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "The search query, e.g. 'latest news on AI'"}},
        "required": ["query"],
    },
}
QUERY = "What's the weather like in New York in fahrenheit?"
# Written out by hand from the published format, not by the code under test.
HEAD = (
    "[BEGIN OF TASK INSTRUCTION]\nYou are an expert in composing functions. You are given a question and a set of "
    "possible functions. \nBased on the question, you will need to make one or more function/tool calls to achieve "
    "the purpose. \nIf none of the functions can be used, point it out and refuse to answer. \nIf the given question "
    "lacks the parameters required by the function, also point it out.\n[END OF TASK INSTRUCTION]\n\n"
    "[BEGIN OF AVAILABLE TOOLS]\n"
)
TAIL = (
    "\n[END OF AVAILABLE TOOLS]\n\n[BEGIN OF FORMAT INSTRUCTION]\nThe output MUST strictly adhere to the following "
    "JSON format, and NO other text MUST be included.\nThe example format is as follows. Please make sure the "
    "parameter type is correct. If no function call is needed, please make tool_calls an empty list '[]'.\n"
    '```\n{\n    "tool_calls": [\n    {"name": "func_name1", "arguments": {"argument1": "value1", "argument2": '
    '"value2"}},\n    ... (more tool calls as required)\n    ]\n}\n```\n[END OF FORMAT INSTRUCTION]\n\n'
    "[BEGIN OF QUERY]\n"
)
CARD_TOOLS = (
    '[{"name": "get_weather", "description": "Get the current weather for a location", "parameters": {"location": '
    '{"type": "string", "description": "The city and state, e.g. San Francisco, New York"}, "unit": {"type": '
    '"string", "enum": ["celsius", "fahrenheit"], "description": "The unit of temperature to return"}}}, {"name": '
    '"search", "description": "Search for information on the internet", "parameters": {"query": {"type": "string", '
    '"description": "The search query, e.g. \'latest news on AI\'"}}}]'
)


def test_card_example_to_the_byte() -> None:
    expected = HEAD + CARD_TOOLS + TAIL + QUERY + "\n[END OF QUERY]\n\n"
    assert render_prompt([WEATHER, SEARCH], QUERY) == expected


def test_wrapped_bare_and_typed_tools_render_alike() -> None:
    wrapped = [{"type": "function", "function": WEATHER}]
    assert render_prompt(wrapped, QUERY) == render_prompt([WEATHER], QUERY)
    assert render_prompt([Tool.from_openai(WEATHER)], QUERY) == render_prompt([WEATHER], QUERY)


def test_leaderboard_conversion_marks_required_parameters() -> None:
    (converted,) = to_xlam_tools([WEATHER], conversion="leaderboard")
    assert json.dumps(converted["parameters"]["location"]) == (
        '{"type": "string", "description": "The city and state, e.g. San Francisco, New York", "required": true}'
    )
    assert "required" not in converted["parameters"]["unit"]
    assert "required" not in WEATHER["parameters"]["properties"]["location"], "the input must not change"


def test_nested_schemas_and_non_ascii_stay_as_json_dumps_writes_them() -> None:
    tool = {
        "name": "buche_zug",
        "description": "Bucht einen Zug nach Zürich — 東京",
        "parameters": {
            "type": "object",
            "properties": {
                "rider": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "ages": {"type": "array", "items": {"type": "integer"}}},
                    "required": ["name"],
                }
            },
            "required": ["rider"],
        },
    }
    expected = (
        '[{"name": "buche_zug", "description": "Bucht einen Zug nach Z\\u00fcrich \\u2014 \\u6771\\u4eac", '
        '"parameters": {"rider": {"type": "object", "properties": {"name": {"type": "string"}, "ages": {"type": '
        '"array", "items": {"type": "integer"}}}, "required": ["name"]}}}]'
    )
    assert render_prompt([tool], "Für Jürgen?") == HEAD + expected + TAIL + "Für Jürgen?\n[END OF QUERY]\n\n"


def test_answer_of_the_card_to_the_byte() -> None:
    call = ToolCall(name="get_weather", arguments={"location": "New York", "unit": "fahrenheit"})
    assert render_answer([call]) == (
        '{"tool_calls": [{"name": "get_weather", "arguments": {"location": "New York", "unit": "fahrenheit"}}]}'
    )
    assert render_answer([]) == '{"tool_calls": []}'


def sample(*messages: Message) -> Trajectory:
    return Trajectory(id="s1", style="simple", tools=(Tool.from_openai(WEATHER),), messages=messages)


def test_only_the_answer_is_trainable() -> None:
    call = ToolCall(name="get_weather", arguments={"location": "Oslo"})
    done = sample(Message(role="user", content="Oslo?"), Message(role="assistant", tool_calls=(call,)))
    prompt, answer = render(done)
    assert (prompt.text, prompt.trainable) == (render_prompt([WEATHER], "Oslo?"), False)
    assert (answer.text, answer.trainable) == (render_answer([call]), True)


def test_a_conversation_of_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"s1.*one user and one assistant"):
        render(sample(Message(role="user", content="Oslo?")))


@pytest.mark.parametrize(
    "text",
    [
        '{"tool_calls": [{"name": "f", "arguments": {"a": [1, {"b": null}]}}]}',
        '[{"name": "f", "arguments": {"a": [1, {"b": null}]}}]',
        ' \n[{"name": "f", "arguments": {"a": [1, {"b": null}]}}]\n',
    ],
)
def test_parses_the_object_and_the_list_form(text: str) -> None:
    assert parse_calls(text) == [ToolCall(name="f", arguments={"a": [1, {"b": None}]})]


def test_parses_no_call() -> None:
    assert parse_calls('{"tool_calls": []}') == []
    assert parse_calls("[]") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('```json\n{"tool_calls": []}\n```', "code_fence"),
        ('Sure: {"tool_calls": []}', "text_around"),
        ('{"tool_calls": []} Done.', "text_around"),
        ('{"tool_calls": []}{"tool_calls": []}', "text_around"),
        ('{"tool_calls": [{"name": "f", "argu', "not_json"),
        ("{'tool_calls': []}", "not_json"),
        ("[" * 100_000, "too_deep"),
        ('[{"name": "f", "arguments": {"a": ' + "[" * 300 + "]" * 300 + "}}]", "too_deep"),
        ('{"tool_calls": [], "tool_calls": []}', "duplicate_key"),
        ('[{"name": "f", "arguments": {"a": 1, "a": 2}}]', "duplicate_key"),
        ('[{"name": "f", "arguments": {"a": NaN}}]', "nan"),
        ('[{"name": "f", "arguments": {"a": -Infinity}}]', "nan"),
        ('{"name": "f", "arguments": {}}', "unknown_shape"),
        ('{"tool_calls": {}}', "unknown_shape"),
        ('{"tool_calls": [], "thought": "x"}', "unknown_shape"),
        ("7", "unknown_shape"),
        ('"f(a=1)"', "unknown_shape"),
        ("[1]", "bad_call"),
        ('[{"name": "f"}]', "bad_call"),
        ('[{"name": "f", "arguments": {}, "id": 1}]', "bad_call"),
        ('[{"name": "", "arguments": {}}]', "bad_call"),
        ('[{"name": 1, "arguments": {}}]', "bad_call"),
        ('[{"name": "f", "arguments": "{}"}]', "bad_call"),
        ('[{"name": "f", "arguments": [1]}]', "bad_call"),
    ],
)
def test_refuses_everything_else_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_calls(text)
    assert caught.value.reason == reason
    assert reason in PARSE_REASONS


@pytest.mark.parametrize("answer", ['{"tool_calls": []}', ' \n[ {"name": "f", "arguments": {}}]', "[]", '{ \n "x'])
def test_every_beginning_of_an_answer_may_become_one(answer: str) -> None:
    assert all(may_become_answer(answer[:end]) for end in range(len(answer) + 1))


@pytest.mark.parametrize("text", ["```", "Sure", "[BEGIN OF QUERY]", "{tool", "[1", '"f', " \n-"])
def test_what_can_never_be_parsed_is_told_from_its_beginning(text: str) -> None:
    assert not may_become_answer(text)
    with pytest.raises(FormatError):
        parse_calls(text)


@pytest.mark.parametrize("number", ["1e999", "9" * 309, "-" + "9" * 5000])
def test_numbers_beyond_a_float_are_refused(number: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_calls(f'[{{"name": "f", "arguments": {{"a": {number}}}}}]')
    assert caught.value.reason == "nan"
    assert len(str(caught.value)) < 100


def test_whole_numbers_within_a_float_stay_exact() -> None:
    largest = int(sys.float_info.max)
    (call,) = parse_calls(f'[{{"name": "f", "arguments": {{"a": {largest}}}}}]')
    assert call.arguments["a"] == largest


@pytest.mark.parametrize(("key", "value", "hint"), [("variant", "xlam-2", "xlam-1"), ("conversion", "cards", "card")])
def test_unknown_variant_names_the_nearest(key: str, value: str, hint: str) -> None:
    with pytest.raises(InputError, match=f"did you mean '{hint}'"):
        render_prompt([WEATHER], QUERY, **{key: value})  # type: ignore[arg-type]
