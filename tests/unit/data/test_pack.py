"""Packing: the trie's layout, and where windows are cut."""

from __future__ import annotations

import random

import numpy as np
import pytest

from data_pipeline.core.errors import InputError
from xlam_train.data.pack import build_tree, common_prefix, plan_windows
from xlam_train.data.render import Encoded


def encoded(prompt: list[int], answer: list[int], name: str = "s") -> Encoded:
    sample = Encoded(sample_id=name)
    sample.append(prompt, trainable=False)
    sample.append(answer, trainable=True)
    return sample


def random_samples(count: int = 60, seed: int = 0) -> list[Encoded]:
    rng = random.Random(seed)
    prefixes = [[1, *(rng.randrange(5) for _ in range(20))] for _ in range(6)]
    return [
        encoded(
            rng.choice(prefixes) + [rng.randrange(5) for _ in range(rng.randint(0, 6))],
            [rng.randrange(5) for _ in range(rng.randint(1, 6))],
            f"s{index}",
        )
        for index in range(count)
    ]


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
    labels = zip(tree.label_position.tolist(), tree.label_target.tolist(), tree.label_weight.tolist(), strict=True)
    assert list(labels) == [(0, 6, 1), (1, 3, 3), (2, 4, 2), (2, 5, 1)]
    assert (tree.samples, tree.tokens_before) == (4, 14)
    assert tree.sample_ids == ("a", "b", "s", "s")


def test_a_token_is_prompt_in_one_sample_and_label_in_another() -> None:
    tree = build_tree([encoded([1, 2], [3]), encoded([1], [2, 3])])
    assert tree.label_weight.tolist() == [1, 2]


def test_a_sample_that_is_the_start_of_another() -> None:
    tree = build_tree([encoded([1, 2], [3, 4]), encoded([1, 2], [3])])
    assert tree.input_ids.tolist() == [1, 2, 3, 4]
    assert tree.label_weight.tolist() == [2, 1]


@pytest.mark.parametrize("seed", range(5))
def test_every_sample_is_a_path_and_sees_exactly_itself(seed: int) -> None:
    samples = random_samples(12, seed)
    tree = build_tree(samples)
    node = np.arange(len(tree.input_ids))
    visible = (node[None] <= node[:, None]) & (node[:, None] < tree.subtree_end[None])
    assert (visible.sum(1) == tree.depth + 1).all()
    paths = {tuple(tree.input_ids[row].tolist()) for row in visible}
    assert all(tuple(sample.ids) in paths for sample in samples)
    assert len(paths) == len(node), "a prefix stands there twice"
    assert tree.label_weight.sum() == sum(sum(sample.trainable) for sample in samples)


def test_label_on_the_first_token_is_refused() -> None:
    with pytest.raises(InputError, match="sample bad: its first token is trainable"):
        build_tree([encoded([], [1, 2], "bad")])


def test_windows_hold_every_sample_once_within_the_budget() -> None:
    samples = random_samples()
    windows = plan_windows(samples, 80, seed=0, epoch=0)
    assert sorted(s.sample_id for w in windows for s in w) == sorted(s.sample_id for s in samples)
    assert max(len(build_tree(window).input_ids) for window in windows) <= 80


def test_windows_keep_shared_prefixes_together() -> None:
    # Three tool sets of 30 tokens with 4 queries each: one window a set is the fewest tokens.
    samples = [encoded([1, *[10 + t] * 30, 40 + q], [5, 6]) for q in range(4) for t in range(3)]
    windows = plan_windows(samples, 60, seed=0, epoch=0)
    assert sorted(len({s.ids[1] for s in window}) for window in windows) == [1, 1, 1]


def test_a_sample_above_the_budget_is_a_window_of_its_own() -> None:
    long = encoded(list(range(100)), [1], "long")
    windows = plan_windows([long, *random_samples(5)], 60, seed=0, epoch=0)
    assert [long] in windows


def test_plan_depends_on_seed_and_epoch_only() -> None:
    samples = random_samples()
    plan = plan_windows(samples, 80, seed=3, epoch=1)
    assert plan == plan_windows(list(samples), 80, seed=3, epoch=1)
    assert plan != plan_windows(samples, 80, seed=3, epoch=2)
    assert plan != plan_windows(samples, 80, seed=4, epoch=1)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [([], [], 0), ([1], [2], 0), ([1, 2], [1, 2], 2), ([1, 2, 3], [1, 2], 2), ([1, 2, 3, 4], [1, 2, 5, 4], 2)],
)
def test_common_prefix(left: list[int], right: list[int], expected: int) -> None:
    assert common_prefix(left, right) == expected
