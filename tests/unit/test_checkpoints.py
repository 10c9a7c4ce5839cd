"""Checkpoints that count only when whole, and what happens to the others."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json, write_jsonl
from xlam_train.checkpoints import (
    HASHED_BYTES,
    MANIFEST,
    Layout,
    check_resume,
    drop_incomplete,
    is_complete,
    last_checkpoint,
    removed_if_unwritable,
    rotate,
    save_checkpoint,
    seal,
)
from xlam_train.progress import ProgressLine
from xlam_train.recipe import TrainRecipe
from xlam_train.sft import run_sft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ALONE = Layout(processes=1, zero_stage=0)


def write(folder: Path, step: int, layout: Layout | None = ALONE) -> Path:
    """A checkpoint with a file in a subfolder; without a layout, it is not sealed."""
    checkpoint = folder / f"checkpoint-{step}"
    (checkpoint / "deep").mkdir(parents=True)
    (checkpoint / "weights").write_bytes(b"1234")
    (checkpoint / "deep" / "state").write_bytes(b"5678")
    if layout:
        seal(checkpoint, layout, "hash")
    return checkpoint


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: (c / "weights").write_bytes(b"12"),
        lambda c: (c / "weights").write_bytes(b"123x"),
        lambda c: (c / "deep" / "state").unlink(),
        lambda c: (c / "more").write_bytes(b"1"),
        lambda c: (c / MANIFEST).unlink(),
    ],
    ids=["cut", "changed", "lost", "added", "unsealed"],
)
def test_a_checkpoint_counts_only_when_whole(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    older, newer = write(tmp_path, 9), write(tmp_path, 10)
    assert last_checkpoint(tmp_path) == newer
    assert last_checkpoint(tmp_path, before=10) == older
    damage(newer)
    assert not is_complete(newer)
    assert last_checkpoint(tmp_path) == older
    drop_incomplete(tmp_path)
    assert names(tmp_path) == ["checkpoint-9"]


def test_large_files_are_checked_by_size_alone(tmp_path: Path) -> None:
    checkpoint = write(tmp_path, 1, None)
    with (checkpoint / "large").open("wb") as stream:
        stream.truncate(HASHED_BYTES + 1)  # a hole: it takes no room
    seal(checkpoint, ALONE, "hash")
    files = read_json(checkpoint / MANIFEST)["files"]
    assert files["large"] == {"bytes": HASHED_BYTES + 1}
    assert set(files["deep/state"]) == {"bytes", "sha256"}


def test_a_manifest_of_another_version_is_neither_trusted_nor_deleted(tmp_path: Path) -> None:
    checkpoint = write(tmp_path, 1)
    write_json(checkpoint / MANIFEST, {**read_json(checkpoint / MANIFEST), "format": 99})
    with pytest.raises(InputError, match=r"format 99 is not 1"):
        drop_incomplete(tmp_path)
    assert (checkpoint / "weights").exists()


def test_rotation_counts_complete_ones(tmp_path: Path) -> None:
    for step in (1, 2, 10):
        write(tmp_path, step)
    write(tmp_path, 11, None)
    (tmp_path / "checkpoint-notes").mkdir()
    rotate(tmp_path, 2)
    assert names(tmp_path) == ["checkpoint-10", "checkpoint-11", "checkpoint-2", "checkpoint-notes"]


def test_every_rank_has_left_its_files(tmp_path: Path) -> None:
    """As two nodes without a common file system do: the first sees only its own."""
    checkpoint = write(tmp_path, 1, None)
    (checkpoint / "rng_state_0.pth").touch()
    with pytest.raises(InputError, match=r"fewer than 2 processes; put `out` on a file system that all nodes share"):
        seal(checkpoint, Layout(2, 0), "hash")
    (checkpoint / "rng_state_1.pth").touch()
    seal(checkpoint, Layout(2, 0), "hash")
    with pytest.raises(InputError, match="fewer than 2 processes"):
        seal(checkpoint, Layout(2, 3), "hash")
    (checkpoint / "global_step1").mkdir()
    for rank in range(2):
        (checkpoint / "global_step1" / f"bf16_zero_pp_rank_{rank}_mp_rank_00_optim_states.pt").touch()
    seal(checkpoint, Layout(2, 3), "hash")


@pytest.mark.parametrize(
    ("saved", "now", "fits"),
    [
        (Layout(1, 0), Layout(8, 0), True),
        (Layout(8, 2), Layout(8, 2), True),
        (Layout(8, 2), Layout(4, 2), True),
        (Layout(8, 3), Layout(8, 2), False),
        (Layout(8, 0), Layout(8, 1), False),
    ],
)
def test_resume_needs_the_same_zero_stage(tmp_path: Path, saved: Layout, now: Layout, fits: bool) -> None:
    checkpoint = write(tmp_path, 1)
    write_json(checkpoint / MANIFEST, {**read_json(checkpoint / MANIFEST), **saved.__dict__})
    if fits:
        check_resume(checkpoint, now)
        return
    with pytest.raises(
        InputError, match=f"was written by {saved}, this run has {now}; launch it with the same ZeRO stage"
    ):
        check_resume(checkpoint, now)


def test_no_space_left_is_one_line_and_leaves_no_torso(tmp_path: Path) -> None:
    """Writing to /dev/full fails as on a full disk: the kernel says ENOSPC."""
    good, bad = write(tmp_path, 1), write(tmp_path, 2, None)
    (bad / "optimizer").symlink_to("/dev/full")
    message = r"checkpoint-2: cannot be written, no space left; earlier checkpoints are intact"
    with pytest.raises(InputError, match=message) as raised:
        save_checkpoint(bad, lambda: torch.save({"a": torch.ones(50_000)}, bad / "optimizer"), ALONE, "hash", 1)
    assert "\n" not in str(raised.value)
    assert is_complete(good)
    assert names(tmp_path) == ["checkpoint-1"]


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """The kernel refuses to let a file grow further: EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "save",
    [
        lambda path: torch.save({"a": torch.ones(50_000)}, path),
        lambda path: save_file({"a": torch.ones(50_000)}, path),
        lambda path: path.write_bytes(b"1" * 200_000),
    ],
    ids=["torch", "safetensors", "plain"],
)
def test_every_library_s_failed_write_is_known(tmp_path: Path, save: Callable[[Path], None]) -> None:
    checkpoint = write(tmp_path, 2, None)
    message = "cannot be written, no space left"
    with pytest.raises(InputError, match=message), removed_if_unwritable(checkpoint), file_size_limit(100_000):
        save(checkpoint / "optimizer")
    assert names(tmp_path) == []


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    checkpoint = write(tmp_path, 1, None)
    with pytest.raises(RuntimeError, match="closed by peer"), removed_if_unwritable(checkpoint):
        raise RuntimeError("Connection closed by peer")
    assert checkpoint.exists()


def test_a_full_disk_in_the_middle_of_a_run(
    tmp_path: Path, tiny_base: Path, make_samples: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jsonl(tmp_path / "data" / "shards" / "0000.jsonl", [sample.to_row() for sample in make_samples(2, 2)])
    recipe = TrainRecipe.model_validate(
        {
            "model": {"base": str(tiny_base)},
            "data": {"path": str(tmp_path / "data")},
            "out": str(tmp_path / "out"),
            "lora": {"rank": 4},
            "packing": {"tokens_per_tree": 1, "trees_per_step": 1},
            "precision": "fp32",
            "threads": 1,
            "checkpoint_every": 1,
        }
    )
    checkpoints = recipe.out / "checkpoints"

    def fill_the_disk(self: ProgressLine, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 2:
            (checkpoints / "checkpoint-2").mkdir()
            (checkpoints / "checkpoint-2" / "optimizer.pt").symlink_to("/dev/full")

    monkeypatch.setattr(ProgressLine, "on_log", fill_the_disk)
    with pytest.raises(InputError, match=r"checkpoint-2: cannot be written, no space left"):
        run_sft(recipe)
    assert names(checkpoints) == ["checkpoint-1"]
    monkeypatch.undo()
    assert run_sft(recipe).steps == 4
    manifest = read_json(checkpoints / "checkpoint-4" / MANIFEST)
    assert (manifest["format"], manifest["processes"], manifest["zero_stage"]) == (1, 1, 0)
    assert {"optimizer.pt", "rng_state.pth", "trainer_state.json", "stream.json"} <= set(manifest["files"])
    assert len(manifest["recipe_sha256"]) == 64
