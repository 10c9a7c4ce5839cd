"""What each kind of training makes of a line of its dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Trajectory
from xlam_train.data.pack import build_tree
from xlam_train.data.render import checked
from xlam_train.data.views import Views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlam_train.data.pack import Tree
    from xlam_train.data.render import Renderer
    from xlam_train.data.stream import Item
    from xlam_train.data.windows import Line
    from xlam_train.recipe import TrainRecipe


class SftSource:
    """Samples, as they look in an epoch."""

    def __init__(self, renderer: Renderer, recipe: TrainRecipe) -> None:
        """Read what views need.

        Raises:
            InputError: distractors are wanted, but the dataset's list of tools is missing or broken.
        """
        self._renderer = renderer
        self._views = Views(recipe.data, recipe.seed)
        self._max_length, self._too_long = recipe.data.max_length, recipe.data.too_long
        self.truncated = 0

    def encode(self, line: Line, epoch: int) -> Item | None:
        """The rows of a sample.

        Raises:
            InputError: the line holds no sample that can be trained on.
        """
        try:
            sample = Trajectory.from_row(line.row())
        except InputError as error:
            raise InputError(f"{line.where}: {error}; mend or remove the line") from error
        view = self._views.of(sample, epoch)
        rows = self._renderer.encode_rows(view.apply(sample), view.conversion)
        return tuple(checked(row, self._max_length) for row in rows)

    def build(self, window: Sequence[Item]) -> Tree:
        """All rows of some samples in one tree."""
        return build_tree([row for item in window for row in item])
