"""What a run trains, in numbers, and how its result is saved."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from data_pipeline.core.jsonl import read_json
from xlam_train.fingerprint import BaseRecord
from xlam_train.quantize import quant_states, state_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from transformers import GenerationConfig, PreTrainedTokenizerBase

FOUR_BIT = "nf4"


@dataclass(frozen=True)
class TrainableSummary:
    """Parameters of a model, tied ones counted once, of the whole model also where ranks hold shards.

    Attributes:
        trainable: parameters that have a gradient.
        total: all parameters; a 4-bit one counts as the weight that it stands for.
        four_bit: parameters stored in 4 bits.
        bytes_by_type: bytes that the parameters take, by type; `nf4` includes the scales.
    """

    trainable: int
    total: int
    four_bit: int
    bytes_by_type: dict[str, int]

    @property
    def frozen(self) -> int:
        """Parameters without a gradient."""
        return self.total - self.trainable


def trainable_summary(model: torch.nn.Module) -> TrainableSummary:
    """Count a model as `load_for_training` returns it, wrapped by an engine or not."""
    states = quant_states(model)
    stored: Counter[str] = Counter()
    trainable = total = four_bit = 0
    for name, weight in model.named_parameters():
        if name in states:
            size = states[name].shape.numel()
            four_bit += size
            stored[FOUR_BIT] += weight.nbytes + state_bytes(states[name])
        else:
            size = int(getattr(weight, "ds_numel", weight.numel()))  # ZeRO-3 leaves an empty tensor on the rank
            stored[str(weight.dtype).removeprefix("torch.")] += size * weight.element_size()
        total += size
        trainable += size if weight.requires_grad else 0
    return TrainableSummary(trainable, total, four_bit, dict(stored))


def trainable_state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """What is trained, in the host's memory, gathered tensor by tensor where ZeRO-3 holds shards.

    All ranks must call it. Gathering the frozen base as well, as engines do, would need room for the whole model.
    """
    trained = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    if not any(hasattr(weight, "ds_id") for _, weight in trained):
        return {name: weight.detach().cpu() for name, weight in trained}
    import deepspeed

    state = {}
    for name, weight in trained:
        with deepspeed.zero.GatheredParameters([weight]):
            state[name] = weight.detach().cpu().clone()
    return state


def save_trained(
    model: Any,
    folder: Path,
    base: Path,
    *,
    tokenizer: PreTrainedTokenizerBase,
    end_token_id: int,
    state: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Save the result of a run, on one rank; the caller makes the folder appear whole.

    Full: a Hugging Face folder in the base's type, with tokenizer. Adapters: peft's folder with the record of the
    base, and the tokenizer where tokens were added. Both with a generation config that stops at `end_token_id`.

    Args:
        model: from `load_for_training`, unwrapped.
        folder: where to save; created.
        base: the base's folder.
        tokenizer: the one that encoded the data.
        end_token_id: the token that ends the assistant's turn, `Renderer.end_token_id`.
        state: the gathered weights where ranks hold shards: `trainable_state(model)` of adapters,
            `accelerator.get_state_dict(engine)` of a whole model. None takes the model's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if hasattr(model, "peft_config"):
        _save_adapter(model, folder, base, tokenizer, state)
    else:
        _save_full(model, folder, base, state)
        tokenizer.save_pretrained(folder)
    # Not by `save_pretrained`, which refuses what many bases are published with: a temperature without sampling.
    _generation_config(model, end_token_id).to_json_file(folder / "generation_config.json")


def _save_adapter(
    model: Any, folder: Path, base: Path, tokenizer: Any, state: Mapping[str, torch.Tensor] | None
) -> None:
    # Added rows are stored on their own; the embedding beside them would be the base's.
    model.save_pretrained(folder, state_dict=state, save_embedding_layers=False)
    inner = model.get_base_model()
    quantized = str(inner.dtype).removeprefix("torch.") if quant_states(inner) else None
    BaseRecord.of(base, int(inner.config.vocab_size), quantized).write(folder)
    if model.peft_config["default"].trainable_token_indices:
        tokenizer.save_pretrained(folder)


def _save_full(model: Any, folder: Path, base: Path, state: Mapping[str, torch.Tensor] | None) -> None:
    """In the type that the base was published in: what was trained in fp32 is served in that."""
    config = read_json(base / "config.json")
    dtype = getattr(torch, config.get("dtype") or config.get("torch_dtype") or "float32")
    model.save_pretrained(folder, state_dict=_cast(model.state_dict() if state is None else state, dtype))
    saved = copy.deepcopy(model.config)
    saved.dtype, saved.use_cache = dtype, True
    saved.save_pretrained(folder)


def _cast(state: Mapping[str, torch.Tensor], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Every weight in another type; tied ones stay one."""
    done: dict[int, torch.Tensor] = {}
    for weight in state.values():
        done.setdefault(weight.data_ptr(), weight.to(dtype) if weight.is_floating_point() else weight)
    return {name: done[weight.data_ptr()] for name, weight in state.items()}


def _generation_config(model: Any, end_token_id: int) -> GenerationConfig:
    """The base's, stopping at the end of the turn as well as where it stopped before."""
    config: GenerationConfig = copy.deepcopy(model.generation_config)
    before = config.eos_token_id
    before = before if isinstance(before, list) else [] if before is None else [before]
    ends = list(dict.fromkeys([end_token_id, *before]))
    config.eos_token_id = ends if len(ends) > 1 else end_token_id
    return config
