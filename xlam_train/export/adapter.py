"""What a peft adapter changes in each tensor of its base, read without building a model.

LoRA (Hu et al. 2021): W + s B A, with s = alpha / r, or alpha / sqrt(r) in rsLoRA (Kalajdzievski 2023). DoRA (Liu et
al. 2024): each row of that sum scaled to a learned length. An adapter on a mixture's experts is one pair of matrices an
expert, stacked. Added tokens and layers trained in full replace what the base has.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json

if TYPE_CHECKING:
    from pathlib import Path

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
_PREFIX = "base_model.model."
_ROWS = ".token_adapter.trainable_tokens_delta"
_LOW_RANK = re.compile(r"(.+)\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector)")
# Settings of peft that change what the adapter computes in ways that nothing here knows.
_UNKNOWN = (
    "alora_invocation_tokens",
    "arrow_config",
    "fan_in_fan_out",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "monteclora_config",
    "use_bdlora",
    "use_qalora",
    "velora_config",
)


@dataclass(frozen=True)
class LowRank:
    """The change of one weight, in float32.

    Attributes:
        a: [r, in]; of E experts [E r, in], expert by expert.
        b: [out, r]; of E experts [out, r E], experts innermost.
        scaling: s.
        magnitude: [out], lengths of the rows in DoRA.
    """

    a: torch.Tensor
    b: torch.Tensor
    scaling: float
    magnitude: torch.Tensor | None = None

    def applied(self, weight: torch.Tensor) -> torch.Tensor:
        """The changed weight, [out, in] -> [out, in]."""
        merged: torch.Tensor = torch.addmm(weight, self.b, self.a, alpha=self.scaling)
        if self.magnitude is None:
            return merged
        lengths: torch.Tensor = torch.linalg.norm(merged, dim=1)
        return merged * (self.magnitude / lengths)[:, None]

    def of_expert(self, expert: int, experts: int) -> LowRank:
        """One expert's part of an adapter on all of them."""
        rank = len(self.a) // experts
        mine = self.a[expert * rank : (expert + 1) * rank]
        return LowRank(mine, self.b.reshape(len(self.b), rank, experts)[:, :, expert], self.scaling)


class Adapter:
    """A peft folder; weights are read when they are asked for."""

    def __init__(self, folder: Path, scale: float = 1.0) -> None:
        """Read the config and the names of the weights.

        Args:
            folder: peft's.
            scale: factor of every low-rank change; below 1 is a place on the way back to the base.

        Raises:
            InputError: it is no whole LoRA adapter, one of a kind that cannot be merged, or none that can be scaled.
        """
        if not 0 < scale < math.inf:
            raise InputError(f"scale: {scale:g} is no factor of an adapter; give a number above 0, such as 0.8")
        self.folder, self.scale = folder, scale
        for name in (CONFIG, WEIGHTS):
            if not (folder / name).is_file():
                raise InputError(f"{folder}: no {name}, so no adapter; give the folder that training saved")
        self._config: dict[str, Any] = read_json(folder / CONFIG)
        self._check_kind()
        self._names = self._read_names()
        self._rows = {name[: -len(_ROWS)] + ".weight": name for name in self._names if name.endswith(_ROWS)}
        self.adapted = {found[1] for name in self._names if (found := _LOW_RANK.fullmatch(name))}
        low_rank = {name for name in self._names if _LOW_RANK.fullmatch(name)}
        self.replaced = self._names - low_rank - set(self._rows.values())

    @property
    def unties(self) -> bool:
        """Whether it brings an embedding or a head of its own, which makes two weights of a tied one."""
        whole = bool(self.replaced & {EMBEDDING, HEAD})
        return whole and not self._config.get("ensure_weight_tying")

    @property
    def stored(self) -> set[str]:
        """Names of its weights, as peft has them."""
        return {_PREFIX + name for name in self._names}

    @property
    def names(self) -> set[str]:
        """The base's modules and tensors that it changes."""
        return self.adapted | self.replaced | set(self._rows)

    def low_rank(self, module: str) -> LowRank:
        """The change of an adapted module."""
        a, b = self.read(f"{module}.lora_A.weight"), self.read(f"{module}.lora_B.weight")
        name = f"{module}.lora_magnitude_vector"
        return LowRank(a, b, self._scaling(module, len(a)), self.read(name) if name in self._names else None)

    def expert_change(self, module: str, shape: tuple[int, ...]) -> LowRank | None:
        """The change of a fused weight [experts, out, in]; None if it has none.

        peft nests the adapters of a module's weights and does not say which is whose; their shapes do.
        """
        experts, out, width = shape
        for name in (module, f"{module}.base_layer"):
            if name in self.adapted:
                a, b = self.read(f"{name}.lora_A.weight"), self.read(f"{name}.lora_B.weight")
                if (len(b), a.shape[1]) == (out, width):
                    return LowRank(a, b, self._scaling(name, len(a) // experts))
        return None

    def with_new_rows(self, name: str, weight: torch.Tensor) -> torch.Tensor:
        """An embedding or head with the rows that were trained on their own."""
        if name not in self._rows:
            return weight
        layers = self._config["trainable_token_indices"]
        module = name.removesuffix(".weight")
        ids = next(ids for layer, ids in layers.items() if f".{module}".endswith(f".{layer}"))
        return weight.index_copy(0, torch.tensor(ids), self.read(self._rows[name]))

    def read(self, name: str) -> torch.Tensor:
        """A stored tensor in float32, by its name without peft's prefix."""
        with safe_open(self.folder / WEIGHTS, framework="pt") as weights:
            value: torch.Tensor = weights.get_tensor(_PREFIX + name)
        return value.float()

    def rows_of(self, name: str) -> int | None:
        """Rows of an embedding or head that the adapter brings whole."""
        return len(self.read(name)) if name in self.replaced else None

    def _scaling(self, module: str, rank: int) -> float:
        patterns: dict[str, float] = self._config.get("alpha_pattern") or {}
        own = (value for key, value in patterns.items() if re.fullmatch(rf"(.*\.)?({key})", module))
        alpha = float(next(own, self._config["lora_alpha"]))
        return self.scale * alpha / (math.sqrt(rank) if self._config.get("use_rslora") else rank)

    def _check_kind(self) -> None:
        kind = self._config.get("peft_type")
        if kind != "LORA":
            raise InputError(f"{self.folder}: a {kind} adapter cannot be merged; train with LoRA")
        odd = next((key for key in _UNKNOWN if self._config.get(key)), None)
        if self._config.get("bias", "none") != "none":
            odd = "bias"
        if self.scale != 1 and self._config.get("use_dora"):
            raise InputError(f"{self.folder}: DoRA learns the lengths of rows for the whole adapter; leave scale at 1")
        if odd is not None:
            raise InputError(f"{self.folder}: {CONFIG} has '{odd}', which cannot be merged; train without it")

    def _read_names(self) -> set[str]:
        path = self.folder / WEIGHTS
        try:
            with safe_open(path, framework="pt") as weights:
                names = set(weights.keys())
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path}: cannot be read ({error}); copy the adapter again") from error
        if odd := sorted(name for name in names if not name.startswith(_PREFIX)):
            raise InputError(f"{path}: {odd[0]} is no weight of a peft adapter; save it with peft's save_pretrained")
        return {name[len(_PREFIX) :] for name in names}
