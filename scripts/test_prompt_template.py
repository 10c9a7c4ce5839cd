"""Build the prompt of the model card's weather example, let a model answer it, print prompt, answer and calls.

    python scripts/test_prompt_template.py --model PATH

PATH is a merged Hugging Face folder, answered by transformers, or a .gguf file, answered by llama.cpp. Exit code 1 if
the answer is not in the prompt format.
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
    parser.add_argument("--model", required=True, help="Hugging Face folder or .gguf file")
    model = parser.parse_args().model
    return report_errors(lambda: ask(lambda: open_backend(model)))


if __name__ == "__main__":
    sys.exit(main())
