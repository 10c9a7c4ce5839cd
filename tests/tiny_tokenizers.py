"""Tokenizers of the model family for tests: the real ones where their vocabulary is at hand, small ones otherwise.

The chat templates are written for these tests. They have the markers, the roles and the ends of the published ones,
not their every branch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gguf import GGUFReader
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

from data_pipeline.core.turns import turns
from data_pipeline.core.xlam_format import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from data_pipeline.core.schema import Trajectory

SMALL_VOCABULARY = 1000
LONGEST = 12  # bytes of a learned token

_TOOLS_AS_LINES = "{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}"

DEEPSEEK = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] }}\n"
    "{% elif m['role'] == 'assistant' %}{{ m['content'] }}\n<|EOT|>\n"
    "{% else %}### Instruction:\n{{ m['content'] }}\n{% endif %}"
    "{% if m['role'] == 'user' and (not loop.last or add_generation_prompt) %}### Response:\n{% endif %}{% endfor %}"
)

MISTRAL = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m['role'] == 'user' %}"
    "{% if tools and loop.last %}[AVAILABLE_TOOLS] {{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}"
    "[INST] {{ m['content'] }}[/INST]"
    "{% elif m['role'] == 'tool' %}[TOOL_RESULTS] {{ m['content'] | tojson }}[/TOOL_RESULTS]"
    "{% elif m['tool_calls'] %}[TOOL_CALLS] {{ m['tool_calls'] | tojson }}</s>"
    "{% elif m['role'] == 'assistant' %}{{ m['content'] }}</s>"
    "{% else %}{{ raise_exception('no role but user, assistant and tool') }}{% endif %}{% endfor %}"
)

CHATML = (
    "{% if tools %}<|im_start|>system\n"
    "{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] }}\n\n{% endif %}"
    f"# Tools\n<tools>\n{_TOOLS_AS_LINES}</tools><|im_end|>\n{{% endif %}}"
    "{% for m in messages %}"
    "{% if m['role'] == 'system' and tools %}"
    "{% elif m['role'] == 'tool' %}<|im_start|>user\n<tool_response>\n{{ m['content'] }}\n</tool_response><|im_end|>\n"
    "{% else %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

LLAMA3 = (
    "{{ bos_token }}{% if tools %}<|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\n"
    "{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] }}\n{% endif %}"
    f"{_TOOLS_AS_LINES}<|eot_id|>{{% endif %}}"
    "{% for m in messages %}{% if m['role'] == 'system' and tools %}{% else %}"
    "<|start_header_id|>{{ 'ipython' if m['role'] == 'tool' else m['role'] }}<|end_header_id|>\n\n"
    "{{ m['content'] }}<|eot_id|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)


@dataclass(frozen=True)
class Style:
    """How a family of models talks.

    Attributes:
        template: Jinja chat template.
        bos: token before everything; None without.
        eos: token that ends an answer.
        pad: padding token.
        special: further tokens of the template.
        qwen: whether text is split into words as Qwen does; transformers does so whatever the folder says.
    """

    template: str
    bos: str | None
    eos: str
    pad: str
    special: tuple[str, ...] = ()
    qwen: bool = False


_DEEPSEEK = Style(DEEPSEEK, "<｜begin▁of▁sentence｜>", "<|EOT|>", "<｜end▁of▁sentence｜>")
_CALLS = ("[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]")
_MISTRAL = Style(MISTRAL, "<s>", "</s>", "<unk>", (*_CALLS, "[/TOOL_RESULTS]"))
_LLAMA3 = Style(
    LLAMA3,
    "<|begin_of_text|>",
    "<|eot_id|>",
    "<|finetune_right_pad_id|>",
    ("<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|python_tag|>"),
)
_CHATML = Style(CHATML, None, "<|im_end|>", "<|endoftext|>", ("<|im_start|>",))
_QWEN = replace(_CHATML, qwen=True)

STYLES = {"deepseek": _DEEPSEEK, "mistral": _MISTRAL, "llama3": _LLAMA3, "chatml": _CHATML, "qwen": _QWEN}

# What splits text into words before BPE; digits and bytes follow in `_real`.
_CODER_SPLITS = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+")
_LLM_SPLITS = (
    r"[\r\n]",
    r"\s?[\p{Lu}\p{Ll}\p{Lt}]+",
    "\\s?[!-/:-~！-／：-～‘-‟　-。]+",
    r"\s+$",
    "[一-龥ࠀ-一가-퟿]+",
)


def deepseek_coder(vocabulary: Path) -> PreTrainedTokenizerFast:
    """deepseek-coder 1.3b's tokenizer, 32,022 tokens, from the folder of vocabulary-only GGUF files."""
    return _real(vocabulary / "ggml-vocab-deepseek-coder.gguf", _CODER_SPLITS)


def deepseek_llm(vocabulary: Path) -> PreTrainedTokenizerFast:
    """deepseek-coder-7b-v1.5's tokenizer, which is deepseek-llm's with `<|EOT|>` in the first free place."""
    return _real(vocabulary / "ggml-vocab-deepseek-llm.gguf", _LLM_SPLITS)


def small(style: str, samples: Iterable[Trajectory]) -> PreTrainedTokenizerFast:
    """A byte-level BPE, trained on the prompts of samples, that talks as a family does.

    Its tokens go across words, except Qwen's, so that prompts are half as long as with a real vocabulary.
    """
    talks = STYLES[style]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    if talks.qwen:
        qwen: Any = Qwen2Tokenizer()
        bpe.normalizer, bpe.pre_tokenizer = qwen.backend_tokenizer.normalizer, qwen.backend_tokenizer.pre_tokenizer
    bpe.decoder = decoders.ByteLevel()
    names = [talks.pad, talks.bos, talks.eos, *talks.special]
    trainer = trainers.BpeTrainer(
        vocab_size=SMALL_VOCABULARY,
        special_tokens=[name for name in names if name],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        max_token_length=LONGEST,
        show_progress=False,
    )
    bpe.train_from_iterator(_texts(samples), trainer)
    return _finish(bpe, talks)


def _texts(samples: Iterable[Trajectory]) -> Iterator[str]:
    """What prompts of the variants are made of."""
    for sample in samples:
        yield from (segment.text for segment in render(sample))
        (turn,) = turns(sample, "actionstudio")
        yield from (message["content"] for message in turn.messages)
        yield json.dumps(turn.tools)


def _real(path: Path, splits: Sequence[str]) -> PreTrainedTokenizerFast:
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    kinds = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(pair.split(" ")) for pair in fields["tokenizer.ggml.merges"].contents()]
    learned = kinds.index(next(kind for kind in kinds if kind != 1))  # 1 is what BPE made; others follow
    bpe = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens[:learned])}, merges))
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *(pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in splits),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    added = [token for token in tokens[learned:] if not token.startswith("[PAD")]
    talks = STYLES["deepseek"]
    added += [] if talks.eos in added else [talks.eos]
    special = {talks.bos, talks.eos, talks.pad}
    bpe.add_tokens([AddedToken(token, special=token in special, normalized=False) for token in added])
    return _finish(bpe, talks)


def _finish(bpe: Tokenizer, talks: Style) -> PreTrainedTokenizerFast:
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=talks.bos, eos_token=talks.eos, pad_token=talks.pad
    )
    tokenizer.chat_template = talks.template
    return tokenizer
