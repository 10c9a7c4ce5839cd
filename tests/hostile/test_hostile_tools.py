"""Tools that mean harm, all in one batch with honest calls between them: each is contained, none costs another."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.schema import Tool
from data_pipeline.tools.python_runner import PythonRunner
from data_pipeline.tools.runner import Call, ExecutionResult
from data_pipeline.tools.sandbox import best_level

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = best_level()
pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        HERE.level != "strict", reason=f"needs namespaces, Landlock and seccomp; this machine's layers: {HERE.layers}"
    ),
]

MODULE = Path(__file__).parent / "hostile_tools.py"
SOURCE = f"python:{MODULE}"
SECONDS = 2.0
CANARY = "the user's own text"

STOPPED = {"tool_error", "denied"}
EXPECTED: dict[str, set[str]] = {
    "fork_bomb": {"denied"},
    "thread_bomb": {"tool_error", "memory", "denied", "timeout", "crashed"},
    "memory_bomb": {"memory"},
    "one_huge_block": {"memory"},
    "mapped_memory": {"memory"},
    "disk_filler": {"tool_error"},
    "one_large_file": {"tool_error"},
    "endless_loop": {"timeout"},
    "loop_in_c": {"timeout"},
    "catastrophic_pattern": {"timeout"},
    "endless_output": {"timeout"},
    "deep_recursion": {"tool_error"},
    "recursion_in_c": {"crashed", "tool_error", "memory", "timeout"},
    "sleep_past_sigterm": {"timeout"},
    "kill_parent": {"denied"},
    "kill_everybody": {"denied"},
    "count_processes": {"denied"},
    "read_parents_environment": {"denied"},
    "read_passwd": STOPPED,
    "write_own_module": STOPPED,
    "delete_everything": STOPPED,
    "hard_link_trick": STOPPED,
    "device_trick": STOPPED,
    "open_ipv4": {"denied"},
    "open_ipv6": {"denied"},
    "open_unix": {"denied"},
    "listen": {"denied"},
    "resolve": STOPPED,
    "spawn_shell": {"denied"},
    "system_shell": {"denied"},
    "become_shell": {"denied"},
    "raw_fork": {"denied"},
    "raw_socket": {"denied"},
    "trace_parent": {"denied"},
    "mount_something": {"denied"},
    "new_namespace": {"denied"},
    "load_program": {"denied"},
    "raise_limits": STOPPED,
    "segfault": {"crashed"},
    "leave": {"crashed"},
    "abort": {"crashed"},
    "fake_frames": {"crashed"},
    "endless_frame": {"crashed", "timeout"},
    "unpicklable": {"tool_error"},
    "not_a_number": {"tool_error"},
    "huge_result": {"output_too_large", "memory"},
    "huge_number": {"tool_error"},
    "cyclic_result": {"tool_error"},
    "raise_base_exception": {"tool_error"},
    "raise_interrupt": {"tool_error"},
    "raise_exit": {"tool_error"},
    "error_without_words": {"tool_error"},
    "zip_bomb": {"memory", "timeout"},
    "patch_worker": {"ok"},
    "patch_builtins": {"ok"},
    "patch_neighbour": {"ok"},
    "poison_global": {"ok"},
    "poison_container": {"ok"},
    "surviving_thread": {"ok"},
    "leave_files": {"ok"},
}
# What comes back says that there was nothing to be had.
HARMLESS: dict[str, Any] = {
    "read_secrets": {},
    "find_files": [],
    "read_other_arguments": [],
    "seed_chance": 0.32383276483316237,  # random.Random(7).random()
}


def call(name: str, **arguments: Any) -> Call:
    parameters = {"type": "object", "properties": {key: {} for key in arguments}}
    return Call(Tool(name=name, description="Does harm.", parameters=parameters, source=SOURCE), arguments)


@pytest.fixture(scope="module")
def runner() -> Iterator[PythonRunner]:
    spec = {"kind": "file", "path": str(MODULE)}
    running = PythonRunner({SOURCE: spec}, "strict", [str(MODULE)], memory_mb=256)
    yield running
    running.close()


@pytest.fixture(scope="module")
def outcome(runner: PythonRunner, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExecutionResult]:
    """Every tool once, an honest call after each, in a single batch."""
    diary = tmp_path_factory.mktemp("home") / "diary.txt"
    diary.write_text(CANARY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLAM_TEST_SECRET", "s3cret")
        calls = [call("keep_confidential", confidential="the plan")]
        calls += [call(name) for name in (*HARMLESS, *EXPECTED)]
        calls += [call(name, path=str(diary)) for name in ("read_home", "write_outside", "symlink_trick")]
        batch = [each for index, one in enumerate(calls) for each in (one, call("honest", x=index))]
        results = runner.run(batch, SECONDS)
    assert diary.read_text(encoding="utf-8") == CANARY
    found = {one.tool.name: result for one, result in zip(calls, results[::2], strict=True)}
    return {**found, **{f"honest {index}": result for index, result in enumerate(results[1::2])}}


def test_there_are_enough_of_them() -> None:
    assert len(EXPECTED) + len(HARMLESS) + 3 >= 40


@pytest.mark.parametrize("name", EXPECTED)
def test_each_ends_with_its_class(outcome: dict[str, ExecutionResult], name: str) -> None:
    result = outcome[name]
    assert result.status in EXPECTED[name], result
    assert (result.error == "") == (result.status == "ok")
    assert result.seconds < SECONDS + 2


@pytest.mark.parametrize("name", HARMLESS)
def test_nothing_to_be_seen(outcome: dict[str, ExecutionResult], name: str) -> None:
    assert outcome[name].result == HARMLESS[name], outcome[name]


@pytest.mark.parametrize("name", ["read_home", "write_outside", "symlink_trick"])
def test_the_users_files_are_out_of_reach(outcome: dict[str, ExecutionResult], name: str) -> None:
    assert outcome[name].status in STOPPED, outcome[name]


def test_no_honest_call_is_lost_or_changed(outcome: dict[str, ExecutionResult]) -> None:
    honest = {name: result for name, result in outcome.items() if name.startswith("honest")}
    assert len(honest) == len(EXPECTED) + len(HARMLESS) + 4
    for name, result in honest.items():
        number = int(name.split()[1])
        expected = {"x": number, "price": 5, "counter": 0, "words": 1, "absolute": number}
        assert (result.status, result.result) == ("ok", expected), (name, result)


def test_no_process_is_left(runner: PythonRunner, outcome: dict[str, ExecutionResult]) -> None:
    assert outcome
    runner.close()
    deadline = time.monotonic() + 5
    while (left := _ours()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def _ours() -> list[str]:
    lines = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if "data_pipeline.tools.worker" in line and str(os.getpid()) not in line.split()[:1]]
