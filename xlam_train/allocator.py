"""The C library's allocator, told to keep what a training step frees."""

from __future__ import annotations

import ctypes
import platform

# mallopt's parameters, from glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_THRESHOLD = -3

KEPT = 2**31 - 1  # free bytes that stay: all that fit the parameter
GROWTH = 64 * 2**20
LARGEST = 32 * 2**20  # larger blocks, such as the logits, come and go: a step has few of them


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, rather than fetch it again page by page.

    Each step on a CPU frees and allocates the same gigabytes. Left alone, glibc hands large blocks back to
    the system, and touching fresh pages costs several percent of a step of SmolLM2-135M.

    Returns:
        Whether the C library is glibc, which has these settings; elsewhere nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((M_MMAP_THRESHOLD, LARGEST), (M_TRIM_THRESHOLD, KEPT), (M_TOP_PAD, GROWTH))
    return all(mallopt(parameter, value) == 1 for parameter, value in settings)
