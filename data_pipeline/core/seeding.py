"""Named random streams: a draw depends on the seed and its name alone, never on what ran before."""

from __future__ import annotations

import hashlib
import random


def stream(seed: int, *names: str | int) -> random.Random:
    """An independent generator for, say, `stream(7, "shard", 3, "values")`."""
    key = "/".join(str(part) for part in (seed, *names))
    return random.Random(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))
