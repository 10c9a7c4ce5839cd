"""The recipe of a generation job: which tools, how many samples, which styles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from data_pipeline.core.schema import Style, Takes
from data_pipeline.core.settings import Settings
from data_pipeline.llm.settings import ChatSettings, Endpoint, LlamaCpp, Vllm
from data_pipeline.tools.sandbox import Level
from data_pipeline.tools.source import SourceOptions


class Grammar(Settings):
    """Queries from rules, no language model."""

    kind: Literal["grammar"] = "grammar"
    """What tells rules from the kinds of model."""

    typos: float = Field(default=0.03, ge=0, le=1)
    """Share of queries with one slip of the finger, never inside a value."""

    in_words: float = Field(default=0.15, ge=0, le=1)
    """Share of numbers, dates and units written as people say them: 'twenty', '3 March', 'half past two'."""

    distractors: float = Field(default=0.15, ge=0, le=1)
    """Share of queries with a fact that no call uses."""

    woven: float = Field(default=0.55, ge=0, le=1)
    """Share of queries said in one plain sentence that takes the values in ('the weather in Oslo on 3 May'), of those
    that can be. The others name each value and have greetings, reasons and other chatter around; the default keeps
    both, as people write both."""

    own_queries: float = Field(default=0.4, ge=0, le=1)
    """Share of queries made from the example queries in a tool's schema (`x-queries`, see docs/tools.md), of tools
    that have some. The others use the words of its description, so that not all queries of a tool are alike."""


class DataRecipe(Settings):
    """One dataset; the same recipe and seed give the same bytes."""

    tools: list[str] = Field(default=["bundled"], min_length=1)
    """Tool sources to call: `bundled[:DOMAIN]`, `python:FILE_OR_MODULE`, `openapi:FILE_OR_URL[@BASE_URL]`,
    `mcp:COMMAND_OR_URL`, `discovery[:SERVICE.VERSION]`, `composed:COUNT` or `json:FILE`."""

    without: list[str] = []
    """Tool sources whose tools, and others of their names, are taken out again: what is kept for evaluation. A shard of
    a dataset is a source too (`json:FILE`)."""

    arguments: Takes = "any"
    """The most that tools may take to be kept: `scalars`, also `lists` of scalars, or `any`thing. Queries and answers
    with objects are longer, and their closing brackets are what a small model learns late, so runs of minutes do
    without; any, because most real tools have some."""

    hidden_keywords: list[str] = []
    """JSON schema keywords that values are drawn by and that samples do not show, such as `examples`: a model that
    sees them learns to copy from the schema what it should read in the query."""

    max_tool_chars: int | None = Field(default=None, ge=1)
    """Leave out tools that are longer than this as samples show them, as JSON, in characters; a token has about four.
    Long schemas cost training time, which runs of minutes do not have. Unset keeps all."""

    require_sandbox: Level = "strict"
    """Least level of the sandbox for code from outside (Python files, MCP servers); a machine below it refuses to
    run it."""

    allow_write: bool = False
    """Whether REST operations other than GET and HEAD are offered, and MCP tools that do not say that they only read
    are run; off, because generated calls would be made. Calls of such MCP tools are then checked, not run."""

    allow_hosts: list[str] = []
    """Hosts that REST calls may reach beside the service's own, such as one it redirects to."""

    seed: int = 1
    """Root of every random stream; another seed gives other samples."""

    generator: Annotated[Grammar | Endpoint | LlamaCpp | Vllm, Field(discriminator="kind")] = Grammar()
    """Who writes queries and calls: `kind: grammar`, `endpoint`, `llama_cpp` or `vllm`."""

    judges: list[ChatSettings] = []
    """Models that judge, after the deterministic checks, whether calls and results serve the query; none by default."""

    quorum: int | None = Field(default=None, ge=1)
    """Judges that must say yes; more than half of them unless given."""

    rounds: int = Field(default=1, ge=1)
    """Times the shards are made; the accepted samples of all rounds before are the examples shown to a model."""

    examples_per_prompt: int = Field(default=3, ge=0)
    """Accepted samples shown to a model, as in APIGen; those of the first round are the grammar's."""

    shards: int = Field(default=4, ge=1)
    """Files a round is cut into; a killed job loses at most the shards it was on."""

    tool_sets_per_shard: int = Field(default=25, ge=1)
    """Prompts' tool lists drawn for a shard."""

    queries_per_tool_set: int = Field(default=12, ge=1)
    """Samples drafted on one tool list. They share their prompt's prefix, which training computes once."""

    tools_per_set: dict[int, float] = {1: 0.3, 2: 0.3, 3: 0.25, 4: 0.15}
    """Number of tools on offer -> share of tool sets. One to four fit a 2,048-token window with room."""

    category_mix: dict[str, float] = {}
    """Category -> weight of its tools as the first of a set; those not named weigh 1. Empty deals all evenly."""

    near_share: float = Field(default=0.5, ge=0, le=1)
    """Probability that a companion is drawn from the first tool's topic, so that telling them apart takes reading."""

    linked_share: float = Field(default=0.1, ge=0, le=1)
    """Probability that a companion is one whose result has a name in common with a parameter of the others."""

    near_strangers: float = Field(default=0.0, ge=0, le=1)
    """Share of irrelevant queries that ask for another tool of a topic on offer, of some the likest to it, rather than
    one of another topic. 0 because it takes tools of which no two of a topic do the same."""

    personas: list[str] = []
    """Who users are, one drawn a tool set, such as `a nurse on night shift`; nobody in particular unless given."""

    locales: list[str] = Field(default=["en-US"], min_length=1)
    """Language and region of the queries, one drawn a tool set; the grammar writes English of any region."""

    styles: dict[Style, float] = {
        "simple": 0.7,
        "multiple": 0.7,
        "parallel": 0.1,
        "parallel-multiple": 0.06,
        "irrelevance": 0.14,
        "missing-parameter": 0.08,
    }
    """Style -> weight among the styles a tool set allows (one tool cannot be 'multiple')."""

    optional_share: float = Field(default=0.35, ge=0, le=1)
    """Probability that an optional argument is stated, so that models learn to leave it out too."""

    distinct_from: list[Path] = []
    """Dataset folders whose queries must not occur here, so that a test set is not trained on."""

    near_duplicates: float = Field(default=0.8, gt=0, le=1)
    """Jaccard similarity of word n-grams from which a query with its calls is a duplicate; 1 only drops equal ones."""

    decontaminate: bool = False
    """Drop samples that overlap with the Berkeley leaderboard's questions and tools; needs bfcl-eval, which is an
    extra. The dataset card says whether it was done."""

    call_timeout: float = Field(default=5.0, gt=0)
    """Seconds one tool call may take. Bundled tools need milliseconds."""

    @model_validator(mode="after")
    def _check_shares(self) -> DataRecipe:
        for name, shares in (("tools_per_set", self.tools_per_set), ("styles", self.styles)):
            if not shares or min(shares.values()) < 0 or sum(shares.values()) <= 0:
                raise ValueError(f"{name} needs shares that are not negative and not all zero")
        if min(self.tools_per_set) < 1:
            raise ValueError("tools_per_set: a tool set has at least one tool")
        if self.quorum is not None and self.quorum > len(self.judges):
            raise ValueError(f"quorum: {self.quorum} of {len(self.judges)} judges cannot say yes")
        return self

    @property
    def source_options(self) -> SourceOptions:
        """What tool sources from outside are allowed."""
        return SourceOptions(self.require_sandbox, self.allow_write, tuple(self.allow_hosts))

    @property
    def total_shards(self) -> int:
        """Shards of all rounds together."""
        return self.rounds * self.shards
