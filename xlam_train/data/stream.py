"""Training data as a stream of micro-batches.

The loader's workers read, tokenize and pack one window each, so that training need not wait and the first step
need not wait for the whole dataset. The trees of a few windows are mixed, then dealt to optimizer steps in one
order for the whole world; a rank takes every n-th tree of a step. So the same recipe trains the same steps on any
number of ranks and workers, and a position in the order is all that a resumed run needs.
"""

from __future__ import annotations

import random
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

import torch

from data_pipeline.core.errors import InputError
from xlam_train.data.pack import plan_windows
from xlam_train.data.windows import cut_windows, epoch_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from xlam_train.data.render import Encoded
    from xlam_train.data.windows import Line, Window
    from xlam_train.recipe import PackingSection

Item = tuple["Encoded", ...]
"""The rows of one sample: one a turn of the assistant, or the two answers of a pair."""


class PackedTree(Protocol):
    """What a tree tells of itself; see `pack.Tree`."""

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Ids of the rows in it."""

    @property
    def samples(self) -> int:
        """Number of rows."""

    @property
    def tokens_before(self) -> int:
        """Tokens of the rows one by one."""

    @property
    def tokens_packed(self) -> int:
        """Nodes."""

    @property
    def label_tokens(self) -> int:
        """Labels, counted once for each row."""


TreeT = TypeVar("TreeT", bound=PackedTree)
TreeT_co = TypeVar("TreeT_co", bound=PackedTree, covariant=True)


@dataclass(frozen=True)
class Counts:
    """What was done with the data up to a position.

    Attributes:
        samples: rows trained: one a turn of the assistant, two a preference pair.
        tokens_before: tokens of these rows one by one.
        tokens_packed: tokens that were computed instead.
        label_tokens: tokens trained, counted once for each row.
        dropped: samples left out for their length, and single answers of others that never fit.
        truncated: samples without their oldest turns.
    """

    samples: int = 0
    tokens_before: int = 0
    tokens_packed: int = 0
    label_tokens: int = 0
    dropped: int = 0
    truncated: int = 0

    def __add__(self, other: Counts) -> Counts:
        mine, theirs = asdict(self), asdict(other)
        return Counts(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True)
class Position:
    """A place between two trees in the order of a run.

    Attributes:
        epoch: passes that are complete.
        group: groups of mixed windows of this epoch that are complete.
        tree: trees of this group that are done.
        progress: share of the run's data that is done; the learning rate follows it.
        counts: what was done so far.
    """

    epoch: int = 0
    group: int = 0
    tree: int = 0
    progress: float = 0.0
    counts: Counts = Counts()

    def to_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Position:
        """From a checkpoint."""
        return cls(**{**data, "counts": Counts(**data["counts"])})


class Fed(NamedTuple, Generic[TreeT]):
    """A tree and the position behind it."""

    tree: TreeT
    position: Position


class Feed(Protocol[TreeT]):
    """Trees in the order of training."""

    def trees(self, start: Position) -> Iterator[Fed[TreeT]]:
        """From a position on."""


class Source(Protocol[TreeT_co]):
    """What a kind of training makes of a dataset's lines; used in the loader's workers."""

    def encode(self, line: Line, epoch: int) -> Item | None:
        """A sample as tokens, or None if it is left out for its length.

        Raises:
            InputError: the line holds no such sample.
        """

    def build(self, window: Sequence[Item]) -> TreeT_co:
        """The tree of some samples."""

    @property
    def dropped(self) -> int:
        """Samples so far that were left out for their length, and single answers of others."""

    @property
    def truncated(self) -> int:
        """Samples so far that lost their oldest turns."""


@dataclass(frozen=True)
class Packed(Generic[TreeT]):
    """A window as trees.

    Attributes:
        trees: in mixed order.
        counts: what was left out or shortened; what the trees hold is not counted here.
        seconds: that reading, tokenizing and packing took.
        error: what was wrong with a line; raised by whoever trains, since a loader would wrap it.
    """

    trees: tuple[TreeT, ...]
    counts: Counts
    seconds: float
    error: str = ""


class _PackingDataset(torch.utils.data.Dataset["Packed[TreeT]"], Generic[TreeT]):
    """(epoch, window number) -> its trees."""

    def __init__(self, windows: Sequence[Window], source: Source[TreeT], tokens_per_tree: int, seed: int) -> None:
        self._windows = windows
        self._source = source
        self._tokens_per_tree = tokens_per_tree
        self._seed = seed

    def __getitem__(self, key: tuple[int, int]) -> Packed[TreeT]:
        started = time.perf_counter()
        try:
            trees, counts = self._pack(*key)
        except InputError as error:
            return Packed((), Counts(), 0.0, str(error))
        return Packed(trees, counts, time.perf_counter() - started)

    def _pack(self, epoch: int, number: int) -> tuple[tuple[TreeT, ...], Counts]:
        source = self._source
        dropped, truncated = source.dropped, source.truncated
        encoded = [source.encode(line, epoch) for line in self._windows[number].lines()]
        items = [item for item in encoded if item is not None]
        trees = plan_windows(items, self._tokens_per_tree, f"{self._seed}/{number}", epoch)
        counts = Counts(dropped=source.dropped - dropped, truncated=source.truncated - truncated)
        return tuple(map(source.build, trees)), counts


class ShardFeed(Generic[TreeT]):
    """The trees of a dataset folder.

    Attributes:
        waited: seconds that training has waited for trees.
        packing: seconds that packing took, in whatever process.
    """

    def __init__(
        self,
        folder: Path,
        source: Source[TreeT],
        packing: PackingSection,
        workers: int,
        seed: int,
        epochs: int,
    ) -> None:
        """Cut the windows; nothing is read yet.

        Raises:
            InputError: there is no dataset in the folder.
        """
        self._windows = cut_windows(folder, packing.window_mb)
        self._dataset = _PackingDataset(self._windows, source, packing.tokens_per_tree, seed)
        self._mixed, self._workers, self._seed, self._epochs = packing.mixed_windows, workers, seed, epochs
        self.waited = 0.0
        self.packing = 0.0

    def trees(self, start: Position) -> Iterator[Fed[TreeT]]:
        """From a position on.

        Raises:
            InputError: a line is no sample that can be trained on.
        """
        groups = self._groups_from(start)
        loader = torch.utils.data.DataLoader(
            self._dataset,
            batch_size=None,
            sampler=[(epoch, number) for epoch, _, group in groups for number in group],
            num_workers=self._workers,
            generator=torch.Generator(),  # a loader draws a number when it starts, which would shift dropout
            # Forking would copy the threads' locks of a process that has computed; a server starts clean.
            multiprocessing_context="forkserver" if self._workers else None,
        )
        packed = self._timed(iter(loader))
        position = start
        for epoch, index, group in groups:
            if (position.epoch, position.group) != (epoch, index):
                position = Position(epoch, index, 0, position.progress, position.counts)
            windows = [next(packed) for _ in group]
            if not position.tree:
                position = replace(position, counts=sum((window.counts for window in windows), position.counts))
            share = sum(self._windows[number].share for number in group) / self._epochs
            for fed in self._mix([tree for window in windows for tree in window.trees], share, position):
                position = fed.position
                yield fed

    def _groups_from(self, start: Position) -> list[tuple[int, int, list[int]]]:
        """(epoch, number of the group in it, its windows), from a position on."""
        return [
            (epoch, index, group)
            for epoch in range(start.epoch, self._epochs)
            for index, group in enumerate(epoch_order(len(self._windows), self._mixed, self._seed, epoch))
            if epoch > start.epoch or index >= start.group
        ]

    def _timed(self, packed: Iterator[Packed[TreeT]]) -> Iterator[Packed[TreeT]]:
        while True:
            started = time.perf_counter()
            window = next(packed, None)
            self.waited += time.perf_counter() - started
            if window is None:
                return
            if window.error:
                raise InputError(window.error)
            self.packing += window.seconds
            yield window

    def _mix(self, trees: list[TreeT], share: float, at: Position) -> Iterator[Fed[TreeT]]:
        """The trees of a group from `at.tree` on, each with the position behind it."""
        random.Random(f"{self._seed}/{at.epoch}/{at.group}/trees").shuffle(trees)
        counts, progress = at.counts, at.progress
        for number, tree in enumerate(trees[at.tree :], start=at.tree + 1):
            counts += tree_counts(tree)
            progress += share / len(trees)
            yield Fed(tree, Position(at.epoch, at.group, number, progress, counts))


class FixedFeed(Generic[TreeT]):
    """Trees that are there already, in their order: for measurements and tests."""

    def __init__(self, trees: Sequence[TreeT]) -> None:
        self._trees = trees

    def trees(self, start: Position) -> Iterator[Fed[TreeT]]:
        """From a position on."""
        counts = start.counts
        for number, tree in enumerate(self._trees[start.tree :], start=start.tree + 1):
            counts += tree_counts(tree)
            yield Fed(tree, Position(0, 0, number, number / len(self._trees), counts))


def tree_counts(tree: PackedTree) -> Counts:
    """What training on a tree adds."""
    return Counts(tree.samples, tree.tokens_before, tree.tokens_packed, tree.label_tokens)


class StepEnd(NamedTuple):
    """Where an optimizer step ends: the position behind it, and whether nothing comes after it."""

    position: Position
    last: bool


class Microbatch(NamedTuple):
    """One tree for one rank.

    Attributes:
        batch: what the objective wants.
        sample_ids: the rows in it; () for the filler of an incomplete step.
        end: of its optimizer step.
    """

    batch: Any
    sample_ids: tuple[str, ...]
    end: StepEnd


class TreeStream(torch.utils.data.IterableDataset[Microbatch], Generic[TreeT]):
    """The micro-batches of one rank, the same number in every optimizer step.

    An incomplete last step is filled up with trees that do not count, because every rank has to take part in
    every exchange of gradients.
    """

    def __init__(
        self, feed: Feed[TreeT], collate: Callable[[TreeT], Any], trees_per_step: int, ranks: int = 1, rank: int = 0
    ) -> None:
        """Trees of a step are dealt in turns.

        Args:
            feed: the trees.
            collate: a tree -> the tensors of a batch, with a `weight` that says how much its labels count.
            trees_per_step: over all ranks; a multiple of their number.
            ranks: processes that train together.
            rank: this one.
        """
        assert trees_per_step % ranks == 0, "every rank needs its trees"
        self._feed, self._collate = feed, collate
        self._trees_per_step, self._ranks, self._rank = trees_per_step, ranks, rank
        self.start = Position()

    def __iter__(self) -> Iterator[Microbatch]:
        pending: list[Fed[TreeT]] = []
        for fed in self._feed.trees(self.start):
            if len(pending) == self._trees_per_step:
                yield from self._own(pending, last=False)
                pending = []
            pending.append(fed)
        if not pending:
            raise InputError("data.path: no sample is short enough to train on; raise data.max_length")
        yield from self._own(pending, last=True)

    def _own(self, step: list[Fed[TreeT]], last: bool) -> Iterator[Microbatch]:
        end = StepEnd(step[-1].position, last)
        for index in range(self._rank, self._trees_per_step, self._ranks):
            if index < len(step):
                yield Microbatch(self._collate(step[index].tree), step[index].tree.sample_ids, end)
            else:
                yield Microbatch(self._filler(step), (), end)

    def _filler(self, step: list[Fed[TreeT]]) -> Any:
        batch = self._collate(min((fed.tree for fed in step), key=lambda tree: tree.tokens_packed))
        batch["weight"].zero_()
        return batch
