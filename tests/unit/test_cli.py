"""Errors become one line and the exit code of the contract."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from data_pipeline.core.errors import CheckFailed, FormatError, InputError
from xlam_train.cli import report_errors

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
