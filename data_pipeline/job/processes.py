"""Worker processes of the local engine, each with a `ShardWorker` of its own.

Started anew rather than forked, because the parent has threads and connections. A worker whose parent is
killed reads the end of its pipe and leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from data_pipeline.core.errors import CheckFailed, XlamError
from data_pipeline.job.worker import ShardWorker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from types import TracebackType

    from data_pipeline.job.worker import Job

END_SECONDS = 5.0
"""Time a worker has to end its tools before it is killed."""


class _Worker(NamedTuple):
    process: SpawnProcess
    connection: Connection


class WorkerPool:
    """A number of processes that take calls to `ShardWorker`'s methods, one at a time each."""

    def __init__(self, job: Job, count: int) -> None:
        """Processes start with the first `async with`."""
        self._job = job
        self._count = count
        self._workers: list[_Worker] = []
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()

    async def __aenter__(self) -> WorkerPool:
        context = multiprocessing.get_context("spawn")
        for _ in range(self._count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, self._job), daemon=False)
            process.start()
            theirs.close()
            worker = _Worker(process, ours)
            self._workers.append(worker)
            self._free.put_nowait(worker)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            worker.process.join(END_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()

    async def call(self, method: str, *arguments: Any) -> Any:
        """What `ShardWorker.method(*arguments)` returns, in the next free process.

        Raises:
            XlamError: what the method raised, or the process ended.
        """
        worker = await self._free.get()
        try:
            worker.connection.send((method, arguments))
            await _readable(worker.connection)
            outcome, value = worker.connection.recv()
        except (EOFError, OSError) as error:
            worker.process.join(END_SECONDS)
            code = worker.process.exitcode
            raise CheckFailed(
                f"a worker process ended (exit code {code}); run the same command again to go on"
            ) from error
        self._free.put_nowait(worker)
        if outcome == "error":
            raise value
        if outcome == "bug":
            raise RuntimeError(f"in a worker process:\n{value}")
        return value


async def _readable(connection: Connection) -> None:
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection.fileno(), event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(connection.fileno())


def _serve(connection: Connection, job: Job) -> None:
    """A worker's life: answer calls until the parent closes the pipe."""
    # Ctrl-C reaches the whole group; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.closing(ShardWorker(job)) as worker:
        while True:
            try:
                method, arguments = connection.recv()
            except (EOFError, OSError):
                return
            with contextlib.suppress(BrokenPipeError):
                connection.send(_answer(worker, method, arguments))


def _answer(worker: ShardWorker, method: str, arguments: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return "ok", getattr(worker, method)(*arguments)
    except XlamError as error:
        return "error", error
    except Exception:
        return "bug", traceback.format_exc()
