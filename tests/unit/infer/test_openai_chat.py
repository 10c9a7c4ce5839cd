"""OpenAI's messages as the prompt format wants them: texts, roles, results in the order of their calls."""

from typing import Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Tool, ToolCall
from xlam_train.infer.openai_chat import normal_messages, to_message, to_openai_tool


def call(name: str, arguments: Any, call_id: str | None = None) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def answer(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def result(content: str, call_id: str | None = None) -> dict[str, Any]:
    return {"role": "tool", "content": content, **({"tool_call_id": call_id} if call_id else {})}


ASKED = {"role": "user", "content": "?"}
TWO = answer(call("f", {}, "a"), call("g", {}, "b"))


def test_contents_become_one_text_and_roles_get_their_common_names() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    found = normal_messages([{"role": "developer", "content": parts}, ASKED, answer(call("f", {}, "a"))])
    assert [(message["role"], message["content"]) for message in found] == [
        ("system", "one two"),
        ("user", "?"),
        ("assistant", ""),
    ]


@pytest.mark.parametrize("arguments", [{"x": 1.0, "y": ["ü"]}, '{"x": 1.0, "y": ["ü"]}'])
def test_arguments_are_an_object_or_its_json(arguments: Any) -> None:
    [found] = map(to_message, normal_messages([answer(call("f", arguments))]))
    assert found == Message(role="assistant", tool_calls=(ToolCall(name="f", arguments={"x": 1.0, "y": ["ü"]}),))


def test_results_are_put_into_the_order_of_the_calls() -> None:
    found = normal_messages([ASKED, TWO, result("of b", "b"), result("of a", "a"), ASKED])
    assert [message["content"] for message in found] == ["?", "", "of a", "of b", "?"]


def test_results_without_ids_stay_as_they_are() -> None:
    found = normal_messages([ASKED, TWO, result("1"), result("2")])
    assert [message["content"] for message in found[2:]] == ["1", "2"]


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([{"role": "usr", "content": "?"}], r"messages\[0\].role: unknown 'usr'; did you mean 'user'"),
        ([{"content": "?"}], r"messages\[0\].role"),
        ([ASKED, {"role": "user", "content": [{"type": "image_url"}]}], r"messages\[1\].content"),
        ([{"role": "user", "content": 5}], r"messages\[0\].content"),
        ([ASKED, TWO, result("1", "a")], r"messages\[1\]: 2 calls, and 1 results"),
        ([ASKED, TWO, result("1", "a"), result("2", "a")], r"messages\[1\]: its calls have the ids \['a', 'b'\]"),
        ([ASKED, TWO, result("1", "a"), result("2", "c")], "the results after it"),
        ([ASKED, TWO, result("1", "a"), result("2")], "the results after it"),
        ([ASKED, answer(call("f", "{'x': 1}"))], "arguments of 'f': the text is not JSON"),
        ([ASKED, answer(call("f", "[1]"))], "arguments of 'f': must be an object"),
        ([ASKED, answer(call("f", '{"x": 1, "x": 2}'))], "an object names 'x' twice"),
        ([ASKED, answer({"name": "f", "arguments": {}})], "a call is"),
        ([ASKED, answer(call("", {}))], "a call is"),
    ],
)
def test_what_is_no_conversation_is_refused_in_one_line(messages: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        list(map(to_message, normal_messages(messages)))
    assert "\n" not in str(caught.value)


def test_tools_are_wrapped_whatever_their_form() -> None:
    bare = {"name": "f", "description": "F.", "parameters": {"type": "object", "properties": {}}}
    wrapped = {"type": "function", "function": bare}
    assert [to_openai_tool(tool) for tool in (bare, wrapped, Tool.from_openai(bare))] == [wrapped] * 3
