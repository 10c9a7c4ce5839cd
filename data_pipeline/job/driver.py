"""A job from its first round to its last: shards are made in any order and curated in theirs."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import islice
from typing import TYPE_CHECKING, Any

from data_pipeline.core.dataset import read_shard
from data_pipeline.job.curation import Curation
from data_pipeline.job.models import needs_models
from data_pipeline.report.funnel import Funnel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.job.engines import Engine
    from data_pipeline.job.folder import DatasetFolder
    from data_pipeline.job.worker import Job

MAX_EXAMPLES = 1_000
"""Accepted samples kept to be shown to a model: far more than a prompt shows, few enough to send to any worker."""


class Driver:
    """Runs one job in one folder."""

    def __init__(self, job: Job, folder: DatasetFolder, on_shard: Callable[[Funnel], None]) -> None:
        """Nothing is run yet.

        Args:
            job: what to make.
            folder: where, locked and claimed.
            on_shard: told the funnel so far after each finished shard.
        """
        self._job = job
        self._folder = folder
        self._on_shard = on_shard
        self._curation = Curation(folder, job.recipe.near_duplicates)
        self._manifests: dict[int, dict[str, Any] | None] = {}

    def manifest(self, shard: int) -> dict[str, Any] | None:
        """What is on record of a finished shard; its files are compared with their checksums once."""
        if shard not in self._manifests:
            self._manifests[shard] = self._folder.manifest(shard)
        return self._manifests[shard]

    def is_finished(self) -> bool:
        """Whether every shard is there."""
        return all(self.manifest(shard) is not None for shard in range(self._job.recipe.total_shards))

    def recalled(self) -> Funnel:
        """The funnel of a job whose shards are all finished."""
        funnel = Funnel()
        for shard in range(self._job.recipe.total_shards):
            funnel += Funnel.from_dict((self.manifest(shard) or {})["funnel"])
            self._on_shard(funnel)
        return funnel

    async def run(self, engine: Engine) -> Funnel:
        """Make and curate what is missing.

        Raises:
            XlamError: a shard cannot be made, or is not as it was written.
        """
        recipe, funnel = self._job.recipe, Funnel()
        for number in range(recipe.rounds):
            shards = range(number * recipe.shards, (number + 1) * recipe.shards)
            async with _cancelled_at_the_end() as tasks:
                examples = await self._examples(engine, shards)
                started = shards.start
                for shard in shards:
                    end = min(shard + engine.window, shards.stop)
                    for other in range(started, end):
                        if self.manifest(other) is None and not self._curation.is_made(other):
                            tasks[other] = asyncio.ensure_future(engine.make(other, examples))
                    started = end
                    if shard in tasks:
                        await tasks.pop(shard)
                    funnel += self._finished(shard)
                    self._on_shard(funnel)
        return funnel

    def _finished(self, shard: int) -> Funnel:
        manifest = self.manifest(shard)
        return self._curation.finish(shard) if manifest is None else self._curation.recall(shard, manifest)

    async def _examples(self, engine: Engine, shards: range) -> list[Trajectory]:
        """Accepted samples of the rounds before, or the grammar's; none for a job without models."""
        recipe = self._job.recipe
        unwanted = not needs_models(self._job) or recipe.examples_per_prompt == 0
        if unwanted or all(self.manifest(shard) is not None for shard in shards):
            return []
        if shards.start == 0:
            return await engine.seed_examples()
        share = max(1, MAX_EXAMPLES // shards.start)
        files = [self._folder.paths(shard)[0] for shard in range(shards.start)]
        return [sample for path in files for sample in islice(read_shard(path), share)]


@contextlib.asynccontextmanager
async def _cancelled_at_the_end() -> AsyncIterator[dict[int, asyncio.Task[None]]]:
    """Tasks under way, none of which outlives the block."""
    tasks: dict[int, asyncio.Task[None]] = {}
    try:
        yield tasks
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
