"""The child process that runs tools: one JSON request a line in, one JSON answer a line out.

Imports the standard library only, so that it starts fast and a tool's memory is the tool's. A
request is `["load", module]` or `["call", module, function, arguments]`, an answer
`[status, result, error]`. The pipes of this protocol are moved to private descriptors before any
tool is imported: what a tool prints, or reads, goes to or comes from the null device.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import random
import resource
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_RESULT_BYTES = 64 * 1024
MAX_ERROR_CHARACTERS = 300
Answer = tuple[str, Any, str]


def main(timeout_seconds: float, memory_mb: int) -> None:
    """Answer requests until the parent closes its end of the pipe, or dies."""
    requests, answers = _private_pipes()
    _limit_resources(memory_mb)
    owner = os.getpid()
    _write_all(answers, _encode(("ok", None, "")))  # ready
    with os.fdopen(requests, "rb") as lines:
        for line in lines:
            answer = _encode(_answer(json.loads(line), timeout_seconds))
            if os.getpid() != owner:
                # A tool forked: the copy must not answer a second time.
                os._exit(0)
            _write_all(answers, answer)


def _private_pipes() -> tuple[int, int]:
    """Move the protocol off the standard streams and put the null device in their place."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    return requests, answers


def _limit_resources(memory_mb: int) -> None:
    _limit(resource.RLIMIT_AS, memory_mb * 1024 * 1024)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, 32)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # macOS knows no limit of the address space and refuses to set one.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (ceiling, ceiling))


def _answer(request: list[Any], timeout_seconds: float) -> Answer:
    kind, module, *rest = request
    if kind == "load":
        return _guarded(lambda: importlib.import_module(module) and None)
    name, arguments = rest
    # Imported by a "load" before; here it is a dictionary lookup.
    found = importlib.import_module(module)
    if name not in found.__all__:
        return "unavailable", None, f"{module} lists no tool '{name}'"
    function = getattr(found, name)
    _start_clocks(timeout_seconds)
    try:
        return _guarded(lambda: function(**arguments))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _start_clocks(timeout_seconds: float) -> None:
    """Limits of this call alone, for the case that no parent is left to end it.

    The parent's deadline comes first. The limit of processor time counts from the start of the
    process, so it moves on with each call. Tools that draw random numbers draw the same each time.
    """
    spent = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(spent.ru_utime + spent.ru_stime + timeout_seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))
    signal.setitimer(signal.ITIMER_REAL, timeout_seconds + 1)
    random.seed(0)


def _guarded(action: Callable[[], Any]) -> Answer:
    """The outcome of running a tool, whatever it raises.

    The result is encoded here so that whatever its own methods raise counts as the tool's error.
    """
    try:
        encoded = json.dumps(action(), allow_nan=False)
    except (Exception, SystemExit) as error:
        return "tool_error", None, _describe(error)
    if len(encoded) > MAX_RESULT_BYTES:
        return "output_too_large", None, f"the result has {len(encoded)} bytes of {MAX_RESULT_BYTES} allowed"
    return "ok", encoded, ""


def _describe(error: BaseException) -> str:
    message = " ".join(str(error).split())[:MAX_ERROR_CHARACTERS]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _encode(answer: Answer) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
