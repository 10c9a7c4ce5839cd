"""The rules that keep the project small, read from the source: who may import whom, and how long things get."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("data_pipeline", "xlam_train")
HEAVY = {"torch", "transformers", "peft", "trl", "datasets", "xlam_train"}
STAGES = {"generate", "verify", "curate", "report", "tools", "convert"}
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 60

# Nodes of a module's own scope that run when it is imported.
RUN_ON_IMPORT = (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.ClassDef)


def module_name(path: Path) -> str:
    """`data_pipeline/core/__init__.py` -> `data_pipeline.core`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
FILES = [*SOURCES.values(), *sorted((ROOT / "scripts").rglob("*.py"))]


def targets(node: ast.AST, module: str) -> Iterator[str]:
    """What an import statement of `module` names, down to the module where a name may be one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = module.split(".")[: -node.level]
            base = ".".join([*above, *([base] if base else [])])
        found = [f"{base}.{alias.name}" for alias in node.names]
        yield from (name if name in SOURCES else base for name in found)


def imports(tree: ast.AST, module: str) -> set[str]:
    """Everything a module imports, inside functions and for type checkers too."""
    return {name for node in ast.walk(tree) for name in targets(node, module)}


def imports_when_loaded(tree: ast.AST, module: str) -> set[str]:
    """What importing a module imports at once: nothing inside functions or behind TYPE_CHECKING."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        found |= imports_when_loaded(node, module) if isinstance(node, RUN_ON_IMPORT) else set(targets(node, module))
    return found


TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in SOURCES.items()}
IMPORTS = {module: imports(tree, module) for module, tree in TREES.items()}


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def edges(*packages: str) -> list[tuple[str, str]]:
    """(importing, imported) modules of the packages or modules named."""
    return [(module, name) for module, names in IMPORTS.items() if within(module, *packages) for name in sorted(names)]


def importers(*names: str) -> set[str]:
    """The modules that import any of these."""
    return {module for module, name in edges(*PACKAGES) if within(name, *names) and not within(module, *names)}


SAMPLE = """
from __future__ import annotations
import torch.nn as nn
from data_pipeline.core import errors
from .loss import weighted_cross_entropy
if TYPE_CHECKING:
    from xlam_train.recipe import TrainRecipe
class A:
    import json
def later():
    from xlam_train import sft
"""


def test_imports_are_read_wherever_they_stand() -> None:
    tree = ast.parse(SAMPLE)
    at_once = {"__future__", "torch.nn", "data_pipeline.core.errors", "xlam_train.loss", "json"}
    assert imports_when_loaded(tree, "xlam_train.model") == at_once
    assert imports(tree, "xlam_train.model") == at_once | {"xlam_train.recipe", "xlam_train.sft"}


def test_the_source_was_found() -> None:
    assert {"data_pipeline.run", "data_pipeline.core", "xlam_train.cli"} <= set(SOURCES)
    assert ("data_pipeline.job.curation", "data_pipeline.curate.dedup") in edges("data_pipeline")


def test_data_pipeline_names_no_training_library() -> None:
    assert [edge for edge in edges("data_pipeline") if edge[1].split(".")[0] in HEAVY] == []


def test_importing_all_of_data_pipeline_loads_no_training_library() -> None:
    modules = [name for name in SOURCES if within(name, "data_pipeline")]
    code = f"import importlib, sys; [importlib.import_module(m) for m in {modules}]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert set(modules) <= loaded
    assert {name.split(".")[0] for name in loaded} & HEAVY == set()


def test_training_knows_only_the_vocabulary_of_the_data() -> None:
    parts = ("cli", "cli_data", "cli_eval", "cli_export", "cli_parts", "cli_plan", "cli_smoke", "quickstart", "summary")
    wiring = {f"xlam_train.{name}" for name in parts}
    executing = ("xlam_train.infer", "xlam_train.evaluate")
    wrong = []
    for module, name in edges("xlam_train"):
        allowed = ["data_pipeline.core"]
        if within(module, *executing):
            allowed += ["data_pipeline.tools", "data_pipeline.report.console"]
        if within(name, "data_pipeline") and module not in wiring and not within(name, *allowed):
            wrong.append((module, name))
    assert wrong == []


def stage_of(module: str) -> str | None:
    """The stage a module of data_pipeline belongs to."""
    parts = module.split(".")
    return parts[1] if parts[0] == "data_pipeline" and len(parts) > 1 and parts[1] in STAGES else None


def test_stages_do_not_import_each_other() -> None:
    shared = {"data_pipeline.report.console"}
    # Checks run tools, and foreign data describes them in the ways that tool files do.
    of_tools = {"verify": ("executor", "schema_check"), "convert": ("json_formats", "schema_form", "type_names")}
    allowed = {(stage, f"data_pipeline.tools.{name}") for stage, names in of_tools.items() for name in names}
    wrong = [
        (module, name)
        for module, name in edges("data_pipeline")
        if (stage := stage_of(module))
        and stage_of(name) not in (None, stage)
        and name not in shared
        and (stage, name) not in allowed
    ]
    assert wrong == []


def test_core_imports_nothing_but_itself() -> None:
    assert [
        e for e in edges("data_pipeline.core") if within(e[1], *PACKAGES) and not within(e[1], "data_pipeline.core")
    ] == []


def test_only_the_runner_wires_the_stages() -> None:
    """`job` makes shards, `run` and `check` are what commands start."""
    wiring = {
        module
        for module in SOURCES
        if within(module, "data_pipeline")
        and not within(module, "data_pipeline.job")
        and len(
            {stage_of(name) for name in IMPORTS[module] if name != "data_pipeline.report.console"}
            - {None, stage_of(module)}
        )
        > 1
    }
    assert wiring == {"data_pipeline.run", "data_pipeline.check", "data_pipeline.reasons"}
    commands = {f"xlam_train.{name}" for name in ("cli_data", "cli_export", "cli_smoke", "quickstart")}
    assert importers("data_pipeline.run", "data_pipeline.check") <= commands
    assert importers("data_pipeline.job") == {"data_pipeline.run"}


def test_models_are_known_to_generators_judges_and_the_runner_only() -> None:
    allowed = [f"data_pipeline.{name}" for name in ("generate", "verify", "job", "recipe", "reasons")]
    assert [module for module in importers("data_pipeline.llm") if not within(module, *allowed)] == []


def test_training_is_wired_from_below() -> None:
    layers = {
        1: tuple(
            f"xlam_train.{name}"
            for name in (
                *("data", "base", "model", "adapters", "quantize", "vocabulary", "trained", "fingerprint", "gradients"),
                *("loss", "moe", "objective", "preference", "dpo_objective", "attention", "life", "world", "schedule"),
            )
        ),
        2: ("xlam_train.trainer",),
        3: ("xlam_train.training_run",),
        4: ("xlam_train.sft", "xlam_train.dpo"),
        5: ("xlam_train.training",),
    }
    height = {name: level for level, names in layers.items() for name in names}

    def level(module: str) -> int | None:
        return next((height[name] for name in height if within(module, name)), None)

    pairs = [(module, name, level(module), level(name)) for module, name in edges("xlam_train")]
    assert [pair for pair in pairs if pair[2] and pair[3] and pair[2] < pair[3]] == []
    assert importers("xlam_train.trainer") <= {"xlam_train.training_run", "xlam_train.dpo"}
    assert importers("xlam_train.training_run") <= {"xlam_train.sft", "xlam_train.dpo", "xlam_train.training"}
    assert importers("xlam_train.sft", "xlam_train.dpo") == {"xlam_train.training"}
    assert importers("xlam_train.training") == {"xlam_train.cli"}


def test_export_and_inference_do_not_know_training() -> None:
    training = [f"xlam_train.{name}" for name in ("training", "sft", "dpo", "session", "trainer", "model", "data")]
    assert [edge for edge in edges("xlam_train.export", "xlam_train.infer") if within(edge[1], *training)] == []


def test_nothing_imports_the_command_line_or_the_quickstart() -> None:
    assert importers("xlam_train.cli") == set()
    assert importers("xlam_train.cli_data") == {"xlam_train.cli"}
    assert importers("xlam_train.quickstart") == {"xlam_train.cli"}


@pytest.mark.parametrize("package", PACKAGES)
def test_there_is_no_import_cycle(package: str) -> None:
    graph = {
        module: imports_when_loaded(tree, module) - {module}
        for module, tree in TREES.items()
        if within(module, package)
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_files_stay_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: count for name, count in lengths.items() if count > MAX_FILE_LINES} == {}


def test_functions_stay_short() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    }
    assert long == set()
