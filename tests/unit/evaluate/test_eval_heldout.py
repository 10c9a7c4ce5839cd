"""`xlam eval heldout` from its command line, with a backend that knows the expected answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tiny_data import questions, write_dataset

from data_pipeline.core.xlam_format import VARIANTS, render_answer
from xlam_train.cli import main
from xlam_train.infer.backends import Completion
from xlam_train.infer.smoke_set import rendered_chat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.core.xlam_format import Variant
    from xlam_train.infer.backends import Request

SAMPLES = questions()


class Knowing:
    """Writes what each sample expects, if it is asked in the variant."""

    name = "knowing"

    def __init__(self, samples: Sequence[Trajectory], variant: Variant) -> None:
        self.answers = {
            repr(rendered_chat(sample, variant)): render_answer(sample.calls, variant) for sample in samples
        }

    def __enter__(self) -> Knowing:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is loaded."""

    def complete(self, requests: Sequence[Request], progress: Any) -> list[Completion]:
        return [
            Completion(self.answers.get(repr(request.prompt), "?"), (1,), (), (), True, 0.1, 0.1)
            for request in requests
        ]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data"), SAMPLES)


@pytest.mark.parametrize("variant", VARIANTS)
def test_samples_are_asked_judged_and_grouped_in_the_variant(
    variant: Variant, dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = Knowing(SAMPLES, variant)
    monkeypatch.setattr("xlam_train.infer.opening.open_backend", lambda _: backend)
    assert main(["eval", "heldout", "m.gguf", str(dataset), "--variant", variant, "--json", "--min-exact", "1"]) == 0
    found = json.loads(capsys.readouterr().out)["m.gguf"]
    assert (found["score"]["exact"], found["groups"]["all"]["arguments"]) == (1.0, 1.0)
