"""Exact attention over a prefix tree, piece by piece, for any device.

A row's softmax runs over several pieces of the mask (see plan.py). Each piece gives a result normalised for itself
and the logarithm of its normaliser, and two such results can be merged; the backward pass computes the
probabilities anew from the joint normaliser, so none are kept (Dao et al. 2022, algorithms 1 and 4).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from xlam_train.attention.plan import Piece, Pieces

    Result = tuple[torch.Tensor, torch.Tensor]


class TreeAttention(torch.autograd.Function):
    """Queries of the G heads that share a key head lie side by side as rows, so no key is repeated."""

    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, pieces: Pieces
    ) -> torch.Tensor:
        """query [H, T, G, D], key and value [H, T, D], contiguous -> [H, T, G, D]."""
        attend = fused if query.device.type == "cpu" else products
        out = torch.empty_like(query, dtype=_wide(query))
        normaliser = out.new_empty(query.shape[:3])
        with torch.autocast(query.device.type, enabled=False):
            for piece in (*pieces.blocks, *pieces.tiles):
                rows = slice(piece.start, piece.stop)
                result = attend(query[:, rows], _take(key, piece), _take(value, piece), scaling, piece.bias)
                if piece.bias is None:
                    result = _merged((out[:, rows], normaliser[:, rows]), result)
                out[:, rows], normaliser[:, rows] = result
        narrow = out.to(query.dtype)
        ctx.scaling, ctx.pieces = scaling, pieces
        ctx.save_for_backward(query, key, value, narrow, normaliser)
        return narrow

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """d score = probability * (d probability - sum over keys of probability * d probability).

        What is subtracted, from a score its row's normaliser and from d probability the sum, takes part in the
        products as a column: they add up in fp32, and only the small difference is rounded to bf16.
        """
        query, key, value, out, normaliser = ctx.saved_tensors
        grad = grad_outputs[0].contiguous()
        inner = (grad.to(normaliser.dtype) * out).sum(-1)
        queries, grads = _with_offset(query, ctx.scaling, -normaliser), _with_offset(grad, 1.0, -inner)
        keys, values = _with_ones(key), _with_ones(value)
        grad_query, grad_key, grad_value = (torch.zeros_like(x, dtype=inner.dtype) for x in (query, key, value))
        scratch = query.new_empty(2, len(key) * query.shape[2] * ctx.pieces.largest)
        with torch.autocast(query.device.type, enabled=False):
            for piece in (*ctx.pieces.blocks, *ctx.pieces.tiles):
                rows = slice(piece.start, piece.stop)
                weight = _product(_take(keys, piece), _flat(queries, rows), scratch[0])
                if piece.bias is not None:
                    weight.view(*weight.shape[:2], -1, query.shape[2]).add_(piece.bias.t().unsqueeze(-1))
                weight.exp_()
                slope = _product(_take(values, piece), _flat(grads, rows), scratch[1]).mul_(weight)
                _give(grad_value, piece, torch.bmm(weight, _flat(grad, rows)))
                _give(grad_key, piece, torch.bmm(slope, _flat(query, rows)))
                _flat(grad_query, rows).add_(torch.bmm(slope.transpose(1, 2), _take(key, piece)))
        grad_query, grad_key = (_scaled(x, ctx.scaling, query.dtype) for x in (grad_query, grad_key))
        return grad_query, grad_key, grad_value.to(value.dtype), None, None


def fused(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, bias: torch.Tensor | None
) -> Result:
    """`products` by PyTorch's kernel for CPUs, the one behind scaled_dot_product_attention."""
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    if bias is None:
        rows = query.flatten(1, 2).unsqueeze(1)
        out, normaliser = kernel(rows, key.unsqueeze(1), value.unsqueeze(1), 0.0, False, scale=scaling)
        return out.view_as(query), normaliser.view(query.shape[:3])
    rows = query.transpose(1, 2)  # [H, G, R, D], as the bias is the same for the G heads
    keys, values = (x.unsqueeze(1).expand(-1, query.shape[2], -1, -1) for x in (key, value))
    mask = bias.to(_wide(query))[None, None]  # the kernel reads the bits of any other type as this one
    out, normaliser = kernel(rows, keys, values, 0.0, False, attn_mask=mask, scale=scaling)
    return out.transpose(1, 2), normaliser.transpose(1, 2)


def products(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, bias: torch.Tensor | None
) -> Result:
    """Softmax attention of rows to all keys of a piece, with scores in fp32 or wider.

    Args:
        query: [H, R, G, D].
        key: [H, N, D].
        value: [H, N, D].
        scaling: factor of the scores.
        bias: [R, N], added to the scores of each head, or None.

    Returns:
        [H, R, G, D], and the logarithm of the sum of exponentials of each row's scores, [H, R, G].
    """
    wide = _wide(query)
    scores = torch.bmm(query.to(wide).flatten(1, 2) * scaling, key.to(wide).transpose(1, 2))
    if bias is not None:
        scores.view(*query.shape[:3], -1).add_(bias.unsqueeze(1))
    normaliser = scores.logsumexp(-1)
    weight = scores.sub_(normaliser.unsqueeze(-1)).exp_().to(value.dtype)
    return torch.bmm(weight, value).view_as(query), normaliser.view(query.shape[:3])


def _merged(one: Result, other: Result) -> Result:
    """Attention over the keys of both, which differ."""
    normaliser = torch.logaddexp(one[1], other[1])
    parts = (out * (own - normaliser).exp_().unsqueeze(-1) for out, own in (one, other))
    return next(parts).add_(next(parts)), normaliser


def _scaled(values: torch.Tensor, scaling: float, dtype: torch.dtype) -> torch.Tensor:
    """Scale and round in one pass."""
    return torch.mul(values, scaling, out=torch.empty_like(values, dtype=dtype))


def _wide(values: torch.Tensor) -> torch.dtype:
    return torch.promote_types(values.dtype, torch.float32)


def _flat(values: torch.Tensor, rows: slice) -> torch.Tensor:
    """Some rows of [H, T, G, D] as a view [H, R x G, D]."""
    return values[:, rows].flatten(1, 2)


def _take(values: torch.Tensor, piece: Piece) -> torch.Tensor:
    """A piece's keys of [H, T, D]: a view if they are one run."""
    parts = [values[:, first:last] for first, last in piece.runs]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _product(keys: torch.Tensor, rows: torch.Tensor, space: torch.Tensor) -> torch.Tensor:
    """[H, N, D] times the transpose of [H, R x G, D], in memory that the last piece has left warm."""
    shape = (len(keys), keys.shape[1], rows.shape[1])
    return torch.bmm(keys, rows.transpose(1, 2), out=space[: math.prod(shape)].view(shape))


def _give(total: torch.Tensor, piece: Piece, values: torch.Tensor) -> None:
    """Add to a piece's keys of [H, T, D]."""
    done = 0
    for first, last in piece.runs:
        total[:, first:last] += values[:, done : done + last - first]
        done += last - first


def _with_offset(values: torch.Tensor, scaling: float, offset: torch.Tensor) -> torch.Tensor:
    """Scaled [..., D], and columns that add [...] to each product with `_with_ones`: rounded, and what that lost."""
    rounded = offset.to(values.dtype)
    return _extended(values, scaling, rounded, offset - rounded)


def _with_ones(values: torch.Tensor) -> torch.Tensor:
    """The other side of `_with_offset`."""
    one = values.new_ones(())
    return _extended(values, 1.0, one, one)


def _extended(values: torch.Tensor, scaling: float, *columns: torch.Tensor) -> torch.Tensor:
    """Further columns, in 16 bits filled up with zeros to the 32 that CPUs with matrix units multiply at a time."""
    size = values.shape[-1]
    more = 32 if values.element_size() == 2 else len(columns)
    extended = values.new_empty(*values.shape[:-1], size + more)
    torch.mul(values, scaling, out=extended[..., :size])
    extended[..., size + len(columns) :] = 0
    for index, column in enumerate(columns, size):
        extended[..., index] = column
    return extended
