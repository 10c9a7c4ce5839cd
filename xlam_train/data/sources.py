"""What each kind of training makes of a line of its dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Preference, Trajectory
from xlam_train.data.length import LengthCounts, fit, fit_pair
from xlam_train.data.pack import build_tree
from xlam_train.data.pairs import build_pair_tree
from xlam_train.data.views import Views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlam_train.data.pack import Tree
    from xlam_train.data.pairs import PairTree
    from xlam_train.data.render import Renderer
    from xlam_train.data.stream import Item
    from xlam_train.data.windows import Line
    from xlam_train.recipe import TrainRecipe

RowT = TypeVar("RowT", Trajectory, Preference)


class SftSource:
    """Samples, as they look in an epoch."""

    def __init__(self, renderer: Renderer, recipe: TrainRecipe) -> None:
        """Read what views need.

        Raises:
            InputError: what they need of the dataset is missing or broken.
        """
        self._renderer = renderer
        self._views = Views(recipe.data, recipe.seed)
        self._max_length, self._too_long = recipe.data.max_length, recipe.data.too_long
        self._lengths = LengthCounts()

    @property
    def dropped(self) -> int:
        """Samples so far that were left out for their length, and single answers of others."""
        return self._lengths.dropped

    @property
    def truncated(self) -> int:
        """Samples so far that lost their oldest turns."""
        return self._lengths.truncated

    def encode(self, line: Line, epoch: int) -> Item | None:
        """The rows of a sample.

        Raises:
            InputError: the line holds no sample that can be trained on.
        """
        sample = _parse(Trajectory, line)
        view = self._views.of(sample, epoch)
        looks = view.apply(sample)
        rows = fit(self._renderer, looks, self._too_long, self._max_length, self._lengths, view.conversion)
        return tuple(rows) or None

    def build(self, window: Sequence[Item]) -> Tree:
        """All rows of some samples in one tree."""
        return build_tree([row for item in window for row in item])


class PairSource:
    """Preference pairs."""

    def __init__(self, renderer: Renderer, recipe: TrainRecipe) -> None:
        """Nothing is read yet."""
        self._renderer = renderer
        self._max_length, self._too_long = recipe.data.max_length, recipe.data.too_long
        self._lengths = LengthCounts()

    @property
    def dropped(self) -> int:
        """Pairs so far that were left out for their length."""
        return self._lengths.dropped

    @property
    def truncated(self) -> int:
        """Pairs so far that lost their oldest turns."""
        return self._lengths.truncated

    def encode(self, line: Line, epoch: int) -> Item | None:
        """The chosen and the rejected answer behind their prompt; the same in every epoch.

        Raises:
            InputError: the line holds no pair that can be trained on.
        """
        pair = _parse(Preference, line)
        return fit_pair(self._renderer, pair, self._too_long, self._max_length, self._lengths)

    def build(self, window: Sequence[Item]) -> PairTree:
        """Both answers of some pairs in one tree."""
        return build_pair_tree(window)


def _parse(kind: type[RowT], line: Line) -> RowT:
    try:
        return kind.from_row(line.row())
    except InputError as error:
        raise InputError(f"{line.where}: {error}") from error
