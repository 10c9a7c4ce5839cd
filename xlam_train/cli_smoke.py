"""The command `xlam smoke`: is a model fit to be served, and is it still the one that it was made of?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.variants import VARIANTS
from xlam_train.cli_parts import (
    SOURCE_HELP,
    add_command,
    add_source_options,
    libraries_on_stderr,
    print_json,
    share,
)

if TYPE_CHECKING:
    from data_pipeline.core.schema import Trajectory
    from data_pipeline.tools.executor import Executor

FRESH_SAMPLES = 20


def add_smoke(commands: Any) -> None:
    """`xlam smoke MODEL`."""
    text = "ask a model queries of every style, execute its calls, look at its file, and fail below a bar"
    example = "xlam smoke runs/quickstart/model-q8_0.gguf --against runs/quickstart/merged"
    parser = add_command(commands, "smoke", text, example, _smoke)
    parser.add_argument(
        "model", metavar="MODEL", help="Hugging Face folder | file.gguf | http://HOST:PORT/v1 | vllm:PATH"
    )
    text = f"{SOURCE_HELP}; fresh queries on these tools instead of the fixed set; may be repeated"
    parser.add_argument("--tools", action="append", metavar="SOURCE", help=text)
    add_source_options(parser)
    parser.add_argument("--against", metavar="MODEL", help="the artefact it was made of, asked the same")
    text = f"queries to ask; default: the fixed set, or {FRESH_SAMPLES} fresh ones"
    parser.add_argument("--samples", type=int, metavar="N", help=text)
    parser.add_argument("--constrained", action="store_true", help="let nothing but valid answers out")
    parser.add_argument("--variant", choices=VARIANTS, default="xlam-1", help="prompt variant; default: %(default)s")
    text = "least share of valid, exact, executed answers; default: %(default)s"
    parser.add_argument("--min-exact", type=share, default=0.5, metavar="X", help=text)
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write every measure and answer here")


def _smoke(arguments: argparse.Namespace) -> None:
    from data_pipeline.core.jsonl import write_json
    from data_pipeline.report.console import console

    with libraries_on_stderr():
        from xlam_train.infer.smoke import Asking, run_smoke_test

    samples, executor = _samples(arguments)
    asking = Asking(arguments.variant, constrained=arguments.constrained)
    with libraries_on_stderr(), executor:
        test = run_smoke_test(arguments.model, samples, executor, asking, arguments.min_exact, arguments.against)
    if arguments.out is not None:
        write_json(arguments.out, test.to_dict())
    if arguments.json:
        print_json(test.to_dict())
    console().print(test.show())
    test.require()


def _samples(arguments: argparse.Namespace) -> tuple[list[Trajectory], Executor]:
    """The fixed set, or fresh queries on the user's tools, with what runs their calls."""
    from data_pipeline.recipe import DataRecipe
    from data_pipeline.run import fresh_samples, tool_pool
    from data_pipeline.tools.executor import Executor
    from xlam_train.infer.smoke_set import fixed_samples

    if arguments.tools is None:
        return fixed_samples(arguments.samples), Executor()
    count = arguments.samples or FRESH_SAMPLES
    # A few queries a tool set: backends reuse the prefix that they share.
    recipe = DataRecipe(
        tools=arguments.tools,
        require_sandbox=arguments.require_sandbox,
        allow_write=arguments.allow_write,
        allow_hosts=arguments.allow_host,
        seed=99,
        shards=count,
        tool_sets_per_shard=1,
        queries_per_tool_set=4,
    )
    return fresh_samples(recipe, count), tool_pool(recipe).executor()
