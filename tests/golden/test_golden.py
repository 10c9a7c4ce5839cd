"""Training gives the numbers that it has always given.

Equal to the last bit they are on one machine only: kernels for other instruction sets and other versions of libraries
add in another order, and Adam, which divides by the gradient's size, carries the difference on. Between code for
AVX-512, for AVX2 and for neither (ATEN_CPU_CAPABILITY, ONEDNN_MAX_CPU_ISA) it is 1e-6 at most. The bound of 1e-5 leaves
room for other processors, and none for a change of the mathematics.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import golden_run
import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", golden_run.MODELS)
def test_twenty_steps(name: str, tmp_path: Path) -> None:
    wanted = json.loads(golden_run.file_of(name).read_text(encoding="utf-8"))
    found = golden_run.run(name, tmp_path)
    for key, numbers in found.items():
        assert numbers == pytest.approx(wanted[key], rel=1e-5), f"{key}; if meant: python tests/golden/update.py"
