"""A held-out dataset put to models, each answer on the disk as soon as it is there, and judged."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from data_pipeline.core.dataset import dataset_fingerprint
from data_pipeline.tools.executor import Executor
from xlam_train.evaluate.answers import ask_each, has_all, prompts_sha256
from xlam_train.evaluate.heldout import Outcome, judge, refused
from xlam_train.infer.backends import Request
from xlam_train.infer.opening import open_backend, weights_fingerprint
from xlam_train.infer.smoke_set import rendered_chat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.core.variants import ToolConversion, Variant
    from xlam_train.evaluate.answers import Answer
    from xlam_train.infer.backends import Backend


@dataclass(frozen=True)
class HeldoutAsking:
    """What makes an answer what it is.

    Attributes:
        model: as named on the command line.
        weights: of the model, by `weights_fingerprint`; of a server, what it calls the model.
        dataset: SHA-256 of its samples.
        variant: of the prompts.
        samples: how many are asked.
        conversion: how tools stand in the prompts.
        prompts: how they are written, by `prompts_sha256`.
    """

    model: str
    weights: str
    dataset: str
    variant: Variant
    samples: int
    conversion: ToolConversion
    prompts: str

    @property
    def digest(self) -> str:
        """Eight digits that tell one asking from another."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class _Question:
    id: str
    sample: Trajectory


def run_heldout(
    models: Sequence[str],
    dataset: Path,
    samples: Sequence[Trajectory],
    variant: Variant,
    conversion: ToolConversion,
    out: Path,
) -> Iterator[list[Outcome]]:
    """Ask each model, or go on where the same was stopped; one outcome a sample, model by model.

    Args:
        models: as for `open_backend`; looked for before the first of them is asked.
        dataset: the samples' folder.
        samples: the first so many of it, or all.
        variant: of prompts and answers.
        conversion: how tools stand in the prompts.
        out: answers stand in a folder of their own below it.

    Raises:
        InputError: there is no such model, or it cannot be asked.
    """
    found = [(model, open_backend(model), weights_fingerprint(model)) for model in models]
    name, fingerprint = dataset.resolve().name, dataset_fingerprint(dataset)
    # Numbered, because nothing keeps people from giving two samples one id.
    questions = [_Question(f"{number}:{sample.id}", sample) for number, sample in enumerate(samples)]
    for model, backend, weights in found:
        with ExitStack() as stack:
            if weights is None:
                stack.enter_context(backend)  # a server tells only then what it calls its model
            whose, prompts = weights or backend.name, prompts_sha256(variant, conversion)
            asking = HeldoutAsking(model, whose, fingerprint, variant, len(samples), conversion, prompts)
            folder = out / f"{name}-{asking.digest}"
            if weights is not None and not has_all(folder, questions):
                stack.enter_context(backend)
            answers = _ask(backend, asking, questions, folder)
        with Executor() as executor:
            outcomes = [_outcome(question.sample, answers[question.id], executor, variant) for question in questions]
        yield outcomes


def _ask(backend: Backend, asking: HeldoutAsking, questions: Sequence[_Question], folder: Path) -> dict[str, Answer]:
    def request(question: _Question) -> Request:
        return Request(rendered_chat(question.sample, asking.variant, asking.conversion))

    return ask_each(backend, f"held out: {backend.name}", asdict(asking), questions, request, folder)


def _outcome(sample: Trajectory, answer: Answer, executor: Executor, variant: Variant) -> Outcome:
    return refused(sample) if answer.refused else judge(sample, answer.text, executor, variant)
