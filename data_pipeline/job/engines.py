"""Where shards are made: in processes of this machine, or as tasks of a Ray cluster. The shards are the same."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from data_pipeline.core.errors import InputError, XlamError
from data_pipeline.job.models import Models, needs_models, open_models
from data_pipeline.job.worker import ShardWorker
from data_pipeline.llm.settings import Endpoint, LlamaCpp, Vllm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.job.processes import WorkerPool
    from data_pipeline.job.worker import Job

SHARD_RETRIES = 5
"""Times Ray makes a shard again whose node was lost."""


class Engine(Protocol):
    """Makes shards.

    Attributes:
        window: shards worth having under way at once.
    """

    window: int

    async def make(self, shard: int, examples: Sequence[Trajectory]) -> None:
        """Leave one shard in the job's work folder.

        Raises:
            XlamError: it cannot be made, now or at all.
        """

    async def seed_examples(self) -> list[Trajectory]:
        """What a model is shown in the first round."""


class LocalEngine:
    """Checks in worker processes; requests to language models from this one, all on one event loop."""

    def __init__(self, job: Job, pool: WorkerPool, models: Models | None) -> None:
        """Made by `local_engine`."""
        self._pool = pool
        self._models = models
        self.window = 2 * pool.count if models is None else pool.count + _shards_to_fill(job)

    async def make(self, shard: int, examples: Sequence[Trajectory]) -> None:
        """See `Engine`."""
        if self._models is None:
            await self._pool.call("make", shard)
        else:
            await self._models.make(self._pool, shard, examples)

    async def seed_examples(self) -> list[Trajectory]:
        """See `Engine`."""
        found: list[Trajectory] = await self._pool.call("seed_examples")
        return found


class RayEngine:
    """One Ray task a shard, which asks language models by itself: their `concurrency` counts for each task."""

    def __init__(self, job: Job, address: str) -> None:
        """Connect to the cluster.

        Raises:
            InputError: Ray is not installed, or no cluster answers.
        """
        try:
            import ray
        except ImportError as error:
            raise InputError("--engine ray needs Ray: pip install 'xlam-train[ray]'") from error
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"no Ray cluster at '{address}' ({reason}); start one with `ray start --head`, or give --ray-address"
            ) from error
        self._ray = ray
        self._job = ray.put(job)
        self._task = ray.remote(max_retries=SHARD_RETRIES)(_make_alone)
        self._seed_task = ray.remote(max_retries=SHARD_RETRIES)(_seed_examples_alone)
        self.window = 2 * max(1, _cluster_cores(ray))

    async def make(self, shard: int, examples: Sequence[Trajectory]) -> None:
        """See `Engine`."""
        await self._result(self._task.remote(self._job, shard, list(examples)))

    async def seed_examples(self) -> list[Trajectory]:
        """See `Engine`."""
        found: list[Trajectory] = await self._result(self._seed_task.remote(self._job))
        return found

    def close(self) -> None:
        """Leave the cluster; tasks under way are given up."""
        self._ray.shutdown()

    async def _result(self, reference: Any) -> Any:
        try:
            return await reference
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, XlamError):
                raise error.cause from error
            raise


@contextlib.asynccontextmanager
async def local_engine(job: Job, pool: WorkerPool) -> AsyncIterator[Engine]:
    """The engine of this machine.

    Raises:
        InputError: a language model that cannot be used.
    """
    pool.assign(job)
    async with contextlib.AsyncExitStack() as stack:
        models = await stack.enter_async_context(open_models(job)) if needs_models(job) else None
        yield LocalEngine(job, pool, models)


@contextlib.asynccontextmanager
async def ray_engine(job: Job, address: str | None) -> AsyncIterator[Engine]:
    """The engine of a cluster, found by Ray itself unless an address is given.

    Raises:
        InputError: no Ray, or no cluster.
    """
    with contextlib.closing(RayEngine(job, address or "auto")) as engine:
        yield engine


def _shards_to_fill(job: Job) -> int:
    """Shards that hold twice the requests a model takes at once, so that it never waits for the next shard."""
    settings = (job.recipe.generator, *job.recipe.judges)
    slots = [_slots(entry) for entry in settings if isinstance(entry, Endpoint | LlamaCpp | Vllm)]
    return ceil(2 * max(slots) / job.recipe.tool_sets_per_shard)


def _slots(settings: Endpoint | LlamaCpp | Vllm) -> int:
    if isinstance(settings, Endpoint):
        return settings.concurrency
    return settings.slots if isinstance(settings, LlamaCpp) else settings.batch


def _cluster_cores(ray: Any) -> int:
    return int(ray.cluster_resources().get("CPU", 1))


class _OwnHands:
    """A worker in this process, called as if it were elsewhere."""

    def __init__(self, worker: ShardWorker) -> None:
        self._worker = worker

    async def call(self, method: str, *arguments: Any) -> Any:
        return getattr(self._worker, method)(*arguments)


def _make_alone(job: Job, shard: int, examples: Sequence[Trajectory]) -> None:
    """One shard in a process that has nothing yet: a Ray task."""

    async def make(worker: ShardWorker) -> None:
        async with open_models(job) as models:
            await models.make(_OwnHands(worker), shard, examples)

    with contextlib.closing(ShardWorker(job)) as worker:
        if needs_models(job):
            asyncio.run(make(worker))
        else:
            worker.make(shard)


def _seed_examples_alone(job: Job) -> list[Trajectory]:
    with contextlib.closing(ShardWorker(job)) as worker:
        return worker.seed_examples()
