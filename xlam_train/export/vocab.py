"""A tokenizer as GGUF stores it: tokens with their kinds, merges or scores, special ids and how text is split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import gguf
from jinja2 import TemplateError

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json
from xlam_train.export.metadata import read_optional
from xlam_train.export.pre_tokenizers import PROBE_TEXT, find_pre_tokenizer
from xlam_train.export.spm import BYTE, SPACE, piece_scores, space_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Added tokens that models use as control tokens without marking them as special.
_CONTROL_TOKENS = frozenset({"<pad>", "<mask>", "<2mass>", "[@BOS@]"})
_CONTROL_AFFIXES = (("<|", "|>"), ("<｜", "｜>"), ("<unused", ">"))
_NORMAL, _UNKNOWN = int(gguf.TokenType.NORMAL), int(gguf.TokenType.UNKNOWN)
_SPECIAL = ("bos", "eos", "unk", "pad")
_GENERAL = "TokenizersBackend"  # what transformers 5 writes for PreTrainedTokenizerFast
_MORE_ENDS = ("eot", "eom")  # llama.cpp ends an answer at each of eos, eot and eom
# SentencePiece's score of what is no piece, and llama.cpp's of what was added or is padding.
_SCORES = {gguf.TokenType.USER_DEFINED: -1000.0, gguf.TokenType.UNUSED: -10000.0}


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What a GGUF file says about the tokenizer.

    Attributes:
        model: "gpt2" for byte-level BPE, "llama" for SentencePiece.
        pre_tokenizer: llama.cpp's name for the word-splitting rules.
        tokens: one text a row of the embedding, padded with `[PAD{i}]`; byte-level where kinds say normal.
        kinds: one `gguf.TokenType` a token.
        merges: BPE merges, best first, as "left right"; none for SentencePiece.
        scores: one a token, the best joined first; none for byte-level BPE.
        space_prefix: a text after a special token gets a space in front; SentencePiece only.
        special_ids: id by kind (bos, eos, unk, pad, eot, eom), only those the model has.
        add_bos: whether the tokenizer puts BOS in front of a text.
        add_eos: whether it puts EOS behind it.
        chat_template: Jinja source, or a list of named ones, or None.
    """

    model: Literal["gpt2", "llama"]
    pre_tokenizer: str
    tokens: list[str]
    kinds: list[int]
    merges: list[str]
    scores: list[float]
    space_prefix: bool
    special_ids: dict[str, int]
    add_bos: bool
    add_eos: bool
    chat_template: str | list[dict[str, str]] | None

    def add_to(self, writer: gguf.GGUFWriter) -> None:
        """Put every field into the writer's metadata."""
        writer.add_tokenizer_model(self.model)
        writer.add_tokenizer_pre(self.pre_tokenizer)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.kinds)
        if self.model == "gpt2":
            writer.add_token_merges(self.merges)
        else:
            writer.add_token_scores(self.scores)
            writer.add_add_space_prefix(self.space_prefix)
        for kind, token_id in self.special_ids.items():
            getattr(writer, f"add_{kind}_token_id")(token_id)
        writer.add_add_bos_token(self.add_bos)
        writer.add_add_eos_token(self.add_eos)
        if self.chat_template:
            writer.add_chat_template(self.chat_template)


def read_vocabulary(model_dir: Path, config: dict[str, Any]) -> Vocabulary:
    """Read a tokenizer the way training reads it.

    Args:
        model_dir: Hugging Face folder with tokenizer.json, tokenizer_config.json and generation_config.json.
        config: the folder's config.json; `vocab_size` is the number of rows of the embedding.

    Raises:
        InputError: no tokenizer.json, neither byte-level BPE nor SentencePiece's BPE, more tokens than rows, or
            splitting that llama.cpp does not know.
    """
    source = _read_bpe(model_dir)
    tokenizer = _load(model_dir)
    pieces = bool(source.get("byte_fallback"))
    tokens, kinds = _tokens(tokenizer, int(config["vocab_size"]), pieces, model_dir)
    special_ids = _special_ids(tokenizer, config)
    special_ids |= _more_ends(special_ids, model_dir)
    # Measured, not read: post-processors, flags and class defaults all have a say in it.
    ids = list(tokenizer("a").input_ids)
    splitting = _pieces(source, tokenizer, tokens, kinds, model_dir) if pieces else _bytes(source, tokenizer, model_dir)
    return Vocabulary(
        **splitting,
        tokens=tokens,
        kinds=kinds,
        special_ids=special_ids,
        add_bos=len(ids) > 1 and ids[0] == special_ids.get("bos"),
        add_eos=len(ids) > 1 and ids[-1] == special_ids.get("eos"),
        chat_template=_chat_template(tokenizer),
    )


def _bytes(source: dict[str, Any], tokenizer: Any, where: Path) -> dict[str, Any]:
    """Fields of a byte-level BPE."""
    return {
        "model": "gpt2",
        "pre_tokenizer": find_pre_tokenizer(tokenizer.backend_tokenizer, tokenizer.bos_token_id, where),
        "merges": [" ".join(pair) for pair in _pairs(source)],
        "scores": [],
        "space_prefix": False,
    }


def _pieces(source: dict[str, Any], tokenizer: Any, tokens: list[str], kinds: list[int], where: Path) -> dict[str, Any]:
    """Fields of a SentencePiece tokenizer."""
    backend = tokenizer.backend_tokenizer
    added = [token.content for token in backend.get_added_tokens_decoder().values()]
    scores = piece_scores(source["vocab"], _pairs(source), added, where)
    return {
        "model": "llama",
        "pre_tokenizer": "default",
        "merges": [],
        "scores": [
            scores[token] if kind == _NORMAL else _SCORES.get(gguf.TokenType(kind), 0.0)
            for token, kind in zip(tokens, kinds, strict=True)
        ],
        "space_prefix": space_prefix(backend, scores, _prompts(tokenizer, where), where),
    }


def _pairs(source: dict[str, Any]) -> list[tuple[str, str]]:
    """Merges; older files have each as one text."""
    return [tuple(merge.split(" ") if isinstance(merge, str) else merge) for merge in source["merges"]]


def _prompts(tokenizer: Any, where: Path) -> list[str]:
    """A hard text as the model gets to see it: in the turns of the chat template where there is one."""
    if not tokenizer.chat_template:
        return [PROBE_TEXT]
    roles = ("user", "assistant", "user")
    messages = [{"role": role, "content": PROBE_TEXT} for role in roles]
    try:
        return [tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)]
    except (TemplateError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{where}: the chat template fails on plain turns ({reason}); mend it") from error


def _read_bpe(model_dir: Path) -> dict[str, Any]:
    """The `model` part of tokenizer.json, once it is known to be of a supported kind."""
    path = model_dir / "tokenizer.json"
    if not path.is_file():
        raise InputError(f"{path}: no such file; save the model's fast tokenizer there (tokenizer.save_pretrained)")
    source: dict[str, Any] = read_json(path)
    model: dict[str, Any] = source.get("model") or {}
    byte_level = _has_byte_level(source.get("pre_tokenizer")) or _has_byte_level(source.get("decoder"))
    if model.get("type") != "BPE" or bool(model.get("byte_fallback")) == byte_level:
        raise InputError(
            f"{path}: a {model.get('type', 'nameless')} tokenizer that is neither byte-level BPE nor SentencePiece's "
            "BPE with byte fallback; use llama.cpp's own converter"
        )
    return model


def _has_byte_level(part: dict[str, Any] | None) -> bool:
    if not part:
        return False
    children = part.get("pretokenizers", part.get("decoders", []))
    return part.get("type") == "ByteLevel" or any(_has_byte_level(child) for child in children)


def _load(model_dir: Path) -> Any:
    try:
        return _kind_of(model_dir).from_pretrained(model_dir, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{model_dir}: the tokenizer cannot be read ({reason}); check its files") from error


def _kind_of(model_dir: Path) -> Any:
    """AutoTokenizer, or what it would find: it takes a second to see that a folder names the general class."""
    if read_optional(model_dir / "tokenizer_config.json").get("tokenizer_class") == _GENERAL:
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast
    from transformers import AutoTokenizer

    return AutoTokenizer


def _tokens(tokenizer: Any, rows: int, pieces: bool, where: Path) -> tuple[list[str], list[int]]:
    """Texts and kinds of all rows of the embedding; rows without a token are unused padding."""
    backend = tokenizer.backend_tokenizer
    by_id = {token_id: token for token, token_id in backend.get_vocab(with_added_tokens=True).items()}
    if max(by_id) >= rows:
        raise InputError(
            f"{where}: the tokenizer has ids up to {max(by_id)}, the model only {rows} rows; "
            "use the tokenizer the model was trained with, or resize the embedding"
        )
    added = backend.get_added_tokens_decoder()
    tokens = [f"[PAD{index}]" for index in range(rows)]
    kinds = [int(gguf.TokenType.UNUSED)] * rows
    for index, text in by_id.items():
        unknown = pieces and index == tokenizer.unk_token_id
        tokens[index], kinds[index] = (text, _UNKNOWN) if unknown else _token(text, added.get(index), pieces)
    if len(set(tokens)) < rows:  # llama.cpp would abort the whole process
        raise InputError(f"{where}: two tokens have the same text in llama.cpp; remove one of the added tokens")
    return tokens, kinds


def _token(text: str, added: Any, pieces: bool) -> tuple[str, int]:
    """Text and kind of a token."""
    if pieces and BYTE.fullmatch(text):
        return text, int(gguf.TokenType.BYTE)
    if added is None:
        return text, _NORMAL
    if added.special or _looks_like_control(text):
        return text, int(gguf.TokenType.CONTROL)
    return text.replace(SPACE, " "), int(gguf.TokenType.USER_DEFINED)


def _looks_like_control(text: str) -> bool:
    wrapped = any(text.startswith(start) and text.endswith(end) for start, end in _CONTROL_AFFIXES)
    return wrapped or text in _CONTROL_TOKENS


def _special_ids(tokenizer: Any, config: dict[str, Any]) -> dict[str, int]:
    """Special ids of the tokenizer, else of config.json, where the model has a row for them."""
    found = {}
    for kind in _SPECIAL:
        token_id = getattr(tokenizer, f"{kind}_token_id", None)
        if token_id is None:
            token_id = config.get(f"{kind}_token_id")
        if isinstance(token_id, int) and 0 <= token_id < config["vocab_size"]:
            found[kind] = token_id
    return found


def _more_ends(special_ids: dict[str, int], model_dir: Path) -> dict[str, int]:
    """End tokens of generation_config.json beyond EOS; transformers stops at each of them."""
    path = model_dir / "generation_config.json"
    given: int | Sequence[int] | None = read_optional(path).get("eos_token_id")
    ends = dict.fromkeys([given] if isinstance(given, int) else given or [])
    ends.pop(special_ids.get("eos", -1), None)
    names = _MORE_ENDS if "eos" in special_ids else ("eos", *_MORE_ENDS)
    if len(ends) > len(names):
        raise InputError(f"{path}: {len(ends) + 1} end tokens, llama.cpp has room for 3; remove some of eos_token_id")
    return dict(zip(names, ends, strict=False))


def _chat_template(tokenizer: Any) -> str | list[dict[str, str]] | None:
    template: str | dict[str, str] | None = tokenizer.chat_template
    if isinstance(template, dict):
        return [{"name": name, "template": source} for name, source in template.items()]
    return template
