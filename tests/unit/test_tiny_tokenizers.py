"""The real vocabularies are rebuilt to the id, and every chat template trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tiny_tokenizers
from tiny_data import conversations, questions

from xlam_train.data.render import Renderer

if TYPE_CHECKING:
    from pathlib import Path

    from data_pipeline.core.variants import Variant

REAL = {"deepseek-coder": tiny_tokenizers.deepseek_coder, "deepseek-llm": tiny_tokenizers.deepseek_llm}


@pytest.mark.parametrize("name", REAL)
def test_a_real_vocabulary_is_rebuilt_to_the_id(name: str, vocab_dir: Path) -> None:
    """The vectors are llama.cpp's own, without the token that begins a text."""
    file = f"ggml-vocab-{name}.gguf"
    texts = (vocab_dir / f"{file}.inp").read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")[:-1]
    wanted = [list(map(int, line.split())) for line in (vocab_dir / f"{file}.out").read_text().splitlines()]
    tokenizer: Any = REAL[name](vocab_dir)
    found = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    assert len(wanted) == 46
    assert [text for text, ids, want in zip(texts, found, wanted, strict=True) if ids != want] == []


@pytest.mark.parametrize(
    ("style", "variant"),
    [
        ("deepseek", "xlam-1"),
        ("mistral", "xlam-1-history"),
        ("llama3", "actionstudio"),
        ("qwen", "actionstudio"),
        ("chatml", "xlam-1"),
    ],
)
def test_a_small_tokenizer_trains_each_answer_and_its_end(style: str, variant: Variant) -> None:
    tokenizer: Any = tiny_tokenizers.small(style, questions())
    assert len(tokenizer) <= tiny_tokenizers.SMALL_VOCABULARY
    renderer = Renderer(tokenizer, variant)
    rows = [row for sample in (*questions(), *conversations()) for row in renderer.encode_rows(sample)]
    assert len(rows) == 24 + 3 * 4
    for row in rows:
        trained = [token for token, trains in zip(row.ids, row.trainable, strict=True) if trains]
        assert trained[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(trained[:-1])[0] in ("{" if variant != "actionstudio" else "[Y")
        assert "weather_" in tokenizer.decode(row.ids)
