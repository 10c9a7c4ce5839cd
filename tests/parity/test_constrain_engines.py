"""Constraints in the engines that keep them: xgrammar's matcher, transformers, and llama.cpp."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_constrained import bench_module
from tiny_spm import spm_tokenizer

from data_pipeline.core.schema import Tool
from data_pipeline.core.xlam_format import parse_calls
from data_pipeline.tools.schema_check import argument_errors
from xlam_train.export.gguf import write_gguf
from xlam_train.infer.backends import Request
from xlam_train.infer.constrain import answer_constraint, not_enforced
from xlam_train.infer.opening import open_backend

ROOT = Path(__file__).resolve().parents[2]
TOOL_SETS = 60

BOUNDED = Tool(
    name="plan_trip",
    description="Plans a trip.",
    parameters={
        "type": "object",
        "properties": {
            "city": {"type": "string", "minLength": 1, "maxLength": 6},
            "code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{1,3}$"},
            "days": {"type": "integer", "minimum": 1, "maximum": 30},
            "budget": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1e4},
            "stops": {"type": "array", "items": {"enum": ["Zürich", 'a "b"', 7]}, "minItems": 1, "maxItems": 2},
        },
        "required": ["city", "days"],
    },
)
"""Of bounded answers, because a model with random weights goes on as long as it may."""


SHORT = Tool(
    name="trip",
    description="Plans a trip.",
    parameters={
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 5},
            "days": {"type": "integer", "minimum": 1, "maximum": 30},
        },
        "required": ["city", "days"],
    },
)


def silent(_: int) -> None:
    """Nobody watches."""


def is_valid(text: str, tools: list[Tool]) -> bool:
    by_name = {tool.name: tool for tool in tools}
    calls = parse_calls(text)
    return all(call.name in by_name and not argument_errors(by_name[call.name], call.arguments) for call in calls)


def test_all_valid_answers_are_admitted_and_all_spoilt_ones_refused() -> None:
    command = [sys.executable, "scripts/bench/constrained.py", "--walks", "150", "--seed", "7", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["admitted"], found["refused"], found["walked"], found["wrong"]) == (10_000, 10_000, 150, 0)
    assert len(found["kinds"]) == 24
    assert min(found["kinds"].values()) > 20


@pytest.fixture(scope="module")
def random_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = spm_tokenizer(tmp_path_factory.mktemp("random"))
    size = len(AutoTokenizer.from_pretrained(folder))
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=size, initializer_range=0.2, **shape)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def random_gguf(random_dir: Path) -> Path:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    write_gguf(random_dir, random_dir / "random.gguf", "f32")
    return random_dir / "random.gguf"


def test_llama_cpp_reads_every_grammar_and_keeps_to_it(random_gguf: Path) -> None:
    cases, matcher, rng = bench_module("constrained_cases"), bench_module("constrained_matcher"), random.Random(11)
    tool_sets = [cases.random_tools(rng) for _ in range(TOOL_SETS)]
    constraints = [answer_constraint(tools, empty=False) for tools in tool_sets]
    requests = [Request("Go.", 400, constraint, temperature=1.0, seed=7) for constraint in constraints]
    with open_backend(str(random_gguf), threads=1) as backend:
        found = backend.complete(requests, silent)
    for tools, constraint, done in zip(tool_sets, constraints, found, strict=True):
        assert done.text.startswith('{"tool_calls": [{"name": "')
        if done.stopped:
            assert cases.is_valid(done.text, tools, empty=False) or not_enforced(tools), done.text
            assert matcher.Matcher(constraint.grammar).admits(done.text)
    assert sum(done.stopped for done in found) >= TOOL_SETS // 10


@pytest.mark.parametrize("engine", ["random_dir", "random_gguf"])
def test_random_weights_write_valid_calls(request: pytest.FixtureRequest, engine: str) -> None:
    constraint = answer_constraint([BOUNDED], empty=False)
    requests = [Request("Go.", 500, constraint, temperature=1.0, seed=seed) for seed in range(12)]
    with open_backend(str(request.getfixturevalue(engine)), threads=1) as backend:
        found = [done for done in backend.complete(requests, silent) if done.stopped]
    assert len(found) >= 6
    assert len({done.text for done in found}) == len(found)
    for done in found:
        assert parse_calls(done.text)
        assert is_valid(done.text, [BOUNDED]), done.text


def test_an_untrained_model_calls_tools_only_when_it_must(smollm2_dir: Path) -> None:
    queries = ["Plan three days in Rome.", "I am off to Oslo for a week.", "Two days in Bern, 500 francs."]
    prompts = [f"<|im_start|>user\n{query}<|im_end|>\n<|im_start|>assistant\n" for query in queries]
    constraint = answer_constraint([SHORT], empty=False)
    torch.set_num_threads(1)
    with open_backend(str(smollm2_dir), threads=1) as backend:
        free = backend.complete([Request(prompt, 6) for prompt in prompts], silent)
        kept = backend.complete([Request(prompt, 64, constraint) for prompt in prompts], silent)
    assert not any(done.text.startswith(("{", "[")) for done in free)
    for done in kept:
        # Such a model may add calls until its budget is spent; those it has written are valid all the same.
        text = done.text if done.stopped else done.text[: done.text.rindex("}}") + 2] + "]}"
        assert parse_calls(text)
        assert is_valid(text, [SHORT]), text
