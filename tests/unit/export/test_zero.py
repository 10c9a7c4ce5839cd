"""Weights out of checkpoints: of ZeRO's shards, as DeepSpeed writes them, and of one process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from tiny_bases import batch_of, load, mean_loss, save_base, train
from transformers import AutoModelForCausalLM, AutoTokenizer

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_json
from xlam_train import attention
from xlam_train.checkpoints import Layout, seal
from xlam_train.export.checkpoint import recover_weights
from xlam_train.export.merge import merge_adapter
from xlam_train.export.zero import ZeroShards
from xlam_train.recipe import TrainRecipe

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[3]
WORKER = ROOT / "tests" / "invariant" / "world_worker.py"
CONFIG = {"bf16": {"enabled": True}, "fp16": {"enabled": False}}
State = dict[str, torch.Tensor]


def save_shards(folder: Path, groups: Sequence[State], stage: int, ranks: int = 2) -> Path:
    """A `global_stepN` as DeepSpeed 0.19 lays it out; groups of parameters that have different settings."""
    folder.mkdir(parents=True)
    shapes = [OrderedDict((name, value.shape) for name, value in group.items()) for group in groups]
    model = {"module": {}, "param_shapes": shapes, "buffer_names": [], "shared_params": {}, "ds_version": "0.19.8"}
    states = _stage_3(groups, ranks) if stage == 3 else _stage_2(groups, ranks)
    prefix = "zero_pp_rank_0_" if stage == 3 else ""
    torch.save(model, folder / f"{prefix}mp_rank_00_model_states.pt")
    for rank, state in enumerate(states):
        content = {"optimizer_state_dict": {"zero_stage": stage, **state}, "ds_config": CONFIG}
        torch.save(content, folder / f"bf16_zero_pp_rank_{rank}_mp_rank_00_optim_states.pt")
    return folder


def _stage_2(groups: Sequence[State], ranks: int) -> list[dict[str, Any]]:
    """Each weight begins at a multiple of four, a group ends at one of twice the ranks."""
    gaps = [[-value.numel() % 4 for value in group.values()] for group in groups]
    rows = []
    for group, gap in zip(groups, gaps, strict=True):
        parts = [
            torch.cat([value.flatten(), torch.zeros(space)]) for value, space in zip(group.values(), gap, strict=True)
        ]
        row = torch.cat(parts)
        rows.append(torch.cat([row, torch.zeros(-len(row) % (2 * ranks))]).chunk(ranks))
    about = {"param_alignment_paddings": gaps, "partition_count": [ranks] * len(groups)}
    return [{"single_partition_of_fp32_groups": [row[rank] for row in rows], **about} for rank in range(ranks)]


def _stage_3(groups: Sequence[State], ranks: int) -> list[dict[str, Any]]:
    """Each weight is cut for the ranks."""
    states = []
    for rank in range(ranks):
        flat = []
        for group in groups:
            padded = [torch.cat([value.flatten(), torch.zeros(-value.numel() % ranks)]) for value in group.values()]
            flat.append(torch.cat([value.chunk(ranks)[rank] for value in padded]))
        states.append({"fp32_flat_groups": flat, "partition_count": ranks})
    return states


def weights(*sizes: tuple[int, ...]) -> State:
    return {f"w{number}{size}": torch.randn(size) for number, size in enumerate(sizes)}


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("stage", [1, 2, 3])
def test_shards_give_the_weights_back(tmp_path: Path, stage: int, ranks: int) -> None:
    """Odd sizes, so that weights straddle ranks and every kind of padding occurs."""
    groups = [weights((5, 3), (7,), (4, 4), (1,)), weights((3,), (2, 5))]
    folder = save_shards(tmp_path / "global_step3", groups, stage, ranks)
    shards = ZeroShards(folder)
    assert shards.compute == torch.bfloat16
    assert shards.shapes == {name: tuple(value.shape) for group in groups for name, value in group.items()}
    for group in groups:
        for name, value in group.items():
            assert torch.equal(shards.read(name), value), name


@pytest.mark.parametrize("stage", [2, 3])
def test_deepspeeds_own_script_reads_the_same(tmp_path: Path, stage: int) -> None:
    """What is written above is what DeepSpeed understands."""
    script = pytest.importorskip("deepspeed.utils.zero_to_fp32", reason="needs deepspeed")
    groups = [weights((5, 3), (7,), (4, 4)), weights((3,), (2, 5))]
    save_shards(tmp_path / "global_step3", groups, stage)
    found = script.get_fp32_state_dict_from_zero_checkpoint(str(tmp_path), tag="global_step3")
    shards = ZeroShards(tmp_path / "global_step3")
    assert set(found) == set(shards.shapes)
    for name, value in found.items():
        assert torch.equal(shards.read(name), value), name


def test_shards_that_are_not_whole(tmp_path: Path) -> None:
    groups = [weights((64, 64), (32,))]
    lost = save_shards(tmp_path / "lost", groups, 2)
    next(lost.glob("*rank_1*optim*")).unlink()
    with pytest.raises(InputError, match="files of 1 of 2 processes; copy those of all nodes together"):
        ZeroShards(lost)
    cut = save_shards(tmp_path / "cut", groups, 2)
    path = next(cut.glob("*rank_1*optim*"))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"rank_1_.*optim_states.pt: cannot be read .*copy it again"):
        ZeroShards(cut)
    mixed = save_shards(tmp_path / "mixed", groups, 2)
    small = save_shards(tmp_path / "small", [weights((4,))], 2)
    path = next(mixed.glob("*rank_1*optim*"))
    path.write_bytes(next(small.glob("*rank_1*optim*")).read_bytes())
    with pytest.raises(InputError, match=r"mixed: w.* is incomplete; its files are not of one checkpoint"):
        ZeroShards(mixed)
    with pytest.raises(InputError, match="no ZeRO checkpoint"):
        ZeroShards(tmp_path)


class Harmful:
    """Unpickling runs a program."""

    def __reduce__(self) -> Any:
        return os.system, ("touch unpickled",)


def test_no_code_in_a_checkpoint_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = save_shards(tmp_path / "global_step3", [weights((4,))], 2)
    torch.save({"param_shapes": [Harmful()]}, folder / "mp_rank_00_model_states.pt")
    with pytest.raises(InputError, match="holds other things than DeepSpeed's, which are not run"):
        ZeroShards(folder)
    assert not (tmp_path / "unpickled").exists()


def make_run(folder: Path, base: Path, **sections: Any) -> Path:
    """The folder of a run that was killed behind its third step, without the checkpoint's weights."""
    content = {"model": {"base": str(base), "added_tokens": sections.pop("added_tokens", ())}}
    recipe = TrainRecipe.model_validate({**content, "data": {"path": "d"}, "out": str(folder), **sections})
    write_json(folder / "recipe.json", {"recipe": recipe.model_dump(mode="json"), "dataset_sha256": "x"})
    checkpoint = folder / "checkpoints" / "checkpoint-3"
    checkpoint.mkdir(parents=True)
    return checkpoint


def kill(checkpoint: Path, model: Any, stage: int) -> Path:
    """Have the run leave this model in a checkpoint, trained under a stage of ZeRO, or 0 without it."""
    model.save_pretrained(checkpoint)
    if stage:
        state = {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}
        matrices = {name: value for name, value in state.items() if value.ndim > 1}
        vectors = {name: value for name, value in state.items() if value.ndim == 1}
        save_shards(checkpoint / "global_step3", [group for group in (matrices, vectors) if group], stage)
        for path in checkpoint.glob("*.safetensors"):
            path.write_bytes(b"rounded to half precision, and not to be read" * 1000)
    for rank in range(2):
        (checkpoint / f"rng_state_{rank}.pth").touch()
    seal(checkpoint, Layout(2, stage), "hash")
    return checkpoint


ADDED = ("<call>", "</call>")
ADAPTERS: dict[str, dict[str, Any]] = {
    "dora": {"lora": {"rank": 4, "dora": True}},
    "added tokens": {"lora": {"rank": 4}, "added_tokens": ADDED},
    "qlora": {"method": "qlora", "lora": {"rank": 4}, "precision": "fp32"},
}


@pytest.mark.parametrize(("kind", "stage"), [("dora", 0), ("dora", 3), ("added tokens", 2), ("qlora", 0)])
def test_a_killed_runs_adapter_is_merged_as_if_it_had_ended(
    tiny_base: Path, tmp_path: Path, kind: str, stage: int
) -> None:
    sections = ADAPTERS[kind]
    base = save_base(tmp_path / "base", tiny_base, tie_word_embeddings=True)
    model = load(base, **sections)
    train(model, batch_of(), 3)
    with torch.no_grad():
        loss = mean_loss(model, batch_of())
    checkpoint = kill(make_run(tmp_path / "run", base, **sections), model, stage)
    adapter = recover_weights(checkpoint, tmp_path / "adapter")
    assert {weight.dtype for weight in load_file(adapter / "adapter_model.safetensors").values()} == {torch.float32}
    assert json.loads((adapter / "generation_config.json").read_text())["eos_token_id"] == 2
    provenance = json.loads((adapter / "provenance.json").read_text())
    assert (provenance["checkpoint"], provenance["recipe"]["method"]) == (
        "checkpoint-3",
        sections.get("method", "lora"),
    )
    assert str(tmp_path) not in json.dumps(provenance)
    merged = merge_adapter(base, adapter, tmp_path / "merged", probe_ids=[[5, 6, 7]]).path
    attention.register()
    with torch.no_grad():
        found = mean_loss(AutoModelForCausalLM.from_pretrained(merged, attn_implementation=attention.NAME), batch_of())
    torch.testing.assert_close(found, loss, rtol=1e-5, atol=0)
    added = sections.get("added_tokens", ())
    assert all(text in AutoTokenizer.from_pretrained(merged).get_vocab() for text in added)


@pytest.mark.parametrize("kind", ["llama", "mixtral"])
@pytest.mark.parametrize("stage", [0, 3])
def test_a_killed_runs_model_is_written_as_published(tiny_base: Path, tmp_path: Path, kind: str, stage: int) -> None:
    base = save_base(tmp_path / "base", tiny_base, kind, dtype=torch.bfloat16, tie_word_embeddings=kind == "llama")
    model = load(base, method="full")
    train(model, batch_of(), 1)
    checkpoint = kill(make_run(tmp_path / "run", base, method="full"), model, stage)
    folder = recover_weights(checkpoint, tmp_path / "model")
    before, after = load_file(base / "model.safetensors"), load_file(folder / "model.safetensors")
    assert set(before) == set(after)
    assert {weight.dtype for weight in after.values()} == {torch.bfloat16}
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    for name, weight in loaded.named_parameters():
        assert torch.equal(weight, model.get_parameter(name).to(torch.bfloat16)), name
    assert AutoTokenizer.from_pretrained(folder).chat_template
    assert loaded.generation_config.eos_token_id == 2


def test_checkpoints_that_are_none(tiny_base: Path, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", tiny_base)
    model = load(base, lora={"rank": 4})
    checkpoint = kill(make_run(tmp_path / "run", base, lora={"rank": 4}), model, 0)
    with pytest.raises(InputError, match=r"no recipe.json in .*; give a checkpoint in the folder of its run"):
        recover_weights(base, tmp_path / "out")
    with pytest.raises(InputError, match=r"nowhere: no config.json"):
        recover_weights(checkpoint, tmp_path / "out", tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"run: holds what is read and would be replaced"):
        recover_weights(checkpoint, tmp_path / "run")
    (checkpoint / "rng_state_0.pth").write_text("changed")
    with pytest.raises(InputError, match=r"checkpoint-3: is not complete; take an earlier one of .*checkpoints"):
        recover_weights(checkpoint, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_type_that_was_quantized_is_not_guessed(tiny_base: Path, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", tiny_base)
    sections: dict[str, Any] = {"method": "qlora", "lora": {"rank": 4}}
    checkpoint = kill(make_run(tmp_path / "run", base, **sections), load(base, lora={"rank": 4}), 0)
    with pytest.raises(InputError, match=r"precision 'auto' does not say from which type the base was quantized"):
        recover_weights(checkpoint, tmp_path / "out")
    assert not (tmp_path / "out").exists()


RUNS = {"cpu_zero1": "full/fp32", "cpu_zero2": "lora/bf16", "cpu_zero3": "full/bf16"}


@pytest.mark.slow
def test_real_runs_of_two_processes(tiny_base: Path, tmp_path: Path) -> None:
    """The masters in DeepSpeed's own files, rounded as the run gathered them, are the gathered weights to the bit."""
    pytest.importorskip("deepspeed", reason="needs deepspeed")
    base = save_base(tmp_path / "base", tiny_base, vocab_size=64)
    launch(tmp_path, [f"{config}/{run}" for config, run in RUNS.items()])
    for config, run in RUNS.items():
        name = f"{config}-{run.replace('/', '-')}"
        gathered = load_file(tmp_path / f"{name}.safetensors")
        checkpoint = tmp_path / name / "checkpoints" / "checkpoint-3"
        shards = ZeroShards(checkpoint / "global_step3")
        assert set(shards.shapes) == set(gathered)
        for key, value in gathered.items():
            assert torch.equal(shards.read(key).to(value.dtype), value), f"{name} {key}"
        method = run.partition("/")[0]
        content = TrainRecipe.model_validate(
            {"model": {"base": str(base)}, "data": {"path": "d"}, "out": "o", "method": method}
        )
        write_json(tmp_path / name / "recipe.json", {"recipe": content.model_dump(mode="json")})
        found = recover_weights(checkpoint, tmp_path / f"{name}-recovered")
        plain = AutoModelForCausalLM.from_pretrained(base if method == "lora" else found)
        assert method == "full" or PeftModel.from_pretrained(plain, found)


def launch(folder: Path, runs: Sequence[str]) -> None:
    """As in tests/invariant/test_world_equal.py."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = ["--nproc-per-node", "2", "--master-addr", "127.0.0.1", "--master-port", port]
    command = [sys.executable, "-m", "torch.distributed.run", *address, str(WORKER), str(folder), *runs]
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        command, check=False, cwd=ROOT, env={**os.environ, **own}, timeout=600, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-4000:]
