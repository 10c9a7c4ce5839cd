"""A data job that is killed again and again ends with the bytes of an undisturbed one."""

import subprocess
import sys
from pathlib import Path

import pytest

from data_pipeline.recipe import DataRecipe
from data_pipeline.run import generate

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_kills_at_random_moments_change_no_byte() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "bench" / "kills.py"), "--kills", "12", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    assert "12 kills at random moments" in done.stdout


def content(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.slow
def test_a_ray_cluster_that_loses_a_node_writes_the_same_bytes(tmp_path: Path) -> None:
    """Two local nodes; the second is killed as soon as it has made the first shard."""
    job = DataRecipe(tools=["bundled:finance"], shards=12, tool_sets_per_shard=10, queries_per_tool_set=8)
    generate(job, tmp_path / "local")
    script = Path(__file__).with_name("ray_cluster.py")
    recipe = tmp_path / "job.json"
    recipe.write_text(job.model_dump_json(), encoding="utf-8")
    command = [sys.executable, str(script), str(recipe), str(tmp_path / "ray")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "killed a node with" in done.stdout
    assert content(tmp_path / "ray") == content(tmp_path / "local")
