"""Train from a recipe: what `accelerate launch` and Slurm start.

accelerate launch --config_file recipes/accelerate/ddp.yaml scripts/train.py RECIPE [key=value ...]
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from data_pipeline.core.errors import InputError, XlamError
from data_pipeline.core.settings import load_settings
from xlam_train.recipe import TrainRecipe


def main(arguments: list[str]) -> int:
    """Train and print the report as JSON; the exit code is that of `xlam train`."""
    try:
        if not arguments:
            raise InputError("give a recipe: scripts/train.py recipes/lora/smollm2-135m.yaml [key=value ...]")
        recipe = load_settings(TrainRecipe, Path(arguments[0]), arguments[1:])
        from accelerate import PartialState  # torch takes seconds; a wrong recipe is told before

        from xlam_train.sft import run_sft

        report = run_sft(recipe)
        if PartialState().is_main_process:
            print(json.dumps(asdict(report)))
    except XlamError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
