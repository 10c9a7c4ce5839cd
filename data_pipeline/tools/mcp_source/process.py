"""The process of a stdio server: nothing of the user's environment, and a group that dies as a whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ServerProcess:
    """One server in its own session, with pipes to its three streams.

    The SDK's own stdio client hands on the user's HOME, USER, SHELL and TERM, waits up to six seconds
    for a server to end, and reads lines of any length; hence this one.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        """Start it.

        Raises:
            OSError: the command is not found or may not be run.
        """
        self._home = Path(tempfile.mkdtemp(prefix="xlam-mcp-"))
        try:
            self._process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=_environment(self._home),
                start_new_session=True,
            )
        except (OSError, ValueError):
            shutil.rmtree(self._home, ignore_errors=True)
            raise
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self.stdin, self.stdout, self.stderr = self._process.stdin, self._process.stdout, self._process.stderr
        self.pid = self._process.pid
        self._killed = False

    def ended(self) -> bool:
        """Whether the process has ended; what it started may still run."""
        return self._process.poll() is not None

    def ending(self) -> str:
        """How it ended, in words."""
        code = self._process.poll()
        if code is None:
            return "the server closed its output"
        if code < 0:
            return f"the server was killed by {_signal_name(-code)}"
        return f"the server ended with exit code {code}"

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and to all it started in its session."""
        # The group outlives its leader. Where nobody is left in it, Linux says ProcessLookupError
        # and macOS PermissionError.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """End the group at once and remove its scratch folder."""
        # Once only, since the number may belong to somebody else's group afterwards.
        if self._killed:
            return
        self._killed = True
        self.signal_group(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)
        shutil.rmtree(self._home, ignore_errors=True)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _environment(home: Path) -> dict[str, str]:
    """What a server is given: where programs are, a folder to write to, and UTF-8."""
    # Console scripts of this virtual environment are found also where it was not activated.
    path = os.pathsep.join(filter(None, (os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent))))
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"}
