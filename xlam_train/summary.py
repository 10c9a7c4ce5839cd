"""The quickstart's summary as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data_pipeline.report.console import console, table


def print_summary(summary: dict[str, Any], out: Path) -> None:
    """What came out, on one screen."""
    screen = console()
    for made in (_data(summary), _training(summary), _accuracy(summary), _files(summary)):
        screen.print(made)
    for parting in summary["after"]["agreement"]["partings"]:
        screen.print(
            f"{parting['sample_id']}: the backends part at token {parting['position']}, margin "
            f"{parting['margin_first']:.4f} (transformers) and {parting['margin_second']:.4f} (llama.cpp) nats"
        )
    screen.print(f"Everything in numbers: {out / 'summary.json'}")


def _data(summary: dict[str, Any]) -> Any:
    rows = [
        (name, funnel["drafted"], *(stage["passed"] for stage in funnel["stages"]))
        for name, funnel in summary["data"].items()
    ]
    return table(
        "Data: samples left after each stage", ("dataset", "drafted", "format", "execution", "semantic", "curate"), rows
    )


def _training(summary: dict[str, Any]) -> Any:
    train = summary["train"]
    before, packed = train["tokens_before"], train["tokens_packed"]
    rows = [
        ("samples, optimizer steps", f"{train['samples']}, {train['steps']}"),
        ("tokens one by one -> packed", f"{before:,} -> {packed:,} ({before / packed:.2f} times fewer)"),
        ("loss, first -> last", f"{train['first_loss']:.3f} -> {train['last_loss']:.3f} nats a token"),
        ("speed", f"{packed / train['seconds']:.0f} packed tokens/s in {train['precision']}"),
        ("merged against adapter", f"relative logit difference {summary['merge']['max_relative_difference']:.1e}"),
    ]
    return table("Training", ("what", "value"), rows)


def _accuracy(summary: dict[str, Any]) -> Any:
    after, agreement = summary["after"], summary["after"]["agreement"]
    runs = {
        "base, llama.cpp f16": summary["before"],
        **{f"tuned {k}": v for k, v in after.items() if k != "agreement"},
    }
    rows = []
    for model, sets in runs.items():
        for name, report in sets.items():
            score = report["score"]
            shares = (f"{score[key]:.0%}" for key in ("valid", "tools", "exact", "runs"))
            rows.append((model, name, score["samples"], *shares, f"{report['tokens_per_second']:.0f}"))
    title = (
        f"Held-out queries; llama.cpp f16 and transformers fp32 wrote the same tokens on "
        f"{agreement['equal']} of {agreement['prompts']} prompts"
    )
    return table(title, ("model", "tools", "n", "JSON", "tool", "exact", "runs", "tok/s"), rows)


def _files(summary: dict[str, Any]) -> Any:
    sizes = [(name, f"{entry['bytes'] / 1e6:.1f} MB") for name, entry in summary["gguf"].items()]
    seconds = [(f"stage {name}", f"{spent:.1f} s") for name, spent in summary["seconds"].items()]
    rows = [*sizes, *seconds, ("peak memory", f"{summary['peak_memory_gb']:.2f} GB")]
    return table("Files, time and memory", ("what", "value"), rows)
