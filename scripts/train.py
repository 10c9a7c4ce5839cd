"""Train from a recipe: what `accelerate launch` and Slurm start; `xlam train` in one process does the same.

accelerate launch scripts/train.py RECIPE [key=value ...]
"""

import sys

from xlam_train.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
