"""Files that appear whole or not at all, and folders that are not overwritten."""

import json
import tracemalloc
from pathlib import Path

import pytest

from data_pipeline.convert.convert import convert
from data_pipeline.convert.writers import DatasetWriter, dataset_writer, record_file
from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Trajectory


@pytest.mark.parametrize("count", [0, 1, 3])
def test_lists_and_lines(count: int, tmp_path: Path) -> None:
    records = [{"n": number} for number in range(count)]
    for name in ("a.json", "a.jsonl"):
        with record_file(tmp_path / "new" / name) as add:
            for record in records:
                add(record)
    assert json.loads((tmp_path / "new/a.json").read_text()) == records
    assert [json.loads(line) for line in (tmp_path / "new/a.jsonl").read_text().splitlines()] == records
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.json", "a.jsonl"]


def test_an_error_within_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    with pytest.raises(ValueError, match="Out of range float"), record_file(path) as add:
        add({"n": [*range(100_000), float("nan")]})
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["a.jsonl"]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    record = {"text": "x" * 10_000}
    tracemalloc.start()
    try:
        with record_file(tmp_path / "a.json") as add:
            for _ in range(2_000):
                add(record)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert (tmp_path / "a.json").stat().st_size > 20_000_000


def test_what_cannot_be_written_is_one_line(tmp_path: Path, samples: list[Trajectory]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"), record_file(tmp_path / "file" / "a.jsonl"):
        pass
    data = tmp_path / "data"
    writer = DatasetWriter(data)
    writer.add(samples[0])
    writer.flush()
    writer.flush()
    assert list(read_dataset(data)) == samples[:1]
    with pytest.raises(InputError, match="holds a dataset already; choose another folder"):
        DatasetWriter(data)
    with pytest.raises(InputError, match=r"give the file one of the suffixes \.jsonl"):
        convert(data, "auto", tmp_path / "out.csv", "openai")
    with pytest.raises(InputError, match="unknown format 'open'; did you mean 'openai'"):
        convert(data, "auto", tmp_path / "out.jsonl", "open")


def test_a_folder_without_samples_has_an_empty_shard(tmp_path: Path) -> None:
    DatasetWriter(tmp_path).flush()
    assert list(read_dataset(tmp_path)) == []


def test_records_that_cannot_be_read_are_told_and_passed_over(tmp_path: Path, samples: list[Trajectory]) -> None:
    writer = DatasetWriter(tmp_path / "data")
    for sample in samples:
        writer.add(sample)
    writer.flush()
    shard = tmp_path / "data/shards/0000.jsonl"
    lines = shard.read_text().splitlines()
    shard.write_text("\n".join([lines[0], "{", *["[]"] * 25, lines[1]]))
    done = convert(tmp_path / "data", "dataset", tmp_path / "out.jsonl", "openai")
    assert done.to_dict()["not_read"] == {"not_json": 1, "not_an_object": 25}
    assert (done.written, len(done.unread)) == (2, 20)
    assert done.to_dict()["first_not_read"][0] == {
        "path": str(shard),
        "line": 2,
        "reason": "not_json",
        "detail": "the line is not JSON: Expecting property name enclosed in double quotes at column 2",
    }


def interrupted(out: Path, samples: list[Trajectory]) -> None:
    with dataset_writer(out) as writer:
        for sample in samples:
            writer.add(sample)
        raise KeyboardInterrupt


def test_a_dataset_appears_when_all_of_it_is_written(
    tmp_path: Path, samples: list[Trajectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_pipeline.convert.writers.SHARD_SAMPLES", 1)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        interrupted(out, samples[:3])
    assert not (out / "shards").exists()
    with dataset_writer(out) as writer:
        for sample in samples[:2]:
            writer.add(sample)
    assert list(read_dataset(out)) == samples[:2]
    with pytest.raises(InputError, match="holds a dataset already; choose another folder"), dataset_writer(out):
        pass


def test_a_conversion_that_fails_leaves_no_dataset(
    tmp_path: Path, samples: list[Trajectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_pipeline.convert.writers.SHARD_SAMPLES", 1)
    with dataset_writer(tmp_path / "data") as writer:
        for sample in samples:
            writer.add(sample)
    last = tmp_path / "data" / "shards" / f"{len(samples) - 1:04d}.jsonl"
    kept = last.read_bytes()
    last.unlink()
    last.mkdir()  # which cannot be opened
    with pytest.raises(InputError, match="cannot be read"):
        convert(tmp_path / "data", "dataset", tmp_path / "again", "dataset")
    assert not (tmp_path / "again" / "shards").exists()
    last.rmdir()
    last.write_bytes(kept)
    assert convert(tmp_path / "data", "dataset", tmp_path / "again", "dataset").written == len(samples)
    assert list(read_dataset(tmp_path / "again")) == samples
