"""The checks of the world: what launchers promise, what the recipe says, and what is there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from transformers import TrainingArguments

from data_pipeline.core.errors import InputError
from xlam_train.recipe import WorldSection
from xlam_train.world import World, check_same, check_world, launch_line, launched_world, prepare_deepspeed

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
ALONE = World(1, 1, "none", "none", 0, "none", "fp32", "cpu")
PAIR = World(2, 1, "gloo", "DeepSpeedEngine", 2, "none", "bf16", "cpu")


def check(world: World, launched: bool = False, environ: Mapping[str, str] | None = None, **wanted: Any) -> None:
    check_world(world, WorldSection(**wanted), launched, environ or {})


def test_one_process_is_fine_outside_a_launcher() -> None:
    check(ALONE)
    check(ALONE, processes=1, zero_stage=0, offload="none")


def test_a_silently_single_process_launch_is_an_error() -> None:
    with pytest.raises(
        InputError, match=r"scripts/train.py found 1 process; start it with `accelerate launch .*cpu_ddp"
    ):
        check(ALONE, launched=True)
    check(ALONE, launched=True, processes=1)
    check(PAIR, launched=True)


@pytest.mark.parametrize("launched", [False, True])
def test_fewer_or_more_processes_than_the_recipe_says(launched: bool) -> None:
    message = (
        r"^world\.processes: found 1, the recipe says 2; start it with `accelerate launch --config_file "
        r"recipes/accelerate/cpu_ddp\.yaml scripts/train\.py RECIPE`$"
    )
    with pytest.raises(InputError, match=message):
        check(ALONE, launched=launched, processes=2)
    with pytest.raises(InputError, match=r"world\.processes: found 2, the recipe says 1"):
        check(PAIR, launched=launched, processes=1)


@pytest.mark.parametrize("name", ["WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"])
def test_a_launcher_that_promises_more_than_there_are(name: str) -> None:
    with pytest.raises(InputError, match=f"world: {name} promises 8 processes, found 2; start it with"):
        check(PAIR, environ={name: "8"})
    check(PAIR, environ={name: "2"})
    check(PAIR, environ={name: "1"})  # srun starts one launcher a machine
    check(PAIR, environ={name: ""})


def test_another_stage_or_offload() -> None:
    with pytest.raises(InputError, match=r"world\.zero_stage: found 2, the recipe says 3; .*/cpu_zero3\.yaml "):
        check(PAIR, zero_stage=3)
    with pytest.raises(InputError, match=r"world\.zero_stage: found 2, the recipe says 0; .*/cpu_ddp\.yaml "):
        check(PAIR, zero_stage=0)
    with pytest.raises(
        InputError, match=r"world\.offload: found none, the recipe says optimizer; .*zero2_offload\.yaml"
    ):
        check(PAIR, zero_stage=2, offload="optimizer")
    check(PAIR, zero_stage=2, offload="none", processes=2)


@pytest.mark.parametrize("name", ["FSDP", "MEGATRON_LM"])
def test_engines_that_are_not_supported(name: str) -> None:
    with pytest.raises(InputError, match=r"is not supported; use recipes/accelerate/zero3\.yaml"):
        check(PAIR, environ={f"ACCELERATE_USE_{name}": "true"})
    check(PAIR, environ={f"ACCELERATE_USE_{name}": "false"})


def test_launch_lines_name_files_that_exist() -> None:
    sections = [WorldSection(), WorldSection(zero_stage=0), WorldSection(zero_stage=1), WorldSection(zero_stage=3)]
    sections += [WorldSection(zero_stage=2, offload="optimizer"), WorldSection(zero_stage=3, offload="all")]
    for device in ("cpu", "cuda"):
        for section in sections:
            file = launch_line(section, device).split()[3]
            assert (ROOT / file).is_file(), file
    assert "--num_processes" not in launch_line(WorldSection(processes=8), "cuda")
    assert "zero3.yaml --num_processes 16 scripts" in launch_line(WorldSection(processes=16, zero_stage=3), "cuda")


def test_the_world_of_this_process(tmp_path: Path) -> None:
    arguments = TrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to="none")
    assert launched_world(arguments) == ALONE
    half = TrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to="none", bf16=True)
    assert launched_world(half) == replace(ALONE, precision="bf16")


def test_one_process_for_several_gpus() -> None:
    """transformers would wrap the model in DataParallel; the test machine need not have the GPUs."""
    with pytest.raises(InputError, match="world: one process sees 8 GPUs; start one process a GPU"):
        launched_world(SimpleNamespace(n_gpu=8))  # type: ignore[arg-type]


def test_what_trains_is_what_was_launched() -> None:
    check_same(PAIR, PAIR)
    with pytest.raises(InputError, match="world: zero_stage is 0, launched was 2"):
        check_same(replace(PAIR, zero_stage=0), PAIR)
    with pytest.raises(InputError, match="world: engine is none, launched was DeepSpeedEngine"):
        check_same(replace(PAIR, engine="none"), PAIR)


def test_deepspeed_is_not_imported_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACCELERATE_USE_DEEPSPEED", raising=False)
    code = "import sys; from xlam_train.world import prepare_deepspeed as p; p(); print('deepspeed' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split()[-1] == "False"


def test_missing_deepspeed_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    for name in [name for name in sys.modules if name.split(".")[0] == "deepspeed"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "deepspeed", None)
    with pytest.raises(InputError, match=r"deepspeed: not installed; pip install 'xlam-train\[train\]'"):
        prepare_deepspeed()


def test_settings_of_deepspeed_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setenv("ACCELERATE_DEEPSPEED_CONFIG_FILE", "recipes/deepspeed/none_such.json")
    with pytest.raises(InputError, match="start in the root of the repository"):
        prepare_deepspeed()
