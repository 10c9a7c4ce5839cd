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


def sheets(plan: Plan) -> Iterator[Sheet]:
    """The model and its work, then memory layout by layout."""
    yield Sheet(_headline(plan), ("", ""), tuple(_facts(plan)))
    title = f"GB of one GPU, largest tree {plan.tree:,} tokens, {plan.hardware.memory / GIGA:.0f} GB are there"
    columns = (
        *("layout", "weights", "gradients", "optimizer", "activations", "logits", "buffers", "reserve", "peak", "host"),
        *("longest tree", ""),
    )
    yield Sheet(title, columns, tuple(_row(placement, plan) for placement in plan.placements))


def _headline(plan: Plan) -> str:
    recipe = plan.recipe
    kind = "DPO" if recipe.dpo else "SFT"
    return f"{recipe.model.base}, {recipe.method}, {kind}, on {plan.hardware.gpus} GPUs"


def _facts(plan: Plan) -> Iterator[tuple[str, str]]:
    counts, data, work, speed = plan.counts, plan.data, plan.flops, plan.speed
    recipe, hardware = plan.recipe, plan.hardware
    yield "parameters", f"{counts.total:,} ({counts.embeddings:,} in embeddings)"
    yield "active a token", f"{counts.active:,}"
    yield "trained", f"{counts.trainable:,} ({counts.trainable / counts.total:.2%})"
    yield "gradient checkpointing", "yes" if recipe.gradient_checkpointing else "no"
    yield "data", data.source
    yield (
        "tokens a sample",
        f"{data.tokens_before:,.0f}, packed {data.tokens_packed:,.0f}, {data.labelled:.0%} labelled",
    )
    yield (
        "GFLOP a computed token",
        f"{work.total / GIGA:,.1f}: forward {work.forward / GIGA:,.1f}, backward {work.backward / GIGA:,.1f}, "
        f"checkpointing {work.again / GIGA:,.1f}, reference {work.reference / GIGA:,.1f}",
    )
    yield "assumed speed", f"{hardware.share:.0%} of {hardware.tflops:,.0f} TFLOP/s a GPU; exchange is not modelled"
    yield "tokens a second", f"{speed.tokens_per_second:,.0f} computed, {speed.samples_per_second:,.1f} samples"
    yield "hours", f"{speed.hours:,.2f} for {recipe.optim.epochs} x {data.samples:,} samples"
    reserve = (
        f"{GPU.fixed / GIGA:.0f} GB for context, workspaces and NCCL, {GPU.share:.0%} of the rest for fragmentation"
    )
    yield "reserve", reserve


def _row(placement: Placement, plan: Plan) -> tuple[str, ...]:
    memory = placement.memory
    cells = (
        memory.weights,
        memory.gradients,
        memory.optimizer,
        memory.casts + memory.activations + memory.mask,
        memory.logits,
        memory.communication,
        memory.reserve,
        memory.peak,
        memory.host,
    )
    return (
        placement.layout.name,
        *(f"{cell / GIGA:,.1f}" for cell in cells),
        f"{placement.longest_tree:,}" if placement.longest_tree and not placement.refused else "-",
        placement.refused or _verdict(placement, plan),
    )


def _verdict(placement: Placement, plan: Plan) -> str:
    if placement is plan.chosen:
        return "take this"
    return "fits" if placement.fits else "too large"
