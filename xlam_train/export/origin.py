"""Where weights come from, as files beside them say: the run's recipe, its data, the base and their licences.

A run leaves provenance.json with the weights and recipe.json in the folder above. Exports carry both on in one
provenance.json, with the facts of the dataset as long as it is at hand, so that a model folder explains itself
wherever it goes. It may be published: paths are shortened to their last part.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json
from data_pipeline.core.variants import check_variant
from xlam_train.life.provenance import PROVENANCE, public_command

if TYPE_CHECKING:
    from data_pipeline.core.variants import ToolConversion, Variant

RUN_RECIPE = "recipe.json"


def read_origin(weights: Path) -> dict[str, Any]:
    """What is known of weights, ready to be written as provenance.json.

    Args:
        weights: folder of an adapter or a model, from a run or exported.

    Returns:
        What provenance.json holds, with `recipe` (resolved) and `data` (facts of the dataset) where there is a recipe.

    Raises:
        InputError: a file is no JSON.
    """
    path = weights / PROVENANCE
    origin: dict[str, Any] = read_json(path) if path.is_file() else {}
    if "recipe" in origin:
        return origin
    recipe = read_recipe(weights.resolve().parent)
    if recipe is None:
        return origin
    return {**origin, "recipe": _public(recipe), "data": dataset_facts(Path(recipe["data"]["path"]))}


def read_recipe(run: Path) -> dict[str, Any] | None:
    """The resolved recipe in the folder of a training run, with its paths; None where it is no such folder."""
    path = run / RUN_RECIPE
    content = read_json(path) if path.is_file() else {}
    found: dict[str, Any] | None = content.get("recipe")
    return found if found and "model" in found and "data" in found else None


def dataset_facts(folder: Path) -> dict[str, Any] | None:
    """Numbers, sources and comparison with benchmarks of a dataset that this project made; None without.

    Args:
        folder: of the dataset.
    """
    if not (folder / "stats.json").is_file():
        return None
    stats = read_json(folder / "stats.json")
    made = read_json(folder / PROVENANCE) if (folder / PROVENANCE).is_file() else {}
    counts = {key: stats.get(key) for key in ("drafted", "accepted", "calls", "styles", "not_executed")}
    dropped = stats.get("rejected", {}).get("curate.in_benchmark", 0)
    return {
        "name": folder.name,
        **counts,
        "sources": made.get("sources", []),
        "benchmark": made.get("benchmark"),
        "in_benchmark": dropped,
    }


def prompt_of(
    origin: dict[str, Any], variant: Variant | None = None, conversion: ToolConversion | None = None
) -> tuple[Variant, ToolConversion]:
    """The prompt that weights were trained on: what is given, else what the recipe says, else the published one.

    Raises:
        InputError: there is no such variant.
    """
    data = origin.get("recipe", {}).get("data", {})
    found = check_variant(variant or data.get("variant", "xlam-1"))
    return found, cast("ToolConversion", conversion or data.get("conversion", "card"))


def _public(value: Any) -> Any:
    """The same without absolute paths and credentials."""
    if isinstance(value, dict):
        return {key: _public(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_public(entry) for entry in value]
    return public_command([value])[0] if isinstance(value, str) else value


def require_folder(folder: Path) -> None:
    """Raises:
    InputError: it is no model folder.
    """
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: no config.json, so no model folder; give a Hugging Face folder")
