"""Training on a prefix tree is training on its samples one at a time: same loss, same gradient."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from xlam_train import attention
from xlam_train.attention.register import tree_sdpa
from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Encoded
from xlam_train.objective import tree_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

VOCAB = 50


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def model_with(implementation: str) -> LlamaForCausalLM:
    """The same random weights in fp64 for every attention implementation, three query heads a key head."""
    attention.register()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        initializer_range=0.3,
        attn_implementation=implementation,
    )
    return LlamaForCausalLM(config).double()


def sample(prompt: Sequence[int], answer: Sequence[int]) -> Encoded:
    encoded = Encoded()
    encoded.append(prompt, trainable=False)
    encoded.append(answer, trainable=True)
    return encoded


def by_hand() -> list[Encoded]:
    """Nested prefixes, a sample twice, one prompt with two answers, a token labelled in two samples."""
    tools = [1, 2, 3, 4, 5, 6, 7]
    return [
        sample([*tools, 10, 11], [20, 21, 22]),
        sample([*tools, 10, 11], [20, 21, 22]),
        sample([*tools, 10, 11], [20, 23]),
        sample([*tools, 10, 12, 13], [24]),
        sample([*tools, 14], [10, 11, 20]),
        sample([1, 2, 30], [31, 32]),
        sample([1, 2, 30, 31], [32, 33]),
    ]


def several_blocks(seed: int) -> list[Encoded]:
    """A trie of more rows than a block of attention, with branches at random depths."""
    rng = random.Random(seed)
    samples = [sample([rng.randrange(VOCAB) for _ in range(90)], [1, 2])]
    for _ in range(14):
        start = rng.choice(samples).ids
        start = start[: rng.randint(1, len(start))]
        tail = [rng.randrange(VOCAB) for _ in range(rng.randint(0, 40))]
        samples.append(sample([*start, *tail], [rng.randrange(VOCAB) for _ in range(rng.randint(1, 8))]))
    return samples


def plain_loss(model: LlamaForCausalLM, samples: Sequence[Encoded]) -> torch.Tensor:
    """Sum of the cross entropies of ordinary SFT, one sample at a time."""
    total = torch.zeros((), dtype=torch.float64)
    for one in samples:
        logits = model(torch.tensor([one.ids])).logits[0, :-1]
        target = torch.tensor([i if t else -100 for i, t in zip(one.ids, one.trainable, strict=True)][1:])
        total = total + functional.cross_entropy(logits, target, reduction="sum", ignore_index=-100)
    return total


def gradients(model: LlamaForCausalLM, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    names, weights = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, weights), strict=True))


@pytest.mark.parametrize(
    "samples", [by_hand(), *(several_blocks(seed) for seed in range(3))], ids=["by_hand", "0", "1", "2"]
)
def test_tree_equals_plain(samples: list[Encoded]) -> None:
    plain, packed = model_with("sdpa"), model_with(attention.NAME)  # eager rounds to fp32
    expected = plain_loss(plain, samples)
    tree = build_tree(samples)
    assert len(tree.input_ids) < tree.tokens_before
    loss = tree_loss(packed, collate_tree(tree))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    wanted = gradients(plain, expected)
    for name, got in gradients(packed, loss).items():
        error = (got - wanted[name]).norm() / wanted[name].norm()
        assert error < 1e-6, f"{name}: relative error {error:.1e}"


def dense(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """The definition: one mask over all pairs."""
    node = torch.arange(len(end))
    mask = (node[None] <= node[:, None]) & (node[:, None] < end[None])
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    out = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=0.3)
    return out.transpose(1, 2)


def long_prefix() -> list[Encoded]:
    """A prefix that is seen through tiles, branches with a short run of their own in common, and a long one."""
    rng = random.Random(0)
    prefix, run = ([rng.randrange(VOCAB) for _ in range(size)] for size in (300, 20))
    tails = ([0], [1], [2, *run, 3], [2, *run, 4], [2, *run, 5], [6] * 150)
    return [sample([*prefix, *tail, *(rng.randrange(VOCAB) for _ in range(60))], [1]) for tail in tails]


@pytest.mark.parametrize("samples", [several_blocks(0), long_prefix()], ids=["several_blocks", "long_prefix"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6), (torch.bfloat16, 0.01)]
)
def test_pieces_equal_the_dense_mask(dtype: torch.dtype, tolerance: float, samples: list[Encoded]) -> None:
    end = build_tree(samples).subtree_end
    torch.manual_seed(0)
    exact = [torch.randn(1, heads, len(end), 8).to(dtype).double().requires_grad_() for heads in (6, 2, 2)]
    rough = [tensor.detach().to(dtype).requires_grad_() for tensor in exact]
    upstream = torch.randn(1, len(end), 6, 8).to(dtype)
    expected = dense(*exact, torch.from_numpy(end))
    got, _ = tree_sdpa(torch.nn.Identity(), *rough, None, scaling=0.3, plan=attention.TreePlan.build(end))
    expected.backward(upstream.double())
    got.backward(upstream)
    for one, other in zip([expected, *(t.grad for t in exact)], [got, *(t.grad for t in rough)], strict=True):
        assert (other.double() - one).norm() / one.norm() < tolerance


def test_autocast_leaves_the_scores_in_fp32() -> None:
    """Autocast would turn the fp32 products back into bf16."""
    end = build_tree(several_blocks(1)).subtree_end
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, h, len(end), 8).bfloat16() for h in (6, 2, 2))
    plan = attention.TreePlan.build(end)
    plain, _ = tree_sdpa(torch.nn.Identity(), query, key, value, None, scaling=0.3, plan=plan)
    with torch.autocast("cpu", torch.bfloat16):
        cast, _ = tree_sdpa(torch.nn.Identity(), query, key, value, None, scaling=0.3, plan=plan)
    assert torch.equal(plain, cast)
