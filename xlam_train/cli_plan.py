"""The command `xlam plan`: will a recipe fit, on which layout, and how long does it take?"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from data_pipeline.core.errors import CheckFailed
from xlam_train.cli_parts import add_command, add_overrides, print_json

UNITS = {"GB": 1e9, "GIB": 2**30}


def add_plan(commands: Any) -> None:
    """`xlam plan RECIPE --gpus N --gpu-memory 80GB`."""
    text = "count memory and hours of a recipe on GPUs, and choose the layout; fails if nothing fits"
    example = "xlam plan recipes/sft/xlam-7b-fc-r.yaml --gpus 8 --gpu-memory 80GB"
    parser = add_command(commands, "plan", text, example, _plan)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--gpus", type=_positive, default=8, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--gpu-memory", type=_bytes, default="80GB", metavar="SIZE", help="of one, such as 80GB; default: %(default)s"
    )
    text = "of a machine with up to 8 GPUs, for what is offloaded; default: %(default)s"
    parser.add_argument("--host-memory", type=_bytes, default="1000GB", metavar="SIZE", help=text)
    parser.add_argument("--gpu", default="h100", metavar="NAME", help="whose peak counts; default: %(default)s")
    parser.add_argument("--gpu-tflops", type=_above_zero, metavar="TFLOPS", help="peak of a GPU that has no name here")
    parser.add_argument(
        "--mfu", type=_above_zero, default=0.4, metavar="SHARE", help="share of the peak reached; default: %(default)s"
    )
    parser.add_argument("--samples", type=_positive, metavar="N", help="of the dataset; default: those of data.path")
    add_overrides(parser)


def _plan(arguments: argparse.Namespace) -> None:
    from data_pipeline.core.settings import load_settings
    from data_pipeline.report.console import console, table
    from xlam_train.plan.plan import Hardware, make_plan
    from xlam_train.plan.report import facts, memory_sheet
    from xlam_train.recipe import TrainRecipe

    recipe = load_settings(TrainRecipe, arguments.recipe, arguments.overrides)
    tflops = arguments.gpu_tflops or _peak(arguments.gpu, recipe.precision)
    hardware = Hardware(arguments.gpus, arguments.gpu_memory, tflops, arguments.mfu, arguments.host_memory)
    plan = make_plan(recipe, hardware, arguments.samples)
    command = plan.command(str(arguments.recipe), tuple(arguments.overrides))
    if arguments.json:
        print_json({**plan.to_dict(), "command": command or None})
    for name, value in facts(plan):
        console().print(f"{name:16}{value}", soft_wrap=True, highlight=False, markup=False)
    sheet = memory_sheet(plan)
    console().print(table(sheet.title, sheet.columns, sheet.rows))
    if plan.chosen is None:
        helps = "; ".join(plan.remedies) or "nothing that was tried; take a smaller base"
        raise CheckFailed(f"{arguments.recipe}: does not fit on {arguments.gpus} GPUs; what would: {helps}")
    console().print(f"Start it with:\n{command}", soft_wrap=True, highlight=False, markup=False)


def _peak(name: str, precision: str) -> float:
    from data_pipeline.core.errors import InputError, nearest
    from xlam_train.plan.speed import PEAKS

    if name.lower() not in PEAKS:
        raise InputError(f"--gpu: unknown '{name}'; {nearest(name, list(PEAKS))}, or give its peak by --gpu-tflops")
    peak = PEAKS[name.lower()]
    return peak.single if precision == "fp32" else peak.half


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number above 0")
    return int(text)


def _above_zero(text: str) -> float:
    if not re.fullmatch(r"\d*\.?\d+", text) or float(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no number above 0")
    return float(text)


def _bytes(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(GB|GiB)", text, re.IGNORECASE)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is no size; write it as 80GB or 80GiB")
    return float(found[1]) * UNITS[found[2].upper()]
