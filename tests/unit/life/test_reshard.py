"""Shards that belong to another number of processes; that they train on is in tests/hostile/test_training_kills.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from data_pipeline.core.errors import InputError
from xlam_train.checkpoints import Layout, is_complete, seal
from xlam_train.life.reshard import drop_universal, fitting

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = SimpleNamespace(deepspeed_config={}, hf_ds_config=SimpleNamespace(config={}))


def checkpoint_of(folder: Path, layout: Layout) -> Path:
    """With shards that hold nothing."""
    shards = folder / "checkpoint-3" / "global_step3"
    shards.mkdir(parents=True)
    for rank in range(layout.processes):
        (shards.parent / f"rng_state_{rank}.pth").touch()
        (shards / f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt").touch()
    seal(shards.parent, layout, "hash")
    return shards.parent


@pytest.mark.parametrize("layout", [Layout(2, 2), Layout(2, 0)])
def test_a_checkpoint_that_fits_is_taken_as_it_is(tmp_path: Path, layout: Layout) -> None:
    checkpoint = checkpoint_of(tmp_path, layout)
    assert fitting(checkpoint, layout, PLUGIN) == checkpoint
    assert PLUGIN.deepspeed_config == {}


def test_without_zero_any_number_fits(tmp_path: Path) -> None:
    checkpoint = checkpoint_of(tmp_path, Layout(2, 0))
    assert fitting(checkpoint, Layout(8, 0), None) == checkpoint


def test_shards_that_cannot_be_joined(tmp_path: Path) -> None:
    pytest.importorskip("deepspeed", reason="needs deepspeed")
    checkpoint = checkpoint_of(tmp_path, Layout(2, 2))
    with pytest.raises(InputError, match=r"cannot be cut anew .*; launch as many as before, 2 processes with ZeRO-2"):
        fitting(checkpoint, Layout(4, 2), PLUGIN)
    assert is_complete(checkpoint)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]


def test_what_was_made_is_dropped(tmp_path: Path) -> None:
    (tmp_path / ".universal-checkpoint-3").mkdir()
    (tmp_path / "checkpoint-3").mkdir()
    drop_universal(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]
