"""The commands of `xlam data`: generate, check, convert, prefer, show, report."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import CheckFailed
from xlam_train.cli_parts import (
    SOURCE_HELP,
    add_command,
    add_overrides,
    add_source_options,
    print_json,
    source_options,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data_pipeline.core.schema import Trajectory

FORMATS = ("xlam-60k", "openai", "dataset")


def add_data(commands: Any) -> None:
    """All commands of `xlam data`."""
    _add_generate(commands)
    _add_check(commands)
    _add_convert(commands)
    _add_prefer(commands)
    _add_show(commands)
    text = "write the dataset card, README.md, and print the funnel"
    parser = add_command(commands, "report", text, "xlam data report runs/data", _report)
    parser.add_argument("path", type=Path, metavar="DIR", help="a dataset folder")


def _add_generate(commands: Any) -> None:
    text = "generate and verify a dataset; the same command again goes on where it stopped"
    example = "xlam data generate recipes/data/bundled.yaml --out runs/data"
    parser = add_command(commands, "generate", text, example, _generate)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the dataset folder")
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="where shards are made; default: %(default)s"
    )
    help_text = "processes of the local engine; default: as many as cores"
    parser.add_argument("--workers", type=_positive, metavar="N", help=help_text)
    parser.add_argument("--ray-address", metavar="ADDRESS", help="of the Ray cluster; default: the one Ray finds")
    add_overrides(parser)


def _add_prefer(commands: Any) -> None:
    text = "make preference pairs of a dataset: its answers against plausible wrong ones, without a model"
    parser = add_command(commands, "prefer", text, "xlam data prefer runs/data --out runs/pairs", _prefer)
    parser.add_argument("path", type=Path, metavar="DIR", help="a dataset folder")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the pairs")
    parser.add_argument("--seed", type=int, default=0, help="of the wrong answers; default: %(default)s")


def _prefer(arguments: argparse.Namespace) -> None:
    from data_pipeline.curate.preferences import write_preferences

    counts = dict(sorted(write_preferences(arguments.path, arguments.out, arguments.seed).items()))
    if arguments.json:
        print_json(counts)
        return
    for fault, count in counts.items():
        print(f"{fault:20} {count:8,}")  # noqa: T201


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number above 0")
    return int(text)


def _generate(arguments: argparse.Namespace) -> None:
    from data_pipeline.core.settings import load_settings
    from data_pipeline.recipe import DataRecipe
    from data_pipeline.report.card import generator_name
    from data_pipeline.report.console import console
    from data_pipeline.run import generate

    recipe = load_settings(DataRecipe, arguments.recipe, arguments.overrides)
    funnel = generate(
        recipe,
        arguments.out,
        engine=arguments.engine,
        workers=arguments.workers,
        ray_address=arguments.ray_address,
    )
    if arguments.json:
        print_json(funnel.to_dict())
    console().print(funnel.to_table(f"{arguments.out}: {funnel.accepted} of {funnel.drafted} samples accepted"))
    console().print(funnel.to_pass_table(generator_name({"recipe": recipe.model_dump(mode="json")})))


def _add_check(commands: Any) -> None:
    text = "the three checks (format, execution, semantic) over data made elsewhere"
    example = "xlam data check theirs.jsonl --tools python:./tools.py --out runs/checked"
    parser = add_command(commands, "check", text, example, _check)
    parser.add_argument("file", type=Path, metavar="FILE", help="JSON lines, a JSON list, or a dataset folder")
    help_text = f"{SOURCE_HELP}; calls of its tools are executed; without, none is; may be repeated"
    parser.add_argument("--tools", action="append", default=[], metavar="SOURCE", help=help_text)
    parser.add_argument(
        "--from", dest="format", choices=("auto", *FORMATS), default="auto", help="format; default: %(default)s"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write accepted and refused samples as a dataset")
    parser.add_argument("--limit", type=int, default=20, help="refused samples to list, default: %(default)s")
    add_source_options(parser)


def _check(arguments: argparse.Namespace) -> None:
    from data_pipeline.check import check_file
    from data_pipeline.report.console import console

    report = check_file(
        arguments.file,
        format_name=arguments.format,
        sources=arguments.tools,
        options=source_options(arguments),
        out=arguments.out,
        listed=arguments.limit,
    )
    funnel = report.funnel
    if arguments.json:
        print_json(report.to_dict())
    else:
        _print_lines(entry.in_words() for entry in report.refused)
        unlisted = funnel.drafted - funnel.accepted - len(report.refused)
        if unlisted:
            where = f"all are in {arguments.out / 'refused.jsonl'}" if arguments.out else "--limit lists more"
            _print_lines([f"... and {unlisted} more; {where}"])
    console().print(funnel.to_table(f"{arguments.file}: {funnel.accepted} of {funnel.drafted} samples accepted"))
    console().print(funnel.to_pass_table(arguments.file.name))
    if report.differing:
        told = ", ".join(f"{name} {number}" for name, number in report.differing.most_common())
        print(f"executed with another schema than the samples' (samples): {told}", file=sys.stderr)  # noqa: T201
    if not funnel.accepted:
        raise CheckFailed(f"{arguments.file}: none of {funnel.drafted} samples was accepted")


def _add_convert(commands: Any) -> None:
    text = "write a dataset in another format; nothing is checked"
    example = "xlam data convert --from dataset --to xlam-60k runs/data runs/data.json"
    parser = add_command(commands, "convert", text, example, _convert)
    parser.add_argument(
        "--from", dest="source", choices=("auto", *FORMATS), default="auto", help="default: %(default)s"
    )
    parser.add_argument("--to", dest="target", choices=FORMATS, required=True)
    parser.add_argument("input", type=Path, metavar="IN", help="JSON lines, a JSON list, or a dataset folder")
    parser.add_argument("output", type=Path, metavar="OUT", help="a .jsonl or .json file; a folder for 'dataset'")


def _convert(arguments: argparse.Namespace) -> None:
    from data_pipeline.convert.convert import convert

    done = convert(arguments.input, arguments.source, arguments.output, arguments.target)
    if arguments.json:
        print_json(done.to_dict())
    for line in done.unread:
        print(f"{line.path}:{line.line}: {line.reason}: {line.detail}", file=sys.stderr)  # noqa: T201
    reasons = ", ".join(f"{reason} {number}" for reason, number in done.reasons.most_common())
    told = f"{done.written} samples written to {arguments.output}" + (f"; not read: {reasons}" if reasons else "")
    print(told, file=sys.stderr)  # noqa: T201
    if not done.written:
        raise CheckFailed(f"{arguments.input}: no sample could be read")


def _add_show(commands: Any) -> None:
    text = "print samples in words"
    example = "xlam data show runs/data --rejects --reason value_not_grounded"
    parser = add_command(commands, "show", text, example, _show)
    parser.add_argument("path", type=Path, help="a dataset folder")
    parser.add_argument("--rejects", action="store_true", help="show what the checks refused, and why")
    parser.add_argument("--reason", help="only this reason code")
    parser.add_argument("--limit", type=int, default=10, help="samples to show, default: %(default)s")


def _show(arguments: argparse.Namespace) -> None:
    from data_pipeline.core.dataset import read_dataset, read_rejects

    samples = read_rejects(arguments.path) if arguments.rejects else read_dataset(arguments.path)
    shown = 0
    for sample in samples:
        failed = sample.failed
        if arguments.reason and (failed is None or failed.reason != arguments.reason):
            continue
        if shown == arguments.limit:
            break
        shown += 1
        _print_lines([sample.to_json()] if arguments.json else _in_words(sample))


def _in_words(sample: Trajectory) -> Iterable[str]:
    from data_pipeline.core.xlam_format import render_answer
    from data_pipeline.reasons import REASONS

    yield f"{sample.id} {sample.style}"
    yield f"  offered: {', '.join(tool.name for tool in sample.tools)}"
    yield f"  query:   {sample.query}"
    yield f"  answer:  {render_answer(sample.calls)}"
    yield from (f"  result:  {result}" for result in sample.results)
    if sample.incomplete:
        yield f"  lacking: {json.dumps(sample.incomplete.to_dict())}"
    if sample.origin:
        stated = sample.origin.to_dict().items()
        yield f"  origin:  {', '.join(f'{name} {value}' for name, value in stated)}"
    if sample.failed:
        yield f"  refused: {sample.failed.stage}: {sample.failed.reason}: {sample.failed.detail}"
        yield f"  meaning: {REASONS[sample.failed.stage].get(sample.failed.reason, 'not of this version')}"


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)  # noqa: T201


def _report(arguments: argparse.Namespace) -> None:
    from data_pipeline.report.card import read_funnel, write_card
    from data_pipeline.report.console import console

    path = write_card(arguments.path)
    funnel = read_funnel(arguments.path)
    if arguments.json:
        print_json(funnel.to_dict())
    console().print(funnel.to_table(f"{path}: {funnel.accepted} of {funnel.drafted} samples accepted"))
