"""A Hugging Face folder in fp32, answered greedily by transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from data_pipeline.core.errors import InputError
from xlam_train.infer.backends import Completion, Progress

BATCH = 10
"""Prompts a batch: enough to use the cores while decoding, small enough for a laptop's memory."""


@dataclass
class _Answer:
    """An answer on its way: greedy tokens so far, with the margin of each."""

    tokens: list[int] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)

    def add(self, token: int, margin: float) -> None:
        self.tokens.append(token)
        self.margins.append(margin)

    def ended(self, ends: set[int]) -> bool:
        return bool(self.tokens) and self.tokens[-1] in ends


class TransformersBackend:
    """fp32 weights: the reference the exported files are compared with."""

    def __init__(
        self, model: Path, threads: int | None = None, drafts: Mapping[tuple[int, ...], Sequence[int]] | None = None
    ) -> None:
        """Nothing is loaded yet.

        Args:
            model: the folder.
            threads: of torch; its default unless given.
            drafts: a prompt's token ids -> tokens that another backend answered. They change no answer, only its price:
                where this model would write the same, reading them all at once is faster than writing them.
        """
        self.name = f"transformers fp32 {model.name}"
        self._path = model
        self._threads = threads
        self._drafts = drafts or {}
        self._tokenizer: Any = None
        self._model: Any = None

    def __enter__(self) -> TransformersBackend:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        if self._threads:
            torch.set_num_threads(self._threads)
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(self._path, trust_remote_code=False)
            self._model = AutoModelForCausalLM.from_pretrained(
                self._path, dtype=torch.float32, trust_remote_code=False, attn_implementation="sdpa"
            ).eval()
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{self._path}: transformers cannot load it ({reason}); export it again") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._model = None

    def prompt_text(self, content: str) -> str:
        """The tokenizer's chat template around one user message."""
        messages = [{"role": "user", "content": content}]
        return str(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a rendered prompt; the template has written the special tokens already."""
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False)]

    def complete(self, prompts: Sequence[str], budgets: Sequence[int], progress: Progress) -> list[Completion]:
        """Greedy answers; see `Backend.complete`."""
        ids = [self.tokenize(prompt) for prompt in prompts]
        answers = [_Answer() for _ in prompts]
        drafted = [(row, self._drafts.get(tuple(row)), answer) for row, answer in zip(ids, answers, strict=True)]
        self._check_drafts([(row, draft, answer) for row, draft, answer in drafted if draft is not None])
        ends = self._end_ids()
        left = [i for i, answer in enumerate(answers) if not answer.ended(ends) and len(answer.tokens) < budgets[i]]
        progress(len(prompts) - len(left))
        # Answers of like length end together, so no batch decodes long for the sake of one prompt.
        left.sort(key=lambda index: budgets[index] - len(answers[index].tokens))
        for start in range(0, len(left), BATCH):
            chosen = left[start : start + BATCH]
            self._write_on([(ids[i], budgets[i], answers[i]) for i in chosen])
            progress(len(chosen))
        return [self._completion(answer, budget) for answer, budget in zip(answers, budgets, strict=True)]

    def _check_drafts(self, rows: list[tuple[list[int], Sequence[int], _Answer]]) -> None:
        """Greedy tokens along each draft, up to the first that this model chooses otherwise, which it keeps.

        Speculative decoding's verification (Leviathan et al. 2023, section 2.3, at temperature zero): one
        forward pass tells the greedy choice after every token of a draft. Neighbours in sorted order share
        the keys and values of their common prefix.
        """
        import torch
        from transformers import DynamicCache

        ends, cache, cached = self._end_ids(), DynamicCache(), list[int]()
        for prompt, draft, answer in sorted(rows, key=lambda row: row[0]):
            row = [*prompt, *draft]
            # The last token of the prompt is asked again: what it predicts is the answer's first.
            shared = min(_shared(cached, row), len(prompt) - 1)
            cache.crop(shared - len(cached))
            with torch.inference_mode():
                found = self._model(torch.tensor([row[shared:]]), past_key_values=cache, logits_to_keep=len(draft) + 1)
            cached = row
            for step, (token, margin) in enumerate(zip(*_greedy(found.logits[0]), strict=True)):
                answer.add(token, margin)
                if token in ends or step == len(draft) or token != draft[step]:
                    break

    def _write_on(self, rows: list[tuple[list[int], int, _Answer]]) -> None:
        """Decode the rest of each answer, in one batch."""
        import torch

        begun = [[*prompt, *answer.tokens] for prompt, _, answer in rows]
        pad, width = self._pad_id(), max(map(len, begun))
        with torch.inference_mode():
            output = self._model.generate(
                torch.tensor([[pad] * (width - len(row)) + row for row in begun]),
                attention_mask=torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in begun]),
                max_new_tokens=max(budget - len(answer.tokens) for _, budget, answer in rows),
                do_sample=False,
                pad_token_id=pad,
                return_dict_in_generate=True,
                output_logits=True,
            )
        tokens = output.sequences[:, width:].tolist()
        margins = list(zip(*(_greedy(logits)[1] for logits in output.logits), strict=True))
        for (_, _, answer), new, sure in zip(rows, tokens, margins, strict=True):
            answer.tokens += new
            answer.margins += sure

    def _completion(self, answer: _Answer, budget: int) -> Completion:
        ends, tokens = self._end_ids(), answer.tokens[:budget]
        end = next((index for index, token in enumerate(tokens) if token in ends), None)
        tokens = tokens if end is None else tokens[: end + 1]
        text = self._tokenizer.decode(tokens[:end], skip_special_tokens=False)
        return Completion(text, tuple(tokens), tuple(answer.margins[: len(tokens)]), stopped=end is not None)

    def _end_ids(self) -> set[int]:
        found = self._model.generation_config.eos_token_id
        return set(found) if isinstance(found, list) else {found}

    def _pad_id(self) -> int:
        pad = self._tokenizer.pad_token_id
        return int(pad if pad is not None else min(self._end_ids()))


def _greedy(logits: Any) -> tuple[list[int], list[float]]:
    """The best token of each row, and the margin to the runner-up in nats.

    Args:
        logits: [N, V].
    """
    top = logits.float().log_softmax(-1).topk(2)
    return top.indices[:, 0].tolist(), (top.values[:, 0] - top.values[:, 1]).tolist()


def _shared(left: Sequence[int], right: Sequence[int]) -> int:
    """Number of leading tokens that are the same."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(left), len(right)))
