"""A Hugging Face folder in fp32, answered greedily by transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from data_pipeline.core.errors import InputError
from xlam_train.infer.backends import Completion, Progress

BATCH = 10
"""Prompts a batch: enough to use the cores while decoding, small enough for a laptop's memory."""


class TransformersBackend:
    """fp32 weights: the reference the exported files are compared with."""

    def __init__(self, model: Path, threads: int | None = None) -> None:
        self.name = f"transformers fp32 {model.name}"
        self._path = model
        self._threads = threads
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
        # Answers of like length end together, so no batch decodes long for the sake of one prompt.
        order = sorted(range(len(prompts)), key=lambda index: budgets[index])
        answers: dict[int, Completion] = {}
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            batch = [self.tokenize(prompts[index]) for index in chosen]
            answers.update(zip(chosen, self._complete_batch(batch, [budgets[index] for index in chosen]), strict=True))
            progress(len(batch))
        return [answers[index] for index in range(len(prompts))]

    def _complete_batch(self, batch: list[list[int]], budgets: Sequence[int]) -> list[Completion]:
        import torch

        pad, width = self._pad_id(), max(map(len, batch))
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in batch])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
        with torch.inference_mode():
            output = self._model.generate(
                ids,
                attention_mask=mask,
                max_new_tokens=max(budgets),
                do_sample=False,
                pad_token_id=pad,
                return_dict_in_generate=True,
                output_logits=True,
            )
        tops = [logits.float().log_softmax(-1).topk(2).values for logits in output.logits]
        margins = [(top[:, 0] - top[:, 1]).tolist() for top in tops]
        new = output.sequences[:, width:].tolist()
        return [
            self._completion(row[:budget], [step[i] for step in margins])
            for i, (row, budget) in enumerate(zip(new, budgets, strict=True))
        ]

    def _completion(self, row: list[int], margins: list[float]) -> Completion:
        ends = self._end_ids()
        end = next((index for index, token in enumerate(row) if token in ends), None)
        tokens = row if end is None else row[: end + 1]
        text = self._tokenizer.decode(row[:end], skip_special_tokens=False)
        return Completion(text, tuple(tokens), tuple(margins[: len(tokens)]), stopped=end is not None)

    def _end_ids(self) -> set[int]:
        found = self._model.generation_config.eos_token_id
        return set(found) if isinstance(found, list) else {found}

    def _pad_id(self) -> int:
        pad = self._tokenizer.pad_token_id
        return int(pad if pad is not None else min(self._end_ids()))
