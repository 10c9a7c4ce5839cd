"""A data recipe, round by round and shard by shard, to a dataset folder.

A shard depends on the recipe, the tools and its number alone, and on the accepted samples of earlier
rounds where they are shown to a model. Its files appear whole, its manifest last: a job that was killed goes
on with what is missing and ends with the same bytes, on one worker, on eight or on a cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
from collections import deque
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_pipeline.core.dataset import dataset_fingerprint, read_dataset
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_json
from data_pipeline.core.lock import locked
from data_pipeline.core.schema import TAKES, Tool, Trajectory, dumps
from data_pipeline.core.seeding import stream
from data_pipeline.curate.decontaminate import Decontaminator
from data_pipeline.curate.dedup import DuplicateIndex, signatures
from data_pipeline.curate.keywords import shown
from data_pipeline.generate.values import sample_arguments
from data_pipeline.job.driver import Driver
from data_pipeline.job.engines import Engine, local_engine, ray_engine
from data_pipeline.job.folder import DatasetFolder
from data_pipeline.job.processes import WorkerPool
from data_pipeline.job.worker import Job, ShardWorker
from data_pipeline.recipe import DataRecipe
from data_pipeline.report.card import write_card
from data_pipeline.report.console import progress_bar
from data_pipeline.report.funnel import Funnel
from data_pipeline.tools.pool import Pool, healthy, open_pool
from data_pipeline.tools.shown import shown_source, shown_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

PROBES = 5
"""Calls a tool from outside is tried with before it is used; one that works is enough."""


def generate(
    recipe: DataRecipe,
    out: Path,
    *,
    label: str = "data",
    engine: Literal["local", "ray"] = "local",
    workers: int | None = None,
    ray_address: str | None = None,
) -> Funnel:
    """Generate, check and write a dataset; goes on where an earlier run stopped.

    Args:
        recipe: what to generate.
        out: the dataset folder; on storage that all nodes share where the engine is Ray.
        label: what the progress bar calls it.
        engine: `local` processes, or tasks of a `ray` cluster. The bytes are the same.
        workers: processes of the local engine; as many as cores unless given.
        ray_address: of the cluster; found by Ray itself unless given.

    Raises:
        InputError: the recipe, a tool source or the folder is unusable.
        CheckFailed: a worker process ended, or a model cannot be reached.
    """
    folder = DatasetFolder(out)
    with locked(folder.path), contextlib.closing(WorkerPool(workers or os.cpu_count() or 1)) as processes:
        if engine == "local" and not (out / "stats.json").exists():
            processes.start()  # so that they are ready when the tools are
        pool = tool_pool(recipe)
        folder.claim(_resolved(recipe, pool), pool.tools, _provenance(recipe, pool))
        job = Job.of(recipe, pool, out)
        opened = local_engine(job, processes) if engine == "local" else ray_engine(job, ray_address)
        with progress_bar() as bar:
            task = bar.add_task(label, total=recipe.total_shards, note="")

            def told(funnel: Funnel) -> None:
                bar.update(task, advance=1, note=f"{funnel.accepted} samples accepted")

            funnel = asyncio.run(_run(Driver(job, folder, told), opened))
        write_json(out / "stats.json", funnel.to_dict())
        write_card(out)
        folder.clean()
    return funnel


async def _run(driver: Driver, opening: AbstractAsyncContextManager[Engine]) -> Funnel:
    if driver.is_finished():
        return driver.recalled()
    async with opening as engine:
        return await driver.run(engine)


def fresh_samples(recipe: DataRecipe, count: int) -> list[Trajectory]:
    """The first `count` accepted samples of the grammar for a recipe, without writing anything.

    Raises:
        InputError: the recipe yields fewer.
    """
    job = Job.of(recipe, tool_pool(recipe), Path())
    index, found = DuplicateIndex(recipe.near_duplicates), []
    with contextlib.closing(ShardWorker(job)) as worker:
        for sample in worker.accepted_by_grammar():
            if index.admit(signatures([sample], recipe.near_duplicates)) == [None]:
                found.append(sample)
            if len(found) == count:
                return found
    raise InputError(f"only {len(found)} of {count} samples passed the checks; give more tools")


def tool_pool(recipe: DataRecipe) -> Pool:
    """The recipe's tools without those it takes out, each of them usable.

    Raises:
        InputError: a source cannot be opened, or none of its tools can be used.
    """
    options = recipe.source_options
    out = open_pool(recipe.without, options).tools
    prints, names = {tool.fingerprint for tool in out}, {tool.name for tool in out}
    pool = open_pool(recipe.tools, options)
    kept = [tool for tool in pool.tools if tool.fingerprint not in prints and tool.name not in names]
    kept = [tool for tool in kept if TAKES.index(tool.takes) <= TAKES.index(recipe.arguments)]
    if recipe.max_tool_chars is not None:
        kept = [tool for tool in kept if _shown_chars(tool, recipe) <= recipe.max_tool_chars]
    pool = replace(pool, tools=tuple(kept))
    with pool.executor(recipe.call_timeout) as executor:
        well = healthy(pool, executor, _probes(recipe))
    if pool.tools and not well.tools:
        last = well.refused[-1]
        raise InputError(f"none of {len(pool.tools)} tools can be used; the last one, {last.name}: {last.reason}")
    return well


def _shown_chars(tool: Tool, recipe: DataRecipe) -> int:
    return len(json.dumps(shown(tool, recipe.hidden_keywords).to_openai(), ensure_ascii=False))


def _probes(recipe: DataRecipe) -> Callable[[Tool], list[dict[str, Any]]]:
    """Arguments to try a tool from outside with; the bundled ones are tested where they are written."""

    def probes(tool: Tool) -> list[dict[str, Any]]:
        if tool.source.startswith("bundled"):
            return []
        rng = stream(recipe.seed, "probe", tool.name)
        return [sample_arguments(tool.parameters, rng, recipe.optional_share) for _ in range(PROBES)]

    return probes


def _provenance(recipe: DataRecipe, pool: Pool) -> dict[str, Any]:
    """Where the tools came from, and what the samples are kept apart from."""
    benchmark = Decontaminator.load().summary() if recipe.decontaminate else None
    return {**pool.provenance(), "benchmark": benchmark}


def _resolved(recipe: DataRecipe, pool: Pool) -> dict[str, Any]:
    """What a dataset's bytes depend on, without secrets.

    Raises:
        InputError: a dataset to be distinct from cannot be read.
    """
    stated, stored = recipe.model_dump(mode="json"), _without_secrets(recipe)
    found: dict[str, Any] = {
        "recipe": stored,
        "tools": [tool.fingerprint for tool in pool.tools],
        "version": version("xlam-train"),
    }
    # Both only where there is something to tell, so that the other folders keep their bytes.
    if stored != stated:
        found["secrets_sha256"] = hashlib.sha256(dumps(stated).encode()).hexdigest()
    if recipe.distinct_from:
        found["references"] = _references(recipe)
    return found


def _without_secrets(recipe: DataRecipe) -> dict[str, Any]:
    """The recipe as it may be stored."""
    stored: dict[str, Any] = recipe.model_dump(mode="json")
    for key in ("tools", "without"):
        stored[key] = [shown_source(source) for source in stored[key]]
    for model in (stored["generator"], *stored["judges"]):
        if "base_url" in model:
            model["base_url"] = shown_url(model["base_url"])
    return stored


def _references(recipe: DataRecipe) -> dict[str, str]:
    """What the datasets to be distinct from hold, each read to its end: workers read them after models were paid."""
    for folder in recipe.distinct_from:
        deque(read_dataset(folder), maxlen=0)
    return {str(folder): dataset_fingerprint(folder) for folder in recipe.distinct_from}
