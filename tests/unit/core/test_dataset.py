"""Reading a dataset folder: every way it can be wrong is one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data_pipeline.core.dataset import dataset_fingerprint, read_dataset
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_jsonl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory


@pytest.fixture
def folder(tmp_path: Path, make_samples: Callable[..., list[Trajectory]]) -> Path:
    for name in ("0001", "0000"):
        rows = [sample.model_copy(update={"id": f"{name}/{sample.id}"}).to_row() for sample in make_samples(1, 2)]
        write_jsonl(tmp_path / "shards" / f"{name}.jsonl", rows)
    return tmp_path


def test_shards_are_read_in_order(folder: Path) -> None:
    ids = [sample.id for sample in read_dataset(folder)]
    assert ids == ["0000/s0-0", "0000/s0-1", "0001/s0-0", "0001/s0-1"]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no dataset here .*make one with"):
        list(read_dataset(tmp_path / "nowhere"))


@pytest.mark.parametrize(("line", "reason"), [("{", "not valid JSON"), ('{"id": "x"}', "column 'tools' is missing")])
def test_a_broken_line_is_named(folder: Path, line: str, reason: str) -> None:
    with (folder / "shards" / "0001.jsonl").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(InputError, match=rf"0001\.jsonl:3: {reason}"):
        list(read_dataset(folder))


def test_fingerprint_follows_the_bytes(folder: Path) -> None:
    before = dataset_fingerprint(folder)
    assert before == dataset_fingerprint(folder)
    shard = folder / "shards" / "0000.jsonl"
    shard.write_bytes(shard.read_bytes().replace(b"again", b"agaim"))
    assert before != dataset_fingerprint(folder)
