"""The scripts that start several machines: their command lines, the end of a time limit, a real run of two nodes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_pipeline.core.jsonl import read_json, write_jsonl

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_pipeline.core.schema import Trajectory

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "scripts" / "launch_node.sh"
SBATCH = ROOT / "scripts" / "slurm" / "train.sbatch"
SLURM = {
    "SLURM_JOB_ID": "1234567",
    "SLURM_JOB_NUM_NODES": "3",
    "SLURM_JOB_NODELIST": "gpu[01-03]",
    "SLURM_GPUS_ON_NODE": "8",
    "SLURM_CPUS_PER_TASK": "64",
}
SRUN = """#!/usr/bin/env bash
while [[ $1 == -* ]]; do shift; done
for rank in 0 1 2; do SLURM_PROCID=$rank "$@"; done
"""
SCONTROL = """#!/usr/bin/env bash
echo "scontrol $*" >> "$STUB_LOG"
if [[ $1 == show ]]; then printf 'gpu01\\ngpu02\\ngpu03\\n'; fi
"""
ACCELERATE = """#!/usr/bin/env bash
echo "accelerate $* [$OMP_NUM_THREADS]" >> "$STUB_LOG"
"""
WAITING_SRUN = """#!/usr/bin/env bash
trap 'echo "step: TERM" >> "$STUB_LOG"; exit 143' TERM
echo started >> "$STUB_LOG"
for _ in {1..200}; do sleep 0.1; done
"""


def stubs(folder: Path, **programs: str) -> dict[str, str]:
    """An environment in which the named programs are the given scripts, which write what they do to `log`."""
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "STUB_LOG": str(folder / "log"), "OMP_NUM_THREADS": "1"}


def test_the_command_line_of_a_node(tmp_path: Path) -> None:
    environ = stubs(tmp_path / "bin", accelerate=ACCELERATE)
    environ |= {"NODES": "2", "NODE_RANK": "1", "MASTER_ADDR": "10.0.0.1", "PROCESSES_PER_NODE": "4"}
    subprocess.run([NODE, "recipes/accelerate/zero3.yaml", "my recipe.yaml", "a.b=1"], env=environ, check=True)
    assert (tmp_path / "bin" / "log").read_text() == (
        "accelerate launch --config_file recipes/accelerate/zero3.yaml --num_machines 2 --num_processes 8 "
        "--machine_rank 1 --main_process_ip 10.0.0.1 --main_process_port 29500 scripts/train.py "
        "my recipe.yaml a.b=1 [1]\n"
    )


@pytest.mark.parametrize("missing", ["NODES", "NODE_RANK", "MASTER_ADDR"])
def test_a_node_without_its_place_says_so(missing: str, tmp_path: Path) -> None:
    environ = stubs(tmp_path / "bin", accelerate=ACCELERATE) | {"NODES": "2", "NODE_RANK": "0", "MASTER_ADDR": "x"}
    del environ[missing]
    done = subprocess.run([NODE, "a.yaml", "b.yaml"], env=environ, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"set {missing} to" in done.stderr
    usage = subprocess.run([NODE], env=environ, check=False, capture_output=True, text=True)
    assert usage.returncode == 2
    assert "NODES=2 NODE_RANK=1" in usage.stderr


def test_slurm_starts_a_launcher_a_machine(tmp_path: Path) -> None:
    environ = stubs(tmp_path / "bin", srun=SRUN, scontrol=SCONTROL, accelerate=ACCELERATE) | SLURM
    subprocess.run([SBATCH, "recipes/accelerate/zero3.yaml", "r.yaml", "k=v"], env=environ, check=True, cwd=ROOT)
    lines = (tmp_path / "bin" / "log").read_text().splitlines()
    assert lines[0] == "scontrol show hostnames gpu[01-03]"
    assert lines[1:] == [
        "accelerate launch --config_file recipes/accelerate/zero3.yaml --num_machines 3 --num_processes 24 "
        f"--machine_rank {rank} --main_process_ip gpu01 --main_process_port 24567 scripts/train.py r.yaml k=v [8]"
        for rank in range(3)
    ]


def test_slurm_saves_and_queues_again_at_the_time_limit(tmp_path: Path) -> None:
    environ = stubs(tmp_path / "bin", srun=WAITING_SRUN, scontrol=SCONTROL) | SLURM
    log = tmp_path / "bin" / "log"
    job = subprocess.Popen([SBATCH, "a.yaml", "r.yaml"], env=environ, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        _wait_for(lambda: log.is_file() and "started" in log.read_text())
        job.send_signal(signal.SIGUSR1)
        _, errors = job.communicate(timeout=30)
    finally:
        job.kill()
    assert job.returncode == 143
    assert "queued again" in errors
    assert log.read_text().splitlines()[-2:] == ["step: TERM", "scontrol requeue 1234567"]


def test_slurm_queues_nothing_again_that_failed(tmp_path: Path) -> None:
    environ = stubs(tmp_path / "bin", srun="#!/bin/sh\nexit 3\n", scontrol=SCONTROL) | SLURM
    done = subprocess.run([SBATCH, "a.yaml", "r.yaml"], env=environ, check=False, cwd=ROOT)
    assert done.returncode == 3
    assert "requeue" not in (tmp_path / "bin" / "log").read_text()


def _wait_for(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


@pytest.mark.slow
def test_accelerate_that_silently_starts_one_process_is_told() -> None:
    """For --cpu it starts a single process, whatever --num_processes says, and would end with 0."""
    launch = ["accelerate.commands.launch", "--cpu", "--num_processes", "2"]
    command = [sys.executable, "-m", *launch, "scripts/train.py", "recipes/lora/smollm2-135m.yaml", "precision=fp32"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    expected = "xlam: world: scripts/train.py found 1 process; start it with `accelerate launch --config_file recipes/"
    assert any(line.startswith(expected) for line in done.stderr.splitlines()), done.stderr


@pytest.mark.slow
def test_two_nodes_train_together(
    tmp_path: Path, tiny_base: Path, make_samples: Callable[..., list[Trajectory]]
) -> None:
    """Two launchers on the loopback device, one process each, with ZeRO-2."""
    write_jsonl(tmp_path / "data" / "shards" / "0000.jsonl", [sample.to_row() for sample in make_samples(4, 3)])
    recipe = {
        "model": {"base": str(tiny_base)},
        "data": {"path": str(tmp_path / "data")},
        "out": str(tmp_path / "out"),
        "lora": {"rank": 4},
        "packing": {"tokens_per_tree": 1, "trees_per_step": 2},
        "precision": "fp32",
        "world": {"processes": 2, "zero_stage": 2, "offload": "none"},
        "threads": 1,
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NODES": "2",
        "PROCESSES_PER_NODE": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "GLOO_SOCKET_IFNAME": "lo",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command: list[Path | str] = [NODE, "recipes/accelerate/cpu_zero2.yaml", str(tmp_path / "recipe.yaml")]
    logs = [tmp_path / f"node{rank}.log" for rank in range(2)]
    nodes = [_start(command, {**environ, "NODE_RANK": str(rank)}, log) for rank, log in enumerate(logs)]
    try:
        codes = [node.wait(timeout=300) for node in nodes]
    finally:
        for node in nodes:
            node.terminate()  # the launcher ends its rank
    text = logs[0].read_text()
    assert codes == [0, 0], text[-4000:]
    assert read_json(tmp_path / "out" / "train_report.json")["processes"] == 2
    rows = {cells[1].strip(): cells[2].strip() for line in text.splitlines() if len(cells := line.split("│")) == 4}
    found = [rows[name] for name in ("processes", "nodes", "engine", "ZeRO stage")]
    assert found == ["2", "2", "DeepSpeedEngine", "2"]


def _start(command: list[Path | str], environ: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("w") as output:
        return subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT)
