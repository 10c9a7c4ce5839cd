"""Every shipped recipe parses as its own class and is in the table, and every setting is explained."""

import ast
from pathlib import Path

import pytest

from data_pipeline.core.settings import Settings, load_settings
from data_pipeline.recipe import DataRecipe
from xlam_train.quickstart import QuickstartRecipe
from xlam_train.recipe import TrainRecipe

ROOT = Path(__file__).parents[1]
OTHERS = {"accelerate"}  # read by accelerate itself, see test_accelerate_recipes.py
FILES = (path.relative_to(ROOT / "recipes") for path in (ROOT / "recipes").rglob("*.y*ml"))
RECIPES = sorted(path for path in FILES if path.parts[0] not in OTHERS)
KINDS: dict[str, type[Settings]] = {
    "data": DataRecipe,
    "sft": TrainRecipe,
    "lora": TrainRecipe,
    "qlora": TrainRecipe,
    "dpo": TrainRecipe,
    "quickstart.yaml": QuickstartRecipe,
}


def kind_of(recipe: Path) -> type[Settings]:
    """The class of a recipe, by its folder or, at the top, by its name."""
    if recipe.parts[0] not in KINDS:
        pytest.fail(f"recipes/{recipe}: no class is known for '{recipe.parts[0]}'; known: {', '.join(KINDS)}")
    return KINDS[recipe.parts[0]]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_recipe_parses_as_its_class(recipe: Path) -> None:
    cls = kind_of(recipe)
    assert type(load_settings(cls, ROOT / "recipes" / recipe)) is cls


def test_every_kind_has_a_recipe() -> None:
    assert {recipe.parts[0] for recipe in RECIPES} >= set(KINDS)


def documented(recipe: TrainRecipe) -> tuple[str, ...]:
    """A row of the table in docs/recipes.md, from the base to the launch."""
    stage = recipe.world.zero_stage
    context, rate = f"{recipe.data.max_length:,}", f"{recipe.optim.learning_rate:g}"
    launch = f"zero{stage}" if stage else "ddp"
    return recipe.model.base, recipe.method, recipe.data.variant, context, rate, launch


def test_the_documented_settings_are_the_recipes() -> None:
    lines = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    rows = {row[0]: tuple(row[1:7]) for row in cells if len(row) == 8 and "/" in row[0]}
    paths = [path for path in RECIPES if KINDS.get(path.parts[0]) is TrainRecipe]
    recipes = {str(path.with_suffix("")): load_settings(TrainRecipe, ROOT / "recipes" / path) for path in paths}
    assert rows == {name: documented(recipe) for name, recipe in recipes.items()}


def test_a_recipe_in_an_unknown_folder_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match="no class is known for 'odd'"):
        kind_of(Path("odd/new.yaml"))


def settings_classes() -> dict[str, ast.ClassDef]:
    """`file:Class` -> each class below `Settings` in the two packages, whatever lies between."""
    classes = {
        f"{path.relative_to(ROOT)}:{node.name}": node
        for package in ("data_pipeline", "xlam_train")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    known, found = {"Settings"}, {}
    while True:
        more = {
            key: node
            for key, node in classes.items()
            if key not in found and any(ast.unparse(base).split(".")[-1] in known for base in node.bases)
        }
        if not more:
            return found
        found |= more
        known |= {node.name for node in more.values()}


def unexplained(cls: ast.ClassDef) -> list[str]:
    """The fields that no string, ending as a sentence does, follows."""
    missing = []
    for index, field in enumerate(cls.body):
        if not isinstance(field, ast.AnnAssign):
            continue
        after = cls.body[index + 1] if index + 1 < len(cls.body) else None
        text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
        if not (isinstance(text, str) and len(text.split()) > 1 and text.endswith(".")):
            missing.append(ast.unparse(field.target))
    return missing


@pytest.mark.parametrize(("name", "cls"), settings_classes().items(), ids=settings_classes())
def test_every_setting_is_explained(name: str, cls: ast.ClassDef) -> None:
    assert unexplained(cls) == [], name


def test_a_setting_without_a_sentence_is_found() -> None:
    lines = ("class A(Settings):", "a: int = 1", "'Number of things.'", "b: int", "c: int", "'unit'", "d: int")
    (cls,) = ast.parse("\n    ".join(lines)).body
    assert isinstance(cls, ast.ClassDef)
    assert unexplained(cls) == ["b", "c", "d"]
    assert "data_pipeline/recipe.py:DataRecipe" in settings_classes()
