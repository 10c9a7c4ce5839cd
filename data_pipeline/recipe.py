"""The recipe of a generation job: which tools, how many samples, which styles."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from data_pipeline.core.schema import Style
from data_pipeline.core.settings import Settings
from data_pipeline.tools.sandbox import Level


class DataRecipe(Settings):
    """One dataset; the same recipe and seed give the same bytes."""

    tools: list[str] = Field(default=["bundled"], min_length=1)
    """Tool sources to call: `bundled[:DOMAIN]`, `python:FILE_OR_MODULE`, `openapi:FILE_OR_URL[@BASE_URL]`,
    `mcp:COMMAND_OR_URL` or `json:FILE`."""

    without: list[str] = []
    """Tool sources taken out again, such as the domains kept for evaluation."""

    flat_arguments: bool = False
    """Leave out tools that take lists or objects: their queries and answers are longer, and their closing brackets
    are what a small model learns late. For runs of minutes; off, because most real tools have some."""

    require_sandbox: Level = "strict"
    """Least level of the sandbox for code from outside (Python files, MCP servers); a machine below it refuses to
    run it."""

    allow_write: bool = False
    """Whether REST operations other than GET and HEAD are offered; off, because generated calls would be made."""

    allow_hosts: list[str] = []
    """Hosts that REST calls may reach beside the service's own, such as one it redirects to."""

    seed: int = 1
    """Root of every random stream; another seed gives other samples."""

    shards: int = Field(default=4, ge=1)
    """Files the dataset is cut into; a killed job loses at most the shard it was on."""

    tool_sets_per_shard: int = Field(default=25, ge=1)
    """Prompts' tool lists drawn for a shard."""

    queries_per_tool_set: int = Field(default=12, ge=1)
    """Samples drafted on one tool list. They share their prompt's prefix, which training computes once."""

    tools_per_set: dict[int, float] = {1: 0.3, 2: 0.3, 3: 0.25, 4: 0.15}
    """Number of tools on offer -> share of tool sets. One to four fit a 2,048-token window with room."""

    styles: dict[Style, float] = {
        "simple": 0.7,
        "multiple": 0.7,
        "parallel": 0.1,
        "parallel-multiple": 0.06,
        "irrelevance": 0.14,
    }
    """Style -> weight among the styles a tool set allows (one tool cannot be 'multiple')."""

    optional_share: float = Field(default=0.35, ge=0, le=1)
    """Probability that an optional argument is stated, so that models learn to leave it out too."""

    distinct_from: list[Path] = []
    """Dataset folders whose queries must not occur here, so that a test set is not trained on."""

    call_timeout: float = Field(default=5.0, gt=0)
    """Seconds one tool call may take. Bundled tools need milliseconds."""

    @model_validator(mode="after")
    def _check_shares(self) -> DataRecipe:
        for name, shares in (("tools_per_set", self.tools_per_set), ("styles", self.styles)):
            if not shares or min(shares.values()) < 0 or sum(shares.values()) <= 0:
                raise ValueError(f"{name} needs shares that are not negative and not all zero")
        if min(self.tools_per_set) < 1:
            raise ValueError("tools_per_set: a tool set has at least one tool")
        return self
