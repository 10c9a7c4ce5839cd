"""`xlam eval heldout` from its command line, with a backend that knows the expected answers."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from tiny_data import questions, write_dataset

from data_pipeline.core.variants import VARIANTS
from data_pipeline.core.xlam_format import render_answer
from xlam_train.cli import main
from xlam_train.evaluate.answers import ANSWERS, CHUNK, RUN
from xlam_train.infer.backends import Completion, RequestRefused
from xlam_train.infer.opening import open_backend
from xlam_train.infer.smoke_set import rendered_chat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.core.variants import Variant
    from xlam_train.infer.backends import Request

SAMPLES = questions(tool_sets=10)
REFUSED = next(sample for sample in SAMPLES if not sample.calls)


class Knowing:
    """Writes what each sample expects if it is asked in the variant; may refuse a sample, and be killed."""

    name = "knowing"

    def __init__(self, samples: Sequence[Trajectory], variant: Variant = "xlam-1") -> None:
        self.answers = {
            repr(rendered_chat(sample, variant)): render_answer(sample.calls, variant) for sample in samples
        }
        self.refuses = ""
        self.lives, self.opened, self.asked = 10**6, 0, 0

    def __enter__(self) -> Knowing:
        self.opened += 1
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is loaded."""

    def complete(self, requests: Sequence[Request], progress: Any) -> list[Completion]:
        if any(repr(request.prompt) == self.refuses for request in requests):
            raise RequestRefused("beyond the context")
        self.lives -= 1
        if self.lives < 0:
            raise KeyboardInterrupt
        self.asked += len(requests)
        return [
            Completion(self.answers.get(repr(request.prompt), "?"), (1,), (), (), True, 0.1, 0.1)
            for request in requests
        ]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "unseen", SAMPLES)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF")
    return path


@pytest.fixture
def ask(
    dataset: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, Any]]:
    """Run the command with a backend; its exit code, and what it printed as JSON."""

    def run(backend: Knowing, *options: object, data: Path = dataset, asked: object = model) -> tuple[int, Any]:
        monkeypatch.setattr("xlam_train.evaluate.heldout_run.open_backend", lambda _: backend)
        command = ["eval", "heldout", asked, data, "--out", tmp_path / "out", "--json", *options]
        code = main(list(map(str, command)))
        out = capsys.readouterr().out
        return code, json.loads(out)[str(asked)] if out else None

    return run


@pytest.mark.parametrize("variant", VARIANTS)
def test_samples_are_asked_judged_and_grouped_in_the_variant(
    variant: Variant, ask: Callable[..., tuple[int, Any]]
) -> None:
    code, found = ask(Knowing(SAMPLES, variant), "--variant", variant, "--min-exact", 1)
    assert code == 0
    assert (found["score"]["exact"], found["groups"]["all"]["arguments"]) == (1.0, 1.0)


def test_a_killed_run_goes_on_where_it_stopped(ask: Callable[..., tuple[int, Any]], tmp_path: Path) -> None:
    backend = Knowing(SAMPLES)
    backend.lives = 1
    assert ask(backend)[0] == 130
    backend.lives = 1
    code, found = ask(backend)
    assert (code, found["score"]["exact"], backend.asked) == (0, 1.0, len(SAMPLES))
    assert ask(backend)[1] == found
    assert backend.opened == 2, "with every answer there, nothing is loaded"
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name.startswith("unseen-")
    assert len((folder / ANSWERS).read_text().splitlines()) == len(SAMPLES) > CHUNK
    assert set(json.loads((folder / RUN).read_text())) == {
        *("model", "weights", "dataset", "variant", "samples", "conversion", "prompts")
    }


def test_another_model_dataset_variant_or_number_is_another_asking(
    ask: Callable[..., tuple[int, Any]], model: Path, dataset: Path, tmp_path: Path
) -> None:
    backend = Knowing(SAMPLES)
    other = shutil.copytree(dataset, tmp_path / "unseen")
    ask(backend)
    ask(backend, "--samples", 9)
    ask(backend, "--variant", "actionstudio")
    ask(backend, "--samples", 9, data=write_dataset(tmp_path / "more" / "unseen", questions(tool_sets=3)))
    model.write_bytes(b"GGUF of the next training")
    ask(backend)
    assert backend.opened == 5
    ask(backend, data=other)
    assert backend.opened == 5, "the same samples elsewhere are the same"


def test_tools_stand_in_the_prompt_as_in_training(ask: Callable[..., tuple[int, Any]]) -> None:
    backend = Knowing(SAMPLES)
    assert ask(backend)[1]["score"]["exact"] == 1.0
    backend.answers = {
        repr(rendered_chat(sample, "xlam-1", "leaderboard")): render_answer(sample.calls) for sample in SAMPLES
    }
    assert ask(backend, "--conversion", "leaderboard")[1]["score"]["exact"] == 1.0
    assert backend.opened == 2


@pytest.mark.parametrize("least", ["55", "nan", "-0.1", "half"])
def test_a_bar_is_a_share(ask: Callable[..., tuple[int, Any]], least: str) -> None:
    with pytest.raises(SystemExit) as ended:
        ask(Knowing(SAMPLES), "--min-exact", least)
    assert ended.value.code == 2


def test_a_typo_in_the_second_model_costs_nothing(
    model: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = Knowing(SAMPLES)

    def opens(name: str) -> Any:
        return backend if name == str(model) else open_backend(name)

    monkeypatch.setattr("xlam_train.evaluate.heldout_run.open_backend", opens)
    assert main(["eval", "heldout", str(model), str(dataset), "--compare", "runs/typo.gguf"]) == 2
    assert "runs/typo.gguf: no model here" in capsys.readouterr().err
    assert backend.opened == 0


def test_a_refused_sample_is_wrong_and_the_rest_is_asked(ask: Callable[..., tuple[int, Any]]) -> None:
    for variant in ("xlam-1", "xlam-1-bfcl"):
        backend = Knowing(SAMPLES, variant)  # type: ignore[arg-type]
        backend.refuses = repr(rendered_chat(REFUSED, variant))  # type: ignore[arg-type]
        _, found = ask(backend, "--variant", variant)
        reasons = {outcome["sample_id"]: outcome["reason"] for outcome in found["outcomes"]}
        assert reasons.pop(REFUSED.id) == "refused"
        assert set(reasons.values()) == {"ok"}
        shares = 1 - 1 / len(SAMPLES)
        assert (found["groups"]["all"]["exact"], found["groups"]["all"]["arguments"]) == (shares, shares)


def test_a_server_is_asked_what_it_serves(ask: Callable[..., tuple[int, Any]], tmp_path: Path) -> None:
    backend = Knowing(SAMPLES)
    for _ in range(2):
        ask(backend, asked="http://host:1/v1")
    assert (backend.opened, backend.asked) == (2, len(SAMPLES))
    (folder,) = (tmp_path / "out").iterdir()
    assert json.loads((folder / RUN).read_text())["weights"] == backend.name
