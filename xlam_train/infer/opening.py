"""Which backend a model is asked through, from how it is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from xlam_train.infer.backends import Backend


def open_backend(model: str, threads: int | None = None) -> Backend:
    """The backend for a GGUF file or a Hugging Face folder.

    Raises:
        InputError: there is no model at the path.
    """
    path = Path(model)
    if path.is_file() and path.suffix == ".gguf":
        from xlam_train.infer.llama_cpp import LlamaCppBackend

        return LlamaCppBackend(path, threads)
    if (path / "config.json").is_file():
        from xlam_train.infer.transformers_backend import TransformersBackend

        return TransformersBackend(path, threads)
    raise InputError(f"{model}: no model here; give a Hugging Face folder (with config.json) or a .gguf file")
