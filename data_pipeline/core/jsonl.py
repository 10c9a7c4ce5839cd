"""Files that appear whole or not at all: write beside the target, fsync, rename."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import dumps

PARTIAL = ".partial"
"""Ending of files still being written; what a killed process left of them may be removed."""


def write_atomic(path: Path, data: bytes) -> None:
    """Put `data` at `path`, creating its folder; a crash at any point leaves the old file or none.

    Raises:
        InputError: no space left, or the folder cannot be written.
    """
    # Of its own name, because a worker that outlives its killed parent may be writing the same file.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise explain_os_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):  # gone already, or never there: the folder may be a file
            temporary.unlink()


def explain_os_error(error: OSError, path: Path) -> InputError:
    """A failed write in one line that says what to do next."""
    if error.errno == errno.ENOSPC:
        return InputError(f"{path}: no space left on the disk; free some and run the same command again")
    return InputError(f"{path}: cannot be written ({error.strerror or error}); check the folder's permissions")


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """One JSON object a line, atomically."""
    write_atomic(path, "".join(dumps(row) + "\n" for row in rows).encode())


def write_json(path: Path, value: object) -> None:
    """One indented JSON document, atomically."""
    write_atomic(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """One JSON document.

    Raises:
        InputError: the file is missing or is no JSON; the message names file and line.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; check the path") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not valid JSON ({error.msg}); mend the file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 JSON ({error})") from error


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file, one at a time.

    Raises:
        InputError: a line is no JSON object; the message names file and line.
    """
    try:
        stream = path.open(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    with stream:
        for number, line in enumerate(stream, start=1):
            yield parse_line(line, f"{path}:{number}")


def parse_line(line: str, where: str) -> dict[str, Any]:
    """The object of one line; `where` is its `file:line`.

    Raises:
        InputError: the line is no JSON object.
    """
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not valid JSON ({error.msg}); mend or remove the line") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected a JSON object a line, got {type(row).__name__}")
    return row
