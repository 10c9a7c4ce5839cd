"""Counting and saving what was trained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from tiny_bases import batch_of, load, mean_loss, save_base, train
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from xlam_train import quantize
from xlam_train.base import load_tokenizer
from xlam_train.fingerprint import read_record
from xlam_train.trained import TrainableSummary, save_trained, trainable_state, trainable_summary

if TYPE_CHECKING:
    from pathlib import Path

END = 2  # <|im_end|>, as the chat template has it
# hidden 64, feed-forward 128, 4 heads of 16, 2 key heads; two layers of seven matrices
BLOCKS = 2 * (64 * 64 * 2 + 32 * 64 * 2 + 3 * 64 * 128)
REST = 600 * 64 + 5 * 64  # tied embedding and norms
LORA = 2 * 4 * (2 * (64 + 64) + 2 * (64 + 32) + 3 * (64 + 128))  # rank 4


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def base(tiny_base: Path, tmp_path: Path) -> Path:
    return save_base(tmp_path / "base", tiny_base, tie_word_embeddings=True)


def save(model: Any, folder: Path, base: Path, added: tuple[str, ...] = (), state: Any = None) -> Path:
    save_trained(model, folder, base, tokenizer=load_tokenizer(base, added), end_token_id=END, state=state)
    return folder


def test_counts_of_full_training(base: Path) -> None:
    everything = BLOCKS + REST
    summary = trainable_summary(load(base, True, method="full"))
    assert summary == TrainableSummary(everything, everything, 0, {"float32": 4 * everything})
    assert summary.frozen == 0


def test_counts_of_adapters(base: Path) -> None:
    summary = trainable_summary(load(base, True, lora={"rank": 4}))
    stored = {"bfloat16": 2 * (BLOCKS + REST), "float32": 4 * LORA}
    assert summary == TrainableSummary(LORA, BLOCKS + REST + LORA, 0, stored)
    assert summary.frozen == BLOCKS + REST


def test_counts_of_four_bits(base: Path) -> None:
    """Half a byte a weight, one byte a block of 64, four for 256 blocks, and two tables a matrix."""
    summary = trainable_summary(load(base, True, method="qlora", lora={"rank": 4}))
    scales = BLOCKS // 64 + 4 * 14
    tables = 14 * (16 + 256) * 4
    stored = {"bfloat16": 2 * REST, "nf4": BLOCKS // 2 + scales + tables, "float32": 4 * LORA}
    assert summary == TrainableSummary(LORA, BLOCKS + REST + LORA, BLOCKS, stored)


def test_shards_of_zero3_count_as_the_whole() -> None:
    layer = torch.nn.Linear(3, 2, bias=False, dtype=torch.bfloat16)
    layer.weight.data = torch.empty(0, dtype=torch.bfloat16)  # as DeepSpeed leaves it between passes
    layer.weight.ds_numel = 6
    assert trainable_summary(layer) == TrainableSummary(6, 6, 0, {"bfloat16": 12})


@pytest.mark.parametrize(
    ("kind", "dtype"), [("llama", torch.float32), ("llama", torch.bfloat16), ("mixtral", torch.bfloat16)]
)
def test_a_full_model_is_saved_in_the_bases_type(
    tiny_base: Path, tmp_path: Path, kind: str, dtype: torch.dtype
) -> None:
    base = save_base(tmp_path / "base", tiny_base, kind, dtype=dtype)
    model = load(base, True, method="full", added_tokens=["<call>"])
    train(model, batch_of(), 2, bf16=True)
    folder = save(model, tmp_path / "out", base, added=("<call>",))
    stored = load_file(folder / "model.safetensors")
    assert {weight.dtype for weight in stored.values()} == {dtype}
    assert set(stored) == set(load_file(base / "model.safetensors"))
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    assert loaded.dtype == dtype
    for name, weight in loaded.named_parameters():
        assert torch.equal(weight, model.get_parameter(name).to(dtype)), name
    config = json.loads((folder / "config.json").read_text())
    assert (config["use_cache"], config["architectures"]) == (True, [type(model).__name__])
    assert AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids("<call>") == len(load_tokenizer(base))


def test_gathered_weights_are_saved_as_they_are_given(base: Path, tmp_path: Path) -> None:
    model = load(base, method="full")
    state = {name: weight.detach() + 1 for name, weight in model.state_dict().items()}
    state["lm_head.weight"] = state["model.embed_tokens.weight"]  # tied, as engines give it
    folder = save(model, tmp_path / "out", base, state=state)
    assert torch.equal(load_file(folder / "model.safetensors")["model.norm.weight"], model.model.norm.weight + 1)
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")


@pytest.mark.parametrize(("before", "after"), [(None, END), (END, END), (0, [END, 0]), ([0, 1], [END, 0, 1])])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_generation_ends_at_the_end_of_the_turn(
    base: Path, tmp_path: Path, method: str, before: Any, after: Any
) -> None:
    GenerationConfig(eos_token_id=before).save_pretrained(base)
    folder = save(load(base, method=method), tmp_path / "out", base)
    assert GenerationConfig.from_pretrained(folder).eos_token_id == after


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_base_published_with_a_temperature_and_no_sampling_can_be_saved(
    base: Path, tmp_path: Path, method: str
) -> None:
    settings = {"temperature": 0.9, "top_p": 0.6, "eos_token_id": 0}
    (base / "generation_config.json").write_text(json.dumps(settings))
    folder = save(load(base, method=method), tmp_path / "out", base)
    saved = json.loads((folder / "generation_config.json").read_text())
    assert {key: saved[key] for key in settings} == {**settings, "eos_token_id": [END, 0]}


@pytest.mark.parametrize("method", ["lora", "qlora"])
@pytest.mark.parametrize("gathered", [False, True])
def test_an_adapter_gives_the_same_loss_when_it_is_loaded(
    base: Path, tmp_path: Path, method: str, gathered: bool
) -> None:
    """For qlora on weights quantized anew, which resuming relies on."""
    model = load(base, method=method, lora={"rank": 4}, added_tokens=["<call>"])
    train(model, batch_of(), 3)
    state = trainable_state(model) if gathered else None
    folder = save(model, tmp_path / "out", base, added=("<call>",), state=state)
    again = load(base, method=method, lora={"rank": 4}, added_tokens=["<call>"])
    assert not torch.equal(mean_loss(again, batch_of()), mean_loss(model, batch_of()))
    again.load_adapter(folder, "default")
    assert torch.equal(mean_loss(again, batch_of()), mean_loss(model, batch_of()))


def test_an_adapter_folder_has_what_merging_and_serving_need(base: Path, tmp_path: Path) -> None:
    plain = save(load(base, True, method="qlora", lora={"rank": 4}), tmp_path / "plain", base)
    names = {path.name for path in plain.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "base_model.json", "generation_config.json"} <= names
    assert not {"tokenizer.json", "training_args.bin"} & names
    record = read_record(plain)
    assert record is not None
    assert (record.rows, record.four_bit) == (600, "bfloat16")
    assert all("lora_" in name for name in load_file(plain / "adapter_model.safetensors"))
    grown = save(load(base, added_tokens=["<call>"]), tmp_path / "grown", base, added=("<call>",))
    assert AutoTokenizer.from_pretrained(grown).convert_tokens_to_ids("<call>") == len(load_tokenizer(base))
    rows = [name for name in load_file(grown / "adapter_model.safetensors") if "lora_" not in name]
    assert rows == ["base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta"]


def test_peft_alone_can_load_it(base: Path, tmp_path: Path) -> None:
    model = load(base, lora={"rank": 4, "rslora": True})
    train(model, batch_of(), 3)
    folder = save(model, tmp_path / "out", base)
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)
    ids = torch.arange(10)[None]
    plain = model.get_base_model()
    plain.set_attn_implementation("sdpa")
    with torch.no_grad():
        torch.testing.assert_close(theirs(ids).logits, model(ids).logits, rtol=1e-4, atol=1e-4)
    assert not list(quantize.quant_states(model))
