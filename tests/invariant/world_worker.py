"""Trains a tiny model under one recipe of recipes/accelerate after another, in the processes that torchrun started.

    torchrun --nproc-per-node 2 tests/invariant/world_worker.py FOLDER RUN...

A run is `config/method/precision`, such as `cpu_zero3/lora/bf16`. FOLDER holds base/ and gets a JSON and a
safetensors file a run. The environment of each run is the one that `accelerate launch --config_file` would set, from
accelerate's own code; starting the interpreters once instead of a dozen times makes the comparison affordable.
"""

from __future__ import annotations

import json
import os
import random
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.state import AcceleratorState
from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, set_seed
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Encoded
from xlam_train.data.stream import FixedFeed, TreeStream
from xlam_train.model import load_for_training
from xlam_train.objective import SftObjective
from xlam_train.recipe import TrainRecipe
from xlam_train.trainer import TreeTrainer, training_arguments
from xlam_train.world import check_world, launched_world, prepare_deepspeed, real_world
from xlam_train.world_check import WorldCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
VOCAB = 50
TREES = 11  # of 4 a step: in the last one a rank gets a filler


def make_base(folder: Path) -> None:
    """A random two-layer Llama on disk, since ZeRO-3 shards a model while it is read."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def windows(count: int = TREES) -> list[list[Encoded]]:
    """Windows of three samples with a common prefix; the last has seven times as many labels as the first."""
    rng = random.Random(0)
    return [_window(rng, 1 + 2 * number) for number in range(count)]


def _window(rng: random.Random, labels: int) -> list[Encoded]:
    prefix = _tokens(rng, 20)
    window = [Encoded() for _ in range(3)]
    for sample in window:
        sample.append([*prefix, *_tokens(rng, 4)], trainable=False)
        sample.append(_tokens(rng, labels), trainable=True)
    return window


def _tokens(rng: random.Random, count: int) -> list[int]:
    return [rng.randrange(VOCAB) for _ in range(count)]


def run_name(config: str, method: str, precision: str) -> str:
    """Stem of a run's files."""
    return f"{config}-{method}-{precision}"


def train(
    folder: Path,
    config: str,
    method: str = "full",
    precision: str = "fp32",
    trees: Sequence[Sequence[Encoded]] = (),
    trees_per_step: int = 4,
) -> dict[str, Any]:
    """Three steps; losses, gradient norms, the world and the weights of a run.

    Args:
        folder: with base/.
        config: name of a file in recipes/accelerate, or anything for a single process without a launcher.
        method: of the recipe.
        precision: of the recipe.
        trees: windows to train on; the common ones if there are none.
        trees_per_step: over all ranks.
    """
    recipe = TrainRecipe.model_validate(
        {
            "model": {"base": str(folder / "base")},
            "data": {"path": "unused"},
            "out": str(folder / run_name(config, method, precision)),
            "method": method,
            "packing": {"trees_per_step": trees_per_step},
            "optim": {
                "learning_rate": 1e-2,
                "max_grad_norm": 0.5,
            },  # below the norms, so that clipping is compared, too
            "checkpoint_every": 1000,
            "precision": precision,
        }
    )
    prepare_deepspeed()
    arguments = training_arguments(recipe, precision, int(os.environ.get("WORLD_SIZE", "1")))
    launched = launched_world(arguments)
    check_world(launched, recipe.world)
    windows_ = trees or windows()
    stream = TreeStream(
        FixedFeed([build_tree(window) for window in windows_]),
        collate_tree,
        trees_per_step,
        arguments.world_size,
        arguments.process_index,
    )
    set_seed(0)
    model = load_for_training(recipe, folder / "base", bf16=precision == "bf16")
    trainer = TreeTrainer(model, recipe, arguments, stream, SftObjective())
    trainer.add_callback(WorldCheck(trainer, launched))
    trainer.run(resume=None)
    return _result(trainer)


def _result(trainer: TreeTrainer) -> dict[str, Any]:
    log = [entry for entry in trainer.state.log_history if "loss" in entry]
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)  # on all ranks, since ZeRO-3 gathers
    trained = {name for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    return {
        "world": asdict(real_world(trainer)),
        "optimizer": type(_innermost(trainer.optimizer)).__name__,
        "loss": [entry["loss"] for entry in log],
        "grad_norm": [entry["grad_norm"] for entry in log],
        "weights": {name: weight.clone() for name, weight in (weights or {}).items() if name in trained},
        "buffers": sorted({str(buffer.dtype) for buffer in trainer.model.buffers() if buffer.is_floating_point()}),
    }


def _innermost(optimizer: Any) -> Any:
    while hasattr(optimizer, "optimizer"):
        optimizer = optimizer.optimizer
    return optimizer


def _launch_environment(config: str) -> dict[str, str]:
    """What `accelerate launch` would tell its processes, apart from their ranks."""
    file = str(ROOT / "recipes" / "accelerate" / f"{config}.yaml")
    parsed = launch_command_parser().parse_args(["--config_file", file, "--main_process_port", "0", "unused.py"])
    arguments, defaults, _ = _validate_launch_command(parsed)
    if not arguments.use_deepspeed:
        environment: dict[str, str] = prepare_multi_gpu_env(arguments)
    else:
        arguments.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
        environment = prepare_deepspeed_cmd_env(arguments)[1]
    return {name: value for name, value in environment.items() if name.startswith("ACCELERATE_")}


def _forget() -> None:
    """Leave nothing of a run but the process group."""
    AcceleratorState._reset_state(reset_partial_state=True)
    unset_hf_deepspeed_config()
    for name in [name for name in os.environ if name.startswith("ACCELERATE_")]:
        del os.environ[name]


def main(folder: Path, runs: Sequence[str]) -> None:
    """All runs; the first rank writes their results."""
    torch.set_num_threads(1)
    for run in runs:
        config, method, precision = run.split("/")
        os.environ.update(_launch_environment(config))
        result = train(folder, config, method, precision)
        if os.environ["RANK"] == "0":
            name = run_name(config, method, precision)
            save_file(result.pop("weights"), folder / f"{name}.safetensors")
            (folder / f"{name}.json").write_text(json.dumps(result))
        _forget()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
