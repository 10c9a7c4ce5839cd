"""A data recipe, stage by stage and shard by shard, to a dataset folder.

    recipe.json  tools.jsonl  provenance.json  shards/NNNN.jsonl  rejects/NNNN.jsonl  stats.json

A shard's rejects are written before the shard itself, each file whole, so a shard that exists is
complete: a job that was killed goes on with the first missing one and ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data_pipeline.core.dataset import read_dataset, read_shard
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json, write_jsonl
from data_pipeline.core.schema import Tool, Trajectory, Verdict
from data_pipeline.core.seeding import stream
from data_pipeline.curate.dedup import QueryFilter
from data_pipeline.generate.sampler import draft_shard
from data_pipeline.generate.values import sample_arguments
from data_pipeline.recipe import DataRecipe
from data_pipeline.report.console import progress_bar
from data_pipeline.report.funnel import Funnel
from data_pipeline.tools.executor import Executor
from data_pipeline.tools.pool import Pool, healthy, open_pool
from data_pipeline.tools.source import SourceOptions
from data_pipeline.verify.execution import check_execution
from data_pipeline.verify.format_check import check_format
from data_pipeline.verify.semantic import check_semantic

PROBES = 5
"""Calls a tool from outside is tried with before it is used; one that works is enough."""


def generate(recipe: DataRecipe, out: Path, label: str = "data") -> Funnel:
    """Generate, check and write a dataset; goes on where an earlier run stopped.

    Args:
        recipe: what to generate.
        out: the dataset folder.
        label: what the progress bar calls it.

    Raises:
        InputError: the recipe, a tool source or the folder is unusable.
    """
    opened = tool_pool(recipe)
    pool = opened.tools
    _claim(out, recipe, opened)
    funnel = Funnel()
    queries = QueryFilter(sample.query for folder in recipe.distinct_from for sample in read_dataset(folder))
    with opened.executor(recipe.call_timeout) as executor, progress_bar() as bar:
        task = bar.add_task(label, total=recipe.shards, note="")
        for shard in range(recipe.shards):
            samples = _finished(out, shard, queries)
            if samples is None:
                drafts = draft_shard(recipe, pool, shard)
                samples = [_check(draft, executor, queries) for draft in drafts]
                _write_shard(out, shard, samples)
            funnel.count(samples)
            bar.update(task, advance=1, note=f"{funnel.accepted} samples accepted")
    write_json(out / "stats.json", funnel.to_dict())
    return funnel


def fresh_samples(recipe: DataRecipe, count: int) -> list[Trajectory]:
    """The first `count` accepted samples of a recipe, without writing anything.

    Raises:
        InputError: the recipe yields fewer.
    """
    pool, queries = tool_pool(recipe), QueryFilter()
    found: list[Trajectory] = []
    with pool.executor(recipe.call_timeout) as executor:
        for draft in (draft for shard in range(recipe.shards) for draft in draft_shard(recipe, pool.tools, shard)):
            sample = _check(draft, executor, queries)
            if all(verdict.passed for verdict in sample.verdicts):
                found.append(sample)
            if len(found) == count:
                return found
    raise InputError(f"only {len(found)} of {count} samples passed the checks; give more tools")


def tool_pool(recipe: DataRecipe) -> Pool:
    """The recipe's tools without those it takes out, each of them usable.

    Raises:
        InputError: a source cannot be opened, or none of its tools can be used.
    """
    options = SourceOptions(recipe.require_sandbox, recipe.allow_write, tuple(recipe.allow_hosts))
    out = {tool.fingerprint for tool in open_pool(recipe.without, options).tools}
    pool = open_pool(recipe.tools, options)
    kept = [tool for tool in pool.tools if tool.fingerprint not in out]
    kept = [tool for tool in kept if tool.takes_scalars_only or not recipe.flat_arguments]
    pool = replace(pool, tools=tuple(kept))
    with pool.executor(recipe.call_timeout) as executor:
        well = healthy(pool, executor, lambda tool: _probes(tool, recipe))
    if pool.tools and not well.tools:
        last = well.refused[-1]
        raise InputError(f"none of {len(pool.tools)} tools can be used; the last one, {last.name}: {last.reason}")
    return well


def _probes(tool: Tool, recipe: DataRecipe) -> list[dict[str, Any]]:
    """Arguments to try a tool from outside with; the bundled ones are tested where they are written."""
    if tool.source.startswith("bundled"):
        return []
    rng = stream(recipe.seed, "probe", tool.name)
    return [sample_arguments(tool.parameters, rng, recipe.optional_share) for _ in range(PROBES)]


def _claim(out: Path, recipe: DataRecipe, pool: Pool) -> None:
    """Write the resolved recipe and the tools, or refuse a folder that holds another job's output."""
    resolved: dict[str, Any] = {
        "recipe": recipe.model_dump(mode="json"),
        "tools": [tool.fingerprint for tool in pool.tools],
        "version": version("xlam-train"),
    }
    path = out / "recipe.json"
    if path.exists() and read_json(path) != resolved:
        raise InputError(f"{out}: holds a dataset of another recipe, tool pool or version; choose another --out")
    write_jsonl(out / "tools.jsonl", (tool.to_dict() for tool in pool.tools))
    write_json(out / "provenance.json", pool.provenance())
    write_json(path, resolved)


def _finished(out: Path, shard: int, queries: QueryFilter) -> list[Trajectory] | None:
    """The samples of a shard written earlier, counted as seen again; None if it has to be made."""
    accepted, rejected = _shard_paths(out, shard)
    if not (accepted.exists() and rejected.exists()):
        return None
    samples = list(read_shard(accepted))
    for sample in samples:
        queries.check(sample)
    return samples + list(read_shard(rejected))


def _write_shard(out: Path, shard: int, samples: Iterable[Trajectory]) -> None:
    kept: tuple[list[dict[str, str]], list[dict[str, str]]] = ([], [])
    for sample in samples:
        kept[not all(verdict.passed for verdict in sample.verdicts)].append(sample.to_row())
    accepted, rejected = _shard_paths(out, shard)
    write_jsonl(rejected, kept[1])
    write_jsonl(accepted, kept[0])


def _shard_paths(out: Path, shard: int) -> tuple[Path, Path]:
    return out / "shards" / f"{shard:04d}.jsonl", out / "rejects" / f"{shard:04d}.jsonl"


def _check(draft: Trajectory, executor: Executor, queries: QueryFilter) -> Trajectory:
    """Run the checks in the order of their cost, up to the first that fails."""
    verdicts: list[Verdict] = []
    for check in (check_format, lambda s: check_execution(s, executor), check_semantic, queries.check):
        verdicts.append(check(draft))
        if not verdicts[-1].passed:
            break
    return draft.model_copy(update={"verdicts": tuple(verdicts)})
