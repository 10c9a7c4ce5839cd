"""Rotary embedding as config.json describes it and as a GGUF file does, across the spellings transformers has used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gguf
import torch

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_ORIGINAL = "original_max_position_embeddings"
# What each kind of scaling cannot do without.
_NEEDED = {
    "default": (),
    "linear": ("factor",),
    "yarn": ("factor", _ORIGINAL),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", _ORIGINAL),
}
# What llama.cpp has compiled in for YaRN in these architectures.
_YARN = {"beta_fast": 32, "beta_slow": 1, "truncate": True}


@dataclass(frozen=True)
class Rope:
    """Rotary embedding.

    Attributes:
        kind: "default", "linear", "yarn" (arXiv 2309.00071) or "llama3".
        theta: base frequency.
        factor: context extension; 1 for "default".
        parameters: the raw settings, for the kinds that have more.
    """

    kind: str
    theta: float
    factor: float
    parameters: dict[str, Any]

    @classmethod
    def from_config(cls, config: dict[str, Any], where: Path) -> Rope:
        """Settings of a config.json: transformers 5 has `rope_parameters`, older ones `rope_theta`, `rope_scaling`.

        Raises:
            InputError: a kind of scaling llama.cpp cannot do, or a setting is missing.
        """
        parameters = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
        kind = str(parameters.get("rope_type", parameters.get("type", "default")))
        _check(kind, parameters, where)
        theta = parameters.get("rope_theta") or config.get("rope_theta") or 10000.0
        return cls(kind, float(theta), float(parameters["factor"] if _NEEDED[kind] else 1.0), parameters)

    def add_to(self, writer: gguf.GGUFWriter) -> None:
        """Put the settings into the writer's metadata; those of "llama3" are a tensor, see `factors`."""
        writer.add_rope_freq_base(self.theta)
        if self.kind == "linear":
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(self.factor)
        elif self.kind == "yarn":
            self._add_yarn(writer)

    def _add_yarn(self, writer: gguf.GGUFWriter) -> None:
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(self.factor)
        writer.add_rope_scaling_orig_ctx_len(int(self.parameters[_ORIGINAL]))
        # llama.cpp multiplies cosine and sine by the paper's factor by itself; the file has what goes beyond.
        extra = self._attention_factor() / _temperature(self.factor)
        if extra != 1.0:
            writer.add_rope_scaling_attn_factors(extra)

    def _attention_factor(self) -> float:
        """What transformers multiplies cosine and sine by under "yarn"."""
        if (given := self.parameters.get("attention_factor")) is not None:
            return float(given)
        scale, of_all = self.parameters.get("mscale"), self.parameters.get("mscale_all_dim")
        if scale and of_all:
            return _temperature(self.factor, scale) / _temperature(self.factor, of_all)
        return _temperature(self.factor)

    def factors(self, head_dim: int) -> NDArray[np.float32] | None:
        """Divisors of the rotary frequencies, [head_dim / 2], under "llama3" scaling, else None."""
        if self.kind != "llama3":
            return None
        low, high = float(self.parameters["low_freq_factor"]), float(self.parameters["high_freq_factor"])
        # In torch's float32 and in this order, so that the values are those of llama.cpp's converter.
        steps = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
        wavelengths = 2 * math.pi / (1.0 / self.theta**steps)
        turns = float(self.parameters[_ORIGINAL]) / wavelengths
        # 1 where a wave turns often in the original context, `factor` where hardly at all, smooth between.
        smooth = ((turns - low) / (high - low)).clamp(0.0, 1.0)
        factors: NDArray[np.float32] = (1.0 / ((1.0 - smooth) / self.factor + smooth)).numpy()
        return factors


def _check(kind: str, parameters: dict[str, Any], where: Path) -> None:
    path = where / "config.json"
    if kind == "dynamic":
        raise InputError(
            f"{path}: rotary scaling 'dynamic' changes with the length of a prompt, which llama.cpp cannot do; "
            "train with linear, yarn or llama3 scaling"
        )
    if kind not in _NEEDED:
        raise InputError(f"{path}: rotary scaling '{kind}' cannot be exported; supported: {', '.join(_NEEDED)}")
    if missing := [key for key in _NEEDED[kind] if parameters.get(key) is None]:
        raise InputError(f"{path}: rotary scaling '{kind}' without {', '.join(missing)}; add it")
    if parameters.get("partial_rotary_factor", 1.0) != 1.0:
        raise InputError(f"{path}: partial_rotary_factor cannot be exported; use a model that rotates whole heads")
    if kind == "yarn":
        for key, value in _YARN.items():
            if parameters.get(key) not in (None, value):
                raise InputError(f"{path}: yarn with {key}: {parameters[key]}; llama.cpp has {value}, train with that")


def _temperature(factor: float, scale: float = 1.0) -> float:
    """YaRN's multiplier of cosine and sine (arXiv 2309.00071, eq. 22)."""
    return 0.1 * scale * math.log(factor) + 1.0 if factor > 1 else 1.0
