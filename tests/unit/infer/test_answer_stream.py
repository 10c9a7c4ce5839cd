"""Growing answers, cut at every character: each call once, as soon as it is whole, and text as text."""

from __future__ import annotations

import json
import random

import pytest

from data_pipeline.core.schema import ToolCall
from data_pipeline.core.xlam_format import render_answer
from xlam_train.infer.answer_stream import Answer, AnswerStream, read_answer

OSLO = ToolCall(name="weather", arguments={"city": 'Os"lo}]', "at": {"days": [1, 2.5, None]}})
ROME = ToolCall(name="weather", arguments={})
FORMS = {
    "object": render_answer([OSLO, ROME]),
    "list": render_answer([OSLO, ROME], "actionstudio"),
    "thought": render_answer([OSLO, ROME], "xlam-1-history", 'Two "cities".'),
    "indented": "\n" + json.dumps(json.loads(render_answer([OSLO, ROME])), indent=2) + "\n",
}
NO_ANSWERS = (
    "",
    "Hello [you].",
    '{"a": 1}',
    '{"tool_calls": [{"name": "weather"}]}',
    '[{"name": "weather", "arguments": {}, "id": 1}]',
    '{"tool_calls": [1]}',
    '{"thought": "Hm.", "calls": []}',
    '```json\n[{"name": "weather", "arguments": {}}]\n```',
)


def streamed(text: str, sizes: random.Random | None = None) -> list[Answer]:
    """What a stream tells of a text, a character or a random stretch at a time."""
    stream, told, end = AnswerStream(), [], 0
    while end < len(text):
        end += sizes.randint(1, 30) if sizes else 1
        told.append(stream.feed(text[:end]))
    return told


def together(told: list[Answer]) -> Answer:
    return Answer("".join(new.text for new in told), tuple(call for new in told for call in new.calls))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_whole_and_streamed_alike(form: str) -> None:
    wanted = Answer('Two "cities".' if form == "thought" else "", (OSLO, ROME))
    assert read_answer(FORMS[form]) == wanted
    assert together(streamed(FORMS[form])) == wanted
    for seed in range(50):
        assert together(streamed(FORMS[form], random.Random(seed))) == wanted


@pytest.mark.parametrize("form", FORMS)
def test_a_call_is_told_with_its_last_character(form: str) -> None:
    text = FORMS[form]
    told = streamed(text)
    first = next(index for index, new in enumerate(told) if new.calls)
    assert text[: first + 1].rstrip().endswith("}")
    assert read_answer(text[: first + 1] + ("]" if text.startswith("[") else "]}")).calls == (OSLO,)


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_what_is_no_answer_is_text(text: str) -> None:
    assert read_answer(text) == Answer(text)
    assert together(streamed(text)) == Answer(text)


@pytest.mark.parametrize("text", ['{"tool_calls": []}', "[]", ' {"tool_calls": [ ] }\n'])
def test_no_call_says_nothing(text: str) -> None:
    assert read_answer(text) == Answer()
    assert together(streamed(text)) == Answer()


def test_text_streams_at_once() -> None:
    assert [new.text for new in streamed("Hello.")] == list("Hello.")


def test_a_thought_without_calls_is_told_when_the_answer_is_whole() -> None:
    text = '{"thought": "Nothing fits.", "tool_calls": []}'
    assert read_answer(text) == Answer("Nothing fits.")
    assert together(streamed(text)) == Answer("Nothing fits.")


def test_a_broken_answer_tells_only_its_whole_calls() -> None:
    text = FORMS["object"][:-20]
    assert read_answer(text) == Answer(text)
    assert together(streamed(text)) == Answer("", (OSLO,))
    assert together(streamed(FORMS["list"] + " so be it")).calls == (OSLO, ROME)
