"""A grammar in xgrammar, over single bytes: whether a text is in its language, and random texts of it."""

from __future__ import annotations

import random

import numpy as np
import xgrammar

END = 256
CLOSING = b'"]}'
LONGEST = 5000
"""Bytes of a random text; a longer one is given up."""


class Matcher:
    """One grammar in GBNF."""

    def __init__(self, grammar: str) -> None:
        """Compiles it."""
        vocabulary = [*(bytes([byte]) for byte in range(END)), b"<end>"]
        known = xgrammar.TokenizerInfo(vocabulary, vocab_type=xgrammar.VocabType.RAW, stop_token_ids=[END])
        compiler = xgrammar.GrammarCompiler(known, max_threads=1, cache_enabled=False)
        self._matcher = xgrammar.GrammarMatcher(compiler.compile_grammar(grammar))
        self._mask = xgrammar.allocate_token_bitmask(1, END + 1)

    def admits(self, text: str) -> bool:
        """Whether the text, to its last character, is what the grammar says."""
        self._matcher.reset()
        return bool(self._matcher.accept_string(text)) and bool(self._matcher.accept_token(END))

    def random_text(self, rng: random.Random) -> str | None:
        """A text of the grammar, byte by byte; what closes a string, a list or an object is likelier than the rest."""
        self._matcher.reset()
        written = bytearray()
        while len(written) < LONGEST:
            allowed = self._allowed()
            if END in allowed and (len(allowed) == 1 or rng.random() < 0.5):
                return written.decode()
            allowed = [byte for byte in allowed if byte != END]
            closing = [byte for byte in allowed if byte in CLOSING]
            byte = rng.choice(closing if closing and rng.random() < 0.2 + len(written) / LONGEST else allowed)
            assert self._matcher.accept_token(byte)
            written.append(byte)
        return None

    def _allowed(self) -> list[int]:
        self._mask.fill_(-1)
        self._matcher.fill_next_token_bitmask(self._mask)
        bits = np.unpackbits(self._mask.numpy().view(np.uint8)[0], count=END + 1, bitorder="little")
        return [int(token) for token in bits.nonzero()[0]]
