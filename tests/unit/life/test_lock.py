"""Two runs never write the same folder; a run that is gone blocks none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from data_pipeline.core.errors import InputError
from xlam_train.life import lock
from xlam_train.life.lock import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Hold = Callable[[int], subprocess.Popen[bytes]]

pytestmark = pytest.mark.alone

HOLDER = """
import fcntl, os, sys, time
stream = open(sys.argv[1], "w")
fcntl.lockf(stream, fcntl.LOCK_EX, 1, int(sys.argv[2]))
if os.fork() == 0:  # as a data loader's worker does, it lives on for a while
    time.sleep(1)
    os._exit(0)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Starts a process that holds the byte of a rank."""
    holders = []

    def start(rank: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-S", "-c", HOLDER, str(tmp_path / lock.LOCK), str(rank)]
        holder = subprocess.Popen(command, stdout=subprocess.PIPE)
        holders.append(holder)
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


@pytest.mark.parametrize("rank", [0, 7])
def test_another_run_is_refused(tmp_path: Path, hold: Hold, rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.2)
    hold(rank)
    with (
        pytest.raises(InputError, match=r"out: another run is writing to .*; wait for it, or give another out="),
        locked(tmp_path),
    ):
        pytest.fail("it was let in")


def test_a_killed_run_lets_go_at_once(tmp_path: Path, hold: Hold) -> None:
    holder = hold(3)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    began = time.monotonic()
    with locked(tmp_path):
        assert time.monotonic() - began < 0.5, "its worker still holds the lock"


def test_one_that_is_about_to_end_is_waited_for(tmp_path: Path, hold: Hold) -> None:
    holder = hold(1)
    subprocess.Popen([sys.executable, "-S", "-c", f"import os, time; time.sleep(0.3); os.kill({holder.pid}, 9)"]).wait()
    with locked(tmp_path):
        assert holder.wait() == -signal.SIGKILL


def test_the_lock_holds_while_the_run_does_and_no_longer(tmp_path: Path) -> None:
    probe = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)"
    command = [sys.executable, "-S", "-c", probe, str(tmp_path / lock.LOCK)]
    with locked(tmp_path):
        assert subprocess.run(command, check=False, capture_output=True).returncode != 0
    assert subprocess.run(command, check=False).returncode == 0


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"), locked(tmp_path / "file" / "out"):
        pytest.fail("it was let in")
