"""What a dataset costs: how many tokens are left of a sample after packing, how many are labelled, what they see."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.dataset import shard_paths
from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerBase

    from xlam_train.data.stream import Item
    from xlam_train.data.windows import Line
    from xlam_train.recipe import TrainRecipe

ENCODED = 400  # samples that are looked at
ASSUMED_SAMPLES = 60_000  # of xlam-function-calling-60k

# xLAM-1 prompts with SmolLM2's tokenizer, as measured on generated data: what all queries on a tool set share, a query,
# its answer, and the queries on one tool set.
PREFIX, QUERY, ANSWER, QUERIES = 532, 36, 44, 8


@dataclass(frozen=True)
class Statistics:
    """Of a dataset, for one tokenizer and one way of packing.

    Attributes:
        samples: in the dataset.
        tokens_before: of a sample with its prompt, all rows of it.
        tokens_packed: of a sample, computed.
        labelled: share of the computed tokens that predict a label.
        visible: keys that a token sees, in the mean.
        longest: tokens of the longest row that was seen.
        source: where the numbers come from, in words.
    """

    samples: int
    tokens_before: float
    tokens_packed: float
    labelled: float
    visible: float
    longest: int
    source: str

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def assumed(samples: int | None, why: str) -> Statistics:
    """Numbers of generated single-turn data, where there is nothing to measure."""
    branch = QUERY + ANSWER
    tree = PREFIX + QUERIES * branch
    visible = PREFIX * (PREFIX + 1) / 2 + QUERIES * branch * (PREFIX + (branch + 1) / 2)
    given = f"{samples or ASSUMED_SAMPLES:,} samples" + ("" if samples else ", as xlam-function-calling-60k")
    return Statistics(
        samples=samples or ASSUMED_SAMPLES,
        tokens_before=PREFIX + branch,
        tokens_packed=tree / QUERIES,
        labelled=QUERIES * ANSWER / tree,
        visible=visible / tree,
        longest=PREFIX + branch,
        source=f"assumed ({why}): {given}; on each tool set of {PREFIX} tokens, {QUERIES} queries of {QUERY} and their "
        f"answers of {ANSWER}",
    )


def statistics_of(recipe: TrainRecipe, samples: int | None) -> Statistics:
    """Measured on the first samples of `data.path` where it and the base's tokenizer are on this disk, else assumed.

    Args:
        recipe: of the run.
        samples: to plan for; None takes the dataset's.

    Raises:
        InputError: a line of the dataset is no sample that can be trained on.
    """
    if not any((recipe.data.path / "shards").glob("*.jsonl")):
        return assumed(samples, f"no dataset in {recipe.data.path} yet")
    tokenizer = _local_tokenizer(recipe)
    if tokenizer is None:
        return assumed(samples or count_samples(recipe.data.path), f"no tokenizer of {recipe.model.base} on this disk")
    return measured(recipe, tokenizer, samples)


def count_samples(folder: Path) -> int:
    """Lines of all shards."""
    total = 0
    for path in shard_paths(folder):
        with path.open("rb") as stream:
            total += sum(block.count(b"\n") for block in iter(lambda: stream.read(2**20), b""))
    return total


def _local_tokenizer(recipe: TrainRecipe) -> PreTrainedTokenizerBase | None:
    """Of a folder, of huggingface_hub's cache, or of an installed package, which is converted as training would."""
    from xlam_train.base import PACKAGE_PREFIX, default_cache, load_tokenizer, prepare_base

    base = recipe.model.base
    package = base.startswith(PACKAGE_PREFIX)
    if package and find_spec(base.removeprefix(PACKAGE_PREFIX).replace("-", "_")) is None:
        return None
    folder = prepare_base(base, default_cache()) if package else Path(base)
    try:
        return load_tokenizer(folder, recipe.model.added_tokens)
    except (OSError, ValueError):  # what transformers says of files that are not there
        return None


def measured(recipe: TrainRecipe, tokenizer: PreTrainedTokenizerBase, samples: int | None) -> Statistics:
    """Pack the first samples as training would, and count.

    Raises:
        InputError: a line is no sample that can be trained on, or none is short enough.
    """
    from xlam_train.data.pack import plan_windows
    from xlam_train.data.windows import cut_windows

    window = cut_windows(recipe.data.path, recipe.packing.window_mb)[0]
    lines = list(islice(window.lines(), ENCODED))
    items = _encode(recipe, tokenizer, lines)
    if not items:
        raise InputError("data.path: no sample is short enough to train on; raise data.max_length")
    trees = plan_windows(items, recipe.packing.tokens_per_tree, recipe.seed, 0)
    counts = [_tree_counts(tree) for tree in trees]
    nodes, labels, visible = (sum(column) for column in zip(*counts, strict=True))
    rows = [len(row.ids) for item in items for row in item]
    return Statistics(
        samples=samples or count_samples(recipe.data.path),
        tokens_before=sum(rows) / len(items),
        tokens_packed=nodes / len(items),
        labelled=labels / nodes,
        visible=visible / nodes,
        longest=max(rows),
        source=f"measured on {len(items)} samples of {recipe.data.path}",
    )


def _encode(recipe: TrainRecipe, tokenizer: PreTrainedTokenizerBase, lines: Sequence[Line]) -> list[Item]:
    """What training makes of some lines, without those that it would leave out for their length."""
    from xlam_train.data.render import Renderer
    from xlam_train.data.sources import PairSource, SftSource

    renderer = Renderer(tokenizer, recipe.data.variant, recipe.data.conversion)
    encode = SftSource(renderer, recipe).encode if recipe.dpo is None else PairSource(renderer, recipe).encode
    found = [encode(line, 0) for line in lines]
    return [item for item in found if item is not None]


def _tree_counts(window: Sequence[Item]) -> tuple[int, int, int]:
    """Nodes, labelled positions, and pairs of a node and one that it sees."""
    import numpy as np

    from xlam_train.data.pack import build_tree

    tree = build_tree([row for item in window for row in item])
    return tree.tokens_packed, len(np.unique(tree.label_position)), int((tree.depth + 1).sum())
