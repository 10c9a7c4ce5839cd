"""A model folder on the Hugging Face hub; only where someone asks for it."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from data_pipeline.core.errors import InputError
from xlam_train.export.origin import require_folder

if TYPE_CHECKING:
    from pathlib import Path

_REPO = re.compile(r"[\w.-]+/[\w.-]+")
# Neither pickles nor logs nor hidden files leave the machine.
_UPLOADED = ("*.safetensors", "*.json", "*.jinja", "*.gguf", "tokenizer.model", "merges.txt", "README.md", "LICEN?E*")


def push(model_dir: Path, repo: str, *, private: bool = True) -> str:
    """Upload a model folder with its card, into a repository that is made if there is none.

    The token is huggingface_hub's own (`hf auth login`, or HF_TOKEN); it is neither read nor shown here.

    Args:
        model_dir: with README.md, of `write_card`.
        repo: `organisation/name`.
        private: whether a new repository can be seen by its owner only.

    Returns:
        The address of the commit.

    Raises:
        InputError: no model folder or no card, no such place, no token, or no network.
    """
    require_folder(model_dir)
    if not (model_dir / "README.md").is_file():
        raise InputError(f"{model_dir}: no README.md; write the card first, xlam export card {model_dir}")
    if not _REPO.fullmatch(repo):
        raise InputError(f"--push '{repo}': give organisation/name")
    return _upload(model_dir, repo, private)


def _upload(model_dir: Path, repo: str, private: bool) -> str:
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if get_token() is None:
        raise InputError("--push: no token of the hub on this machine; run hf auth login")
    hub = HfApi()
    try:
        hub.create_repo(repo, private=private, exist_ok=True)
        done = hub.upload_folder(repo_id=repo, folder_path=model_dir, allow_patterns=list(_UPLOADED))
    except HfHubHTTPError as error:
        raise InputError(f"--push: the hub refuses {repo} ({_reason(error)})") from error
    except HFValidationError as error:
        raise InputError(f"--push '{repo}': {str(error).splitlines()[0]}") from error
    except _connection_errors() as error:
        where = hub.endpoint
        raise InputError(f"--push: {where} cannot be reached ({type(error).__name__}); check the network") from error
    return str(done.commit_url)


def _connection_errors() -> tuple[type[Exception], ...]:
    """Of huggingface_hub's HTTP client, which is httpx or its successor, by version."""
    return (OSError, *(import_module(name).HTTPError for name in ("httpx", "httpx2") if find_spec(name)))


def _reason(error: Exception) -> str:
    code = getattr(getattr(error, "response", None), "status_code", None)
    known = {401: "no valid token; run hf auth login", 403: "the token may not write there", 404: "no such place"}
    return known.get(code or 0, f"HTTP status {code}")
