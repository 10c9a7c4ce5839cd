"""What config.json says about a Llama-type model, across the spellings transformers has used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

ARCHITECTURES = ("LlamaForCausalLM",)
_ROPE_KINDS = ("default", "linear", "llama3")


@dataclass(frozen=True)
class Rope:
    """Rotary embedding.

    Attributes:
        kind: "default", "linear" or "llama3".
        theta: base frequency.
        factor: context extension; 1 for "default".
        parameters: the raw settings, for the kinds that have more.
    """

    kind: str
    theta: float
    factor: float
    parameters: dict[str, Any]


@dataclass(frozen=True)
class LlamaShape:
    """Sizes of a Llama-type model; `context` in tokens, `tied` when input and output embeddings are one."""

    layers: int
    hidden: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_dim: int
    context: int
    vocab: int
    rms_eps: float
    tied: bool
    rope: Rope

    @classmethod
    def from_config(cls, config: dict[str, Any], where: Path) -> LlamaShape:
        """Sizes from a config.json.

        Raises:
            InputError: another architecture, a size is missing, or a setting llama.cpp cannot express.
        """
        _check_supported(config, where)
        try:
            heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
            return cls(
                layers=int(config["num_hidden_layers"]),
                hidden=hidden,
                feed_forward=int(config["intermediate_size"]),
                heads=heads,
                kv_heads=int(config.get("num_key_value_heads") or heads),
                head_dim=int(config.get("head_dim") or hidden // heads),
                context=int(config["max_position_embeddings"]),
                vocab=int(config["vocab_size"]),
                rms_eps=float(config["rms_norm_eps"]),
                tied=bool(config.get("tie_word_embeddings", False)),
                rope=_read_rope(config, where),
            )
        except KeyError as error:
            raise InputError(
                f"{where / 'config.json'}: no {error.args[0]}; use the config of the base model"
            ) from error

    def expected_tensors(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor the model cannot do without, by its Hugging Face name."""
        expected: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocab, self.hidden)}
        for layer in range(self.layers):
            for name, shape in self._layer_tensors().items():
                expected[f"model.layers.{layer}.{name}.weight"] = shape
        expected["model.norm.weight"] = (self.hidden,)
        if not self.tied:
            expected["lm_head.weight"] = (self.vocab, self.hidden)
        return expected

    def _layer_tensors(self) -> dict[str, tuple[int, ...]]:
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "input_layernorm": (self.hidden,),
            "post_attention_layernorm": (self.hidden,),
            "self_attn.q_proj": (queries, self.hidden),
            "self_attn.k_proj": (keys, self.hidden),
            "self_attn.v_proj": (keys, self.hidden),
            "self_attn.o_proj": (self.hidden, queries),
            "mlp.gate_proj": (self.feed_forward, self.hidden),
            "mlp.up_proj": (self.feed_forward, self.hidden),
            "mlp.down_proj": (self.hidden, self.feed_forward),
        }

    def rope_factors(self) -> NDArray[np.float32] | None:
        """Divisors of the rotary frequencies, [head_dim / 2], under "llama3" scaling, else None."""
        if self.rope.kind != "llama3":
            return None
        settings = self.rope.parameters
        low, high = float(settings["low_freq_factor"]), float(settings["high_freq_factor"])
        # In torch's float32 and in this order, so that the values are those of llama.cpp's converter.
        steps = torch.arange(0, self.head_dim, 2, dtype=torch.float32) / self.head_dim
        wavelengths = 2 * math.pi / (1.0 / self.rope.theta**steps)
        turns = float(settings["original_max_position_embeddings"]) / wavelengths
        # 1 where a wave turns often in the original context, `factor` where hardly at all, smooth between.
        smooth = ((turns - low) / (high - low)).clamp(0.0, 1.0)
        factors: NDArray[np.float32] = (1.0 / ((1.0 - smooth) / self.rope.factor + smooth)).numpy()
        return factors


def read_config(model_dir: Path) -> dict[str, Any]:
    """The folder's config.json.

    Raises:
        InputError: no such folder, or an adapter instead of a model.
    """
    if not model_dir.is_dir():
        raise InputError(f"{model_dir}: no such folder; give the folder of a merged model")
    path = model_dir / "config.json"
    if not path.is_file() and (model_dir / "adapter_config.json").is_file():
        raise InputError(f"{model_dir}: an adapter, not a model; run 'xlam export merge' first and give its folder")
    config: dict[str, Any] = read_json(path)
    return config


def _check_supported(config: dict[str, Any], where: Path) -> None:
    architecture = next(iter(config.get("architectures") or []), "none")
    if architecture not in ARCHITECTURES:
        raise InputError(
            f"{where}: architecture {architecture} cannot be exported; supported: {', '.join(ARCHITECTURES)}"
        )
    if config.get("hidden_act", "silu") != "silu":
        raise InputError(f"{where}: activation {config['hidden_act']}; llama.cpp's Llama has silu only")
    if config.get("quantization_config"):
        raise InputError(f"{where}: the weights are quantized; export the merged model in full precision")


def _read_rope(config: dict[str, Any], where: Path) -> Rope:
    """Rotary settings: transformers 5 has `rope_parameters`, older ones `rope_theta` and `rope_scaling`."""
    parameters = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    kind = str(parameters.get("rope_type", parameters.get("type", "default")))
    if kind not in _ROPE_KINDS:
        raise InputError(f"{where}: rotary scaling '{kind}' cannot be exported; supported: {', '.join(_ROPE_KINDS)}")
    needed = {"default": (), "linear": ("factor",)}.get(
        kind, ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
    )
    if missing := [key for key in needed if parameters.get(key) is None]:
        raise InputError(f"{where / 'config.json'}: rotary scaling '{kind}' without {', '.join(missing)}; add it")
    theta = parameters.get("rope_theta") or config.get("rope_theta") or 10000.0
    return Rope(kind, float(theta), float(parameters["factor"] if needed else 1.0), parameters)
