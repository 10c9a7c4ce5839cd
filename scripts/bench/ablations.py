"""What moves the score of a small model? One change a row, each trained for the same minutes on the same machine.

The row they are compared with is `recipes/data/cpu_135m.yaml` with `recipes/lora/smollm2-135m-cpu.yaml`, cut to the
minutes given. Every row is generated, trained, exported as Q8_0 and asked the questions of `recipes/data/people_dev`,
which no rule wrote, by the commands a user would run, with all of an adapter merged; the test beside a row is McNemar's
against the first row. The loss on their answers, in nats a token, has less noise than the share of exact ones. The last
rows are the first row's model in other weights.

    python scripts/bench/ablations.py [--minutes 6] [--samples 120] [--rows base "no packing"] [--out runs/ablations]

Rows that are done are read, not repeated, as long as recipes and questions are the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_pipeline.core.dataset import shard_paths
from data_pipeline.core.jsonl import read_json, write_json
from data_pipeline.core.settings import load_settings
from data_pipeline.report.console import console, table
from xlam_train.evaluate.comparison import compare_outcomes
from xlam_train.evaluate.heldout import Outcome
from xlam_train.recipe import TrainRecipe

DATA, DEV = "recipes/data/cpu_135m.yaml", "recipes/data/people_dev"
TRAIN = "recipes/lora/smollm2-135m-cpu.yaml"
XLAM = [sys.executable, "-m", "xlam_train.cli"]
BASE = "base"
WEIGHTS = ("f16", "q5_k_m", "q4_k_m", "q3_k_m")
FULL = ("method=full", "lora={}", "optim.weight_decay=0.01")


@dataclass(frozen=True)
class Row:
    """One change.

    Attributes:
        name: of the row.
        data: overrides of the data recipe; rows with the same ones share a dataset.
        train: overrides of the training recipe.
    """

    name: str
    data: tuple[str, ...] = ()
    train: tuple[str, ...] = ()


ROWS = (
    Row(BASE),
    Row("names masked in half the tool sets", train=("data.views.mask_names=0.5",)),
    Row("irrelevance 4 % for 21", ("styles.irrelevance=0.04",)),
    Row("irrelevance 36 %", ("styles.irrelevance=0.6",)),
    Row("2 queries a tool set for 8", ("queries_per_tool_set=2", "tool_sets_per_shard=800")),
    Row("16 queries a tool set", ("queries_per_tool_set=16", "tool_sets_per_shard=100")),
    Row("no packing", train=("packing.window_mb=0.001", "packing.trees_per_step=7")),
    Row("every weight for adapters", train=(*FULL, "optim.learning_rate=2e-4")),
    Row("bundled tools only", ("tools=[bundled]", "category_mix={}")),
    Row(
        "four domains only",
        ("tools=['bundled:finance', 'bundled:food', 'bundled:maths', 'bundled:weather']", "category_mix={}"),
    ),
    # The recipe's other numbers.
    Row("every weight, upper 20 layers", train=(*FULL, "optim.learning_rate=3e-4", "model.frozen_layers=10")),
    Row("adapters on all layers", train=("lora.first_layer=0",)),
    Row("adapters of rank 32", train=("lora.rank=32", "lora.alpha=64")),
    Row("trees of 3,072 tokens for 1,536", train=("packing.tokens_per_tree=3072",)),
    Row("rate 1.2e-3 for 6e-4", train=("optim.learning_rate=1.2e-3",)),
    Row("tools that take objects too", ("arguments=any",)),
    Row("no example queries", ("generator.own_queries=0",)),
    Row(
        "no example queries, chatter",
        ("generator.own_queries=0", "generator.woven=0.55", "generator.distractors=0.15"),
    ),
    Row("no refusals near the tools", ("near_strangers=0",)),
    Row("30 % of optional arguments stated for 50", ("optional_share=0.3",)),
)


def main() -> int:
    """Make the rows and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=6.0, help="of training, each row; default: %(default)s")
    parser.add_argument("--samples", type=int, default=120, help="held-out queries; default: %(default)s")
    parser.add_argument("--rows", nargs="+", choices=[row.name for row in ROWS], help="only these; default: all")
    parser.add_argument("--out", type=Path, default=Path("runs/ablations"), help="default: %(default)s")
    told = parser.parse_args()
    study = Study(told.out / study_name(told.minutes, told.samples), told.minutes, told.samples)
    chosen = [row for row in ROWS if told.rows is None or row.name in (BASE, *told.rows)]
    results = [study.result(row) for row in chosen]
    if told.rows is None:
        results += [study.weights(kind) for kind in WEIGHTS]
    write_json(study.out / "ablations.json", {"minutes": told.minutes, "rows": results})
    columns = (
        "row",
        "samples seen",
        "steps",
        "training loss",
        "held-out loss",
        "exact",
        "95 % interval",
        "beside the first row",
    )
    lines = [
        [result[key] for key in ("row", "seen", "steps", "loss", "held_out", "exact", "interval", "test")]
        for result in results
    ]
    console().print(table(f"{told.minutes:g} minutes of training, {told.samples} questions of people", columns, lines))
    return 0


def study_name(minutes: float, samples: int) -> str:
    """Of a study's folder, so that rows of changed recipes or questions are made anew."""
    digest = hashlib.sha256()
    for path in (Path(DATA), Path(TRAIN), *shard_paths(Path(DEV))):
        digest.update(path.read_bytes())
    return f"{minutes:g}-minutes-{samples}-queries-{digest.hexdigest()[:8]}"


@dataclass(frozen=True)
class Study:
    """Where rows are made, and how long each may train."""

    out: Path
    minutes: float
    samples: int

    def result(self, row: Row) -> dict[str, Any]:
        """One row, made unless it is there."""
        folder = self.out / _slug(row.name)
        kept = folder / "result.json"
        if not kept.exists():
            self._make(row, folder)
            report = read_json(folder / "train" / "train_report.json")
            told = self._ask(folder / "model-q8_0.gguf")
            numbers = {"seen": report["samples"], "steps": report["steps"], "loss": round(report["last_loss"], 4)}
            numbers["held_out"] = round(report["evaluations"][-1]["eval_loss"], 4)
            write_json(kept, {"row": row.name, **numbers, **told})
        found: dict[str, Any] = read_json(kept)
        return found

    def weights(self, kind: str) -> dict[str, Any]:
        """The first row's model in another type of weights."""
        folder = self.out / _slug(BASE)
        kept = folder / f"result-{kind}.json"
        if not kept.exists():
            model = folder / f"model-{kind}.gguf"
            _xlam("export", "gguf", _weights(folder), model, "--type", kind)
            write_json(kept, {**self.result(ROWS[0]), "row": kind.upper(), **self._ask(model)})
        found: dict[str, Any] = read_json(kept)
        return found

    def _make(self, row: Row, folder: Path) -> None:
        data = self.out / "data" / _slug(" ".join(row.data) or BASE)
        _xlam("data", "generate", DATA, "--out", data, *row.data)
        limits = (f"optim.max_minutes={self.minutes}", f"data.path={data}", f"out={folder / 'train'}")
        looks = (f"eval.path={DEV}", f"eval.samples={self.samples}", "eval.decoded=0", "eval.every=1000000")
        _xlam("train", TRAIN, *limits, *looks, *row.train)
        if not _weights(folder).exists():
            base = load_settings(TrainRecipe, Path(TRAIN)).model.base
            _xlam("export", "merge", base, folder / "train" / "adapter", _weights(folder))
        _xlam("export", "gguf", _weights(folder), folder / "model-q8_0.gguf", "--type", "q8_0")

    def _ask(self, model: Path) -> dict[str, Any]:
        """The held-out score, and the paired test against the first row's Q8_0 model."""
        options = ("--samples", self.samples, "--out", self.out / "heldout", "--json")
        found = json.loads(_xlam("eval", "heldout", model, DEV, *options))[str(model)]
        group, outcomes = found["groups"]["all"], [Outcome(**outcome) for outcome in found["outcomes"]]
        told = {"exact": f"{group['exact']:.0%}", "interval": f"{group['low']:.0%} to {group['high']:.0%}", "test": "-"}
        kept = self.out / "base-outcomes.json"
        if model == self.out / _slug(BASE) / "model-q8_0.gguf":
            write_json(kept, found["outcomes"])
        else:
            compared = compare_outcomes(outcomes, [Outcome(**outcome) for outcome in read_json(kept)])
            told["test"] = f"{compared.only_first} : {compared.only_second}, p {compared.p_value:.2g}"
        return told


def _weights(folder: Path) -> Path:
    """Of full training, or merged."""
    full = folder / "train" / "model"
    return full if full.exists() else folder / "merged"


def _slug(name: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in name)[:80]


def _xlam(*arguments: object) -> str:
    return subprocess.run([*XLAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
