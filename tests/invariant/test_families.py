"""Every family of models: training on a tree is training on its samples one at a time.

Weights, attention and losses are in fp64 here, so that a difference is a mistake. All families compute norms and
rotary angles in fp32 whatever the weights are, and Mixtral its routing; they round the same values the same way
in both runs, up to a few units in the last place of fp32.
"""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, MixtralConfig, Qwen2Config
from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

from xlam_train import attention
from xlam_train.data.collate import TreeBatch, collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Encoded
from xlam_train.moe import RouterBalance, load_balancing_loss
from xlam_train.objective import tree_loss

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

VOCAB = 40
COMMON = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.3,
    "pad_token_id": None,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
DEEPSEEK_ROPE = {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e5}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
MIXTRAL = MixtralConfig(**COMMON, num_local_experts=4, num_experts_per_tok=2, router_aux_loss_coef=0.02)

# Samples have up to 190 tokens, so that a window of 50 hides most of a prompt, also from siblings of its branches.
FAMILIES: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**COMMON),
    "deepseek-coder": LlamaConfig(**{**COMMON, "num_key_value_heads": 4}, rope_parameters=DEEPSEEK_ROPE),
    "llama-3": LlamaConfig(**COMMON, rope_parameters=LLAMA3_ROPE),
    "mistral": MistralConfig(**COMMON, sliding_window=None),
    "mistral, window": MistralConfig(**COMMON, sliding_window=50),
    "mistral, wide window": MistralConfig(**COMMON, sliding_window=4096),
    "mixtral": MIXTRAL,
    "qwen2": Qwen2Config(**COMMON),
    "qwen2, window": Qwen2Config(**COMMON, use_sliding_window=True, sliding_window=50, max_window_layers=1),
}
families = pytest.mark.parametrize("config", FAMILIES.values(), ids=FAMILIES)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def model_of(config: PreTrainedConfig, implementation: str) -> PreTrainedModel:
    """The same random weights in fp64, biases too, for every implementation."""
    attention.register()
    torch.manual_seed(0)
    kinds = {"attn_implementation": implementation, "experts_implementation": "eager"}  # grouped_mm has no fp64
    model = AutoModelForCausalLM.from_config(copy.deepcopy(config), **kinds).double()
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(weight, std=0.3)
    return model


def sample(prompt: list[int], answer: list[int]) -> Encoded:
    encoded = Encoded()
    encoded.append(prompt, trainable=False)
    encoded.append(answer, trainable=True)
    return encoded


def samples() -> list[Encoded]:
    """A long prefix, queries that begin alike, two answers to one query, one answer twice; lengths differ."""
    rng = random.Random(0)

    def some(count: int) -> list[int]:
        return [rng.randrange(3, VOCAB) for _ in range(count)]

    prefix, begin = some(140), some(5)
    made = [sample([*prefix, *begin, *some(rng.randint(3, 25))], some(rng.randint(2, 20))) for _ in range(4)]
    made += [sample([*prefix, *some(8)], some(4)), sample(some(30), some(3))]
    query = [*prefix, *begin, *some(6)]
    answers = some(5), some(9)
    return [*made, *(sample(query, answer) for answer in (answers[0], answers[1], answers[1]))]


def batch_of(window: list[Encoded]) -> TreeBatch:
    return collate_tree(build_tree(window))


def labels(one: Encoded) -> torch.Tensor:
    return torch.tensor([[token if trained else -100 for token, trained in zip(one.ids, one.trainable, strict=True)]])


def plain_loss(model: PreTrainedModel, window: list[Encoded]) -> torch.Tensor:
    """Sum of transformers' own losses, which are means over a sample's labels, sample by sample."""
    losses = [
        model(input_ids=torch.tensor([one.ids]), labels=labels(one), use_cache=False).loss * sum(one.trainable)
        for one in window
    ]
    return torch.stack(losses).sum()


def gradients(model: PreTrainedModel, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    names, weights = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, weights), strict=True))


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], tolerance: float) -> None:
    """Each gradient, and the norm of all."""
    norms = [torch.stack([gradient.norm() for gradient in side.values()]).norm() for side in (one, other)]
    assert norms[0] > 0
    assert norms[1].item() == pytest.approx(norms[0].item(), rel=tolerance)
    for name, gradient in one.items():
        assert (other[name] - gradient).norm() <= tolerance * gradient.norm(), name


@families
def test_tree_is_packed_one_by_one_is_plain(config: PreTrainedConfig) -> None:
    """Three ways to the same loss and gradients: a tree, trees of one sample, and transformers' own loss."""
    window = samples()
    tree, plain = model_of(config, attention.NAME), model_of(config, "sdpa")
    batch = batch_of(window)
    assert batch["input_ids"].shape[1] < 0.3 * sum(len(one.ids) for one in window)
    assert len(batch["positions"]) < batch["input_ids"].shape[1]  # logits_to_keep at work
    packed = tree_loss(tree, batch)
    single = torch.stack([tree_loss(tree, batch_of([one])) for one in window]).sum()
    expected = plain_loss(plain, window)
    assert packed.item() == pytest.approx(expected.item(), rel=1e-6)
    assert single.item() == pytest.approx(packed.item(), rel=1e-10)
    wanted = gradients(plain, expected)
    assert_same(wanted, gradients(tree, packed), 1e-5)
    assert_same(wanted, gradients(tree, single), 1e-5)


@pytest.mark.parametrize("name", ["mistral, window", "qwen2, window"])
def test_a_window_changes_the_loss(name: str) -> None:
    """Or the test above would show nothing about windows."""
    batch = batch_of(samples())
    narrow = model_of(FAMILIES[name], attention.NAME)
    wide = model_of(FAMILIES[name.partition(",")[0]], attention.NAME)
    wide.load_state_dict(narrow.state_dict())
    assert tree_loss(narrow, batch).item() != pytest.approx(tree_loss(wide, batch).item(), rel=1e-3)


@families
def test_checkpointing_changes_nothing(config: PreTrainedConfig) -> None:
    """The plan reaches the second computation, too."""
    batch = batch_of(samples())
    model = model_of(config, attention.NAME).train()
    loss = tree_loss(model, batch)
    wanted = gradients(model, loss)
    model.activation_checkpointing_enable({"use_reentrant": False})
    again = tree_loss(model, batch)
    assert torch.equal(loss, again)
    for name, gradient in gradients(model, again).items():
        assert torch.equal(gradient, wanted[name]), name


def router_logits(model: PreTrainedModel, window: list[Encoded]) -> tuple[torch.Tensor, ...]:
    """Of each layer, of the samples one after another."""
    each = [
        model(input_ids=torch.tensor([one.ids]), output_router_logits=True, use_cache=False).router_logits
        for one in window
    ]
    return tuple(torch.cat(layer) for layer in zip(*each, strict=True))


def moe_output(model: PreTrainedModel, batch: TreeBatch) -> Any:
    return model(
        input_ids=batch["input_ids"],
        position_ids=batch["position_ids"],
        plan=batch["plan"],
        logits_to_keep=batch["positions"],
        use_cache=False,
        output_router_logits=True,
    )


def test_balance_of_a_tree_is_that_of_its_samples() -> None:
    """Against transformers' own function, which computes in fp32."""
    window = samples()
    plain, tree = model_of(MIXTRAL, "sdpa"), model_of(MIXTRAL, attention.NAME)
    expected = load_balancing_loss_func(router_logits(plain, window), 4, 2)
    batch = batch_of(window)
    output = moe_output(tree, batch)
    got = load_balancing_loss(output.router_logits, batch["multiplicity"], 2)
    assert got.item() == pytest.approx(expected.item(), rel=1e-6)
    unweighted = load_balancing_loss(output.router_logits, torch.ones_like(batch["multiplicity"]), 2)
    assert unweighted.item() != pytest.approx(expected.item(), rel=1e-4)
    balance = RouterBalance.of(MIXTRAL)
    assert balance == RouterBalance(coefficient=0.02, top_k=2)
    wanted = gradients(plain, 0.02 * batch["weight"].sum() * expected + plain_loss(plain, window))
    assert_same(wanted, gradients(tree, balance.term(output, batch) + tree_loss(tree, batch)), 1e-5)


def test_balance_under_checkpointing() -> None:
    """The logits are collected outside of the checkpoints; gradients flow all the same."""
    batch = batch_of(samples())
    balance = RouterBalance.of(MIXTRAL)
    assert balance is not None
    model = model_of(MIXTRAL, attention.NAME).train()
    gates = [weight for name, weight in model.named_parameters() if name.endswith("gate.weight")]
    assert len(gates) == 3
    wanted = torch.autograd.grad(balance.term(moe_output(model, batch), batch), gates)
    model.activation_checkpointing_enable({"use_reentrant": False})
    again = torch.autograd.grad(balance.term(moe_output(model, batch), batch), gates)
    assert all(gradient.any() and torch.equal(gradient, other) for gradient, other in zip(wanted, again, strict=True))


def test_models_without_experts_have_no_balance() -> None:
    assert RouterBalance.of(FAMILIES["llama"]) is None
    assert RouterBalance.of(MixtralConfig(**COMMON, router_aux_loss_coef=0.0)) is None


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch's compiler looks
def test_compiled_is_not_compiled() -> None:
    """Attention runs between graphs; the second tree makes sizes dynamic, and further ones compile nothing."""
    torch._dynamo.reset()
    counter = CompileCounterWithBackend("eager")
    config = copy.deepcopy(FAMILIES["mistral, window"])
    config.num_hidden_layers = 2
    model = model_of(config, attention.NAME)
    compiled = torch.compile(model, backend=counter)
    window = samples()
    frames = []
    for part in (window, window[:4], window[3:]):
        batch = batch_of(part)
        loss, again = tree_loss(model, batch), tree_loss(compiled, batch)
        assert again.item() == pytest.approx(loss.item(), rel=1e-12)
        assert_same(gradients(model, loss), gradients(model, again), 1e-6)
        frames.append(counter.frame_count)
    assert frames[0] > 0
    assert frames[2] == frames[1]
