"""Which token ends the assistant's turn: asked of the chat template, not of what the config calls end of sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import TemplateError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Text that no template tampers with and that stands nowhere else in a prompt.
_ANSWER = "zq 4711 qz"


def turn_end_id(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The first special token behind an answer of the assistant, or None where the template puts none there.

    deepseek-coder's is `<|EOT|>`, while its config names `<|end_of_sentence|>` only: served by that, it never stops.

    Args:
        tokenizer: with a chat template; without one the answer is None.
    """
    if not tokenizer.chat_template:
        return None
    chat = [{"role": "user", "content": "q"}, {"role": "assistant", "content": _ANSWER}]
    try:
        text = tokenizer.apply_chat_template(chat, tokenize=False)
    except TemplateError:
        return None
    behind = str(text).rpartition(_ANSWER)[2]
    special = {token for token, entry in tokenizer.added_tokens_decoder.items() if entry.special}
    special |= set(tokenizer.all_special_ids)
    ids = tokenizer(behind, add_special_tokens=False)["input_ids"]
    return next((int(token) for token in ids if token in special), None)
