"""From a recipe's section to a model that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_pipeline.llm.cache import CachedModel, ResponseCache
from data_pipeline.llm.endpoint import EndpointModel
from data_pipeline.llm.llama_cpp import LlamaCppModel, gguf_file
from data_pipeline.llm.settings import Endpoint, LlamaCpp
from data_pipeline.llm.vllm import VllmModel

if TYPE_CHECKING:
    from pathlib import Path

    from data_pipeline.llm.chat import ChatModel
    from data_pipeline.llm.settings import Vllm


def open_model(settings: Endpoint | LlamaCpp | Vllm, cache_folder: Path | None) -> ChatModel:
    """The model that a recipe names; to be closed.

    Args:
        settings: the recipe's section.
        cache_folder: where answers are kept, on storage that all workers share; None keeps none.

    Raises:
        InputError: a key, file or package is missing.
    """
    model = _open(settings)
    if cache_folder is None:
        return model
    return CachedModel(model, _identity(settings), ResponseCache(cache_folder))


def _open(settings: Endpoint | LlamaCpp | Vllm) -> ChatModel:
    if isinstance(settings, Endpoint):
        return EndpointModel(settings)
    return LlamaCppModel(settings) if isinstance(settings, LlamaCpp) else VllmModel(settings)


def _identity(settings: Endpoint | LlamaCpp | Vllm) -> tuple[str | int, ...]:
    """What makes one model's answers another's."""
    if isinstance(settings, Endpoint):
        return settings.kind, settings.base_url, settings.model
    if isinstance(settings, LlamaCpp):
        file = gguf_file(settings.path)
        return settings.kind, str(settings.path), file.stat().st_size, settings.context
    return settings.kind, settings.model
