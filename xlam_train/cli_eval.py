"""The commands `xlam eval bfcl|heldout`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_pipeline.core.errors import CheckFailed, InputError
from data_pipeline.core.variants import CONVERSIONS, VARIANTS
from xlam_train.cli_parts import add_command, print_json, share
from xlam_train.evaluate.bfcl.prompting import PROMPTINGS


def add_eval(commands: Any) -> None:
    """Both."""
    text = "ask a model the Berkeley leaderboard's questions and score the answers as the leaderboard does"
    example = "xlam eval bfcl runs/quickstart/model-q8_0.gguf --category core --sample 50 --out runs/bfcl"
    parser = add_command(commands, "bfcl", text, example, _bfcl)
    parser.add_argument(
        "model", metavar="MODEL", help="Hugging Face folder, .gguf file, http://HOST:PORT/v1, vllm:PATH"
    )
    text = "a category, or all | live | non_live | multi_turn | core; may be repeated; default: core"
    parser.add_argument("--category", action="append", metavar="NAME", help=text)
    text = "so many of each category, always the same ones; default: all"
    parser.add_argument("--sample", type=_positive, metavar="N", help=text)
    text = "who writes the prompt: a variant here, or the artefact's chat template; default: %(default)s"
    parser.add_argument("--prompt", choices=PROMPTINGS, default="xlam-1", help=text)
    parser.add_argument(
        "--max-tokens", type=_positive, default=512, metavar="N", help="of an answer; default: %(default)s"
    )
    text = "only valid calls can come out (a grammar of the tools on offer); the leaderboard asks that of nobody"
    parser.add_argument("--constrained", action="store_true", help=text)
    parser.add_argument("--out", type=Path, default=Path("runs/bfcl"), help="default: %(default)s")
    parser.add_argument(
        "--min-ast", type=share, default=0.0, help="least mean of the AST categories in Python; default: %(default)s"
    )
    text = "ask a model the queries of a held-out dataset and compare its calls with the expected ones"
    example = "xlam eval heldout runs/quickstart/model-q8_0.gguf runs/quickstart/data/unseen"
    parser = add_command(commands, "heldout", text, example, _heldout)
    parser.add_argument("model", metavar="MODEL", help="as for bfcl")
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder that `xlam data generate` made")
    parser.add_argument("--compare", metavar="MODEL", help="a second model, on the same samples, with a paired test")
    text = "dataset of the training: tells seen tools from unseen ones"
    parser.add_argument("--trained-on", type=Path, metavar="DATASET", help=text)
    parser.add_argument("--samples", type=_positive, metavar="N", help="only the first so many; default: all")
    text = "prompt variant of questions and answers; default: %(default)s"
    parser.add_argument("--variant", choices=VARIANTS, default="xlam-1", help=text)
    text = "how tools stand in the prompt, as the training recipe's data.conversion; default: %(default)s"
    parser.add_argument("--conversion", choices=CONVERSIONS, default="card", help=text)
    text = "a folder below it keeps the answers, so that the same command goes on; default: %(default)s"
    parser.add_argument("--out", type=Path, default=Path("runs/heldout"), help=text)
    parser.add_argument(
        "--min-exact", type=share, default=0.0, help="least share of exact answers; default: %(default)s"
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _bfcl(arguments: argparse.Namespace) -> None:
    from data_pipeline.core.jsonl import write_atomic, write_json
    from data_pipeline.report.console import console
    from xlam_train.evaluate.bfcl import report as pages
    from xlam_train.evaluate.bfcl.run import run_bfcl

    categories = arguments.category or ["core"]
    report, result = run_bfcl(
        arguments.model,
        categories,
        arguments.prompt,
        arguments.max_tokens,
        arguments.sample,
        arguments.out,
        arguments.constrained,
    )
    write_json(arguments.out / "scores.json", result)
    differences = result["differences"]
    # A server's own name for its model stands where others have their weights.
    name = result["run"]["weights"] if "://" in arguments.model else Path(arguments.model).name
    write_atomic(arguments.out / "scores.svg", pages.bar_chart(report, name, differences).encode())
    if arguments.json:
        print_json(result)
    july = pages.july_table(report, name) or "Beside the models published in July 2024: --category non_live."
    for shown in (pages.category_table(report), *pages.trouble_lines(report), july):
        console().print(shown)
    console().print("Differs from July 2024:", *differences, soft_wrap=True)
    console().print(f"Answers, scores.json and scores.svg: {arguments.out}", soft_wrap=True)
    report.check_ast_mean(arguments.model, arguments.min_ast)


def _heldout(arguments: argparse.Namespace) -> None:
    from itertools import islice

    from data_pipeline.core.dataset import read_dataset
    from data_pipeline.report.console import console
    from xlam_train.evaluate import comparison
    from xlam_train.evaluate.heldout import score
    from xlam_train.evaluate.heldout_run import run_heldout

    samples = list(islice(read_dataset(arguments.dataset), arguments.samples))
    if not samples:
        raise InputError(f"{arguments.dataset}: holds no samples")
    known = None
    if arguments.trained_on is not None:
        known = frozenset(tool.name for sample in read_dataset(arguments.trained_on) for tool in sample.tools)
    result: dict[str, Any] = {"dataset": str(arguments.dataset)}
    outcomes = []
    models = list(filter(None, (arguments.model, arguments.compare)))
    asked = run_heldout(models, arguments.dataset, samples, arguments.variant, arguments.conversion, arguments.out)
    for model, found in zip(models, asked, strict=True):
        outcomes.append(found)
        groups = comparison.group_outcomes(samples, found, arguments.variant, known)
        result[model] = {
            "score": asdict(score(found)),
            "groups": comparison.as_dict(groups),
            "outcomes": [asdict(outcome) for outcome in found],
        }
        console().print(comparison.group_table(f"{model} on {arguments.dataset}", groups))
    if arguments.compare is not None:
        compared = comparison.compare_outcomes(*outcomes)
        result["comparison"] = asdict(compared)
        console().print(compared.sentence(arguments.model, arguments.compare), soft_wrap=True)
    if arguments.json:
        print_json(result)
    exact = sum(outcome.exact for outcome in outcomes[0]) / len(samples)
    if exact < arguments.min_exact:
        raise CheckFailed(f"{arguments.model}: {exact:.0%} exactly right, below {arguments.min_exact:.0%}")
