"""The end of a turn as the family's templates write it, and as their models' settings have it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_models
import torch

from xlam_train.export.chat_template import install_template
from xlam_train.infer.artefact import NO_XLAM, inspect
from xlam_train.infer.backends import Backend
from xlam_train.infer.opening import open_backend
from xlam_train.infer.smoke_set import fixed_samples

ENDS = {
    "deepseek-ai/deepseek-coder-1.3b-instruct": "<|EOT|>",
    "mistralai/Mistral-7B-Instruct-v0.3": "</s>",
    "meta-llama/Llama-3.1-8B-Instruct": "<|eot_id|>",
    "Qwen/Qwen2.5-1.5B-Instruct": "<|im_end|>",
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(params=ENDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Backend, str]]:
    folder = tiny_models.tiny_base(request.param, tmp_path / "model")
    with open_backend(str(folder), threads=1) as opened:
        yield opened, ENDS[request.param]


def test_each_family_ends_turns_as_its_template_does(backend: tuple[Backend, str]) -> None:
    opened, end = backend
    found = inspect(opened, fixed_samples(3), "xlam-1", rendered=True)
    assert [found.end] == [found.stop] == opened.tokenize(end)
    assert found.prompts is None


def test_a_base_template_does_not_speak_the_format_until_it_is_taught(tmp_path: Path) -> None:
    folder = tiny_models.tiny_base("Qwen/Qwen2.5-1.5B-Instruct", tmp_path / "model")
    for wanted in (NO_XLAM, ""):
        with open_backend(str(folder), threads=1) as opened:
            assert inspect(opened, fixed_samples(), "xlam-1", rendered=False).prompts == (wanted,) * 24
        install_template(folder)


def test_the_leaderboards_conversion_is_a_right_prompt_too(tmp_path: Path) -> None:
    folder = tiny_models.tiny_base("Qwen/Qwen2.5-1.5B-Instruct", tmp_path / "model")
    install_template(folder, "xlam-1", "leaderboard")
    with open_backend(str(folder), threads=1) as opened:
        assert set(inspect(opened, fixed_samples(), "xlam-1", rendered=False).prompts or ()) == {""}


def test_a_real_deepseek_vocabulary_ends_with_its_own_token(tmp_path: Path, vocab_dir: Path) -> None:
    folder = tiny_models.tiny_base("deepseek-ai/deepseek-coder-1.3b-instruct", tmp_path / "model", vocab_dir)
    install_template(folder)
    with open_backend(str(folder), threads=1) as opened:
        found = inspect(opened, fixed_samples(4), "xlam-1", rendered=False)
        assert [found.end] == [found.stop] == opened.tokenize("<|EOT|>") == [32021]
    assert found.prompts == ("",) * 4
