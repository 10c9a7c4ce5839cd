"""SentencePiece tokenizers in GGUF: the ids that llama.cpp gives, scores, and tokenizers that only look alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gguf
import pytest
from hard_texts import HARD_TEXTS
from llama_server import LlamaServer
from tiny_models import random_model
from tiny_spm import spm_tokenizer
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoTokenizer

from data_pipeline.core.errors import InputError
from xlam_train.export.gguf import write_gguf
from xlam_train.export.spm import piece_scores, split, tokens_of
from xlam_train.export.vocab import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = 768
TURNS = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }}[/INST]"
    "{% else %} {{ m['content'] }}</s>{% endif %}{% endfor %}"
)


def save_model(folder: Path, kind: str) -> Path:
    config = AutoConfig.for_model(
        kind,
        vocab_size=ROWS,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        bos_token_id=1,
        eos_token_id=2,
    )
    random_model(config).save_pretrained(folder)
    return folder


def prompts_of(tokenizer: Any) -> list[str]:
    """Conversations about hard texts in the turns of the chat template."""
    return [
        tokenizer.apply_chat_template(
            [{"role": role, "content": text} for role in ("user", "assistant", "user")], tokenize=False
        )
        for text in HARD_TEXTS
    ]


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "tokenizer.json"
    source = json.loads(path.read_text())
    change(source)
    path.write_text(json.dumps(source))


@pytest.mark.parametrize(
    ("kind", "style", "special", "template", "settings", "prefix", "bare"),
    [
        ("mistral", "llama2", (), None, {}, True, True),
        ("mistral", "mistral3", ("[INST]", "[/INST]"), TURNS, {}, False, False),
        ("mistral", "always", (), TURNS, {}, True, False),
        # transformers rebuilds the tokenizer of a Llama from its pieces, with spaces as `legacy` says.
        ("llama", "llama2", (), TURNS, {"tokenizer_class": "LlamaTokenizer", "legacy": True}, True, False),
        ("llama", "llama2", ("[INST]", "[/INST]"), TURNS, {"tokenizer_class": "LlamaTokenizer"}, False, False),
    ],
    ids=["llama2", "mistral3", "always", "llama-class-legacy", "llama-class"],
)
def test_llama_cpp_splits_text_as_transformers_does(
    tmp_path: Path,
    kind: str,
    style: Any,
    special: tuple[str, ...],
    template: str | None,
    settings: dict[str, Any],
    prefix: bool,
    bare: bool,
) -> None:
    folder = save_model(spm_tokenizer(tmp_path, style, special, template, **settings), kind)
    file = write_gguf(folder, tmp_path / "m.gguf", "f32").path
    assert gguf.GGUFReader(file).fields["tokenizer.ggml.add_space_prefix"].contents() is prefix
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    server = LlamaServer(file, context=256)
    for text in prompts_of(tokenizer) if template else []:
        assert server.tokenize(text, add_special=False) == tokenizer(text, add_special_tokens=False).input_ids, text
    for text in [*HARD_TEXTS, "</s>after an end<s> and a begin"] if bare else []:
        assert server.tokenize(text) == tokenizer(text).input_ids, text


def test_fields(tmp_path: Path) -> None:
    spm_tokenizer(tmp_path, special=("[TOOL]",))
    found = read_vocabulary(tmp_path, {"vocab_size": ROWS})
    kinds = [gguf.TokenType(kind).name for kind in found.kinds]
    assert (found.model, found.pre_tokenizer, found.merges) == ("llama", "default", [])
    assert kinds[:4] == ["UNKNOWN", "CONTROL", "CONTROL", "BYTE"]
    assert found.tokens[3:259] == [f"<0x{byte:02X}>" for byte in range(256)]
    assert kinds[258:260] == ["BYTE", "NORMAL"]
    assert kinds[found.tokens.index("[TOOL]")] == "CONTROL"
    assert (kinds[-1], found.scores[-1]) == ("UNUSED", -10000.0)
    assert found.special_ids == {"bos": 1, "eos": 2, "unk": 0}
    assert found.add_bos
    assert not found.add_eos


def test_scores_fall_from_piece_to_piece(tmp_path: Path) -> None:
    spm_tokenizer(tmp_path)
    found = read_vocabulary(tmp_path, {"vocab_size": ROWS})
    last = found.kinds.index(int(gguf.TokenType.UNUSED))
    assert found.scores[:259] == [0.0] * 259
    assert found.scores[259:last] == [-float(rank) for rank in range(last - 259)]


def test_the_reference_splits_hard_text_as_the_tokenizer_does(tmp_path: Path) -> None:
    spm_tokenizer(tmp_path)
    found = read_vocabulary(tmp_path, {"vocab_size": ROWS})
    scores = dict(zip(found.tokens[259:], found.scores[259:], strict=True))
    backend = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in HARD_TEXTS:
        assert split(text, scores, ["<s>"], prefix=True) == tokens_of(backend, text)


def test_pieces_whose_merges_overlap_are_equals(tmp_path: Path) -> None:
    vocabulary = {piece: number for number, piece in enumerate(["a", "b", "c", "ab", "bc", "abc"])}
    merges = [("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc")]
    assert piece_scores(vocabulary, merges, [], tmp_path) == {
        "ab": 0.0, "bc": -1.0, "abc": -2.0, "a": -3.0, "b": -4.0, "c": -5.0
    }  # fmt: skip
    between = [merges[0], merges[2], merges[1], merges[3]]
    scores = piece_scores(vocabulary, between, [], tmp_path)
    assert (scores["ab"], scores["abc"], scores["bc"]) == (0.0, -1.0, -1.0)


def test_runs_of_spaces_that_are_equals_split_alike(tmp_path: Path) -> None:
    """As transformers converts Mistral's: longest left part first, whatever piece it makes."""
    folder = save_model(spm_tokenizer(tmp_path), "mistral")
    runs = ["\u2581" * length for length in range(2, 9)]

    def add_runs(source: dict[str, Any]) -> None:
        vocabulary, known = source["model"]["vocab"], {"\u2581", *runs}
        for run in runs:
            vocabulary.setdefault(run, len(vocabulary))
        ways = [(run[:cut], run[cut:]) for run in runs for cut in range(1, len(run))]
        ways = [way for way in ways if set(way) <= known]
        source["model"]["merges"] += [list(way) for way in sorted(ways, key=lambda way: list(map(len, way)))[::-1]]

    edit(folder, add_runs)
    found = read_vocabulary(folder, {"vocab_size": ROWS})
    assert len({found.scores[found.tokens.index(run)] for run in runs[1:]}) == 1
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    server = LlamaServer(write_gguf(folder, tmp_path / "m.gguf", "f32").path, context=256)
    for length in range(1, 40):
        text = f"the{' ' * length}weather{' ' * length}"
        assert server.tokenize(text) == tokenizer(text).input_ids, length


def test_a_missing_merge_is_refused(tmp_path: Path) -> None:
    spm_tokenizer(tmp_path)
    edit(tmp_path, lambda source: source["model"]["merges"].pop())
    with pytest.raises(InputError, match=r"make a piece but no merge joins them.*restore the base model's") as caught:
        read_vocabulary(tmp_path, {"vocab_size": ROWS})
    assert "\n" not in str(caught.value)


def test_a_normalizer_that_llama_cpp_does_not_have_is_refused(tmp_path: Path) -> None:
    spm_tokenizer(tmp_path, "mistral3", ("[INST]", "[/INST]"), TURNS)
    edit(tmp_path, lambda source: source.update(normalizer={"type": "Lowercase"}))
    with pytest.raises(InputError, match="it splits the prompts of the chat template in another way"):
        read_vocabulary(tmp_path, {"vocab_size": ROWS})


def test_a_chat_template_that_fails_is_told(tmp_path: Path) -> None:
    spm_tokenizer(tmp_path, template="{{ raise_exception('no') }}")
    with pytest.raises(InputError, match=r"the chat template fails on plain turns \(no\); mend it"):
        read_vocabulary(tmp_path, {"vocab_size": ROWS})
