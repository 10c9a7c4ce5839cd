"""Packing: the tree of a window, and where windows are cut."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from data_pipeline.core.errors import InputError
from xlam_train.data.pack import build_tree, common_prefix, merge_rows, plan_windows
from xlam_train.data.render import Encoded

Item = tuple[Encoded, ...]


def encoded(prompt: list[int], answer: list[int], name: str = "s") -> Encoded:
    sample = Encoded(sample_id=name)
    sample.append(prompt, trainable=False)
    sample.append(answer, trainable=True)
    return sample


def random_samples(count: int = 60, seed: int = 0) -> list[Encoded]:
    """Answers end where others go on, and some samples are there twice; token 300 has a second byte."""
    rng = random.Random(seed)
    tokens = [2, 3, 255, 256, 300]
    prefixes = [[1, *rng.choices(tokens, k=20)] for _ in range(6)]
    return [
        encoded(
            rng.choice(prefixes) + rng.choices(tokens, k=rng.randint(0, 3)),
            rng.choices(tokens, k=rng.randint(1, 4)),
            f"s{index}",
        )
        for index in range(count)
    ]


def conversations(count: int, seed: int = 0) -> list[Item]:
    """Three rows each, of which a later one goes on behind the answer of the one before."""
    rng = random.Random(seed)
    items = []
    for index, sample in enumerate(random_samples(count, seed)):
        rows = [sample]
        for _ in range(2):
            rows.append(encoded([*rows[-1].ids, rng.choice([2, 300])], rng.choices([3, 256], k=3), f"s{index}"))
        items.append(tuple(rows))
    return items


def pairs(count: int, seed: int = 0) -> list[Item]:
    """Two answers to one prompt; some prompts and some chosen answers come again."""
    rng = random.Random(seed)
    chosen = rng.choices(random_samples(count // 2, seed), k=count)
    return [
        (row, encoded(row.ids[: row.trainable.index(True)], rng.choices([2, 3, 300], k=4), row.sample_id))
        for row in chosen
    ]


def alone(samples: list[Encoded]) -> list[Item]:
    return [(sample,) for sample in samples]


def rows_of(window: list[Item]) -> list[Encoded]:
    return [row for item in window for row in item]


def prefixes_of(window: list[Item]) -> set[tuple[int, ...]]:
    """What a trie's nodes are, by definition."""
    return {tuple(row.ids[:stop]) for row in rows_of(window) for stop in range(1, len(row.ids) + 1)}


def test_layout_by_hand() -> None:
    # 1 ─ 2 ─ 3 ─ 4
    #         └─ 5
    # and 1 ─ 6; the sample that ends in 4 stands there twice
    window = [
        encoded([1, 2], [3, 5]),
        encoded([1, 2], [3, 4], "a"),
        encoded([1], [6]),
        encoded([1, 2], [3, 4], "b"),
    ]
    tree = build_tree(window)
    assert tree.input_ids.tolist() == [1, 2, 3, 4, 5, 6]
    assert tree.depth.tolist() == [0, 1, 2, 3, 3, 1]
    assert tree.subtree_end.tolist() == [6, 5, 5, 4, 5, 6]
    assert tree.multiplicity.tolist() == [4, 3, 3, 2, 1, 1]
    labels = zip(tree.label_position.tolist(), tree.label_target.tolist(), tree.label_weight.tolist(), strict=True)
    assert list(labels) == [(0, 6, 1), (1, 3, 3), (2, 4, 2), (2, 5, 1)]
    assert (tree.samples, tree.tokens_before, tree.tokens_packed, tree.label_tokens) == (4, 14, 6, 7)
    assert tree.sample_ids == ("a", "b", "s", "s")


def test_labels_of_single_rows_keep_their_row() -> None:
    trie = merge_rows([encoded([1, 2], [3, 5]), encoded([1, 2], [3, 4])])
    assert trie.order.tolist() == [1, 0]
    assert trie.label_row.tolist() == [1, 1, 0, 0]
    assert trie.label_position.tolist() == [1, 2, 1, 2]
    assert trie.input_ids[trie.label_node].tolist() == [3, 4, 3, 5]


def test_a_token_is_prompt_in_one_sample_and_label_in_another() -> None:
    tree = build_tree([encoded([1, 2], [3]), encoded([1], [2, 3])])
    assert tree.label_weight.tolist() == [1, 2]


def test_a_sample_that_is_the_start_of_another() -> None:
    tree = build_tree([encoded([1, 2], [3, 4]), encoded([1, 2], [3])])
    assert tree.input_ids.tolist() == [1, 2, 3, 4]
    assert tree.label_weight.tolist() == [2, 1]


def test_samples_without_a_common_start() -> None:
    tree = build_tree([encoded([1], [2]), encoded([3], [4])])
    assert tree.subtree_end.tolist() == [2, 2, 4, 4]
    assert tree.depth.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_a_tree_is_the_set_of_prefixes_of_its_samples(seed: int) -> None:
    """Nodes, depths, visibility, multiplicities and labels, each by its definition."""
    samples = random_samples(40, seed)
    tree = build_tree(samples)
    node = np.arange(tree.tokens_packed)
    visible = (node[None] <= node[:, None]) & (node[:, None] < tree.subtree_end[None])
    paths = [tuple(tree.input_ids[row].tolist()) for row in visible]
    assert paths == sorted(prefixes_of(alone(samples))), "depth-first order, each prefix once"
    assert tree.depth.tolist() == [len(path) - 1 for path in paths]
    through = Counter(tuple(sample.ids[:stop]) for sample in samples for stop in range(1, len(sample.ids) + 1))
    assert tree.multiplicity.tolist() == [through[path] for path in paths]
    expected = Counter(
        (tuple(sample.ids[:at]), sample.ids[at])
        for sample in samples
        for at in range(len(sample.ids))
        if sample.trainable[at]
    )
    labels = zip(tree.label_position.tolist(), tree.label_target.tolist(), tree.label_weight.tolist(), strict=True)
    found = [((paths[position], target), weight) for position, target, weight in labels]
    assert dict(found) == expected
    assert len(found) == len(expected), "a label stands there twice"
    assert [label for label, _ in found] == sorted(expected), "in the order of their positions"


def test_label_on_the_first_token_is_refused() -> None:
    with pytest.raises(InputError, match="sample bad: its first token is trainable"):
        build_tree([encoded([], [1, 2], "bad")])


@pytest.mark.parametrize(
    "items", [alone(random_samples()), conversations(25), pairs(40)], ids=["samples", "conversations", "pairs"]
)
def test_windows_hold_every_item_once_within_the_budget(items: list[Item]) -> None:
    windows = plan_windows(items, 110, seed=0, epoch=0)
    assert sorted(map(id, (item for window in windows for item in window))) == sorted(map(id, items))
    sizes = [build_tree(rows_of(window)).tokens_packed for window in windows]
    assert sizes == [len(prefixes_of(window)) for window in windows]
    assert max(sizes) <= 110


def slow_cuts(items: list[Item], budget: int) -> int:
    """Fewest nodes of all trees together, over every way to cut the items in this order."""
    best = [0]
    for stop in range(1, len(items) + 1):
        sizes = [len(prefixes_of(items[start:stop])) for start in range(stop)]
        fit = [start for start in range(stop) if sizes[start] <= budget or start == stop - 1]
        best.append(min(best[start] + sizes[start] for start in fit))
    return best[-1]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["samples", "conversations"])
def test_windows_are_the_cheapest_cuts_of_their_order(kind: str, seed: int) -> None:
    """An unlimited budget tells the order of the walk; a seed and epoch have one walk."""
    items = alone(random_samples(30, seed)) if kind == "samples" else conversations(20, seed)
    (order,) = plan_windows(items, 10**6, seed, epoch=2)
    windows = plan_windows(items, 90, seed, epoch=2)
    assert sum(build_tree(rows_of(window)).tokens_packed for window in windows) == slow_cuts(order, 90)
    place = {id(item): index for index, item in enumerate(order)}
    assert all(place[id(b)] == place[id(a)] + 1 for window in windows for a, b in pairwise(window))


def test_the_walk_of_an_epoch_is_depth_first() -> None:
    """Samples that share a prefix stand together: as many neighbours' tokens are shared as in sorted order."""
    samples = random_samples(50)
    ordered = sorted(sample.ids for sample in samples)
    most = sum(common_prefix(a, b) for a, b in pairwise(ordered))
    walks = [plan_windows(alone(samples), 10**6, 0, epoch)[0] for epoch in range(5)]
    for walk in walks:
        assert sum(common_prefix(a.ids, b.ids) for (a,), (b,) in pairwise(walk)) == most
    assert len({walk[0][0].ids[1] for walk in walks}) > 1, "children are always taken in the same order"


def test_windows_keep_shared_prefixes_together() -> None:
    # Three tool sets of 30 tokens with 4 queries each: one window a set is the fewest tokens.
    samples = [encoded([1, *[10 + t] * 30, 40 + q], [5, 6]) for q in range(4) for t in range(3)]
    windows = plan_windows(alone(samples), 60, seed=0, epoch=0)
    assert sorted(len({row.ids[1] for row in rows_of(window)}) for window in windows) == [1, 1, 1]


def test_an_item_above_the_budget_is_a_window_of_its_own() -> None:
    long = (encoded(list(range(100)), [1], "long"),)
    windows = plan_windows([long, *alone(random_samples(5))], 60, seed=0, epoch=0)
    assert [long] in windows


def test_nothing_makes_no_windows() -> None:
    assert plan_windows([], 60, seed=0, epoch=0) == []


def test_plan_depends_on_seed_and_epoch_only() -> None:
    items = pairs(60)
    plan = plan_windows(items, 80, seed=3, epoch=1)
    assert plan == plan_windows(list(items), 80, seed=3, epoch=1)
    assert plan != plan_windows(items, 80, seed=3, epoch=2)
    assert plan != plan_windows(items, 80, seed=4, epoch=1)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [([], [], 0), ([1], [2], 0), ([1, 2], [1, 2], 2), ([1, 2, 3], [1, 2], 2), ([1, 2, 3, 4], [1, 2, 5, 4], 2)],
)
def test_common_prefix(left: list[int], right: list[int], expected: int) -> None:
    assert common_prefix(left, right) == expected
