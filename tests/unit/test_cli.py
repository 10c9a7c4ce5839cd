"""Errors become one line and the exit code of the contract; options arrive where they belong."""

import argparse
import errno
import json
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_pipeline.convert.formats import FORMATS
from data_pipeline.core.errors import CheckFailed, FormatError, InputError
from data_pipeline.core.jsonl import write_jsonl
from data_pipeline.core.schema import Message, Origin, Tool, ToolCall, Trajectory, Verdict
from data_pipeline.recipe import DataRecipe
from data_pipeline.report.funnel import Funnel
from xlam_train import cli_data
from xlam_train.cli import build_parser, main, report_errors

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("r.yaml:3: unknown key 'x'"), 2, "xlam: r.yaml:3: unknown key 'x'\n"),
        (CheckFailed("below the bar"), 1, "xlam: below the bar\n"),
        (FormatError("empty", "no text"), 1, "xlam: empty: no text\n"),
        (KeyboardInterrupt(), 130, "xlam: interrupted; run the same command again to go on\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "out/model"),
            2,
            "xlam: out/model: no space left on the disk; free some and run the same command again\n",
        ),
    ],
)
def test_expected_errors_are_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        raise error

    assert report_errors(work) == code
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError(errno.EIO, "broken disk")])
def test_bugs_keep_their_traceback(error: Exception) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)):
        report_errors(work)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)


@pytest.mark.parametrize("entry", [("-m", "xlam_train.cli", "train"), ("scripts/train.py",)])
def test_a_typo_in_a_training_override_is_told_before_torch_loads(entry: tuple[str, ...]) -> None:
    done = run(*entry, "recipes/lora/smollm2-135m.yaml", "lora.rnk=4")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "xlam: override 'lora.rnk': unknown key 'lora.rnk'; did you mean 'rank'?\n"


def test_missing_models_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "0000.jsonl").write_text("")
    done = run(
        "-m",
        "xlam_train.cli",
        "train",
        "recipes/lora/smollm2-135m.yaml",
        "model.base=no/such/model",
        f"data.path={tmp_path}",
        f"out={tmp_path / 'out'}",
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("xlam: model.base: no folder 'no/such/model'; give a Hugging Face")
    assert "Traceback" not in done.stderr
    smoke = run("-m", "xlam_train.cli", "smoke", "no/such.gguf")
    assert (smoke.returncode, smoke.stdout) == (2, "")
    assert smoke.stderr.startswith("xlam: no/such.gguf: no model here")


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of all commands, without those that only hold others."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for child in action.choices.values():
            yield from commands(child)
    if not below:
        yield parser


def test_every_command_has_an_example_that_parses() -> None:
    found = list(commands(build_parser()))
    assert {"xlam data check", "xlam data convert", "xlam data report"} <= {parser.prog for parser in found}
    for parser in found:
        example = (parser.epilog or "").removeprefix("Example: ")
        assert example.startswith(f"{parser.prog} "), parser.prog
        arguments, _ = build_parser().parse_known_args(shlex.split(example)[1:])
        assert arguments.run is parser.get_default("run")


def test_the_formats_on_the_command_line_are_those_there_are() -> None:
    assert set(cli_data.FORMATS) == set(FORMATS)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"engine": "local", "workers": None, "ray_address": None}),
        (["--workers", "3"], {"engine": "local", "workers": 3, "ray_address": None}),
        (
            ["--engine", "ray", "--ray-address", "ray://head:10001", "seed=4"],
            {"engine": "ray", "workers": None, "ray_address": "ray://head:10001"},
        ),
    ],
)
def test_generate_hands_its_options_on(
    options: list[str],
    expected: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told: dict[str, object] = {}

    def generate(recipe: DataRecipe, out: Path, **given: object) -> Funnel:
        told.update(given, seed=recipe.seed, out=out)
        return Funnel(drafted=4, accepted=3, generators=Counter({("", "drafted"): 4, ("", "accepted"): 3}))

    monkeypatch.setattr("data_pipeline.run.generate", generate)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("seed: 4\n")
    assert main(["data", "generate", str(recipe), "--out", str(tmp_path), "--json", *options]) == 0
    assert told == {**expected, "seed": 4, "out": tmp_path}
    shown = capsys.readouterr()
    assert json.loads(shown.out)["accepted"] == 3
    assert "3 of 4 samples accepted" in shown.err
    assert ["grammar", "3", "0", "0", "0", "75.00%"] in [
        line.replace("│", " ").split() for line in shown.err.splitlines()
    ]


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_workers_are_a_whole_number_above_zero(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["data", "generate", "r.yaml", "--out", "x", f"--workers={workers}"])
    assert f"'{workers}' is no whole number above 0" in capsys.readouterr().err


def test_show_tells_all_there_is_of_a_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = Tool(name="f", description="Does it.", parameters={"type": "object", "properties": {}})
    sample = Trajectory(
        id="1",
        style="missing-parameter",
        tools=(tool,),
        messages=(Message(role="user", content="Do it"), Message(role="assistant")),
        verdicts=(Verdict(stage="format", passed=False, reason="blank_query", detail="no text"),),
        results=('{"a": 1}', "2"),
        incomplete=ToolCall(name="f", arguments={"x": 1}),
        origin=Origin(generator="grammar", locale="en-GB"),
    )
    write_jsonl(tmp_path / "shards" / "0.jsonl", [sample.to_row()])
    assert main(["data", "show", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 missing-parameter",
        "  offered: f",
        "  query:   Do it",
        '  answer:  {"tool_calls": []}',
        '  result:  {"a": 1}',
        "  result:  2",
        '  lacking: {"name": "f", "arguments": {"x": 1}}',
        "  origin:  generator grammar, locale en-GB",
        "  refused: format: blank_query: no text",
        "  meaning: the user message has no text",
    ]


def test_every_type_of_a_gguf_file_can_be_asked_for() -> None:
    from typing import get_args

    from xlam_train.cli_export import GGUF_TYPES
    from xlam_train.export.quants import Quantization

    assert get_args(Quantization) == GGUF_TYPES
