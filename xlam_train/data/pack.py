"""Prefix-tree packing: each distinct prefix of a window's samples is one node, computed once.

Nodes are laid out in depth-first order, so the whole attention mask is one integer vector: query q
may see key k exactly if k <= q < subtree_end[k]. Every token sees its own ancestors at its own
positions, so hidden states, loss and gradient are those of one sample at a time.

Sorted samples are a depth-first order, and neighbours' common prefixes then give every count that
packing needs: the nodes of a run of samples are its lengths minus its neighbours' common prefixes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlam_train.data.render import Encoded

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """A window of samples as a token trie of T nodes and L labels, in depth-first order.

    Attributes:
        input_ids: [T] token of each node.
        depth: [T] distance from the root, which is the token's position id.
        subtree_end: [T] one past the last node below; query q sees key k iff k <= q < subtree_end[k].
        label_position: [L] node whose hidden state predicts the label.
        label_target: [L] token id to be predicted.
        label_weight: [L] number of samples that train this label.
        samples: number of samples.
        tokens_before: tokens of the samples one by one.
        sample_ids: ids of the samples, in depth-first order.
    """

    input_ids: IntArray
    depth: IntArray
    subtree_end: IntArray
    label_position: IntArray
    label_target: IntArray
    label_weight: IntArray
    samples: int
    tokens_before: int
    sample_ids: tuple[str, ...]


def build_tree(window: Sequence[Encoded]) -> Tree:
    """Merge samples into one trie; the order of `window` does not matter.

    Raises:
        InputError: a sample trains its first token, which nothing comes before.
    """
    ordered = sorted(window, key=lambda sample: sample.ids)
    ids: list[int] = []
    depth: list[int] = []
    end: list[int] = []
    weight: dict[tuple[int, int], int] = {}  # (predicting node, labelled child) -> samples
    path: list[int] = []  # the node at each depth of the current branch
    for index, sample in enumerate(ordered):
        shared = common_prefix(ordered[index - 1].ids, sample.ids) if index else 0
        _close(path, shared, end, len(ids))
        for token in sample.ids[shared:]:
            depth.append(len(path))
            path.append(len(ids))
            ids.append(token)
            end.append(0)
        _count_labels(sample, path, weight)
    _close(path, 0, end, len(ids))
    labels = np.array([(at, ids[child], count) for (at, child), count in sorted(weight.items())], np.int64)
    position, target, counts = labels.reshape(-1, 3).T
    return Tree(
        input_ids=np.array(ids, np.int64),
        depth=np.array(depth, np.int64),
        subtree_end=np.array(end, np.int64),
        label_position=position,
        label_target=target,
        label_weight=counts,
        samples=len(ordered),
        tokens_before=sum(len(sample.ids) for sample in ordered),
        sample_ids=tuple(sample.sample_id for sample in ordered),
    )


def _close(path: list[int], keep: int, end: list[int], now: int) -> None:
    """Leave the branch below depth `keep`: those nodes' subtrees end here."""
    for node in path[keep:]:
        end[node] = now
    del path[keep:]


def _count_labels(sample: Encoded, path: list[int], weight: dict[tuple[int, int], int]) -> None:
    if sample.trainable[0]:
        raise InputError(f"sample {sample.sample_id}: its first token is trainable, but nothing predicts it")
    for at, (parent, child) in enumerate(pairwise(path), start=1):
        if sample.trainable[at]:
            weight[parent, child] = weight.get((parent, child), 0) + 1


def plan_windows(encoded: Sequence[Encoded], tokens_per_tree: int, seed: int, epoch: int) -> list[list[Encoded]]:
    """Cut the samples into windows whose tries have at most `tokens_per_tree` nodes.

    Samples are ordered by a depth-first walk of their common trie that takes children in an order
    drawn anew for each epoch, so neighbours share all they can; the cuts are placed where they repeat
    the fewest tokens; then the windows are shuffled. A sample above the budget is a window of its own.
    The same arguments give the same windows.
    """
    rng = random.Random(f"{seed}/{epoch}")
    ordered = _random_walk(encoded, rng)
    lengths = [len(sample.ids) for sample in ordered]
    shared = [0, *(common_prefix(a.ids, b.ids) for a, b in pairwise(ordered))]
    starts = _cheapest_cuts(lengths, shared, tokens_per_tree)
    windows = [ordered[start:stop] for start, stop in zip(starts, [*starts[1:], len(ordered)], strict=True)]
    rng.shuffle(windows)
    return windows


def _random_walk(encoded: Sequence[Encoded], rng: random.Random) -> list[Encoded]:
    """Depth-first order with random order of children: sorted under a shuffled alphabet."""
    alphabet = sorted({token for sample in encoded for token in sample.ids})
    ranks = list(range(len(alphabet)))
    rng.shuffle(ranks)
    rank = dict(zip(alphabet, ranks, strict=True))
    return sorted(encoded, key=lambda sample: [rank[token] for token in sample.ids])


def _cheapest_cuts(lengths: Sequence[int], shared: Sequence[int], budget: int) -> list[int]:
    """First index of each window, so that windows fit the budget and repeat the fewest tokens.

    A cut before sample i makes its `shared[i]` tokens be computed again, so the dynamic programme
    minimises the sum of those; among equals, the longest windows win.
    """
    cost = [0]  # cost[n]: tokens repeated by the best windows over the first n samples
    begin = [0]  # begin[n]: first sample of the last of those windows
    for stop in range(1, len(lengths) + 1):
        best, best_start = cost[stop - 1] + shared[stop - 1], stop - 1
        nodes = lengths[stop - 1]
        for start in range(stop - 2, -1, -1):
            nodes += lengths[start] - shared[start + 1]
            if nodes > budget:
                break
            if cost[start] + shared[start] <= best:
                best, best_start = cost[start] + shared[start], start
        cost.append(best)
        begin.append(best_start)
    return _walk_back(begin)


def _walk_back(begin: Sequence[int]) -> list[int]:
    starts = []
    stop = len(begin) - 1
    while stop:
        stop = begin[stop]
        starts.append(stop)
    return starts[::-1]


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Number of leading tokens that two samples share."""
    low, high = 0, min(len(left), len(right))
    while low < high:  # slices compare in C, so halving beats a loop over tokens
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
