"""Samples -> token ids and a mask of the ids that are trained.

The prompt goes through the base model's own chat template, exactly as in serving. The answer is
encoded on its own: at inference the prompt is already tokenized when the answer begins, so a token
that straddled the border could never be produced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json
from data_pipeline.core.prompt_texts import MISTRAL_PREFIX
from data_pipeline.core.schema import Message, Tool, ToolCall
from data_pipeline.core.turns import Prompt, answer_text, prompt, turn, turns
from data_pipeline.core.xlam_format import render_answer
from xlam_train.data.tokens import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transformers import PreTrainedTokenizerBase

    from data_pipeline.core.schema import Preference, Trajectory
    from data_pipeline.core.variants import ToolConversion, Variant
    from data_pipeline.core.xlam_format import ToolLike

# Braces, quotes and digits: what an answer is made of, and what a template might tamper with.
PROBE_QUERY = "What is 2 + 2?"
PROBE_ANSWER = render_answer([ToolCall(name="add", arguments={"a": 2, "note": 'a "b"'})])
PROBE_TOOL = Tool(name="probe_the_template", description="", parameters={"type": "object", "properties": {}})


@dataclass(frozen=True)
class Encoded:
    """One row of training data as tokens.

    Attributes:
        ids: token ids of prompt, answer and end-of-turn token.
        trainable: for each id, whether the model is trained to write it.
        sample_id: the sample's id, for messages; of several rows of a sample, with what tells them apart.
    """

    ids: list[int] = field(default_factory=list)
    trainable: list[bool] = field(default_factory=list)
    sample_id: str = ""

    def append(self, ids: Sequence[int], trainable: bool) -> None:
        """Add tokens; ids and mask grow together and so never differ in length."""
        self.ids.extend(ids)
        self.trainable.extend([trainable] * len(ids))


class Renderer:
    """Encodes samples for one tokenizer and prompt variant. May be pickled, for the loader's workers.

    Attributes:
        end_token_id: the token that ends the assistant's turn in the tokenizer's chat template.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        variant: Variant = "xlam-1",
        conversion: ToolConversion = "card",
    ) -> None:
        """Find out how the template ends a turn, and what else ends generation.

        Raises:
            InputError: there is no chat template, it changes the assistant's text, nothing special ends
                the assistant's turn, or the variant needs a template that shows tools.
        """
        self._tokenizer = tokenizer
        self._variant: Variant = variant
        self._conversion: ToolConversion = conversion
        self._encode = TextEncoder(tokenizer)
        self._mistral = MISTRAL_PREFIX in str(tokenizer.chat_template)
        self.end_token_id = self._find_end_token()
        self._stops = self._stop_ids()
        if variant == "actionstudio":
            self._check_shows_tools()

    def prompt_ids(self, tools: Iterable[ToolLike], query: str) -> list[int]:
        """What stands before the answer to a first query, in training and in serving.

        Raises:
            InputError: a broken tool schema.
        """
        asked = (Message(role="user", content=query),)
        return self._prompt_ids(prompt(tools, asked, self._variant, self._conversion, self._mistral), "query")

    def encode_rows(self, sample: Trajectory, conversion: ToolConversion | None = None) -> list[Encoded]:
        """One row for each answer of the assistant: its prompt as in serving, the answer and its end trainable.

        Several rows of a sample are told apart by `#1`, `#2` and so on behind its id.

        Args:
            sample: a conversation that ends with an answer.
            conversion: of the schemas, if not the renderer's.

        Raises:
            InputError: the messages are no such conversation, the template refuses them or changes earlier
                answers, or an answer contains the text of a token that ends the turn or all generation,
                which would teach the model to stop in the middle.
        """
        made = turns(sample, self._variant, conversion or self._conversion, self._mistral)
        names = [f"{sample.id}#{number}" for number in range(1, len(made) + 1)] if len(made) > 1 else [sample.id]
        return [self._row(self._prompt_ids(one, name), one.answer, name) for one, name in zip(made, names, strict=True)]

    def encode_answer(
        self, sample: Trajectory, messages: Sequence[Message], name: str, conversion: ToolConversion | None = None
    ) -> Encoded:
        """The row of the last of some messages on a sample's tools, under a name.

        Raises:
            InputError: as `encode_rows`.
        """
        made = turn(sample, messages, self._variant, conversion or self._conversion, self._mistral)
        return self._row(self._prompt_ids(made, name), made.answer, name)

    def encode_pair(self, preference: Preference, conversion: ToolConversion | None = None) -> tuple[Encoded, Encoded]:
        """The chosen and the rejected answer behind their common prompt, named `id/chosen` and `id/rejected`.

        Args:
            preference: a pair; a rejected answer without calls stands as its text, in the format or not.
            conversion: of the schemas, if not the renderer's.

        Raises:
            InputError: as `encode_rows`, or the answers are the same.
        """
        given, name = preference.rejected, preference.id
        as_text = given.content and not given.tool_calls
        chosen = answer_text(preference.chosen, self._variant, self._mistral)
        rejected = given.content if as_text else answer_text(given, self._variant, self._mistral)
        if chosen == rejected:
            raise InputError(f"pair {name}: the chosen and the rejected answer are the same; remove the pair")
        try:
            asked = prompt(
                preference.tools, preference.messages, self._variant, conversion or self._conversion, self._mistral
            )
        except InputError as error:
            raise InputError(f"pair {name}: {error}") from error
        ids = self._prompt_ids(asked, name)
        return self._row(ids, chosen, f"{name}/chosen"), self._row(ids, rejected, f"{name}/rejected")

    def encode_all(self, samples: Iterable[Trajectory], max_length: int) -> list[Encoded]:
        """Every sample as rows.

        Raises:
            InputError: as `encode_rows`, or a row is longer than `max_length` tokens.
        """
        return [checked(row, max_length) for sample in samples for row in self.encode_rows(sample)]

    def _row(self, prompt_ids: Sequence[int], answer: str, name: str) -> Encoded:
        row = Encoded(sample_id=name)
        row.append(prompt_ids, trainable=False)
        row.append(self._answer_ids(answer, name), trainable=True)
        return row

    def _answer_ids(self, text: str, name: str) -> list[int]:
        ids = self._encode.whole(text)
        if not ids:
            raise InputError(f"sample {name}: no token to train on; remove the sample")
        if self.end_token_id in ids:
            raise InputError(f"sample {name}: the answer contains the end-of-turn token; remove the sample")
        stop = next((token for token in ids if token in self._stops), None)
        if stop is not None:
            told = self._tokenizer.convert_ids_to_tokens(stop)
            raise InputError(f"sample {name}: the answer contains {told}, which ends generation; remove the sample")
        return [*ids, self.end_token_id]

    def _prompt_ids(self, asked: Prompt, name: str) -> list[int]:
        """Token ids of what stands before an answer.

        Raises:
            InputError: the template refuses the messages, or leaves out or changes an earlier answer.
        """
        try:
            text = self._apply(asked.messages, generation=True, tools=asked.tools)
        except TemplateError as error:
            raise InputError(
                f"sample {name}: the base model's chat template refuses its messages ({error}); "
                "take another data.variant or remove the sample"
            ) from error
        said = [message["content"] for message in asked.messages if message["role"] == "assistant"]
        if not all(content.strip() in text for content in said):
            raise InputError(
                f"sample {name}: the base model's chat template changes earlier answers; take another "
                "data.variant or give the tokenizer a template that does not"
            )
        return self._encode(text)

    def _apply(
        self, messages: list[dict[str, Any]], generation: bool, tools: list[dict[str, Any]] | None = None
    ) -> str:
        text = self._tokenizer.apply_chat_template(
            messages, tools=tools, tokenize=False, add_generation_prompt=generation
        )
        assert isinstance(text, str)
        return text

    def _find_end_token(self) -> int:
        if not self._tokenizer.chat_template:
            raise InputError("model.base: its tokenizer has no chat template; use an instruct model")
        turn = [{"role": "user", "content": PROBE_QUERY}, {"role": "assistant", "content": PROBE_ANSWER}]
        start = self._apply(turn[:1], generation=True) + PROBE_ANSWER
        rendered = self._apply(turn, generation=False)
        if not rendered.startswith(start):
            raise InputError(
                "model.base: its chat template does not write the assistant's text unchanged after the "
                "generation prompt; give the tokenizer a template that does"
            )
        special = self._special_ids()
        found = next((token for token in self._encode.whole(rendered[len(start) :]) if token in special), None)
        if found is None:
            raise InputError(
                "model.base: its chat template ends the assistant's turn without a special token, so the "
                "model could not learn to stop; add one to the template"
            )
        return found

    def _stop_ids(self) -> set[int]:
        """Special tokens at which the tokenizer, or the base's folder that it comes from, would have generation end.

        A trained model stops there as well, such as at Qwen's `<|endoftext|>`. What is no special token is left out:
        some configs still have a default id, which in their vocabulary is any word.
        """
        stops = {self._tokenizer.eos_token_id}
        for name in ("generation_config.json", "config.json"):
            path = Path(self._tokenizer.name_or_path, name)
            named = read_json(path).get("eos_token_id") if self._tokenizer.name_or_path and path.is_file() else None
            stops.update(named if isinstance(named, list) else [named])
        return self._special_ids() & stops

    def _check_shows_tools(self) -> None:
        asked = prompt((PROBE_TOOL,), (Message(role="user", content=PROBE_QUERY),), self._variant)
        if PROBE_TOOL.name not in self._apply(asked.messages, generation=True, tools=asked.tools):
            raise InputError(
                "data.variant: 'actionstudio' leaves the tools to the base model's chat template, which does not "
                "show any; take 'xlam-1' or another base"
            )

    def _special_ids(self) -> set[int]:
        added = self._tokenizer.added_tokens_decoder.items()
        return {token for token, entry in added if entry.special} | set(self._tokenizer.all_special_ids)


def checked(row: Encoded, max_length: int) -> Encoded:
    """The row, known to be short enough.

    Raises:
        InputError: it is longer than `max_length` tokens.
    """
    if len(row.ids) > max_length:
        raise InputError(
            f"sample {row.sample_id}: {len(row.ids)} tokens are more than data.max_length ({max_length}); raise it, "
            "set data.too_long, ask for fewer data.views.distractors or remove the sample"
        )
    return row


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, vocab_size: int) -> None:
    """Make sure that a model has an embedding for every token.

    Args:
        tokenizer: any.
        vocab_size: rows of the model's input embeddings, after tokens were added.

    Raises:
        InputError: the tokenizer has ids beyond them.
    """
    highest = max(tokenizer.get_vocab().values())
    if highest >= vocab_size:
        raise InputError(
            f"model.base: its tokenizer has ids up to {highest}, but the model only {vocab_size} embeddings; "
            "use the tokenizer that belongs to the model"
        )
