"""Every recipe of the family trains, resumes, exports and answers: with a tiny twin of its model, on two processes.

Recipes that are launched alike share one launch, see family_worker.py; the first test of each launch pays for it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file
from tiny_data import conversations, pairs, questions, write_dataset
from tiny_models import tiny_base

from data_pipeline.core.jsonl import read_json, write_json
from data_pipeline.core.settings import load_settings
from xlam_train.base import load_tokenizer
from xlam_train.data.render import Renderer
from xlam_train.export.merge import merge_adapter
from xlam_train.infer.backends import Request
from xlam_train.infer.transformers_backend import TransformersBackend
from xlam_train.recipe import TrainRecipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
RECIPES = sorted(path for kind in ("sft", "lora", "qlora", "dpo") for path in (ROOT / "recipes" / kind).glob("*.yaml"))
LAUNCHES = {None: "cpu_ddp", 2: "cpu_zero2", 3: "cpu_zero3"}
STEPS = 10
TIMEOUT = 900  # seconds of a launch; a rank that waits for another one would wait for half an hour

# LOCAL_SIZE: without it, DeepSpeed on a CPU asks numactl for the number of devices before every exchange.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "LOCAL_SIZE": "2"}

OVERRIDES = (
    f"optim.max_steps={STEPS}",
    "optim.epochs=3",
    "packing.trees_per_step=2",
    "checkpoint_every=5",
    "world.processes=2",
    "threads=1",
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Name of a base -> folder of its tiny twin, with a small tokenizer where the real vocabulary is missing."""
    try:
        vocabulary: Path | None = request.getfixturevalue("vocab_dir")
    except pytest.skip.Exception:
        vocabulary = None
    return cache(lambda name: tiny_base(name, tmp_path_factory.mktemp("twin"), vocabulary))


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory, twin: Callable[[str], Path]) -> Callable[[Path], Path]:
    """A recipe -> folder of what became of it, by one launch for all recipes that are launched alike."""
    folder = tmp_path_factory.mktemp("family")
    samples = [*questions(5, 2), *conversations(2)]
    data = {False: write_dataset(folder / "samples", samples), True: write_dataset(folder / "pairs", pairs(samples))}

    def job(path: Path) -> dict[str, object]:
        recipe = load_settings(TrainRecipe, path)
        base = twin(recipe.model.base)
        longest = max(
            len(row.ids) for row in Renderer(load_tokenizer(base), recipe.data.variant).encode_all(samples[:2], 9999)
        )
        given: dict[str, object] = {
            "model.base": base,
            "data.path": data[recipe.dpo is not None],
            "packing.tokens_per_tree": longest * 5 // 4,  # samples on one tool set share a tree
        }
        if recipe.lora.first_layer:
            given["lora.first_layer"] = 1  # the twin has two layers
        overrides = [*OVERRIDES, *(f"{key}={value}" for key, value in given.items())]
        return {"recipe": str(path), "out": str(out_of(path)), "overrides": overrides, "undisturbed": compared(path)}

    def out_of(path: Path) -> Path:
        return folder / path.parent.name / path.stem

    @cache
    def run(stage: int | None) -> None:
        chosen = [path for path in RECIPES if stage_of(path) == stage]
        write_json(folder / f"jobs-{stage}.json", [job(path) for path in chosen])
        launch(LAUNCHES[stage], folder / f"jobs-{stage}.json", folder / f"launch-{stage}.log")

    def prove(path: Path) -> Path:
        run(stage_of(path))
        return out_of(path)

    return prove


@cache
def stage_of(path: Path) -> int | None:
    return load_settings(TrainRecipe, path).world.zero_stage


def compared(path: Path) -> bool:
    """Whether the result is compared with an undisturbed run: one recipe of each kind in each launch, to save time.

    The last one is a mixture of experts where there is one.
    """
    alike = [other for other in RECIPES if (other.parent, stage_of(other)) == (path.parent, stage_of(path))]
    return path == alike[-1]


def launch(config: str, jobs: Path, log: Path) -> None:
    """Two ranks through all jobs; a job that fails says so in its result, and a launch that fails says so here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = f"recipes/accelerate/{config}.yaml"
    worker = Path(__file__).with_name("family_worker.py")
    command = ["accelerate.commands.launch", "--config_file", configuration, "--main_process_port", str(port)]
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with log.open("wb") as stream:
        done = subprocess.run(
            [sys.executable, "-m", *command, str(worker), str(jobs)],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, "PYTHONPATH": path},
            stdout=stream,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
            check=False,
        )
    assert done.returncode == 0, log.read_text(errors="replace")[-5000:]


@pytest.mark.slow
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_recipe(path: Path, proof: Callable[[Path], Path], twin: Callable[[str], Path], tmp_path: Path) -> None:
    recipe, out = load_settings(TrainRecipe, path), proof(path)
    result = read_json(out / "result.json")
    assert "error" not in result, result["error"]
    assert result["crashed"]
    assert (result["steps"], result["processes"], result["method"]) == (STEPS, 2, recipe.method)
    base, trained = twin(recipe.model.base), Path(result["result_dir"])
    if compared(path):
        assert_same_weights(trained, out / "undisturbed" / trained.name)
    assert_learned(recipe, base, trained)
    renderer = Renderer(load_tokenizer(base), recipe.data.variant)
    sample = questions()[0]
    prompt = renderer.prompt_ids(sample.tools, sample.query)
    exported = trained
    if recipe.method != "full":
        exported = tmp_path / "merged"
        merge_adapter(base, trained, exported, probe_ids=[prompt])
    with TransformersBackend(exported, threads=1) as backend:
        text = load_tokenizer(exported).decode(prompt, skip_special_tokens=False)
        (answer,) = backend.complete([Request(text, 8)], lambda _: None)
    assert backend.tokenize(text) == prompt
    assert answer.tokens


def test_the_table_names_every_recipe() -> None:
    table = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ") and line.count("|") == 9}
    assert rows - {"recipe", "---"} == {f"{path.parent.name}/{path.stem}" for path in RECIPES}


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for file in folder.glob("*.safetensors") for name, tensor in load_file(file).items()}


def assert_same_weights(one: Path, other: Path) -> None:
    """To the bit."""
    first, second = weights_of(one), weights_of(other)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def assert_learned(recipe: TrainRecipe, base: Path, trained: Path) -> None:
    """Ten steps have moved every matrix, from the base's, or from zero where an adapter's second one begins."""
    weights, before = weights_of(trained), weights_of(base)
    assert all(tensor.isfinite().all() for tensor in weights.values())
    if recipe.method == "full":
        assert weights.keys() == before.keys()
        still = [name for name, tensor in weights.items() if torch.equal(tensor, before[name].to(tensor.dtype))]
    else:
        still = [name for name, tensor in weights.items() if "lora_B" in name and not tensor.any()]
    assert still == []
