"""Training on two processes that is killed again and again ends with the weights of an undisturbed run, to the bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_pipeline.core.jsonl import read_json, write_json, write_jsonl
from data_pipeline.core.settings import load_settings
from xlam_train.recipe import TrainRecipe
from xlam_train.sft import run_sft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from data_pipeline.core.schema import Trajectory

ROOT = Path(__file__).parents[2]
KILLS = 10
STOPPED = 143
DDP = {"ACCELERATE_USE_CPU": "true"}


def environ(stage: int) -> dict[str, str]:
    """What accelerate launch sets for a ZeRO stage, 0 for DDP."""
    file = str(ROOT / "recipes" / "deepspeed" / f"zero{stage}.json")
    return {"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_CONFIG_FILE": file} if stage else DDP


class Launcher:
    """Runs of one recipe, in one folder after the other."""

    def __init__(self, folder: Path, recipe: Path) -> None:
        """Import everything once."""
        own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        environment = {**os.environ, **own, "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false"}
        self._folder = folder
        self._recipe = recipe
        self._starts = 0
        command = [sys.executable, str(Path(__file__).with_name("training_launcher.py"))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with (folder / "launcher.log").open("w") as log:
            self._process = subprocess.Popen(command, **pipes, stderr=log, text=True, env=environment)
        while (line := self._answer()) != "ready":
            assert line, (folder / "launcher.log").read_text()

    def _answer(self) -> str:
        """The next line; libraries print lines of their own."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def start(self, out: Path, *overrides: str, processes: int = 2, environ: Mapping[str, str] = DDP) -> Run:
        """Begin, or go on."""
        self._starts += 1
        log = self._folder / f"start{self._starts}"
        log.mkdir()
        (log / "output").touch()
        assert self._process.stdin
        arguments = [str(self._recipe), f"out={out}", *overrides]
        order = {"arguments": arguments, "log": str(log), "processes": processes, "environ": dict(environ)}
        print(json.dumps(order), file=self._process.stdin)
        self._process.stdin.flush()
        return Run(int(self._answer()), log, self._answer)

    def close(self) -> None:
        """End."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


class Run:
    """One start.

    Attributes:
        launcher: pid.
    """

    def __init__(self, launcher: int, log: Path, answer: Callable[[], str]) -> None:
        self.launcher = launcher
        self._log = log
        self._answer = answer

    @property
    def output(self) -> str:
        """What launcher and ranks wrote."""
        return (self._log / "output").read_text()

    def steps(self) -> int:
        """Optimizer steps of this start that were logged."""
        return self.output.count("train: step ")

    def rank(self, number: int) -> int:
        """Its pid; the launcher's while the rank does not exist yet."""
        path = self._log / f"rank{number}"
        return int(path.read_text()) if path.exists() else self.launcher

    def end(self) -> int:
        """Wait for it."""
        return int(self._answer())

    def alive(self) -> bool:
        """Whether the launcher lives."""
        return exists(self.launcher)


def exists(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.fixture(scope="module")
def recipe(
    tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, make_samples: Callable[..., list[Trajectory]]
) -> Path:
    """Twenty-four steps of a tree for each of two ranks, with dropout, and a checkpoint every three steps."""
    folder = tmp_path_factory.mktemp("kills")
    write_jsonl(folder / "data" / "shards" / "0000.jsonl", [sample.to_row() for sample in make_samples(8, 2)])
    content = {
        "model": {"base": str(tiny_base)},
        "data": {"path": str(folder / "data")},
        "out": str(folder / "out"),
        "lora": {"rank": 4, "dropout": 0.1},
        "packing": {"tokens_per_tree": 1, "trees_per_step": 2},
        "optim": {"epochs": 3, "learning_rate": 1e-2},
        "precision": "fp32",
        "threads": 1,
        "checkpoint_every": 3,
    }
    write_json(folder / "recipe.yaml", content)
    return folder / "recipe.yaml"


@pytest.fixture(scope="module")
def launcher(recipe: Path) -> Iterator[Launcher]:
    launcher = Launcher(recipe.parent, recipe)
    yield launcher
    launcher.close()


@pytest.fixture(scope="module")
def undisturbed(launcher: Launcher, recipe: Path) -> Path:
    """The folder of a run without kills."""
    out = recipe.parent / "undisturbed"
    run = launcher.start(out)
    assert run.end() == 0, run.output
    report = read_json(out / "train_report.json")
    assert report["processes"] == 2
    assert report["steps"] >= 20
    return out


def weights(out: Path) -> bytes:
    return (out / "adapter" / "adapter_model.safetensors").read_bytes()


def losses(out: Path) -> list[float]:
    return [entry["loss"] for entry in read_json(out / "train_report.json")["log_history"] if "loss" in entry]


def kill(run: Run, rng: random.Random) -> bool:
    """Kill -9 a rank or the launcher some steps on, and wait for the end; whether the run was still going on.

    The moment within the step is random, too: some kills meet a checkpoint half-written.
    """
    steps = rng.randint(0, 5)
    while run.alive() and run.steps() < steps:
        time.sleep(0.005)
    time.sleep(rng.uniform(0, 0.2))
    hit = run.alive()
    if hit:
        os.kill(rng.choice([run.launcher, run.rank(0), run.rank(1)]), signal.SIGKILL)
    run.end()
    return hit


@pytest.mark.slow
def test_ten_kills_change_no_bit(launcher: Launcher, undisturbed: Path, recipe: Path) -> None:
    rng = random.Random(1)
    kills = runs = 0
    while kills < KILLS:
        out = recipe.parent / f"killed{runs}"
        while kills < KILLS and kill(launcher.start(out), rng):
            kills += 1
        run = launcher.start(out)
        assert run.end() == 0, run.output
        assert weights(out) == weights(undisturbed), f"after {kills} kills"
        assert losses(out) == losses(undisturbed)
        runs += 1


def wait_for(run: Run, out: Path, step: int) -> None:
    """Wait for the checkpoint of a step."""
    deadline = time.monotonic() + 60
    while not (out / "checkpoints" / f"checkpoint-{step}" / "manifest.json").exists():
        assert run.alive(), run.output
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.usefixtures("undisturbed")
@pytest.mark.alone
def test_ranks_die_with_their_launcher(launcher: Launcher, recipe: Path) -> None:
    out = recipe.parent / "orphaned"
    run = launcher.start(out)
    wait_for(run, out, 3)
    ranks = [run.rank(0), run.rank(1)]
    assert run.launcher not in ranks
    os.kill(run.launcher, signal.SIGKILL)
    run.end()
    deadline = time.monotonic() + 1
    while any(map(exists, ranks)):
        assert time.monotonic() < deadline, "a rank outlives its launcher"
        time.sleep(0.01)


@pytest.mark.slow
def test_sigterm_saves_and_stops(launcher: Launcher, undisturbed: Path, recipe: Path) -> None:
    """One rank gets the signal, both stop; the resumed run does not differ."""
    out = recipe.parent / "stopped"
    run = launcher.start(out)
    wait_for(run, out, 3)
    os.kill(run.rank(1), signal.SIGTERM)
    assert run.end() != 0
    assert f"exitcode: {STOPPED}" in run.output.replace(" ", "").replace("exitcode:", "exitcode: "), run.output
    assert "stopped by a signal and saved at step" in run.output
    assert not (out / "adapter").exists()
    run = launcher.start(out)
    assert run.end() == 0, run.output
    assert weights(out) == weights(undisturbed)
    assert losses(out) == losses(undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "after"), [(0, 3), (1, 1), (2, 3), (3, 1)])
def test_another_number_of_processes_goes_on(launcher: Launcher, recipe: Path, stage: int, after: int) -> None:
    """Killed on two, killed again on more or fewer, and gone on with from there, as if nothing had been.

    Without dropout, whose masks are drawn rank by rank. ZeRO's shards are put together and cut anew.
    """
    same = ("lora.dropout=0", "optim.epochs=3", "checkpoint_every=2", "packing.trees_per_step=6")
    whole, out = recipe.parent / f"whole{stage}", recipe.parent / f"changed{stage}"
    run = launcher.start(whole, *same, environ=environ(stage))
    assert run.end() == 0, run.output
    for step, processes in ((2, 2), (4, after)):
        run = launcher.start(out, *same, f"world.processes={processes}", processes=processes, environ=environ(stage))
        wait_for(run, out, step)
        os.kill(run.launcher, signal.SIGKILL)
        run.end()
    run = launcher.start(out, *same, f"world.processes={after}", processes=after, environ=environ(stage))
    assert run.end() == 0, run.output
    assert read_json(out / "train_report.json")["processes"] == after
    assert losses(out) == pytest.approx(losses(whole), rel=1e-5)
    assert not list((out / "checkpoints").glob(".universal-*"))


@pytest.mark.slow
@pytest.mark.parametrize("stage", [0, 3])
def test_ranks_share_an_evaluation(launcher: Launcher, recipe: Path, stage: int) -> None:
    """Five trees and three answers for two ranks, also with sharded weights: the numbers of a single process."""
    changes = ("lora.dropout=0", "optim.epochs=1", f"eval.path={recipe.parent / 'data'}", "eval.every=4")
    more = ("eval.samples=5", "eval.decoded=3", "packing.trees_per_step=4")
    out, alone = recipe.parent / f"watched{stage}", recipe.parent / f"alone{stage}"
    run = launcher.start(out, *changes, *more, environ=environ(stage))
    assert run.end() == 0, run.output
    run_sft(load_settings(TrainRecipe, recipe, [f"out={alone}", *changes, *more]))
    (expected,), (found,) = (read_json(folder / "train_report.json")["evaluations"] for folder in (alone, out))
    assert found["eval_loss"] == pytest.approx(expected["eval_loss"], rel=1e-5)
    assert found["eval_exact"] == expected["eval_exact"]
    assert len(expected["decoded"]) == 3
    assert found["decoded"] == expected["decoded"]


@pytest.mark.slow
def test_all_ranks_stop_at_a_loss_that_is_none(launcher: Launcher, recipe: Path) -> None:
    out = recipe.parent / "diverged"
    run = launcher.start(out, "optim.learning_rate=1e30", "packing.trees_per_step=4")
    assert run.end() == 1
    assert run.output.count("known to be good; lower optim.learning_rate or mend the samples") == 2, run.output
    assert len(read_json(out / "diverged.json")["trees"]) == 4


@pytest.mark.slow
def test_a_second_run_in_the_same_folder_is_refused(launcher: Launcher, recipe: Path) -> None:
    out = recipe.parent / "shared"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    run = launcher.start(out)
    code = run.end()
    holder.communicate()
    assert code != 0
    assert "another run is writing to" in run.output
    assert [path.name for path in out.iterdir()] == [".lock"]


HOLD = """
import fcntl, pathlib, sys
out = pathlib.Path(sys.argv[1]); out.mkdir()
stream = (out / ".lock").open("w")
fcntl.lockf(stream, fcntl.LOCK_EX, 1, 1)  # the second rank of another run
print("held", flush=True)
sys.stdin.read()
"""
