"""What goes into vLLM and what comes out, with a stand-in; the real one needs a GPU."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from data_pipeline.core.errors import InputError
from xlam_train.infer.backends import Chat, Constraint, Request, RequestRefused
from xlam_train.infer.opening import open_backend
from xlam_train.infer.vllm_backend import VllmBackend

CHAT = Chat(({"role": "user", "content": "Do it again"},))


def told(**logprobs: float) -> dict[int, Any]:
    return {int(name[1:]): SimpleNamespace(logprob=value) for name, value in logprobs.items()}


class StandIn:
    """`vllm.LLM` by its documented shapes: answers token 5 and the end of turn 2, or the prompt's probabilities."""

    def __init__(self, model: str, **options: Any) -> None:
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(model)
        self.options = options
        self.asked: list[tuple[list[int], SimpleNamespace]] = []

    def get_tokenizer(self) -> Any:
        return self.tokenizer

    def generate(self, prompts: list[Any], sampling: list[Any], *, use_tqdm: bool) -> list[Any]:
        assert not use_tqdm
        self.asked += [(prompt["prompt_token_ids"], params) for prompt, params in zip(prompts, sampling, strict=True)]
        if any(len(prompt["prompt_token_ids"]) > 500 for prompt in prompts):
            raise ValueError("The prompt is too long\nfor this model")
        return [
            self.answer(prompt["prompt_token_ids"], params) for prompt, params in zip(prompts, sampling, strict=True)
        ]

    def answer(self, ids: list[int], params: Any) -> Any:
        short = params.max_tokens == 1
        written = SimpleNamespace(
            token_ids=[5] if short else [5, 2],
            finish_reason="length" if short else "stop",
            logprobs=[told(_5=-2.0, _7=-0.5)] + ([] if short else [told(_2=-0.25, _9=-1.25)]),
        )
        metrics = SimpleNamespace(first_token_latency=0.5, first_token_ts=100.0, last_token_ts=100.25)
        prompt_logprobs = [None, *({token: SimpleNamespace(logprob=-float(token))} for token in ids[1:])]
        return SimpleNamespace(outputs=[written], metrics=metrics, prompt_logprobs=prompt_logprobs)


@pytest.fixture
def backend(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> VllmBackend:
    vllm, sampling = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    vllm.LLM, vllm.SamplingParams = StandIn, SimpleNamespace  # type: ignore[attr-defined]
    sampling.StructuredOutputsParams = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", vllm)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", sampling)
    return VllmBackend(str(tiny_base))


def test_requests_become_tokens_and_sampling(backend: VllmBackend) -> None:
    heard: list[int] = []
    constraint = Constraint('root ::= "yes"', {})
    with backend:
        text = backend.prompt_text(CHAT)
        requests = [Request(CHAT, 9, constraint, 0.5, 0.9, 3), Request(text, 1)]
        done, cut = backend.complete(requests, heard.append)
        (first, params), (second, plain) = backend._llm.asked
        assert backend._llm.options["trust_remote_code"] is False
        assert first == second == backend.tokenize(text)
        assert done.text == backend._tokenizer.decode([5])
    assert vars(params) == {
        "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "seed": 3, "logprobs": 2,
        "structured_outputs": SimpleNamespace(grammar=constraint.grammar),
    }  # fmt: skip
    assert plain.structured_outputs is None
    assert sum(heard) == 2
    assert (done.tokens, done.logprobs, done.margins, done.stopped) == ((5, 2), (-2.0, -0.25), (-1.5, 1.0), True)
    assert (done.first_token_seconds, done.seconds) == (0.5, 0.75)
    assert (cut.tokens, cut.stopped) == ((5,), False)


def test_given_answers_are_scored_as_part_of_the_prompt(backend: VllmBackend) -> None:
    with backend:
        assert backend.score([CHAT, "Do"], [[7, 8, 2], []]) == [(-7.0, -8.0, -2.0), ()]


def test_what_vllm_refuses_is_one_line(backend: VllmBackend) -> None:
    with backend, pytest.raises(RequestRefused, match="The prompt is too long") as caught:
        backend.complete([Request("Do it " * 500)], lambda _: None)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vLLM is installed")
def test_without_vllm_one_line_says_so(tiny_base: Path) -> None:
    with pytest.raises(InputError, match="pip install") as caught, open_backend(f"vllm:{tiny_base}"):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.gpu
def test_vllm_itself_answers_as_transformers(smollm2_dir: Path) -> None:
    pytest.importorskip("vllm", reason="needs the package vllm and a GPU")
    requests = [Request(CHAT, 8)]
    with open_backend(str(smollm2_dir)) as ours, open_backend(f"vllm:{smollm2_dir}") as theirs:
        assert ours.prompt_text(CHAT) == theirs.prompt_text(CHAT)
        (expected,) = ours.complete(requests, lambda _: None)
        (found,) = theirs.complete(requests, lambda _: None)
    assert found.logprobs[0] == pytest.approx(expected.logprobs[0], abs=0.1)
