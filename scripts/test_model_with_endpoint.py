"""The model card's weather example, put to an OpenAI-compatible server on this machine, such as vLLM or llama-server.

    python scripts/test_model_with_endpoint.py --model_name NAME --port PORT \\
        [--temperature 0.3 --top_p 1.0 --max_tokens 512]

Exit code 1 if the answer is not in the prompt format, 2 if the server cannot be used.
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
    parser.add_argument("--model_name", required=True, help="the server's name of the model")
    parser.add_argument("--port", required=True, type=int, help="of the server on 127.0.0.1")
    parser.add_argument("--temperature", type=float, default=0.3, help="0 takes the likeliest token (default: 0.3)")
    parser.add_argument("--top_p", type=float, default=1.0, help="probability to sample from (default: 1.0)")
    parser.add_argument("--max_tokens", type=int, default=512, help="most tokens of the answer (default: 512)")
    given = parser.parse_args()
    url = f"http://127.0.0.1:{given.port}/v1#{given.model_name}"
    sampling = {name: getattr(given, name) for name in ("temperature", "top_p", "max_tokens")}
    return report_errors(lambda: ask(lambda: open_backend(url), **sampling))


if __name__ == "__main__":
    sys.exit(main())
