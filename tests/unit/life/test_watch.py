"""Held-out loss and answers: right numbers, and training that does not notice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional

from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_jsonl
from xlam_train.base import load_tokenizer
from xlam_train.data.collate import collate_tree
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Encoded, Renderer
from xlam_train.data.sources import SftSource
from xlam_train.data.stream import FixedFeed, TreeStream
from xlam_train.life.watch import HeldOut, Watch, decodable, read_held_out, same_answer, without_views
from xlam_train.model import load_for_training
from xlam_train.objective import SftObjective
from xlam_train.trainer import TreeTrainer, training_arguments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory
    from xlam_train.data.pack import Tree
    from xlam_train.recipe import TrainRecipe

    Recipes = Callable[..., TrainRecipe]


@pytest.fixture
def held_out_dir(tmp_path: Path, make_samples: Callable[..., list[Trajectory]]) -> Path:
    rows = [sample.to_row() for sample in make_samples(2, 4)]
    write_jsonl(tmp_path / "held_out" / "shards" / "0000.jsonl", rows)
    return tmp_path / "held_out"


class Run:
    """A trainer with a watch, and what was shown."""

    def __init__(self, recipe: TrainRecipe, base: Path, watched: bool = True) -> None:
        torch.manual_seed(0)
        self.tokenizer = load_tokenizer(base)
        source = SftSource(Renderer(self.tokenizer), without_views(recipe))
        samples = Renderer(self.tokenizer).encode_all(read_dataset(recipe.data.path), 9999)
        model = load_for_training(recipe, base, bf16=False)
        stream = TreeStream(FixedFeed([build_tree([sample]) for sample in samples]), collate_tree, 1)
        self.trainer = TreeTrainer(model, recipe, training_arguments(recipe, "fp32", 1), stream, SftObjective())
        self.shown: list[str] = []
        self.held_out: HeldOut[Tree] | None = None
        if watched:
            self.held_out = read_held_out(recipe, source)
            self.watch = Watch(
                self.trainer,
                self.held_out,
                collate_tree,
                SftObjective(),
                self.tokenizer,
                recipe.eval.every,
                self.shown.append,
                recipe.data.variant,
            )
            self.trainer.add_callback(self.watch)

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        return [entry for entry in self.trainer.state.log_history if "eval_loss" in entry]

    def weights(self) -> dict[str, torch.Tensor]:
        return {n: w.detach().clone() for n, w in self.trainer.model.named_parameters() if w.requires_grad}


def logits(model: Any, ids: list[int]) -> torch.Tensor:
    """[T, V] of one sequence, by ordinary attention."""
    with decodable(model) as plain, torch.no_grad():
        found: torch.Tensor = plain.eval()(torch.tensor([ids])).logits[0]
    return found


def answer_losses(model: Any, row: Encoded) -> torch.Tensor:
    start = row.trainable.index(True)
    return functional.cross_entropy(
        logits(model, row.ids)[start - 1 : -1], torch.tensor(row.ids[start:]), reduction="none"
    )


def test_the_loss_is_the_mean_over_labels_one_row_at_a_time(
    make_recipe: Recipes, tiny_base: Path, held_out_dir: Path
) -> None:
    """Several trees of uneven numbers of labels; a mean of means would be another number."""
    packing = {"tokens_per_tree": 400, "trees_per_step": 1}
    recipe = make_recipe(eval={"path": str(held_out_dir), "every": 3, "decoded": 8}, packing=packing)
    run = Run(recipe, tiny_base)
    run.trainer.run(None)
    run.watch.finish()
    assert [entry["step"] for entry in run.evaluations] == [3, 6]
    assert run.held_out
    assert len(run.held_out.trees) > 1
    losses = torch.cat([answer_losses(run.trainer.model, row) for row in run.held_out.rows])
    assert run.evaluations[-1]["eval_loss"] == pytest.approx(losses.mean().item(), rel=1e-5)
    assert run.evaluations[-1]["eval_loss"] != run.evaluations[0]["eval_loss"]


def test_answers_are_greedy(make_recipe: Recipes, tiny_base: Path, held_out_dir: Path) -> None:
    """Padded prompts in one batch, with a cache; each token is checked against the whole sequence read at once."""
    run = Run(make_recipe(eval={"path": str(held_out_dir), "decoded": 5}), tiny_base)
    run.trainer.run(None)
    run.watch.finish()
    assert run.held_out
    with decodable(run.trainer.model) as plain:
        texts = run.watch._decode(plain.eval(), run.held_out.rows)
    answers = run.evaluations[-1]["decoded"]
    assert [answer["answer"] for answer in answers] == texts
    assert len(texts) == 5
    for row, text in zip(run.held_out.rows, texts, strict=True):
        prompt = row.ids[: row.trainable.index(True)]
        said = greedy(run.trainer.model, prompt, max(sum(r.trainable) for r in run.held_out.rows) + 8, row.ids[-1])
        assert run.tokenizer.decode(said) == text


def greedy(model: Any, prompt: list[int], most: int, end: int) -> list[int]:
    """The slow way."""
    ids = list(prompt)
    while len(ids) < len(prompt) + most:
        token = int(logits(model, ids)[-1].argmax())
        if token == end:
            break
        ids.append(token)
    return ids[len(prompt) :]


def test_training_does_not_notice(make_recipe: Recipes, tiny_base: Path, held_out_dir: Path) -> None:
    watched = Run(make_recipe("a", eval={"path": str(held_out_dir), "every": 1, "decoded": 2}), tiny_base)
    watched.trainer.run(None)
    alone = Run(make_recipe("b"), tiny_base, watched=False)  # begins with the same seed, for dropout
    alone.trainer.run(None)
    assert len(watched.evaluations) == 6
    expected = alone.weights()
    assert all(torch.equal(weight, expected[name]) for name, weight in watched.weights().items())
    inner = watched.trainer.model.get_base_model()
    assert inner.config._attn_implementation == alone.trainer.model.get_base_model().config._attn_implementation
    assert watched.trainer.model.training


def test_what_is_learned_by_heart_is_answered_exactly(make_recipe: Recipes, tiny_base: Path, tmp_path: Path) -> None:
    """The last evaluation of a run on the very data it was trained on."""
    shard = tmp_path / "data" / "shards" / "0000.jsonl"
    recipe = make_recipe(
        eval={"path": str(tmp_path / "data"), "every": 10**6, "decoded": 1},
        lora={"rank": 16},
        optim={"learning_rate": 3e-2, "epochs": 1},
        checkpoint_every=10**6,
    )
    shard.write_text("\n".join(shard.read_text().splitlines()[:1]) + "\n")
    run = Run(recipe, tiny_base)
    rows = run.held_out.rows if run.held_out else ()
    stream = TreeStream(FixedFeed([build_tree(rows)] * 60), collate_tree, 1)
    run.trainer.train_dataset = run.trainer._stream = stream
    run.trainer.run(None)
    run.watch.finish()
    (last,) = run.evaluations
    assert last["eval_exact"] == 1.0
    assert [answer["exact"] for answer in last["decoded"]] == [True]
    assert json.dumps(last), "a checkpoint keeps it"
    assert f"held out: loss {last['eval_loss']:.4g}, exact 1" in run.shown[0]
    assert f"wanted {last['decoded'][0]['expected']}" in run.shown[0]


def test_held_out_data_is_as_callers_show_it(make_recipe: Recipes, tiny_base: Path, held_out_dir: Path) -> None:
    recipe = make_recipe()
    data = {**recipe.data.model_dump(), "views": {"mask_names": 0.9}}
    recipe = make_recipe(data=data, eval={"path": str(held_out_dir), "samples": 3, "decoded": 9})
    renderer = Renderer(load_tokenizer(tiny_base))
    held_out = read_held_out(recipe, SftSource(renderer, without_views(recipe)))
    expected = [row for sample in list(read_dataset(held_out_dir))[:3] for row in renderer.encode_rows(sample)]
    assert list(held_out.rows) == expected


def test_no_held_out_sample_is_short_enough(make_recipe: Recipes, tiny_base: Path, held_out_dir: Path) -> None:
    data = {**make_recipe().data.model_dump(), "max_length": 3, "too_long": "drop"}
    recipe = make_recipe(data=data, eval={"path": str(held_out_dir)})
    with pytest.raises(InputError, match=r"eval.path: .* holds no sample short enough; raise data.max_length"):
        read_held_out(recipe, SftSource(Renderer(load_tokenizer(tiny_base)), recipe))


@pytest.mark.parametrize(
    ("answer", "same"),
    [
        ('[{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": {}}]', True),
        ('[{"name": "b", "arguments": {}}, {"name": "a", "arguments": {"x": 1.0}}]', True),
        ('[{"name": "a", "arguments": {"x": 2}}, {"name": "b", "arguments": {}}]', False),
        ('[{"name": "a", "arguments": {"x": 1}}]', False),
        ("I cannot.", False),
    ],
)
def test_order_of_calls_and_spelling_of_numbers_do_not_matter(answer: str, same: bool) -> None:
    expected = '[{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": {}}]'
    assert same_answer(expected, answer) is same


def test_an_answer_in_words_must_be_the_same_words() -> None:
    assert same_answer("It is done.", "It is done. ")
    assert not same_answer("It is done.", "Done.")


CALLS = '[{"name": "a", "arguments": {"x": 1}}]'
SPELLED = '[{"arguments": {"x": 1.0}, "name": "a"}]'


@pytest.mark.parametrize(
    ("variant", "expected", "answer", "same"),
    [
        ("xlam-1", '{"tool_calls": []}', "[]", True),
        ("xlam-1-history", f'{{"thought": "One.", "tool_calls": {CALLS}}}', f'{{"tool_calls": {SPELLED}}}', True),
        ("xlam-1-history", '{"thought": "No.", "tool_calls": []}', '{"tool_calls": []}', True),
        ("xlam-1-history", f'{{"thought": "One.", "tool_calls": {CALLS}}}', '{"thought": "One."}', False),
        ("xlam-1-bfcl", f'{{"tool_calls": {CALLS}}}', SPELLED, True),
        ("xlam-1-bfcl", '{"tool_calls": []}', "Sorry.", False),
        ("actionstudio", f"[TOOL_CALLS]{CALLS}", f"[TOOL_CALLS]{SPELLED}", True),
        ("actionstudio", CALLS, "It is done.", False),
        ("actionstudio", "It is done.", "Done.", False),
    ],
)
def test_each_variant_has_its_own_answers(variant: Any, expected: str, answer: str, same: bool) -> None:
    assert same_answer(expected, answer, variant) is same


def test_a_thought_of_its_own_is_not_wrong(make_recipe: Recipes, tiny_base: Path, held_out_dir: Path) -> None:
    data = {**make_recipe().data.model_dump(), "variant": "xlam-1-history"}
    run = Run(make_recipe(data=data, eval={"path": str(held_out_dir)}), tiny_base)
    assert run.held_out
    row = run.held_out.rows[0]
    right = run.watch._compare(row, "")["expected"]
    assert right.startswith('{"tool_calls": [{')
    assert run.watch._compare(row, right.replace("{", '{"thought": "Now.", ', 1))["exact"]
    assert not run.watch._compare(row, '{"thought": "No.", "tool_calls": []}')["exact"]
