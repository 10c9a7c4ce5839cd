"""Who sees whom in a tree, cut into dense pieces of bounded size.

Query q sees key k iff k <= q < subtree_end[k]; with a sliding window, iff k is also among the last `window` nodes
of q's own path. An unbranched run of a trie is seen whole by everything below it, so the mask falls apart into
rectangles of consecutive rows and consecutive keys with nothing hidden (tiles), and small blocks on the
diagonal. Work and memory grow with what is seen, not with the square of the tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlam_train.data.pack import IntArray

    Run = tuple[int, int]

BLOCK_ROWS = 128
TILE_ROWS = 192  # rows x keys of a tile: its scores should stay in the cache
TILE_KEYS = 640
SHORTEST_TILE = 96  # keys; what a tile adds must be merged row by row, and below this hidden keys are cheaper


@dataclass(frozen=True)
class Piece:
    """R consecutive rows and N keys.

    Attributes:
        start: first row.
        stop: one past the last row.
        runs: the keys as runs [first, last) of consecutive nodes, ascending.
        bias: [R, N] fp32, 0 where the row sees the key, -inf where not; None if every row sees every key.
    """

    start: int
    stop: int
    runs: tuple[Run, ...]
    bias: torch.Tensor | None = None

    @property
    def size(self) -> int:
        """N."""
        return sum(last - first for first, last in self.runs)


@dataclass(frozen=True)
class Pieces:
    """Each visible pair of row and key is in one piece.

    Attributes:
        blocks: each row is in one of them, together with its nearest keys.
        tiles: what rows see of long runs further up, without bias and of one run each.
    """

    blocks: tuple[Piece, ...]
    tiles: tuple[Piece, ...]

    @property
    def largest(self) -> int:
        """Most rows x keys of a piece."""
        return max((piece.stop - piece.start) * piece.size for piece in (*self.blocks, *self.tiles))


@dataclass(frozen=True)
class TreePlan:
    """The mask of one tree, handed through the model's forward to every layer.

    Only the vector travels between processes and devices; the first layer that needs pieces makes them.

    Attributes:
        subtree_end: [T] as in `pack.Tree`.
        device: where attention is computed.
        made: what was made of the vector, by kind and window.
    """

    subtree_end: IntArray
    device: torch.device
    made: dict[tuple[str, int | None], object] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def build(cls, subtree_end: IntArray) -> TreePlan:
        """From the vector that `pack.Tree` carries."""
        return cls(subtree_end, torch.device("cpu"))

    def to(self, device: torch.device | str, non_blocking: bool = False) -> TreePlan:
        """For a device; accelerate's data loader calls this as it would a tensor's."""
        return TreePlan(self.subtree_end, torch.device(device))

    def pieces(self, window: int | None = None) -> Pieces:
        """The mask cut up; the same object whenever asked.

        Args:
            window: nodes of its path that a row sees, itself among them; None is all.
        """
        window = self.narrower(window)
        if ("pieces", window) not in self.made:
            self.made["pieces", window] = cut(self.subtree_end, window, self.device)
        pieces = self.made["pieces", window]
        assert isinstance(pieces, Pieces)
        return pieces

    def narrower(self, window: int | None) -> int | None:
        """The window, or None if every path fits into it."""
        return window if window is not None and window <= int(depths(self.subtree_end).max()) else None


def depths(subtree_end: IntArray) -> IntArray:
    """[T] distance of each node from its root: earlier nodes, less those whose subtree is over."""
    nodes = np.arange(len(subtree_end))
    over: IntArray = np.searchsorted(np.sort(subtree_end), nodes, side="right")
    return nodes - over


def cut(subtree_end: IntArray, window: int | None, device: torch.device) -> Pieces:
    """Blocks of at most `BLOCK_ROWS` rows in depth-first order, and tiles for the long runs that they see."""
    depth = depths(subtree_end)
    blocks: list[Piece] = []
    seen: dict[Run, list[Run]] = {}  # keys -> rows, of tiles
    for start, stop in _row_ranges(subtree_end, depth):
        near: list[Run] = []
        for run, whole in _ancestor_runs(subtree_end, depth, start, stop, window):
            if whole and run[1] - run[0] >= SHORTEST_TILE:
                _append(seen.setdefault(run, []), (start, stop))
            else:
                _append(near, run)
        _append(near, (start, stop))
        bias = _bias(subtree_end, depth, (start, stop), near, window)
        blocks.append(Piece(start, stop, tuple(near), bias.to(device)))
    tiles = (tile for keys, row_runs in seen.items() for rows in row_runs for tile in _tiles(rows, keys))
    return Pieces(tuple(blocks), tuple(tiles))


def _row_ranges(subtree_end: IntArray, depth: IntArray) -> Iterator[Run]:
    """Ranges of rows that see the same nodes before the range, cut where branches begin."""
    size = len(subtree_end)
    branches = np.flatnonzero(depth[1:] <= depth[:-1]) + 1
    start = 0
    while start < size:
        path = np.flatnonzero(subtree_end[:start] > start)
        limit = int(subtree_end[path[-1]]) if len(path) else size
        stop = _stop(start, limit, branches, depth)
        yield start, stop
        start = stop


def _stop(start: int, limit: int, branches: IntArray, depth: IntArray) -> int:
    """Where to end: at the limit, else before the branch nearest the root, else at an even part of a long run."""
    if limit - start <= BLOCK_ROWS:
        return limit
    low, high = np.searchsorted(branches, [start + 1, start + BLOCK_ROWS + 1])
    if low < high:
        near = branches[low:high]
        return int(near[np.flatnonzero(depth[near] == depth[near].min())[-1]])
    end = int(branches[high]) if high < len(branches) else limit
    rest = min(end, limit) - start
    return start + _even(rest, BLOCK_ROWS)


def _even(size: int, most: int) -> int:
    """Size of the first of the fewest equal parts that are not above `most`."""
    parts = -(-size // most)
    return -(-size // parts)


def _ancestor_runs(
    subtree_end: IntArray, depth: IntArray, start: int, stop: int, window: int | None
) -> Iterator[tuple[Run, bool]]:
    """Runs of nodes before `start` that the rows see, and whether every row sees the whole run.

    A run never spans a branching, so rows of different branches name the same run alike.
    """
    path = np.flatnonzero(subtree_end[:start] > start)
    whole = np.ones(len(path), bool)
    if window is not None:
        path = path[depth[path] > depth[start] - window]  # the first row is the shallowest
        whole = depth[path] > depth[start:stop].max() - window
    breaks = (np.diff(path) > 1) | (np.diff(subtree_end[path]) != 0) | (np.diff(whole) != 0)
    for part in np.split(np.arange(len(path)), np.flatnonzero(breaks) + 1):
        if len(part):
            yield (int(path[part[0]]), int(path[part[-1]]) + 1), bool(whole[part[0]])


def _append(runs: list[Run], run: Run) -> None:
    """Add a run, joined to the last one if it goes on there."""
    if runs and runs[-1][1] == run[0]:
        run = (runs.pop()[0], run[1])
    runs.append(run)


def _bias(subtree_end: IntArray, depth: IntArray, rows: Run, runs: list[Run], window: int | None) -> torch.Tensor:
    keys = np.concatenate([np.arange(*run) for run in runs])
    row = np.arange(*rows)[:, None]
    visible = (keys <= row) & (row < subtree_end[keys])
    if window is not None:
        visible &= depth[row] - depth[keys] < window
    return torch.from_numpy(np.where(visible, np.float32(0), np.float32(-np.inf)))


def _tiles(rows: Run, keys: Run) -> Iterator[Piece]:
    height, width = _even(rows[1] - rows[0], TILE_ROWS), _even(keys[1] - keys[0], TILE_KEYS)
    for start in range(rows[0], rows[1], height):
        for first in range(keys[0], keys[1], width):
            run = first, min(first + width, keys[1])
            yield Piece(start, min(start + height, rows[1]), (run,))
