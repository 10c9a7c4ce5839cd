"""Both backends on the same small model: same prompts, same tokens, same margins."""

from pathlib import Path

import pytest
import torch

from data_pipeline.core.errors import InputError
from xlam_train.evaluate.heldout import Outcome, score
from xlam_train.export.gguf import write_gguf
from xlam_train.infer.backends import Completion, open_backend
from xlam_train.infer.llama_cpp import LlamaCppBackend
from xlam_train.infer.smoke import Agreement, Parting, SmokeReport, compare, first_of
from xlam_train.infer.transformers_backend import TransformersBackend

CONTENTS = [f"[BEGIN OF QUERY]\nWhat is {n} plus 17, Zoë?\n[END OF QUERY]\n\n" for n in range(6)]
MAX_TOKENS = 12


def silent(_: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def model_dir(smollm2_dir: Path) -> Path:
    return smollm2_dir


@pytest.fixture(scope="module")
def gguf(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    write_gguf(model_dir, path, "f32")
    return path


@pytest.fixture(scope="module")
def answers(model_dir: Path, gguf: Path) -> dict[str, list]:
    """Prompt ids and greedy answers of the real SmolLM2-135M on both backends."""
    torch.set_num_threads(1)
    found = {}
    for path in (model_dir, gguf):
        with open_backend(path, threads=1) as backend:
            prompts = [backend.prompt_text(content) for content in CONTENTS]
            heard: list[int] = []
            completions = backend.complete(prompts, [MAX_TOKENS] * len(prompts), heard.append)
            assert sum(heard) == len(CONTENTS)
            found[path.suffix] = [prompts, [backend.tokenize(p) for p in prompts], completions]
    return found


def test_prompt_text_and_ids_are_the_same(answers: dict[str, list]) -> None:
    assert answers[""][0] == answers[".gguf"][0]
    assert answers[""][1] == answers[".gguf"][1]


def test_greedy_tokens_and_margins_are_the_same(answers: dict[str, list]) -> None:
    for ours, theirs in zip(answers[""][2], answers[".gguf"][2], strict=True):
        assert ours.tokens == theirs.tokens
        assert ours.text == theirs.text
        assert ours.margins == pytest.approx(theirs.margins, abs=2e-2)


@pytest.mark.parametrize("spoilt", [None, 0, 5])
def test_drafts_change_no_answer(answers: dict[str, list], model_dir: Path, spoilt: int | None) -> None:
    prompts, ids, expected = answers[""]
    drafts = {tuple(row): list(done.tokens) for row, done in zip(ids[1:], expected[1:], strict=True)}
    drafts[tuple(ids[1])] = list(expected[1].tokens[:3])
    if spoilt is not None:
        drafts[tuple(ids[2])][spoilt] += 1
        drafts[tuple(ids[3])] = []
    with TransformersBackend(model_dir, threads=1, drafts=drafts) as backend:
        found = backend.complete(prompts, [MAX_TOKENS] * len(prompts), silent)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.text, ours.tokens, ours.stopped) == (theirs.text, theirs.tokens, theirs.stopped)
        assert ours.margins == pytest.approx(theirs.margins, abs=1e-3)


def test_an_answer_ends_where_no_more_of_it_is_wanted(answers: dict[str, list], gguf: Path) -> None:
    prompts, _, expected = answers[".gguf"]
    with LlamaCppBackend(gguf, threads=1, go_on=lambda text: len(text) < 9) as backend:
        found = backend.complete(prompts, [MAX_TOKENS] * len(prompts), silent)
    assert any(len(done.tokens) < MAX_TOKENS for done in found)
    for ours, whole in zip(found, expected, strict=True):
        assert ours.tokens == whole.tokens[: len(ours.tokens)]
        assert ours.stopped or len(ours.tokens) == MAX_TOKENS or len(ours.text) >= 9


def test_answers_come_back_in_the_order_of_the_prompts(answers: dict[str, list]) -> None:
    assert len({completion.tokens for completion in answers[".gguf"][2]}) > 1


def test_a_budget_that_ends_too_early_is_no_stop(answers: dict[str, list]) -> None:
    for completion in answers[""][2] + answers[".gguf"][2]:
        assert completion.stopped == (len(completion.tokens) < MAX_TOKENS or completion.tokens[-1] == 2)


@pytest.mark.parametrize("name", ["nothing", "empty", "text.gguf"])
def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.gguf").write_text("not a model")
    with pytest.raises(InputError, match=name) as caught, open_backend(tmp_path / name):
        pass
    assert "\n" not in str(caught.value)


def report(*tokens: tuple[int, ...]) -> SmokeReport:
    outcomes = tuple(Outcome(str(i), "simple", True, True, i == 0, True, "ok", "") for i in range(len(tokens)))
    completions = tuple(Completion("", t, tuple(0.5 * (n + 1) for n in range(len(t))), True) for t in tokens)
    return SmokeReport("b", score(outcomes), outcomes, completions, tuple((7,) for _ in tokens), 1.0, 1.0, 1.0)


def test_partings_name_the_first_difference_and_both_margins() -> None:
    agreement = compare(report((1, 2, 3), (1, 2), (4,)), report((1, 2, 3), (1, 9), (4, 5)))
    assert agreement == Agreement(3, 1, 3, (Parting("1", 1, 1.0, 1.0), Parting("2", 1, 0.0, 1.0)))


def test_runs_over_other_samples_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different samples"):
        compare(report((1,)), report((1,), (2,)))


def test_the_first_samples_are_scored_alone() -> None:
    assert report((1,), (2,)).score.exact == 0.5
    assert first_of(report((1,), (2,)), 1).score.exact == 1.0
