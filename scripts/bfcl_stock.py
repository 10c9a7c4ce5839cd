"""The stock Berkeley leaderboard with a model of ours: registers it, then hands over to `bfcl`.

    pip install bfcl-eval==2026.3.23
    python scripts/bfcl_stock.py my-model xlam-1 generate --model my-model --test-category simple_python \
        --backend vllm --local-model-path runs/merged
    python scripts/bfcl_stock.py my-model xlam-1 evaluate --model my-model --test-category simple_python

Needs the whole package and, to generate, a GPU; never run by us beyond what tests/unit/evaluate checks.
"""

from __future__ import annotations

import sys

from data_pipeline.core.errors import InputError
from data_pipeline.core.variants import check_variant
from xlam_train.evaluate.bfcl.package import INSTALL
from xlam_train.evaluate.bfcl.stock_handler import register


def main(arguments: list[str]) -> int:
    """Name, variant, and what `bfcl` is to do."""
    if len(arguments) < 3:
        raise InputError("bfcl_stock.py NAME VARIANT COMMAND ...: see the head of this file")
    name, variant, *rest = arguments
    try:
        register(name, check_variant(variant))
        from bfcl_eval.__main__ import cli
    except ImportError as error:
        whole = INSTALL.replace("--no-deps ", "")
        raise InputError(f"bfcl_stock.py needs the whole leaderboard package ({error}); {whole}") from error
    cli(rest)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except InputError as error:
        print(f"bfcl_stock: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
