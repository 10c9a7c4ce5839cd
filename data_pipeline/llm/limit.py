"""How many requests may be on their way: as many as the server bears."""

from __future__ import annotations

import asyncio
from collections import deque

NEAR = 0.05, 2.0
"""How far below the limit that was last too high the quick way back ends: a share of it, and at least so many."""


class AdaptiveLimit:
    """A bound that halves when the server is overloaded and grows while it is not.

    After a halving it grows by one for each success until it comes near where the overload began, because
    there is little to learn on the way; from there on by one for each round of successes. Halving from N
    while N are on their way is one event, however many of them report it: an overload counts only if its
    request was started after the last halving. Who waits is served in order, repeated requests first, since
    their deadline runs.
    """

    def __init__(self, most: int) -> None:
        """Begin at the bound's highest.

        Args:
            most: requests at once, never exceeded.
        """
        self._most = most
        self._limit = float(most)
        self._too_high = float(most)
        self._running = 0
        self._generation = 0
        self._again: deque[asyncio.Future[None]] = deque()
        self._fresh: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """Requests that may be on their way now."""
        return int(self._limit)

    async def start(self, again: bool = False) -> int:
        """Wait for a place; the number returned is for `overloaded`."""
        if self._running < self.limit and not self._again and not self._fresh:
            self._running += 1
            return self._generation
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._again if again else self._fresh).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # the place was given in the very moment of the cancelling
                self.finish()
            raise
        return self._generation

    def finish(self) -> None:
        """Give the place back, whatever came of it."""
        self._running -= 1
        self._fill()

    def succeeded(self) -> None:
        """An answer came: there may be room for more."""
        near = self._limit >= self._too_high - max(NEAR[0] * self._too_high, NEAR[1])
        self._limit = min(self._most, self._limit + (1 / self._limit if near else 1))
        self._fill()

    def overloaded(self, generation: int) -> None:
        """The server was too busy for a request that got `generation` from `start`."""
        if generation != self._generation:
            return
        self._generation += 1
        self._too_high = self._limit
        self._limit = max(1.0, self._limit / 2)

    def _fill(self) -> None:
        while self._running < self.limit and (self._again or self._fresh):
            place = (self._again or self._fresh).popleft()
            if not place.done():
                self._running += 1
                place.set_result(None)
