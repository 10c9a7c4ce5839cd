"""Merging where the disk is full, the process is killed, or another one is at it: whole results or none, one line."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_bases import save_base

from data_pipeline.core.errors import CheckFailed, InputError
from xlam_train.export.files import whole_file, whole_folder
from xlam_train.export.merge import merge_adapter
from xlam_train.export.shards import Slot, write_shards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

ROOT = Path(__file__).parents[2]
MERGE = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from xlam_train.export import merge
if len(sys.argv) > 1:
    base, adapter, out, shard = sys.argv[1:]
    merge.merge_adapter(Path(base), Path(adapter), Path(out), probe_ids=[[5, 6, 7]], shard_size=shard)
status = Path("/proc/self/status").read_text()
print("peak", status.partition("VmHWM:")[2].split()[0])
"""


def merging(*arguments: object) -> subprocess.Popen[str]:
    """A process that merges, or without arguments only imports, and prints its peak resident set in KiB."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-c", MERGE, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=pipe, stderr=pipe)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """The kernel fails a write that would make a file larger, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def save_adapter(base: Path, folder: Path) -> Path:
    """On every q_proj of a base, written by hand: building a model of 500 MB for it would take its memory and time."""
    config = json.loads((base / "config.json").read_text())
    width = config["hidden_size"]
    torch.manual_seed(1)
    names = [
        f"base_model.model.model.layers.{layer}.self_attn.q_proj.lora_" for layer in range(config["num_hidden_layers"])
    ]
    weights = {f"{name}A.weight": torch.randn(4, width) * 0.1 for name in names}
    weights |= {f"{name}B.weight": torch.randn(width, 4) * 0.1 for name in names}
    folder.mkdir()
    settings = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    save_file(weights, folder / "adapter_model.safetensors", {"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """A folder with base/ (1.2 MB) and adapter/."""
    folder = tmp_path_factory.mktemp("small")
    save_base(folder / "base", tiny_base, hidden_size=128)
    save_adapter(folder / "base", folder / "adapter")
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """The same with a base of 520 MB in float32, in shards of 100 MB; all its layers are alike."""
    folder = tmp_path_factory.mktemp("large")
    base = save_base(folder / "base", tiny_base, hidden_size=1024, intermediate_size=2816, num_hidden_layers=1)
    one = load_file(base / "model.safetensors")
    names = {name.replace("layers.0", f"layers.{layer}"): name for layer in range(12) for name in one}
    slots = [Slot(name, tuple(one[source].shape), torch.float32) for name, source in names.items()]
    (base / "model.safetensors").unlink()
    write_shards(base, slots, ((name, one[source]) for name, source in names.items()), 100_000_000)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 12}))
    save_adapter(base, folder / "adapter")
    return folder


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_disk_that_fills_up_while_shards_are_written(small: Path, tmp_path: Path) -> None:
    """Nothing new is kept, and what was there stays."""
    out = tmp_path / "out"
    shutil.copytree(small / "base", out)
    with (
        no_file_beyond(500_000),
        pytest.raises(InputError, match=r"no space left writing .*out: free \d+ MB") as caught,
    ):
        merge_adapter(small / "base", small / "adapter", out, probe_ids=[[5, 6, 7]])
    assert "\n" not in str(caught.value)
    assert left(tmp_path) == ["out"]
    assert (out / "model.safetensors").read_bytes() == (small / "base" / "model.safetensors").read_bytes()


def test_a_disk_that_is_too_small_is_noticed_before_the_work(tmp_path: Path) -> None:
    """A real file system of 1 MB, in a name space of its own."""
    if shutil.which("unshare") is None:
        pytest.skip("needs the program unshare")
    mount = f"mount -t tmpfs -o size=1m none {tmp_path}"
    own = ["unshare", "-Urm", "sh", "-c"]
    if subprocess.run([*own, mount], check=False, capture_output=True, timeout=120).returncode:
        pytest.skip("needs a kernel that lets users mount in name spaces of their own")
    script = f"{mount} && cd {ROOT} && {sys.executable} -c '{FULL}' {tmp_path}"
    done = subprocess.run([*own, script], check=False, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["early: no space left: True", "late: no space left: True", "left: []"]


FULL = """
import sys
from pathlib import Path
from data_pipeline.core.errors import CheckFailed, InputError
from xlam_train.export.files import whole_folder
out = Path(sys.argv[1]) / "out"
for name, needed in (("early", 2_000_000), ("late", 1)):
    try:
        with whole_folder(out, needed) as folder:
            (folder / "model.safetensors").write_bytes(bytes(2_000_000))
    except InputError as error:
        print(f"{name}: no space left:", "no space left writing" in str(error))
print("left:", [path.name for path in out.parent.iterdir()])
"""


@pytest.mark.slow
def test_a_killed_merge_leaves_nothing_that_looks_whole(large: Path, tmp_path: Path) -> None:
    """And what it leaves is gone after the next one."""
    run = merging(large / "base", large / "adapter", tmp_path / "out", "100MB")
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".out.*.partial/model-00003*")):
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.glob(".out.*.partial"))
    with whole_folder(tmp_path / "out", 1) as folder:
        (folder / "config.json").touch()
    assert left(tmp_path) == ["out"]


def test_a_kill_between_the_renames_loses_nothing(tmp_path: Path) -> None:
    """The old model is out of the way, the new one not yet in its place."""
    (tmp_path / ".out.1.old").mkdir()
    (tmp_path / ".out.1.old" / "older").touch()
    (tmp_path / ".out.1.partial").mkdir()
    with pytest.raises(CheckFailed), whole_folder(tmp_path / "out", 1):
        raise CheckFailed("the next one fails")
    assert left(tmp_path) == ["out"]
    assert left(tmp_path / "out") == ["older"]


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_two_exports_do_not_write_the_same_target(
    tmp_path: Path, whole: Callable[..., AbstractContextManager[Path]]
) -> None:
    with (tmp_path / ".out.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused = pytest.raises(InputError, match=r"out: another export is writing it; wait for it, or choose another")
        with refused, whole(tmp_path / "out", 1):
            pytest.fail("written")
    assert left(tmp_path) == [".out.lock"]


@pytest.mark.slow
def test_peak_memory_is_the_base_and_a_shard(large: Path, tmp_path: Path) -> None:
    """Of children: one that only imports, and one that merges, compares, and writes shards of 100 MB."""
    peaks = []
    for arguments in ((), (large / "base", large / "adapter", tmp_path / "out", "100MB")):
        output, errors = (run := merging(*arguments)).communicate(timeout=300)
        assert run.returncode == 0, errors
        peaks.append(int(output.rpartition("peak ")[2]) * 1024)
    size = sum(path.stat().st_size for path in (large / "base").glob("*.safetensors"))
    written = sum(path.stat().st_size for path in (tmp_path / "out").glob("*.safetensors"))
    assert written == pytest.approx(size, rel=1e-3)
    assert size > 500_000_000
    idle, merged = peaks
    print(f"idle {idle / 1e6:.0f} MB, merging {merged / 1e6:.0f} MB, base {size / 1e6:.0f} MB")
    assert merged < idle + size + 100_000_000
