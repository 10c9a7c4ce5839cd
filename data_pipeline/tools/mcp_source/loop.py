"""A thread with an event loop of its own, for callers that are not asynchronous."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

STOP_SECONDS = 2.0


class LoopThread:
    """Runs coroutines in a background thread until stopped."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # What goes wrong after nobody waits for it any more is no news to the user.
        self._loop.set_exception_handler(lambda loop, context: None)
        self._thread = threading.Thread(target=self._live, name="mcp", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Wait for a coroutine's result.

        Raises:
            concurrent.futures.TimeoutError: the coroutine, or the loop, took longer.
            Exception: whatever the coroutine raises.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        finally:
            future.cancel()

    def stop(self) -> None:
        """Cancel what still runs and end the thread."""
        with contextlib.suppress(RuntimeError):  # stopped before
            self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(STOP_SECONDS)

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            if left:
                self._loop.run_until_complete(asyncio.wait(left, timeout=STOP_SECONDS / 2))
            # A little longer, so that closed pipes are let go of.
            self._loop.run_until_complete(asyncio.sleep(0.01))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()
