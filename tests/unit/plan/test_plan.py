import argparse
import json
import re
from pathlib import Path

import pytest

from xlam_train.cli import report_errors
from xlam_train.cli_plan import add_plan
from xlam_train.plan.layouts import LAYOUTS, PER_MACHINE, SINGLE, launch_command, layouts_for, trees_per_step
from xlam_train.recipe import TrainRecipe

SEVEN = "recipes/sft/xlam-7b-fc-r.yaml"


def recipe_for(**sections: object) -> TrainRecipe:
    return TrainRecipe.model_validate({"model": {"base": "b"}, "data": {"path": "d"}, "out": "o", **sections})


def layout(name: str) -> object:
    return next(one for one in LAYOUTS if one.name == name)


def xlam(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_plan(parser.add_subparsers())
    arguments = parser.parse_args(["plan", *words])
    return report_errors(lambda: arguments.run(arguments))


def test_every_layout_has_a_file_for_accelerate() -> None:
    assert all(Path(f"recipes/accelerate/{one.name}.yaml").is_file() for one in LAYOUTS)


def test_one_gpu_divides_nothing() -> None:
    assert [one.name for one in layouts_for(1)] == ["single", "zero2_offload", "zero3_offload"]


def test_the_command_changes_what_the_recipe_has_otherwise() -> None:
    recipe = recipe_for(world={"zero_stage": 3}, packing={"trees_per_step": 4})
    command = launch_command(layout("zero2"), recipe, "r.yaml", 8, ("seed=1",))
    assert command == (
        "accelerate launch --config_file recipes/accelerate/zero2.yaml scripts/train.py r.yaml seed=1 "
        "world.zero_stage=2 packing.trees_per_step=8"
    )
    assert launch_command(SINGLE, recipe_for(), "r.yaml", 1, ()) == "xlam train r.yaml"
    assert "world.processes=1" in launch_command(layout("zero3_offload"), recipe_for(), "r.yaml", 1, ())


def test_several_machines_are_told_apart() -> None:
    command = launch_command(layout("zero3"), recipe_for(packing={"trees_per_step": 16}), "r.yaml", 16, ())
    node = "NODES=2 NODE_RANK=RANK MASTER_ADDR=ADDRESS scripts/launch_node.sh recipes/accelerate/zero3.yaml r.yaml"
    assert command == node


@pytest.mark.parametrize(("gpus", "machines", "each"), [(9, 3, 3), (12, 2, 6), (20, 4, 5)])
def test_machines_of_fewer_gpus_are_told_how_many(gpus: int, machines: int, each: int) -> None:
    command = launch_command(layout("zero3"), recipe_for(packing={"trees_per_step": gpus}), "r.yaml", gpus, ())
    node = f"NODES={machines} PROCESSES_PER_NODE={each} NODE_RANK=RANK MASTER_ADDR=ADDRESS scripts/launch_node.sh"
    assert command == f"{node} recipes/accelerate/zero3.yaml r.yaml"
    assert f"PROCESSES_PER_NODE:-{PER_MACHINE}}}" in Path("scripts/launch_node.sh").read_text(encoding="utf-8")


def test_steps_have_a_tree_for_every_gpu() -> None:
    recipe = recipe_for(packing={"trees_per_step": 12})
    assert [trees_per_step(recipe, gpus) for gpus in (1, 8, 16)] == [12, 16, 16]


def test_the_seven_billion_recipe_fits_on_eight_gpus_of_80_gb(capsys: pytest.CaptureFixture[str]) -> None:
    assert xlam(SEVEN, "--gpus", "8", "--gpu-memory", "80GB", "--json") == 0
    out, err = capsys.readouterr()
    plan = json.loads(out)
    assert plan["parameters"]["total"] == 6_910_365_696
    fitting = [one["layout"] for one in plan["layouts"] if one["fits"]]
    assert plan["chosen"] == fitting[0]
    assert "ddp" not in fitting
    assert plan["command"].startswith(f"accelerate launch --config_file recipes/accelerate/{fitting[0]}.yaml")
    assert plan["command"] in err
    assert "assumed" in err


def test_what_cannot_fit_is_refused_with_what_would(capsys: pytest.CaptureFixture[str]) -> None:
    assert xlam(SEVEN, "--gpus", "1", "--gpu-memory", "9GB") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"xlam: {SEVEN}: does not fit on 1 GPUs; what would: ")
    assert "method=lora, on zero3_offload; trees of at most " in last
    assert "GPUs" not in last.partition("what would")[2]  # what one tree takes is the same on any number


def test_more_gpus_are_a_remedy_where_the_host_is_too_small_to_offload(capsys: pytest.CaptureFixture[str]) -> None:
    small = ("data.max_length=4096", "packing.tokens_per_tree=4096", "--gpu-memory", "40GB")
    assert xlam("recipes/lora/xlam-8x7b-r.yaml", *small, "--gpus", "1", "--host-memory", "64GB") == 1
    remedy = re.search(r"(\d+) GPUs, on zero3$", capsys.readouterr().err.splitlines()[-1])
    assert remedy
    assert xlam("recipes/lora/xlam-8x7b-r.yaml", *small, "--gpus", remedy[1], "--host-memory", "64GB") == 0


def test_four_bit_weights_are_never_sharded(capsys: pytest.CaptureFixture[str]) -> None:
    xlam("recipes/qlora/xlam-7b-fc-r.yaml", "--json")
    plan = json.loads(capsys.readouterr().out)
    refused = {one["layout"]: one["refused"] for one in plan["layouts"] if one["refused"]}
    assert refused == dict.fromkeys(("zero3", "zero3_offload"), "4-bit weights cannot be sharded")
    assert plan["chosen"] == "ddp"


def test_an_unknown_gpu_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert xlam(SEVEN, "--gpu", "h1000") == 2
    assert "did you mean 'h100'" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["80", "eighty GB", "-1GB"])
def test_memory_needs_a_unit(size: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        xlam(SEVEN, f"--gpu-memory={size}")
    assert stopped.value.code == 2
