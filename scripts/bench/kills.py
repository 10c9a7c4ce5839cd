"""Kill a data job at random moments, resume it each time, and compare the bytes with an undisturbed run.

Every kill is SIGKILL to the whole process group: the command and its workers. A job that ends before its kill is
compared and a new one begins, until the asked number of kills has hit a living job.

    python scripts/bench/kills.py --kills 100
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.progress import Progress

OVERRIDES = ("tools=[bundled]", "shards=16", "tool_sets_per_shard=8", "queries_per_tool_set=12")


def digest(folder: Path) -> dict[str, str]:
    """Every file of a dataset but the lock, by its relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def start(out: Path, recipe: Path) -> subprocess.Popen[bytes]:
    """The job, in a process group of its own."""
    command = [sys.executable, "-m", "xlam_train.cli", "data", "generate", recipe, "--out", out, "--workers", "2"]
    return subprocess.Popen(
        [*map(str, command), *OVERRIDES], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def finish(out: Path, recipe: Path) -> float:
    """Run the job to its end; how long that took, in seconds."""
    began = time.monotonic()
    with start(out, recipe) as job:
        _, stderr = job.communicate()
    if job.returncode:
        raise SystemExit(f"the job failed: {stderr.decode()}")
    return time.monotonic() - began


def kill_at(job: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill the group after a time; whether the job was still running."""
    with job:
        try:
            job.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
            return True
        return False


def main() -> None:
    """Kill, resume, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="kills of a living job; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the moments; default: %(default)s")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name, Progress() as bar:
        folder = Path(name)
        recipe = folder / "job.yaml"
        recipe.write_text("seed: 1\n", encoding="utf-8")
        seconds = finish(folder / "undisturbed", recipe)
        expected = digest(folder / "undisturbed")
        task = bar.add_task("kills", total=options.kills)
        kills = jobs = 0
        while kills < options.kills:
            out = folder / f"job{jobs}"
            while kills < options.kills and kill_at(start(out, recipe), rng.uniform(0, seconds)):
                kills += 1
                bar.update(task, advance=1)
            finish(out, recipe)
            jobs += 1
            if digest(out) != expected:
                raise SystemExit(f"after {kills} kills, job {jobs}: other bytes than the undisturbed run")
    print(f"undisturbed run: {seconds:.1f} s, {len(expected)} files")
    print(f"{kills} kills at random moments in {jobs} jobs: every dataset byte-identical to the undisturbed run")


if __name__ == "__main__":
    main()
