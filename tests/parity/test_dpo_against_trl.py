"""Preference training step by step beside TRL's DPOTrainer: the same losses, the same gradient norms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

from xlam_train import attention
from xlam_train.data.pairs import build_pair_tree, collate_pairs
from xlam_train.data.render import Renderer
from xlam_train.dpo_objective import DpoObjective
from xlam_train.preference import answer_log_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory
    from xlam_train.data.render import Encoded

    Pair = tuple[Encoded, Encoded]

STEPS, PAIRS_A_STEP, BETA, RATE = 4, 3, 0.1, 1e-2

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def encoded(tiny_base: Path, make_samples: Callable[..., list[Trajectory]]) -> list[Pair]:
    """Each query's own answer, and as the rejected one that of another query on the same tools."""
    rows = Renderer(AutoTokenizer.from_pretrained(tiny_base)).encode_all(make_samples(4, 3), 9999)
    others = [row for start in range(0, 12, 3) for row in (rows[start + 1], rows[start + 2], rows[start])]
    return [_pair(str(n), row, other) for n, (row, other) in enumerate(zip(rows, others, strict=True))]


def _pair(name: str, row: Encoded, other: Encoded) -> Pair:
    start = row.trainable.index(True)
    chosen, rejected = type(row)(sample_id=f"{name}/chosen"), type(row)(sample_id=f"{name}/rejected")
    for made, source in ((chosen, row), (rejected, other)):
        made.append(row.ids[:start], trainable=False)
        made.append(source.ids[source.trainable.index(True) :], trainable=True)
    return chosen, rejected


def load(base: Path, implementation: str) -> Any:
    attention.register()
    return AutoModelForCausalLM.from_pretrained(base, attn_implementation=implementation, dtype=torch.float32)


def randomise(model: torch.nn.Module) -> None:
    """Adapters that are not zero, so that the very first loss is more than log 2."""
    torch.manual_seed(5)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)


class Recorded(DPOTrainer):  # type: ignore[misc]
    """Writes down each micro-batch's loss, to more digits than the log has."""

    def compute_loss(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss: torch.Tensor = super().compute_loss(*args, **kwargs)
        self.seen.append(loss.item())
        return loss

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


def trl_trainer(base: Path, pairs: list[Pair], out: Path, **changes: Any) -> Recorded:
    tokenizer = AutoTokenizer.from_pretrained(base)
    adapter = changes.pop("peft_config", None)
    arguments = DPOConfig(
        output_dir=str(out),
        beta=BETA,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        max_steps=STEPS,
        logging_steps=1,
        max_length=None,
        max_grad_norm=1e9,
        optim="sgd",  # Adam would turn the rounding of a gradient near zero into a whole step
        weight_decay=0.0,
        bf16=False,
        use_cpu=True,
        activation_checkpointing=False,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        **{"per_device_train_batch_size": PAIRS_A_STEP, **changes},
    )
    texts = [
        {
            "prompt": tokenizer.decode(chosen.ids[: chosen.trainable.index(True)]),
            "chosen": tokenizer.decode(chosen.ids[chosen.trainable.index(True) :]),
            "rejected": tokenizer.decode(rejected.ids[rejected.trainable.index(True) :]),
        }
        for chosen, rejected in pairs
    ]
    trainer = Recorded(
        model=load(base, "sdpa"),
        args=arguments,
        train_dataset=Dataset.from_list(texts),
        processing_class=tokenizer,
        peft_config=adapter,
    )
    trainer.seen = []
    for example, (chosen, rejected) in zip(trainer.train_dataset, pairs, strict=True):
        assert example["prompt_ids"] + example["chosen_ids"] == chosen.ids
        assert example["prompt_ids"] + example["rejected_ids"] == rejected.ids
        assert len(example["chosen_ids"]) == sum(chosen.trainable)
    return trainer


def trl_history(trainer: Recorded) -> list[tuple[float, float]]:
    """Loss and gradient norm of each step."""
    trainer.train()
    accumulated = trainer.args.gradient_accumulation_steps
    losses = [sum(trainer.seen[n : n + accumulated]) / accumulated for n in range(0, len(trainer.seen), accumulated)]
    norms = [entry["grad_norm"] for entry in trainer.state.log_history if "grad_norm" in entry]
    return list(zip(losses, norms, strict=True))


def our_history(
    model: torch.nn.Module, pairs: list[Pair], objective: DpoObjective, reference: dict[str, float] | None = None
) -> list[tuple[float, float]]:
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=RATE)
    history = []
    for start in range(0, STEPS * PAIRS_A_STEP, PAIRS_A_STEP):
        tree = build_pair_tree(pairs[start : start + PAIRS_A_STEP])
        loss = objective(model, collate_pairs(tree, reference)) / PAIRS_A_STEP
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained, 1e9)
        history.append((loss.item(), norm.item()))
        optimizer.step()
        optimizer.zero_grad()
    return history


def assert_same(ours: list[tuple[float, float]], theirs: list[tuple[float, float]]) -> None:
    assert len(ours) == len(theirs) == STEPS
    for (loss, norm), (their_loss, their_norm) in zip(ours, theirs, strict=True):
        assert loss == pytest.approx(their_loss, rel=1e-5)
        assert norm == pytest.approx(their_norm, rel=1e-5)
    assert len({round(loss, 3) for loss, _ in ours}) == STEPS, "the steps are different ones"


def test_lora_with_the_adapter_switched_off_as_reference(tiny_base: Path, encoded: list[Pair], tmp_path: Path) -> None:
    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    trainer = trl_trainer(tiny_base, encoded, tmp_path, peft_config=config)
    randomise(trainer.model)
    model = get_peft_model(load(tiny_base, attention.NAME), config)
    set_peft_model_state_dict(model, get_peft_model_state_dict(trainer.model))
    objective = DpoObjective(BETA)
    ours, theirs = our_history(model, encoded, objective), trl_history(trainer)
    assert_same(ours, theirs)
    numbers = trainer.state.log_history[:STEPS]
    for name, value in objective.metrics().items():
        their_name = name.replace("accuracy", "accuracies").replace("margin", "margins")
        assert value == pytest.approx(sum(entry[their_name] for entry in numbers) / STEPS, rel=1e-4, abs=1e-5)


def test_full_with_precomputed_reference(tiny_base: Path, encoded: list[Pair], tmp_path: Path) -> None:
    trainer = trl_trainer(tiny_base, encoded, tmp_path, precompute_ref_log_probs=True)
    model, tree = load(tiny_base, attention.NAME), build_pair_tree(encoded)
    with torch.no_grad():
        values = answer_log_probabilities(model, collate_pairs(tree)).flatten().tolist()
    reference = dict(zip(tree.sample_ids, values, strict=True))
    columns = trainer.train_dataset
    theirs = [v for pair in zip(columns["ref_chosen_logps"], columns["ref_rejected_logps"], strict=True) for v in pair]
    assert values == pytest.approx(theirs, rel=1e-5)
    assert_same(our_history(model, encoded, DpoObjective(BETA), reference), trl_history(trainer))


def test_with_the_cross_entropy_of_the_chosen_answer(tiny_base: Path, encoded: list[Pair], tmp_path: Path) -> None:
    """TRL averages over a micro-batch's tokens, so that of one pair is the pair's own mean."""
    changes = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.5], "precompute_ref_log_probs": True}
    one_by_one = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": PAIRS_A_STEP}
    trainer = trl_trainer(tiny_base, encoded, tmp_path, **changes, **one_by_one)
    model, tree = load(tiny_base, attention.NAME), build_pair_tree(encoded)
    with torch.no_grad():
        values = answer_log_probabilities(model, collate_pairs(tree)).flatten().tolist()
    reference = dict(zip(tree.sample_ids, values, strict=True))
    assert_same(our_history(model, encoded, DpoObjective(BETA, sft_weight=0.5), reference), trl_history(trainer))
