"""What a step frees stays with the process."""

import platform
import resource
import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from xlam_train.allocator import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def step():
    return [torch.ones(2_000_000) for _ in range(24)] and None

if {keep}:
    assert keep_freed_memory()
step()
before = faults()
for _ in range(5):
    step()
print(faults() - before)
"""


PAGES = 5 * 24 * 2_000_000 * 4 // resource.getpagesize()


def page_faults(keep: bool) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS.format(keep=keep)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc's mallopt")
def test_freed_memory_is_not_fetched_again() -> None:
    """By itself glibc fetches between a fifth and all of the pages of five steps again, by luck."""
    assert page_faults(keep=True) < PAGES / 10 < page_faults(keep=False)
