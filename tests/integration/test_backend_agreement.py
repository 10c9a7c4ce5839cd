"""The benchmark of agreement, small: F16 and F32 of the real SmolLM2 beside transformers, by the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench" / "agreement.py"
PROMPTS = 10
F32_SHARE = 0.25
"""Of F16's difference that F32 may have: a tenth with keys and values in F32, half with them rounded to F16."""
TIE = 0.02
"""Nats, some five times what F16 changes on average: a choice closer than that is open."""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--threads", "1", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def test_f16_and_f32_answer_as_transformers(smollm2_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    out = tmp_path / "agreement.json"
    options = ("--prompts", str(PROMPTS), "--types", "f16", "f32", "--max-tokens", "8", "--out", str(out))
    done = run("--model", str(smollm2_dir), *options)
    assert out.exists(), done.stdout + done.stderr
    row, exact = json.loads(out.read_text())
    assert row["same_prompt_ids"] == row["prompts"] == PROMPTS
    # An untrained model hesitates; where it does, F16 may fall to the other side.
    ties = row["margins_at_partings"]
    assert len(ties) == PROMPTS - row["equal"] <= 1
    assert all(abs(margin) < TIE for margin in ties)
    assert done.returncode == (1 if ties else 0), done.stderr
    assert ("below the bar: f16" in done.stdout) == bool(ties)
    assert 0 < row["delta"] < 0.02
    assert abs(row["perplexity_change"]) < 0.01
    assert exact["equal"] == PROMPTS
    assert 0 < exact["delta"] < F32_SHARE * row["delta"]


def test_what_is_no_model_is_one_line(tmp_path: Path) -> None:
    done = run("--model", str(tmp_path), "--prompts", "1")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(tmp_path) in done.stderr
