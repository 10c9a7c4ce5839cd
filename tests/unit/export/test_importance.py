"""The importance matrix: what it sums, and its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gguf
import libgguf
import numpy as np
import pytest
import torch
from tiny_bases import KINDS, save_base
from transformers import AutoModelForCausalLM

from data_pipeline.core.errors import InputError
from xlam_train.export.importance import Importance, collect_importance

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [[5, 6, 7, 8], [9, 10, 11], list(range(20, 60))]
TOKENS = sum(map(len, ROWS))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> dict[str, Any]:
    return {
        kind: AutoModelForCausalLM.from_pretrained(
            save_base(tmp_path_factory.mktemp(kind), tiny_base, kind), dtype=torch.float32
        ).eval()
        for kind in KINDS
    }


@pytest.fixture(scope="module")
def llama(models: dict[str, Any]) -> Importance:
    return collect_importance(models["llama"], ROWS, "ours")


def test_the_first_layers_sums_are_those_of_the_normed_embeddings(models: dict[str, Any], llama: Importance) -> None:
    model = models["llama"].model
    with torch.inference_mode():
        inputs = torch.cat([model.layers[0].input_layernorm(model.embed_tokens(torch.tensor(row))) for row in ROWS])
    expected = inputs.double().square().sum(0).numpy()
    for part in ("q", "k", "v"):
        np.testing.assert_allclose(llama.sums[f"blk.0.attn_{part}.weight"][0], expected, rtol=1e-5)
        assert llama.counts[f"blk.0.attn_{part}.weight"].tolist() == [TOKENS]
    np.testing.assert_allclose(llama.of("blk.0.attn_q.weight", (64, 64))[0], expected / TOKENS, rtol=1e-5)  # type: ignore[index]


@pytest.mark.parametrize("kind", KINDS)
def test_every_matrix_of_every_layer_is_there_and_nothing_else(models: dict[str, Any], kind: str) -> None:
    importance = collect_importance(models[kind], ROWS, "ours")
    experts = "_exps" if kind == "mixtral" else ""
    parts = ["attn_q", "attn_k", "attn_v", "attn_output", *(f"ffn_{part}{experts}" for part in ("gate", "up", "down"))]
    assert set(importance.sums) == {f"blk.{layer}.{part}.weight" for layer in range(2) for part in parts}
    assert importance.of("token_embd.weight", (600, 64)) is None
    assert importance.of("output.weight", (600, 64)) is None
    assert importance.of("blk.0.attn_norm.weight", (64,)) is None
    assert importance.of("blk.0.ffn_gate_inp.weight", (4, 64)) is None
    assert (importance.rows, importance.tokens) == (3, TOKENS)


def test_the_model_answers_as_before(models: dict[str, Any]) -> None:
    ids = torch.tensor([ROWS[2]])
    with torch.inference_mode():
        before = models["mixtral"](ids).logits
        collect_importance(models["mixtral"], ROWS, "ours")
        assert torch.equal(models["mixtral"](ids).logits, before)


def test_an_experts_sums_are_over_the_tokens_it_got(models: dict[str, Any]) -> None:
    """Token by token, from what the module of experts is given."""
    model = models["mixtral"]
    seen: list[Any] = []
    experts = model.model.layers[1].mlp.experts
    hook = experts.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs))
    importance = collect_importance(model, ROWS, "ours")
    hook.remove()
    sums = {"up": torch.zeros(4, 64), "down": torch.zeros(4, 128)}
    counts = torch.zeros(4)
    with torch.inference_mode():
        for hidden, chosen, _ in seen:
            for token, numbers in zip(hidden, chosen.tolist(), strict=True):
                for expert in numbers:
                    gate, up = (experts.gate_up_proj[expert] @ token).split(128)
                    sums["up"][expert] += token**2
                    sums["down"][expert] += (torch.nn.functional.silu(gate) * up) ** 2
                    counts[expert] += 1
    assert counts.sum() == 2 * TOKENS
    for part, expected in sums.items():
        name = f"blk.1.ffn_{part}_exps.weight"
        np.testing.assert_allclose(importance.sums[name], expected.numpy(), rtol=1e-4, atol=1e-7)
        assert importance.counts[name].tolist() == counts.tolist()


def test_an_expert_that_got_no_token_weighs_all_columns_alike() -> None:
    name, sums = "blk.0.ffn_up_exps.weight", np.array([[2, 4], [0, 0]], np.float32)
    importance = Importance({name: sums}, {name: np.array([2, 0], np.float32)}, "ours", 1, 2)
    assert importance.of(name, (2, 8, 2)).tolist() == [[1, 2], [1, 1]]  # type: ignore[union-attr]


# ---- the file


def test_a_saved_file_reads_back_the_same(llama: Importance, tmp_path: Path) -> None:
    llama.save(tmp_path / "m.gguf")
    loaded = Importance.load(tmp_path / "m.gguf")
    assert (loaded.dataset, loaded.rows) == ("ours", 3)
    assert set(loaded.sums) == set(llama.sums)
    for name, sums in llama.sums.items():
        assert loaded.sums[name].tobytes() == sums.tobytes()
        assert loaded.counts[name].tolist() == llama.counts[name].tolist()


def test_a_saved_file_has_llama_cpps_form(llama: Importance, tmp_path: Path) -> None:
    llama.save(tmp_path / "m.gguf")
    fields = {key: field.contents() for key, field in gguf.GGUFReader(tmp_path / "m.gguf").fields.items()}
    assert fields["general.type"] == "imatrix"
    assert fields["imatrix.datasets"] == ["ours"]
    assert fields["imatrix.chunk_count"] == 3
    assert "general.architecture" not in fields
    for name, values in libgguf.load_imatrix(tmp_path / "m.gguf").items():
        means = llama.sums[name] / llama.counts[name][:, None]
        np.testing.assert_array_equal(values, means.reshape(-1))


def test_columns_of_another_model_are_refused(llama: Importance) -> None:
    with pytest.raises(InputError, match=r"blk\.0\.attn_q\.weight needs \(1, 96\) columns, has \(1, 64\)"):
        llama.of("blk.0.attn_q.weight", (96, 96))
    with pytest.raises(InputError, match=r"blk\.7\.attn_q\.weight .* has none"):
        llama.of("blk.7.attn_q.weight", (64, 64))


def test_no_rows_are_refused(models: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="ours has no rows"):
        collect_importance(models["llama"], [], "ours")


def test_files_of_other_kinds_are_refused(llama: Importance, tmp_path: Path) -> None:
    text, missing, model = tmp_path / "text", tmp_path / "missing", tmp_path / "model.gguf"
    text.write_text("imatrix")
    writer = gguf.GGUFWriter(model, arch="llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    for path in (text, missing, model):
        with pytest.raises(InputError, match=r"no importance matrix in llama\.cpp's GGUF form"):
            Importance.load(path)
    short = tmp_path / "short"
    llama.save(short)
    short.write_bytes(short.read_bytes()[:-500])
    with pytest.raises(InputError, match="no importance matrix"):
        Importance.load(short)
