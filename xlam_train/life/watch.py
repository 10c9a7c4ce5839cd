"""Looks at held-out data during training: its loss, and greedy answers compared with the right ones."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic

import torch
from accelerate import PartialState
from accelerate.utils import gather_object, reduce
from transformers import GenerationConfig, TrainerCallback

from data_pipeline.core.errors import FormatError, InputError
from data_pipeline.core.xlam_format import parse_calls
from xlam_train.data.pack import plan_windows
from xlam_train.data.stream import TreeT
from xlam_train.data.windows import cut_windows
from xlam_train.evaluate.heldout import canonical
from xlam_train.recipe import ViewSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedTokenizerBase, Trainer

    from data_pipeline.core.variants import Variant
    from xlam_train.data.render import Encoded
    from xlam_train.data.stream import Source
    from xlam_train.objective import Objective
    from xlam_train.recipe import TrainRecipe

SHOWN = 3
BATCH = 8  # prompts that are answered together: enough to use a GPU, few enough for the cache of 16k prompts
SPARE_TOKENS = 8  # beyond the longest right answer: by then a wrong one is known to be wrong
TEXT_IS_NO_CALL = ("xlam-1-bfcl", "actionstudio")  # variants in which any two texts make the same calls: none


@dataclass(frozen=True)
class HeldOut(Generic[TreeT]):
    """Data that is not trained on.

    Attributes:
        trees: for the loss.
        rows: prompt and right answer of each sample that is decoded.
    """

    trees: Sequence[TreeT]
    rows: Sequence[Encoded]


def without_views(recipe: TrainRecipe) -> TrainRecipe:
    """The recipe whose source shows held-out samples as callers will: drawn views would differ from run to run."""
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"views": ViewSettings()})})


def read_held_out(recipe: TrainRecipe, source: Source[TreeT], answer: int = -1) -> HeldOut[TreeT]:
    """The first samples of the dataset in `eval.path`.

    Args:
        recipe: with `eval.path`.
        source: what this kind of training makes of a line, of the recipe `without_views`.
        answer: which row of a sample is decoded: the last turn, or 0 for a pair's chosen answer.

    Raises:
        InputError: there is no dataset, or a line holds no sample that can be trained on.
    """
    assert recipe.eval.path is not None
    lines = (line for window in cut_windows(recipe.eval.path, recipe.packing.window_mb) for line in window.lines())
    encoded = (source.encode(line, 0) for line in lines)
    items = list(islice((item for item in encoded if item is not None), recipe.eval.samples))
    if not items:
        raise InputError(f"eval.path: '{recipe.eval.path}' holds no sample short enough; raise data.max_length")
    windows = plan_windows(items, recipe.packing.tokens_per_tree, recipe.seed, 0)
    return HeldOut(
        [source.build(window) for window in windows], [item[answer] for item in items[: recipe.eval.decoded]]
    )


class Watch(TrainerCallback, Generic[TreeT]):  # type: ignore[misc]  # transformers is untyped here
    """Evaluates every few steps; all ranks share the work, and the numbers are those of one rank alone.

    `eval_loss` is the mean over all labels, as in training; `eval_exact` the share of greedy answers with exactly the
    right calls. Both go to the log, and from there to train_report.json and the trackers; the entry in the log has
    the answers, too.
    """

    def __init__(
        self,
        trainer: Trainer,
        held_out: HeldOut[TreeT],
        collate: Callable[[TreeT], Any],
        objective: Objective,
        tokenizer: PreTrainedTokenizerBase,
        every: int,
        show: Callable[[str], None],
        variant: Variant,
    ) -> None:
        """Nothing is computed yet.

        Args:
            trainer: whose model is looked at.
            held_out: the data.
            collate: a tree -> a batch.
            objective: one of its own, so that its metrics do not mix with those of training.
            tokenizer: of the data.
            every: optimizer steps between evaluations.
            show: prints the answers.
            variant: prompt variant of the data, by which answers are read.
        """
        self._trainer = trainer
        self._held_out = held_out
        self._collate = collate
        self._objective = objective
        self._tokenizer = tokenizer
        self._every = every
        self._show = show
        self._variant = variant
        self._state = PartialState()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Evaluate when it is time."""
        if state.global_step % self._every == 0:
            self.evaluate()

    def finish(self) -> None:
        """Evaluate at the end, unless the last step was evaluated; call it after training, on all ranks."""
        state = self._trainer.state
        if not any("eval_loss" in entry and entry["step"] == state.global_step for entry in state.log_history):
            self.evaluate()

    @torch.no_grad()
    def evaluate(self) -> None:
        """Compute, log and show."""
        model = self._trainer.model
        model.eval()
        with self._trainer.accelerator.autocast():
            numbers = {"eval_loss": self._mean_loss(model)}
            answers = self._answers(model)
        model.train()
        if answers:
            numbers["eval_exact"] = sum(answer["exact"] for answer in answers) / len(answers)
        numbers |= {f"eval_{name}": value for name, value in self._objective.metrics().items()}
        self._trainer.log(dict(numbers))
        self._trainer.state.log_history[-1]["decoded"] = answers
        if self._state.is_main_process:
            self._show(_report(numbers, answers))

    def _mean_loss(self, model: torch.nn.Module) -> float:
        """Over the labels of all trees; the last round of ranks is filled up with trees that do not count."""
        trees, device = self._held_out.trees, self._trainer.args.device
        sums = torch.zeros(2, device=device)
        for index in self._own(len(trees)):
            batch = self._trainer._prepare_inputs(self._collate(trees[min(index, len(trees) - 1)]))
            if index >= len(trees):
                batch["weight"].zero_()
            sums += torch.stack([self._objective(model, batch).float(), batch["weight"].sum()])
        total, weight = reduce(sums, "sum").tolist()
        return float(total / weight)

    def _answers(self, model: Any) -> list[dict[str, Any]]:
        """What the model says to each prompt, in the order of the samples."""
        rows = self._held_out.rows
        own = list(self._own(len(rows)))
        texts: list[str] = []
        with decodable(model) as plain:
            for start in range(0, len(own), BATCH):
                texts += self._decode(plain, [rows[min(index, len(rows) - 1)] for index in own[start : start + BATCH]])
        told = sorted(gather_object(list(zip(own, texts, strict=True))))
        return [self._compare(rows[index], text) for index, text in told if index < len(rows)]

    def _own(self, count: int) -> range:
        """This rank's part, as long as everyone's: sharded weights are gathered by all ranks together."""
        ranks = self._state.num_processes
        return range(self._state.process_index, -(-count // ranks) * ranks, ranks)

    def _decode(self, model: Any, rows: Sequence[Encoded]) -> list[str]:
        """Greedy answers of prompts padded on the left."""
        prompts = [row.ids[: row.trainable.index(True)] for row in rows]
        width, longest = max(map(len, prompts)), max(sum(row.trainable) for row in self._held_out.rows)
        ends = sorted({row.ids[-1] for row in rows})
        device = self._trainer.args.device
        output = model.generate(
            torch.tensor([[ends[0]] * (width - len(prompt)) + prompt for prompt in prompts], device=device),
            attention_mask=torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device),
            generation_config=GenerationConfig(
                do_sample=False,
                max_new_tokens=longest + SPARE_TOKENS,
                eos_token_id=ends,
                pad_token_id=ends[0],
                use_cache=True,
            ),
            synced_gpus=self._state.num_processes > 1 and self._trainer.is_deepspeed_enabled,
        )
        return [self._text(tokens, set(ends)) for tokens in output[:, width:].tolist()]

    def _text(self, tokens: Sequence[int], ends: set[int]) -> str:
        """Up to the end of the turn."""
        end = next((index for index, token in enumerate(tokens) if token in ends), len(tokens))
        return str(self._tokenizer.decode(tokens[:end], skip_special_tokens=False))

    def _compare(self, row: Encoded, text: str) -> dict[str, Any]:
        expected = self._text(row.ids[row.trainable.index(True) : -1], set())
        exact = same_answer(expected, text, self._variant)
        return {"sample": row.sample_id, "expected": expected, "answer": text, "exact": exact}


@contextmanager
def decodable(model: Any) -> Iterator[Any]:
    """The model as `generate` can use it: attending a sequence instead of a tree, and free of the base's sampling.

    Adapters stay on: they live inside the base model, whose `generate` this gives.
    """
    plain = model.get_base_model() if hasattr(model, "peft_config") else model
    attention, generation = plain.config._attn_implementation, plain.generation_config
    plain.set_attn_implementation("sdpa")
    plain.generation_config = GenerationConfig()
    try:
        yield plain
    finally:
        plain.set_attn_implementation(attention)
        plain.generation_config = generation


def same_answer(expected: str, answer: str, variant: Variant = "xlam-1") -> bool:
    """Whether two answers make the same calls in any order, every argument equal; other text must be the same.

    Args:
        expected: the right answer.
        answer: a model's.
        variant: prompt variant of both.
    """
    if answer.strip() == expected.strip():
        return True
    try:
        wanted, made = parse_calls(expected, variant), parse_calls(answer, variant)
    except FormatError:
        return False
    if not wanted and variant in TEXT_IS_NO_CALL:
        return False
    return Counter(map(canonical, made)) == Counter(map(canonical, wanted))


def _report(numbers: dict[str, float], answers: Sequence[dict[str, Any]]) -> str:
    lines = ["held out: " + ", ".join(f"{name.removeprefix('eval_')} {value:.4g}" for name, value in numbers.items())]
    for answer in answers[:SHOWN]:
        lines += [
            f"  {answer['sample']}: {'right' if answer['exact'] else 'wrong'}",
            f"    wanted {answer['expected']}",
        ]
        lines += [] if answer["exact"] else [f"    got    {answer['answer']}"]
    return "\n".join(lines)
