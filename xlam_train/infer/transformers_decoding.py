"""Greedy and sampled decoding with transformers: prefixes read once, drafts verified, answers written in batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from xlam_train.infer.backends import Request

KeysAndValues = list[tuple["torch.Tensor", "torch.Tensor"]]
"""Of one sequence, a pair a layer: [1, heads, length, width] each."""


@dataclass
class Answer:
    """An answer on its way.

    Attributes:
        request: what is wanted.
        prompt: token ids.
        constrain: [1, length] ids and [1, vocabulary] logits -> logits with what is not allowed at -inf; None for all.
        draft: tokens that the model may be about to write.
    """

    request: Request
    prompt: list[int]
    constrain: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None
    draft: Sequence[int] = ()
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)
    begun: float = 0.0
    first: float = 0.0
    done: float = 0.0
    _dice: Any = None

    def take(self, logits: torch.Tensor) -> int:
        """Choose the next token.

        Args:
            logits: [vocabulary], before any constraint.
        """
        import torch

        logits = logits.float()
        allowed = logits
        if self.constrain is not None:
            ids = torch.tensor([[*self.prompt, *self.tokens]], device=logits.device)
            allowed = self.constrain(ids, logits[None].clone())[0]
        token = int(allowed.argmax()) if self.request.temperature == 0 else self._throw(allowed)
        self._note(token, logits.log_softmax(-1))
        return token

    def _throw(self, logits: torch.Tensor) -> int:
        """Temperature, then the smallest set of tokens that holds `top_p` (Holtzman et al. 2020, section 3.1)."""
        import torch

        if self._dice is None:
            self._dice = torch.Generator().manual_seed(self.request.seed)
        shares, ids = (logits.cpu() / self.request.temperature).softmax(-1).sort(descending=True)
        shares[shares.cumsum(-1) - shares >= self.request.top_p] = 0
        return int(ids[torch.multinomial(shares, 1, generator=self._dice)])

    def _note(self, token: int, logprobs: torch.Tensor) -> None:
        best = logprobs.topk(2)
        other = best.values[1 if int(best.indices[0]) == token else 0]
        self.tokens.append(token)
        self.logprobs.append(float(logprobs[token]))
        self.margins.append(float(logprobs[token] - other))
        self.done = time.perf_counter()
        self.first = self.first or self.done

    def ended(self, ends: Collection[int]) -> bool:
        """Whether the turn is over or the budget is spent."""
        return len(self.tokens) == self.request.max_tokens or self.tokens[-1] in ends


class Decoder:
    """Writes answers; keeps the keys and values of the sequence it has read last."""

    def __init__(self, model: Any, ends: Collection[int]) -> None:
        """Nothing is read yet.

        Args:
            model: a causal language model of transformers.
            ends: ids of the tokens that end a turn.
        """
        from transformers import DynamicCache

        self._model = model
        self._ends = ends
        self._cache = DynamicCache()
        self._cached = list[int]()

    def answer(self, batch: Sequence[Answer], done: Callable[[int], None]) -> None:
        """Write the answers, reading in their order: neighbours should share long prefixes.

        Args:
            batch: answers to prompts.
            done: hears how many more are finished.
        """
        started = time.perf_counter()
        left, states = list[Answer](), list[KeysAndValues]()
        for answer in batch:
            answer.begun = started
            state = self._begin(answer)
            if answer.ended(self._ends):
                done(1)
            else:
                left.append(answer)
                states.append(state)
        if left:
            self._write(left, states, done)

    def read(self, sequence: Sequence[int], positions: int) -> torch.Tensor:
        """Logits after each of the last tokens: [positions, vocabulary].

        What the sequence shares with the one read before is not computed again.
        """
        import torch

        # The positions asked for are computed anew: of cached ones there are no logits.
        shared = min(_shared(self._cached, sequence), len(sequence) - positions)
        self._cache.crop(shared - len(self._cached))
        self._cached = list(sequence)
        ids = torch.tensor([self._cached[shared:]], device=self._model.device)
        with torch.inference_mode():
            found = self._model(ids, past_key_values=self._cache, logits_to_keep=positions)
        return found.logits[0]  # type: ignore[no-any-return]

    def _begin(self, answer: Answer) -> KeysAndValues:
        """Read the prompt with its draft; take tokens along the draft, up to the first that the model wants otherwise.

        Speculative decoding's verification (Leviathan et al. 2023, section 2.3, at temperature zero): one
        forward pass tells the greedy choice after every token of a draft.
        """
        draft = list(answer.draft[: answer.request.max_tokens - 1])
        logits = self.read([*answer.prompt, *draft], len(draft) + 1)
        for step in range(len(draft) + 1):
            token = answer.take(logits[step])
            if answer.ended(self._ends) or step == len(draft) or token != draft[step]:
                break
        length = len(answer.prompt) + len(answer.tokens) - 1  # the last token has not been read
        return [(layer.keys[..., :length, :], layer.values[..., :length, :]) for layer in self._cache.layers]

    def _write(self, batch: list[Answer], states: list[KeysAndValues], done: Callable[[int], None]) -> None:
        """Decode token by token; who has ended leaves the batch."""
        import torch

        cache, seen = _left_padded(states)
        while True:
            seen = torch.cat([seen, seen.new_ones(len(batch), 1)], dim=-1)
            with torch.inference_mode():
                found = self._model(
                    torch.tensor([[answer.tokens[-1]] for answer in batch], device=seen.device),
                    attention_mask=seen,
                    position_ids=seen.sum(-1, keepdim=True) - 1,
                    past_key_values=cache,
                )
            for answer, logits in zip(batch, found.logits[:, -1], strict=True):
                answer.take(logits)
            rest = [index for index, answer in enumerate(batch) if not answer.ended(self._ends)]
            done(len(batch) - len(rest))
            if not rest:
                return
            if len(rest) < len(batch):
                batch = [batch[index] for index in rest]
                kept = torch.tensor(rest, device=seen.device)
                cache.batch_select_indices(kept)
                seen = seen[kept]


def _left_padded(states: Sequence[KeysAndValues]) -> tuple[Any, torch.Tensor]:
    """Sequences of unlike length in one cache, and which of its places are filled: [sequences, longest]."""
    import torch
    from torch.nn.functional import pad
    from transformers import DynamicCache

    lengths = [state[0][0].shape[-2] for state in states]
    width = max(lengths)
    cache = DynamicCache()
    for number, layer in enumerate(zip(*states, strict=True)):
        keys, values = (
            torch.cat([pad(part[kind], (0, 0, width - part[kind].shape[-2], 0)) for part in layer]) for kind in (0, 1)
        )
        cache.update(keys, values, number)
    filled = torch.tensor([[0] * (width - length) + [1] * length for length in lengths])
    return cache, filled.to(states[0][0][0].device)


def _shared(left: Sequence[int], right: Sequence[int]) -> int:
    """Number of leading tokens that are the same."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(left), len(right)))
