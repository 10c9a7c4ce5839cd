"""A Hugging Face folder in vLLM, in this process, on this machine's GPUs.

Written against the offline API of vLLM 0.33 (`LLM.generate`, `SamplingParams`, `StructuredOutputsParams`,
`RequestOutput`). What goes in and comes out is tested with a stand-in; vLLM itself needs a GPU and was never run where
this was written.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from data_pipeline.core.errors import InputError
from xlam_train.infer.backends import Chat, Completion, Progress, Request, RequestRefused, template_text


class VllmBackend:
    """All requests go in together; vLLM makes its own batches and shares prefixes."""

    at_once = 32

    def __init__(self, model: str) -> None:
        """Nothing is loaded yet.

        Args:
            model: the folder.
        """
        self.name = f"vLLM {Path(model).name}"
        self._path = model
        self._vllm: Any = None
        self._sampling: Any = None
        self._llm: Any = None
        self._tokenizer: Any = None

    def __enter__(self) -> VllmBackend:
        if not (Path(self._path) / "config.json").is_file():
            raise InputError(f"{self._path}: no model here; vllm: wants a Hugging Face folder (with config.json)")
        try:
            self._vllm = importlib.import_module("vllm")
            self._sampling = importlib.import_module("vllm.sampling_params")
        except ImportError as error:
            raise InputError("vllm: needs the package vllm and a GPU: pip install 'xlam-train[vllm]'") from error
        try:
            # Its own statistics carry the times.
            self._llm = self._vllm.LLM(model=self._path, trust_remote_code=False, disable_log_stats=False)
        except (ValueError, OSError, RuntimeError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(f"{self._path}: vLLM cannot load it ({reason})") from error
        self._tokenizer = self._llm.get_tokenizer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._llm = self._tokenizer = None

    def prompt_text(self, chat: Chat) -> str:
        """See `Backend.prompt_text`; vLLM takes the template from the folder's tokenizer."""
        return template_text(self._tokenizer, self._path, chat)

    def tokenize(self, text: str) -> list[int]:
        """See `Backend.tokenize`."""
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False)]

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """See `Backend.complete`."""
        prompts = [{"prompt_token_ids": self._prompt_ids(request.prompt)} for request in requests]
        sampling = [sampling_params(request, self._vllm, self._sampling) for request in requests]
        outputs = self._generate(prompts, sampling)
        progress(len(outputs))
        return [self._completion(output) for output in outputs]

    def score(self, prompts: Sequence[str | Chat], answers: Sequence[Sequence[int]]) -> list[tuple[float, ...]]:
        """See `Backend.score`; vLLM tells the log-probabilities of a prompt's tokens."""
        rows = [[*self._prompt_ids(prompt), *answer] for prompt, answer in zip(prompts, answers, strict=True)]
        sampling = self._vllm.SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0)
        outputs = self._generate([{"prompt_token_ids": row} for row in rows], [sampling] * len(rows))
        return [scored(output, row, len(answer)) for output, row, answer in zip(outputs, rows, answers, strict=True)]

    def _generate(self, prompts: Sequence[Mapping[str, Any]], sampling: Sequence[Any]) -> list[Any]:
        try:
            return list(self._llm.generate(list(prompts), list(sampling), use_tqdm=False))
        except ValueError as error:  # a prompt beyond the context, or a grammar that it does not read
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise RequestRefused(f"{self._path}: vLLM does not take the request ({reason})") from error

    def _prompt_ids(self, prompt: str | Chat) -> list[int]:
        return self.tokenize(prompt if isinstance(prompt, str) else self.prompt_text(prompt))

    def _completion(self, output: Any) -> Completion:
        written = output.outputs[0]
        tokens = [int(token) for token in written.token_ids]
        stopped = written.finish_reason == "stop"
        steps = [_chosen(token, step) for token, step in zip(tokens, written.logprobs, strict=True)]
        first, whole = _seconds(output.metrics)
        return Completion(
            text=self._tokenizer.decode(tokens[:-1] if stopped else tokens, skip_special_tokens=False),
            tokens=tuple(tokens),
            logprobs=tuple(logprob for logprob, _ in steps),
            margins=tuple(margin for _, margin in steps),
            stopped=stopped,
            first_token_seconds=first,
            seconds=whole,
        )


def sampling_params(request: Request, vllm: Any, sampling: Any) -> Any:
    """A request as vLLM has it; log-probabilities are those before any constraint, vLLM's default.

    Args:
        request: what is wanted.
        vllm: the module `vllm`.
        sampling: the module `vllm.sampling_params`.
    """
    constraint = request.constraint
    return vllm.SamplingParams(
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        seed=request.seed,
        logprobs=2,
        structured_outputs=constraint and sampling.StructuredOutputsParams(grammar=constraint.grammar),
    )


def scored(output: Any, row: Sequence[int], count: int) -> tuple[float, ...]:
    """Log-probabilities of the last tokens of a prompt.

    Args:
        output: vLLM's `RequestOutput` with `prompt_logprobs`.
        row: the prompt's token ids.
        count: how many of the last are wanted.
    """
    start = len(row) - count
    return tuple(float(output.prompt_logprobs[index][row[index]].logprob) for index in range(start, len(row)))


def _chosen(token: int, step: Mapping[int, Any]) -> tuple[float, float]:
    """Log-probability of a token, and that minus the best other one's."""
    others = [float(entry.logprob) for other, entry in step.items() if other != token]
    logprob = float(step[token].logprob)
    return logprob, logprob - max(others, default=-math.inf)


def _seconds(metrics: Any) -> tuple[float, float]:
    """To the first token and to the last, from vLLM's `RequestStateStats`, in which two clocks tell the times."""
    first = float(metrics.first_token_latency)
    return first, first + float(metrics.last_token_ts - metrics.first_token_ts)
