"""Recipes: strict keys, overrides, one-line errors with file, line and the nearest name."""

from pathlib import Path

import pytest
from pydantic import Field

from data_pipeline.core.errors import InputError
from data_pipeline.core.settings import Settings, load_settings


class Inner(Settings):
    rate: float = 1e-4
    steps: int = Field(default=10, ge=1)


class Recipe(Settings):
    name: str
    inner: Inner = Inner()
    maybe: Inner | None = None


def load(tmp_path: Path, text: str, *overrides: str) -> Recipe:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return load_settings(Recipe, path, overrides)


def test_scientific_notation_is_a_number(tmp_path: Path) -> None:
    assert load(tmp_path, "name: a\ninner: {rate: 5e-5}").inner.rate == 5e-5
    assert load(tmp_path, "name: a\ninner: {rate: 1.5E3}").inner.rate == 1500.0


def test_overrides_reach_nested_keys_that_the_file_leaves_out(tmp_path: Path) -> None:
    recipe = load(tmp_path, "name: a", "inner.rate=2e-3", "inner.steps=7", "name=b")
    assert (recipe.name, recipe.inner.rate, recipe.inner.steps) == ("b", 2e-3, 7)


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("name: a\ninner:\n  rte: 1", (), r"recipe\.yaml:3: unknown key 'inner\.rte'; did you mean 'rate'\?"),
        ("nmae: a", (), r"recipe\.yaml:1: unknown key 'nmae'; did you mean 'name'\?"),
        ("name: a\nmaybe: {stepz: 1}", (), r"recipe\.yaml:2: unknown key 'maybe\.stepz'; did you mean 'steps'\?"),
        ("name: a\ninner: {steps: many}", (), r"recipe\.yaml:2: inner\.steps: "),
        ("name: a\ninner: {steps: 0}", (), r"recipe\.yaml:2: inner\.steps: .*greater than or equal to 1"),
        ("inner: {steps: 1}", (), r"recipe\.yaml: name: field required"),
        ("name: a\n  b: c: d", (), r"recipe\.yaml:2: not valid YAML"),
        ("- a", (), r"recipe\.yaml: a recipe is a mapping"),
        ("", (), r"recipe\.yaml: a recipe is a mapping"),
        ("name: a", ("inner.rte=1",), r"override 'inner\.rte': unknown key .* 'rate'"),
        ("name: a", ("inner",), r"write it as key=value"),
        ("name: a", ("name.x=1",), r"'name' is a value, not a section"),
    ],
)
def test_errors_are_one_line_that_names_the_place(
    tmp_path: Path, text: str, overrides: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path, text, *overrides)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_where_recipes_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: cannot be read .*see recipes/"):
        load_settings(Recipe, tmp_path / "nowhere.yaml")


def test_yaml_objects_are_not_built(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not valid YAML"):
        load(tmp_path, "name: !!python/object/apply:os.getcwd []")
