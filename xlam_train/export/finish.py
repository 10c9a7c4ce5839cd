"""What a model folder needs beside its weights to behave the same everywhere: tokenizer, prompt, ends, origin."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers import AutoTokenizer

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from xlam_train.export.chat_template import install_template
from xlam_train.export.origin import prompt_of, read_origin, require_folder
from xlam_train.life.provenance import PROVENANCE
from xlam_train.turn_end import turn_end_id

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

    from data_pipeline.core.variants import ToolConversion, Variant

GENERATION = "generation_config.json"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)
_LICENCES = ("LICENSE*", "LICENCE*", "NOTICE*", "USE_POLICY*")


@dataclass(frozen=True)
class Finished:
    """What a model folder says of itself now.

    Attributes:
        path: the folder.
        variant: prompt variant of its chat template.
        conversion: how schemas stand in that prompt.
        end_token_ids: tokens that end an answer, that of the assistant's turn first.
    """

    path: Path
    variant: Variant
    conversion: ToolConversion
    end_token_ids: list[int]


def finish_model(
    folder: Path,
    *,
    variant: Variant | None = None,
    conversion: ToolConversion | None = None,
    origin: dict[str, Any] | None = None,
) -> Finished:
    """Give a model folder its prompt as chat template, the end of the turn as end of generation, and its origin.

    For results of full fine-tuning, merged models and models from elsewhere. May be repeated.

    Args:
        folder: a Hugging Face folder, changed in place; each file appears whole or not at all.
        variant: prompt variant; None takes the one of the run's recipe, or `xlam-1` where there is none.
        conversion: how schemas stand in the prompt; None likewise, or `card`.
        origin: `read_origin` of the weights; None reads that of the folder.

    Raises:
        InputError: no model folder, or one whose tokenizer has no chat template that could be built upon.
    """
    require_folder(folder)
    origin = read_origin(folder) if origin is None else origin
    prompt = prompt_of(origin, variant, conversion)
    ends = write_ends(folder)
    install_template(folder, *prompt)
    if origin:
        write_json(folder / PROVENANCE, origin)
    return Finished(folder, *prompt, ends)


def write_ends(folder: Path) -> list[int]:
    """Have generation end where the chat template ends the assistant's turn, and where it ended before.

    Writes generation_config.json, which transformers and vLLM read, and config.json, which others do.

    Returns:
        The ids; empty where nothing is known to end a turn.

    Raises:
        InputError: the folder has no tokenizer that can be loaded.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: its tokenizer cannot be loaded ({str(error).splitlines()[0]})") from error
    settings = generation_settings(folder, tokenizer)
    ends = settings.get("eos_token_id", [])
    if settings:
        write_json(folder / GENERATION, settings)
        write_json(folder / "config.json", {**read_json(folder / "config.json"), "eos_token_id": ends})
    return ends if isinstance(ends, list) else [ends]


def generation_settings(folder: Path, tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """A model's generation config with the end of the assistant's turn first among the tokens that end it.

    Args:
        folder: of the model, with config.json.
        tokenizer: with the chat template that is trained or served.
    """
    path = folder / GENERATION
    settings: dict[str, Any] = read_json(path) if path.is_file() else {}
    before = settings.get("eos_token_id", read_json(folder / "config.json").get("eos_token_id"))
    before = before if isinstance(before, list) else [before]
    ends = [end for end in dict.fromkeys([turn_end_id(tokenizer), *before]) if end is not None]
    return {**settings, "eos_token_id": ends if len(ends) > 1 else ends[0]} if ends else settings


def copy_companions(folder: Path, base: Path, adapter: Path) -> None:
    """Tokenizer and generation config, the adapter's where it brings its own, and the base's licence.

    Args:
        folder: of the new model.
        base: of the base.
        adapter: of the weights that were trained on it.
    """
    own = (adapter / "tokenizer.json").is_file()
    paths = [(adapter if own else base) / name for name in TOKENIZER_FILES]
    paths.append((adapter if (adapter / GENERATION).is_file() else base) / GENERATION)
    paths += [path for pattern in _LICENCES for path in sorted(base.glob(pattern))]
    for path in paths:
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
