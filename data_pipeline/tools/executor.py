"""Runs tools for real, in one child process that may fail without harm to this one.

Covered: a tool that loops, sleeps, crashes the interpreter, eats memory, writes files, fills its
output, prints, or reads from the terminal. It costs that call its result; the next call gets a fresh
process. The child has its own session, an empty environment, limits of memory, processor time, open
files and file size, and a deadline kept by this side.

Not covered: a tool that means harm. The child runs as the same user and can read files, open
connections and start processes. That is enough for the tools that come with the package, which are
the only ones run here; code that a model wrote needs a real sandbox around the whole program.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_pipeline.core.errors import XlamError
from data_pipeline.core.schema import dumps
from data_pipeline.tools import bundled
from data_pipeline.tools.schema_check import argument_errors
from data_pipeline.tools.worker import MAX_RESULT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from pydantic import JsonValue

    from data_pipeline.core.schema import Tool

Status = Literal["ok", "bad_arguments", "tool_error", "timeout", "crashed", "output_too_large", "unavailable"]
STATUSES: dict[Status, str] = {
    "ok": "the tool ran and returned a JSON value",
    "bad_arguments": "the arguments do not fit the tool's schema, so it did not run",
    "tool_error": "the tool raised an error, or returned what JSON cannot hold",
    "timeout": "the tool did not answer within its time",
    "crashed": "the process ended, or broke the protocol, while the tool ran",
    "output_too_large": "the result is larger than 64 kB of JSON",
    "unavailable": "there is nothing to run: the tool is a schema only, or its module cannot be imported",
}
"""What can become of a call."""

START_SECONDS = 30.0
"""How long the child may take to start, or to import a module, on a busy machine."""

# Twice the cap, since a result is JSON inside JSON, and room for the rest of the answer.
_MAX_ANSWER_BYTES = 2 * MAX_RESULT_BYTES + 4096
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
_BOOTSTRAP = (
    "import sys; sys.path[:] = sys.argv[3:]; from data_pipeline.tools.worker import main; "
    "main(float(sys.argv[1]), int(sys.argv[2]))"
)

_Outcome = tuple[Status, Any, str]


def is_executable(tool: Tool) -> bool:
    """Whether the tool claims that calling it runs something; tools from JSON are schemas only."""
    return tool.source.startswith("bundled:")


@dataclass(frozen=True)
class ExecutionResult:
    """What one call came to.

    Attributes:
        status: one of `STATUSES`.
        result: the JSON value returned; None unless the status is `ok`.
        error: one line for people; empty when the status is `ok`.
        seconds: wall time, the check of the arguments included.
    """

    status: Status
    result: JsonValue = None
    error: str = ""
    seconds: float = 0.0


class Executor:
    """Runs calls one after another; a context manager that owns the child process.

    Not to be shared between threads or with a forked process: give each its own.
    """

    def __init__(
        self,
        timeout_seconds: float = 5.0,
        memory_mb: int = 1024,
        modules: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is started before the first call.

        Args:
            timeout_seconds: wall time one call may take.
            memory_mb: address space of the child, the interpreter's own 100 MB included.
            modules: a tool's `source` -> the importable module whose `__all__` lists the function;
                the bundled domains unless given.
        """
        self._timeout = timeout_seconds
        self._memory_mb = memory_mb
        self._modules = _bundled_modules() if modules is None else dict(modules)
        self._worker: _Worker | None = None

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child process and whatever it started; a later call starts a new one."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def runs(self, tool: Tool) -> bool:
        """Whether there is a function behind the tool's source."""
        return tool.source in self._modules

    def call(self, tool: Tool, arguments: Mapping[str, Any]) -> ExecutionResult:
        """Check the arguments, then run the tool.

        Raises:
            XlamError: the child process cannot be started at all.
        """
        started = time.perf_counter()
        status, result, error = self._outcome(tool, arguments)
        return ExecutionResult(status, result, error, time.perf_counter() - started)

    def _outcome(self, tool: Tool, arguments: Mapping[str, Any]) -> _Outcome:
        module = self._modules.get(tool.source)
        if module is None:
            return "unavailable", None, f"'{tool.name}' is a schema without a function (source '{tool.source}')"
        problem = argument_errors(tool, arguments)
        if problem:
            return "bad_arguments", None, f"{problem.reason}: {problem.detail}"
        try:
            request = dumps(["call", module, tool.name, dict(arguments)])
        except (ValueError, TypeError, RecursionError) as error:
            return "bad_arguments", None, f"the arguments are not JSON: {error}"
        return self._run(module, request)

    def _run(self, module: str, request: str) -> _Outcome:
        """Have the child answer one request; a child that fails to is replaced."""
        worker = self._live_worker()
        try:
            status, result, error = worker.load(module)
            if status != "ok":
                return "unavailable", None, f"{module} cannot be imported: {error}"
            status, result, error = worker.ask(request, self._timeout)
            return status, (json.loads(result) if status == "ok" else None), error
        except TimeoutError as error:
            self.close()
            return "timeout", None, str(error)
        except (OSError, ValueError, RecursionError) as error:
            ending = worker.ending()
            self.close()
            return "crashed", None, ending or f"the answer cannot be read ({error})"

    def _live_worker(self) -> _Worker:
        # A child that was killed while idle, such as by the system when short of memory, is no
        # fault of the next call.
        if self._worker is not None and not self._worker.alive():
            self.close()
        if self._worker is None:
            self._worker = _Worker(self._timeout, self._memory_mb)
        return self._worker


def _bundled_modules() -> dict[str, str]:
    return {f"bundled:{domain}": f"{bundled.__name__}.{domain}" for domain in bundled.domains()}


class _Worker:
    """One child process and the two pipes to it."""

    def __init__(self, timeout_seconds: float, memory_mb: int) -> None:
        self._loaded: set[str] = set()
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-c", _BOOTSTRAP, str(timeout_seconds), str(memory_mb), *_search_path()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)
        self._await_ready()

    def _await_ready(self) -> None:
        try:
            self._read_answer(START_SECONDS)
        except (OSError, ValueError) as error:
            said = self._last_words()
            self.kill()
            raise XlamError(
                f"the process that runs tools cannot start ({said or error}); "
                "raise its memory limit or check that this Python can import data_pipeline"
            ) from error

    def _last_words(self) -> str:
        """The last line on the standard error of a child that did not come up."""
        self._kill_group()
        assert self._process.stderr is not None
        lines = self._process.stderr.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    def load(self, module: str) -> _Outcome:
        """Import a module once, outside the time of any call."""
        if module in self._loaded:
            return "ok", None, ""
        outcome = self.ask(dumps(["load", module]), START_SECONDS)
        if outcome[0] == "ok":
            self._loaded.add(module)
        return outcome

    def ask(self, request: str, seconds: float) -> _Outcome:
        """Send a request and wait for its answer.

        Raises:
            TimeoutError: no answer in time.
            OSError: the child is gone.
            ValueError: what came is no answer.
        """
        data = memoryview(request.encode() + b"\n")
        while data:
            data = data[os.write(self._requests, data) :]
        return self._read_answer(seconds)

    def _read_answer(self, seconds: float) -> _Outcome:
        deadline = time.monotonic() + seconds
        received = b""
        while not received.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise TimeoutError(f"no answer within {seconds:g} s")
            chunk = os.read(self._answers, 1 << 16)
            if not chunk:
                raise BrokenPipeError("the process ended")
            received += chunk
            if len(received) > _MAX_ANSWER_BYTES:
                raise ValueError("the answer has no end")
        status, result, error = json.loads(received)
        return status, result, error

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ending(self) -> str:
        """How the process ended by itself, in words; empty if it has not."""
        try:
            code = self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            return ""
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def kill(self) -> None:
        """End the process and everything in its group, and wait until it is gone."""
        self._kill_group()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _kill_group(self) -> None:
        # The group outlives its leader, so this also ends what the tool started. Where nobody is
        # left in it, Linux says ProcessLookupError and macOS PermissionError.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _search_path() -> list[str]:
    """Where this process finds modules, so that the child imports the very same ones."""
    entries = [entry for entry in sys.path if entry]
    return entries if _PACKAGE_ROOT in entries else [_PACKAGE_ROOT, *entries]


def _environment() -> dict[str, str]:
    """Nothing of the user's, but what makes a run repeatable and where Python's libraries are."""
    fixed = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "TZ": "UTC"}
    libraries = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")
    return {**fixed, **{name: os.environ[name] for name in libraries if name in os.environ}}
