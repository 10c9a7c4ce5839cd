"""Rendering on real tokenizers: the mask is the answer and its end, the rest is the template's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, ToolCall, Trajectory
from data_pipeline.core.xlam_format import render_answer, render_prompt
from xlam_train.data.render import Renderer
from xlam_train.model import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INSTRUCTION = (
    "{% for m in messages %}{% if m['role'] == 'user' %}### Instruction:\n{{ m['content'] }}\n### Response:\n"
    "{% else %}{{ m['content'] }}\n<|EOT|>\n{% endif %}{% endfor %}"
)


@pytest.fixture(scope="module")
def smollm2(smollm2_dir: Path) -> Any:
    return load_tokenizer(smollm2_dir)


@pytest.fixture
def tiny(tiny_base: Path) -> Any:
    return load_tokenizer(tiny_base)


@pytest.fixture(scope="module")
def deepseek(vocab_dir: Path) -> Any:
    """deepseek-coder's tokenizer, rebuilt from its vocabulary and merges."""
    from gguf import GGUFReader
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    path = vocab_dir / "ggml-vocab-deepseek-coder.gguf"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {vocab_dir}")
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(pair.split(" ")) for pair in fields["tokenizer.ggml.merges"].contents()]
    bpe = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens[:32000])}, merges))
    splits = [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+"]
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *(pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in splits),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    bpe.add_tokens([AddedToken(token, special=token == "<|EOT|>", normalized=False) for token in tokens[32000:32022]])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe)
    tokenizer.chat_template = INSTRUCTION
    return tokenizer


def split(renderer: Renderer, tokenizer: Any, sample: Trajectory) -> tuple[str, str]:
    """The text that is not trained, and the text that is."""
    encoded = renderer.encode(sample)
    assert len(encoded.ids) == len(encoded.trainable)
    start = encoded.trainable.index(True)
    assert all(encoded.trainable[start:])
    return tokenizer.decode(encoded.ids[:start]), tokenizer.decode(encoded.ids[start:])


def test_smollm2(smollm2: Any, make_samples: Callable[..., list[Trajectory]]) -> None:
    sample = make_samples()[1]
    prompt, trained = split(Renderer(smollm2), smollm2, sample)
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
    prompt, trained = split(renderer, deepseek, sample)
    assert renderer.end_token_id == 32021
    assert trained == render_answer(sample.calls) + "<|EOT|>"
    assert prompt == f"### Instruction:\n{render_prompt(sample.tools, sample.query)}\n### Response:\n"


def test_deepseek_coder_is_rebuilt_to_the_id(deepseek: Any, vocab_dir: Path) -> None:
    name = "ggml-vocab-deepseek-coder.gguf"
    inputs = (vocab_dir / f"{name}.inp").read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    expected = (vocab_dir / f"{name}.out").read_text(encoding="utf-8").splitlines()
    got = [deepseek.encode(text, add_special_tokens=False) for text in inputs]
    assert [list(map(int, line.split())) for line in expected] == got[: len(expected)]


def test_inference_builds_the_same_prompt(tiny: Any, make_samples: Callable[..., list[Trajectory]]) -> None:
    sample = make_samples()[0]
    renderer = Renderer(tiny)
    encoded = renderer.encode(sample)
    prompt = renderer.prompt_ids([tool.to_openai() for tool in sample.tools], sample.query)
    assert encoded.ids[: encoded.trainable.index(True)] == prompt


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


def test_nothing_to_train(
    tiny: Any, make_samples: Callable[..., list[Trajectory]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlam_train.data.render.render", lambda *_: [])
    with pytest.raises(InputError, match="sample s0-0: no token to train on"):
        Renderer(tiny).encode(make_samples()[0])


def test_too_long(tiny: Any, make_samples: Callable[..., list[Trajectory]]) -> None:
    with pytest.raises(InputError, match=r"sample s0-0: \d+ tokens are more than data.max_length \(50\)"):
        Renderer(tiny).encode_all(make_samples(), max_length=50)


def test_end_token_inside_the_answer(tiny: Any, make_samples: Callable[..., list[Trajectory]]) -> None:
    sample = make_samples()[0]
    call = ToolCall(name="say", arguments={"text": "stop <|im_end|> here"})
    messages = (sample.messages[0], Message(role="assistant", tool_calls=(call,)))
    with pytest.raises(InputError, match="sample s0-0: the answer contains the end-of-turn token"):
        Renderer(tiny).encode(sample.model_copy(update={"messages": messages}))
