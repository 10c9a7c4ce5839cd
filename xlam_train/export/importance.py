"""Importance matrix: how large each input of each matrix is on real prompts, so that quantizing errs
where it matters least.

The definition and the file are llama.cpp's (tools/imatrix): the sum over tokens of the squared input of each column,
and the number of tokens. A matrix of experts has a row of sums for each expert, over the tokens sent to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import torch
from torch.nn.functional import linear

from data_pipeline.core.errors import InputError
from xlam_train.export.files import whole_file
from xlam_train.export.mixes import role_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

_SUMS, _COUNTS = ".in_sum2", ".counts"
_DATASETS, _CHUNKS, _CHUNK_SIZE = "imatrix.datasets", "imatrix.chunk_count", "imatrix.chunk_size"
_METADATA_BYTES = 1_000_000


@dataclass(frozen=True)
class Importance:
    """Squared inputs of a model's matrices on a data set.

    Attributes:
        sums: by tensor name in the GGUF file, over tokens, [experts or 1, columns].
        counts: by tensor name, tokens, [experts or 1].
        dataset: what the prompts came from, as the file will name it.
        rows: number of prompts.
        tokens: of all prompts together.
    """

    sums: Mapping[str, NDArray[np.float32]]
    counts: Mapping[str, NDArray[np.float32]]
    dataset: str
    rows: int
    tokens: int

    def of(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
        """Mean squared input of each column of a tensor, [experts or 1, columns]; 1 for an expert never asked.

        None for vectors, embeddings and the output, which llama.cpp quantizes without.

        Raises:
            InputError: the tensor is not of the model that was measured.
        """
        if len(shape) < 2 or role_of(name) in ("embedding", "output") or name.endswith("ffn_gate_inp.weight"):
            return None
        experts = shape[0] if len(shape) > 2 else 1
        found = self.sums.get(name)
        if found is None or found.shape != (experts, shape[-1]):
            said = "none" if found is None else f"{found.shape}"
            raise InputError(
                f"importance matrix: {name} needs {(experts, shape[-1])} columns, has {said}; collect it anew"
            )
        counts = self.counts[name][:, None]
        return np.where(counts > 0, found / np.maximum(counts, 1), 1).astype(np.float32)

    def add_to(self, writer: gguf.GGUFWriter) -> None:
        """Say in a quantized file what its importance came from, under llama.cpp's keys."""
        writer.add_string("quantize.imatrix.dataset", self.dataset)
        writer.add_uint32("quantize.imatrix.entries_count", len(self.sums))
        writer.add_uint32("quantize.imatrix.chunks_count", self.rows)

    def save(self, out: Path) -> None:
        """Write the file that llama.cpp's quantizer takes as --imatrix.

        Raises:
            InputError: it cannot be written.
        """
        writer = gguf.GGUFWriter(None, arch="", endianess=gguf.GGUFEndian.LITTLE)
        writer.kv_data[0].clear()  # no architecture: it is no model
        writer.add_type("imatrix")
        writer.add_array(_DATASETS, [self.dataset])
        writer.add_uint32(_CHUNKS, self.rows)
        writer.add_uint32(_CHUNK_SIZE, self.tokens // self.rows)
        for name in sorted(self.sums):
            writer.add_tensor(name + _SUMS, np.ascontiguousarray(self.sums[name], np.float32))
            writer.add_tensor(name + _COUNTS, np.ascontiguousarray(self.counts[name][:, None], np.float32))
        size = sum(sums.nbytes for sums in self.sums.values())
        with whole_file(out, size + _METADATA_BYTES) as temporary:
            writer.write_header_to_file(temporary)
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()

    @classmethod
    def load(cls, path: Path) -> Importance:
        """Read a file of `save` or of llama.cpp's imatrix tool.

        Raises:
            InputError: no such file, or another kind of file.
        """
        try:
            reader = gguf.GGUFReader(path)
            datasets, rows, size = (reader.fields[key].contents() for key in (_DATASETS, _CHUNKS, _CHUNK_SIZE))
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{path}: no importance matrix in llama.cpp's GGUF form ({error}); collect it again"
            ) from error
        tensors = {tensor.name: np.array(tensor.data, np.float32) for tensor in reader.tensors}
        sums = {name.removesuffix(_SUMS): values for name, values in tensors.items() if name.endswith(_SUMS)}
        missing = [name for name in sums if name + _COUNTS not in tensors]
        if missing or not sums:
            raise InputError(f"{path}: no counts for {', '.join(missing[:1]) or 'any tensor'}; collect it again")
        counts = {name: tensors[name + _COUNTS].reshape(-1) for name in sums}
        return cls(sums, counts, ", ".join(datasets), rows, rows * size)


def collect_importance(model: nn.Module, rows: Iterable[Sequence[int]], dataset: str) -> Importance:
    """Run a model over prompts and their answers, and sum the squared inputs of its matrices.

    Args:
        model: a causal language model of transformers, on any device; its experts, if any, as transformers 5 has them.
        rows: token ids of each prompt with its answer, at least one row.
        dataset: name of the data, for the file's metadata.

    Raises:
        InputError: no rows.
    """
    sums = _Sums()
    hooks = [module.register_forward_pre_hook(hook) for module, hook in _hooks(model, sums)]
    device = next(model.parameters()).device
    count = tokens = 0
    try:
        with torch.inference_mode():
            for row in rows:
                model(input_ids=torch.tensor([row], device=device), use_cache=False)
                count, tokens = count + 1, tokens + len(row)
    finally:
        for hook in hooks:
            hook.remove()
    if not tokens:
        raise InputError(f"importance matrix: {dataset} has no rows; give prompts with their answers")
    return Importance(sums.values(), sums.counts(), dataset, count, tokens)


class _Sums:
    """Running sums in F64, by tensor name: of each group's squared inputs, and of its tokens."""

    def __init__(self) -> None:
        self._sums: dict[str, torch.Tensor] = {}
        self._counts: dict[str, torch.Tensor] = {}

    def add(self, name: str, inputs: torch.Tensor, group: int = 0, groups: int = 1) -> None:
        """Inputs [tokens, columns] of one matrix, or of one expert of a tensor."""
        if name not in self._sums:
            self._sums[name] = torch.zeros(groups, inputs.shape[-1], dtype=torch.float64)
            self._counts[name] = torch.zeros(groups, dtype=torch.float64)
        self._sums[name][group] += inputs.float().square().sum(0).cpu()
        self._counts[name][group] += len(inputs)

    def values(self) -> dict[str, NDArray[np.float32]]:
        """Sums, [groups, columns]."""
        return {name: sums.float().numpy() for name, sums in self._sums.items()}

    def counts(self) -> dict[str, NDArray[np.float32]]:
        """Tokens, [groups]."""
        return {name: counts.float().numpy() for name, counts in self._counts.items()}


def _hooks(model: nn.Module, sums: _Sums) -> Iterable[tuple[nn.Module, Any]]:
    """Each module that holds matrices of a layer, and what notes its inputs."""
    config: Any = model.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for path, module in model.named_modules():
        layer = re.search(r"\.layers\.(\d+)\.", path)
        if layer is None:
            continue
        if isinstance(module, torch.nn.Linear):
            name = names.get_name(f"{path}.weight", try_suffixes=(".weight",))
            assert name is not None, path
            yield module, partial(_note_linear, sums, name)
        elif hasattr(module, "gate_up_proj") and hasattr(module, "num_experts"):
            yield module, partial(_note_experts, sums, f"blk.{layer[1]}.ffn")


def _note_linear(sums: _Sums, name: str, module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
    sums.add(name, inputs[0].flatten(0, -2))


def _note_experts(sums: _Sums, prefix: str, module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
    """The experts run inside one module: what reaches their second matrices is computed once more here."""
    hidden, chosen = inputs[0], inputs[1]
    for expert in range(module.num_experts):
        tokens = hidden[(chosen == expert).any(-1)]
        gate, up = linear(tokens, module.gate_up_proj[expert]).chunk(2, -1)
        for part, seen in (("gate", tokens), ("up", tokens), ("down", module.act_fn(gate) * up)):
            sums.add(f"{prefix}_{part}_exps.weight", seen, expert, module.num_experts)
