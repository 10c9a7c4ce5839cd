"""The objective of preference training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from xlam_train.loss import dpo_loss
from xlam_train.preference import adapters_off, answer_log_probabilities

if TYPE_CHECKING:
    from xlam_train.data.pairs import PairBatch

METRICS = ("rewards/accuracy", "rewards/margin", "rewards/chosen", "rewards/rejected")


class DpoObjective:
    """Direct preference optimization on trees of pairs; the micro-batch's losses are summed, not averaged."""

    def __init__(self, beta: float, label_smoothing: float = 0.0, sft_weight: float = 0.0) -> None:
        """Nothing is measured yet.

        Args:
            beta: scale of the implicit rewards.
            label_smoothing: share of pairs taken to be the wrong way round.
            sft_weight: weight of the chosen answer's cross entropy, averaged over its tokens, beside the preference
                loss (RPO; Pang et al. 2024).
        """
        self._beta, self._label_smoothing, self._sft_weight = beta, label_smoothing, sft_weight
        self._sums: torch.Tensor | None = None

    def __call__(self, model: torch.nn.Module, batch: PairBatch) -> torch.Tensor:
        """Sum of weight x loss over the pairs of a tree, in nats.

        Args:
            model: the model that is trained, wrapped or not.
            batch: without `reference`, the model without its adapters is the reference.
        """
        reference = batch.get("reference")
        if reference is None:
            reference = _without_adapters(model, batch)
        policy = answer_log_probabilities(model, batch)
        losses = dpo_loss(policy, reference, self._beta, self._label_smoothing)
        if self._sft_weight:
            losses = losses - self._sft_weight * policy[:, 0] / batch["answer_tokens"][:, 0]
        self._measure(policy.detach(), reference, batch["weight"])
        return (losses * batch["weight"]).sum()

    def metrics(self) -> dict[str, float]:
        """Means over the pairs of all ranks since the last call; every rank has to call it.

        `rewards/accuracy` is the share of pairs whose chosen answer has the higher implicit reward, `rewards/margin`
        by how much, in nats times beta.
        """
        if self._sums is None:
            return {}
        sums, self._sums = self._sums, None
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(sums)
        pairs, *values = sums.tolist()
        return {name: value / pairs for name, value in zip(METRICS, values, strict=True)} if pairs else {}

    def _measure(self, policy: torch.Tensor, reference: torch.Tensor, weight: torch.Tensor) -> None:
        """Stays on the device: the host would wait for it in every micro-batch."""
        chosen, rejected = (self._beta * (policy - reference)).unbind(1)
        rows = torch.stack(
            [torch.ones_like(chosen), (chosen > rejected).to(chosen), chosen - rejected, chosen, rejected]
        )
        sums = (rows * weight).sum(1)
        self._sums = sums if self._sums is None else self._sums + sums


def _without_adapters(model: torch.nn.Module, batch: PairBatch) -> torch.Tensor:
    with torch.no_grad(), adapters_off(model) as adapters:
        assert adapters, "neither a reference in the batch nor adapters to switch off"
        return answer_log_probabilities(model, batch)
