"""The prompt variants as a chat template: OpenAI `messages` and `tools` in, the bytes of `core.turns` out.

The template is a preamble before the base model's own template, which stays as it is. Where tools are given, the
preamble writes the conversation anew as plain messages, the ones that training gave to the base's template, and takes
the tools away; so the base's markers, default system texts and quirks are its own in any case. Without tools it does
nothing, and the base's plain chat is unchanged. The language is Jinja as far as transformers (thus vLLM) and llama.cpp
agree on it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_atomic, write_json
from data_pipeline.core.prompt_texts import (
    BFCL_FORMAT_INSTRUCTION,
    BFCL_SYSTEM,
    BFCL_TASK_INSTRUCTION,
    FORMAT_INSTRUCTION,
    TASK_INSTRUCTION,
)
from data_pipeline.core.schema import Message, Tool, ToolCall
from data_pipeline.core.turns import prompt
from data_pipeline.core.variants import check_variant
from data_pipeline.core.xlam_format import to_xlam_tools

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from data_pipeline.core.turns import ChatMessage
    from data_pipeline.core.variants import ToolConversion, Variant

TEMPLATE_FILE = "chat_template.jinja"
"""Where transformers 5 keeps a folder's template."""

_BEGIN = "{#- xLAM prompt"
_DELETE = "\x7f"  # itself, because llama.cpp knows no such escape; its writer of JSON leaves the character as it is
_END = "{#- The base model's own chat template. #}\n"


def xlam_template(
    tokenizer: PreTrainedTokenizerBase, variant: Variant = "xlam-1", conversion: ToolConversion = "card"
) -> str:
    """The tokenizer's chat template, taught the xLAM prompt.

    With `tools` (an empty list too), messages become what `data_pipeline.core.turns.prompt` makes of them, inside the
    base's own turn markers; a conversation that ends with an answer ends with it here. Without, the base's own bytes
    come out. Arguments of calls may be objects or JSON text.

    Args:
        tokenizer: of the base model; a template that this function made before is replaced.
        variant: prompt variant; `actionstudio` is the base's own tool-aware template.
        conversion: how schemas stand in the prompt.

    Raises:
        InputError: no chat template, one that cannot show the variant's messages, or unknown variant or conversion.
    """
    to_xlam_tools((), conversion)
    base = _base_template(tokenizer)
    if check_variant(variant) == "actionstudio":
        _check_shows_tools(tokenizer, base)
        return base
    made = f"{_preamble(variant, conversion)}{_END}{base}"
    _check(tokenizer, base, made, variant, conversion)
    return made


def install_template(folder: Path, variant: Variant = "xlam-1", conversion: ToolConversion = "card") -> None:
    """Write `xlam_template` into a model folder in place of its chat template.

    Args:
        folder: with a tokenizer that transformers can load.

    Raises:
        InputError: there is no tokenizer, it has no template to build on, or the folder cannot be written.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder}: no tokenizer to write a chat template for ({reason}); check the path") from error
    write_atomic(folder / TEMPLATE_FILE, xlam_template(tokenizer, variant, conversion).encode())
    if variant != "actionstudio":  # transformers takes this one, where there is one, for requests with tools
        (folder / "additional_chat_templates" / "tool_use.jinja").unlink(missing_ok=True)
    settings = folder / "tokenizer_config.json"
    kept = read_json(settings) if settings.exists() else {}
    if kept.pop("chat_template", None) is not None:  # older folders keep it here, for programs that look nowhere else
        write_json(settings, kept)


def _base_template(tokenizer: PreTrainedTokenizerBase) -> str:
    """The template for plain chat, without a preamble of ours."""
    found = tokenizer.chat_template
    template = found.get("default") if isinstance(found, dict) else found
    if not template:
        raise InputError(
            f"{tokenizer.name_or_path}: its tokenizer has no chat template; give it its model's own, "
            f"as {TEMPLATE_FILE} in its folder"
        )
    return str(template).split(_END)[-1] if str(template).startswith(_BEGIN) else str(template)


def _preamble(variant: Variant, conversion: ToolConversion) -> str:
    """What turns messages and tools into plain messages."""
    bfcl = variant == "xlam-1-bfcl"
    said = [{"role": "system", "content": BFCL_SYSTEM}] if bfcl else []
    texts = {
        "xlam_task": BFCL_TASK_INSTRUCTION if bfcl else TASK_INSTRUCTION,
        "xlam_format": BFCL_FORMAT_INSTRUCTION if bfcl else FORMAT_INSTRUCTION,
        "xlam_ascii": "".join(map(chr, range(0x20, 0x7F))),
    }
    return "\n".join(
        [
            f"{_BEGIN}, variant {variant}, tools by the {conversion}'s conversion; written by xlam-train. -#}}",
            *(f"{{%- set {name} = {json.dumps(text)} -%}}" for name, text in texts.items()),
            f"{{%- set xlam_delete = '{_DELETE}' -%}}",
            _part("values"),
            _part("parts"),
            _part(f"properties_{conversion}"),
            _part("history" if variant == "xlam-1-history" else "blocks"),
            _part("opening").replace("CHAT", json.dumps(said)),
        ]
    )


@cache
def _part(name: str) -> str:
    return (Path(__file__).parent / "templates" / f"{name}.jinja").read_text(encoding="utf-8")


_WEATHER = Tool(
    name="weather",
    description="Tells the wéather.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "number", "default": 1.0}},
        "required": ["city"],
    },
)


def _probes() -> list[tuple[Message, ...]]:
    """Conversations that a template has to write as training does, each up to a question."""
    system = Message(role="system", content="Today is Monday.")
    asked = Message(role="user", content='What is the weather in "Oslo"? ')
    call = ToolCall(name="weather", arguments={"city": "Oslo", "days": 2.5})
    returned = Message(role="tool", content='{"sky": "grey"}')
    once = (asked, Message(role="assistant", content="Once.", tool_calls=(call,)), returned)
    twice = (asked, Message(role="assistant", tool_calls=(call, call)), returned, returned)
    answered = (*twice, Message(role="assistant", content="Grey."), Message(role="user", content="And Rome?"), asked)
    return [(asked,), (system, asked), once, (system, *answered)]


def _check(
    tokenizer: PreTrainedTokenizerBase, base: str, made: str, variant: Variant, conversion: ToolConversion
) -> None:
    """Make sure that both templates write the same.

    Raises:
        InputError: they do not, or the base's refuses what training would give it.
    """
    for messages in _probes():
        for tools in ((_WEATHER,), ()):
            plain = prompt(tools, messages, variant, conversion).messages
            try:
                wanted = _render(tokenizer, base, plain)
                found = _render(tokenizer, made, [_openai(message) for message in messages], tools)
            except TemplateError as error:
                raise InputError(
                    f"{tokenizer.name_or_path}: its chat template refuses the messages of '{variant}' ({error}); take "
                    "another variant or base"
                ) from error
            if found != wanted:
                raise InputError(
                    f"{tokenizer.name_or_path}: its chat template uses names of the xLAM preamble (xlam_...); "
                    "rename them there"
                )


def _check_shows_tools(tokenizer: PreTrainedTokenizerBase, base: str) -> None:
    asked = [{"role": "user", "content": "What is the weather?"}]
    if _WEATHER.name not in _render(tokenizer, base, asked, (_WEATHER,)).replace(asked[0]["content"], ""):
        raise InputError(
            f"{tokenizer.name_or_path}: 'actionstudio' leaves the tools to the base model's chat template, which does "
            "not show any; take 'xlam-1' or another base"
        )


def _render(
    tokenizer: PreTrainedTokenizerBase,
    template: str,
    messages: list[ChatMessage],
    tools: tuple[Tool, ...] | None = None,
) -> str:
    shown = None if tools is None else [{"type": "function", "function": tool.to_openai()} for tool in tools]
    text = tokenizer.apply_chat_template(
        messages, tools=shown, chat_template=template, tokenize=False, add_generation_prompt=True
    )
    assert isinstance(text, str)
    return text


def _openai(message: Message) -> dict[str, Any]:
    """A message as OpenAI's API has it."""
    if not message.tool_calls:
        return {"role": message.role, "content": message.content}
    calls = [{"name": call.name, "arguments": json.dumps(call.arguments)} for call in message.tool_calls]
    return {
        "role": message.role,
        "content": message.content or None,
        "tool_calls": [{"type": "function", "function": call} for call in calls],
    }
