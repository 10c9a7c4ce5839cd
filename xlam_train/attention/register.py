"""Trees behind transformers' `AttentionInterface`: Llama, Mistral, Mixtral and Qwen2 work unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch

from data_pipeline.core.errors import InputError
from xlam_train.attention import flex
from xlam_train.attention.sdpa import TreeAttention

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from xlam_train.attention.plan import TreePlan

NAME = "tree_sdpa"
FLEX = "tree_flex"

LAYERS = {"full_attention", "sliding_attention"}
LENGTH_DEPENDENT = {"dynamic", "longrope"}  # rotary embeddings that look at the longest position of a batch

# What layers pass on that does not change attention; the plan has said already who sees whom.
HARMLESS = {"cache_position", "is_causal", "output_hidden_states", "output_router_logits", "position_ids", "use_cache"}


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
    stacked = query[0].to(value.dtype).reshape(key.shape[1], -1, *query.shape[2:]).transpose(1, 2).contiguous()
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
    """Stop at what would be left out silently."""
    assert query.shape[0] == 1, "a batch is one tree"
    assert mask is None, "the plan is the mask"
    if dropout:
        raise InputError("model.base: its attention_dropout is not 0; set it to 0 in the model's config.json")
    unknown = sorted(name for name, value in others.items() if not _unset(value) and name not in HARMLESS)
    if unknown or others.get("is_causal") is False:
        what = ", ".join(unknown) or "is_causal=False"
        raise InputError(f"model.base: its attention takes {what}, which trees do not support; take another model")


def _unset(value: object) -> bool:
    return value is None or value is False


def _no_mask(*_: Any, **__: Any) -> None:
    """The plan replaces the mask that transformers would build."""


def register() -> None:
    """Make `attn_implementation="tree_sdpa"` and `"tree_flex"` known to transformers.

    torch.compile leaves both alone: a graph would be tied to one tree's pieces. FlexAttention compiles by itself.
    """
    from transformers import AttentionInterface, AttentionMaskInterface

    for name, function in ((NAME, tree_sdpa), (FLEX, tree_flex)):
        AttentionInterface.register(name, torch.compiler.disable(function))  # type: ignore[no-untyped-call]
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


def check_model(model: PreTrainedModel, longest: int) -> None:
    """Refuse a model whose hidden states on a tree would not be those of one sample at a time.

    Sliding windows are followed along each path. Layers that mix neighbours in other ways (recurrent, chunked)
    never see the plan, and rotary embeddings that stretch with the batch's longest position would be shared by
    samples of different lengths.

    Args:
        model: without adapters.
        longest: tokens of the longest sample.

    Raises:
        InputError: such a model.
    """
    config = model.config.get_text_config()
    if not model._supports_attention_backend:
        raise InputError(f"model.base: {type(model).__name__} computes attention by itself; take another model")
    other = sorted(set(getattr(config, "layer_types", None) or ()) - LAYERS)
    if other:
        raise InputError(f"model.base: its layers are of type {', '.join(other)}, which trees do not support")
    rope = getattr(config, "rope_parameters", None) or {}
    trained = int(rope.get("original_max_position_embeddings", config.max_position_embeddings))
    if rope.get("rope_type") in LENGTH_DEPENDENT and longest > trained:
        raise InputError(
            f"data.max_length: {longest} is more than the {trained} positions that the model's rotary embedding "
            f"has without stretching (rope_type {rope['rope_type']}); lower it"
        )
