"""Train from a recipe: what `accelerate launch` and Slurm start; `xlam train` does the same in one process.

    accelerate launch --config_file recipes/accelerate/FILE.yaml scripts/train.py RECIPE [key=value ...]

A process that finds itself alone stops, since it was to be one of several; world.processes=1 says that it was not.
"""

import sys

from xlam_train.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "--launched", *sys.argv[1:]]))
