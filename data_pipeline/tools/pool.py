"""The tools of all sources together: one name a tool, nothing twice, nothing that cannot be used."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from data_pipeline.tools.executor import CALL_SECONDS, Executor, is_executable
from data_pipeline.tools.runner import Refusal
from data_pipeline.tools.sandbox import best_level
from data_pipeline.tools.source import SourceOptions, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from data_pipeline.core.schema import Tool
    from data_pipeline.tools.runner import Provenance, Runner

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pool:
    """Tools that may be offered together.

    Attributes:
        tools: each under a name of its own, in the order of the sources.
        refused: what is not in, with the reason.
        renamed: pool name -> (source, the name its source knows it by), where another tool had the name first.
        sources: where the tools came from.
        runners: a tool's `source` -> what runs it.
    """

    tools: tuple[Tool, ...]
    refused: tuple[Refusal, ...] = ()
    renamed: dict[str, tuple[str, str]] = field(default_factory=dict)
    sources: tuple[Provenance, ...] = ()
    runners: dict[str, Runner] = field(default_factory=dict)

    def executor(self, timeout_seconds: float = CALL_SECONDS) -> Executor:
        """What runs the pool's tools; closing it ends the runners."""
        return Executor(self.runners, timeout_seconds, {name: known for name, (_, known) in self.renamed.items()})

    def provenance(self) -> dict[str, Any]:
        """For the record beside a dataset: sources, what was left out, and what stood around the tools."""
        outside = any(entry.executable and not entry.source.startswith("bundled") for entry in self.sources)
        return {
            "sources": [vars(entry) for entry in self.sources],
            "refused": [vars(entry) for entry in self.refused],
            "renamed": {name: list(known) for name, known in self.renamed.items()},
            "sandbox": (best_level() if outside else best_level().without_namespaces()).to_dict(),
        }


def open_pool(sources: Iterable[str], options: SourceOptions | None = None) -> Pool:
    """Open every source and merge them.

    A tool that is the same as an earlier one, to the last word of its schema, is dropped; one that only has
    the same name is renamed `name_2`, and both are told. So is what a source remarks on its tools.

    Raises:
        InputError: a source cannot be opened.
    """
    opened = [open_source(source, options) for source in sources]
    for found in opened:
        if found.provenance.remark:
            _tell(found.provenance.remark)
    tools: dict[str, Tool] = {}
    seen: dict[str, Tool] = {}
    refused = [refusal for found in opened for refusal in found.refused]
    renamed: dict[str, tuple[str, str]] = {}
    for tool in (tool for found in opened for tool in found.tools):
        fingerprint = tool.fingerprint
        if fingerprint in seen:
            refused.append(Refusal(tool.name, f"{tool.source}: the same as in {seen[fingerprint].source}"))
            continue
        seen[fingerprint] = tool
        name = _free_name(tool.name, tools)
        if name != tool.name:
            renamed[name] = tool.source, tool.name
        tools[name] = tool if name == tool.name else tool.model_copy(update={"name": name})
    runners = {tool.source: found.runner for found in opened if found.runner is not None for tool in found.tools}
    provenance = tuple(found.provenance for found in opened)
    return Pool(tuple(tools.values()), tuple(refused), renamed, provenance, runners)


@cache
def _tell(remark: str) -> None:
    """On stderr unless logging says otherwise; once, since a command may open its tools more than once."""
    _log.warning(remark)


def _free_name(name: str, taken: dict[str, Tool]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def healthy(pool: Pool, executor: Executor, probes: Callable[[Tool], Sequence[dict[str, Any]]]) -> Pool:
    """The pool without tools that cannot be used for data, each with its reason.

    APIGen's own filter (Liu et al. 2024, section 4.1): a tool needs a description and parameters, and a call
    to it has to work. Tools that change things outside are not called to try them.

    Args:
        pool: what to look through.
        executor: the pool's executor.
        probes: arguments to try a tool with; one call that works is enough.
    """
    kept, refused = [], list(pool.refused)
    for tool in pool.tools:
        reason = _unhealthy(tool, executor, probes)
        if reason:
            refused.append(Refusal(tool.name, f"{tool.source}: {reason}"))
        else:
            kept.append(tool)
    return Pool(tuple(kept), tuple(refused), pool.renamed, pool.sources, pool.runners)


def _unhealthy(tool: Tool, executor: Executor, probes: Callable[[Tool], Sequence[dict[str, Any]]]) -> str:
    if not tool.description.strip():
        return "it has no description, so nobody can tell when to call it"
    if not tool.properties:
        return "it has no parameters, so there is nothing to learn about calling it"
    if not is_executable(tool) or not executor.runs(tool) or tool.side_effects == "write":
        return ""
    tried = [executor.call(tool, arguments) for arguments in probes(tool)]
    if not tried or any(result.status == "ok" for result in tried):
        return ""
    return f"none of {len(tried)} calls worked, the last one: {tried[-1].status}, {tried[-1].error}"
