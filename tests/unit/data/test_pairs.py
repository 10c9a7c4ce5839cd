"""Trees and tensors of preference pairs."""

from __future__ import annotations

import pytest
import torch
from tiny_pairs import pair

from xlam_train.data.pack import plan_windows
from xlam_train.data.pairs import build_pair_tree, collate_pairs

# 1 ─ 2 ─ 3 ─ 4 ─ 9     a: chosen 3 4 9, rejected 3 5
#     │   └─ 5
#     └─ 6 ─ 7          b: chosen 7, rejected 8, behind 6
#        └─ 8
A, B = pair("a", [1, 2], [3, 4, 9], [3, 5]), pair("b", [1, 2, 6], [7], [8])


def test_layout_by_hand() -> None:
    tree = build_pair_tree([B, A])
    assert tree.input_ids.tolist() == [1, 2, 3, 4, 9, 5, 6, 7, 8]
    assert tree.depth.tolist() == [0, 1, 2, 3, 4, 3, 2, 3, 3]
    assert tree.subtree_end.tolist() == [9, 9, 6, 5, 5, 6, 9, 8, 9]
    assert tree.multiplicity.tolist() == [4, 4, 2, 1, 1, 1, 2, 1, 1]
    assert tree.sample_ids == ("b/chosen", "b/rejected", "a/chosen", "a/rejected")
    answer, position, target = tree.label_answer.tolist(), tree.label_position.tolist(), tree.label_target.tolist()
    labels = sorted(zip(answer, position, target, strict=True))
    assert labels == [(0, 6, 7), (1, 6, 8), (2, 1, 3), (2, 2, 4), (2, 3, 9), (3, 1, 3), (3, 2, 5)]
    assert (tree.samples, tree.tokens_before, tree.tokens_packed, tree.label_tokens) == (4, 17, 9, 7)


def test_tensors_by_hand() -> None:
    tree = build_pair_tree([B, A])
    batch = collate_pairs(tree)
    assert batch["input_ids"].tolist() == [tree.input_ids.tolist()]
    assert batch["position_ids"].tolist() == [tree.depth.tolist()]
    assert batch["multiplicity"].tolist() == [tree.multiplicity.tolist()]
    assert batch["positions"].tolist() == [1, 2, 3, 6]
    assert batch["positions"][batch["row"]].tolist() == tree.label_position.tolist()
    assert batch["target"].tolist() == tree.label_target.tolist()
    assert batch["answer"].tolist() == tree.label_answer.tolist()
    assert batch["answer_tokens"].tolist() == [[1, 1], [3, 2]]
    assert batch["weight"].tolist() == [1, 1]
    assert "reference" not in batch


def test_reference_goes_to_its_answer() -> None:
    known = {"a/chosen": -1.0, "a/rejected": -2.0, "b/chosen": -3.0, "b/rejected": -4.0, "c/chosen": -5.0}
    batch = collate_pairs(build_pair_tree([B, A]), known)
    assert batch["reference"].tolist() == [[-3, -4], [-1, -2]]
    assert batch["reference"].dtype == torch.float32


def test_an_unknown_reference_is_no_default() -> None:
    with pytest.raises(KeyError, match="b/chosen"):
        collate_pairs(build_pair_tree([B]), {"a/chosen": -1.0})


def test_windows_keep_both_answers_of_a_pair() -> None:
    pairs = [pair(f"{t}-{q}", [1, *[10 + t] * 20, 50 + q], [5, 6, q], [5, 7, 8, 9]) for t in range(3) for q in range(5)]
    windows = plan_windows(pairs, 50, seed=0, epoch=0)
    trees = [build_pair_tree(window) for window in windows]
    assert max(tree.tokens_packed for tree in trees) <= 50
    assert sum(tree.samples for tree in trees) == 30
    for tree in trees:
        names = [name.split("/") for name in tree.sample_ids]
        assert [kind for _, kind in names] == ["chosen", "rejected"] * (tree.samples // 2)
        assert all(left[0] == right[0] for left, right in zip(names[::2], names[1::2], strict=True))
        assert len({name[0].split("-")[0] for name in names}) == 1, "a tree mixes tool sets"
