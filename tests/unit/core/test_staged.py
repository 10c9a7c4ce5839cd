"""Parts of a dataset appear together, whatever ends the run that writes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.staged import UNFINISHED, staged

ROOT = Path(__file__).parents[3]
KILLED = """
import os, sys
from pathlib import Path
from data_pipeline.core.staged import staged
with staged(Path(sys.argv[1])) as unfinished:
    (unfinished / "shards").mkdir()
    (unfinished / "shards" / "0009.jsonl").write_text("half")
    (unfinished / "notes.json").write_text("half")
    os._exit(9)
"""


def write(folder: Path) -> None:
    for part in ("shards", "rejects"):
        (folder / part).mkdir()
        (folder / part / "0000.jsonl").write_text(part)
    (folder / "notes.json").write_text("{}")


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


WRITTEN = ["notes.json", "rejects/0000.jsonl", "shards/0000.jsonl"]


def test_nothing_is_there_before_the_end_and_all_of_it_after(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with staged(out) as unfinished:
        write(unfinished)
        assert [path.name for path in out.iterdir()] == [UNFINISHED]
    assert files(out) == WRITTEN


def interrupted(folder: Path) -> None:
    with staged(folder) as unfinished:
        write(unfinished)
        raise KeyboardInterrupt


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path)
    assert files(tmp_path) == []
    with staged(tmp_path) as unfinished:
        write(unfinished)
    assert files(tmp_path) == WRITTEN


def test_what_a_kill_left_goes_when_the_next_run_begins(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == 9
    assert files(tmp_path / UNFINISHED) == [".lock", "notes.json", "shards/0009.jsonl"]
    assert not (tmp_path / "shards").exists()
    with staged(tmp_path) as unfinished:
        write(unfinished)
    assert files(tmp_path) == WRITTEN


def test_a_kill_between_two_moves_is_mended(tmp_path: Path) -> None:
    (tmp_path / "rejects").mkdir()
    (tmp_path / "rejects" / "0000.jsonl").write_text("older")
    with staged(tmp_path) as unfinished:
        write(unfinished)
    assert files(tmp_path) == WRITTEN
    assert (tmp_path / "rejects" / "0000.jsonl").read_text() == "rejects"


def test_two_runs_do_not_write_into_each_other(tmp_path: Path) -> None:
    with staged(tmp_path) as unfinished:
        write(unfinished)
        with pytest.raises(InputError, match="another run is writing here"), staged(tmp_path):
            pass
    assert files(tmp_path) == WRITTEN
