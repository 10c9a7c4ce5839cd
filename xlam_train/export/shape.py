"""What config.json says about the sizes of a model, and which tensors a model of these sizes has."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import gguf

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json
from xlam_train.export.rope import Rope

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Architecture:
    """How llama.cpp runs a model class of transformers.

    Attributes:
        gguf: llama.cpp's architecture.
        interleaved: its rotary embedding pairs neighbouring rows, so that query and key rows are reordered.
        query_bias: query, key and value have biases whatever config.json says.
    """

    gguf: gguf.MODEL_ARCH
    interleaved: bool
    query_bias: bool = False

    @property
    def name(self) -> str:
        """As in `general.architecture`, and the prefix of the architecture's metadata."""
        name: str = gguf.MODEL_ARCH_NAMES[self.gguf]
        return name


_LLAMA = Architecture(gguf.MODEL_ARCH.LLAMA, interleaved=True)
ARCHITECTURES = MappingProxyType(
    {
        "LlamaForCausalLM": _LLAMA,
        "MistralForCausalLM": _LLAMA,
        "MixtralForCausalLM": _LLAMA,
        "Qwen2ForCausalLM": Architecture(gguf.MODEL_ARCH.QWEN2, interleaved=False, query_bias=True),
    }
)


@dataclass(frozen=True)
class ModelShape:
    """Sizes of a model.

    Attributes:
        architecture: how llama.cpp runs it.
        layers: number of blocks.
        hidden: width of the residual stream.
        feed_forward: width inside an MLP, of one expert where there are several.
        heads: query heads.
        kv_heads: key and value heads.
        head_dim: width of a head.
        context: tokens up to which llama.cpp computes what transformers does.
        vocab: rows of the embedding.
        rms_eps: of the norms.
        tied: input and output embeddings are one.
        attention_bias: query, key and value have biases.
        output_bias: the attention's output has one.
        mlp_bias: the MLP's matrices have biases.
        experts: number of experts in a layer, 0 without.
        experts_used: experts a token takes.
        rope: rotary embedding.
    """

    architecture: Architecture
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
    attention_bias: bool
    output_bias: bool
    mlp_bias: bool
    experts: int
    experts_used: int
    rope: Rope

    @classmethod
    def from_config(cls, config: dict[str, Any], where: Path) -> ModelShape:
        """Sizes from a config.json.

        Raises:
            InputError: another architecture, a size is missing, or a setting llama.cpp cannot express.
        """
        architecture = _supported(config, where)
        bias = bool(config.get("attention_bias", False))
        try:
            heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
            return cls(
                architecture=architecture,
                layers=int(config["num_hidden_layers"]),
                hidden=hidden,
                feed_forward=int(config["intermediate_size"]),
                heads=heads,
                kv_heads=int(config.get("num_key_value_heads") or heads),
                head_dim=int(config.get("head_dim") or hidden // heads),
                context=_context(config),
                vocab=int(config["vocab_size"]),
                rms_eps=float(config["rms_norm_eps"]),
                tied=bool(config.get("tie_word_embeddings", False)),
                attention_bias=bias or architecture.query_bias,
                output_bias=bias and not architecture.query_bias,
                mlp_bias=bool(config.get("mlp_bias", False)),
                experts=int(config.get("num_local_experts") or 0),
                experts_used=int(config.get("num_experts_per_tok") or 0),
                rope=Rope.from_config(config, where),
            )
        except KeyError as error:
            raise InputError(
                f"{where / 'config.json'}: no {error.args[0]}; use the config of the base model"
            ) from error

    def expected_tensors(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor the model cannot do without but its experts', by its Hugging Face name."""
        expected: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocab, self.hidden)}
        for layer in range(self.layers):
            for name, shape in self._layer_tensors().items():
                expected[f"model.layers.{layer}.{name}"] = shape
        expected["model.norm.weight"] = (self.hidden,)
        if not self.tied:
            expected["lm_head.weight"] = (self.vocab, self.hidden)
        return expected

    def _layer_tensors(self) -> dict[str, tuple[int, ...]]:
        matrices = self._attention() | ({} if self.experts else self._mlp())
        found: dict[str, tuple[int, ...]] = {f"{name}.weight": shape for name, shape in matrices.items()}
        biased = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"] if self.attention_bias else []
        biased += ["self_attn.o_proj"] if self.output_bias else []
        biased += self._mlp() if self.mlp_bias else []
        found |= {f"{name}.bias": matrices[name][:1] for name in biased}
        norms = ("input_layernorm", "post_attention_layernorm")
        return found | {f"{name}.weight": (self.hidden,) for name in norms}

    def _attention(self) -> dict[str, tuple[int, ...]]:
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "self_attn.q_proj": (queries, self.hidden),
            "self_attn.k_proj": (keys, self.hidden),
            "self_attn.v_proj": (keys, self.hidden),
            "self_attn.o_proj": (self.hidden, queries),
        }

    def _mlp(self) -> dict[str, tuple[int, ...]]:
        return {
            "mlp.gate_proj": (self.feed_forward, self.hidden),
            "mlp.up_proj": (self.feed_forward, self.hidden),
            "mlp.down_proj": (self.hidden, self.feed_forward),
        }

    def add_to(self, writer: gguf.GGUFWriter) -> None:
        """Put every size into the writer's metadata."""
        writer.add_block_count(self.layers)
        writer.add_context_length(self.context)
        writer.add_embedding_length(self.hidden)
        writer.add_feed_forward_length(self.feed_forward)
        writer.add_head_count(self.heads)
        writer.add_head_count_kv(self.kv_heads)
        writer.add_key_length(self.head_dim)
        writer.add_value_length(self.head_dim)
        writer.add_layer_norm_rms_eps(self.rms_eps)
        writer.add_vocab_size(self.vocab)
        writer.add_rope_dimension_count(self.head_dim)
        if self.experts:
            writer.add_expert_count(self.experts)
            writer.add_expert_used_count(self.experts_used)
        self.rope.add_to(writer)


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


def _supported(config: dict[str, Any], where: Path) -> Architecture:
    name = next(iter(config.get("architectures") or []), "none")
    if name not in ARCHITECTURES:
        raise InputError(f"{where}: architecture {name} cannot be exported; supported: {', '.join(ARCHITECTURES)}")
    if config.get("hidden_act", "silu") != "silu":
        raise InputError(f"{where}: activation {config['hidden_act']}; llama.cpp's {name} has silu only")
    if config.get("quantization_config"):
        raise InputError(f"{where}: the weights are quantized; export the merged model in full precision")
    return ARCHITECTURES[name]


def _context(config: dict[str, Any]) -> int:
    """Longest context; no longer than a sliding window, which llama.cpp does not have in these architectures."""
    context = int(config["max_position_embeddings"])
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    return min(context, int(window)) if window else context
