"""Windows: every line of a dataset belongs to exactly one, whatever the sizes; a mistake is named by its line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from data_pipeline.core.errors import InputError
from xlam_train.data.windows import Line, cut_windows, epoch_order


def write_shards(folder: Path, seed: int) -> list[dict[str, str]]:
    """Shards of lines of all lengths, one of them empty and one without a last newline."""
    rng = random.Random(seed)
    rows = [{"id": str(number), "text": "é" * rng.choice([0, 1, 7, 90, 600])} for number in range(rng.randint(1, 60))]
    (folder / "shards").mkdir(parents=True)
    edges = sorted(rng.randint(0, len(rows)) for _ in range(3))
    for index, (start, stop) in enumerate(zip([0, *edges], [*edges, len(rows)], strict=True)):
        text = "".join(f'{{"id": "{row["id"]}", "text": "{row["text"]}"}}\n' for row in rows[start:stop])
        (folder / "shards" / f"{index:04}.jsonl").write_bytes(text.encode().rstrip(b"\n" if index == 3 else b""))
    return rows


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("megabytes", [1e-6, 3e-4, 2e-3, 1.0])
def test_every_line_is_in_one_window(tmp_path: Path, seed: int, megabytes: float) -> None:
    rows = write_shards(tmp_path, seed)
    windows = cut_windows(tmp_path, megabytes)
    assert [line.row() for window in windows for line in window.lines()] == rows
    assert sum(window.share for window in windows) == pytest.approx(1)


def test_windows_are_about_as_large_as_asked(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "0.jsonl").write_text('{"a": 1}\n' * 10_000)
    windows = cut_windows(tmp_path, 0.01)
    sizes = [sum(1 for _ in window.lines()) for window in windows]
    assert len(windows) == 9
    assert max(sizes) - min(sizes) <= 1


def test_a_mistake_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "0.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n{"a"\n')
    line = Line(path, 18, b'{"a"\n')
    with pytest.raises(InputError, match=r"0\.jsonl:3: not valid JSON"):
        line.row()
    assert line.where == f"{path}:3"
    with pytest.raises(InputError, match="not valid JSON"):
        Line(path, 18, b'{"a": "\xff"\n').row()


def test_an_empty_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dataset here"):
        cut_windows(tmp_path, 1)
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "0.jsonl").write_text("")
    with pytest.raises(InputError, match="holds no samples"):
        cut_windows(tmp_path, 1)


def test_epochs_have_their_own_order_of_all_windows() -> None:
    orders = [epoch_order(10, 4, seed=1, epoch=epoch) for epoch in range(3)]
    assert [list(map(len, order)) for order in orders] == [[4, 4, 2]] * 3
    flat = [[number for group in order for number in group] for order in orders]
    assert all(sorted(order) == list(range(10)) for order in flat)
    assert len({tuple(order) for order in flat}) == 3
    assert orders[1] == epoch_order(10, 4, seed=1, epoch=1)
