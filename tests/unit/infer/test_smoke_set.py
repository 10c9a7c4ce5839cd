"""The fixed queries: of every style, with calls that run, and the same in whichever way they are asked."""

import json
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Style
from data_pipeline.core.xlam_format import render_answer
from data_pipeline.tools.executor import Executor
from xlam_train.evaluate.heldout import judge
from xlam_train.infer.smoke import Asking
from xlam_train.infer.smoke_set import fixed_samples, openai_chat, rendered_chat

SAMPLES = fixed_samples()


def test_every_style_and_kind_of_conversation_is_asked() -> None:
    roles = {message.role for sample in SAMPLES for message in sample.messages}
    assert {sample.style for sample in SAMPLES} == set(get_args(Style))
    assert roles == {"system", "user", "assistant", "tool"}
    assert len({sample.id for sample in SAMPLES}) == len(SAMPLES) == 24


def test_expected_answers_are_right_and_run() -> None:
    with Executor() as executor:
        outcomes = [judge(sample, render_answer(sample.calls), executor) for sample in SAMPLES]
    assert all(outcome.exact and outcome.runs and outcome.result for outcome in outcomes)


def test_results_in_conversations_are_what_the_tools_return() -> None:
    with Executor() as executor:
        for sample in SAMPLES:
            tools = {tool.name: tool for tool in sample.tools}
            calls = [call for message in sample.messages[:-1] for call in message.tool_calls]
            told = [json.loads(message.content) for message in sample.messages if message.role == "tool"]
            assert told == [executor.call(tools[call.name], call.arguments).result for call in calls]


def test_the_first_few_are_of_mixed_styles_and_neighbours_share_tools() -> None:
    few = fixed_samples(6)
    assert len({sample.style for sample in few}) == 5
    names = [" ".join(tool.name for tool in sample.tools) for sample in few]
    assert sum(a != b for a, b in pairwise(names)) + 1 == len(set(names)) < len(names)


@pytest.mark.parametrize("count", [0, 25])
def test_more_than_there_are_is_refused(count: int) -> None:
    with pytest.raises(InputError, match=f"samples: {count} asked"):
        fixed_samples(count)


def test_results_carry_the_ids_of_their_calls() -> None:
    (sample,) = [sample for sample in SAMPLES if sample.id == "two-results"]
    messages = openai_chat(sample).messages
    called = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    returned = [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    assert called == returned == ["call00000", "call00001"]


def test_a_client_of_actionstudio_writes_the_message_of_the_system() -> None:
    sample = SAMPLES[0]
    assert Asking().chat(sample) == openai_chat(sample)
    assert Asking(rendered=True).chat(sample) == rendered_chat(sample)
    chat = Asking("actionstudio").chat(sample)
    assert chat.messages[0]["role"] == "system"
    assert chat.tools is not None


def test_our_template_writes_every_query_as_core_does(smollm2_dir: Path) -> None:
    from transformers import AutoTokenizer

    from xlam_train.export.chat_template import xlam_template

    tokenizer = AutoTokenizer.from_pretrained(smollm2_dir)
    plain = tokenizer.chat_template
    taught = xlam_template(tokenizer)
    for sample in SAMPLES:
        asked, written = openai_chat(sample), rendered_chat(sample)
        found = tokenizer.apply_chat_template(
            asked.messages, tools=asked.tools, chat_template=taught, tokenize=False, add_generation_prompt=True
        )
        assert found == tokenizer.apply_chat_template(
            written.messages, chat_template=plain, tokenize=False, add_generation_prompt=True
        )
