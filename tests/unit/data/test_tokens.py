"""Text line by line has the ids of the whole, for every tokenizer that is taken apart."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from data_pipeline.core.turns import turns
from xlam_train.data.tokens import CUT, CUTTING_PATTERNS, KNOWN_LINES, TextEncoder
from xlam_train.model import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory

# What regular expressions of pre-tokenizers tell apart, with accents that combine, and blanks of all kinds.
ALPHABET = [
    *list("aZé1٣_.']}{[ \n\n\n\r\t\xa0\u2028\u3000\u0301\x1c"),
    "]\n[",
    "<s>",
    "</s>",
    "'s",
    "don't",
    "\n\n",
    " \n",
]
TEXTS = st.lists(st.sampled_from(ALPHABET), max_size=30).map("".join)
DEEPSEEK = [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+"]
CORPUS = ["a]\n[a\n\n a.\n", "don't 's Z\n]\n", "é1\n1a 11111\r\n\n", '{"tool_calls": []}\n[END]\n\n[BEGIN]\n'] * 20


def trained(pre_tokenizer: Any, normalizer: Any = None, special: tuple[AddedToken, ...] = ()) -> Any:
    bpe = Tokenizer(models.BPE())
    bpe.normalizer, bpe.pre_tokenizer, bpe.decoder = normalizer, pre_tokenizer, decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False))
    bpe.add_tokens([AddedToken("<s>", special=True), AddedToken("</s>", special=True, rstrip=True), *special])
    return PreTrainedTokenizerFast(tokenizer_object=bpe)


def split_by(*patterns: str) -> Any:
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    return pre_tokenizers.Sequence([*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
LLAMA3 = next(pattern for pattern in CUTTING_PATTERNS if "{1,3}" in pattern)
QWEN2 = next(pattern for pattern in CUTTING_PATTERNS if r"\p{N}|" in pattern)
CUT_APART = {
    "gpt2": trained(GPT2),
    "smollm2": trained(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), GPT2])),
    "llama3": trained(split_by(LLAMA3)),
    "qwen2": trained(split_by(QWEN2), normalizers.NFC()),
    "deepseek": trained(split_by(*DEEPSEEK)),
}
KEPT_WHOLE = {
    "marks the beginning": trained(pre_tokenizers.ByteLevel(add_prefix_space=True)),
    "sentencepiece": trained(pre_tokenizers.Metaspace()),
    "no pre-tokenizer": trained(None),
    "unknown expression": trained(split_by(r"\s?\p{L}+")),
    "removes": trained(pre_tokenizers.Split(Regex(r"[\r\n]"), "removed")),
    "lower case": trained(GPT2, normalizers.Lowercase()),
    "token swallows blanks": trained(GPT2, special=(AddedToken("<mask>", lstrip=True),)),
    "token spans lines": trained(GPT2, special=(AddedToken("a\nb"),)),
}


@pytest.mark.parametrize("name", CUT_APART)
@given(text=TEXTS)
def test_pieces_have_the_ids_of_the_whole(name: str, text: str) -> None:
    encode = TextEncoder(CUT_APART[name])
    assert encode.by_line
    assert encode(text) == encode.whole(text)


@pytest.mark.parametrize("name", KEPT_WHOLE)
def test_other_tokenizers_encode_whole(name: str) -> None:
    assert not TextEncoder(KEPT_WHOLE[name]).by_line


@pytest.mark.parametrize("name", ["marks the beginning", "token swallows blanks", "token spans lines"])
def test_these_would_differ_in_pieces(name: str) -> None:
    """What is refused is refused for a reason."""
    encode = TextEncoder(KEPT_WHOLE[name])
    text = "(a\n<mask>" if "swallows" in name else "(a\nb"
    assert [token for piece in CUT.split(text) for token in encode.whole(piece)] != encode.whole(text)


def test_smollm2_cuts_real_prompts(smollm2_dir: Path, make_samples: Callable[..., list[Trajectory]]) -> None:
    tokenizer = load_tokenizer(smollm2_dir)
    encode = TextEncoder(tokenizer)
    assert encode.by_line
    for sample in make_samples():
        (turn,) = turns(sample)
        text = tokenizer.apply_chat_template(turn.messages, tokenize=False, add_generation_prompt=True)
        assert len(CUT.split(text)) > 15
        assert encode(text) == encode.whole(text)


def test_memory_is_bounded_and_forgets_nothing_wrongly() -> None:
    encode = TextEncoder(CUT_APART["gpt2"])
    texts = [f"[line {number}]\n[END]" for number in range(KNOWN_LINES + 5)]
    assert [encode(text) for text in texts] == [encode.whole(text) for text in texts]
    assert len(encode._known) <= KNOWN_LINES


def test_survives_the_way_to_a_worker() -> None:
    encode = TextEncoder(CUT_APART["qwen2"])
    there = pickle.loads(pickle.dumps(encode))
    assert there("]\n[a") == encode("]\n[a")
