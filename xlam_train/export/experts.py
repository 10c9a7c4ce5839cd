"""Mixtral's experts: one by one in published files, two fused weights a layer in transformers 5 and in adapters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

_SINGLE = re.compile(r"(model\.layers\.\d+)\.block_sparse_moe\.experts\.(\d+)\.(w[123])\.weight")
_FUSED = re.compile(r"model\.layers\.\d+\.mlp\.experts\.(gate_up_proj|down_proj)")
_PARTS = {"gate_up_proj": ("w1", "w3"), "down_proj": ("w2",)}
_ROUTER, _PUBLISHED_ROUTER = ".mlp.gate.weight", ".block_sparse_moe.gate.weight"


@dataclass(frozen=True)
class ExpertGroup:
    """One fused weight [experts, out, in] of a layer.

    Attributes:
        fused: its name in transformers.
        names: of its parts in the published files, expert by expert; gate before up.
        experts: their number.
    """

    fused: str
    names: tuple[str, ...]
    experts: int

    @property
    def module(self) -> str:
        """The module that an adapter names."""
        return self.fused.rpartition(".")[0]

    @property
    def parts(self) -> int:
        """Tensors of one expert: gate and up, or down."""
        return len(self.names) // self.experts

    def of_expert(self, expert: int) -> tuple[str, ...]:
        """Names of one expert's tensors."""
        return self.names[expert * self.parts : (expert + 1) * self.parts]


def expert_groups(names: Iterable[str]) -> list[ExpertGroup]:
    """The groups that the tensors of published files form; none for models without experts."""
    counts: dict[str, int] = {}
    for name in names:
        if (found := _SINGLE.fullmatch(name)) is not None:
            counts[found[1]] = max(counts.get(found[1], 0), int(found[2]) + 1)
    return [_group(layer, weight, count) for layer, count in counts.items() for weight in _PARTS]


def published(name: str, shape: tuple[int, ...]) -> ExpertGroup | str:
    """Where a tensor of transformers 5 stands in published files.

    Args:
        name: in transformers.
        shape: [experts, out, in] of a fused weight.

    Returns:
        The group that a fused weight is stored as, or the published name of any other tensor.
    """
    if (found := _FUSED.fullmatch(name)) is None:
        return name.replace(_ROUTER, _PUBLISHED_ROUTER)
    return _group(name.split(".mlp.")[0], found[1], shape[0])


def split(weight: torch.Tensor, parts: int) -> tuple[torch.Tensor, ...]:
    """One expert's fused weight [parts * out, in] -> its tensors [out, in]."""
    return torch.chunk(weight, parts)


def _group(layer: str, weight: str, experts: int) -> ExpertGroup:
    stem = f"{layer}.block_sparse_moe.experts"
    names = tuple(f"{stem}.{expert}.{part}.weight" for expert in range(experts) for part in _PARTS[weight])
    return ExpertGroup(f"{layer}.mlp.experts.{weight}", names, experts)
