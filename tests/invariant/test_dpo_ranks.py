"""Two ranks share the reference pass and a step of preference training; together they are one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from dpo_ranks_worker import run

TESTS = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.mark.slow
def test_two_ranks_are_one_process(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    worker = Path(__file__).with_name("dpo_ranks_worker.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*launcher, worker, tmp_path], check=True, env=environment, timeout=300, capture_output=True)
    torch.set_num_threads(1)
    alone = run(tmp_path / "alone", ranks=1, rank=0, wrap=lambda model: model)
    assert len(alone["reference"]) == 18
    for rank in range(2):
        found = json.loads((tmp_path / f"rank{rank}.json").read_text())
        assert found["reference"] == pytest.approx(alone["reference"], rel=1e-6)
        assert found["metrics"] == pytest.approx(alone["metrics"], rel=1e-5)
        assert found["norm"] == pytest.approx(alone["norm"], rel=1e-5)
    kept = json.loads((tmp_path / "reference.json").read_text())
    assert kept["done"]
    assert kept["log_probabilities"] == found["reference"]
