"""Rendering on real tokenizers: the mask is the answer and its end, the rest is the template's."""

from __future__ import annotations

import pickle
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import tiny_tokenizers
from tokenizers import normalizers

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from data_pipeline.core.schema import Message, ToolCall, Trajectory
from data_pipeline.core.xlam_format import render_answer, render_prompt
from xlam_train.data.render import Renderer, check_vocabulary
from xlam_train.model import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xlam_train.data.render import Encoded


@pytest.fixture(scope="module")
def smollm2(smollm2_dir: Path) -> Any:
    return load_tokenizer(smollm2_dir)


@pytest.fixture
def tiny(tiny_base: Path) -> Any:
    return load_tokenizer(tiny_base)


@pytest.fixture(scope="module")
def deepseek(vocab_dir: Path) -> Any:
    return tiny_tokenizers.deepseek_coder(vocab_dir)


def only(rows: list[Encoded]) -> Encoded:
    (row,) = rows
    return row


def split(tokenizer: Any, row: Encoded) -> tuple[str, str]:
    """The text that is not trained, and the text that is."""
    assert len(row.ids) == len(row.trainable)
    start = row.trainable.index(True)
    assert all(row.trainable[start:])
    return tokenizer.decode(row.ids[:start]), tokenizer.decode(row.ids[start:])


def test_smollm2(smollm2: Any, make_samples: Callable[..., list[Trajectory]]) -> None:
    sample = make_samples()[1]
    prompt, trained = split(smollm2, only(Renderer(smollm2).encode_rows(sample)))
    assert trained == render_answer(sample.calls) + "<|im_end|>"
    assert prompt == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        f"<|im_start|>user\n{render_prompt(sample.tools, sample.query)}<|im_end|>\n<|im_start|>assistant\n"
    )


def test_smollm2_reads_one_digit_a_token(smollm2: Any) -> None:
    assert len(smollm2("1234", add_special_tokens=False).input_ids) == 4


def test_deepseek_coder_does_not_train_the_newline_before_the_end(
    deepseek: Any, make_samples: Callable[..., list[Trajectory]]
) -> None:
    sample = make_samples()[1]
    renderer = Renderer(deepseek)
    prompt, trained = split(deepseek, only(renderer.encode_rows(sample)))
    assert renderer.end_token_id == 32021
    assert trained == render_answer(sample.calls) + "<|EOT|>"
    instruction = f"### Instruction:\n{render_prompt(sample.tools, sample.query)}\n### Response:\n"
    assert prompt == deepseek.bos_token + instruction


@pytest.mark.parametrize("name", ["smollm2", "deepseek", "tiny"])
def test_ids_are_those_of_the_text_as_served(
    name: str, request: pytest.FixtureRequest, make_samples: Callable[..., list[Trajectory]]
) -> None:
    """Line by line or not, a prompt has the ids that the tokenizer gives its whole text."""
    tokenizer = request.getfixturevalue(name)
    renderer = Renderer(tokenizer)
    for sample in make_samples():
        row = only(renderer.encode_rows(sample))
        chat = [{"role": "user", "content": render_prompt(sample.tools, sample.query)}]
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        served = tokenizer.encode(text, add_special_tokens=False)
        answer = tokenizer.encode(render_answer(sample.calls), add_special_tokens=False)
        assert row.ids == [*served, *answer, renderer.end_token_id]
        assert row.trainable == [False] * len(served) + [True] * (len(answer) + 1)
        assert served == renderer.prompt_ids([tool.to_openai() for tool in sample.tools], sample.query)


def test_a_renderer_survives_the_way_to_a_worker(tiny: Any, make_samples: Callable[..., list[Trajectory]]) -> None:
    renderer, sample = Renderer(tiny), make_samples()[0]
    rows = renderer.encode_rows(sample)
    assert pickle.loads(pickle.dumps(renderer)).encode_rows(sample) == rows


def test_no_template(tiny: Any) -> None:
    tiny.chat_template = None
    with pytest.raises(InputError, match="no chat template; use an instruct model"):
        Renderer(tiny)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for m in messages %}{{ m['content'] | upper }}<|im_end|>{% endfor %}", "unchanged"),
        ("{% for m in messages %}{{ m['content'] }}<think></think>{% endfor %}", "without a special token"),
        ("{{ messages[0]['content'] }}", "unchanged"),
        (
            "{% for m in messages %}{{ m['content'] }}<|im_end|>{% endfor %}"
            "{% if add_generation_prompt %}A:{% endif %}",
            "unchanged",
        ),
    ],
)
def test_templates_that_would_train_something_else(tiny: Any, template: str, reason: str) -> None:
    tiny.chat_template = template
    with pytest.raises(InputError, match=reason):
        Renderer(tiny)


def test_nothing_to_train(tiny: Any, make_samples: Callable[..., list[Trajectory]]) -> None:
    """A tokenizer that drops blanks has nothing of an answer of blanks but its end."""
    tiny.chat_template = "{{ tools }}" + tiny.chat_template
    tiny.backend_tokenizer.normalizer = normalizers.Strip()
    sample = make_samples()[0]
    messages = (sample.messages[0], Message(role="assistant", content=" "))
    with pytest.raises(InputError, match="sample s0-0: no token to train on; remove the sample"):
        Renderer(tiny, "actionstudio").encode_rows(sample.model_copy(update={"messages": messages}))


def test_too_long(tiny: Any, make_samples: Callable[..., list[Trajectory]]) -> None:
    with pytest.raises(InputError, match=r"sample s0-0: \d+ tokens are more than data.max_length \(50\)"):
        Renderer(tiny).encode_all(make_samples(), max_length=50)


def test_end_token_inside_the_answer(tiny: Any, make_samples: Callable[..., list[Trajectory]]) -> None:
    sample = make_samples()[0]
    call = ToolCall(name="say", arguments={"text": "stop <|im_end|> here"})
    messages = (sample.messages[0], Message(role="assistant", tool_calls=(call,)))
    with pytest.raises(InputError, match="sample s0-0: the answer contains the end-of-turn token"):
        Renderer(tiny).encode_rows(sample.model_copy(update={"messages": messages}))


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("tokenizer_config.json", {"eos_token": "<|endoftext|>"}),
        ("generation_config.json", {"eos_token_id": [2, 0]}),
        ("config.json", {"eos_token_id": 0}),
    ],
)
def test_another_end_of_generation_inside_the_answer(
    file: str, change: dict[str, Any], tiny_base: Path, tmp_path: Path, make_samples: Callable[..., list[Trajectory]]
) -> None:
    """Such as the `<|endoftext|>` of Qwen's instruct models, which ends no turn."""
    sample = make_samples()[0]
    call = ToolCall(name="say", arguments={"text": "stop <|endoftext|> here"})
    messages = (sample.messages[0], Message(role="assistant", tool_calls=(call,)))
    sample = sample.model_copy(update={"messages": messages})
    assert Renderer(load_tokenizer(tiny_base)).encode_rows(sample), "nothing ends there yet"
    base = shutil.copytree(tiny_base, tmp_path / "base")
    write_json(base / file, {**read_json(base / file), **change})
    with pytest.raises(InputError, match=r"sample s0-0: the answer contains <\|endoftext\|>, which ends generation"):
        Renderer(load_tokenizer(base)).encode_rows(sample)


def test_vocabulary(tiny: Any) -> None:
    highest = max(tiny.get_vocab().values())
    check_vocabulary(tiny, highest + 1)
    with pytest.raises(InputError, match=f"ids up to {highest}, but the model only {highest} embeddings; use the tok"):
        check_vocabulary(tiny, highest)
    tiny.add_tokens(["<call>"])
    with pytest.raises(InputError, match=f"ids up to {highest + 1}"):
        check_vocabulary(tiny, highest + 1)
