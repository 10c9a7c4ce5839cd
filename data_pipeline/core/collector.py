"""Python's garbage collector, out of the way while much is read that stays."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def collector_paused() -> Iterator[None]:
    """No search for reference cycles inside.

    The collector looks through all that is alive each time so many objects were made. A parsed file is millions of
    objects and no garbage, so that this takes longer than parsing. What counts references goes on freeing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
