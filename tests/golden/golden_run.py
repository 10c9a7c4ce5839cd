"""Twenty steps of three tiny models on fixed trees, for tests/golden/test_golden.py and update.py.

Weights, tokens and their order come from here and from NumPy, not from a dataset, a tokenizer or torch's generator:
what moves these numbers is the forward and backward pass, the loss, the normalisation or the optimizer.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tiny_models import random_model, tiny_config

from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Encoded
from xlam_train.data.stream import FixedFeed, TreeStream
from xlam_train.model import load_for_training
from xlam_train.moe import RouterBalance
from xlam_train.objective import SftObjective
from xlam_train.recipe import DataSection, ModelSection, OptimSection, PackingSection, TrainRecipe
from xlam_train.trainer import TreeTrainer, training_arguments

if TYPE_CHECKING:
    from xlam_train.data.pack import Tree

MODELS = {
    "llama": "deepseek-ai/deepseek-coder-1.3b-instruct",
    "qwen2": "Qwen/Qwen2.5-1.5B-Instruct",
    "mixtral": "mistralai/Mixtral-8x7B-Instruct-v0.1",
}
STEPS = 20
TREES_PER_STEP = 2
DISTINCT_TREES = 8  # seen five times each, so that what was learned shows in the loss
TOKENS = 200


def file_of(name: str) -> Path:
    """Where the numbers of a model are kept."""
    return Path(__file__).with_name(f"{name}.json")


def run(name: str, folder: Path) -> dict[str, list[float]]:
    """Loss and gradient norm of each step, full fine-tuning in fp32 by one process.

    Args:
        name: a key of `MODELS`.
        folder: for the model and what training writes.
    """
    torch.set_num_threads(1)
    base = folder / "base"
    random_model(tiny_config(MODELS[name], TOKENS)).save_pretrained(base)
    recipe = TrainRecipe(
        model=ModelSection(base=str(base)),
        data=DataSection(path=folder),
        out=folder / "run",
        method="full",
        packing=PackingSection(trees_per_step=TREES_PER_STEP),
        optim=OptimSection(learning_rate=3e-4, weight_decay=0.01),
        precision="fp32",
        checkpoint_every=STEPS,
    )
    model = load_for_training(recipe, base, bf16=False)
    objective = SftObjective(RouterBalance.of(model.config))
    stream = TreeStream(FixedFeed(trees()), collate_tree, TREES_PER_STEP)
    trainer = TreeTrainer(model, recipe, training_arguments(recipe, "fp32", 1), stream, objective)
    trainer.run(None)
    steps = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert len(steps) == STEPS
    return {key: [entry[key] for entry in steps] for key in ("loss", "grad_norm")}


def trees() -> list[Tree]:
    """Two trees a step of three samples each, with prefixes common to all, to two and to none of them."""
    rng = random.Random(0)
    distinct = [build_tree(_window(rng)) for _ in range(DISTINCT_TREES)]
    return distinct * (STEPS * TREES_PER_STEP // DISTINCT_TREES)


def _window(rng: random.Random) -> list[Encoded]:
    def tokens(most: int) -> list[int]:
        return [rng.randrange(TOKENS) for _ in range(rng.randint(1, most))]

    common = tokens(40)
    prompts = [common, [*common, *tokens(20)]]
    window = []
    for number in range(3):
        sample = Encoded(sample_id=str(number))
        sample.append([*prompts[min(number, 1)], *tokens(30)], trainable=False)
        sample.append(tokens(12), trainable=True)
        window.append(sample)
    return window
