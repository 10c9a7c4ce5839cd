"""Tokens that a base model does not know: their rows in the embedding and the output head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from xlam_train.base import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import PreTrainedModel


def grow_vocabulary(model: PreTrainedModel, base: Path, added_tokens: Sequence[str]) -> list[int]:
    """Rows for added tokens, each beginning as the mean of the rows the tokenizer had (Hewitt 2021).

    Args:
        model: changed in place; spare rows that many models have are used first.
        base: folder of the base's tokenizer.
        added_tokens: `model.added_tokens`.

    Returns:
        The ids of the added tokens, in their order.
    """
    known = len(load_tokenizer(base))
    tokenizer = load_tokenizer(base, added_tokens)
    ids = [int(tokenizer.convert_tokens_to_ids(text)) for text in added_tokens]
    if ids and max(ids) >= embedding_rows(model):
        model.resize_token_embeddings(max(ids) + 1, mean_resizing=False)
    fresh = [token for token in ids if token >= known]
    with torch.no_grad():
        for weight in _vocabulary_weights(model):
            weight[fresh] = weight[:known].float().mean(0).to(weight.dtype)
    return ids


def embedding_rows(model: PreTrainedModel) -> int:
    """Tokens that the model has an embedding for."""
    return int(model.get_input_embeddings().num_embeddings)


def _vocabulary_weights(model: PreTrainedModel) -> list[torch.Tensor]:
    """The embedding and the output head; one tensor where they are tied."""
    weights = [model.get_input_embeddings().weight, model.get_output_embeddings().weight]
    return weights[:1] if weights[0] is weights[1] else weights
