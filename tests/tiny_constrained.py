"""What tests of constrained decoding share with the benchmark."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent.parent / "scripts" / "bench"


def bench_module(name: str) -> Any:
    """A module of the benchmarks, which are no package."""
    found = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    return module
