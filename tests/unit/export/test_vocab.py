"""Byte-level BPE in GGUF: names of the splitting rules, special tokens, and the ids that llama.cpp gives."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import gguf
import pytest
import tiny_tokenizers
from hard_texts import HARD_TEXTS
from llama_server import LlamaServer
from tiny_data import questions
from tiny_models import random_model
from tiny_spm import spm_tokenizer
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoConfig, AutoTokenizer

from data_pipeline.core.errors import InputError
from xlam_train.export import pre_tokenizers as splitting
from xlam_train.export.gguf import write_gguf
from xlam_train.export.pre_tokenizers import PRE_TOKENIZERS, find_pre_tokenizer
from xlam_train.export.vocab import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TINY = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


def save_beside(tokenizer: Any, folder: Path, kind: str, rows: int) -> Path:
    """A tiny model with the tokenizer."""
    tokenizer.save_pretrained(folder)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = AutoConfig.for_model(kind, **TINY, num_key_value_heads=2, vocab_size=rows, **ends)
    random_model(config).save_pretrained(folder)
    return folder


def assert_equal_ids(folder: Path, file: Path, texts: list[str]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    server = LlamaServer(file, context=256)
    for text in texts:
        assert server.tokenize(text) == tokenizer(text).input_ids, text


def test_llama_cpp_splits_text_as_smollm2_does(make_model: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_model()
    specials = ["<|im_start|>user\nhi<|im_end|>\n", "a<|im_end|> b"]
    assert_equal_ids(folder, write_gguf(folder, tmp_path / "m.gguf", "q8_0").path, HARD_TEXTS + specials)


@pytest.mark.parametrize(
    ("build", "rows"),
    [
        pytest.param(tiny_tokenizers.deepseek_coder, 32256, id="coder"),
        pytest.param(tiny_tokenizers.deepseek_llm, 102400, id="llm", marks=pytest.mark.slow),
    ],
)
def test_llama_cpp_splits_text_as_deepseek_does(
    tmp_path: Path, vocab_dir: Path, build: Callable[[Path], Any], rows: int
) -> None:
    folder = save_beside(build(vocab_dir), tmp_path / "model", "llama", rows)
    specials = ["### Response:\n[]<|EOT|>\n", "<｜begin▁of▁sentence｜>x<|EOT|> y"]
    assert_equal_ids(folder, write_gguf(folder, tmp_path / "m.gguf", "q8_0").path, HARD_TEXTS + specials)


def test_llama_cpp_splits_text_as_qwen2_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composed text only: Qwen2's tokenizer composes it (NFC) before splitting, llama.cpp's does not."""
    folder = save_beside(tiny_tokenizers.small("qwen", questions()), tmp_path / "model", "qwen2", 1024)
    with pytest.raises(InputError, match=r"unknown pre-tokenizer, checksum [0-9a-f]{64}") as caught:
        write_gguf(folder, tmp_path / "m.gguf", "f32")
    assert "\n" not in str(caught.value)
    digest = str(caught.value).partition("checksum ")[2].partition(":")[0]
    monkeypatch.setattr(splitting, "PRE_TOKENIZERS", {digest: "qwen2"})
    file = write_gguf(folder, tmp_path / "m.gguf", "f32").path
    texts = [unicodedata.normalize("NFC", text) for text in HARD_TEXTS]
    assert_equal_ids(folder, file, [*texts, "<|im_start|>user\nhi<|im_end|>\n"])


def test_deepseek_coder_is_recognised(tmp_path: Path, vocab_dir: Path) -> None:
    tiny_tokenizers.deepseek_coder(vocab_dir).save_pretrained(tmp_path)
    vocabulary = read_vocabulary(tmp_path, {"vocab_size": 32256})
    assert vocabulary.model == "gpt2"
    assert vocabulary.pre_tokenizer == "deepseek-coder"
    assert vocabulary.special_ids == {"bos": 32013, "eos": 32021, "pad": 32014}
    assert vocabulary.tokens[32255] == "[PAD32255]"
    assert vocabulary.kinds[32021] == gguf.TokenType.CONTROL


def test_vocabulary_is_padded_to_the_embedding(tokenizer_dir: Path) -> None:
    found = read_vocabulary(tokenizer_dir, {"vocab_size": 49160})
    ids = AutoTokenizer.from_pretrained(tokenizer_dir).get_vocab()
    assert len(found.tokens) == len(found.kinds) == 49160
    assert all(found.tokens[index] == token for token, index in ids.items())
    assert (found.tokens[-1], found.kinds[-1]) == ("[PAD49159]", gguf.TokenType.UNUSED)
    assert found.kinds[ids["<|im_end|>"]] == gguf.TokenType.CONTROL
    assert found.kinds[ids["Ġthe"]] == gguf.TokenType.NORMAL
    assert "Ġ t" in found.merges[:10]
    assert not found.add_bos


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (2, {"eos": 2}),
        ([2], {"eos": 2}),
        ([0, 2], {"eos": 2, "eot": 0}),
        ([1, 2, 0], {"eos": 2, "eot": 1, "eom": 0}),
        (None, {"eos": 2}),
    ],
)
def test_every_end_token_of_the_generation_config(tmp_path: Path, ends: Any, expected: dict[str, int]) -> None:
    spm_tokenizer(tmp_path)
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": ends}))
    found = read_vocabulary(tmp_path, {"vocab_size": 768}).special_ids
    assert {kind: token_id for kind, token_id in found.items() if kind in ("eos", "eot", "eom")} == expected


def test_llama_cpp_ends_at_the_second_end_token(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    config = AutoConfig.for_model("llama", **TINY, num_key_value_heads=2, vocab_size=768, bos_token_id=1)
    random_model(config).save_pretrained(folder)
    spm_tokenizer(folder)
    prompt = list(range(300, 310))
    answer = [next(iter(step)) for step in greedy(folder, tmp_path / "free.gguf", prompt)]
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, answer[3]]}))
    shorter = [next(iter(step)) for step in greedy(folder, tmp_path / "ended.gguf", prompt)]
    assert shorter[:-1] == answer[: answer.index(answer[3])]


def greedy(folder: Path, file: Path, prompt: list[int]) -> list[dict[int, float]]:
    server = LlamaServer(write_gguf(folder, file, "f32").path, context=256)
    return server.greedy(prompt, 8, forbidden=range(259))


def test_more_end_tokens_than_llama_cpp_has_room_for_are_refused(tmp_path: Path) -> None:
    spm_tokenizer(tmp_path)
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 0, 1, 300]}))
    with pytest.raises(InputError, match=r"generation_config.json: 4 end tokens, llama.cpp has room for 3; remove"):
        read_vocabulary(tmp_path, {"vocab_size": 768})


def test_tokens_that_become_one_text_are_refused_for_llama_cpp_would_abort(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(spm_tokenizer(tmp_path))
    tokenizer.add_tokens(["[a\u2581b]", "[a b]"])
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="two tokens have the same text"):
        read_vocabulary(tmp_path, {"vocab_size": 768})


def test_a_lost_digit_split_is_noticed_although_the_checksum_is_blind_to_it(tokenizer_dir: Path) -> None:
    backend = Tokenizer.from_file(str(tokenizer_dir / "tokenizer.json"))
    assert find_pre_tokenizer(backend, None, tokenizer_dir) == "smollm"
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    with pytest.raises(InputError, match=r"smollm tokenizer that lost its per-digit split; restore"):
        find_pre_tokenizer(backend, None, tokenizer_dir)


def test_an_unknown_checksum_is_printed(tokenizer_dir: Path) -> None:
    backend = Tokenizer.from_file(str(tokenizer_dir / "tokenizer.json"))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    with pytest.raises(InputError, match=r"checksum [0-9a-f]{64}.*restore the base model's tokenizer.json"):
        find_pre_tokenizer(backend, None, tokenizer_dir)


def test_the_table_has_the_families_we_train() -> None:
    names = set(PRE_TOKENIZERS.values())
    assert {"smollm", "deepseek-coder", "deepseek-llm", "gpt-2", "llama-bpe", "qwen2", "tekken", "starcoder"} <= names
    assert all(len(digest) == 64 for digest in PRE_TOKENIZERS)
