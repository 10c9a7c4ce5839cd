"""The command line: `xlam ...`. Parses, dispatches, and turns errors into one line and an exit code.

Commands import what they need when they run, so that `xlam --help` answers at once.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_pipeline.core.errors import CheckFailed, InputError, XlamError
from xlam_train.cli_data import add_data
from xlam_train.cli_eval import add_eval
from xlam_train.cli_export import add_export
from xlam_train.cli_parts import (
    add_command,
    add_group,
    add_overrides,
    add_source,
    libraries_on_stderr,
    print_json,
    source_options,
)
from xlam_train.cli_plan import add_plan
from xlam_train.cli_smoke import add_smoke

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the work failed, 2 wrong input, 130 interrupted."""
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    # argparse stops filling `key=value ...` at the first option; those behind one are still overrides.
    stray = [word for word in rest if word.startswith("-") or "=" not in word]
    if rest and (stray or not hasattr(arguments, "overrides")):
        parser.error(f"unrecognized arguments: {' '.join(stray or rest)}")
    if rest:
        arguments.overrides += rest
    return report_errors(lambda: arguments.run(arguments))


def report_errors(work: Callable[[], None]) -> int:
    """Run `work`; expected errors become one line on stderr and their exit code."""
    try:
        work()
        sys.stdout.flush()
    except XlamError as error:
        print(f"xlam: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        print("xlam: interrupted; run the same command again to go on", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout has gone, as in `xlam data show | head`; leave nothing for the flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"xlam: {where}no space left on the disk; free some and run the same command again", file=sys.stderr)  # noqa: T201
        return InputError.exit_code
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The whole command tree."""
    parser = argparse.ArgumentParser(
        prog="xlam",
        description="Give it tools, and it gives back a small model that calls them, with the proof.",
        epilog="Example: xlam quickstart",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_quickstart(commands)
    _add_tools(add_group(commands, "tools", "look at tools and call them"))
    add_data(add_group(commands, "data", "generate, check, convert and look at training data"))
    _add_train(commands)
    add_plan(commands)
    add_export(add_group(commands, "export", "turn an adapter into weights for serving"))
    add_smoke(commands)
    add_eval(add_group(commands, "eval", "score a model: the Berkeley leaderboard, held-out data"))
    return parser


def _add_quickstart(commands: Any) -> None:
    text = "generate data, fine-tune, export and smoke-test a small model on this machine"
    parser = add_command(commands, "quickstart", text, "xlam quickstart --out runs/quickstart", _quickstart)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/quickstart.yaml"), help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("runs/quickstart"), help="default: %(default)s")
    add_overrides(parser)


def _quickstart(arguments: argparse.Namespace) -> None:
    from data_pipeline.core.settings import load_settings
    from xlam_train.quickstart import QuickstartRecipe, run_quickstart

    recipe = load_settings(QuickstartRecipe, arguments.recipe, arguments.overrides)
    with libraries_on_stderr():
        summary = run_quickstart(recipe, arguments.out)
    if arguments.json:
        print_json(summary)


def _add_tools(commands: Any) -> None:
    parser = add_command(commands, "list", "one line a tool", "xlam tools list bundled:finance", _tools_list)
    add_source(parser)
    example = "xlam tools show bundled calculate_loan_installment"
    parser = add_command(commands, "show", "a tool's schema", example, _tools_show)
    add_source(parser)
    parser.add_argument("name")
    example = """xlam tools call bundled write_integer_in_base '{"number": 10, "base": 2}'"""
    parser = add_command(commands, "call", "execute one call", example, _tools_call)
    add_source(parser)
    parser.add_argument("name")
    parser.add_argument("arguments", help="a JSON object")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds the call may take; default: %(default)s")


def _open(arguments: argparse.Namespace) -> Any:
    from data_pipeline.tools.pool import open_pool

    return open_pool([arguments.source], source_options(arguments))


def _tools_list(arguments: argparse.Namespace) -> None:
    pool = _open(arguments)
    with pool.executor():  # ends what listing has started
        if arguments.json:
            print_json([tool.to_openai() for tool in pool.tools])
            return
        for tool in pool.tools:
            print(f"{tool.topic:24} {tool.name:34} {tool.description}")  # noqa: T201
        for refusal in pool.refused:
            print(f"left out: {refusal.name}: {refusal.reason}", file=sys.stderr)  # noqa: T201


def _find_tool(arguments: argparse.Namespace, pool: Any) -> Any:
    from data_pipeline.core.errors import nearest

    tools = {tool.name: tool for tool in pool.tools}
    if arguments.name not in tools:
        refused = {refusal.name: refusal.reason for refusal in pool.refused}
        why = refused.get(arguments.name) or nearest(arguments.name, tools)
        raise InputError(f"no tool '{arguments.name}' in {arguments.source}; {why}")
    return tools[arguments.name]


def _tools_show(arguments: argparse.Namespace) -> None:
    pool = _open(arguments)
    with pool.executor():
        print_json(_find_tool(arguments, pool).to_openai())


def _tools_call(arguments: argparse.Namespace) -> None:
    try:
        values = json.loads(arguments.arguments)
    except json.JSONDecodeError as error:
        raise InputError(f"arguments: not valid JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(values, dict):
        raise InputError("arguments: expected a JSON object of parameter names and values")
    pool = _open(arguments)
    with pool.executor(arguments.timeout) as executor:
        tool = _find_tool(arguments, pool)
        done = executor.call(tool, values)
    if arguments.json or done.status == "ok":
        print_json(asdict(done) if arguments.json else done.result)
    if done.status == "bad_arguments":
        raise InputError(f"{tool.name}: {done.error}")
    if done.status != "ok":
        raise CheckFailed(f"{tool.name}: {done.status}: {done.error}")


def _add_train(commands: Any) -> None:
    text = "fine-tune by a recipe in this process; for several: accelerate launch scripts/train.py RECIPE"
    example = "xlam train recipes/lora/smollm2-135m.yaml data.path=runs/data"
    parser = add_command(commands, "train", text, example, _train)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--launched", action="store_true", help="a launcher started this process: refuse to be alone")
    add_overrides(parser)


def _train(arguments: argparse.Namespace) -> None:
    from data_pipeline.core.settings import load_settings
    from xlam_train.recipe import TrainRecipe
    from xlam_train.waiting import wait_briefly

    recipe = load_settings(TrainRecipe, arguments.recipe, arguments.overrides)
    wait_briefly()
    with libraries_on_stderr():
        from accelerate import PartialState  # torch takes seconds; a wrong recipe is told before

        from xlam_train.quantize import leave_out_bitsandbytes, silence_kernel_notice

        if recipe.method == "qlora":
            silence_kernel_notice()
        else:
            leave_out_bitsandbytes()
        from xlam_train.training import run_training

        report = asdict(run_training(recipe, arguments.launched))
    if PartialState().is_main_process:
        print_json(report)


if __name__ == "__main__":
    sys.exit(main())
