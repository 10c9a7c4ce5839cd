"""Python tools in warm child processes behind the sandbox: calls go out in a stream, answers come back in order.

One process serves one trust domain: the bundled tools together, every source of the user's by itself. A call
that hangs, dies or leaves traces costs the process, not its neighbours: those that were on their way are
sent again to the next one.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from data_pipeline.core.errors import InputError, XlamError
from data_pipeline.core.schema import dumps
from data_pipeline.tools.runner import MAX_RESULT_BYTES, STATUSES, Call, ExecutionResult, Status
from data_pipeline.tools.sandbox.command import SCRATCH, python_command
from data_pipeline.tools.worker import MAX_DESCRIPTION_BYTES, MAX_STATE_BYTES, STALE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from data_pipeline.tools.sandbox import Level

START_SECONDS = 30.0
"""How long a process may take to start, or to import a module, on a busy machine."""

WINDOW = 64
"""Calls on their way at once: enough that neither side waits for the other, few enough to send again."""

# A result is at most four bytes a character once it is UTF-8, and an error is short.
_MAX_ANSWER_BYTES = 4 * MAX_RESULT_BYTES + 4096
_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])

_KNOWN = frozenset({*STATUSES, STALE})

Spec = dict[str, str]


class _Answer(NamedTuple):
    status: Status | Literal["stale"]
    fresh: bool
    payload: Any


class _Request(NamedTuple):
    number: int  # of the call in this run
    source: str
    body: str


class PythonRunner:
    """Runs the functions of one trust domain; a `Runner`."""

    def __init__(
        self, specs: Mapping[str, Spec], level: Level, readable: Sequence[str] = (), memory_mb: int = 1024
    ) -> None:
        """Nothing is started before the first call.

        Args:
            specs: a tool's `source` -> what the worker imports for it: {"kind": "module", "name": dotted name},
                {"kind": "file", "path": path} or {"kind": "stateful", "name": domain}.
            level: how the process is shut in.
            readable: paths it may read beside the interpreter, its libraries and this package.
            memory_mb: address space of the process, the interpreter's own 100 MB included.
        """
        self._specs = dict(specs)
        self._new_worker: Callable[[], _Worker] = lambda: _Worker(level, readable, memory_mb)
        self._worker: _Worker | None = None
        self._broken: dict[str, str] = {}  # source -> why it cannot be imported
        self._careful = 0  # so many calls are asked for one at a time

    def run(self, calls: Sequence[Call], timeout_seconds: float) -> list[ExecutionResult]:
        """See `Runner.run`.

        Raises:
            XlamError: the process cannot be started at all.
        """
        results: list[ExecutionResult | None] = [None] * len(calls)
        waiting = deque[_Request]()
        for index, call in enumerate(calls):
            source = call.tool.source
            try:
                body = dumps(["call", source, call.tool.name, dict(call.arguments), call.state])
                waiting.append(_Request(index, source, body))
            except (ValueError, TypeError, RecursionError) as error:
                results[index] = ExecutionResult("bad_arguments", error=f"the arguments are not JSON: {error}")
        sources = {request.source for request in waiting}
        while waiting:
            worker = self._live_worker()
            if self._load_all(worker, sources):
                self._drive(worker, waiting, results, timeout_seconds)
            elif self._broken.keys() & sources:
                waiting = self._without_broken(waiting, results)
                sources -= self._broken.keys()
        return [cast("ExecutionResult", result) for result in results]

    def describe(self, source: str) -> tuple[list[dict[str, Any]], list[list[str]]]:
        """The tools of a source as plain data, and [name, reason] of what cannot be one.

        The module is imported in the sandbox, since importing runs it.

        Raises:
            InputError: the module cannot be imported or described.
        """
        with contextlib.closing(self._new_worker()) as worker:
            worker.await_ready()
            body = dumps(["describe", source, self._specs[source], source])
            try:
                answer = worker.ask(body, START_SECONDS, limit=4 * MAX_DESCRIPTION_BYTES)
            except (TimeoutError, OSError, ValueError) as error:
                raise InputError(f"{source}: cannot be read ({worker.ending() or error})") from error
        if answer.status != "ok":
            raise InputError(f"{source}: {answer.payload}")
        tools, refused = answer.payload
        return tools, refused

    def start(self) -> None:
        """Start the process without waiting for it, if it is not there; the first call would."""
        if self._worker is None:
            self._worker = self._new_worker()

    def close(self) -> None:
        """End the process and whatever it started; a later call starts a new one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _live_worker(self) -> _Worker:
        # A process that was killed while idle, such as by the system when short of memory, is no fault of
        # the next call.
        if self._worker is not None and not self._worker.alive():
            self.close()
        self.start()
        assert self._worker is not None
        self._worker.await_ready()
        return self._worker

    def _load_all(self, worker: _Worker, sources: set[str]) -> bool:
        """Import the sources' modules, outside the time of any call; False if one cannot be or is broken."""
        for source in sorted(sources - worker.loaded):
            try:
                answer = worker.ask(dumps(["load", source, self._specs[source]]), START_SECONDS)
                problem = "" if answer.status == "ok" else str(answer.payload)
            except (TimeoutError, OSError, ValueError) as error:
                problem = worker.ending() or str(error)
                self.close()
            if problem:
                self._broken[source] = f"{source} cannot be imported: {problem}"
                return False
            worker.loaded.add(source)
        return True

    def _without_broken(self, waiting: deque[_Request], results: list[ExecutionResult | None]) -> deque[_Request]:
        for request in waiting:
            if request.source in self._broken:
                results[request.number] = ExecutionResult("unavailable", error=self._broken[request.source])
        return deque(request for request in waiting if request.source not in self._broken)

    def _drive(
        self, worker: _Worker, waiting: deque[_Request], results: list[ExecutionResult | None], timeout: float
    ) -> None:
        """Send and collect until all is done or the process has to be replaced.

        What was sent and not answered goes back to the front of the queue. If several calls were on their way
        when the process failed, nobody knows which of them is to blame: they are asked for one at a time next.
        """
        sent = deque[_Request]()
        began = time.perf_counter()
        try:
            while waiting or sent:
                window = 1 if self._careful else WINDOW
                if len(sent) <= window // 2:
                    while waiting and len(sent) < window:
                        sent.append(waiting.popleft())
                        worker.send(sent[-1].body)
                answer = worker.receive(timeout)
                if answer.status == STALE and worker.calls:
                    self.close()
                    return  # with the call still among those sent
                worker.calls += 1
                request, now = sent.popleft(), time.perf_counter()
                results[request.number] = _result(answer, self._specs[request.source], now - began)
                self._careful = max(self._careful - 1, 0)
                began = now
                if not answer.fresh:
                    self.close()
                    return
        except (OSError, ValueError, RecursionError) as error:  # TimeoutError is an OSError
            if len(sent) == 1:
                status, words = _blame(worker, error)
                seconds = time.perf_counter() - began
                results[sent.popleft().number] = ExecutionResult(status, error=words, seconds=seconds)
                self._careful = max(self._careful - 1, 0)
            else:
                self._careful = len(sent)
            self.close()
        finally:
            waiting.extendleft(reversed(sent))


def _blame(worker: _Worker, error: Exception) -> tuple[Status, str]:
    """What to say of the call during which the process failed."""
    if isinstance(error, TimeoutError):
        return "timeout", str(error)
    if isinstance(error, OSError):
        return "crashed", worker.ending() or str(error)
    return "crashed", f"the answer cannot be read ({error})"


def _result(answer: _Answer, spec: Spec, seconds: float) -> ExecutionResult:
    if answer.status == "stale":
        return ExecutionResult("crashed", error="the tool's module changes by itself", seconds=seconds)
    if answer.status == "output_too_large":
        words, head = answer.payload
        return ExecutionResult(answer.status, head, error=words, seconds=seconds, truncated=True)
    if answer.status != "ok":
        return ExecutionResult(answer.status, error=str(answer.payload), seconds=seconds)
    if spec["kind"] != "stateful":
        return ExecutionResult("ok", answer.payload, seconds=seconds)
    result, state = answer.payload
    return ExecutionResult("ok", result, seconds=seconds, state=state)


class _Worker:
    """One child process and the two pipes to it."""

    def __init__(self, level: Level, readable: Sequence[str], memory_mb: int) -> None:
        self.loaded: set[str] = set()
        self.calls = 0
        # Below `strict` there is no private /tmp; the folder is made here and removed with the process.
        self._own_scratch = None if level == "strict" else tempfile.mkdtemp(prefix="xlam-")
        scratch = self._own_scratch or SCRATCH
        command = python_command(_bootstrap(), readable, memory_mb, level, scratch)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=None if level == "strict" else scratch,
            env=_environment(scratch),
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._requests, False)
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)
        self._unsent = bytearray()
        self._received = bytearray()
        self._tokens = deque[str]()
        self._level = level
        self._ready = False

    def await_ready(self) -> None:
        """Wait until the process has shut itself in.

        Raises:
            XlamError: it has not.
        """
        if self._ready:
            return
        try:
            layers = json.loads(self._line(START_SECONDS, _MAX_ANSWER_BYTES))
            if self._level == "strict" and not (layers["landlock"] and layers["seccomp"] and layers["no_new_privs"]):
                raise ValueError(f"a layer of the sandbox is missing: {layers}")
        except (OSError, ValueError) as error:
            said = self._last_words()
            self.close()
            raise XlamError(
                f"the process that runs tools cannot start ({said or error}); "
                "raise its memory limit or check that this Python can import data_pipeline"
            ) from error
        self._ready = True

    def _last_words(self) -> str:
        """The last line on the standard error of a child that did not come up."""
        self._kill_group()
        assert self._process.stderr is not None
        lines = self._process.stderr.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    def ask(self, body: str, seconds: float, limit: int = _MAX_ANSWER_BYTES) -> _Answer:
        """Send one request and wait for its answer; see `receive`."""
        self.send(body)
        return self.receive(seconds, limit)

    def send(self, body: str) -> None:
        """Queue a request, a JSON list without its token; `receive` sends what is queued."""
        token = secrets.token_hex(6)
        self._tokens.append(token)
        self._unsent += f'["{token}", {body[1:]}\n'.encode()

    def _flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: os.write(self._requests, self._unsent)]
        except BlockingIOError:
            self._poll.register(self._requests, select.POLLOUT)
            return
        except BrokenPipeError:
            self._unsent.clear()  # the process ended; what it answered before is still to be read
        with contextlib.suppress(KeyError):
            self._poll.unregister(self._requests)

    def receive(self, seconds: float, limit: int = 4 * MAX_STATE_BYTES) -> _Answer:
        """The answer to the oldest request.

        Raises:
            TimeoutError: no answer in time.
            OSError: the child is gone.
            ValueError: what came is no answer to that request.
        """
        token, status, fresh, payload = self._line(seconds, limit).split(b" ", 3)
        if token.decode() != self._tokens.popleft() or status.decode() not in _KNOWN:
            raise ValueError("an answer to something that was not asked")
        return _Answer(cast("Status", status.decode()), fresh == b"1", json.loads(payload))

    def _line(self, seconds: float, limit: int) -> bytes:
        deadline = time.monotonic() + seconds
        while (end := self._received.find(b"\n")) < 0:
            if self._unsent:
                self._flush()
            left = deadline - time.monotonic()
            ready = self._poll.poll(max(left, 0) * 1000)
            if not ready:
                raise TimeoutError(f"no answer within {seconds:g} s")
            if any(descriptor == self._answers for descriptor, _ in ready):
                self._read()
            if len(self._received) > limit and b"\n" not in self._received:
                raise ValueError("the answer has no end")
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _read(self) -> None:
        chunk = os.read(self._answers, 1 << 16)
        if not chunk:
            raise BrokenPipeError("the process ended")
        self._received += chunk

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ending(self) -> str:
        """How the process ended by itself, in words; empty if it has not."""
        try:
            code = self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            return ""
        # Bubblewrap, like a shell, reports a child's signal as 128 + its number.
        number = -code if code < 0 else code - 128 if code > 128 else 0
        return f"killed by {signal.Signals(number).name}" if number else f"ended with exit code {code}"

    def close(self) -> None:
        """End the process and everything in its group, and wait until it is gone."""
        self._kill_group()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        if self._own_scratch:
            shutil.rmtree(self._own_scratch, ignore_errors=True)

    def _kill_group(self) -> None:
        # The group outlives its leader, so this also ends what the tool started. Where nobody is
        # left in it, Linux says ProcessLookupError and macOS PermissionError.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _bootstrap() -> str:
    """Find modules where this process does, so that the child imports the very same ones."""
    entries = [entry for entry in sys.path if entry]
    path = entries if _PACKAGE_ROOT in entries else [_PACKAGE_ROOT, *entries]
    return f"import sys; sys.path[:] = {path!r}; from data_pipeline.tools.worker import main; main()"


def _environment(scratch: str) -> dict[str, str]:
    """Nothing of the user's, but what makes a run repeatable and where Python's libraries are."""
    fixed = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "TZ": "UTC", "HOME": scratch, "LANG": "C.UTF-8"}
    libraries = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")
    return {**fixed, **{name: os.environ[name] for name in libraries if name in os.environ}}
