"""SentencePiece tokenizers in llama.cpp: scores from the merges, and the proof that both split text alike.

A SentencePiece model of type BPE joins the neighbours whose joint piece has the best score, the leftmost of equals
(Kudo and Richardson, arXiv 1808.06226); a tokenizer.json has the same order as a list of merges.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SPACE = "\u2581"
_RUNS = "a".join(" " * length for length in range(1, 40))
BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def piece_scores(
    vocabulary: dict[str, int], merges: Sequence[tuple[str, str]], added: Iterable[str], where: Path
) -> dict[str, float]:
    """Score of every piece that is no byte and no added token: 0 for the best, less for each next one.

    The order is SentencePiece's; pieces whose merges lie between one another's had equal scores there and get equal
    ones here, as the runs of spaces of Mistral's models.

    Args:
        vocabulary: id by piece.
        merges: best first.
        added: tokens outside the pieces.
        where: folder to name in the message.

    Raises:
        InputError: the merges lack a way to make a piece, which llama.cpp would take.
    """
    outside = set(added)
    pieces = [piece for piece in sorted(vocabulary, key=vocabulary.__getitem__) if piece not in outside]
    pieces = [piece for piece in pieces if not BYTE.fullmatch(piece)]
    _check_complete(set(merges), pieces, where)
    made = [left + right for left, right in merges]
    scores = _ranks([piece for piece in made if piece not in outside])
    rest = (piece for piece in pieces if piece not in scores)  # that no merge makes; their scores never count
    return scores | {piece: -float(len(scores) + number) for number, piece in enumerate(rest)}


def _ranks(made: list[str]) -> dict[str, float]:
    """Minus the place of each piece in the order of merges; one place for all whose merges overlap."""
    last = {piece: place for place, piece in enumerate(made)}
    scores: dict[str, float] = {}
    group, end = 0, -1
    for place, piece in enumerate(made):
        if place > end:
            group = len(scores)
        end = max(end, last[piece])
        scores.setdefault(piece, -float(group))
    return scores


def _check_complete(merges: set[tuple[str, str]], pieces: list[str], where: Path) -> None:
    known = set(pieces)
    for piece in pieces:
        for cut in range(1, len(piece)):
            pair = piece[:cut], piece[cut:]
            if pair[0] in known and pair[1] in known and pair not in merges:
                raise _refusal(where, f"{pair[0]!r} and {pair[1]!r} make a piece but no merge joins them")


def _refusal(where: Path, reason: str) -> InputError:
    return InputError(
        f"{where}: the tokenizer is no SentencePiece model that llama.cpp can run ({reason}); "
        "restore the base model's tokenizer.json"
    )


def space_prefix(backend: Any, scores: dict[str, float], prompts: Sequence[str], where: Path) -> bool:
    """Whether llama.cpp is to put a space before each text that follows a special token.

    Tokenizers have more ways to place that space than llama.cpp's two, so what counts are prompts as the chat
    template makes them: they must be split alike.

    Args:
        backend: the `tokenizers.Tokenizer`.
        scores: of the pieces.
        prompts: texts with special tokens; runs of spaces are tried besides.
        where: folder to name in the message.

    Raises:
        InputError: neither way splits the prompts as the tokenizer does.
    """
    special = [token.content for token in backend.get_added_tokens_decoder().values()]
    texts = [prompt + _RUNS for prompt in prompts]
    for prefix in (True, False):
        if all(split(text, scores, special, prefix) == tokens_of(backend, text) for text in texts):
            return prefix
    raise _refusal(where, "it splits the prompts of the chat template in another way")


def tokens_of(backend: Any, text: str) -> list[str]:
    """Tokens that the tokenizer makes of a text, special tokens parsed and none added."""
    tokens: list[str] = backend.encode(text, add_special_tokens=False).tokens
    return tokens


def split(text: str, scores: dict[str, float], special: Sequence[str], prefix: bool) -> list[str]:
    """Tokens as llama.cpp's SentencePiece tokenizer makes them.

    Args:
        text: with special tokens, which are kept whole.
        scores: of the pieces.
        special: tokens outside the pieces.
        prefix: a space goes before every text between them.
    """
    longest_first = sorted(special, key=len, reverse=True)
    parts = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text) if special else [text]
    tokens: list[str] = []
    for number, part in enumerate(parts):
        if number % 2:
            tokens.append(part)
        elif part:
            tokens += _pieces((" " if prefix else "") + part, scores)
    return tokens


def _pieces(text: str, scores: dict[str, float]) -> list[str]:
    symbols = list(text.replace(" ", SPACE))
    ranks = [_score(symbols, index, scores) for index in range(len(symbols) - 1)]
    while ranks and (best := max(ranks)) > float("-inf"):
        index = ranks.index(best)
        symbols[index : index + 2] = [symbols[index] + symbols[index + 1]]
        del ranks[index]
        for changed in (index - 1, index):
            if 0 <= changed < len(ranks):
                ranks[changed] = _score(symbols, changed, scores)
    return [token for symbol in symbols for token in _known(symbol, scores)]


def _score(symbols: list[str], index: int, scores: dict[str, float]) -> float:
    return scores.get(symbols[index] + symbols[index + 1], float("-inf"))


def _known(symbol: str, scores: dict[str, float]) -> list[str]:
    return [symbol] if symbol in scores else [f"<0x{byte:02X}>" for byte in symbol.encode()]
