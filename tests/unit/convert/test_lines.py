"""Records of files that are not as they should be."""

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.convert import lines as module
from data_pipeline.convert.lines import CONVERT_REASONS, MAX_BYTES, BadLine, list_items, read_records
from data_pipeline.core.errors import InputError


def told(path: Path) -> list[tuple[int, Any]]:
    """(line, value or reason) of each record."""
    found = []
    for record in read_records(path):
        assert record.path == path
        if isinstance(record, BadLine):
            assert record.reason in CONVERT_REASONS
        found.append((record.line, record.reason if isinstance(record, BadLine) else record.value))
    return found


def test_bad_lines_are_numbered_and_those_around_them_are_read(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    separator = "\u2028"  # ends a line for `str.splitlines`, not in JSON
    good = json.dumps({"text": separator}, ensure_ascii=False).encode()
    path.write_bytes(b"\xef\xbb\xbf" + b'{"a": 1}\r\n\n' + good + b'\n{"a": \xff}\n[NaN]\n  \n5\n{"a": 2}')
    assert told(path) == [
        (1, {"a": 1}),
        (3, {"text": separator}),
        (4, "not_utf8"),
        (5, "not_finite"),
        (7, 5),
        (8, {"a": 2}),
    ]


def test_a_line_of_50_megabytes_is_skipped_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    with path.open("wb") as stream:
        stream.write(b'{"a": 1}\n')
        stream.writelines(b"x" * (1 << 20) for _ in range(50))
        stream.write(b'\n{"a": 2}\n')
    tracemalloc.start()
    try:
        assert told(path) == [(1, {"a": 1}), (2, "too_long"), (3, {"a": 2})]
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BYTES
    finally:
        tracemalloc.stop()


def test_the_limit_is_inclusive(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    longest = b'"' + b"x" * (MAX_BYTES - 3) + b'"'
    path.write_bytes(longest + b"\n" + longest + b" \n1\n")
    assert [(line, value if value in (1, "too_long") else "text") for line, value in told(path)] == [
        (1, "text"),
        (2, "too_long"),
        (3, 1),
    ]


def test_a_list_over_many_lines(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text('\n[\n  {"a": "]}\\"[,"},\n\n  {\n    "b": [1, 2]\n  }, 3,\n {"c": NaN}, {"d": \'x\'},\n 4]\n')
    assert told(path) == [(3, {"a": ']}"[,'}), (5, {"b": [1, 2]}), (7, 3), (8, "not_finite"), (8, "not_json"), (9, 4)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", []),
        ("[ \n ]", []),
        ("[1,\n2", [(1, 1), (2, 2), (2, "not_json")]),
        ("[1,\n", [(1, 1), (2, "not_json")]),
        ('[1, "a', [(1, 1), (1, "not_json")]),
        ('[1, {"a": ', [(1, 1), (1, "not_json")]),
        ("[1}, 2]\n, 3", [(1, 1), (1, "not_json")]),
        ("[1]\nrest", [(1, 1), (2, "not_json")]),
    ],
)
def test_lists_that_are_cut_off_or_go_on(tmp_path: Path, text: str, expected: list[tuple[int, Any]]) -> None:
    path = tmp_path / "in.json"
    path.write_text(text)
    assert told(path) == expected


def test_a_long_item_of_a_list_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_bytes(b'[1,\n"' + b"x\n" * MAX_BYTES + b'",\n2]')
    assert told(path) == [(1, 1), (2, "too_long"), (MAX_BYTES + 3, 2)]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\[]{},\n é'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='b"\\]'), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=6), st.integers(1, 9), st.sampled_from([None, 1]))
def test_a_list_is_split_the_same_in_chunks_of_any_size(values: list[Any], chunk: int, indent: int | None) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", chunk)
        found = list(list_items(io.BytesIO(data)))
    lines = data.decode().split("\n")
    for (line, raw), value in zip(found, values, strict=True):
        assert isinstance(raw, bytes)
        assert json.loads(raw) == value
        assert raw.decode().split("\n")[0].strip().rstrip(",") in lines[line - 1]


def test_a_file_that_cannot_be_opened_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_records(tmp_path))
