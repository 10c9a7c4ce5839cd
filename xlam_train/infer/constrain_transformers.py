"""Constraints in transformers' `generate`, kept by xgrammar, which reads the grammar as it is.

xgrammar (Dong et al. 2024, arXiv:2411.15100) is also what vLLM keeps grammars with. Before each token it tells, as one
bit a token, which tokens the grammar can go on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
import xgrammar
from transformers import LogitsProcessor, PreTrainedTokenizerBase

from xlam_train.infer.backends import Constraint

COMPILED_BYTES = 1 << 28
"""Of compiled grammars that are kept, since neighbouring prompts offer the same tools."""


@lru_cache(maxsize=2)
def _compiler(tokenizer: PreTrainedTokenizerBase, vocab_size: int, ends: tuple[int, ...]) -> xgrammar.GrammarCompiler:
    """Kept, because reading a vocabulary takes a quarter of a second for 49,152 tokens."""
    known = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=vocab_size, stop_token_ids=list(ends))
    return xgrammar.GrammarCompiler(known, max_threads=1, cache_limit_bytes=COMPILED_BYTES)


class ConstraintProcessor(LogitsProcessor):  # type: ignore[misc]  # transformers is untyped here
    """For one call of `generate`: it follows what each row has generated so far."""

    def __init__(
        self,
        constraints: Sequence[Constraint | None],
        tokenizer: PreTrainedTokenizerBase,
        vocab_size: int,
        end_ids: Sequence[int],
    ) -> None:
        """Compiles each grammar once; see `constrain.transformers_processor`."""
        compiler = _compiler(tokenizer, vocab_size, tuple(end_ids) or (tokenizer.eos_token_id,))
        self._matchers = {
            row: xgrammar.GrammarMatcher(compiler.compile_grammar(constraint.grammar))
            for row, constraint in enumerate(constraints)
            if constraint is not None
        }
        self._rows = len(constraints)
        self._mask = xgrammar.allocate_token_bitmask(self._rows, vocab_size)
        self._seen: int | None = None

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Logits with what a row's grammar refuses at minus infinity.

        Args:
            input_ids: [rows, length] prompts and what is generated.
            scores: [rows, vocabulary], changed in place.
        """
        assert len(input_ids) == self._rows, "one row a constraint: no beams, and one sequence a prompt"
        if self._seen is not None:
            assert input_ids.shape[1] == self._seen + 1, "a processor serves one call of `generate`"
            self._follow(input_ids[:, -1].tolist())
        self._seen = input_ids.shape[1]
        # A row that has ended is padded by `generate`, whatever its logits are.
        open_rows = [row for row, matcher in self._matchers.items() if not matcher.is_terminated()]
        for row in open_rows:
            self._matchers[row].fill_next_token_bitmask(self._mask, row)
        if open_rows:
            xgrammar.apply_token_bitmask_inplace(scores, self._mask.to(scores.device), indices=open_rows)
        return scores

    def _follow(self, tokens: list[Any]) -> None:
        for row, matcher in self._matchers.items():
            if not matcher.is_terminated():
                taken = matcher.accept_token(tokens[row])
                assert taken, f"row {row} holds token {tokens[row]}, which its grammar refuses"
