"""A shard written by a language model: drafts and judgements are awaited, everything else is handed to a worker."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from data_pipeline.core.schema import Origin
from data_pipeline.generate.llm_generator import LlmGenerator
from data_pipeline.llm.open import open_model
from data_pipeline.recipe import Grammar
from data_pipeline.verify.judge import Committee

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.job.worker import Job
    from data_pipeline.verify.judge import Judgement


class Hands(Protocol):
    """Whoever does a worker's part: a pool of processes, or the worker in this one."""

    async def call(self, method: str, *arguments: Any) -> Any:
        """What `ShardWorker.method(*arguments)` returns."""


@dataclass(frozen=True)
class Models:
    """The language models of a recipe.

    Attributes:
        generator: writes the drafts; None for the grammar, which the worker writes itself.
        committee: judges what passed the checks; None without judges.
    """

    generator: LlmGenerator | None
    committee: Committee | None

    async def make(self, hands: Hands, shard: int, examples: Sequence[Trajectory]) -> None:
        """One shard, written for curation.

        Raises:
            XlamError: a model cannot be reached at all, or the folder cannot be written.
        """
        plans = await hands.call("plans", shard, examples)
        if self.generator is None:
            drafts = await hands.call("write_by_grammar", plans)
        else:
            found = await asyncio.gather(*(self.generator.draft(plan) for plan in plans))
            drafts = [draft for drafts in found for draft in drafts]
        checked = await hands.call("check", drafts)
        if self.committee is not None:
            checked = await self._judge(self.committee, checked)
        await hands.call("finish", shard, checked)

    @staticmethod
    async def _judge(committee: Committee, samples: Sequence[Trajectory]) -> list[Trajectory]:
        """The samples, those that passed so far with the committee's verdict in place of the last."""
        passed = [sample for sample in samples if sample.failed is None]
        judged = map(_with_judgement, passed, await committee.judge_many(passed))
        found = {sample.id: sample for sample in judged}
        return [found.get(sample.id, sample) for sample in samples]


def _with_judgement(sample: Trajectory, judgement: Judgement) -> Trajectory:
    origin = sample.origin or Origin(generator="")
    spent = {
        "input_tokens": origin.input_tokens + judgement.input_tokens,
        "output_tokens": origin.output_tokens + judgement.output_tokens,
        "cost": origin.cost + judgement.cost,
    }
    verdicts = (*sample.verdicts[:-1], judgement.verdict)
    return sample.model_copy(update={"verdicts": verdicts, "origin": origin.model_copy(update=spent)})


def needs_models(job: Job) -> bool:
    """Whether a language model writes or judges."""
    return not isinstance(job.recipe.generator, Grammar) or bool(job.recipe.judges)


@asynccontextmanager
async def open_models(job: Job) -> AsyncIterator[Models]:
    """The recipe's models, each opened once; a judge with the generator's settings is the same model.

    Raises:
        InputError: a model's settings cannot be used: no key, no file, no library.
    """
    recipe = job.recipe
    settings = [entry for entry in (recipe.generator, *recipe.judges) if not isinstance(entry, Grammar)]
    opened = {}
    try:
        for entry in settings:
            if entry.model_dump_json() not in opened:
                opened[entry.model_dump_json()] = open_model(entry, job.out / "cache")
        judges = [opened[entry.model_dump_json()] for entry in recipe.judges]
        generator = None
        if not isinstance(recipe.generator, Grammar):
            generator = LlmGenerator(opened[recipe.generator.model_dump_json()], recipe.generator)
        yield Models(generator, Committee(judges, recipe.quorum) if judges else None)
    finally:
        for model in opened.values():
            await model.close()
