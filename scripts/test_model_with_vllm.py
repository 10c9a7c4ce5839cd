"""The model card's weather example in vLLM, in this process: needs a GPU and the extra `vllm`.

    python scripts/test_model_with_vllm.py --model PATH

Exit code 1 if the answer is not in the prompt format.
"""

from __future__ import annotations

import argparse
import sys

from weather_example import ask

from xlam_train.cli import report_errors
from xlam_train.infer.opening import open_backend


def main() -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="Hugging Face folder")
    model = parser.parse_args().model
    return report_errors(lambda: ask(lambda: open_backend(f"vllm:{model}")))


if __name__ == "__main__":
    sys.exit(main())
