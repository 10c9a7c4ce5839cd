"""Runs `xlam` as people do, in a process of its own."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

XLAM = (sys.executable, "-m", "xlam_train.cli")


def xlam(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*XLAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """What is started within reacts to Ctrl-C, even if a shell runs the tests in the background, where nothing does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def refusal(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line of a command that was refused."""
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("xlam: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def write_spec(path: Path) -> Path:
    """An OpenAPI document of a service with one operation."""
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    operation = {"operationId": "list_items", "description": "List the items.", "parameters": [limit], "responses": {}}
    about = {"title": "Items", "version": "1"}
    path.write_text(json.dumps({"openapi": "3.0.0", "info": about, "paths": {"/items": {"get": operation}}}))
    return path
