"""A model in vLLM, in this process, on this machine's GPUs.

Written against the offline API of vLLM 0.33 (`LLM.chat`, `SamplingParams`, `StructuredOutputsParams`). What
gathers requests into batches is tested with a stand-in; `load_engine` itself needs a GPU and was never run
where this was written.
"""

from __future__ import annotations

import asyncio
import importlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.llm.chat import ChatAnswer

if TYPE_CHECKING:
    from data_pipeline.llm.chat import ChatRequest
    from data_pipeline.llm.settings import Vllm

Engine = Callable[[Sequence["ChatRequest"]], list[ChatAnswer]]
"""Answers a batch, in order; raises ValueError where it does not take one of the requests."""


class VllmModel:
    """Hands requests over in batches: all that came while the batch before was computed."""

    def __init__(self, settings: Vllm, load: Callable[[Vllm], Engine] | None = None) -> None:
        """Nothing is loaded before the first request.

        Args:
            settings: which model, and how many requests a batch.
            load: makes the engine; vLLM's unless given.
        """
        self.name = settings.model
        self.max_tokens = settings.max_tokens
        self._settings = settings
        self._load = load or load_engine
        self._engine: Engine | None = None
        self._waiting: deque[tuple[ChatRequest, asyncio.Future[ChatAnswer]]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """See `ChatModel.ask`.

        Raises:
            InputError: vLLM is missing.
        """
        answer: asyncio.Future[ChatAnswer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._answer_all())
        return await answer

    async def close(self) -> None:
        """Drop the engine, which frees the GPU."""
        if self._work is not None:
            await asyncio.gather(self._work, return_exceptions=True)
        self._engine = None

    async def _answer_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # all who are about to ask come into the same batch
            size = min(self._settings.batch, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(size)]
            batch = [(request, answer) for request, answer in batch if not answer.done()]
            try:
                answers = await asyncio.to_thread(self._run, [request for request, _ in batch])
            except Exception as error:  # whatever it is, those who asked must be told
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            for (_, answer), given in zip(batch, answers, strict=True):
                if not answer.done():
                    answer.set_result(given)

    def _run(self, requests: Sequence[ChatRequest]) -> list[ChatAnswer]:
        if self._engine is None:
            self._engine = self._load(self._settings)
        try:
            return self._engine(requests)
        except ValueError as error:
            # vLLM refuses a whole batch for one prompt beyond the model's context.
            if len(requests) == 1:
                return [ChatAnswer("", "bad_request", " ".join(str(error).split())[:200])]
            return [answer for request in requests for answer in self._run([request])]


def load_engine(settings: Vllm) -> Engine:
    """vLLM with the model loaded.

    Raises:
        InputError: vLLM is missing, or cannot load the model.
    """
    try:
        vllm: Any = importlib.import_module("vllm")
        sampling_params: Any = importlib.import_module("vllm.sampling_params")
    except ImportError as error:
        raise InputError("kind: vllm needs the package vllm and a GPU: pip install vllm") from error
    try:
        model = vllm.LLM(model=settings.model, tensor_parallel_size=settings.tensor_parallel)
    except (ValueError, OSError) as error:
        raise InputError(f"{settings.model}: vLLM cannot load it ({str(error).splitlines()[0]})") from error

    def sampling(request: ChatRequest) -> Any:
        schema = request.schema and sampling_params.StructuredOutputsParams(json=dict(request.schema))
        return vllm.SamplingParams(
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            seed=request.seed,
            structured_outputs=schema,
        )

    def answer(requests: Sequence[ChatRequest]) -> list[ChatAnswer]:
        conversations = [[{"role": role, "content": text} for role, text in r.messages] for r in requests]
        outputs = model.chat(conversations, [sampling(request) for request in requests], use_tqdm=False)
        return [read_output(output, settings) for output in outputs]

    return answer


def read_output(output: Any, settings: Vllm) -> ChatAnswer:
    """One of vLLM's `RequestOutput`s as an answer."""
    written = output.outputs[0]
    asked, tokens = len(output.prompt_token_ids or ()), len(written.token_ids)
    failure = "cut_off" if written.finish_reason == "length" else "" if written.text.strip() else "empty_answer"
    return ChatAnswer(written.text, failure, "", asked, tokens, settings.cost(asked, tokens))
