"""A `Tree` -> the tensors of one micro-batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import numpy as np
import torch

from xlam_train.attention import TreePlan

if TYPE_CHECKING:
    from xlam_train.data.pack import Tree
    from xlam_train.data.pairs import PairTree

BatchT = TypeVar("BatchT", bound=Mapping[str, Any])


class Nodes(TypedDict):
    """What a forward pass wants of a tree of T nodes with labels at U distinct positions.

    Keys:
        input_ids: [1, T] tokens.
        position_ids: [1, T] depths in the tree.
        plan: which node sees which.
        multiplicity: [1, T] number of rows through each node, fp32.
        positions: [U] nodes at which logits are needed.
        row: [L] index into `positions` of the node that predicts the label.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    plan: TreePlan
    multiplicity: torch.Tensor
    positions: torch.Tensor
    row: torch.Tensor


class TreeBatch(Nodes):
    """One tree with L labels, each standing for all samples that train it.

    Keys:
        target: [L] token id to be predicted.
        weight: [L] number of samples that train the label, fp32.
    """

    target: torch.Tensor
    weight: torch.Tensor


def collate_nodes(tree: Tree | PairTree) -> Nodes:
    """Tensors of a tree without what is learned."""
    positions, row = np.unique(tree.label_position, return_inverse=True)
    return Nodes(
        input_ids=torch.from_numpy(tree.input_ids)[None],
        position_ids=torch.from_numpy(tree.depth)[None],
        plan=TreePlan.build(tree.subtree_end),
        multiplicity=torch.from_numpy(tree.multiplicity)[None].float(),
        positions=torch.from_numpy(positions),
        row=torch.from_numpy(row),
    )


def collate_tree(tree: Tree) -> TreeBatch:
    """Tensors of one tree."""
    return TreeBatch(
        **collate_nodes(tree),
        target=torch.from_numpy(tree.label_target),
        weight=torch.from_numpy(tree.label_weight).float(),
    )


def to_device(batch: BatchT, device: torch.device | str) -> BatchT:
    """A batch's tensors, and its plan, on a device."""
    return {key: value.to(device, non_blocking=True) for key, value in batch.items()}  # type: ignore[return-value]
