"""The launch configurations: accelerate and DeepSpeed read them, and they say what their names say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
from accelerate.utils import DistributedType

from data_pipeline.core.jsonl import read_json

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "recipes" / "accelerate").iterdir())
SETTINGS = sorted((ROOT / "recipes" / "deepspeed").iterdir())
NAMES = {"ddp", "zero1", "zero2", "zero2_offload", "zero3", "zero3_offload"}


def load(path: Path) -> ClusterConfig:
    return load_config_from_file(str(path))


def settings_of(config: ClusterConfig) -> Path:
    """The DeepSpeed JSON, which is named from the repository's root, where the printed commands are run."""
    return ROOT / config.deepspeed_config["deepspeed_config_file"]


def test_every_layout_is_there_for_gpus_and_for_the_cpu() -> None:
    assert {path.stem for path in CONFIGS} == NAMES | {f"cpu_{name}" for name in NAMES}
    assert {settings_of(load(path)) for path in CONFIGS if "zero" in path.stem} == set(SETTINGS)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_accelerate_reads_what_the_name_says(path: Path) -> None:
    config, cpu = load(path), path.stem.startswith("cpu_")
    assert (config.num_processes, config.num_machines, config.use_cpu) == (2 if cpu else 8, 1, cpu)
    assert f"--config_file recipes/accelerate/{path.name} scripts/train.py" in path.read_text()
    if path.stem.endswith("ddp"):
        # For MULTI_CPU accelerate starts one process, without a word.
        assert config.distributed_type == DistributedType.MULTI_GPU
        return
    assert config.distributed_type == DistributedType.DEEPSPEED
    assert config.deepspeed_config["deepspeed_multinode_launcher"] == "standard", "the default needs ssh"
    zero = read_json(settings_of(config))["zero_optimization"]
    (stage,) = re.findall(r"zero(\d)", path.stem)
    assert zero["stage"] == int(stage)
    assert config.deepspeed_config.get("zero3_init_flag", False) == (stage == "3")
    devices = [zero.get(f"offload_{part}", {}).get("device", "none") for part in ("optimizer", "param")]
    offloaded = path.stem.endswith("_offload")
    assert devices == ["cpu" if offloaded else "none", "cpu" if offloaded and stage == "3" else "none"]


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_deepspeed_leaves_to_the_recipe_what_is_the_recipes(path: Path) -> None:
    settings: dict[str, Any] = read_json(path)
    sizes = ("train_micro_batch_size_per_gpu", "train_batch_size", "gradient_accumulation_steps", "gradient_clipping")
    assert all(settings[name] == "auto" for name in sizes)
    assert settings["bf16"]["enabled"] == settings["fp16"]["enabled"] == "auto"
    assert settings["zero_allow_untested_optimizer"] is True
    assert settings["data_types"] == {"grad_accum_dtype": "fp32"}, "bf16 sums lose the later trees of a step"
    assert "optimizer" not in settings
    assert "scheduler" not in settings
    zero = settings["zero_optimization"]
    if zero["stage"] == 3:
        assert zero["stage3_gather_16bit_weights_on_model_save"] is True
    else:
        assert zero["reduce_bucket_size"] == 50_000_000
    # DeepSpeed's own Adam for the host is compiled for two minutes before the first step.
    offloads_on_cpu = path.stem.startswith("cpu_")
    assert settings.get("zero_force_ds_cpu_optimizer", True) is not offloads_on_cpu
