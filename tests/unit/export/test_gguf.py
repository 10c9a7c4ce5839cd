"""GGUF files: every tensor, the metadata, and what the real llama.cpp makes of them."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from data_pipeline.core.errors import InputError
from xlam_train.export.gguf import permute_rotary, write_gguf
from xlam_train.export.vocab import PRE_TOKENIZERS, Vocabulary, find_pre_tokenizer, read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TRICKY = [
    "Book 2 tables for 2026-11-22 at 19:30, budget 1234567.89!",
    '[{"name": "get_weather", "arguments": {"city": "Zürich", "days": 10}}]',
    "naïve façade 東京で3日間 🙂🦙 нещо на Български ~~~ \t\t tabs\n\n\n  newlines 'll 'RE we'Ve",
    "a  12\n\n    7,   3.14   x  5",
    "def f(x):\n    return x**2  # 100%\n",
    "<|im_start|>user\nhi<|im_end|>\n",
]
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


def tensors_of(path: Path) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}


def metadata_of(path: Path, *prefixes: str) -> dict[str, Any]:
    """Values by key; the prefixes keep the reader from unpacking the long lists of tokens."""
    fields = gguf.GGUFReader(path).fields.items()
    return {key: field.contents() for key, field in fields if key.startswith(prefixes or "")}


def set_config(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def expected_values(folder: Path) -> dict[str, np.ndarray]:
    """The weights under their GGUF names; rotary rows interleaved one by one, not by the code under test."""
    config = json.loads((folder / "config.json").read_text())
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    found = {}
    for file in folder.glob("*.safetensors"):
        for name, tensor in load_file(file).items():
            values = tensor.float().numpy()
            if "q_proj" in name or "k_proj" in name:
                size = config["head_dim"]
                order = [
                    head * size + (row % 2) * (size // 2) + row // 2
                    for head in range(len(values) // size)
                    for row in range(size)
                ]
                values = values[order]
            found[names.get_name(name, try_suffixes=(".weight", ".bias"))] = values
    return found


@pytest.fixture
def short_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of tensors: gguf's reader takes seconds to unpack a real vocabulary."""
    vocabulary = Vocabulary("smollm", ["a"], [1], ["a b"], {}, False, False, None)
    monkeypatch.setattr("xlam_train.export.gguf.read_vocabulary", lambda *_: vocabulary)


@pytest.mark.usefixtures("short_vocabulary")
@pytest.mark.parametrize(
    ("quantization", "matrix"), [("f32", "F32"), ("f16", "F16"), ("bf16", "BF16"), ("q8_0", "Q8_0")]
)
def test_every_tensor_is_the_stored_one_in_the_wanted_type(
    make_model: Callable[..., Path], tmp_path: Path, quantization: Any, matrix: str
) -> None:
    folder = make_model()
    report = write_gguf(folder, tmp_path / "m.gguf", quantization)
    tensors = tensors_of(report.path)
    expected = expected_values(folder)
    assert set(tensors) == set(expected)
    assert report.tensors == len(tensors) == 20
    for name, values in expected.items():
        kind = "F32" if values.ndim == 1 else matrix
        assert tensors[name].tensor_type.name == kind
        wanted = gguf.quants.quantize(values, gguf.GGMLQuantizationType[kind])
        assert tensors[name].data.tobytes() == wanted.tobytes(), name
    assert report.bytes == report.path.stat().st_size


@pytest.mark.usefixtures("short_vocabulary")
def test_rows_that_q8_0_cannot_split_become_f16(make_model: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_model(intermediate_size=100)
    tensors = tensors_of(write_gguf(folder, tmp_path / "m.gguf", "q8_0").path)
    assert tensors["blk.0.ffn_down.weight"].tensor_type.name == "F16"
    assert tensors["blk.0.ffn_up.weight"].tensor_type.name == "Q8_0"


@pytest.mark.usefixtures("short_vocabulary")
def test_shards_biases_bfloat16_and_an_untied_head(make_model: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_model(
        shard="200KB", dtype=torch.bfloat16, tie_word_embeddings=False, attention_bias=True, mlp_bias=True
    )
    assert len(list(folder.glob("*.safetensors"))) > 1
    tensors = tensors_of(write_gguf(folder, tmp_path / "m.gguf", "bf16").path)
    expected = expected_values(folder)
    assert set(tensors) == set(expected)
    assert {"output.weight", "blk.1.attn_q.bias"} <= set(tensors)
    for name, values in expected.items():
        kind = gguf.GGMLQuantizationType.F32 if values.ndim == 1 else gguf.GGMLQuantizationType.BF16
        assert tensors[name].data.tobytes() == gguf.quants.quantize(values, kind).tobytes(), name


@pytest.mark.usefixtures("short_vocabulary")
def test_a_tied_model_has_no_output_tensor_even_when_the_head_is_stored(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_model(tie_word_embeddings=False)
    set_config(folder, tie_word_embeddings=True)
    tensors = tensors_of(write_gguf(folder, tmp_path / "m.gguf", "f32").path)
    assert "output.weight" not in tensors


def test_metadata(make_model: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_model()
    (folder / "chat_template.jinja").write_text("{{ messages }} é")
    fields = metadata_of(write_gguf(folder, tmp_path / "m.gguf", "q8_0", name="tiny caller").path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    wanted = {
        "general.architecture": "llama",
        "general.name": "tiny caller",
        "general.file_type": int(gguf.LlamaFileType.MOSTLY_Q8_0),
        "general.quantization_version": 2,
        "llama.block_count": 2,
        "llama.context_length": 512,
        "llama.embedding_length": 64,
        "llama.feed_forward_length": 128,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.rope.dimension_count": 16,
        "llama.rope.freq_base": 10000.0,
        "llama.vocab_size": 49160,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.bos_token_id": tokenizer.bos_token_id,
        "tokenizer.ggml.eos_token_id": tokenizer.eos_token_id,
        "tokenizer.ggml.padding_token_id": tokenizer.pad_token_id,
        "tokenizer.ggml.unknown_token_id": tokenizer.unk_token_id,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": "{{ messages }} é",
    }
    assert {key: fields.get(key) for key in wanted} == wanted
    assert fields["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-6)
    assert not [key for key in fields if "rope.scaling" in key]


def test_vocabulary_is_padded_to_the_embedding(make_model: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_model()
    fields = metadata_of(write_gguf(folder, tmp_path / "m.gguf", "f16").path)
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    vocabulary = AutoTokenizer.from_pretrained(folder).get_vocab()
    assert len(tokens) == len(kinds) == 49160
    assert all(tokens[index] == token for token, index in vocabulary.items())
    assert tokens[-1] == "[PAD49159]"
    assert kinds[-1] == gguf.TokenType.UNUSED
    assert kinds[vocabulary["<|im_end|>"]] == gguf.TokenType.CONTROL
    assert kinds[vocabulary["Ġthe"]] == gguf.TokenType.NORMAL
    assert "Ġ t" in fields["tokenizer.ggml.merges"][:10]


@pytest.mark.usefixtures("short_vocabulary")
@pytest.mark.parametrize("old_spelling", [False, True])
def test_linear_rope_scaling(make_model: Callable[..., Path], tmp_path: Path, old_spelling: bool) -> None:
    folder = make_model(rope_parameters={"rope_type": "linear", "rope_theta": 1e5, "factor": 4.0})
    if old_spelling:
        set_config(folder, rope_parameters=None, rope_theta=1e5, rope_scaling={"type": "linear", "factor": 4.0})
    fields = metadata_of(write_gguf(folder, tmp_path / "m.gguf", "f16").path, "llama")
    assert fields["llama.rope.scaling.type"] == "linear"
    assert fields["llama.rope.scaling.factor"] == 4.0
    assert fields["llama.rope.freq_base"] == 1e5


@pytest.mark.usefixtures("short_vocabulary")
def test_llama3_rope_scaling_is_the_one_of_transformers(make_model: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_model(rope_parameters=LLAMA3)
    tensors = tensors_of(write_gguf(folder, tmp_path / "m.gguf", "f16").path)
    rotary = AutoModelForCausalLM.from_pretrained(folder).model.rotary_emb
    plain = 1.0 / 5e5 ** (np.arange(0, 16, 2) / 16)
    np.testing.assert_allclose(plain / tensors["rope_freqs.weight"].data, rotary.inv_freq.numpy(), rtol=1e-5)


def test_permutation_pairs_row_i_with_row_i_plus_half() -> None:
    rows = np.arange(8)
    assert permute_rotary(rows, 2).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_an_older_file_is_replaced(make_model: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "m.gguf"
    out.write_bytes(b"older")
    write_gguf(make_model(), out, "f16")
    assert metadata_of(out, "general")["general.name"] == "model"


# ---- the real llama.cpp


@pytest.fixture
def llama_cpp() -> Iterator[Callable[[Path, str, dict[str, Any]], dict[str, Any]]]:
    """Ask an in-process llama.cpp server: (gguf, path, body) -> answer."""
    native = pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    servers: dict[Path, Any] = {}

    def ask(model: Path, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if model not in servers:
            params = native.CommonParams()
            params.model.path = str(model)
            params.n_ctx = 256
            params.n_parallel = 1
            params.cpuparams.n_threads = 1
            servers[model] = native.Server(params)
        request = urllib.request.Request(
            servers[model].listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            parsed: dict[str, Any] = json.load(answer)
        return parsed

    yield ask
    servers.clear()


def greedy(folder: Path, prompt: list[int], count: int) -> list[int]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = list(prompt)
    with torch.inference_mode():
        for _ in range(count):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"tie_word_embeddings": False, "rope_parameters": {"rope_type": "linear", "rope_theta": 1e5, "factor": 4.0}},
        {"rope_parameters": LLAMA3, "attention_bias": True, "head_dim": 32},
    ],
    ids=["plain", "untied-linear", "llama3-bias"],
)
def test_llama_cpp_continues_as_transformers_does(
    make_model: Callable[..., Path], tmp_path: Path, llama_cpp: Callable[..., Any], settings: dict[str, Any]
) -> None:
    folder = make_model(**settings)
    out = write_gguf(folder, tmp_path / "m.gguf", "f32").path
    prompt = AutoTokenizer.from_pretrained(folder)("Use the tools below, then answer: what is 17 * 23 in Zürich?")
    answer = llama_cpp(
        out, "/completion", {"prompt": prompt.input_ids, "n_predict": 24, "temperature": 0, "return_tokens": True}
    )
    assert answer["tokens"] == greedy(folder, prompt.input_ids, 24)


def test_llama_cpp_splits_text_as_transformers_does(
    make_model: Callable[..., Path], tmp_path: Path, llama_cpp: Callable[..., Any]
) -> None:
    folder = make_model()
    out = write_gguf(folder, tmp_path / "m.gguf", "q8_0").path
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text in TRICKY:
        body = {"content": text, "add_special": True, "parse_special": True}
        assert llama_cpp(out, "/tokenize", body)["tokens"] == tokenizer(text).input_ids, text


# ---- tokenizers


def vocab_dir() -> Path:
    """Vocabularies that are not part of the repository."""
    folder = Path(os.environ.get("XLAM_TEST_VOCAB") or Path(__file__).parents[4] / "shared" / "vocab")
    if not folder.is_dir():
        pytest.skip(f"no vocabularies at {folder}; set XLAM_TEST_VOCAB")
    return folder


def save_deepseek_coder(folder: Path) -> None:
    """Rebuild deepseek-coder's tokenizer from a GGUF that has only its vocabulary."""
    fields = metadata_of(vocab_dir() / "ggml-vocab-deepseek-coder.gguf")
    tokens = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    backend = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens[:32000])}, merges))
    splits = [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+"]
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *(pre_tokenizers.Split(Regex(split), "isolated") for split in splits),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    special = (32013, 32014)
    backend.add_tokens(
        [AddedToken(tokens[i], special=i in special, normalized=i not in special) for i in range(32000, 32022)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=tokens[32013], eos_token=tokens[32014], pad_token=tokens[32014]
    ).save_pretrained(folder)


def test_deepseek_coder_is_recognised(tmp_path: Path) -> None:
    save_deepseek_coder(tmp_path)
    vocabulary = read_vocabulary(tmp_path, {"vocab_size": 32256})
    assert vocabulary.pre_tokenizer == "deepseek-coder"
    assert vocabulary.special_ids == {"bos": 32013, "eos": 32014, "pad": 32014}
    assert vocabulary.tokens[32255] == "[PAD32255]"
    assert vocabulary.kinds[32021] == gguf.TokenType.CONTROL


def test_llama_cpp_splits_text_as_deepseek_coder_does(
    make_model: Callable[..., Path], tmp_path: Path, llama_cpp: Callable[..., Any]
) -> None:
    folder = make_model(vocab_size=32256)
    save_deepseek_coder(folder)
    out = write_gguf(folder, tmp_path / "m.gguf", "q8_0").path
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text in TRICKY[:-1]:
        body = {"content": text, "add_special": True, "parse_special": True}
        assert llama_cpp(out, "/tokenize", body)["tokens"] == tokenizer(text).input_ids, text


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
