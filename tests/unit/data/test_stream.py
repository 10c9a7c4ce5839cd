"""The stream: one order for any number of workers and ranks, from any position on."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
import torch

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_jsonl
from data_pipeline.core.schema import Message
from xlam_train.base import load_tokenizer
from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import Tree, build_tree
from xlam_train.data.render import Encoded, Renderer
from xlam_train.data.sources import SftSource
from xlam_train.data.stream import Counts, FixedFeed, Position, ShardFeed, TreeStream
from xlam_train.recipe import TrainRecipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory


@pytest.fixture
def dataset(tmp_path: Path, make_samples: Callable[..., list[Trajectory]]) -> Path:
    """Three shards; samples are about 0.6 kB."""
    for shard in range(3):
        rows = [sample.model_copy(update={"id": f"{shard}-{sample.id}"}).to_row() for sample in make_samples(4, 3)]
        write_jsonl(tmp_path / "data" / "shards" / f"{shard}.jsonl", rows)
    return tmp_path / "data"


@pytest.fixture
def feed_of(tiny_base: Path, dataset: Path, tmp_path: Path) -> Callable[..., ShardFeed[Tree]]:
    """Windows of about eight samples, two mixed at a time."""

    def make(workers: int = 0, epochs: int = 2, **data: Any) -> ShardFeed[Tree]:
        recipe = TrainRecipe.model_validate(
            {
                "model": {"base": str(tiny_base)},
                "data": {"path": str(dataset), **data},
                "out": str(tmp_path / "out"),
                "packing": {"tokens_per_tree": 1, "window_mb": 0.005, "mixed_windows": 2},
            }
        )
        source = SftSource(Renderer(load_tokenizer(tiny_base)), recipe)
        return ShardFeed(dataset, source, recipe.packing, workers, seed=3, epochs=epochs)

    return make


def ids(feed: ShardFeed[Tree], start: Position = Position()) -> list[tuple[str, ...]]:  # noqa: B008  # frozen
    return [fed.tree.sample_ids for fed in feed.trees(start)]


def test_an_epoch_is_every_sample_once_in_an_order_of_its_own(feed_of: Callable[..., ShardFeed[Tree]]) -> None:
    found = ids(feed_of())
    half = len(found) // 2
    counts = Counter(name for tree in found for name in tree)
    assert len(counts) == 36
    assert set(counts.values()) == {2}
    assert sorted(found[:half]) == sorted(found[half:])
    assert found[:half] != found[half:]
    assert found == ids(feed_of())


@pytest.mark.slow
def test_workers_change_nothing(feed_of: Callable[..., ShardFeed[Tree]]) -> None:
    assert ids(feed_of(workers=2)) == ids(feed_of())


def test_a_run_goes_on_from_any_position(feed_of: Callable[..., ShardFeed[Tree]]) -> None:
    whole = list(feed_of().trees(Position()))
    for stop in range(0, len(whole), 5):
        position = Position.from_dict(whole[stop].position.to_dict())
        rest = list(feed_of().trees(position))
        assert [fed.tree.sample_ids for fed in rest] == [fed.tree.sample_ids for fed in whole[stop + 1 :]]
        assert [fed.position for fed in rest] == [fed.position for fed in whole[stop + 1 :]]
    assert whole[-1].position.progress == pytest.approx(1)
    assert whole[-1].position.counts.samples == 72


def test_what_is_left_out_is_counted(feed_of: Callable[..., ShardFeed[Tree]]) -> None:
    lengths = sorted(fed.tree.tokens_before for fed in feed_of(epochs=1).trees(Position()))
    limit = lengths[len(lengths) // 2]
    *_, last = feed_of(epochs=1, max_length=limit, too_long="drop").trees(Position())
    counts = last.position.counts
    assert counts.samples + counts.dropped == 36
    assert counts.samples == sum(length <= limit for length in lengths)
    with pytest.raises(InputError, match=r"more than data\.max_length"):
        list(feed_of(max_length=limit).trees(Position()))
    stream = TreeStream(feed_of(max_length=1, too_long="drop"), collate_tree, 2)
    with pytest.raises(InputError, match="no sample is short enough"):
        next(iter(stream))


def test_an_answer_that_never_fits_is_counted_by_itself(
    feed_of: Callable[..., ShardFeed[Tree]], dataset: Path, make_samples: Callable[..., list[Trajectory]]
) -> None:
    sample = make_samples()[0]
    messages = (*sample.messages, Message(role="tool", content="word " * 3000), Message(role="assistant"))
    write_jsonl(dataset / "shards" / "0.jsonl", [sample.model_copy(update={"messages": messages}).to_row()])
    *_, last = feed_of(epochs=1, too_long="truncate").trees(Position())
    counts = last.position.counts
    assert (counts.samples, counts.dropped, counts.truncated) == (1 + 24, 1, 0)


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_broken_line_is_one_line(feed_of: Callable[..., ShardFeed[Tree]], dataset: Path, workers: int) -> None:
    path = dataset / "shards" / "1.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    lines[4] = '{"id": "x"}\n'
    path.write_text("".join(lines))
    with pytest.raises(InputError) as caught:
        list(feed_of(workers=workers).trees(Position()))
    assert str(caught.value) == f"{path}:5: column 'tools' is missing; mend or remove the line"


def tree_of(number: int) -> Tree:
    row = Encoded(sample_id=str(number))
    row.append([1, 2, number], trainable=False)
    row.append([3] * (1 + number % 3), trainable=True)
    return build_tree([row])


@pytest.mark.parametrize(("trees", "ranks"), [(7, 1), (7, 2), (8, 2), (9, 4), (1, 4)])
def test_ranks_share_each_step(trees: int, ranks: int) -> None:
    """Every rank has the same number of micro-batches; together they have each tree once, and filler weighs nothing."""
    per_step = 4
    feed = FixedFeed([tree_of(number) for number in range(trees)])
    shares = [list(TreeStream(feed, collate_tree, per_step, ranks, rank)) for rank in range(ranks)]
    steps = -(-trees // per_step)
    assert {len(share) for share in shares} == {steps * per_step // ranks}
    seen = [name for share in shares for batch in share for name in batch.sample_ids]
    assert sorted(seen, key=int) == [str(number) for number in range(trees)]
    weights = [batch.batch["weight"].sum() for share in shares for batch in share if not batch.sample_ids]
    assert all(weight == 0 for weight in weights)
    for share in shares:
        ends = [batch.end for batch in share][:: per_step // ranks]
        assert [end.last for end in ends] == [False] * (steps - 1) + [True]
        assert [end.position.tree for end in ends] == [min(trees, per_step * (step + 1)) for step in range(steps)]


def test_a_stream_reads_no_further_than_the_next_tree() -> None:
    """What is trained must not depend on how far the data was read ahead."""
    asked: list[int] = []

    class Counting(FixedFeed[Tree]):
        def trees(self, start: Position) -> Any:
            for fed in super().trees(start):
                asked.append(fed.position.tree)
                yield fed

    stream = TreeStream(Counting([tree_of(number) for number in range(9)]), collate_tree, 2)
    list(islice(stream, 2))
    assert asked == [1, 2, 3]


def test_counts_add_up() -> None:
    assert Counts(1, 2, 3, 4, 5, 6) + Counts(dropped=1) == Counts(1, 2, 3, 4, 6, 6)
    assert torch.equal(collate_tree(tree_of(2))["weight"], torch.ones(3))
