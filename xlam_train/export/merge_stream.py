"""The tensors of a merged model, made one after another from the files of base and adapter.

In memory at a time: one weight in float32 and what it is made of. A mixture under QLoRA needs one layer's experts at
once, because double quantization (Dettmers et al. 2023) shares its scales among them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import torch
from safetensors import safe_open

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json
from xlam_train.export.adapter import EMBEDDING, HEAD
from xlam_train.export.experts import ExpertGroup, expert_groups, split
from xlam_train.export.shards import Slot
from xlam_train.export.weights import locate_tensors
from xlam_train.quantize import BLOCK, QUANT_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xlam_train.export.adapter import Adapter
    from xlam_train.fingerprint import BaseRecord

INDEX = "model.safetensors.index.json"


class BaseWeights:
    """The tensors of a base's files."""

    def __init__(self, folder: Path) -> None:
        """Read the headers.

        Raises:
            InputError: a shard is missing or cut short, or lacks tensors that the index promises.
        """
        self.folder = folder
        self._stored = locate_tensors(folder)
        self.shapes = {name: tensor.shape for name, tensor in self._stored.items()}
        self.tied = bool(read_json(folder / "config.json").get("tie_word_embeddings"))
        if self.tied:
            self.shapes.pop(HEAD, None)  # some publishers store it twice
        if (folder / INDEX).is_file():
            self._check_index(read_json(folder / INDEX)["weight_map"])

    def read(self, name: str) -> torch.Tensor:
        """In float32."""
        return self._read(name).float()

    def dtype(self) -> torch.dtype:
        """The type that most weights are stored in."""
        sizes: Counter[torch.dtype] = Counter()
        for name, shape in self.shapes.items():
            sizes[self._read(name).dtype] += torch.Size(shape).numel()
        (found, _), *_ = sizes.most_common(1)
        return torch.float32 if found == torch.float64 else found

    def _read(self, name: str) -> torch.Tensor:
        # Opened anew for each tensor: a mapping kept open would count all pages read so far as ours.
        with safe_open(self._stored[name].file, framework="pt") as weights:
            value: torch.Tensor = weights.get_tensor(name)
        return value

    def _check_index(self, places: dict[str, str]) -> None:
        lost = sorted(name for name in places if name.endswith(".weight") and name not in self._stored)
        if lost:
            raise InputError(
                f"{self.folder / places[lost[0]]}: has no {lost[0]}, as {INDEX} says it has; copy the shards again"
            )


class MergedWeights:
    """The merged model as slots and, in the same order, tensors in float32."""

    def __init__(self, base: BaseWeights, adapter: Adapter, record: BaseRecord | None, dtype: torch.dtype) -> None:
        """Find out what becomes of each tensor.

        Args:
            base: the base's tensors.
            adapter: what changes.
            record: what training noted of the base, if it did.
            dtype: of the slots.

        Raises:
            InputError: the adapter changes something that the base does not have.
        """
        self._base, self._adapter = base, adapter
        self._four_bit = getattr(torch, record.four_bit) if record and record.four_bit else None
        self.rows = record.rows if record else adapter.rows_of(EMBEDDING) or base.shapes[EMBEDDING][0]
        self.tied = base.tied and not adapter.unties
        groups = {group.names[0]: group for group in expert_groups(base.shapes)}
        inside = {name for group in groups.values() for name in group.names}
        self._units: list[str | ExpertGroup] = [
            groups.get(name, name) for name in base.shapes if name in groups or name not in inside
        ]
        if base.tied and not self.tied:
            self._units.append(HEAD)
        self.slots = [slot for unit in self._units for slot in self._slots(unit, dtype)]
        self._check_all_used(list(groups.values()))

    def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Name and merged tensor of each slot."""
        for unit in self._units:
            if isinstance(unit, str):
                yield unit, self._merged(unit)
            else:
                yield from self._experts(unit)

    def _slots(self, unit: str | ExpertGroup, dtype: torch.dtype) -> list[Slot]:
        if isinstance(unit, ExpertGroup):
            return [Slot(name, self._base.shapes[name], dtype) for name in unit.names]
        shape = self._base.shapes[self._source(unit)]
        return [Slot(unit, (self.rows, *shape[1:]) if unit in (EMBEDDING, HEAD) else shape, dtype)]

    def _source(self, name: str) -> str:
        """Where a tensor comes from in the base: the head of an untied model from what it was tied to."""
        return name if name in self._base.shapes else EMBEDDING

    def _merged(self, name: str) -> torch.Tensor:
        if name in self._adapter.replaced:
            return self._adapter.read(name)
        weight = self._base.read(self._source(name))
        if self._four_bit is not None and name.endswith("_proj.weight"):
            weight = nf4_values(weight, self._four_bit)
        module = name.removesuffix(".weight")
        if module in self._adapter.adapted:
            weight = self._adapter.low_rank(module).applied(weight)
        if name in (EMBEDDING, HEAD) and self.rows > len(weight):
            weight = torch.cat([weight, weight.new_zeros(self.rows - len(weight), weight.shape[1])])
        return self._adapter.with_new_rows(name, weight)

    def _experts(self, group: ExpertGroup) -> Iterator[tuple[str, torch.Tensor]]:
        first = self._base.shapes[group.names[0]]
        change = self._adapter.expert_change(group.module, (group.experts, group.parts * first[0], first[1]))
        rounded = None
        if self._four_bit is not None:
            whole = torch.stack([self._fused(group, expert) for expert in range(group.experts)])
            rounded = nf4_values(whole, self._four_bit)
        for expert in range(group.experts):
            weight = self._fused(group, expert) if rounded is None else rounded[expert]
            if change is not None:
                weight = change.of_expert(expert, group.experts).applied(weight)
            yield from zip(group.of_expert(expert), split(weight, group.parts), strict=True)

    def _fused(self, group: ExpertGroup, expert: int) -> torch.Tensor:
        return torch.cat([self._base.read(name) for name in group.of_expert(expert)])

    def _check_all_used(self, groups: list[ExpertGroup]) -> None:
        known = {HEAD, *self._base.shapes, *(name.removesuffix(".weight") for name in self._base.shapes)}
        for group in groups:
            known |= {group.module, f"{group.module}.base_layer"}
        if odd := sorted(self._adapter.names - known):
            raise InputError(
                f"{self._adapter.folder}: does not fit {self._base.folder} ({len(odd)} weights without a counterpart, "
                f"first {odd[0]}); give the base it was trained on"
            )


def nf4_values(weight: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """What a weight that QLoRA quantized stands for, in float32.

    Args:
        weight: of the base; experts fused, as they were quantized together.
        dtype: the type that was quantized, since NF4 of bf16 weights is not quite NF4 of fp32 ones.
    """
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    packed, state = quantize_4bit(weight.to(dtype), blocksize=BLOCK, compress_statistics=True, quant_type=QUANT_TYPE)
    values: torch.Tensor = dequantize_4bit(packed, state)
    return values.float()
