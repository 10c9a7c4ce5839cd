"""Tensors of a tree, and windows that fill up a round of ranks."""

from __future__ import annotations

import torch

from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Encoded


def sample(prompt: list[int], answer: list[int]) -> Encoded:
    encoded = Encoded()
    encoded.append(prompt, trainable=False)
    encoded.append(answer, trainable=True)
    return encoded


def test_labels_of_one_node_share_its_row() -> None:
    batch = collate_tree(build_tree([sample([1, 2], [3]), sample([1, 2], [4]), sample([1, 2], [4])]))
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 2]]
    assert batch["positions"].tolist() == [1]
    assert batch["row"].tolist() == [0, 0]
    assert batch["target"].tolist() == [3, 4]
    assert batch["weight"].tolist() == [1.0, 2.0]


def test_plan_hides_siblings() -> None:
    batch = collate_tree(build_tree([sample([1, 2], [3]), sample([1, 2], [4])]))
    (block,) = batch["plan"].pieces().blocks
    hidden = torch.isinf(block.bias)
    assert hidden.tolist() == [
        [False, True, True, True],
        [False, False, True, True],
        [False, False, False, True],
        [False, False, True, False],
    ]
