"""Do the GGUF files of a model behave as the model? Greedy tokens, log-probabilities and perplexity, side by side.

Writes the model as GGUF in each type and compares llama.cpp on it with transformers in fp32, on fresh queries of the
bundled tools, each in the model's own chat template:

    equal        answers of which every greedy token is the same
    delta        mean |difference of log-probability| along the answers that transformers wrote, nats a token
    perplexity   of the right answers' first tokens, as many as a greedy answer may have, teacher-forced

Bars: F32 and F16 equal on 99 % of the prompts, Q8_0 below a delta of 0.1. All others are printed only.

    python scripts/bench/agreement.py --model runs/quickstart/merged [--prompts 100] [--types f32 f16 q8_0 q4_k_m]
"""

from __future__ import annotations

import argparse
import math
import operator
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import get_args

from data_pipeline.core.jsonl import write_json
from data_pipeline.core.xlam_format import render_answer
from data_pipeline.recipe import DataRecipe
from data_pipeline.run import fresh_samples
from xlam_train.cli import report_errors
from xlam_train.export.gguf import Quantization, write_gguf
from xlam_train.infer.backends import Chat, Completion, Request
from xlam_train.infer.llama_cpp import LlamaCppBackend
from xlam_train.infer.smoke_set import rendered_chat
from xlam_train.infer.transformers_backend import TransformersBackend

EXACT, EQUAL_BAR = ("f32", "f16"), 0.99
CLOSE, DELTA_BAR = ("q8_0",), 0.1
SEED, PER_TOOL_SET = 99, 10


@dataclass(frozen=True)
class Asked:
    """The prompts, and what follows each: right answers as token ids."""

    chats: list[Chat]
    right: list[list[int]]


@dataclass
class Run:
    """One artefact: its greedy answers, how likely it finds the right ones, and the prompts as it reads them."""

    answers: list[Completion]
    right: list[tuple[float, ...]]
    prompt_ids: list[list[int]]

    @property
    def perplexity(self) -> float:
        """Of the right answers, a token."""
        return math.exp(-fmean(logprob for row in self.right for logprob in row))


@dataclass(frozen=True)
class Row:
    """One type of GGUF beside transformers; see the module."""

    type: str
    prompts: int
    same_prompt_ids: int
    equal: int
    delta: float
    perplexity: float
    perplexity_change: float
    margins_at_partings: list[float]

    def line(self) -> str:
        """For people."""
        sure = f", margins there {', '.join(f'{m:.3f}' for m in self.margins_at_partings[:5])}"
        return (
            f"{self.type}: {self.equal} of {self.prompts} answers equal{sure if self.margins_at_partings else ''}; "
            f"{self.same_prompt_ids} prompts read alike; delta {self.delta:.4f} nats; "
            f"perplexity {self.perplexity:.4f} ({self.perplexity_change:+.2%})"
        )

    @property
    def below(self) -> str:
        """The bar that is missed; '' where there is none."""
        if self.same_prompt_ids < self.prompts:
            return f"{self.type}: {self.prompts - self.same_prompt_ids} prompts read as other tokens"
        if self.type in EXACT and self.equal < EQUAL_BAR * self.prompts:
            return f"{self.type}: {self.equal} of {self.prompts} answers equal"
        if self.type in CLOSE and self.delta >= DELTA_BAR:
            return f"{self.type}: delta {self.delta:.3f}"
        return ""


def main() -> int:
    """Measure, print and judge; exit code 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="Hugging Face folder")
    parser.add_argument("--prompts", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--types", nargs="+", choices=get_args(Quantization), default=["f32", "f16", "q8_0", "q4_k_m"])
    parser.add_argument(
        "--max-tokens", type=int, default=64, help="tokens of an answer that are compared, default: %(default)s"
    )
    parser.add_argument("--threads", type=int, help="of both libraries, default: their own")
    parser.add_argument("--out", type=Path, help="JSON file for the table")
    options = parser.parse_args()
    rows: list[Row] = []
    code = report_errors(lambda: rows.extend(measure(options)))
    if options.out and not code:
        write_json(options.out, [asdict(row) for row in rows])
    below = [row.below for row in rows if row.below]
    if below:
        print(f"below the bar: {'; '.join(below)}")
    return code or (1 if below else 0)


def measure(options: argparse.Namespace) -> Iterator[Row]:
    """A row a type, printed as it comes."""
    samples = fresh_samples(_recipe(options.prompts), options.prompts)
    chats = [rendered_chat(sample) for sample in samples]
    with TransformersBackend(options.model, options.threads) as backend:
        right = [backend.tokenize(render_answer(sample.calls))[: options.max_tokens] for sample in samples]
        asked = Asked(chats, right)
        answers = backend.complete([Request(chat, options.max_tokens) for chat in chats], lambda _: None)
        ids = [backend.tokenize(backend.prompt_text(chat)) for chat in chats]
        parent = Run(answers, backend.score(chats, right), ids)
        print(f"{backend.name}: perplexity {parent.perplexity:.4f} on the right answers of {len(samples)} prompts")
    for kind in options.types:
        row = _compare(options, kind, asked, parent)
        print(row.line())
        yield row


def _recipe(prompts: int) -> DataRecipe:
    return DataRecipe(seed=SEED, shards=prompts, tool_sets_per_shard=1, queries_per_tool_set=PER_TOOL_SET)


def _compare(options: argparse.Namespace, kind: Quantization, asked: Asked, parent: Run) -> Row:
    run, along = Run([], [], []), list[tuple[float, ...]]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model-{kind}.gguf"
        write_gguf(options.model, path, kind, threads=options.threads)
        with LlamaCppBackend(path, options.threads) as backend:
            # Prompt by prompt, because llama.cpp keeps the keys and values of the last one.
            for chat, right, answer in zip(asked.chats, asked.right, parent.answers, strict=True):
                run.answers += backend.complete([Request(chat, options.max_tokens)], lambda _: None)
                run.right += backend.score([chat], [right])
                run.prompt_ids.append(backend.tokenize(backend.prompt_text(chat)))
                along += backend.score([chat], [answer.tokens])
    pairs = list(zip(parent.answers, run.answers, strict=True))
    deltas = [
        abs(ours - theirs)
        for done, row in zip(parent.answers, along, strict=True)
        for ours, theirs in zip(done.logprobs, row, strict=True)
    ]
    return Row(
        type=kind,
        prompts=len(pairs),
        same_prompt_ids=sum(map(operator.eq, parent.prompt_ids, run.prompt_ids)),
        equal=sum(ours.tokens == theirs.tokens for ours, theirs in pairs),
        delta=fmean(deltas),
        perplexity=run.perplexity,
        perplexity_change=run.perplexity / parent.perplexity - 1,
        margins_at_partings=[_margin(*pair) for pair in pairs if pair[0].tokens != pair[1].tokens],
    )


def _margin(ours: Completion, theirs: Completion) -> float:
    """How sure transformers was where the answers part, nats; a small number tells of a tie."""
    pairs = enumerate(zip(ours.tokens, theirs.tokens, strict=False))
    position = next((index for index, (one, other) in pairs if one != other), len(theirs.tokens))
    return ours.margins[min(position, len(ours.margins) - 1)]


if __name__ == "__main__":
    sys.exit(main())
