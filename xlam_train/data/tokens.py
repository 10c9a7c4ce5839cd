"""Text -> token ids, where lines that were seen before cost a look-up.

Prompts repeat themselves line by line: instructions, tools and earlier turns. A text may be encoded in pieces only if
that gives the very ids of the whole. Between a visible ASCII character with a newline and another visible ASCII
character it does, given that

- no token of its own spans the newline or swallows blanks before it, and the normalizer leaves ASCII and the borders
  of ASCII alone,
- the pre-tokenizer always cuts behind such a newline. GPT-2's regular expression does, since a single newline matches
  nothing but `\\s+`, and so do Llama 3's and Qwen 2's, where it ends a match of `[^\\s\\p{L}\\p{N}]+[\\r\\n]*` or is
  one of `\\s*[\\r\\n]+`: no alternative goes on into the visible character behind it. DeepSeek's first step cuts
  around every newline. Where blanks come together, these expressions look further ahead: no place to cut.

Other tokenizers, such as SentencePiece's, which marks the beginning of a text, encode every text whole.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CUT = re.compile(r"(?<=[!-~]\n)(?=[!-~])")

KNOWN_LINES = 1024
"""Lines that are remembered; a prompt has some twenty, of which the tools take some kilobytes."""

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_BLANKS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CUTTING_PATTERNS = frozenset(
    {
        r"[\r\n]",  # DeepSeek
        _CONTRACTIONS + r"\p{N}{1,3}" + _BLANKS,  # Llama 3
        _CONTRACTIONS + r"\p{N}" + _BLANKS,  # Qwen 2
    }
)


class TextEncoder:
    """Encodes texts with a tokenizer, without adding special tokens; those in the text count."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Find out whether texts may be encoded line by line."""
        self._tokenizer = tokenizer
        self._known: dict[str, list[int]] = {}
        self.by_line = cuts_at_newlines(tokenizer)

    def __call__(self, text: str) -> list[int]:
        """Ids of a text; the same as the tokenizer's own."""
        if not self.by_line:
            return self.whole(text)
        return [token for line in CUT.split(text) for token in self._line(line)]

    def whole(self, text: str) -> list[int]:
        """Ids of a text that is not worth remembering."""
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def _line(self, line: str) -> list[int]:
        ids = self._known.get(line)
        if ids is None:
            if len(self._known) >= KNOWN_LINES:
                self._known.clear()  # what comes again is soon there again
            ids = self._known[line] = self.whole(line)
        return ids


def cuts_at_newlines(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the pieces of a text that is cut by `CUT` have the ids of the whole."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or getattr(tokenizer, "split_special_tokens", False):
        return False
    added = tokenizer.added_tokens_decoder.values()
    if any(token.lstrip or "\n" in token.content for token in added):
        return False
    normalizer, steps = _steps(backend.normalizer, "normalizers"), _steps(backend.pre_tokenizer, "pretokenizers")
    if any(step["type"] not in ("NFC", "NFKC") for step in normalizer):
        return False
    cutting = next((index for index, step in enumerate(steps) if _cuts(step)), None)
    return cutting is not None and all(map(_is_local, steps)) and all(_is_digits(step) for step in steps[:cutting])


def _steps(component: Any, nested: str) -> list[dict[str, Any]]:
    """The settings of a tokenizer's component, of each step where it is a sequence."""
    if component is None:
        return []
    state = json.loads(component.__getstate__())
    steps: list[dict[str, Any]] = state[nested] if state["type"] == "Sequence" else [state]
    return steps


def _cuts(step: dict[str, Any]) -> bool:
    if step["type"] == "Split":
        pattern = step["pattern"].get("Regex")
        return step["behavior"] == "Isolated" and not step["invert"] and pattern in CUTTING_PATTERNS
    return bool(step["type"] == "ByteLevel" and step["use_regex"])


def _is_local(step: dict[str, Any]) -> bool:
    """Whether a step treats a piece alike wherever it stands: none that marks the beginning of a text."""
    return step["type"] in ("Split", "Digits") or (step["type"] == "ByteLevel" and not step["add_prefix_space"])


def _is_digits(step: dict[str, Any]) -> bool:
    return bool(step["type"] == "Digits")
