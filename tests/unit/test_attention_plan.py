"""The mask cut into pieces: what the pieces show is what the tree's vector says, once, in little memory."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
import torch

from xlam_train.attention.plan import BLOCK_ROWS, SHORTEST_TILE, TILE_KEYS, TreePlan, depths


def random_tree(rng: random.Random, nodes: int, longest: int) -> np.ndarray:
    """subtree_end of a forest: unbranched runs of random length below random nodes of the current path."""
    parent: list[int] = []
    path: list[int] = []
    while len(parent) < nodes:
        del path[rng.randint(0, len(path)) :]
        for _ in range(rng.randint(1, longest)):
            parent.append(path[-1] if path else -1)
            path.append(len(parent) - 1)
    end = np.arange(1, len(parent) + 1)
    for node in range(len(parent) - 1, -1, -1):
        if parent[node] >= 0:
            end[parent[node]] = max(end[parent[node]], end[node])
    return end


def prefix_and_branches(prefix: int, branches: int, length: int) -> np.ndarray:
    size = prefix + branches * length
    ends = np.repeat(np.arange(prefix + length, size + 1, length), length)
    return np.concatenate([np.full(prefix, size), ends])


def definition(end: np.ndarray, window: int | None = None) -> np.ndarray:
    """[T, T]: whether query q, the row, sees key k; by walking up from each node."""
    seen = np.zeros((len(end), len(end)), bool)
    for q in range(len(end)):
        path = [k for k in range(q + 1) if end[k] > q]
        seen[q, path if window is None else path[-window:]] = True
    return seen


def shown(plan: TreePlan, window: int | None = None) -> np.ndarray:
    """[T, T]: in how many pieces query q sees key k."""
    size = len(plan.subtree_end)
    count = np.zeros((size, size), int)
    pieces = plan.pieces(window)
    for piece in (*pieces.blocks, *pieces.tiles):
        keys = np.concatenate([np.arange(*run) for run in piece.runs])
        visible = 1 if piece.bias is None else (piece.bias == 0).numpy().astype(int)
        count[piece.start : piece.stop, keys] += visible
    return count


@pytest.mark.parametrize("window", [None, 1, 7, 150])
@pytest.mark.parametrize(("nodes", "longest"), [(1, 1), (60, 3), (400, 20), (500, 150), (500, 450)])
def test_each_visible_pair_is_in_one_piece(nodes: int, longest: int, window: int | None) -> None:
    end = random_tree(random.Random(f"{nodes}/{longest}"), nodes, longest)
    assert np.array_equal(shown(TreePlan.build(end), window), definition(end, window))


def test_each_row_is_in_one_block_and_blocks_are_small() -> None:
    end = random_tree(random.Random(0), 900, 150)
    pieces = TreePlan.build(end).pieces()
    assert [row for block in pieces.blocks for row in range(block.start, block.stop)] == list(range(len(end)))
    assert all(block.stop - block.start <= BLOCK_ROWS for block in pieces.blocks)
    assert all(SHORTEST_TILE <= run[1] - run[0] <= TILE_KEYS for tile in pieces.tiles for run in tile.runs)


def test_depths() -> None:
    end = random_tree(random.Random(1), 300, 9)
    assert depths(end).tolist() == [int((end[:node] > node).sum()) for node in range(len(end))]


def test_blocks_are_branches_and_the_prefix_is_seen_through_tiles() -> None:
    """The common case: what is computed beyond what is visible is half of each block on the diagonal."""
    end = prefix_and_branches(500, 16, 70)
    pieces = TreePlan.build(end).pieces()
    branches = [(block.start, block.stop) for block in pieces.blocks if block.start >= 570]
    assert branches == [(start, start + 70) for start in range(570, len(end), 70)]
    assert {tile.runs for tile in pieces.tiles if tile.start >= 570} == {((0, 500),)}
    computed = sum((p.stop - p.start) * p.size for p in (*pieces.blocks, *pieces.tiles))
    assert computed < 1.15 * definition(end).sum()


@pytest.mark.parametrize("end", [np.full(4000, 4000), prefix_and_branches(1000, 60, 50)], ids=["chain", "branches"])
def test_memory_is_linear(end: np.ndarray) -> None:
    pieces = TreePlan.build(end).pieces()
    biases = sum(block.bias.numel() for block in pieces.blocks if block.bias is not None)
    assert biases <= BLOCK_ROWS * len(end)
    assert pieces.largest <= 192 * TILE_KEYS


def test_a_long_branch_is_cut_evenly() -> None:
    blocks = TreePlan.build(np.full(BLOCK_ROWS + 2, BLOCK_ROWS + 2)).pieces().blocks
    assert [block.stop - block.start for block in blocks] == [BLOCK_ROWS // 2 + 1] * 2


def test_pieces_are_made_once_and_a_wide_window_is_none() -> None:
    plan = TreePlan.build(prefix_and_branches(10, 2, 5))
    assert plan.narrower(15) is None  # the longest path has 15 nodes
    assert plan.narrower(14) == 14
    assert plan.pieces() is plan.pieces()
    assert plan.pieces(15) is plan.pieces()
    assert plan.pieces(14) is not plan.pieces()


def test_only_the_vector_travels() -> None:
    plan = TreePlan.build(prefix_and_branches(10, 2, 5))
    plan.pieces()
    moved = plan.to("meta")
    assert moved.pieces().blocks[0].bias.device.type == "meta"
    assert plan.to("cpu").made == {}
    copy = pickle.loads(pickle.dumps(plan.to("cpu")))
    assert torch.equal(copy.pieces().blocks[0].bias, plan.pieces().blocks[0].bias)
