"""The result as people read it: tables, and bars in an SVG that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from data_pipeline.report.console import table
from xlam_train.evaluate.bfcl.cases import MULTI_TURN
from xlam_train.evaluate.bfcl.published import MODELS, ROWS, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from xlam_train.evaluate.bfcl.scores import BfclReport

ROW_HEIGHT, LABEL, WIDTH = 22, 170, 420
COLOURS = ("#2563eb", "#94a3b8", "#cbd5e1")


def category_table(report: BfclReport) -> Table:
    """A row a category."""
    rows = [
        (
            name,
            s.cases,
            _percent(s.share),
            _interval((s.low, s.high)),
            "-" if name in MULTI_TURN else _percent(s.lenient / s.cases),
            _worst(report, name),
        )
        for name, s in report.categories.items()
    ]
    columns = ("category", "cases", "right", "95 % interval", "read leniently", "most frequent error")
    mean, interval = report.ast_mean(), report.ast_interval()
    title = "Berkeley leaderboard"
    if mean is not None and interval is not None:
        title += f": mean of the AST categories in Python {_percent(mean)} ({_interval(interval)})"
    return table(title, columns, rows)


def trouble_lines(report: BfclReport) -> list[str]:
    """How many answers were cut, and how many cases have none, if any."""
    scores = report.categories.values()
    cases, cut, refused = (sum(getattr(score, what) for score in scores) for what in ("cases", "cut", "refused"))
    found = [
        f"{cut} of {cases} answers were cut at --max-tokens." if cut else "",
        f"{refused} of {cases} cases have no answer (refused in answers.jsonl says why), and count as wrong."
        if refused
        else "",
    ]
    return [line for line in found if line]


def july_table(report: BfclReport, model: str) -> Table | None:
    """Beside the published models, if every row was asked."""
    measured, interval = report.july_2024(), report.july_interval()
    if measured is None or interval is None:
        return None
    asked = {row.name: sum(report.categories[name].cases for name in row.categories) for row in ROWS}
    rows = [
        (
            row.name,
            row.cases,
            asked[row.name],
            _percent(measured[row.name]),
            *(f"{row.shares[m]:.1f} %" for m in MODELS),
        )
        for row in ROWS
    ]
    ours = f"{_percent(measured['together'])} ({_interval(interval)})"
    total = ("together", sum(row.cases for row in ROWS), sum(asked.values()), ours)
    rows.append((*total, *(f"{together(m):.1f} %" for m in MODELS)))
    return table("What remains of July 2024, weighted by cases", ("row", "cases", "asked", model, *MODELS), rows)


def bar_chart(report: BfclReport, model: str, differences: Sequence[str]) -> str:
    """An SVG: a bar a category; below, if every row was asked, the rows of July 2024 beside the published models.

    Args:
        report: what came of a run.
        model: its name.
        differences: from July 2024, a sentence each.
    """
    groups: list[tuple[str, list[float]]] = [(name, [s.share]) for name, s in report.categories.items()]
    measured = report.july_2024()
    if measured is not None:
        groups += [(f"2024: {row.name}", [measured[row.name], *(row.shares[m] / 100 for m in MODELS)]) for row in ROWS]
        groups.append(("2024: together", [measured["together"], *(together(m) / 100 for m in MODELS)]))
    names = (model, *MODELS)[: max(len(shares) for _, shares in groups)]
    return _svg(groups, names, differences if measured is not None else ())


def _svg(groups: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], notes: Sequence[str]) -> str:
    parts, y = [_text(0, 14, "Berkeley leaderboard, share of right answers")], 30
    for index, name in enumerate(names):
        parts += [_bar(0, y, 10, 10, COLOURS[index]), _text(16, y + 9, name)]
        y += 16
    for label, shares in groups:
        y += 8
        parts.append(_text(0, y + 14, label))
        for index, share in enumerate(shares):
            parts += [_bar(LABEL, y, WIDTH * share, ROW_HEIGHT - 6, COLOURS[index])]
            parts.append(_text(int(LABEL + WIDTH * share) + 6, y + 13, f"{100 * share:.1f} %"))
            y += ROW_HEIGHT
    for note in notes:
        y += 16
        parts.append(_text(0, y + 4, note))
    size = f'width="{LABEL + WIDTH + 80}" height="{y + 10}"'
    font = 'font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>\n' + "\n".join(parts) + "\n</svg>\n"


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.1f}" height="{height:.0f}" fill="{colour}"/>'


def _text(x: int, y: int, text: str) -> str:
    return f'<text x="{x}" y="{y}" fill="#334155">{escape(text)}</text>'


def _worst(report: BfclReport, name: str) -> str:
    errors = report.errors[name]
    return next((f"{error} ({count})" for error, count in errors.items()), "none")


def _interval(ends: tuple[float, float]) -> str:
    return f"{_percent(ends[0])} to {_percent(ends[1])}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
