"""Where weights come from: recipe, data, code, licences and machine, in a file beside them that may be published.

It holds no absolute paths, no addresses of repositories and no secrets.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml

from data_pipeline.core.jsonl import write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlam_train.recipe import TrainRecipe

PROVENANCE = "provenance.json"
OURS = "xlam-train"
PACKAGES = (
    OURS,
    "accelerate",
    "bitsandbytes",
    "deepspeed",
    "numpy",
    "peft",
    "safetensors",
    "tokenizers",
    "torch",
    "transformers",
)
# `packing.tokens_per_tree` and its like are numbers, and no secrets.
SECRET = re.compile(r"token(?!s)|secret|password|passwd|api[-_]?key|credential", re.IGNORECASE)
IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+@")


def write_provenance(
    folder: Path, recipe: TrainRecipe, base: Path, dataset_sha256: str, began: datetime, processes: int
) -> None:
    """Write provenance.json; on one rank.

    Args:
        folder: of the weights.
        recipe: resolved.
        base: folder of the base model, whose card may name its licence.
        dataset_sha256: fingerprint of the training data.
        began: start of the run, or of its last resume, with its time zone.
        processes: ranks that trained together.

    Raises:
        InputError: the folder cannot be written.
    """
    content = {
        "recipe_sha256": recipe_sha256(recipe),
        "dataset": {"name": recipe.data.path.name, "sha256": dataset_sha256},
        "base": {"name": _public_name(recipe.model.base), "revision": recipe.model.revision or _commit(base)},
        "licences": licences(base, recipe.data.path),
        "versions": versions(),
        "git": git_state(Path.cwd()),
        "command": public_command(sys.argv),
        "hardware": hardware(processes),
        "began": began.astimezone(timezone.utc).isoformat(timespec="seconds"),
        "ended": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    write_json(folder / PROVENANCE, content)


def _commit(base: Path) -> str | None:
    """Of a base from the hub, whose folder in the cache is named by it; None for any other folder."""
    return base.name if base.parent.name == "snapshots" else None


def recipe_sha256(recipe: TrainRecipe) -> str:
    """Hash of everything in a resolved recipe but the output folder: equal where the same weights are to come out."""
    content = recipe.model_dump(mode="json", exclude={"out"})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Of Python and the packages that decide about the weights, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit of the repository around a folder, and whether its files were changed since; None without one."""
    commit = _git(folder, "rev-parse", "HEAD")
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return None if commit is None else {"commit": commit, "dirty": bool(status)}


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def licences(base: Path, dataset: Path) -> dict[str, str | None]:
    """What the cards of base model and dataset say, and ours; None where there is nothing to read."""
    try:
        ours = metadata.metadata(OURS).json.get("license_expression")
    except metadata.PackageNotFoundError:
        ours = None
    return {"base": _card_licence(base), "dataset": _card_licence(dataset), OURS: str(ours) if ours else None}


def _card_licence(folder: Path) -> str | None:
    """`license_name` if the licence is one of no common kind, else `license`, from the card's YAML header."""
    try:
        parts = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
        header = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0].strip() else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    if not isinstance(header, dict):
        return None
    licence = header.get("license_name") or header.get("license")
    return str(licence) if licence else None


def hardware(processes: int) -> dict[str, Any]:
    """Names, not addresses: processors, GPUs of this machine, and the number of ranks on all."""
    return {
        "processes": processes,
        "cpu": _cpu_name(),
        "cpu_cores": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "system": f"{platform.system()} {platform.machine()}",
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def public_command(arguments: Sequence[str]) -> list[str]:
    """A command line without secrets, credentials in addresses and absolute paths."""
    return [_public(argument) for argument in arguments]


def _public(argument: str) -> str:
    name, sign, value = argument.partition("=")
    if sign and SECRET.search(name):
        return f"{name}=***"
    return f"{name}={_public_name(value)}" if sign else _public_name(argument)


def _public_name(value: str) -> str:
    """A path as seen from here, or its last part; anything else without credentials."""
    path = Path(value)
    if path.is_absolute():
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else path.name
    return IN_ADDRESS.sub("", value)
