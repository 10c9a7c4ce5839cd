"""What trains together: read from what is really there, and compared with what the recipe says.

Launchers fail silently: `accelerate launch --cpu --num_processes 2` starts one process and exits with 0, FSDP on a
CPU runs without sharding, `srun python` starts copies that know nothing of one another, and one process that sees
eight GPUs gets torch's DataParallel. Each of these ends here in one line, before a model is loaded.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import Trainer, TrainingArguments

    from xlam_train.recipe import WorldSection

Offload = Literal["none", "optimizer", "all"]

NO_ENGINE = "none"
DDP = "DistributedDataParallel"
DEEPSPEED = "DeepSpeedEngine"

PROMISES = ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
"""Variables in which torchrun, srun and MPI tell a process how many it is one of."""

UNSUPPORTED = {"ACCELERATE_USE_FSDP": "FSDP", "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM"}


@dataclass(frozen=True)
class World:
    """The processes that train together, and how.

    Attributes:
        processes: ranks.
        nodes: machines, as the launcher counts them.
        backend: `nccl`, `gloo`, or `none` for a single process.
        engine: class that wraps the model, `none` for a single process.
        zero_stage: DeepSpeed ZeRO stage (Rajbhandari et al. 2020); 0 without.
        offload: what ZeRO keeps in the host's memory: nothing, the optimizer, or parameters too.
        precision: of the forward and backward pass, `bf16`, `fp16` or `fp32`.
        device: kind of device, `cuda` or `cpu`.
    """

    processes: int
    nodes: int
    backend: str
    engine: str
    zero_stage: int
    offload: Offload
    precision: str
    device: str


def prepare_deepspeed() -> None:
    """Make DeepSpeed start at once where it would compile kernels that training never calls.

    On a CPU each process would spend a minute or two on compiling an all-reduce for inference before the first
    collective. To be called before the process group exists; does nothing without DeepSpeed or with CUDA.

    Raises:
        InputError: the launcher wants DeepSpeed, and it is not installed or its settings are not found.
    """
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() != "true":
        return
    try:
        import deepspeed.ops
    except ImportError as error:
        raise InputError(
            "deepspeed: not installed; pip install 'xlam-train[train]', or launch with ddp.yaml"
        ) from error
    settings = os.environ.get("ACCELERATE_DEEPSPEED_CONFIG_FILE", "none")
    if settings != "none" and not Path(settings).is_file():
        raise InputError(f"deepspeed: no file '{settings}' from here; start in the root of the repository")
    # torch 2.13 announces, at every call that DeepSpeed makes, the coming names of two collectives.
    warnings.filterwarnings("ignore", message=r"`torch\.distributed\.\w+` is deprecated", category=FutureWarning)
    if not torch.cuda.is_available():
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
        # Without it, DeepSpeed starts `numactl` at every exchange to find out how many ranks share the machine.
        os.environ.setdefault("LOCAL_SIZE", os.environ.get("LOCAL_WORLD_SIZE", "1"))


def launched_world(arguments: TrainingArguments) -> World:
    """What the launcher has set up, known before the model is loaded.

    Raises:
        InputError: one process sees several GPUs, which transformers would use as torch's DataParallel.
    """
    if arguments.n_gpu > 1:
        raise InputError(
            f"world: one process sees {arguments.n_gpu} GPUs; start one process a GPU with `accelerate launch "
            "--config_file recipes/accelerate/ddp.yaml scripts/train.py RECIPE`, or set CUDA_VISIBLE_DEVICES=0"
        )
    plugin = arguments.deepspeed_plugin
    processes = int(arguments.world_size)
    return World(
        processes=processes,
        nodes=_nodes(processes),
        backend=_backend(),
        engine=DEEPSPEED if plugin else DDP if torch.distributed.is_initialized() else NO_ENGINE,
        zero_stage=int(plugin.zero_stage) if plugin else 0,
        offload=_planned_offload(plugin),
        precision="bf16" if arguments.bf16 else "fp16" if arguments.fp16 else "fp32",
        device=arguments.device.type,
    )


def real_world(trainer: Trainer) -> World:
    """What wraps the model; known once training has begun."""
    engine = _engine(trainer.model_wrapped, trainer.model)
    zero = type(engine).__name__ == DEEPSPEED
    return World(
        processes=int(trainer.accelerator.num_processes),
        nodes=_nodes(trainer.accelerator.num_processes),
        backend=_backend(),
        engine=NO_ENGINE if engine is None else type(engine).__name__,
        zero_stage=int(engine.zero_optimization_stage()) if zero else 0,
        offload=_engine_offload(engine) if zero else "none",
        precision=_engine_precision(engine) if zero else _autocast_precision(trainer),
        device=trainer.accelerator.device.type,
    )


def check_world(
    world: World, wanted: WorldSection, launched: bool = False, environ: Mapping[str, str] = os.environ
) -> None:
    """Compare what was launched with the recipe.

    Args:
        world: from `launched_world`.
        wanted: the recipe's section; what it leaves open is the launcher's choice.
        launched: whether scripts/train.py runs, which is no way to start a single process by mistake.
        environ: of this process.

    Raises:
        InputError: they differ; the message has the command that starts what the recipe says.
    """
    for name, engine in UNSUPPORTED.items():
        if environ.get(name, "false").lower() == "true":
            raise InputError(
                f"world: {engine} is not supported; use recipes/accelerate/zero3.yaml, which shards the same"
            )
    advice = f"start it with `{launch_line(wanted, world.device)}`"
    for name in PROMISES:
        promised = environ.get(name, "")
        if promised.isdigit() and int(promised) > world.processes:
            raise InputError(f"world: {name} promises {promised} processes, found {world.processes}; {advice}")
    if launched and wanted.processes is None and world.processes == 1:
        raise InputError(f"world: scripts/train.py found 1 process; {advice}, or set world.processes=1 if one is meant")
    for name in ("processes", "zero_stage", "offload"):
        found, value = getattr(world, name), getattr(wanted, name)
        if value not in (None, found):
            raise InputError(f"world.{name}: found {found}, the recipe says {value}; {advice}")


def check_same(real: World, launched: World) -> None:
    """Compare what trains with what was launched.

    Raises:
        InputError: something was silently replaced between launcher and model.
    """
    for field in fields(World):
        found, meant = getattr(real, field.name), getattr(launched, field.name)
        if found != meant:
            raise InputError(
                f"world: {field.name} is {found}, launched was {meant}; check the file given to accelerate launch and "
                "the DeepSpeed JSON it names against recipes/accelerate"
            )


def launch_line(wanted: WorldSection, device: str) -> str:
    """The command that starts what a recipe says, on GPUs or on the CPU."""
    name = f"zero{wanted.zero_stage}" if wanted.zero_stage else "ddp"
    if wanted.offload not in (None, "none"):
        name += "_offload"
    prefix, usual = ("", 8) if device == "cuda" else ("cpu_", 2)
    count = "" if wanted.processes in (None, usual) else f" --num_processes {wanted.processes}"
    return f"accelerate launch --config_file recipes/accelerate/{prefix}{name}.yaml{count} scripts/train.py RECIPE"


def _nodes(processes: int) -> int:
    """Launchers of torch's kind tell how many ranks share a machine; a single process is told nothing."""
    return processes // int(os.environ.get("LOCAL_WORLD_SIZE", processes))


def _backend() -> str:
    return str(torch.distributed.get_backend()) if torch.distributed.is_initialized() else "none"


def _offload(optimizer: str | None, parameters: str | None) -> Offload:
    """From the devices that DeepSpeed names; None and "none" are the GPU."""
    if parameters not in (None, "none"):
        return "all"
    return "none" if optimizer in (None, "none") else "optimizer"


def _planned_offload(plugin: Any) -> Offload:
    if plugin is None:
        return "none"
    value = plugin.hf_ds_config.get_value
    return _offload(*(value(f"zero_optimization.offload_{part}.device") for part in ("optimizer", "param")))


def _engine_offload(engine: Any) -> Offload:
    parts = (engine.zero_offload_optimizer(), engine.zero_offload_param())
    return _offload(*(None if part is None else part.device for part in parts))


def _engine(wrapped: torch.nn.Module, model: torch.nn.Module) -> Any:
    """What lies around the model, or None; torch.compile's own wrapper is not meant."""
    wrapped = getattr(wrapped, "_orig_mod", wrapped)
    return None if wrapped is getattr(model, "_orig_mod", model) else wrapped


def _engine_precision(engine: Any) -> str:
    return "bf16" if engine.bfloat16_enabled() else "fp16" if engine.fp16_enabled() else "fp32"


def _autocast_precision(trainer: Trainer) -> str:
    mixed = str(trainer.accelerator.mixed_precision)
    return "fp32" if mixed == "no" else mixed
