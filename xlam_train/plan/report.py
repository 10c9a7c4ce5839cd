"""A plan as tables: titles, columns and cells, for whoever prints them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlam_train.plan.memory import GPU

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlam_train.plan.plan import Placement, Plan

GIGA = 1e9


@dataclass(frozen=True)
class Sheet:
    """One table.

    Attributes:
        title: above it.
        columns: the first is text, the others are numbers.
        rows: as many cells as columns.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def memory_sheet(plan: Plan) -> Sheet:
    """Memory part by part, in GB of one GPU; a column a layout."""
    title = f"GB of one GPU, largest tree {plan.tree:,} tokens, {plan.hardware.memory / GIGA:.0f} GB are there"
    names = tuple(placement.layout.name.replace("_", " ") for placement in plan.placements)
    columns = [_column(placement, plan) for placement in plan.placements]
    rows = tuple((part, *(column[part] for column in columns)) for part in columns[0])
    return Sheet(title, ("", *names), rows)


def facts(plan: Plan) -> Iterator[tuple[str, str]]:
    """Name and value of everything else, assumptions included."""
    counts, data, work = plan.counts, plan.data, plan.flops
    recipe, hardware, speed = plan.recipe, plan.hardware, plan.speed
    yield "base", f"{recipe.model.base}, {recipe.method}, {'DPO' if recipe.dpo else 'SFT'}, {hardware.gpus} GPUs"
    yield "parameters", f"{counts.total:,}; {counts.active:,} multiply with a token"
    yield "trained", f"{counts.trainable:,} ({counts.trainable / counts.total:.2%})"
    yield "data", data.source
    yield (
        "tokens a sample",
        f"{data.tokens_before:,.0f}, packed {data.tokens_packed:,.0f}, {data.labelled:.0%} labelled",
    )
    passes = (
        ("forward", work.forward),
        ("backward", work.backward),
        ("again", work.again),
        ("reference", work.reference),
    )
    parts = ", ".join(f"{name} {value / GIGA:,.1f}" for name, value in passes if value)
    yield "work a token", f"{work.total / GIGA:,.1f} GFLOP: {parts}"
    yield "speed", f"{speed.tokens_per_second:,.0f} computed tokens, {speed.samples_per_second:,.1f} samples a second"
    yield "time", f"{speed.hours:,.2f} hours for {recipe.optim.epochs} x {data.samples:,} samples"
    yield (
        "assumed",
        f"{hardware.share:.0%} of {hardware.tflops:,.0f} TFLOP/s a GPU; exchange between GPUs costs no time",
    )
    yield "reserve", f"{GPU.fixed / GIGA:.0f} GB for CUDA and NCCL, {GPU.share:.0%} for the allocator's fragmentation"


def _column(placement: Placement, plan: Plan) -> dict[str, str]:
    memory = placement.memory
    sizes = {
        "weights": memory.weights,
        "gradients": memory.gradients,
        "optimizer": memory.optimizer,
        "activations": memory.casts + memory.activations + memory.mask,
        "logits": memory.logits,
        "buffers": memory.communication,
        "reserve": memory.reserve,
        "peak": memory.peak,
        "host memory": memory.host,
    }
    longest = f"{placement.longest_tree:,}" if placement.longest_tree and not placement.refused else "-"
    cells = {name: f"{size / GIGA:,.1f}" for name, size in sizes.items()}
    return {**cells, "longest tree": longest, "": placement.refused or _verdict(placement, plan)}


def _verdict(placement: Placement, plan: Plan) -> str:
    if placement is plan.chosen:
        return "take this"
    return "fits" if placement.fits else "too large"
