"""One shard's work, where it is done: plans, drafts, checks, and the files that curation reads."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.jsonl import write_atomic, write_json, write_jsonl
from data_pipeline.core.schema import Trajectory, Verdict
from data_pipeline.curate.decontaminate import Decontaminator
from data_pipeline.curate.dedup import ReferenceFilter, signatures
from data_pipeline.curate.keywords import shown
from data_pipeline.generate.grammar import GrammarGenerator
from data_pipeline.generate.sampler import Catalogue, plan_shard
from data_pipeline.recipe import Grammar
from data_pipeline.report.funnel import Funnel
from data_pipeline.tools.executor import Executor
from data_pipeline.tools.source import open_runners
from data_pipeline.verify.checks import Checker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from data_pipeline.core.schema import Tool
    from data_pipeline.generate.plan import Plan
    from data_pipeline.recipe import DataRecipe
    from data_pipeline.tools.pool import Pool

PASSED = Verdict(stage="curate", passed=True)
SEED_EXAMPLES = 200
"""Samples of the grammar that a model is shown in the first round, enough for no two prompts to show the same."""


@dataclass(frozen=True)
class Job:
    """What every worker is told: plain data that any process can be sent.

    Attributes:
        recipe: what to make.
        tools: the pool, looked through.
        out: the dataset folder, on storage that all workers share.
        renamed: a tool's name -> the one its source knows it by, where they differ.
    """

    recipe: DataRecipe
    tools: tuple[Tool, ...]
    out: Path
    renamed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, recipe: DataRecipe, pool: Pool, out: Path) -> Job:
        """The job that a recipe is, with the tools that were opened for it."""
        return cls(recipe, pool.tools, out, {name: known for name, (_, known) in pool.renamed.items()})

    @property
    def work(self) -> Path:
        """Where shards wait for curation."""
        return self.out / "work"


class ShardWorker:
    """Makes shards of one job; owns the processes that run tools. Not shared between threads."""

    def __init__(self, job: Job) -> None:
        """Nothing is started before the first shard."""
        self._job = job
        self._shown_tools: dict[str, Tool] = {}

    def close(self) -> None:
        """End the processes that run tools."""
        if "_executor" in vars(self):
            self._executor.close()

    @cached_property
    def _executor(self) -> Executor:
        recipe = self._job.recipe
        return Executor(open_runners(recipe.tools, recipe.source_options), recipe.call_timeout, self._job.renamed)

    @cached_property
    def _checker(self) -> Checker:
        return Checker(self._executor)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue.of(self._job.tools)

    @cached_property
    def _reference(self) -> ReferenceFilter:
        folders = self._job.recipe.distinct_from
        return ReferenceFilter(sample.query for folder in folders for sample in read_dataset(folder))

    @cached_property
    def _benchmark(self) -> Decontaminator | None:
        return Decontaminator.load() if self._job.recipe.decontaminate else None

    def plans(self, shard: int, examples: Sequence[Trajectory] = ()) -> list[Plan]:
        """What is wanted of a shard."""
        return list(plan_shard(self._job.recipe, self._catalogue, shard, examples))

    def write_by_grammar(self, plans: Sequence[Plan]) -> list[Trajectory]:
        """Drafts without a language model."""
        recipe = self._job.recipe
        grammar = recipe.generator if isinstance(recipe.generator, Grammar) else Grammar()
        generator = GrammarGenerator(grammar, recipe.optional_share)
        return [draft for plan in plans for draft in generator.write(plan)]

    def check(self, drafts: Sequence[Trajectory]) -> list[Trajectory]:
        """Format, execution and grounding."""
        return self._checker.check_many(drafts)

    def make(self, shard: int) -> None:
        """A whole shard without a language model."""
        self._executor.start()  # so that tools are ready when the drafts are
        self.finish(shard, self.check(self.write_by_grammar(self.plans(shard))))

    def accepted_by_grammar(self) -> Iterator[Trajectory]:
        """Samples of the grammar that pass all that can be told of one by itself, shard by shard."""
        for shard in range(self._job.recipe.total_shards):
            for sample in map(self._curated, self.check(self.write_by_grammar(self.plans(shard)))):
                if sample.failed is None:
                    yield sample

    def seed_examples(self) -> list[Trajectory]:
        """What a model is shown in the first round."""
        recipe = self._job.recipe.model_copy(update={"shards": 1, "rounds": 1, "generator": Grammar()})
        with_sets = recipe.model_copy(update={"tool_sets_per_shard": SEED_EXAMPLES // 2, "queries_per_tool_set": 2})
        plans = list(plan_shard(with_sets, self._catalogue, 0))
        return [sample for sample in self.check(self.write_by_grammar(plans)) if sample.failed is None]

    def finish(self, shard: int, samples: Sequence[Trajectory]) -> None:
        """Compare with references and benchmark, then write the shard for curation; its summary last.

        Raises:
            InputError: the folder cannot be written.
        """
        judged = [self._curated(sample) for sample in samples]
        kept = [sample for sample in judged if sample.failed is None]
        funnel = Funnel()
        funnel.count(judged)
        folder = self._job.work / f"{shard:04d}"
        buffer = io.BytesIO()
        np.save(buffer, signatures(kept, self._job.recipe.near_duplicates))
        write_atomic(folder / "signatures.npy", buffer.getvalue())
        write_jsonl(folder / "rejected.jsonl", (sample.to_row() for sample in judged if sample.failed))
        write_jsonl(folder / "accepted.jsonl", (sample.to_row() for sample in kept))
        write_json(folder / "summary.json", funnel.to_dict())

    def _curated(self, sample: Trajectory) -> Trajectory:
        """The sample with curation's verdict, as far as it can be told without the other shards."""
        if sample.failed is not None:
            return sample
        refused = self._reference.check(sample)
        if refused is None and self._benchmark is not None:
            refused = self._benchmark.check(sample)
        tools = tuple(map(self._shown, sample.tools))
        return sample.model_copy(update={"tools": tools, "verdicts": (*sample.verdicts, refused or PASSED)})

    def _shown(self, tool: Tool) -> Tool:
        """The tool as samples show it; equal tools are one object, which costs less to write."""
        known = self._shown_tools.get(tool.name)
        if known is None:
            known = self._shown_tools[tool.name] = shown(tool, self._job.recipe.hidden_keywords)
        return known
