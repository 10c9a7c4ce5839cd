"""llama.cpp itself, in this process, for tests: exact numbers, one thread."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


class LlamaServer:
    """Ask a GGUF file; keys and values stay in F32, so that differences are the file's and not the cache's."""

    def __init__(self, model: Path, context: int = 512) -> None:
        native = pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
        params = native.CommonParams()
        params.model.path = str(model)
        params.n_ctx = context
        params.n_parallel = 1
        params.cpuparams.n_threads = 1
        params.cpuparams_batch.n_threads = 1
        params.cache_type_k = params.cache_type_v = native.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = native.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED  # sums in F16
        self._server = native.Server(params)

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        """POST to one of the server's addresses."""
        request = urllib.request.Request(
            self._server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            parsed: dict[str, Any] = json.load(answer)
        return parsed

    def tokenize(self, text: str, add_special: bool = True) -> list[int]:
        """Ids of a text, special tokens parsed."""
        found: list[int] = self.ask("/tokenize", content=text, add_special=add_special, parse_special=True)["tokens"]
        return found

    def greedy(
        self, prompt: list[int], count: int, forbidden: range = range(0), top: int = 5
    ) -> list[dict[int, float]]:
        """For each of `count` greedy tokens the log-probabilities of the best `top`, the chosen one first.

        The log-probabilities are those before `forbidden` tokens are ruled out. Single bytes should be: the server
        reports none that are no text by themselves.
        """
        answer = self.ask(
            "/completion",
            prompt=prompt,
            n_predict=count,
            temperature=0,
            samplers=["temperature"],
            n_probs=top,
            logit_bias=[[token, False] for token in forbidden],
        )
        return [
            {entry["id"]: entry["logprob"] for entry in (step, *step["top_logprobs"])}
            for step in answer["completion_probabilities"]
        ]
