"""Which backend a model is asked through, and which weights it has, from how it is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from xlam_train.infer.backends import Backend

VLLM = "vllm:"


def open_backend(model: str, threads: int | None = None) -> Backend:
    """The backend for a model's name; nothing is loaded before its `with` block.

    Args:
        model: a Hugging Face folder, a .gguf file, http(s)://HOST:PORT/v1[#NAME] for an OpenAI-compatible server (NAME
            where it serves several models), or vllm:PATH.
        threads: of a backend in this process; its own default unless given.

    Raises:
        InputError: there is no such model.
    """
    if _is_address(model):
        from xlam_train.infer.endpoint_backend import EndpointBackend

        url, _, name = model.partition("#")
        return EndpointBackend(url, name)
    if model.startswith(VLLM):
        from xlam_train.infer.vllm_backend import VllmBackend

        return VllmBackend(model.removeprefix(VLLM))
    return _open_path(Path(model), threads)


def weights_fingerprint(model: str) -> str | None:
    """The same for the same weights, template and tokenizer alone; None for a server, which shows nobody its own.

    Args:
        model: as for `open_backend`.

    Raises:
        InputError: a folder without weights.
    """
    if _is_address(model):
        return None
    from xlam_train.fingerprint import files_sha256

    return files_sha256(Path(model.removeprefix(VLLM)))


def _is_address(model: str) -> bool:
    return model.startswith(("http://", "https://"))


def _open_path(path: Path, threads: int | None) -> Backend:
    if path.suffix == ".gguf" and path.is_file():
        from xlam_train.infer.llama_cpp import LlamaCppBackend

        return LlamaCppBackend(path, threads)
    if (path / "config.json").is_file():
        from xlam_train.infer.transformers_backend import TransformersBackend

        return TransformersBackend(path, threads)
    if (path / "adapter_config.json").is_file():
        raise InputError(f"{path}: an adapter without its base; merge it first: xlam export merge BASE {path} OUT")
    raise InputError(
        f"{path}: no model here; give a Hugging Face folder (with config.json), a .gguf file, "
        "http://HOST:PORT/v1 or vllm:PATH"
    )
