"""What commands are made of: their parser with help and example, the options several share, and JSON on stdout."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import AbstractContextManager, redirect_stdout
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_pipeline.tools.source import SourceOptions

SOURCE_HELP = (
    "bundled[:DOMAIN] | python:FILE_OR_MODULE | openapi:FILE_OR_URL[@BASE_URL] | mcp:COMMAND_OR_URL | "
    "discovery[:SERVICE.VERSION] | composed:COUNT | json:FILE"
)


def add_group(commands: Any, name: str, text: str) -> Any:
    """A command that only holds others."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    return parser.add_subparsers(required=True, metavar="COMMAND")


def add_command(
    commands: Any, name: str, text: str, example: str, run: Callable[[argparse.Namespace], None]
) -> argparse.ArgumentParser:
    """A command with `--json`, whose help ends with an example."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, epilog=f"Example: {example}"
    )
    parser.add_argument("--json", action="store_true", help="print a machine-readable result on stdout")
    parser.set_defaults(run=run)
    return parser


def share(text: str) -> float:
    """An option's value in 0..1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share from 0 to 1, such as 0.55")
    return value


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """`key=value ...` behind a recipe."""
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="override a key of the recipe")


def add_source(parser: argparse.ArgumentParser) -> None:
    """SOURCE, and what it is allowed."""
    parser.add_argument("source", metavar="SOURCE", help=SOURCE_HELP)
    add_source_options(parser)


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """What tool sources are allowed."""
    text = "offer REST operations that change things, too, and run MCP tools that may change something"
    parser.add_argument("--allow-write", action="store_true", help=text)
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="HOST", help="a further host REST calls may reach"
    )
    parser.add_argument(
        "--require-sandbox",
        choices=("strict", "partial", "limits"),
        default="strict",
        help="least level at which code from outside runs; default: %(default)s",
    )


def source_options(arguments: argparse.Namespace) -> SourceOptions:
    """What was allowed on the command line."""
    from data_pipeline.tools.source import SourceOptions

    return SourceOptions(arguments.require_sandbox, arguments.allow_write, tuple(arguments.allow_host))


def print_json(value: object) -> None:
    """A machine-readable result."""
    print(json.dumps(value, indent=2, default=str))  # noqa: T201


def libraries_on_stderr() -> AbstractContextManager[object]:
    """Keep stdout for the result: libraries that log there (DeepSpeed, on import) go to stderr."""
    return redirect_stdout(sys.stderr)
