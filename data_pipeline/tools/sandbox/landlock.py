"""Landlock: the kernel's own file and network rules for one process, set by itself without privileges."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# System calls, the same numbers on every architecture; flags and rights from include/uapi/linux/landlock.h.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_QUERY_VERSION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15  # the rest makes sense on folders only
_RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP = 0b11  # bind and connect, since version 4
_SCOPES = 0b11  # abstract Unix sockets and signals, since version 6


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64)]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("rights", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def landlock_version() -> int:
    """The kernel's Landlock version; 0 where there is none."""
    found: int = _libc().syscall(_CREATE_RULESET, None, 0, _QUERY_VERSION)
    return max(found, 0)


def restrict_files(
    readable: Iterable[str], writable: Iterable[str], network: bool, listable: Iterable[str] = ()
) -> int:
    """Deny this process all files but these, and TCP unless `network`; needs no_new_privs.

    Args:
        readable: files and folders to read and execute; missing ones are passed over.
        writable: files and folders to read and write.
        network: whether TCP stays as it is.
        listable: folders whose names it may list, as importing a package from them does.

    Returns:
        The Landlock version in force.

    Raises:
        OSError: the kernel has no Landlock, or refused a rule.
    """
    libc, version = _libc(), landlock_version()
    if not version:
        raise OSError("this kernel has no Landlock")
    rights = max(mask for since, mask in _RIGHTS_BY_VERSION.items() if since <= version)
    ruleset = _Ruleset(rights, 0 if network or version < 4 else _TCP, _SCOPES if version >= 6 and not network else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    handle = _checked(libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0))
    try:
        for path in readable:
            _allow(libc, handle, path, _READ & rights)
        for path in listable:
            _allow(libc, handle, path, _READ_DIR)
        for path in writable:
            _allow(libc, handle, path, rights & ~_EXECUTE)
        _checked(libc.syscall(_RESTRICT_SELF, handle, 0))
    finally:
        os.close(handle)
    return version


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no right
    try:
        allowed = rights if os.path.isdir(path) else rights & _ON_FILES  # noqa: PTH112 - pathlib is slow to import
        rule = _PathRule(allowed, parent)
        _checked(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(parent)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result
