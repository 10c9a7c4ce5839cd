"""Log-probabilities of the answers of preference pairs, under the model and under its reference."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, gather_object

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json
from xlam_train.data.collate import to_device
from xlam_train.data.stream import Position
from xlam_train.loss import label_log_probabilities
from xlam_train.objective import labelled_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from xlam_train.data.pairs import PairBatch, PairTree
    from xlam_train.data.stream import Microbatch, TreeStream

SAVE_EVERY = 200  # trees a rank between two saves of the reference pass: minutes, for a large model


def answer_log_probabilities(model: torch.nn.Module, batch: PairBatch) -> torch.Tensor:
    """[P, 2] log-probability of the chosen and the rejected answer of each pair, in nats."""
    output = labelled_output(model, batch)
    labels = label_log_probabilities(output.logits.squeeze(0), batch["row"], batch["target"])
    answers = labels.new_zeros(batch["answer_tokens"].numel()).index_add(0, batch["answer"], labels)
    return answers.view(-1, 2)


@contextmanager
def adapters_off(model: torch.nn.Module) -> Iterator[list[Any]]:
    """The model without its adapters, which are yielded; it may be wrapped, compiled, or have none.

    peft's own `disable_adapter` also takes the adapters' requires_grad away and gives it back, which is of no use
    without gradients and takes a hundred milliseconds for thirty layers, a good part of a step on a GPU. The model
    stays in training mode: no dropout is left without adapters, and evaluation on a CPU would turn 4-bit weights
    into a form that cannot be trained.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import AuxiliaryTrainingWrapper

    kinds = (BaseTunerLayer, AuxiliaryTrainingWrapper)
    layers: list[Any] = [module for module in model.modules() if isinstance(module, kinds)]
    try:
        for layer in layers:
            layer._disable_adapters = True
        yield layers
    finally:
        for layer in layers:
            layer._disable_adapters = False


@dataclass
class ReferencePass:
    """What is known of the reference model, as it is kept on disk.

    Attributes:
        key: what the numbers depend on: base model, dataset, and how the one is shown to the other.
        position: how far the pass over the data is.
        done: whether it is at the end.
        log_probabilities: in nats, by the id of the answer.
    """

    key: dict[str, Any]
    position: Position = field(default_factory=Position)
    done: bool = False
    log_probabilities: dict[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, key: dict[str, Any]) -> ReferencePass:
        """What an earlier run with the same key has left, or a new one; the same on all ranks, read by the first."""
        found: list[ReferencePass | None] = [cls._read(path, key) if PartialState().is_main_process else None]
        broadcast_object_list(found)
        assert found[0] is not None
        return found[0]

    @classmethod
    def _read(cls, path: Path, key: dict[str, Any]) -> ReferencePass:
        data: dict[str, Any] = read_json(path) if path.is_file() else {}
        if data.get("key") != key:
            return cls(key)
        return cls(**{**data, "position": Position.from_dict(data["position"])})

    def save(self, path: Path) -> None:
        """By the first rank, whole or not at all."""
        if PartialState().is_main_process:
            write_json(path, {**vars(self), "position": self.position.to_dict()})

    def add(self, answers: Iterable[tuple[str, float]]) -> None:
        """Add the answers of some trees.

        Raises:
            InputError: an id is there already, or a log-probability is no number.
        """
        for answer, value in answers:
            if answer in self.log_probabilities:
                raise InputError(f"data.path: there are two answers '{answer}'; give every pair an id of its own")
            if not math.isfinite(value):
                raise InputError(f"answer {answer}: log-probability {value} under the base model; remove the pair")
            self.log_probabilities[answer] = value


def reference_log_probabilities(
    model: torch.nn.Module,
    stream: TreeStream[PairTree],
    path: Path,
    key: dict[str, Any],
    begun: bool = False,
    notify: Callable[[float], None] = lambda share: None,
) -> dict[str, float]:
    """Log-probability of every answer of a dataset under the model without its adapters, by the answer's id.

    The ranks share the trees, and each ends with all numbers. What is done is kept in `path`; with the same key, a
    later call goes on from there, on any number of ranks, and a finished pass is only read.

    Args:
        model: wrapped as in training, so that its arithmetic is the same and sharded weights are gathered.
        stream: one pass over the pairs, with one tree a rank in every step, and no reference in its batches.
        path: file beside the run.
        key: what the numbers depend on, in JSON: base model, dataset, and how the one is shown to the other.
        begun: whether the model has been trained already, so that without adapters it is no reference any more.
        notify: is told the share of the data that is done.

    Raises:
        InputError: two pairs have the same id, a log-probability is no number, or the file is missing though
            training has begun.
    """
    known = ReferencePass.load(path, key)
    if known.done:
        return known.log_probabilities
    stream.start = known.position
    own: list[tuple[str, float]] = []
    with torch.no_grad(), adapters_off(model) as adapters:
        if begun and not adapters:
            raise InputError(f"{path}: is missing, and the weights have moved on; train anew, with another out=...")
        for number, microbatch in enumerate(stream, start=1):
            own += _answers(model, microbatch)
            notify(microbatch.end.position.progress)
            if number % SAVE_EVERY == 0 or microbatch.end.last:
                known.add(gather_object(own))
                own = []
                known.position, known.done = microbatch.end.position, microbatch.end.last
                known.save(path)
    return known.log_probabilities


def _answers(model: torch.nn.Module, microbatch: Microbatch) -> list[tuple[str, float]]:
    """Log-probabilities by id; none of a filler, which only keeps the ranks in step."""
    batch = to_device(microbatch.batch, next(model.parameters()).device)
    values = answer_log_probabilities(model, batch).flatten().tolist()
    return list(zip(microbatch.sample_ids, values, strict=True)) if microbatch.sample_ids else []
