"""The whole way on a laptop: tools -> verified data -> LoRA -> merged weights -> GGUF -> smoke test -> summary.

Every stage leaves its result in the output folder as `stages/NAME.json`, written last; the same
command again skips what is there and goes on.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.errors import CheckFailed, InputError
from data_pipeline.core.jsonl import read_json, write_json
from data_pipeline.core.schema import Trajectory
from data_pipeline.core.settings import Settings
from data_pipeline.core.xlam_format import may_become_answer
from data_pipeline.recipe import DataRecipe
from data_pipeline.report.console import console
from data_pipeline.run import generate
from data_pipeline.tools.executor import Executor
from xlam_train.recipe import TrainRecipe
from xlam_train.summary import print_summary

if TYPE_CHECKING:
    from xlam_train.export.gguf import GgufReport
    from xlam_train.export.merge import MergeReport
    from xlam_train.infer.backends import Backend
    from xlam_train.infer.smoke import Asking
    from xlam_train.infer.smoke_report import SmokeReport

INTERRUPTED = 130
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class DataJobs(Settings):
    """The three datasets: what is trained, new queries on the same tools, and tools never trained on."""

    train: DataRecipe
    """Training data."""

    seen: DataRecipe
    """Held-out queries on the training tools."""

    unseen: DataRecipe
    """Held-out queries on tools that training never sees."""


class Bars(Settings):
    """What the model has to reach; below a bar the command exits with 1."""

    seen_exact: Share = 0.8
    """Least share of exactly right answers on seen tools."""

    unseen_exact: Share = 0.4
    """Least share of exactly right answers on unseen tools."""

    agreement: Share = 0.95
    """Least share of prompts on which llama.cpp F16 and transformers fp32 write the same greedy tokens."""


class QuickstartRecipe(Settings):
    """The whole way in one file; relative paths inside `train` are below the output folder."""

    data: DataJobs
    """What is generated."""

    train: TrainRecipe
    """How the model is trained; `data.path` and `out` are set by the quickstart."""

    heldout_samples: Count = 50
    """Queries a held-out set is asked; at 50 one answer is two points."""

    compared_samples: Count = 20
    """Prompts answered by transformers too, half of them on unseen tools; fp32 on a CPU takes its time."""

    bars: Bars = Bars()
    """What the model has to reach."""


def run_quickstart(recipe: QuickstartRecipe, out: Path) -> dict[str, Any]:
    """Run every stage that is not there yet, print the summary and write summary.json.

    Raises:
        InputError: the recipe is wrong or `out` holds another recipe's results.
        CheckFailed: a stage failed its check, or the model is below a bar.
    """
    _claim(recipe, out)
    stage = Stages(out)
    data = stage.run("data", lambda: _generate(recipe.data, out))
    train = stage.run("train", lambda: _train(recipe.train, out))
    merge = stage.run("merge", lambda: _merge(train, out))
    gguf = stage.run("gguf", lambda: _gguf(train, out))
    before = stage.run("base", lambda: _before(recipe, out))
    after = stage.run("smoke", lambda: _after(recipe, out))
    stages = {name: entry["seconds"] for name, entry in stage.entries.items()}
    summary = {
        "data": data,
        "train": train,
        "merge": merge,
        "gguf": gguf,
        "before": before,
        "after": after,
        "seconds": {**stages, "total": round(sum(stages.values()), 1)},
        "peak_memory_gb": round(max(entry["peak_memory_gb"] for entry in stage.entries.values()), 2),
    }
    write_json(out / "summary.json", summary)
    print_summary(summary, out)
    _check_bars(summary, recipe.bars)
    return summary


class Stages:
    """Runs stages once and remembers what they returned."""

    def __init__(self, out: Path) -> None:
        self._folder = out / "stages"
        self.entries: dict[str, dict[str, Any]] = {}

    def run(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The stage's result, from disk if it ran before."""
        path = self._folder / f"{name}.json"
        if path.exists():
            console().print(f"{name}: done before, going on")
        else:
            console().rule(name)
            started = time.perf_counter()
            result = work()
            seconds = round(time.perf_counter() - started, 1)
            write_json(path, {"result": result, "seconds": seconds, "peak_memory_gb": _peak_memory()})
        self.entries[name] = read_json(path)
        found: dict[str, Any] = self.entries[name]["result"]
        return found


def _peak_memory() -> float:
    kilobytes = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return kilobytes / 1e6


def _claim(recipe: QuickstartRecipe, out: Path) -> None:
    resolved = {"recipe": recipe.model_dump(mode="json"), "version": version("xlam-train")}
    path = out / "recipe.json"
    if path.exists() and read_json(path) != resolved:
        raise InputError(f"{out}: holds the results of another recipe; choose another --out or delete the folder")
    write_json(path, resolved)


def _generate(jobs: DataJobs, out: Path) -> dict[str, Any]:
    train = generate(jobs.train, out / "data" / "train", label="training data")
    console().print(train.to_table("Funnel of the training data"))
    found = {"train": train.to_dict()}
    for name, job in (("seen", jobs.seen), ("unseen", jobs.unseen)):
        distinct = job.model_copy(update={"distinct_from": [out / "data" / "train"]})
        found[name] = generate(distinct, out / "data" / name, label=f"held-out, {name} tools").to_dict()
    return found


def _train(recipe: TrainRecipe, out: Path) -> dict[str, Any]:
    """Train in a process of its own, so that its memory is free again for the stages that follow."""
    data = recipe.data.model_copy(update={"path": out / "data" / "train"})
    resolved = recipe.model_copy(update={"data": data, "out": out / "train"})
    path = out / "train_recipe.json"  # JSON is YAML too
    write_json(path, resolved.model_dump(mode="json"))
    command = [sys.executable, "-m", "xlam_train.cli", "train", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if done.returncode:
        failure = InputError if done.returncode == InputError.exit_code else CheckFailed
        raise failure("training stopped for the reason above; mend it and run the same command again")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _merge(train: dict[str, Any], out: Path) -> dict[str, Any]:
    from xlam_train.export.merge import merge_adapter
    from xlam_train.infer.smoke import probe_ids

    base, adapter = Path(train["base_dir"]), Path(train["result_dir"])
    samples = islice(read_dataset(out / "data" / "seen"), 3)
    return _plain(merge_adapter(base, adapter, out / "merged", probe_ids=probe_ids(base, samples)))


def _plain(report: MergeReport | GgufReport) -> dict[str, Any]:
    """A report that JSON can hold."""
    return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(report).items()}


def _gguf(train: dict[str, Any], out: Path) -> dict[str, Any]:
    from xlam_train.export.gguf import Quantization, write_gguf

    wanted: tuple[tuple[Quantization, Path, Path], ...] = (
        ("f16", out / "merged", out / "model-f16.gguf"),
        ("q8_0", out / "merged", out / "model-q8_0.gguf"),
        ("f16", Path(train["base_dir"]), out / "base-f16.gguf"),
    )
    return {path.name: _plain(write_gguf(model, path, kind)) for kind, model, path in wanted}


def heldout(out: Path, name: str, count: int) -> list[Trajectory]:
    """The first samples of a held-out set.

    Raises:
        InputError: the set is smaller than the recipe asks for.
    """
    samples = list(islice(read_dataset(out / "data" / name), count))
    if len(samples) < count:
        raise InputError(f"data.{name}: {len(samples)} samples passed the checks, {count} are asked; add tool sets")
    return samples


def _before(recipe: QuickstartRecipe, out: Path) -> dict[str, Any]:
    from xlam_train.infer.llama_cpp import LlamaCppBackend
    from xlam_train.infer.smoke import Asking

    sets = _few(recipe, {name: heldout(out, name, recipe.heldout_samples) for name in ("seen", "unseen")})
    reports = _smoke(LlamaCppBackend(out / "base-f16.gguf", go_on=may_become_answer), sets, Asking(rendered=True))
    return {name: report.to_dict() for name, report in reports.items()}


def _few(recipe: QuickstartRecipe, sets: Mapping[str, list[Trajectory]]) -> dict[str, list[Trajectory]]:
    """The first prompts of each set, for models that are only compared."""
    return {name: samples[: recipe.compared_samples // 2] for name, samples in sets.items()}


def _smoke(
    backend: Backend, sets: Mapping[str, Sequence[Trajectory]], asking: Asking | None = None
) -> dict[str, SmokeReport]:
    from xlam_train.infer.smoke import smoke

    with backend as opened, Executor() as executor:
        return {name: smoke(opened, samples, executor, asking) for name, samples in sets.items()}


def _after(recipe: QuickstartRecipe, out: Path) -> dict[str, Any]:
    from xlam_train.infer.agreement import answers_by_prompt, compare
    from xlam_train.infer.llama_cpp import LlamaCppBackend
    from xlam_train.infer.smoke_report import first_of
    from xlam_train.infer.transformers_backend import TransformersBackend

    sets = {name: heldout(out, name, recipe.heldout_samples) for name in ("seen", "unseen")}
    few = _few(recipe, sets)
    f16 = _smoke(LlamaCppBackend(out / "model-f16.gguf"), sets)
    q8 = _smoke(LlamaCppBackend(out / "model-q8_0.gguf"), few)
    reference = _smoke(TransformersBackend(out / "merged", drafts=answers_by_prompt(f16.values())), few)
    agreement = [compare(reference[name], first_of(f16[name], len(few[name]))) for name in few]
    return {
        "llama.cpp f16": {name: report.to_dict() for name, report in f16.items()},
        "llama.cpp q8_0": {name: report.to_dict() for name, report in q8.items()},
        "transformers fp32": {name: report.to_dict() for name, report in reference.items()},
        "agreement": {
            "prompts": sum(found.prompts for found in agreement),
            "equal": sum(found.equal for found in agreement),
            "same_prompt_ids": sum(found.same_prompt_ids or 0 for found in agreement),
            "partings": [asdict(parting) for found in agreement for parting in found.partings],
        },
    }


def _check_bars(summary: dict[str, Any], bars: Bars) -> None:
    after = summary["after"]
    scores, agreement = after["llama.cpp f16"], after["agreement"]
    reached = (
        ("exact match on seen tools", scores["seen"]["score"]["exact"], bars.seen_exact),
        ("exact match on unseen tools", scores["unseen"]["score"]["exact"], bars.unseen_exact),
        ("agreement of the backends", agreement["equal"] / agreement["prompts"], bars.agreement),
    )
    below = [f"{name} {got:.0%} < {bar:.0%}" for name, got, bar in reached if got < bar]
    if below:
        raise CheckFailed(f"below the bar: {'; '.join(below)}")
