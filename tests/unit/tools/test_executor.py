"""Real child processes: what a tool may do wrong, and that the next call works all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import XlamError
from data_pipeline.core.schema import Tool
from data_pipeline.tools.executor import Executor
from data_pipeline.tools.python_runner import PythonRunner
from data_pipeline.tools.runner import STATUSES, Call, ExecutionResult

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = """
import os, random, sys, time

def echo(x=None): return x
def fail(): raise ValueError("no such\\ncity")
def leave(): sys.exit("bye")
def crash(): os._exit(7)
def abort(): os.abort()
def loop():
    while True: pass
def sleep(seconds): time.sleep(seconds); return "slept"
def forge():
    print('["ok", "999", ""]', flush=True)
    os.write(1, b'["ok", "999", ""]\\n')
    sys.stderr.write("x" * 200_000)
    return "true result"
def write_into_the_pipe():
    for descriptor in range(3, 32):
        try: os.write(descriptor, b"not an answer\\n")
        except OSError: pass
def endless_answer():
    for descriptor in range(3, 32):
        try:
            while True: os.write(descriptor, b"x" * 65536)
        except OSError: pass
def read_input(): return sys.stdin.read()
def huge(): return "x" * 70_000
def fits(): return '"' * 32_000
def nan(): return [1.0, float("nan")]
def not_json(): return object()
def deep():
    value = []
    for _ in range(100_000): value = [value]
    return value
def eat(): return len(bytearray(1 << 30))
def write_file(path):
    with open(path, "w") as stream: stream.write("x")
def fork(): return "child" if os.fork() == 0 else "parent"
def folder(): return os.listdir(".")
def environment(): return sorted(os.environ)
def draw(): return [random.random(), sorted({"a", "b", "c"}, key=hash)]
def my_pid(): return os.getpid()
def _private(): return "secret"
__all__ = [name for name in dir() if not name.startswith("_")]
"""


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor]:
    (tmp_path / "hostile_tools.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Executor({"test": _runner("hostile_tools", tmp_path)}, timeout_seconds=1.0) as running:
        yield running


def _runner(module: str, folder: Path, source: str = "test") -> PythonRunner:
    return PythonRunner({source: {"kind": "module", "name": module}}, "partial", [str(folder)], memory_mb=512)


def _tool(name: str, source: str = "test", **properties: Any) -> Tool:
    return Tool(
        name=name,
        description="d",
        parameters={"type": "object", "properties": properties},
        source=source,
    )


def _call(executor: Executor, name: str, **arguments: Any) -> ExecutionResult:
    return executor.call(_tool(name, **{key: {} for key in arguments}), arguments)


def _still_works(executor: Executor) -> bool:
    return _call(executor, "echo", x=[1, {"a": None}]).result == [1, {"a": None}]


def test_values_come_back_unchanged(executor: Executor) -> None:
    value = {"text": 'line\n"é"\u2028', "numbers": [1, 1.5, -0.0, 2**70], "none": None, "yes": True}
    result = _call(executor, "echo", x=value)
    assert (result.status, result.result, result.error) == ("ok", value, "")
    assert 0 < result.seconds < 60


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("fail", "tool_error", "ValueError: no such city"),
        ("leave", "tool_error", "SystemExit: bye"),
        ("crash", "crashed", "ended with exit code 7"),
        ("abort", "crashed", "killed by SIGABRT"),
        ("loop", "timeout", "no answer within 1 s"),
        ("nan", "tool_error", "ValueError: Out of range float values"),
        ("not_json", "tool_error", "TypeError: "),
        ("deep", "tool_error", "RecursionError"),
        ("eat", "memory", "MemoryError"),
        ("write_into_the_pipe", "crashed", "the answer cannot be read"),
        ("endless_answer", "crashed", "the answer has no end"),
        ("_private", "unavailable", "there is no tool '_private'"),
        ("missing", "unavailable", "there is no tool 'missing'"),
    ],
)
def test_failure_costs_one_call(executor: Executor, name: str, status: str, error: str) -> None:
    result = _call(executor, name)
    assert result.status == status
    assert status in STATUSES
    assert error in result.error
    assert "\n" not in result.error
    assert result.result is None
    assert _still_works(executor)


def test_of_a_result_that_is_too_large_the_beginning_is_shown(executor: Executor) -> None:
    result = _call(executor, "huge")
    assert (result.status, result.error) == ("output_too_large", "the result has 70002 bytes of 65536 allowed")
    assert (result.result, result.truncated) == ('"' + "x" * 499, True)
    assert not _call(executor, "fits").truncated


def test_printing_cannot_forge_an_answer(executor: Executor) -> None:
    assert _call(executor, "forge").result == "true result"
    assert _still_works(executor)


def test_reading_input_gets_nothing(executor: Executor) -> None:
    assert _call(executor, "read_input").result == ""
    assert _still_works(executor)


def test_a_result_just_below_the_cap_fits(executor: Executor) -> None:
    assert _call(executor, "fits").result == '"' * 32_000


def test_no_process_can_be_started(executor: Executor) -> None:
    assert _call(executor, "fork").status == "denied"
    assert _still_works(executor)


def test_files_can_be_written_in_the_scratch_folder_alone(executor: Executor, tmp_path: Path) -> None:
    assert _call(executor, "write_file", path=str(tmp_path / "out")).status == "denied"
    assert not (tmp_path / "out").exists()
    assert _call(executor, "write_file", path="out").status == "ok"
    assert _call(executor, "folder").result == []


@pytest.mark.alone
def test_sleeping_past_the_deadline_ends_on_time(executor: Executor) -> None:
    _still_works(executor)
    started = time.monotonic()
    assert _call(executor, "sleep", seconds=30).status == "timeout"
    assert time.monotonic() - started < 5
    assert _still_works(executor)


def test_the_environment_is_not_the_users(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", "x")
    found = _call(executor, "environment").result
    assert isinstance(found, list)
    assert set(found) <= {"HOME", "LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "PYTHONHASHSEED", "PYTHONUTF8", "TZ"}


def test_same_answer_in_every_process(executor: Executor) -> None:
    first = _call(executor, "draw").result
    again = _call(executor, "draw").result
    executor.close()
    assert first == again == _call(executor, "draw").result


def test_one_process_serves_many_calls(executor: Executor) -> None:
    assert _call(executor, "my_pid").result == _call(executor, "my_pid").result


def test_a_process_killed_while_idle_is_replaced_quietly(executor: Executor) -> None:
    pid = _call(executor, "my_pid").result
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    assert _still_works(executor)


def test_bad_arguments_do_not_run(executor: Executor) -> None:
    tool = _tool("crash", x={"type": "integer"})
    result = executor.call(tool, {"x": "3"})
    assert result.status == "bad_arguments"
    assert result.error.startswith("wrong_type: crash.x")
    assert executor.call(tool, {"y": 3}).error.startswith("unknown_argument: ")


@pytest.mark.parametrize("value", [float("nan"), {1}])
def test_arguments_that_are_no_json(executor: Executor, value: Any) -> None:
    result = _call(executor, "echo", x=value)
    assert result.status == "bad_arguments"
    assert _still_works(executor)


def test_a_schema_without_a_function(executor: Executor) -> None:
    result = executor.call(_tool("echo", source="json:tools.json"), {})
    assert result.status == "unavailable"
    assert "schema without a function" in result.error


def test_a_module_that_cannot_be_imported() -> None:
    with Executor({"test": _runner("no_such_module", Path())}) as executor:
        first, result = executor.call_many([Call(_tool("echo"), {}), Call(_tool("echo"), {})])
    assert first.status == result.status == "unavailable"
    assert "test cannot be imported: ModuleNotFoundError: No module named 'no_such_module'" in result.error


def test_a_child_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho first >&2\necho 'no such library' >&2\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with Executor() as executor, pytest.raises(XlamError) as caught:
        executor.call(_tool("add_business_days", source="bundled:calendar_time"), {})
    assert "cannot start (no such library)" in str(caught.value)


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "hostile_tools.py").write_text(MODULE, encoding="utf-8")
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]);"
        "from data_pipeline.core.schema import Tool;"
        "from data_pipeline.tools.executor import Executor;"
        "from data_pipeline.tools.python_runner import PythonRunner;"
        "tool = Tool(name='my_pid', description='', source='t', parameters={});"
        "runner = PythonRunner({'t': {'kind': 'module', 'name': 'hostile_tools'}}, 'partial', [sys.argv[1]]);"
        "print(Executor({'t': runner}).call(tool, {}).result, flush=True);"
        "os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert _gone_soon(int(done.stdout))


def _gone_soon(pid: int) -> bool:
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_bundled_tools_run() -> None:
    tool = Tool(
        name="add_business_days",
        description="d",
        parameters={"type": "object", "properties": {"start_date": {}, "days": {}}},
        source="bundled:calendar_time",
    )
    with Executor() as executor:
        assert executor.call(tool, {"start_date": "2026-01-01", "days": 1}).result == "2026-01-02"
