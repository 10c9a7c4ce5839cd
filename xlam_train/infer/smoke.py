"""The smoke test: fixed queries through a model as users ask it, its calls executed, and its parent asked the same."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_pipeline.core.schema import Trajectory
from data_pipeline.core.variants import Variant
from data_pipeline.core.xlam_format import render_answer, render_prompt
from data_pipeline.report.console import progress_bar
from data_pipeline.tools.executor import Executor
from xlam_train.evaluate.heldout import judge, score
from xlam_train.infer.agreement import compare
from xlam_train.infer.artefact import inspect
from xlam_train.infer.backends import Backend, Chat, Constraint, Request
from xlam_train.infer.opening import open_backend
from xlam_train.infer.smoke_checks import SmokeTest, checks
from xlam_train.infer.smoke_report import SmokeReport
from xlam_train.infer.smoke_set import openai_chat, rendered_chat

SPARE_TOKENS = 32
"""Tokens an answer may have beyond one for every two characters of the expected one. Tokenizers need fewer
for JSON, so a longer answer is wrong already, and a model that rambles does not hold up the test."""


@dataclass(frozen=True)
class Asking:
    """How a model is asked.

    Attributes:
        variant: prompt variant of questions and answers.
        rendered: write the prompt format out in plain messages, for models whose template does not know it.
        constrained: let nothing but valid answers out.
    """

    variant: Variant = "xlam-1"
    rendered: bool = False
    constrained: bool = False

    def chat(self, sample: Trajectory) -> Chat:
        """The sample up to its answer; `actionstudio` has a message of the system that clients write."""
        rendered = self.rendered or self.variant == "actionstudio"
        return rendered_chat(sample, self.variant) if rendered else openai_chat(sample)

    def request(self, sample: Trajectory) -> Request:
        """Greedy, with room for the expected answer."""
        budget = len(render_answer(sample.calls, self.variant)) // 2 + SPARE_TOKENS
        return Request(self.chat(sample), budget, self._constraint(sample))

    def _constraint(self, sample: Trajectory) -> Constraint | None:
        if not self.constrained:
            return None
        from xlam_train.infer.constrain import answer_constraint  # its library takes long to load

        return answer_constraint(sample.tools, self.variant)


def run_smoke_test(
    model: str,
    samples: Sequence[Trajectory],
    executor: Executor,
    asking: Asking,
    min_exact: float,
    against: str | None = None,
    threads: int | None = None,
) -> SmokeTest:
    """Ask a model, and before it the one it was made of, and check what can go wrong between the two.

    Args:
        model: as `open_backend` takes it.
        samples: with their expected calls, such as `fixed_samples()`.
        executor: of the samples' tools.
        asking: how both are asked.
        min_exact: bar of what takes skill: least share of exactly right answers, of valid ones and so on, in 0..1.
        against: the parent, likewise.
        threads: of a backend in this process; its own default unless given.

    Raises:
        InputError: a model cannot be opened or asked.
    """
    parent = None
    if against is not None:
        with open_backend(against, threads) as backend:
            parent = examine(backend, samples, executor, asking)
    with open_backend(model, threads) as backend:
        report = examine(backend, samples, executor, asking)
        along = None if parent is None else _along(backend, samples, asking, parent, report)
    agreement = None if parent is None else compare(parent, report, along)
    return SmokeTest(model, report, checks(report, agreement, min_exact), against, parent, agreement)


def smoke(
    backend: Backend, samples: Sequence[Trajectory], executor: Executor, asking: Asking | None = None
) -> SmokeReport:
    """Ask every sample's query and judge the answers.

    Args:
        backend: an opened backend.
        samples: with their expected calls.
        executor: runs the calls that come back.
        asking: through the artefact's own template in `xlam-1` unless given.
    """
    asking = asking or Asking()
    requests = [asking.request(sample) for sample in samples]
    started = time.perf_counter()
    with progress_bar() as bar:
        task = bar.add_task(f"smoke: {backend.name}", total=len(requests), note="")
        completions = backend.complete(requests, lambda done: bar.advance(task, done))
    seconds = time.perf_counter() - started
    answers = zip(samples, completions, strict=True)
    outcomes = [judge(sample, done.text, executor, asking.variant) for sample, done in answers]
    return SmokeReport(
        backend=backend.name,
        score=score(outcomes),
        outcomes=tuple(outcomes),
        completions=tuple(completions),
        prompt_ids=tuple(_prompt_ids(backend, request.prompt) for request in requests),
        stopped=sum(done.stopped for done in completions) / max(len(completions), 1),
        seconds=seconds,
        tokens_per_second=sum(len(done.tokens) for done in completions) / max(seconds, 1e-9),
    )


def examine(backend: Backend, samples: Sequence[Trajectory], executor: Executor, asking: Asking) -> SmokeReport:
    """`smoke`, and what can be told of the model however weak it is."""
    artefact = inspect(backend, samples, asking.variant, asking.rendered)
    report = smoke(backend, samples, executor, asking)
    if artefact.end is None:
        return replace(report, artefact=artefact)
    answers = [backend.tokenize(render_answer(sample.calls, asking.variant)) or [] for sample in samples]
    expected = backend.score(_chats(samples, asking), [[*answer, artefact.end] for answer in answers])
    return replace(report, artefact=artefact, expected=tuple(expected or ()))


def _chats(samples: Sequence[Trajectory], asking: Asking) -> list[Chat]:
    return [asking.chat(sample) for sample in samples]


def _prompt_ids(backend: Backend, prompt: str | Chat) -> tuple[int, ...]:
    text = prompt if isinstance(prompt, str) else backend.prompt_text(prompt)
    return tuple(() if text is None else backend.tokenize(text) or ())


def _along(
    backend: Backend, samples: Sequence[Trajectory], asking: Asking, parent: SmokeReport, child: SmokeReport
) -> list[tuple[float, ...]] | None:
    """The child's log-probabilities of the parent's answers, whose ids mean the same only if prompts read alike."""
    answers = [done.tokens for done in parent.completions]
    told = all(len(done.logprobs) == len(done.tokens) > 0 for done in parent.completions)
    if not told or not all(child.prompt_ids) or child.prompt_ids != parent.prompt_ids:
        return None
    return backend.score(_chats(samples, asking), answers)


def probe_ids(model: Path, samples: Iterable[Trajectory]) -> list[list[int]]:
    """Prompts of real samples with their answers, as token ids of the model's own tokenizer."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    texts = [render_prompt(sample.tools, sample.query) + render_answer(sample.calls) for sample in samples]
    return [list(tokenizer.encode(text)) for text in texts]
