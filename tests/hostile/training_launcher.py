"""Starts training again and again as torchrun does, and pays for the imports once.

Everything is imported here; then each line on stdin, {"arguments": [...], "log": FOLDER, "processes": 2, "environ":
{...}}, forks a launcher, which is torchrun's own elastic agent and forks ranks that run scripts/train.py. Answers with
a line for the launcher's pid, and one for how it ended: its exit code, or minus the signal. Ranks leave their pids in
FOLDER/rank0, FOLDER/rank1.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import signal
import sys
from pathlib import Path

import deepspeed  # noqa: F401  # this and others are imported for the ranks, which would do it themselves
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

import xlam_train.cli
import xlam_train.sft

SCRIPT = Path(xlam_train.cli.__file__).parents[1] / "scripts" / "train.py"
PR_SET_PDEATHSIG = 1


def rank(arguments: list[str], log: str) -> None:
    """One rank, as torchrun would have started it."""
    # torch binds forked ranks to their launcher; torchrun starts programs, which are on their own.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 0)
    number = os.environ["RANK"]
    written = Path(log) / f".rank{number}"
    written.write_text(str(os.getpid()))
    written.rename(Path(log) / f"rank{number}")
    sys.argv = [str(SCRIPT), *arguments]
    runpy.run_path(str(SCRIPT), run_name="__main__")


def launch(arguments: list[str], log: str, processes: int) -> None:
    """Run the agent in this process."""
    with (Path(log) / "output").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        start_method="fork",
        max_restarts=0,
        monitor_interval=0.05,
    )
    elastic_launch(config, rank)(arguments, log)


def start(arguments: list[str], log: str, processes: int, environ: dict[str, str]) -> None:
    """Fork a launcher, and tell its pid and its end."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(300)  # whatever happens to the test, this ends
        os.environ.update(environ)
        try:
            launch(arguments, log, processes)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def main() -> None:
    """Serve until stdin ends."""
    gc.freeze()  # or each rank visits, and thereby copies, all that was imported
    print("ready", flush=True)
    for line in sys.stdin:
        start(**json.loads(line))


if __name__ == "__main__":
    main()
