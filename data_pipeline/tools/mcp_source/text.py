"""Text of a server made fit for a line of ours."""

from __future__ import annotations

MAX_TEXT = 300


def one_line(text: object, limit: int = MAX_TEXT) -> str:
    """The text on one line, without control characters and cut to the limit."""
    # Cut first, since the text may be megabytes; fourfold, since runs of white space shrink.
    start = str(text)[: 4 * limit]
    return " ".join("".join(c if c.isprintable() else " " for c in start).split())[:limit]
