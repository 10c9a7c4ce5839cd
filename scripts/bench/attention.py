"""How much faster is attention over a prefix tree by pieces than with one dense mask?

One layer's attention, forward and backward, in turns on the same numbers: PyTorch's scaled_dot_product_attention
with the [T, T] mask against tree_sdpa. The default is SmolLM2-135M's layer on one tool set with 16 queries. Each time
is the best of the turns, in CPU time of this process, so that what else runs matters little; the ratio is what counts.
Also prints what a layer keeps for its backward pass, and how far the results are apart.

    taskset -c 0 python scripts/bench/attention.py [--prefix 500] [--branches 16] [--length 70]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from xlam_train.allocator import keep_freed_memory
from xlam_train.attention.plan import TreePlan
from xlam_train.attention.register import tree_sdpa

Tensors = list[torch.Tensor]
Attention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]

BARS = {torch.float32: 1e-5, torch.bfloat16: 2e-2}  # relative error of output and gradients


def main() -> int:
    """Measure and print; exit code 1 if pieces are slower or the results differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, text in (
        ("prefix", 500, "tokens that all branches share"),
        ("branches", 16, "samples of the tree"),
        ("length", 70, "tokens of a branch"),
        ("heads", 9, "query heads"),
        ("key-heads", 3, "key heads"),
        ("head-size", 64, "numbers of a head"),
        ("turns", 20, "turns, of which the best counts"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text}, default: %(default)s")
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    good = [measure(options, dtype) for dtype in BARS]
    return 0 if all(good) else 1


def measure(options: argparse.Namespace, dtype: torch.dtype) -> bool:
    """Whether one precision is faster by pieces, and right."""
    end = subtree_end(options)
    inputs = tensors(options, len(end), dtype)
    ways = {"dense mask": dense(end), "tree_sdpa": by_pieces(end)}
    best = dict.fromkeys(ways, (np.inf, np.inf))
    results: dict[str, Tensors] = {}
    for _ in range(options.turns):
        for name, way in ways.items():
            seconds, results[name] = turn(way, inputs)
            best[name] = tuple(np.minimum(best[name], seconds))
    print(f"{str(dtype).removeprefix('torch.')}, {len(end)} nodes")
    for name, (forward, backward) in best.items():
        kept = kept_megabytes(ways[name], inputs)
        print(f"  {name:12} forward {forward:7.1f} ms  backward {backward:7.1f} ms  kept {kept:6.1f} MB")
    slow, fast = (sum(best[name]) for name in ways)
    error = max(float((one - two).norm() / one.norm()) for one, two in zip(*results.values(), strict=True))
    print(f"  {slow / fast:.1f} times as fast, {error:.0e} apart")
    return bool(fast < slow and error < BARS[dtype])


def subtree_end(options: argparse.Namespace) -> np.ndarray:
    """A shared prefix and branches of equal length."""
    size = options.prefix + options.branches * options.length
    ends = np.arange(options.prefix + options.length, size + 1, options.length)
    return np.concatenate([np.full(options.prefix, size), np.repeat(ends, options.length)])


def tensors(options: argparse.Namespace, size: int, dtype: torch.dtype) -> Tensors:
    """Query, key, value and the gradient of the output."""
    torch.manual_seed(0)
    heads = options.heads, options.key_heads, options.key_heads
    made = [torch.randn(1, size, count, options.head_size).to(dtype) for count in (*heads, options.heads)]
    return [*(tensor.transpose(1, 2).detach().requires_grad_() for tensor in made[:3]), made[3]]


def dense(end: np.ndarray) -> Attention:
    """One mask over all pairs."""
    node = np.arange(len(end))
    mask = torch.from_numpy((node[None] <= node[:, None]) & (node[:, None] < end[None]))

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        groups = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)

    return attend


def by_pieces(end: np.ndarray) -> Attention:
    """What training does; the plan is made in the first turn, as in the first layer."""
    plan = TreePlan.build(end)

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return tree_sdpa(torch.nn.Identity(), query, key, value, None, query.shape[-1] ** -0.5, plan)[0]

    return attend


def turn(attend: Attention, inputs: Tensors) -> tuple[tuple[float, float], Tensors]:
    """Milliseconds of the forward and the backward pass; output and gradients."""
    started = time.process_time()
    out = attend(*inputs[:3])
    between = time.process_time()
    gradients = torch.autograd.grad(out, inputs[:3], inputs[3])
    ended = time.process_time()
    return (1e3 * (between - started), 1e3 * (ended - between)), [out.detach(), *gradients]


def kept_megabytes(attend: Attention, inputs: Tensors) -> float:
    """Distinct memory that autograd holds between the passes, the inputs left out."""
    kept = {}
    known = {tensor.untyped_storage().data_ptr() for tensor in inputs}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        attend(*inputs[:3])
    return sum(size for address, size in kept.items() if address not in known) / 1e6


if __name__ == "__main__":
    sys.exit(main())
