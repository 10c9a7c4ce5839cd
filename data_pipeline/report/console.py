"""What people see: progress and tables on stderr, so that stdout stays free for machine-readable results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table


def console() -> Console:
    """The console on stderr."""
    return Console(stderr=True)


def progress_bar() -> Progress:
    """A progress bar with counts and times; silent where stderr is no terminal."""
    terminal = console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=terminal,
        disable=not terminal.is_terminal,
    )


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table whose first column is text and whose others are right-aligned; nothing is cut where room is short."""
    made = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        width = len(column) if index == 0 else None
        made.add_column(column, justify="right" if index else "left", overflow="fold", min_width=width)
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made
