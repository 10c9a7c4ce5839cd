"""Worker processes of the local engine, each with a `ShardWorker` of its own.

Forked from a server process that imports once for all of them and has no threads or connections, which the parent
has. A worker whose parent is killed reads the end of its pipe and leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from data_pipeline.core.errors import CheckFailed, XlamError
from data_pipeline.job.worker import ShardWorker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

    from data_pipeline.job.worker import Job

END_SECONDS = 5.0
"""Time a worker has to end its tools before it is killed."""


class _Worker(NamedTuple):
    process: ForkServerProcess
    connection: Connection


class WorkerPool:
    """A number of processes that take calls to `ShardWorker`'s methods, one at a time each."""

    def __init__(self, count: int) -> None:
        """No process is started yet.

        Args:
            count: processes.
        """
        self.count = count
        self._workers: list[_Worker] = []
        self._free: list[_Worker] = []
        self._waiting: deque[asyncio.Future[_Worker]] = deque()

    def start(self) -> None:
        """Start the processes, if they are not there: they import what they need while the job is being prepared."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([ShardWorker.__module__])
        for _ in range(self.count - len(self._workers)):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,))
            process.start()
            theirs.close()
            self._workers.append(_Worker(process, ours))

    def assign(self, job: Job) -> None:
        """Tell every process what it works on; once, before the first call."""
        self.start()
        for worker in self._workers:
            worker.connection.send(job)
        self._free = list(self._workers)

    def close(self) -> None:
        """End the processes and the tools they run."""
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            worker.process.join(END_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers = []

    async def call(self, method: str, *arguments: Any) -> Any:
        """What `ShardWorker.method(*arguments)` returns, in the next free process.

        Raises:
            XlamError: what the method raised, or the process ended.
        """
        worker = await self._free_worker()
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
        self._give_back(worker)
        if outcome == "error":
            raise value
        if outcome == "bug":
            raise RuntimeError(f"in a worker process:\n{value}")
        return value

    async def _free_worker(self) -> _Worker:
        if self._free:
            return self._free.pop()
        turn: asyncio.Future[_Worker] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        return await turn

    def _give_back(self, worker: _Worker) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(worker)
                return
        self._free.append(worker)


async def _readable(connection: Connection) -> None:
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection.fileno(), event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(connection.fileno())


def _serve(connection: Connection) -> None:
    """A worker's life: hear of the job, answer calls until the parent closes the pipe."""
    # Ctrl-C reaches the whole group; the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        job: Job = connection.recv()
    except (EOFError, OSError):
        return
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
