"""A signal saves and stops; the resumed run is the undisturbed one."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from xlam_train.checkpoints import last_checkpoint
from xlam_train.life import stop
from xlam_train.life.stop import StopOnSignal, Stopped
from xlam_train.progress import ProgressLine
from xlam_train.sft import run_sft

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xlam_train.recipe import TrainRecipe

    Recipes = Callable[..., TrainRecipe]


def signal_after(monkeypatch: pytest.MonkeyPatch, step: int, number: signal.Signals, times: int = 1) -> None:
    """Arrives while the step before is logged, so the next one is finished, saved, and the last."""

    def send(self: ProgressLine, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == step:
            for _time in range(times):
                signal.raise_signal(number)

    monkeypatch.setattr(ProgressLine, "on_log", send)


def weights(out: Path) -> bytes:
    return (out / "adapter" / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_finishes_the_step_saves_and_stops(
    make_recipe: Recipes, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    whole, stopped = make_recipe("whole"), make_recipe("stopped", checkpoint_every=99)
    run_sft(whole)
    before = signal.getsignal(number)
    signal_after(monkeypatch, 2, number, times=2)  # a batch system and the launcher, at once
    with pytest.raises(Stopped, match="saved at step 3; run the same command") as raised:
        run_sft(stopped)
    assert raised.value.exit_code == 143
    assert signal.getsignal(number) is before
    assert last_checkpoint(stopped.out / "checkpoints") == stopped.out / "checkpoints" / "checkpoint-3"
    assert not (stopped.out / "adapter").exists()
    monkeypatch.undo()
    run_sft(stopped)
    assert weights(stopped.out) == weights(whole.out)


def test_a_second_signal_does_what_it_did_before(make_recipe: Recipes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is to end the process, unless someone else catches it, as here."""

    class Caught(Exception):
        pass

    def catch(number: int, frame: Any) -> None:
        raise Caught

    before = signal.signal(signal.SIGTERM, catch)
    try:
        monkeypatch.setattr(stop, "TOGETHER", -1.0)
        signal_after(monkeypatch, 2, signal.SIGTERM, times=2)
        recipe = make_recipe(checkpoint_every=99)
        with pytest.raises(Caught):
            run_sft(recipe)
        assert last_checkpoint(recipe.out / "checkpoints") is None
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_error_leaves_the_signals_as_they_were(make_recipe: Recipes, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def fail(self: ProgressLine, args: Any, state: Any, control: Any, **_: Any) -> None:
        assert signal.getsignal(signal.SIGTERM) is not before
        raise KeyboardInterrupt

    monkeypatch.setattr(ProgressLine, "on_log", fail)
    with pytest.raises(KeyboardInterrupt):
        run_sft(make_recipe())
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_signal_nothing_stops() -> None:
    StopOnSignal().raise_if_stopped()
