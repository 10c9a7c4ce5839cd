"""One measured training run in a process of its own, so that memory and start-up are its own, too.

    python scripts/bench/training_worker.py tree|trl|trl-packed SAMPLES.json OUT.json bf16|fp32

SAMPLES.json holds {"steps": [[{"ids": [...], "trainable": [...]}, ...], ...], "base": FOLDER}: the samples of each
optimizer step. Every run trains all weights with the same AdamW at a constant rate, one step a list. OUT.json gets
the loss and the seconds of each step, and the process's peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

RATE = 1e-5


class Clock(TrainerCallback):
    """Seconds and loss of each step."""

    def __init__(self) -> None:
        """Nothing is running yet."""
        self.seconds: list[float] = []
        self.losses: list[float] = []
        self._since = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A step begins."""
        self._since = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A step ends."""
        self.seconds.append(time.perf_counter() - self._since)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        """Logged behind every step."""
        if "loss" in logs:
            self.losses.append(float(logs["loss"]))


def main() -> None:
    """Train and write what was measured."""
    kind, samples, out, precision = sys.argv[1:]
    given = json.loads(Path(samples).read_text())
    torch.manual_seed(0)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        train = _train_tree if kind == "tree" else _train_trl
        train(given["steps"], Path(given["base"]), precision == "bf16", kind == "trl-packed", clock, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    Path(out).write_text(json.dumps({"losses": clock.losses, "seconds": clock.seconds, "peak_gb": peak}))


def _train_tree(steps: list[Any], base: Path, bf16: bool, packed: bool, clock: Clock, folder: str) -> None:
    from xlam_train.allocator import keep_freed_memory
    from xlam_train.data.collate import collate_tree
    from xlam_train.data.pack import build_tree
    from xlam_train.data.render import Encoded
    from xlam_train.data.stream import FixedFeed, TreeStream
    from xlam_train.model import load_for_training
    from xlam_train.objective import SftObjective
    from xlam_train.recipe import TrainRecipe
    from xlam_train.trainer import TreeTrainer, training_arguments

    keep_freed_memory()
    recipe = TrainRecipe.model_validate(
        {
            "model": {"base": str(base)},
            "data": {"path": "."},
            "out": folder,
            "method": "full",
            "packing": {"trees_per_step": 1},
            "optim": {"learning_rate": RATE, "schedule": "constant_with_warmup", "warmup_ratio": 0},
            "precision": "bf16" if bf16 else "fp32",
            "checkpoint_every": 10**6,
        }
    )
    trees = [build_tree([Encoded(s["ids"], s["trainable"], "") for s in step]) for step in steps]
    model = load_for_training(recipe, base, bf16)
    arguments = training_arguments(recipe, recipe.precision, 1)
    trainer = TreeTrainer(model, recipe, arguments, TreeStream(FixedFeed(trees), collate_tree, 1), SftObjective())
    trainer._save_checkpoint = lambda *_: None  # writing 1.6 GB would be measured as training
    trainer.add_callback(clock)
    trainer.run(None)


def _train_trl(steps: list[Any], base: Path, bf16: bool, packed: bool, clock: Clock, folder: str) -> None:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = [
        {"input_ids": s["ids"], "completion_mask": [int(t) for t in s["trainable"]]} for step in steps for s in step
    ]
    longest = max(len(row["input_ids"]) for row in rows)
    size = len(steps[0])
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="sdpa")
    config = SFTConfig(
        output_dir=folder,
        per_device_train_batch_size=1 if packed else size,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        optim="adamw_torch_fused",
        bf16=bf16,
        use_cpu=True,
        gradient_checkpointing=False,  # its default is on, and a third slower
        completion_only_loss=True,
        packing=packed,
        max_length=longest * size if packed else longest,
        train_sampling_strategy="sequential",
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        max_steps=len(steps),
        dataloader_pin_memory=False,
    )
    trainer = SFTTrainer(
        model=model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(base),
    )
    trainer.add_callback(clock)
    trainer.train()


if __name__ == "__main__":
    main()
