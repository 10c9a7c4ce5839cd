"""Numbers reach wandb and TensorBoard, and nothing leaves the machine unasked."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from xlam_train.life import track
from xlam_train.life.track import Tracking, check_trackers, wandb_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from xlam_train.recipe import TrainRecipe

    Recipes = Callable[..., TrainRecipe]


def records(file: Path) -> Iterator[bytes]:
    """Of a .wandb file: LevelDB's log format, blocks of 32 KiB after a header of 7 bytes."""
    data, offset, parts = file.read_bytes(), 7, list[bytes]()
    while offset + 7 <= len(data):
        if 32768 - offset % 32768 < 7:
            offset += 32768 - offset % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", data, offset)
        parts.append(data[offset + 7 : offset + 7 + length])
        offset += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield b"".join(parts)
            parts = []


def recorded(file: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Numbers and configuration in a .wandb file, once wandb's own process, which outlives `finish`, has written it."""
    from wandb.proto.wandb_internal_pb2 import Record

    numbers, config = list[dict[str, Any]](), dict[str, Any]()
    deadline = time.monotonic() + 60
    while not (read := [Record.FromString(data) for data in records(file)]) or not read[-1].HasField("exit"):
        assert time.monotonic() < deadline, (
            f"wandb wrote no end: {[record.WhichOneof('record_type') for record in read]}"
        )
        time.sleep(0.1)
    for record in read:
        if record.HasField("history"):
            items = record.history.item
            numbers.append({item.key or item.nested_key[0]: json.loads(item.value_json) for item in items})
        if record.HasField("run"):
            config = {update.key: json.loads(update.value_json) for update in record.run.config.update}
    return numbers, config


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """wandb's server is an address of this test's, and this machine has no login."""
    for name in [name for name in os.environ if name.startswith("WANDB")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        for name in ("WANDB_ERROR_REPORTING", "WANDB_DISABLE_WEAVE"):  # set by the code; to be unset again
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)
        yield server


def log_some(recipe: TrainRecipe, steps: range) -> None:
    """A run that logs a training loss each step and a held-out one at the end."""
    tracking = Tracking(recipe)
    state = SimpleNamespace(is_world_process_zero=True, global_step=steps.start - 1)
    tracking.on_train_begin(None, state, None)
    for state.global_step in steps:
        tracking.on_log(None, state, None, logs={"loss": 0.5 * state.global_step, "epoch": 0.1})
    tracking.on_log(None, state, None, logs={"eval_loss": 7.25, "decoded": ["no number"]})
    tracking.close()


def test_wandb_without_a_login_writes_a_folder_and_calls_nobody(
    make_recipe: Recipes, nobody: socket.socket, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("wandb", reason="needs wandb")
    import openai  # noqa: F401  # wandb advertises where it sees one

    recipe = make_recipe("run one", track={"to": ["wandb"], "project": "p"})
    recipe.out.mkdir()
    log_some(recipe, range(1, 3))
    (folder,) = (recipe.out / "wandb").glob("offline-run-*")
    (file,) = folder.glob("*.wandb")
    numbers, config = recorded(file)
    assert [entry["train/loss"] for entry in numbers if "train/loss" in entry] == [0.5, 1.0]
    assert [entry["eval/loss"] for entry in numbers if "eval/loss" in entry] == [7.25]
    assert config["model"]["base"] == recipe.model.base
    assert capfd.readouterr() == ("", "")
    nobody.settimeout(0)
    with pytest.raises(BlockingIOError):
        nobody.accept()


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({}, "offline"),
        ({"WANDB_MODE": "online"}, "offline"),  # without a key it would ask for one
        ({"WANDB_API_KEY": "k"}, "online"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "offline"),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "dryrun"}, "offline"),
        ({"WANDB_MODE": "disabled"}, "disabled"),
    ],
)
def test_wandb_is_online_only_after_a_login(tmp_path: Path, environ: dict[str, str], mode: str) -> None:
    assert wandb_mode({"HOME": str(tmp_path), **environ}) == mode


def test_a_login_in_netrc_counts_for_its_own_server(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine api.wandb.ai\n login user\n password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert wandb_mode({"HOME": str(tmp_path)}) == "online"
    assert wandb_mode({"HOME": str(tmp_path), "WANDB_BASE_URL": "https://wandb.example.com"}) == "offline"
    (tmp_path / ".netrc").write_text("garbage")
    assert wandb_mode({"HOME": str(tmp_path)}) == "offline"


def test_a_tracker_that_is_not_installed(make_recipe: Recipes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track.importlib.util, "find_spec", lambda name: None)
    check_trackers(make_recipe())
    with pytest.raises(InputError, match=r"track.to: tensorboard is not installed; pip install tensorboard"):
        check_trackers(make_recipe(track={"to": ["tensorboard"]}))


def test_tensorboard_has_each_step_once(make_recipe: Recipes) -> None:
    """Steps behind the checkpoint were logged before the kill, and come again."""
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    recipe = make_recipe(track={"to": ["tensorboard"]})
    for begin, end, scale in ((0, 4, 1.0), (2, 5, 10.0)):
        tracking = Tracking(recipe)
        state = SimpleNamespace(is_world_process_zero=True, global_step=begin)
        tracking.on_train_begin(None, state, None)
        for state.global_step in range(begin + 1, end):
            tracking.on_log(None, state, None, logs={"loss": scale * state.global_step})
        tracking.close()
    events = EventAccumulator(str(recipe.out / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("train/loss")] == [(1, 1), (2, 2), (3, 30), (4, 40)]


def test_other_ranks_open_nothing(make_recipe: Recipes) -> None:
    recipe = make_recipe(track={"to": ["wandb", "tensorboard"]})
    tracking = Tracking(recipe)
    state = SimpleNamespace(is_world_process_zero=False, global_step=0)
    tracking.on_train_begin(None, state, None)
    tracking.on_log(None, state, None, logs={"loss": 1.0})
    tracking.close()
    assert not recipe.out.exists()
