"""One process, two under DDP, and every ZeRO stage take the same steps, also where trees differ in their labels."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parent))
import world_worker as worker

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("full", "lora")
LAUNCHED = {  # engine, ZeRO stage, offload: what each file of recipes/accelerate has to come out as
    "cpu_ddp": ("DistributedDataParallel", 0, "none"),
    "cpu_zero1": ("DeepSpeedEngine", 1, "none"),
    "cpu_zero2": ("DeepSpeedEngine", 2, "none"),
    "cpu_zero2_offload": ("DeepSpeedEngine", 2, "optimizer"),
    "cpu_zero3": ("DeepSpeedEngine", 3, "none"),
    "cpu_zero3_offload": ("DeepSpeedEngine", 3, "all"),
}
HALF = ("cpu_ddp", "cpu_zero1", "cpu_zero2", "cpu_zero3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the base model."""
    folder = tmp_path_factory.mktemp("world")
    worker.make_base(folder / "base")
    return folder


def launch(folder: Path, runs: Sequence[str]) -> None:
    """The runs, one after another in the same two processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = [
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-addr",
        "127.0.0.1",
        "--master-port",
        str(port),
    ]
    command = [sys.executable, "-m", *launcher, str(Path(worker.__file__)), str(folder), *runs]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, timeout=600, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, dict[str, Any]]:
    """Every run's losses, norms, world and weights, by `run_name`."""
    runs = [f"{config}/{method}/fp32" for config in LAUNCHED for method in METHODS]
    runs += [f"{config}/{method}/bf16" for config in HALF for method in METHODS]
    extensions = folder / "extensions"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        patch.setenv("TORCH_EXTENSIONS_DIR", str(extensions))
        launch(folder, runs)
    assert not extensions.exists(), "nothing may be compiled before training starts"
    return {path.stem: _read(path) for path in folder.glob("*.json")}


def _read(path: Path) -> dict[str, Any]:
    return {**json.loads(path.read_text()), "weights": load_file(path.with_suffix(".safetensors"))}


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[str, dict[str, Any]]:
    """The same runs in one process without a launcher."""
    torch.set_num_threads(1)
    runs = [(method, precision) for method in METHODS for precision in ("fp32", "bf16")]
    return {"-".join(run): worker.train(folder, "alone", *run) for run in runs}


def same_course(got: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Losses and gradient norms: to rounding in the first step, which Adam magnifies for those after it."""
    for key in ("loss", "grad_norm"):
        assert got[key][0] == pytest.approx(wanted[key][0], rel=1e-6)
        assert got[key] == pytest.approx(wanted[key], rel=2e-5)


def same_weights(got: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    """Each tensor within 1e-4 of its norm, where a step moves it by a twentieth.

    Not weight by weight: Adam moves one whose gradient is rounding noise by as much as any other.
    """
    assert got.keys() == wanted.keys()
    for name, weight in wanted.items():
        assert (got[name] - weight).norm() < 1e-4 * weight.norm(), name


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("config", LAUNCHED)
def test_every_world_takes_the_same_steps(
    config: str, method: str, results: dict[str, dict[str, Any]], alone: dict[str, dict[str, Any]]
) -> None:
    """Loss, gradient norm before clipping, and weights after three steps; the last step has a filler."""
    one, many = alone[f"{method}-fp32"], results[worker.run_name(config, method, "fp32")]
    world = many["world"]
    assert (world["engine"], world["zero_stage"], world["offload"]) == LAUNCHED[config]
    assert (world["processes"], world["nodes"], world["backend"], world["precision"]) == (2, 1, "gloo", "fp32")
    assert one["world"]["processes"] == 1
    assert len(one["loss"]) == 3
    assert min(one["grad_norm"]) > 0.5, "clipped, or the comparison would not cover it"
    same_course(many, one)
    same_weights(many["weights"], one["weights"])


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("config", HALF)
def test_bf16_is_bf16_under_every_engine(
    config: str, method: str, results: dict[str, dict[str, Any]], alone: dict[str, dict[str, Any]]
) -> None:
    """The run itself compares the type of its activations (WorldCheck); rotary frequencies must stay in fp32."""
    one, many = alone[f"{method}-bf16"], results[worker.run_name(config, method, "bf16")]
    assert many["world"]["precision"] == "bf16"
    assert many["buffers"] == one["buffers"] == ["torch.float32"]
    assert many["loss"][0] == pytest.approx(one["loss"][0], rel=2e-3)
    # DeepSpeed computes with weights rounded to bf16, autocast rounds the fp32 weights of full fine-tuning as it goes.
    other = "cpu_zero3" if config == "cpu_zero2" else "cpu_zero2"
    like = one if method == "lora" or config == "cpu_ddp" else results[worker.run_name(other, method, "bf16")]
    assert many["loss"][0] == pytest.approx(like["loss"][0], rel=1e-6), "the same forward pass"
    assert many["loss"] == pytest.approx(like["loss"], rel=5e-3)
    assert many["loss"][0] != alone[f"{method}-fp32"]["loss"][0]


def test_accumulation_of_eight_is_one_of_eight(folder: Path) -> None:
    """Eight trees, and one tree of the same samples; the trees have from 3 to 45 labels."""
    torch.set_num_threads(1)
    windows = worker.windows(8)
    joined = [[sample for window in windows for sample in window]]
    apart = worker.train(folder, "apart", trees=windows, trees_per_step=8)
    together = worker.train(folder, "together", trees=joined, trees_per_step=1)
    assert len(apart["loss"]) == len(together["loss"]) == 1
    same_course(apart, together)
    same_weights(apart["weights"], together["weights"])


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_worlds_on_gpus(precision: str, tmp_path: Path) -> None:
    """The files for GPUs, on two of them; never run where this was written."""
    worker.make_base(tmp_path / "base")
    configs = ("ddp", "zero1", "zero2", "zero2_offload", "zero3", "zero3_offload")
    launch(tmp_path, [f"{config}/full/{precision}" for config in configs])
    losses = [_read(path)["loss"] for path in tmp_path.glob("*.json")]
    assert len(losses) == len(configs)
    assert all(loss == pytest.approx(losses[0], rel=1e-5 if precision == "fp32" else 1e-2) for loss in losses)
