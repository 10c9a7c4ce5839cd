"""A `Tree` -> the tensors of one micro-batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import torch

from xlam_train.attention import TreePlan
from xlam_train.data.pack import build_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlam_train.data.pack import Tree
    from xlam_train.data.render import Encoded


class TreeBatch(TypedDict):
    """One tree of T nodes and L labels at U distinct positions.

    Keys:
        input_ids: [1, T] tokens.
        position_ids: [1, T] depths in the tree.
        plan: which node sees which.
        positions: [U] nodes at which logits are needed.
        row: [L] index into `positions` of the node that predicts the label.
        target: [L] token id to be predicted.
        weight: [L] number of samples that train the label, fp32.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    plan: TreePlan
    positions: torch.Tensor
    row: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor


def collate_tree(tree: Tree) -> TreeBatch:
    """Tensors of one tree."""
    positions, row = np.unique(tree.label_position, return_inverse=True)
    return TreeBatch(
        input_ids=torch.from_numpy(tree.input_ids)[None],
        position_ids=torch.from_numpy(tree.depth)[None],
        plan=TreePlan.build(tree.subtree_end),
        positions=torch.from_numpy(positions),
        row=torch.from_numpy(row),
        target=torch.from_numpy(tree.label_target),
        weight=torch.from_numpy(tree.label_weight).float(),
    )


@dataclass(frozen=True)
class Window:
    """The samples of one micro-batch; `counted` is false for the filler of an incomplete round of ranks."""

    samples: Sequence[Encoded]
    counted: bool = True


class TreeDataset(torch.utils.data.Dataset[TreeBatch]):
    """Windows in the order of training; a tree is built when it is asked for."""

    def __init__(self, windows: Sequence[Sequence[Encoded]], ranks: int = 1) -> None:
        """Fill up to a multiple of `ranks`: a sampler would otherwise repeat windows that count."""
        self._windows = [Window(samples) for samples in windows]
        self._windows += [Window(windows[0], counted=False)] * (-len(windows) % ranks)

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> TreeBatch:
        window = self._windows[index]
        batch = collate_tree(build_tree(window.samples))
        if not window.counted:
            batch["weight"].zero_()
        return batch
