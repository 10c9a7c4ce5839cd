"""The README's commands exist, and the quick ones run as printed."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from xlam_train.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """The lines of the README's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


QUICK = [line for line in commands() if line.startswith(("xlam tools", "xlam data"))]


def test_the_two_commands_are_there_and_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [line.split()[1] for line in commands() if line.startswith("make ")]
    assert {"quickstart", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("xlam ")])
def test_every_command_parses(line: str) -> None:
    arguments, rest = build_parser().parse_known_args(shlex.split(line)[1:])
    assert callable(arguments.run)
    assert all("=" in word for word in rest)


def test_no_other_programs_are_asked_for() -> None:
    known = ("make ", "xlam ", "accelerate launch ", "python scripts/", "pip install ", ". .venv")
    assert [line for line in commands() if not line.startswith(known)] == []


def test_named_files_exist() -> None:
    names = re.findall(r"\b(?:recipes|scripts|docs|data_pipeline|xlam_train|tests)/[\w/.-]+\w", README)
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_named_versions_are_the_pinned_ones() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").replace("_", "-").splitlines()
    named = re.findall(r"[\w-]+==[\w.]+\w", README)
    assert {name.partition("=")[0] for name in named} >= {"torch", "bfcl-eval"}
    assert [name for name in named if name not in lines] == []


def test_quick_commands_run_as_printed(tmp_path: Path) -> None:
    assert len(QUICK) >= 4
    for folder in ("recipes", "docs"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for line in QUICK:
        command = [sys.executable, "-m", "xlam_train.cli", *shlex.split(line)[1:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=tmp_path)
        assert done.returncode == 0, (line, done.stderr)
