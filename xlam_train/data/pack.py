"""Prefix-tree packing: each distinct prefix of a window's samples is one node, computed once.

Nodes are laid out in depth-first order, so the whole attention mask is one integer vector: query q
may see key k exactly if k <= q < subtree_end[k]. Every token sees its own ancestors at its own
positions, so hidden states, loss and gradient are those of one sample at a time.

Tokens written as big-endian bytes sort as the tokens do, so sorting and comparing rows run in C, and
nothing here loops over tokens.
"""

from __future__ import annotations

import random
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from xlam_train.data.render import Encoded

ItemT = TypeVar("ItemT", bound="Sequence[Encoded]")

IntArray = npt.NDArray[np.int64]
TokenArray = npt.NDArray[np.uint32]
TOKEN_BYTES = 4


@dataclass(frozen=True)
class Trie:
    """R rows as T nodes in depth-first order, with the M labels of every single row.

    Attributes:
        order: [R] numbers of the rows, in depth-first order.
        input_ids: [T] token of each node.
        depth: [T] distance from the root, which is the token's position id.
        subtree_end: [T] one past the last node below; query q sees key k iff k <= q < subtree_end[k].
        multiplicity: [T] number of rows through each node.
        label_row: [M] number of the row that trains the label.
        label_position: [M] node whose hidden state predicts the label.
        label_node: [M] node whose token is to be predicted.
    """

    order: IntArray
    input_ids: IntArray
    depth: IntArray
    subtree_end: IntArray
    multiplicity: IntArray
    label_row: IntArray
    label_position: IntArray
    label_node: IntArray


@dataclass(frozen=True)
class Tree:
    """A window of samples as a token trie of T nodes and L distinct labels, in depth-first order.

    Attributes:
        input_ids: [T] token of each node.
        depth: [T] distance from the root, which is the token's position id.
        subtree_end: [T] one past the last node below; query q sees key k iff k <= q < subtree_end[k].
        multiplicity: [T] number of samples through each node.
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
    multiplicity: IntArray
    label_position: IntArray
    label_target: IntArray
    label_weight: IntArray
    samples: int
    tokens_before: int
    sample_ids: tuple[str, ...]

    @property
    def tokens_packed(self) -> int:
        """Nodes."""
        return len(self.input_ids)

    @property
    def label_tokens(self) -> int:
        """Labels, counted once for each sample."""
        return int(self.label_weight.sum())


def build_tree(window: Sequence[Encoded]) -> Tree:
    """Merge samples into one trie; the order of `window` does not matter.

    Raises:
        InputError: a sample trains its first token, which nothing comes before.
    """
    trie = merge_rows(window)
    # A node has one parent, so the labelled node alone tells one label from another.
    node, first, weight = np.unique(trie.label_node, return_index=True, return_counts=True)
    position = trie.label_position[first]
    order = np.argsort(position, kind="stable")
    return Tree(
        input_ids=trie.input_ids,
        depth=trie.depth,
        subtree_end=trie.subtree_end,
        multiplicity=trie.multiplicity,
        label_position=position[order],
        label_target=trie.input_ids[node[order]],
        label_weight=weight[order],
        samples=len(window),
        tokens_before=int(trie.multiplicity.sum()),
        sample_ids=tuple(window[row].sample_id for row in trie.order),
    )


def merge_rows(rows: Sequence[Encoded]) -> Trie:
    """Merge rows into one trie.

    Raises:
        InputError: a row trains its first token, which nothing comes before.
    """
    tokens, edges = _flatten(rows)
    keys = _sort_keys(tokens, edges)
    ordered = sorted(range(len(rows)), key=keys.__getitem__)
    shared = np.array([0, *(_shared_tokens(keys[a], keys[b]) for a, b in pairwise(ordered))], np.int64)
    order = np.array(ordered, np.int64)
    added = np.diff(edges)[order] - shared  # nodes of its own that each row brings
    first = np.concatenate([[0], np.cumsum(added)])  # number of the first of them
    node = np.arange(first[-1])
    closed, label_rank, label_position, label_node = _walk([rows[row] for row in ordered], shared, first)
    return Trie(
        order=order,
        input_ids=tokens[node + np.repeat(edges[order] + shared - first[:-1], added)].astype(np.int64),
        depth=node + np.repeat(shared - first[:-1], added),
        subtree_end=first[closed],
        multiplicity=closed - np.repeat(np.arange(len(rows)), added),
        label_row=order[label_rank],
        label_position=label_position,
        label_node=label_node,
    )


def _walk(rows: Sequence[Encoded], shared: IntArray, first: IntArray) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Go through sorted rows with the path of the current one at hand.

    Returns:
        closed [T]: number of the first later row that does not pass through the node; then for each label the
        number of its row, its position and its node, all [M].
    """
    node = np.arange(first[-1])
    closed = np.full(first[-1], len(rows))
    path = np.empty(max(len(row.ids) for row in rows), np.int64)  # the node at each depth of the current row
    length = 0
    ranks, positions, nodes = [], [], []
    for rank, row in enumerate(rows):
        closed[path[shared[rank] : length]] = rank
        length = len(row.ids)
        path[shared[rank] : length] = node[first[rank] : first[rank + 1]]
        trained = _trained(row)
        ranks.append(np.full(len(trained), rank))
        positions.append(path[trained - 1])
        nodes.append(path[trained])
    return closed, np.concatenate(ranks), np.concatenate(positions), np.concatenate(nodes)


def _trained(row: Encoded) -> IntArray:
    """Places of the trainable tokens."""
    if row.trainable[0]:
        raise InputError(f"sample {row.sample_id}: its first token is trainable, but nothing predicts it")
    return np.frombuffer(bytes(row.trainable), np.bool_).nonzero()[0]


def plan_windows(items: Sequence[ItemT], tokens_per_tree: int, seed: int | str, epoch: int) -> list[list[ItemT]]:
    """Cut items into windows whose tries have at most `tokens_per_tree` nodes.

    Items are ordered by a depth-first walk of their common trie that takes children in an order drawn anew for
    each epoch, so neighbours share all they can; the cuts are placed where they repeat the fewest tokens; then
    the windows are shuffled. An item above the budget is a window of its own. The same arguments give the same
    windows.

    Args:
        items: what stays together, each as one or more rows: the answer of a sample, the turns of a conversation,
            or the two answers of a pair.
        tokens_per_tree: budget of a window.
        seed: of the run.
        epoch: pass over the data.
    """
    if not items:
        return []
    rng = random.Random(f"{seed}/{epoch}")
    keys = _shuffled_keys(items, rng)
    order = sorted(range(len(items)), key=keys.__getitem__)
    sizes = [_nodes(keys[item]) for item in order]
    unions = (_nodes(keys[left] + keys[right]) for left, right in pairwise(order))
    shared = [0, *(left + right - union for (left, right), union in zip(pairwise(sizes), unions, strict=True))]
    starts = _cheapest_cuts(sizes, shared, tokens_per_tree)
    edges = pairwise([*starts, len(items)])
    windows = [[items[item] for item in order[start:stop]] for start, stop in edges]
    rng.shuffle(windows)
    return windows


def _shuffled_keys(items: Sequence[Sequence[Encoded]], rng: random.Random) -> list[list[bytes]]:
    """Sort keys of each item's rows under a shuffled alphabet: sorted by them, a trie's children are shuffled."""
    tokens, edges = _flatten([row for item in items for row in item])
    # numpy promises the same numbers for a seed, in all its versions, of this generator alone.
    ranks = np.random.RandomState(rng.getrandbits(32)).permutation(int(tokens.max(initial=0)) + 1)
    keys = iter(_sort_keys(ranks.astype(np.uint32)[tokens], edges))
    return [list(islice(keys, len(item))) for item in items]


def _nodes(keys: Sequence[bytes]) -> int:
    """Size of the trie of some rows: neighbours in sorted order share what a row shares with any before it."""
    ordered = sorted(keys)
    return sum(map(len, keys)) // TOKEN_BYTES - sum(_shared_tokens(left, right) for left, right in pairwise(ordered))


def _cheapest_cuts(sizes: Sequence[int], shared: Sequence[int], budget: int) -> list[int]:
    """First index of each window, so that windows fit the budget and repeat the fewest tokens.

    A window of the items from `start` up to `stop` has at most `total[stop] - total[start] + shared[start]` nodes:
    exactly so many if no item shares more with earlier ones than with the one just before it. A cut before item i
    makes its `shared[i]` tokens be computed again, so the dynamic programme minimises the sum of those; among
    equals, the longest windows win. As that count only falls with `start`, a queue of the starts that still fit,
    cheapest first, finds each minimum at once.

    Args:
        sizes: nodes of each item alone.
        shared: how many of them are nodes of the item before, too; 0 for the first.
        budget: most nodes of a window.
    """
    total = [0, *accumulate(size - again for size, again in zip(sizes, shared, strict=True))]
    price: list[int] = []  # price[start]: tokens repeated by the best windows up to one that begins at `start`
    cost = 0  # the same for the best windows over all items so far
    begin = []  # begin[n]: first item of the last of the best windows over the first n + 1 items
    fitting: deque[int] = deque()
    for start, again in enumerate(shared):
        price.append(cost + again)
        while fitting and price[fitting[-1]] > price[start]:
            fitting.pop()
        fitting.append(start)
        while fitting[0] < start and total[start + 1] - total[fitting[0]] + shared[fitting[0]] > budget:
            fitting.popleft()
        begin.append(fitting[0])
        cost = price[fitting[0]]
    return _walk_back(begin)


def _walk_back(begin: Sequence[int]) -> list[int]:
    starts = []
    stop = len(begin)
    while stop:
        stop = begin[stop - 1]
        starts.append(stop)
    return starts[::-1]


def _flatten(rows: Sequence[Encoded]) -> tuple[TokenArray, IntArray]:
    """The tokens of all rows in one array, and [R + 1] where each row begins and the last one ends."""
    tokens = array("I")
    for row in rows:
        tokens.fromlist(row.ids)
    edges = np.concatenate([[0], np.cumsum([len(row.ids) for row in rows], dtype=np.int64)])
    return np.frombuffer(tokens, np.uint32), edges


def _sort_keys(tokens: TokenArray, edges: IntArray) -> list[bytes]:
    """A text of each row that sorts as its tokens do; `edges` as of `_flatten`."""
    data = tokens.astype(">u4").tobytes()
    return [data[start:stop] for start, stop in pairwise((edges * TOKEN_BYTES).tolist())]


def _shared_tokens(left: bytes, right: bytes) -> int:
    """Number of leading tokens that two sort keys share."""
    return common_prefix(np.frombuffer(left, np.uint32), np.frombuffer(right, np.uint32))


def common_prefix(left: Sequence[int] | TokenArray, right: Sequence[int] | TokenArray) -> int:
    """Number of leading tokens that two rows share."""
    size = min(len(left), len(right))
    differ = np.not_equal(left[:size], right[:size])
    first = int(differ.argmax()) if size else 0
    return first if size and differ[first] else size
