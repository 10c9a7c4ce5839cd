"""The smoke test notices each artefact that was broken on purpose, and says so in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_smoke
import torch
from gguf import GGUFReader
from safetensors.torch import load_file, save_file

from data_pipeline.core.errors import CheckFailed, InputError
from data_pipeline.tools.executor import Executor
from xlam_train.export.chat_template import install_template
from xlam_train.export.gguf import write_gguf
from xlam_train.infer.smoke import Asking, run_smoke_test
from xlam_train.infer.smoke_checks import SmokeTest, checks
from xlam_train.infer.smoke_set import fixed_samples

PROMPT, END, EXPECTED = "prompt as the format has it", "ends turns as its template does", "expected answers, a token"
READ_ALIKE, OVER_PARENT = "prompts read as the parent reads them", "expected answers over the parent"
ALONG, EXACT = "|difference| along the parent's answers", "exact calls"

Break = Callable[[Path, Path], None]
"""Spoils a folder, knowing the one of the base model."""


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with Executor() as executor:
        yield executor


@pytest.fixture(scope="module")
def untrained(smollm2_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_smoke.save_untrained(tmp_path_factory.mktemp("untrained") / "model", smollm2_dir)


@pytest.fixture(scope="module")
def whole(untrained: Path) -> Path:
    return tiny_smoke.save_trained(untrained.parent / "trained", untrained)


@pytest.fixture(scope="module")
def whole_gguf(whole: Path) -> Path:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    path = whole.parent / "model-q8_0.gguf"
    write_gguf(whole, path, "q8_0", threads=1)
    return path


@pytest.fixture
def ask(executor: Executor) -> Callable[..., SmokeTest]:
    """Run the smoke test over what the tiny model has learned."""

    def run(model: Path, against: Path | None = None, count: int | None = None) -> SmokeTest:
        parent = None if against is None else str(against)
        samples = tiny_smoke.learned_samples()[:count]
        return run_smoke_test(str(model), samples, executor, Asking(), 1.0, parent, threads=1)

    return run


def failed(test: SmokeTest) -> set[str]:
    """Names of the checks that failed; the one line that is raised says each of them."""
    found = {check.name for check in test.failed}
    if found:
        with pytest.raises(CheckFailed) as caught:
            test.require()
        line = str(caught.value)
        assert line.startswith(f"{test.model}: ")
        assert "\n" not in line
        assert all(name in line for name in found)
    else:
        test.require()
    print(*(f"{check.name} {check.shown} ({check.detail})" for check in test.failed), sep="; ")
    return found


def measured(test: SmokeTest, name: str) -> float | None:
    return next(check.measured for check in test.checks if check.name == name)


def change_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def base_template(folder: Path, base: Path) -> None:
    shutil.copy(base / "chat_template.jinja", folder)


def template_of_another_variant(folder: Path, _: Path) -> None:
    install_template(folder, "xlam-1-bfcl")


def other_end(folder: Path, _: Path) -> None:
    change_json(folder / "generation_config.json", eos_token_id=0)


def no_end(folder: Path, _: Path) -> None:
    change_json(folder / "generation_config.json", eos_token_id=None)


def swapped_tokenizer(folder: Path, _: Path) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary, special = content["model"]["vocab"], {entry["content"] for entry in content["added_tokens"]}
    ordinary = sorted((number, token) for token, number in vocabulary.items() if token not in special)
    numbers = [number for number, _ in ordinary]
    for (_, token), number in zip(ordinary, numbers[1:] + numbers[:1], strict=True):
        vocabulary[token] = number
    path.write_text(json.dumps(content))


def wrong_rope_scaling(folder: Path, _: Path) -> None:
    rope = json.loads((folder / "config.json").read_text())["rope_parameters"]
    change_json(folder / "config.json", rope_parameters={**rope, "rope_type": "linear", "factor": 4.0})


def transposed_weights(folder: Path, _: Path) -> None:
    def transpose(weights: dict[str, torch.Tensor]) -> None:
        for name in weights:
            if name.endswith("o_proj.weight"):
                weights[name] = weights[name].T.contiguous()

    change_weights(folder, transpose)


def broken_blocks(path: Path) -> None:
    """Give each block of a matrix the scale of its neighbour's neighbour, as a wrong stride does."""
    tensor = next(entry for entry in GGUFReader(path, "r+").tensors if entry.name == "token_embd.weight")
    blocks = tensor.data.reshape(-1, 34)  # Q8_0: a scale in two bytes, 32 values
    blocks[:, :2] = np.roll(blocks[:, :2], 2, axis=0)[::-1]


# What is broken -> the checks that have to fail, alone and beside the whole parent.
FOLDERS: dict[str, tuple[Break, set[str], set[str]]] = {
    "wrong template": (base_template, {PROMPT, EXACT}, {READ_ALIKE}),
    "wrong variant": (template_of_another_variant, {PROMPT, EXACT}, {READ_ALIKE}),
    "other end": (other_end, {END, EXACT}, set()),
    "no end": (no_end, {END, EXACT}, set()),
    "swapped tokenizer": (swapped_tokenizer, {EXPECTED, EXACT}, {READ_ALIKE}),
    "un-merged adapter": (lambda folder, base: None, {EXPECTED, EXACT}, {OVER_PARENT, ALONG}),
    "wrong rope scaling": (wrong_rope_scaling, {EXACT}, {OVER_PARENT, ALONG}),
    "transposed weights": (transposed_weights, {EXACT}, {OVER_PARENT, ALONG}),
}


def broken_folder(name: str, whole: Path, untrained: Path, base: Path, where: Path) -> Path:
    folder = where / "model"
    shutil.copytree(untrained if name == "un-merged adapter" else whole, folder)
    FOLDERS[name][0](folder, base)
    return folder


@pytest.mark.parametrize("name", FOLDERS)
def test_a_broken_folder_is_noticed(
    name: str, ask: Callable[..., SmokeTest], whole: Path, untrained: Path, smollm2_dir: Path, tmp_path: Path
) -> None:
    _, alone, compared = FOLDERS[name]
    folder = broken_folder(name, whole, untrained, smollm2_dir, tmp_path)
    assert alone | compared <= failed(ask(folder, against=whole))


@pytest.mark.parametrize("name", ["un-merged adapter", "wrong rope scaling"])
def test_a_gguf_of_a_broken_folder_is_noticed(
    name: str,
    ask: Callable[..., SmokeTest],
    whole: Path,
    untrained: Path,
    smollm2_dir: Path,
    tmp_path: Path,
) -> None:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    _, alone, compared = FOLDERS[name]
    write_gguf(broken_folder(name, whole, untrained, smollm2_dir, tmp_path), tmp_path / "model.gguf", "f16", threads=1)
    assert alone | compared <= failed(ask(tmp_path / "model.gguf", against=whole, count=1))


def test_a_gguf_with_broken_blocks_is_noticed(
    ask: Callable[..., SmokeTest], whole: Path, whole_gguf: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.gguf"
    shutil.copy(whole_gguf, path)
    broken_blocks(path)
    assert {OVER_PARENT, ALONG, EXACT} <= failed(ask(path, against=whole, count=1))


def test_a_swapped_tokenizer_makes_no_gguf(whole: Path, untrained: Path, smollm2_dir: Path, tmp_path: Path) -> None:
    folder = broken_folder("swapped tokenizer", whole, untrained, smollm2_dir, tmp_path)
    with pytest.raises(InputError, match="unknown pre-tokenizer"):
        write_gguf(folder, tmp_path / "model.gguf", "f16", threads=1)


@pytest.mark.parametrize("kind", ["folder", "gguf"])
def test_a_truncated_file_is_told_in_one_line(
    kind: str, ask: Callable[..., SmokeTest], whole: Path, whole_gguf: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.gguf"
    if kind == "folder":
        model = tmp_path / "model"
        shutil.copytree(whole, model)
    else:
        shutil.copy(whole_gguf, model)
    weights = model / "model.safetensors" if kind == "folder" else model
    with weights.open("r+b") as stream:
        stream.truncate(weights.stat().st_size * 2 // 3)
    with pytest.raises(InputError) as caught:
        ask(model)
    print(caught.value)
    assert str(caught.value).startswith(f"{model}: ")
    assert "\n" not in str(caught.value)


def test_what_is_whole_passes(ask: Callable[..., SmokeTest], whole: Path, whole_gguf: Path) -> None:
    test = ask(whole_gguf, against=whole)
    assert test.parent is not None
    assert [check.name for check in checks(test.parent, None, 1.0) if check.verdict == "FAILED"] == []
    assert failed(test) == set()
    for name in (PROMPT, END, EXACT, READ_ALIKE, "answers equal to the parent's"):
        assert measured(test, name) == 1


@pytest.mark.slow
def test_a_model_that_cannot_do_the_task_is_told_broken_all_the_same(
    executor: Executor, smollm2_dir: Path, tmp_path: Path
) -> None:
    """SmolLM2 has never seen the format, so that only what takes no skill can tell."""
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    for name in ("whole", "broken"):
        folder = tmp_path / name
        shutil.copytree(smollm2_dir, folder)
        install_template(folder)
        if name == "broken":
            wrong_rope_scaling(folder, smollm2_dir)
        write_gguf(folder, tmp_path / f"{name}.gguf", "q8_0", threads=1)
        shutil.rmtree(folder)
    samples = [sample for sample in fixed_samples() if sample.id == "no-age"]
    whole, broken = (str(tmp_path / f"{name}.gguf") for name in ("whole", "broken"))
    test = run_smoke_test(broken, samples, executor, Asking(), 0.0, whole, threads=1)
    assert test.parent is not None
    assert [check.name for check in checks(test.parent, None, 0.0) if check.verdict == "FAILED"] == []
    assert {EXPECTED, OVER_PARENT, ALONG} <= failed(test)


def test_a_served_model_passes(executor: Executor, whole_gguf: Path) -> None:
    from xllamacpp import CommonParams, Server

    params = CommonParams()
    params.model.path = str(whole_gguf)
    params.n_ctx, params.n_parallel, params.use_jinja, params.verbosity = 2048, 1, True, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = Server(params)
    samples = tiny_smoke.learned_samples()
    test = run_smoke_test(f"{server.listening_address}/v1", samples, executor, Asking(), 1.0)
    assert failed(test) == set()
    assert measured(test, EXACT) == 1


def test_a_constraint_leaves_right_answers_as_they_are(executor: Executor, whole: Path) -> None:
    asking = Asking(constrained=True)
    test = run_smoke_test(str(whole), tiny_smoke.learned_samples(), executor, asking, 1.0, threads=1)
    assert failed(test) == set()


def test_a_template_that_does_not_know_the_format_is_given_it_written_out(
    executor: Executor, whole: Path, smollm2_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(whole, folder)
    base_template(folder, smollm2_dir)
    test = run_smoke_test(str(folder), tiny_smoke.learned_samples(), executor, Asking(rendered=True), 1.0, threads=1)
    assert failed(test) == set()
    assert measured(test, PROMPT) is None
