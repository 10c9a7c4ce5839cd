"""The sandbox's parts one by one: the filter's program, the file rules, the command lines, what a level is worth."""

from __future__ import annotations

import errno
import json
import signal
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.tools import source
from data_pipeline.tools.sandbox import LEVELS, Level, SandboxRecord, best_level, python_command, server_command
from data_pipeline.tools.sandbox.landlock import landlock_version
from data_pipeline.tools.sandbox.seccomp import build_filter

if TYPE_CHECKING:
    from pathlib import Path

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a Linux kernel's own layers")
ALLOW, KILL, DENY, NO_SUCH_CALL = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
X86, ARM = 0xC000003E, 0xC00000B7


def run_filter(program: bytes, number: int, arch: int, first_argument: int = 0) -> int:
    """What the kernel would answer: an interpreter of the few opcodes the filter uses."""
    data = struct.pack("=IIQQ", number, arch, 0, first_argument)
    instructions = list(struct.iter_unpack("=HBBI", program))
    at, register = 0, 0
    while True:
        code, if_true, if_false, value = instructions[at]
        at += 1
        if code == 0x06:
            return int(value)
        if code == 0x20:
            register = struct.unpack_from("=I", data, value)[0]
            continue
        holds = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[code]
        at += if_true if holds else if_false


@pytest.mark.parametrize(
    ("machine", "arch", "numbers"),
    [
        ("x86_64", X86, {"read": 0, "execve": 59, "socket": 41, "mount": 165, "ptrace": 101, "fork": 57, "clone": 56}),
        ("aarch64", ARM, {"read": 63, "execve": 221, "socket": 198, "mount": 40, "ptrace": 117, "clone": 220}),
    ],
)
def test_the_filter_decides_call_by_call(machine: str, arch: int, numbers: dict[str, int]) -> None:
    tool, server = build_filter(False, machine), build_filter(True, machine)
    for name, number in numbers.items():
        both = name in ("mount", "ptrace")
        denied = DENY if name != "read" else ALLOW
        assert run_filter(tool, number, arch) == denied, name
        assert run_filter(server, number, arch) == (DENY if both else ALLOW), name
    thread, clone3 = 0x10000, 435
    assert run_filter(tool, numbers["clone"], arch, thread) == ALLOW
    assert run_filter(tool, clone3, arch) == run_filter(server, clone3, arch) == NO_SUCH_CALL


def test_a_foreign_architecture_is_killed_and_x32_refused() -> None:
    program = build_filter(False, "x86_64")
    assert run_filter(program, 0, ARM) == KILL
    assert run_filter(program, 0x40000000 | 41, X86) == DENY
    with pytest.raises(OSError, match="no seccomp filter for sparc"):
        build_filter(False, "sparc")


@LINUX
@pytest.mark.skipif(not landlock_version(), reason="this kernel has no Landlock")
def test_landlock_leaves_only_what_is_named(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "a").write_text("seen", encoding="utf-8")
    (tmp_path / "secret").write_text("unseen", encoding="utf-8")
    code = (
        "import ctypes, json, sys\n"
        "from data_pipeline.tools.sandbox.landlock import restrict_files\n"
        "ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)\n"
        "folder = sys.argv[1]\n"
        "restrict_files([folder + '/open', folder + '/missing'], [], False)\n"
        "def read(name):\n"
        "    try: return open(folder + name).read()\n"
        "    except OSError as error: return error.errno\n"
        "print(json.dumps([read('/open/a'), read('/secret')]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["seen", errno.EACCES]


def _plan_of(command: list[str]) -> dict[str, Any]:
    return next(json.loads(part) for part in command if part.startswith("{"))


def test_a_tool_gets_less_than_a_server() -> None:
    tool = _plan_of(python_command("pass", (), 512, "partial", "/scratch"))
    assert (tool["memory_mb"], tool["scratch"], tool["server"]) == (512, "/scratch", False)
    assert _plan_of(server_command([sys.executable], level="partial"))["server"] is True
    assert "/" not in tool["readable"]


def test_processor_time_is_given_anew_and_ends() -> None:
    code = (
        "import resource, sys, time\n"
        "from data_pipeline.tools.sandbox.lockdown import allow_processor_time\n"
        "allow_processor_time(int(sys.argv[1]))\n"
        "allow_processor_time(int(sys.argv[2]))\n"
        "while time.process_time() < 2.5: pass\n"
    )

    def ending(*seconds: str) -> int:
        return subprocess.run([sys.executable, "-c", code, *seconds], check=False).returncode

    assert ending("9", "1") == -signal.SIGXCPU
    assert ending("1", "9") == 0


def test_below_every_level_a_server_is_just_itself() -> None:
    assert server_command([sys.executable, "-V"], level="limits") == [sys.executable, "-V"]
    with pytest.raises(InputError, match="no-such-server: no such program"):
        server_command(["no-such-server"])


def test_what_this_machine_can_do_is_said() -> None:
    record = best_level()
    assert record.level in LEVELS
    assert record.to_dict()["layers"]["limits"] is True


@pytest.mark.parametrize(("level", "left"), [("strict", "partial"), ("partial", "partial"), ("limits", "limits")])
def test_without_namespaces_nothing_is_strict(level: Level, left: Level) -> None:
    record = SandboxRecord(level, {"namespaces": True, "seccomp": True}).without_namespaces()
    assert record == SandboxRecord(left, {"namespaces": False, "seccomp": True})


def test_a_weaker_sandbox_than_required_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    weak = SandboxRecord("partial", {"namespaces": False, "landlock": 7, "error": "no user namespaces"})
    monkeypatch.setattr(source, "best_level", lambda: weak)
    assert source.shut_in("python:x", "partial") == "partial"
    with pytest.raises(InputError) as caught:
        source.shut_in("python:x", "strict")
    assert "this machine's sandbox is 'partial' where 'strict' is required" in str(caught.value)
    assert "no user namespaces" in str(caught.value)
