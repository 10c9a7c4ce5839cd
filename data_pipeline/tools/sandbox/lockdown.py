"""The layers a process puts on itself, from the inside: limits, no_new_privs, Landlock, seccomp.

Imports nothing of the package but its neighbours, and is quick to import.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from contextlib import suppress
from typing import Any, NoReturn, TypedDict

from data_pipeline.tools.sandbox.landlock import restrict_files
from data_pipeline.tools.sandbox.seccomp import install_filter

PROCESSOR_SECONDS = 3600

_NO_NEW_PRIVS = 38
_PARENT_DEATH_SIGNAL, _SIGKILL = 1, 9
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class Plan(TypedDict):
    """What a process may still do.

    Attributes:
        memory_mb: address space; 0 for no limit, as programs need that reserve much and use little.
        file_mb: size of one file.
        open_files: number of open files.
        processes: number of processes and threads in its namespace; 0 for no limit. Not enforced for root.
        readable: paths it may read.
        listable: folders it may list, to find what it imports.
        scratch: the folder it may write.
        server: whether it may start processes and use sockets.
    """

    memory_mb: int
    file_mb: int
    open_files: int
    processes: int
    readable: list[str]
    listable: list[str]
    scratch: str
    server: bool


def lock_down(plan: Plan) -> dict[str, Any]:
    """Apply every layer that this kernel allows.

    Returns:
        Layer -> whether it is in force; `landlock` -> its version.
    """
    layers: dict[str, Any] = {"limits": _limit(plan)}
    if not sys.platform.startswith("linux"):
        return {**layers, "no_new_privs": False, "landlock": 0, "seccomp": False}
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PARENT_DEATH_SIGNAL, _SIGKILL, 0, 0, 0)
    layers["no_new_privs"] = libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    layers["landlock"] = 0
    with suppress(OSError):
        writable = [plan["scratch"], *_DEVICES]
        layers["landlock"] = restrict_files(plan["readable"], writable, plan["server"], plan["listable"])
    layers["seccomp"] = False
    with suppress(OSError):
        install_filter(plan["server"])
        layers["seccomp"] = True
    return layers


def allow_processor_time(seconds: int = PROCESSOR_SECONDS) -> None:
    """Move the limit of processor time on, for a process that lives long and answers often.

    The parent's clock ends a call long before; this ends a process whose parent was stopped.

    Args:
        seconds: of processor time from now on.
    """
    spent = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(spent.ru_utime + spent.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _limit(plan: Plan) -> bool:
    limits = [
        (resource.RLIMIT_FSIZE, plan["file_mb"] << 20),  # at 0 nothing can be written
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, plan["open_files"]),
    ]
    if plan["processes"]:
        limits.append((resource.RLIMIT_NPROC, plan["processes"]))
    if plan["memory_mb"]:
        limits.append((resource.RLIMIT_AS, plan["memory_mb"] << 20))
    done = [_lower(kind, value) for kind, value in limits]  # every one, also after one that failed
    return all(done)


def _lower(kind: int, value: int) -> bool:
    _, hard = resource.getrlimit(kind)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (ceiling, ceiling))
    except (ValueError, OSError):  # macOS knows no limit of the address space
        return False
    return True


def become(plan: str, command: list[str]) -> NoReturn:
    """Lock this process down and turn it into a server.

    Args:
        plan: a `Plan` as JSON.
        command: absolute path of the program, and its arguments.
    """
    lock_down(json.loads(plan))
    os.execv(command[0], command)
