"""A small SentencePiece tokenizer of type BPE, as the tokenizer.json that transformers makes of one.

The pieces come from a BPE trained on a few sentences. The merges are then all ways to make a piece from two pieces,
in the pieces' order, as the published conversions of Llama's and Mistral's models have them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

if TYPE_CHECKING:
    from pathlib import Path

SPECIAL = ("<unk>", "<s>", "</s>")
TEXTS = (
    "What is the weather like in Paris and in Berlin this week? Use the tools below, then answer the user's query.",
    "The function arguments are given as JSON: name, description, type, required, optional, default, integer, string.",
    "def weather(city):\n    return tools[city]\n\nprint(weather('Paris'))\n",
    "The weather is the same as it was there: the rather mild, the windy, and then the other weather.",
    "12 tables for 3 people at 7:45 pm, please; no more than 200 euros altogether.",
)
PIECES = 400
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
    "{% elif m['role'] == 'system' %}{{ m['content'] }}{% else %} {{ m['content'] }}</s>{% endif %}{% endfor %}"
)


def spm_tokenizer(
    folder: Path,
    style: Literal["llama2", "mistral3", "always"] = "llama2",
    special: tuple[str, ...] = (),
    template: str | None = TEMPLATE,
    **settings: Any,
) -> Path:
    """Save the tokenizer's files into a folder.

    Args:
        folder: an existing one.
        style: where a space is put before text. "llama2": before each text between special tokens, by a normalizer;
            "mistral3": before the first text alone; "always": before each text that does not begin with one.
        special: added tokens besides <unk>, <s> and </s>.
        template: chat template.
        settings: further fields of tokenizer_config.json.
    """
    bpe = Tokenizer.from_str(json.dumps(_source(style)))
    bpe.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in (*SPECIAL, *special)])
    bpe.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "clean_up_tokenization_spaces": False,
        **settings,
    }
    if template:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def _source(style: str) -> dict[str, Any]:
    pieces = _learned()
    characters = [piece for piece in pieces if len(piece) == 1]
    joined = [piece for piece in pieces if len(piece) > 1]
    names = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *joined, *characters]
    known = set(pieces)
    merges = [
        [piece[:cut], piece[cut:]]
        for piece in joined
        for cut in range(1, len(piece))
        if piece[:cut] in known and piece[cut:] in known
    ]
    model = models.BPE(
        vocab={name: number for number, name in enumerate(names)},
        merges=[(left, right) for left, right in merges],
        byte_fallback=True,
        fuse_unk=True,
        unk_token="<unk>",
    )
    bpe = Tokenizer(model)
    replace = normalizers.Replace(" ", "\u2581")
    if style == "llama2":
        bpe.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), replace])
    else:
        scheme: Any = "first" if style == "mistral3" else "always"
        bpe.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", prepend_scheme=scheme, split=False)
    bpe.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    source: dict[str, Any] = json.loads(bpe.to_str())
    return source


def _learned() -> list[str]:
    """Pieces in the order in which they were learned; each made of two others."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", prepend_scheme="always", split=True)
    bpe.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=PIECES, show_progress=False))
    vocabulary = bpe.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)
