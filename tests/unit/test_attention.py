"""The attentions as transformers calls them: by name, equal to each other, and strict about what they do not do."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AttentionInterface, AutoModelForCausalLM, LlamaConfig, Mamba2Config, MistralConfig, Qwen2Config

from data_pipeline.core.errors import InputError
from xlam_train import attention
from xlam_train.attention.flex import block_mask, mask_mod
from xlam_train.attention.plan import TreePlan
from xlam_train.attention.register import tree_flex, tree_sdpa
from xlam_train.attention.sdpa import fused, products

SMALL = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 9}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def tree(seed: int, leaves: int = 12, longest: int = 60) -> np.ndarray:
    """subtree_end of the trie of random rows that begin alike."""
    rng = random.Random(seed)
    rows = [[rng.randrange(5) for _ in range(longest)]]
    for _ in range(leaves):
        begin = rng.choice(rows)
        rows.append(begin[: rng.randint(0, len(begin))] + [rng.randrange(5) for _ in range(rng.randint(1, longest))])
    nodes = sorted({tuple(row[:length]) for row in rows for length in range(1, len(row) + 1)})
    below = [max(i for i, other in enumerate(nodes) if other[: len(node)] == node) for node in nodes]
    return np.array(below) + 1


def heads(size: int, dtype: torch.dtype = torch.float32, device: str = "cpu") -> list[torch.Tensor]:
    """Query, key and value of six heads on two key heads, and an upstream gradient."""
    generator = torch.Generator().manual_seed(0)
    shapes = (1, 6, size, 16), (1, 2, size, 16), (1, 2, size, 16), (1, size, 6, 16)
    made = [torch.randn(shape, generator=generator).to(device, dtype) for shape in shapes]
    return [*(tensor.requires_grad_() for tensor in made[:3]), made[3]]


def run(function: Any, plan: TreePlan, inputs: list[torch.Tensor], window: int | None = None) -> list[torch.Tensor]:
    """Output and, where gradients flow, gradients."""
    query, key, value, upstream = inputs
    module = torch.nn.Identity()
    out, weights = function(module, query, key, value, None, scaling=0.3, plan=plan, sliding_window=window)
    assert weights is None
    return [out, *torch.autograd.grad(out, (query, key, value), upstream)]


def dense(mask: Any, size: int) -> torch.Tensor:
    node = torch.arange(size)
    return mask(torch.tensor(0), torch.tensor(0), node[:, None], node[None])


@pytest.mark.parametrize("window", [None, 5, 40])
@pytest.mark.parametrize("seed", range(5))
def test_flex_mask_is_the_mask_of_the_pieces(seed: int, window: int | None) -> None:
    end = tree(seed)
    plan = TreePlan.build(end)
    pieces = plan.pieces(window)
    seen = torch.zeros(len(end), len(end), dtype=torch.bool)
    for piece in (*pieces.blocks, *pieces.tiles):
        keys = torch.cat([torch.arange(*run) for run in piece.runs])
        seen[piece.start : piece.stop, keys] = True if piece.bias is None else piece.bias == 0
    assert torch.equal(dense(mask_mod(plan, window), len(end)), seen)


@pytest.mark.parametrize("window", [None, 40])
def test_flex_skips_blocks_without_anything_visible(window: int | None) -> None:
    plan = TreePlan.build(tree(0, leaves=30))
    size = len(plan.subtree_end)
    assert size % 128
    mask = block_mask(plan, window)
    assert mask is block_mask(plan, window)
    kept = mask.to_dense()[0, 0].bool()
    visible = torch.nn.functional.pad(dense(mask_mod(plan, window), size), (0, -size % 128, 0, -size % 128))
    assert torch.equal(kept, visible.unfold(0, 128, 128).unfold(1, 128, 128).flatten(2).any(2))
    assert not kept.all()


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("window", [None, 40])
def test_flex_equals_sdpa(window: int | None) -> None:
    """Uncompiled on the CPU, where FlexAttention has no backward pass."""
    plan = TreePlan.build(tree(1))
    query, key, value, _ = (tensor.detach() for tensor in heads(len(plan.subtree_end)))
    arguments = torch.nn.Identity(), query, key, value, None, 0.3, plan, 0.0, window
    torch.testing.assert_close(tree_flex(*arguments)[0], tree_sdpa(*arguments)[0])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("window", [None, 40])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-3), (torch.bfloat16, 2e-2)])
def test_flex_equals_sdpa_on_cuda(dtype: torch.dtype, tolerance: float, window: int | None) -> None:
    """Two trees of different size: compiled once, for any."""
    for seed in (1, 2):
        plan = TreePlan.build(tree(seed)).to("cuda")
        inputs = heads(len(plan.subtree_end), dtype, "cuda")
        for one, other in zip(run(tree_sdpa, plan, inputs, window), run(tree_flex, plan, inputs, window), strict=True):
            assert (one - other).norm() / one.norm() < tolerance


@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 2e-6), (torch.bfloat16, 1e-2)]
)
def test_kernel_and_products_agree(dtype: torch.dtype, tolerance: float, hidden: bool) -> None:
    """Any other device than the CPU takes the products."""
    torch.manual_seed(0)
    query, key, value = (torch.randn(*shape).to(dtype) for shape in ((2, 7, 3, 16), (2, 9, 16), (2, 9, 16)))
    bias = torch.zeros(7, 9).masked_fill(torch.ones(7, 9).triu(2).bool(), -torch.inf) if hidden else None
    for one, other in zip(fused(query, key, value, 0.3, bias), products(query, key, value, 0.3, bias), strict=True):
        assert one.shape == other.shape
        assert (one - other).norm() / other.norm() < tolerance


def test_names() -> None:
    attention.register()
    assert {attention.NAME, attention.FLEX} <= set(AttentionInterface().valid_keys())
    assert attention.attention_name("auto", "cpu") == "tree_sdpa"
    assert attention.attention_name("auto", "cuda:1") == "tree_flex"
    assert attention.attention_name("tree_sdpa", "cuda") == "tree_sdpa"
    assert attention.attention_name("tree_flex", "cuda") == "tree_flex"
    with pytest.raises(InputError, match=r"^attention: tree_flex needs CUDA"):
        attention.attention_name("tree_flex", "cpu")


@pytest.mark.parametrize("function", [tree_sdpa, tree_flex])
@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"softcap": 50.0}, "softcap"),
        ({"s_aux": torch.zeros(6)}, "s_aux"),
        ({"position_bias": torch.zeros(1), "softcap": None}, "position_bias"),
        ({"is_causal": False}, "is_causal=False"),
        ({"dropout": 0.1}, "attention_dropout"),
    ],
)
def test_what_would_change_the_result_is_refused(function: Any, extra: dict[str, Any], message: str) -> None:
    plan = TreePlan.build(tree(0))
    query, key, value, _ = heads(len(plan.subtree_end))
    with pytest.raises(InputError, match=message):
        function(torch.nn.Identity(), query, key, value, None, scaling=0.3, plan=plan, **extra)


def check(config: Any, longest: int = 100) -> None:
    attention.check_model(AutoModelForCausalLM.from_config(config), longest)


def test_models_of_the_family_are_accepted() -> None:
    check(LlamaConfig(**SMALL))
    check(MistralConfig(**SMALL, sliding_window=4))
    check(Qwen2Config(**SMALL, use_sliding_window=True, sliding_window=4, max_window_layers=1))


def test_layers_that_mix_neighbours_in_other_ways_are_refused() -> None:
    with pytest.raises(InputError, match="chunked_attention"):
        check(Qwen2Config(**SMALL, layer_types=["full_attention", "chunked_attention"]))
    recurrent = Mamba2Config(hidden_size=16, num_hidden_layers=1, num_heads=4, head_dim=8, n_groups=1, vocab_size=9)
    with pytest.raises(InputError, match="Mamba2ForCausalLM computes attention by itself"):
        check(recurrent)


def test_rotary_embeddings_that_stretch_are_refused_where_they_would() -> None:
    rope = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}
    config = LlamaConfig(**SMALL, max_position_embeddings=128, rope_parameters=rope)
    check(config, longest=128)
    with pytest.raises(InputError, match=r"^data.max_length: 129 is more than the 128 positions"):
        check(config, longest=129)
