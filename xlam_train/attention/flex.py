"""Attention over a prefix tree by FlexAttention: one fused kernel that skips blocks in which nothing is visible.

The mask is computed inside the kernel from two vectors (Dong et al. 2024), so its memory is linear in the tree.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from xlam_train.attention.plan import depths

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlam_train.attention.plan import TreePlan

    MaskMod = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]

BLOCK = 128  # FlexAttention's own; the vectors are filled up to a multiple, for kernels may look ahead


@cache
def _compiled() -> Any:
    """Compiled once, for trees of any size; uncompiled, FlexAttention computes all scores."""
    return torch.compile(flex_attention, dynamic=True)


def mask_mod(plan: TreePlan, window: int | None) -> MaskMod:
    """(batch, head, q, k) -> whether q sees k, for index tensors of any shape."""
    more = -len(plan.subtree_end) % BLOCK
    end, depth = (
        torch.from_numpy(np.pad(vector, (0, more))).to(plan.device, torch.int32)
        for vector in (plan.subtree_end, depths(plan.subtree_end))
    )

    def visible(batch: torch.Tensor, head: torch.Tensor, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        seen = (k <= q) & (q < end[k])
        return seen if window is None else seen & (depth[q] - depth[k] < window)

    return visible


def block_mask(plan: TreePlan, window: int | None) -> BlockMask:
    """Which blocks of 128 x 128 hold something visible; the same object whenever asked."""
    window = plan.narrower(window)
    if ("flex", window) not in plan.made:
        size = len(plan.subtree_end)
        plan.made["flex", window] = create_block_mask(
            mask_mod(plan, window), None, None, size, size, plan.device, _compile=plan.device.type == "cuda"
        )
    made = plan.made["flex", window]
    assert isinstance(made, BlockMask)
    return made


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, plan: TreePlan, window: int | None
) -> torch.Tensor:
    """query [1, heads, T, D], key and value [1, key heads, T, D] -> [1, heads, T, D]."""
    kernel: Any = _compiled() if query.device.type == "cuda" else flex_attention
    grouped = query.shape[1] != key.shape[1]
    out: torch.Tensor = kernel(
        query, key, value, block_mask=block_mask(plan, window), scale=scaling, enable_gqa=grouped
    )
    return out
