"""Trees behind transformers' `AttentionInterface`: Llama, Mistral, Mixtral and Qwen2 work unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from transformers import AttentionInterface, AttentionMaskInterface

from data_pipeline.core.errors import InputError
from xlam_train.attention_new import flex
from xlam_train.attention_new.sdpa import TreeAttention

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from xlam_train.attention_new.plan import TreePlan

NAME = "tree_sdpa"
FLEX = "tree_flex"

KNOWN_LAYERS = {"full_attention", "sliding_attention"}
LENGTH_DEPENDENT = {"dynamic", "longrope"}  # rotary embeddings that look at the longest position of a batch


def tree_sdpa(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    plan: TreePlan,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention over one tree, as transformers' `AttentionInterface` wants it.

    Args:
        module: the layer; unused.
        query: [1, heads, T, D].
        key: [1, key heads, T, D]; each serves heads / key heads consecutive heads.
        value: [1, key heads, T, D].
        attention_mask: None; the plan says who sees whom.
        scaling: factor of the scores.
        plan: the tree, passed through the model's forward.
        dropout: 0; dropped weights would differ from one sample at a time.
        sliding_window: nodes of its path that a row sees, itself among them; None is all.
        others: what layers pass on; refused where it could change the result.

    Returns:
        [1, T, heads, D], and None for the weights.

    Raises:
        InputError: the model's attention is of another kind.
    """
    _refuse(query, attention_mask, dropout, others)
    # Under autocast, rotary embedding may leave query and key in fp32 and the value in bf16.
    stacked = query[0].to(value.dtype).unflatten(0, (key.shape[1], -1)).transpose(1, 2).contiguous()
    out: torch.Tensor = TreeAttention.apply(  # type: ignore[no-untyped-call]
        stacked, key[0].to(value.dtype).contiguous(), value[0].contiguous(), scaling, plan.pieces(sliding_window)
    )
    return out.transpose(0, 1).flatten(1, 2).unsqueeze(0), None


def tree_flex(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    plan: TreePlan,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """`tree_sdpa` by FlexAttention; same arguments and result."""
    _refuse(query, attention_mask, dropout, others)
    query, key = query.to(value.dtype), key.to(value.dtype)
    return flex.attend(query, key, value, scaling, plan, sliding_window).transpose(1, 2), None


def _refuse(query: torch.Tensor, mask: torch.Tensor | None, dropout: float, others: dict[str, Any]) -> None:
    print({k: type(v) for k,v in others.items()})


def _no_mask(*_: Any, **__: Any) -> None:
    """The plan replaces the mask that transformers would build."""


def register() -> None:
    """Make `attn_implementation="tree_sdpa"` and `"tree_flex"` known to transformers."""
    for name, function in ((NAME, tree_sdpa), (FLEX, tree_flex)):
        AttentionInterface.register(name, function)
        AttentionMaskInterface.register(name, _no_mask)


def attention_name(setting: Literal["auto", "tree_sdpa", "tree_flex"], device: torch.device | str) -> str:
    """The attention of a recipe on a device.

    Args:
        setting: `attention` of the recipe.
        device: where the model is trained.

    Raises:
        InputError: FlexAttention is asked for without CUDA.
    """
    cuda = torch.device(device).type == "cuda"
    if setting == FLEX and not cuda:
        raise InputError(f"attention: {FLEX} needs CUDA, and this run computes on {device}; use auto or {NAME}")
    return (FLEX if cuda else NAME) if setting == "auto" else setting


def check_config(config: PretrainedConfig, longest: int) -> None:
    pass
