"""Runs `xlam` as people do, in a process of its own."""

import subprocess
import sys
from pathlib import Path

XLAM = (sys.executable, "-m", "xlam_train.cli")


def xlam(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*XLAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def refusal(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line of a command that was refused."""
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("xlam: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr
