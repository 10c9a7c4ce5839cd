"""What GNU OpenMP itself says of its settings, in the process of the command that trains."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from xlam_train.waiting import SPINS

if TYPE_CHECKING:
    from pathlib import Path


def told_by_openmp(tmp_path: Path, **environment: str) -> str:
    """The spin count that libgomp prints when `xlam train` loads it; the run ends at once, as there is no dataset."""
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"model: {{base: '{tmp_path}/none'}}\ndata: {{path: '{tmp_path}/none'}}\nout: '{tmp_path}/out'\n")
    own = {key: value for key, value in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    command = [sys.executable, "-m", "xlam_train.cli", "train", str(recipe)]
    told = {**own, "OMP_DISPLAY_ENV": "verbose", **environment}
    found = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert found.returncode == 2, found.stderr
    shown = re.search(r"GOMP_SPINCOUNT = '(\w+)'", found.stderr)
    if shown is None:
        pytest.skip("PyTorch is built with another OpenMP than GNU's")
    return shown[1]


@pytest.mark.parametrize(
    ("environment", "spins"), [({}, str(SPINS)), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "passive"}, "0")]
)
def test_training_waits_briefly_unless_told_otherwise(tmp_path: Path, environment: dict[str, str], spins: str) -> None:
    assert told_by_openmp(tmp_path, **environment) == spins
