"""Files appear whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, read_jsonl, write_atomic, write_jsonl


def test_rows_come_back_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    write_jsonl(path, [{"a": 1}, {"b": "ü"}])
    assert list(read_jsonl(path)) == [{"a": 1}, {"b": "ü"}]
    assert [entry.name for entry in path.parent.iterdir()] == ["rows.jsonl"]


@pytest.mark.parametrize(("number", "message"), [(errno.ENOSPC, "no space left"), (errno.EACCES, "cannot be written")])
def test_a_failed_write_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError, match=message):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"file/a/b\.jsonl: cannot be written"):
        write_jsonl(tmp_path / "file" / "a" / "b.jsonl", [{}])


def test_an_interrupt_leaves_no_file_that_looks_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "file", b"data")
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(("line", "message"), [("{", "not valid JSON"), ("[1]", "expected a JSON object")])
def test_a_broken_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n' + line + "\n")
    with pytest.raises(InputError, match=rf"rows\.jsonl:2: {message}"):
        list(read_jsonl(path))


def test_broken_documents_are_named(tmp_path: Path) -> None:
    (tmp_path / "doc.json").write_text('{\n"a": }')
    with pytest.raises(InputError, match=r"doc\.json:2: not valid JSON"):
        read_json(tmp_path / "doc.json")
    with pytest.raises(InputError, match="no such file"):
        read_json(tmp_path / "none.json")
