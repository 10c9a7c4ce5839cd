"""How fast, how lean and how varied is data without a language model?

Prints, each beside its goal:
- checks: format and grounding, samples a second of one core;
- pipeline: the whole way from recipe to dataset folder with every call executed, accepted samples a second, for one
  worker and for two;
- size: the same for growing numbers of samples: time a sample, peak memory of the driver and of the largest worker;
- variety: share of samples that pass the funnel, share of near-duplicates, distinct 8-grams in 1,000 queries.

    python scripts/bench/data.py [--sizes 10000 100000 1000000] [--recipe recipes/data/bundled.yaml]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.settings import load_settings
from data_pipeline.job.worker import Job, ShardWorker
from data_pipeline.recipe import DataRecipe
from data_pipeline.report.console import console, table
from data_pipeline.run import tool_pool
from data_pipeline.verify.checks import Checker

SET_SIZE, SETS = 16, 25
CHECK_GOAL, PIPELINE_GOAL, SIZE_GOAL, MEMORY_GOAL = 5_000, 1_000, 0.15, 1.0
FUNNEL_GOAL, DUPLICATE_GOAL, NGRAM_GOAL = 0.95, 0.01, 20_000
CHECKED = 5_000
REPEATS, LONG = 3, 50_000
QUERIES, NGRAM = 1_000, 8

# Runs a job in a process of its own and prints what the operating system counted.
RUN = """
import json, resource, sys, time
from pathlib import Path
from data_pipeline.core.settings import load_settings
from data_pipeline.recipe import DataRecipe
from data_pipeline.run import generate
if __name__ == "__main__":
    recipe = load_settings(DataRecipe, Path(sys.argv[1]), sys.argv[4:])
    began = time.perf_counter()
    funnel = generate(recipe, Path(sys.argv[2]), workers=int(sys.argv[3]))
    seconds = time.perf_counter() - began
    own, children = (resource.getrusage(who).ru_maxrss / 2**20 for who in (0, -1))
    print(json.dumps({"seconds": seconds, "driver": own, "worker": children, "funnel": funnel.to_dict()}))
"""


@dataclass(frozen=True)
class Run:
    """One job: samples drafted and accepted, seconds, peak memory in GiB, share dropped as near-duplicates."""

    drafted: int
    accepted: int
    seconds: float
    driver: float
    worker: float
    near_duplicates: float

    @property
    def microseconds(self) -> float:
        """Time a drafted sample."""
        return 1e6 * self.seconds / self.drafted


def main() -> int:
    """Measure and print; exit code 1 where a number misses its goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000], help="samples; default: %(default)s")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/data/bundled.yaml"), help="default: %(default)s")
    options = parser.parse_args()
    rows = [_checks(options.recipe)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        single = _median_run(options.recipe, folder / "one", 1, options.sizes[0])
        runs = [_median_run(options.recipe, folder / str(size), 2, size) for size in options.sizes]
        rows += _pipeline(single, runs[0]) + _growth(runs) + _variety(folder / str(options.sizes[-1]), runs[-1])
    told = [(what, said, goal, "yes" if reached else "NO") for what, said, goal, reached in rows]
    console().print(table("data without a language model", ("what", "measured", "goal", "reached"), told))
    return 0 if all(reached for *_, reached in rows) else 1


_Row = tuple[str, str, str, bool]


def _checks(recipe_path: Path) -> _Row:
    """Format and grounding on drafts of the recipe, processor time of this process."""
    recipe = load_settings(DataRecipe, recipe_path)
    with closing(ShardWorker(Job.of(recipe, tool_pool(recipe), Path()))) as worker:
        shards = range(CHECKED // (recipe.tool_sets_per_shard * recipe.queries_per_tool_set) + 1)
        drafts = [draft for shard in shards for draft in worker.write_by_grammar(worker.plans(shard))][:CHECKED]
    checker, best = Checker(), 0.0
    for _ in range(3):
        began = time.process_time()
        for draft in drafts:
            checker.format_and_grounding(draft)
        best = max(best, len(drafts) / (time.process_time() - began))
    return "format and grounding checks", f"{best:,.0f} samples/s a core", f"{CHECK_GOAL:,}", best >= CHECK_GOAL


def _median_run(recipe: Path, out: Path, workers: int, samples: int) -> Run:
    """One run, or the middle one of three where they take seconds, which a machine's moods change by a fifth."""
    runs = [_run(recipe, out, workers, samples)]
    while len(runs) < REPEATS and samples < LONG:
        shutil.rmtree(out)
        runs.append(_run(recipe, out, workers, samples))
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def _run(recipe: Path, out: Path, workers: int, samples: int) -> Run:
    sets = samples // SET_SIZE
    shape = (f"shards={sets // SETS}", f"tool_sets_per_shard={SETS}", f"queries_per_tool_set={SET_SIZE}")
    script = out.parent / "run.py"
    script.write_text(RUN, encoding="utf-8")
    command = [sys.executable, str(script), str(recipe), str(out), str(workers), *shape]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    funnel = told["funnel"]
    duplicates = funnel["rejected"].get("curate.near_duplicate", 0) / funnel["drafted"]
    run = Run(funnel["drafted"], funnel["accepted"], told["seconds"], told["driver"], told["worker"], duplicates)
    print(
        f"{run.drafted:,} samples, {workers} workers: {run.seconds:.1f} s, {run.microseconds:.0f} microseconds a sample"
    )
    return run


def _pipeline(single: Run, double: Run) -> list[_Row]:
    one, two = (run.accepted / run.seconds for run in (single, double))
    said = f"{two:,.0f} accepted/s on 2 workers ({one:,.0f} on 1, same run)"
    return [("whole pipeline, execution included", said, f"{PIPELINE_GOAL:,}", two >= PIPELINE_GOAL)]


def _growth(runs: list[Run]) -> list[_Row]:
    times = [run.microseconds for run in runs]
    spread = max(times) / min(times) - 1
    sizes = " -> ".join(f"{run.drafted:,}" for run in runs)
    driver, worker = (max(getattr(run, who) for run in runs) for who in ("driver", "worker"))
    return [
        (f"time a sample, {sizes}", " -> ".join(f"{t:.0f} us" for t in times), "within 15 %", spread <= SIZE_GOAL),
        ("peak memory of the driver", f"{driver:.2f} GiB", "1 GiB", driver < MEMORY_GOAL),
        ("peak memory of the largest worker", f"{worker:.2f} GiB", "1 GiB", worker < MEMORY_GOAL),
    ]


def _variety(folder: Path, run: Run) -> list[_Row]:
    share = run.accepted / run.drafted
    queries = [sample.query for sample in islice(read_dataset(folder), QUERIES)]
    grams = {
        tuple(words[start : start + NGRAM])
        for words in (query.split() for query in queries)
        for start in range(len(words) - NGRAM + 1)
    }
    return [
        ("samples that pass the funnel", f"{share:.1%}", f"{FUNNEL_GOAL:.0%}", share > FUNNEL_GOAL),
        (
            f"near-duplicates among {run.drafted:,}",
            f"{run.near_duplicates:.2%}",
            f"{DUPLICATE_GOAL:.0%}",
            run.near_duplicates < DUPLICATE_GOAL,
        ),
        (
            f"distinct {NGRAM}-grams in {QUERIES:,} queries",
            f"{len(grams):,}",
            f"{NGRAM_GOAL:,}",
            len(grams) >= NGRAM_GOAL,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
