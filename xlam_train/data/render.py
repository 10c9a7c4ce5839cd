"""Samples -> token ids and a mask of the ids that are trained.

The prompt goes through the base model's own chat template, exactly as in serving. The answer is
encoded on its own: at inference the prompt is already tokenized when the answer begins, so a token
that straddled the border could never be produced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import ToolCall
from data_pipeline.core.xlam_format import render, render_answer, render_prompt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transformers import PreTrainedTokenizerBase

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.core.xlam_format import ToolConversion, ToolLike, Variant
    from xlam_train.data.views import Views

# Braces, quotes and digits: what an answer is made of, and what a template might tamper with.
PROBE_QUERY = "What is 2 + 2?"
PROBE_ANSWER = render_answer([ToolCall(name="add", arguments={"a": 2, "note": 'a "b"'})])


@dataclass(frozen=True)
class Encoded:
    """One sample as tokens.

    Attributes:
        ids: token ids of prompt, answer and end-of-turn token.
        trainable: for each id, whether the model is trained to write it.
        sample_id: the sample's id, for messages.
    """

    ids: list[int] = field(default_factory=list)
    trainable: list[bool] = field(default_factory=list)
    sample_id: str = ""

    def append(self, ids: Sequence[int], trainable: bool) -> None:
        """Add tokens; ids and mask grow together and so never differ in length."""
        self.ids.extend(ids)
        self.trainable.extend([trainable] * len(ids))


class Renderer:
    """Encodes samples for one tokenizer and prompt variant.

    Attributes:
        end_token_id: the token that ends the assistant's turn in the tokenizer's chat template.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        variant: Variant = "xlam-1",
        conversion: ToolConversion = "card",
    ) -> None:
        """Find out how the template ends a turn.

        Raises:
            InputError: there is no chat template, it changes the assistant's text, or nothing
                special ends the assistant's turn.
        """
        self._tokenizer = tokenizer
        self._variant: Variant = variant
        self._conversion: ToolConversion = conversion
        self.end_token_id = self._find_end_token()

    def prompt_ids(self, tools: Iterable[ToolLike], query: str) -> list[int]:
        """What stands before the answer, in training and in serving.

        Raises:
            InputError: a broken tool schema.
        """
        return self._ids(self._prompt_text(render_prompt(tools, query, self._variant, self._conversion)))

    def encode(self, sample: Trajectory, conversion: ToolConversion | None = None) -> Encoded:
        """Tokens of a single-turn sample; the answer and its end-of-turn token are trainable.

        Args:
            sample: one user message and one assistant message.
            conversion: of the schemas, if not the renderer's.

        Raises:
            InputError: the sample is no single turn, has no trainable token, or its answer contains
                the end-of-turn token's text, which would teach the model to stop in the middle.
        """
        encoded = Encoded(sample_id=sample.id)
        for segment in render(sample, self._variant, conversion or self._conversion):
            if segment.trainable:
                encoded.append(self._answer_ids(segment.text, sample.id), trainable=True)
            else:
                encoded.append(self._ids(self._prompt_text(segment.text)), trainable=False)
        if not any(encoded.trainable):
            raise InputError(f"sample {sample.id}: no token to train on; remove the sample")
        return encoded

    def encode_all(self, samples: Iterable[Trajectory], max_length: int) -> list[Encoded]:
        """Every sample as tokens.

        Raises:
            InputError: as `encode`, or a sample is longer than `max_length` tokens.
        """
        return [self._checked(self.encode(sample), max_length) for sample in samples]

    def encode_views(self, samples: Iterable[Trajectory], views: Views, epoch: int, max_length: int) -> list[Encoded]:
        """Every sample as tokens, as it looks in an epoch.

        Raises:
            InputError: as `encode_all`.
        """
        shown = ((sample, views.of(sample, epoch)) for sample in samples)
        encoded = (self.encode(view.apply(sample), view.conversion) for sample, view in shown)
        return [self._checked(sample, max_length) for sample in encoded]

    def _checked(self, encoded: Encoded, max_length: int) -> Encoded:
        if len(encoded.ids) > max_length:
            raise InputError(
                f"sample {encoded.sample_id}: {len(encoded.ids)} tokens are more than data.max_length "
                f"({max_length}); raise it, ask for fewer data.views.distractors or remove the sample"
            )
        return encoded

    def _answer_ids(self, text: str, sample_id: str) -> list[int]:
        ids = self._ids(text)
        if self.end_token_id in ids:
            raise InputError(f"sample {sample_id}: the answer contains the end-of-turn token; remove the sample")
        return [*ids, self.end_token_id]

    def _prompt_text(self, content: str) -> str:
        return self._apply([{"role": "user", "content": content}], generation=True)

    def _apply(self, messages: list[dict[str, str]], generation: bool) -> str:
        text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=generation)
        assert isinstance(text, str)
        return text

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def _find_end_token(self) -> int:
        if not self._tokenizer.chat_template:
            raise InputError("model.base: its tokenizer has no chat template; use an instruct model")
        turn = [{"role": "user", "content": PROBE_QUERY}, {"role": "assistant", "content": PROBE_ANSWER}]
        start = self._prompt_text(PROBE_QUERY) + PROBE_ANSWER
        rendered = self._apply(turn, generation=False)
        if not rendered.startswith(start):
            raise InputError(
                "model.base: its chat template does not write the assistant's text unchanged after the "
                "generation prompt; give the tokenizer a template that does"
            )
        special = self._special_ids()
        found = next((token for token in self._ids(rendered[len(start) :]) if token in special), None)
        if found is None:
            raise InputError(
                "model.base: its chat template ends the assistant's turn without a special token, so the "
                "model could not learn to stop; add one to the template"
            )
        return found

    def _special_ids(self) -> set[int]:
        added = self._tokenizer.added_tokens_decoder.items()
        return {token for token, entry in added if entry.special} | set(self._tokenizer.all_special_ids)
