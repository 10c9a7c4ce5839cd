"""The trained weights in a ZeRO checkpoint, put together on a CPU, with neither DeepSpeed nor a GPU.

Every rank keeps its part of the float32 masters beside its part of the optimizer's state (Rajbhandari et al. 2020).
ZeRO-1 and 2 lay all weights of a parameter group end to end and cut the row into one piece a rank; ZeRO-3 cuts each
weight into one piece a rank, the last one padded. Files are mapped, not read: a weight costs the memory of itself.
"""

from __future__ import annotations

import math
import pickle
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MODEL, _OPTIM = "*mp_rank_00_model_states.pt", "*zero_pp_rank_*_mp_rank_00_optim_states.pt"
_RANK = re.compile(r"zero_pp_rank_(\d+)_")
_STAGE_2, _STAGE_3 = "single_partition_of_fp32_groups", "fp32_flat_groups"


class _Ignored:
    """Stands for DeepSpeed's classes, whose contents are not needed; so no code of a checkpoint is run."""

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


_CLASSES: list[Any] = [
    (_Ignored, f"deepspeed.{name}")
    for name in (
        "runtime.fp16.loss_scaler.DynamicLossScaler",
        "runtime.fp16.loss_scaler.LossScaler",
        "runtime.zero.config.ZeroStageEnum",
        "utils.tensor_fragment.fragment_address",
    )
]


@dataclass(frozen=True)
class _Piece:
    """A stretch of a row that lies in several tensors, one behind the other."""

    row: Sequence[torch.Tensor]
    start: int
    length: int

    def read(self) -> list[torch.Tensor]:
        found, behind, end = [], 0, self.start + self.length
        for part in self.row:
            first, last = max(self.start - behind, 0), min(end - behind, len(part))
            if first < last:
                found.append(part[first:last])
            behind += len(part)
        return found


class ZeroShards:
    """The masters of a checkpoint.

    Attributes:
        shapes: of the trained weights, by their names in the trained module.
        compute: the type in which the run computed.
    """

    def __init__(self, folder: Path) -> None:
        """Map the files of all ranks.

        Args:
            folder: `global_stepN` of a checkpoint.

        Raises:
            InputError: files are missing, cut short, or hold something else.
        """
        self._folder = folder
        models = sorted(folder.glob(_MODEL))
        if not models:
            raise InputError(f"{folder}: no {_MODEL}, so no ZeRO checkpoint; copy the checkpoint again")
        groups = _load(models[0])["param_shapes"]
        self.shapes = {name: tuple(shape) for group in groups for name, shape in group.items()}
        ranks = [_load(path) for path in sorted(folder.glob(_OPTIM), key=_rank)]
        states = [rank["optimizer_state_dict"] for rank in ranks]
        self._check_ranks(states)
        self.compute = _compute(ranks[0]["ds_config"])
        if _STAGE_3 in states[0]:
            self._pieces = _stage_3(self.shapes, [state[_STAGE_3] for state in states])
        else:
            self._pieces = _stage_2(groups, states)
        self._check_sizes()

    def read(self, name: str) -> torch.Tensor:
        """A whole weight in float32."""
        parts = [part for piece in self._pieces[name] for part in piece.read()]
        size = math.prod(self.shapes[name])
        return torch.cat(parts)[:size].reshape(self.shapes[name]).detach()  # optimizers save parameters

    def _check_ranks(self, states: list[dict[str, Any]]) -> None:
        expected = states[0]["partition_count"] if states else 1
        expected = max(expected) if isinstance(expected, list) else expected
        if len(states) != expected:
            raise InputError(
                f"{self._folder}: files of {len(states)} of {expected} processes; copy those of all nodes together"
            )

    def _check_sizes(self) -> None:
        for name, pieces in self._pieces.items():
            found = sum(len(part) for piece in pieces for part in piece.read())
            if found < math.prod(self.shapes[name]):
                raise InputError(f"{self._folder}: {name} is incomplete; its files are not of one checkpoint")


def _stage_2(groups: list[dict[str, Any]], states: list[dict[str, Any]]) -> dict[str, list[_Piece]]:
    pieces = {}
    for number, group in enumerate(groups):
        row = [state[_STAGE_2][number] for state in states]
        gaps = states[0].get("param_alignment_paddings")
        start = 0
        for position, (name, shape) in enumerate(group.items()):
            pieces[name] = [_Piece(row, start, math.prod(shape))]
            start += math.prod(shape) + (gaps[number][position] if gaps else 0)
    return pieces


def _stage_3(shapes: dict[str, tuple[int, ...]], rows: list[list[torch.Tensor]]) -> dict[str, list[_Piece]]:
    pieces, start = {}, 0
    for name, shape in shapes.items():
        length = -(-math.prod(shape) // len(rows))
        pieces[name] = [_Piece(row, start, length) for row in rows]
        start += length
    return pieces


def _compute(config: dict[str, Any]) -> torch.dtype:
    if config.get("bf16", {}).get("enabled"):
        return torch.bfloat16
    return torch.float16 if config.get("fp16", {}).get("enabled") else torch.float32


def _rank(path: Path) -> int:
    found = _RANK.search(path.name)
    assert found, path
    return int(found[1])


def _load(path: Path) -> dict[str, Any]:
    try:
        with torch.serialization.safe_globals(_CLASSES):
            content: dict[str, Any] = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({str(error).splitlines()[0][:100]}); copy it again") from error
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: holds other things than DeepSpeed's, which are not run; take the original"
        ) from error
    return content
