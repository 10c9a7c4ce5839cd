"""The chat template around real and small tokenizers: what it writes, what it leaves alone, what it refuses."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tiny_tokenizers
from jinja2 import TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tiny_conversations import conversation, json_text, openai_messages, openai_tools, text, value
from transformers import AutoTokenizer

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Tool, ToolCall
from data_pipeline.core.turns import answer_text, prompt
from data_pipeline.core.xlam_format import render_prompt
from xlam_train.data.render import Renderer
from xlam_train.export.chat_template import TEMPLATE_FILE, install_template, xlam_template

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS = ("xlam-1", "xlam-1-history", "xlam-1-bfcl")
WEATHER = Tool(
    name="weather",
    description="Tells the weather.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
QUERY = {"role": "user", "content": "Oslo?"}
CALL = ToolCall(name="weather", arguments={"city": "Oslo"})
ANSWER = Message(role="assistant", content="One call.", tool_calls=(CALL,))


@pytest.fixture(scope="module")
def chatml(make_samples: Callable[..., Any]) -> Any:
    return tiny_tokenizers.small("chatml", make_samples())


def render(
    tokenizer: Any, messages: Any, tools: Any = None, template: str | None = None, generation: bool = True
) -> str:
    return str(
        tokenizer.apply_chat_template(
            messages, tools=tools, chat_template=template, tokenize=False, add_generation_prompt=generation
        )
    )


def assert_same_as_training(tokenizer: Any, variant: Any, conversion: Any = "card", count: int = 20) -> None:
    draw, template = random.Random(3), xlam_template(tokenizer, variant, conversion)
    for _ in range(count):
        tools, messages = conversation(draw)
        wanted = render(tokenizer, prompt(tools, messages, variant, conversion).messages)
        assert render(tokenizer, openai_messages(messages, draw), openai_tools(tools), template) == wanted


@pytest.fixture(scope="module")
def deepseek(vocab_dir: Path) -> Any:
    return tiny_tokenizers.deepseek_coder(vocab_dir)


@pytest.mark.parametrize("variant", VARIANTS)
def test_deepseek_coders_own_tokenizer(deepseek: Any, variant: str) -> None:
    assert_same_as_training(deepseek, variant)


def test_deepseek_coders_published_prompt(deepseek: Any) -> None:
    asked = render(deepseek, [QUERY], openai_tools([WEATHER]), xlam_template(deepseek))
    content = render_prompt([WEATHER], "Oslo?")
    assert asked == f"<｜begin▁of▁sentence｜>### Instruction:\n{content}\n### Response:\n"


@pytest.mark.parametrize("style", sorted(tiny_tokenizers.STYLES))
def test_every_family_of_models(style: str, make_samples: Callable[..., Any]) -> None:
    tokenizer = tiny_tokenizers.small(style, make_samples())
    for variant in VARIANTS:
        if (style, variant) != ("mistral", "xlam-1-bfcl"):
            assert_same_as_training(tokenizer, variant)
            assert_same_as_training(tokenizer, variant, "leaderboard", count=5)


def test_default_system_texts_and_trimming_stay_the_bases_own(chatml: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quirky = (
        "{{- bos_token }}{% if messages[0]['role'] != 'system' %}You help.\n{% endif %}\n"
        "  {%- for m in messages %}\n  {{ '[' + m['role'] + ']' + m['content'] | trim }}\n{% endfor %}"
    )
    monkeypatch.setattr(chatml, "chat_template", quirky)
    for variant in VARIANTS:
        assert_same_as_training(chatml, variant)
    assert "You help." in render(chatml, [QUERY], [], xlam_template(chatml))


@pytest.mark.parametrize("variant", VARIANTS)
def test_plain_chat_is_the_bases_own(chatml: Any, variant: Any) -> None:
    made = xlam_template(chatml, variant)
    chat = [{"role": "system", "content": " S "}, QUERY, {"role": "assistant", "content": "A"}, QUERY]
    for messages in (chat[:2], chat[:3], chat, chat[3:]):
        for generation in (True, False):
            wanted = render(chatml, messages, generation=generation)
            assert render(chatml, messages, template=made, generation=generation) == wanted


def test_no_tools_and_no_word_of_tools_are_two_things(chatml: Any) -> None:
    made = xlam_template(chatml)
    assert "[BEGIN OF AVAILABLE TOOLS]\n[]\n[END OF AVAILABLE TOOLS]" in render(chatml, [QUERY], [], made)
    assert "[BEGIN OF" not in render(chatml, [QUERY], None, made)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_conversation_may_end_with_its_answer(chatml: Any, variant: Any) -> None:
    asked = Message(role="user", content="Oslo?")
    plain = [
        *prompt([WEATHER], [asked], variant).messages,
        {"role": "assistant", "content": answer_text(ANSWER, variant)},
    ]
    given = openai_messages([asked, ANSWER], random.Random(0))
    found = render(chatml, given, openai_tools([WEATHER]), xlam_template(chatml, variant), generation=False)
    assert found == render(chatml, plain, generation=False)


@pytest.mark.parametrize(
    "call",
    [
        {"type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo"}}},
        {"type": "function", "function": {"name": "weather", "arguments": '{"city":"\\u004fslo"}'}},
        {"name": "weather", "arguments": {"city": "Oslo"}},
    ],
    ids=["object", "text", "bare"],
)
def test_calls_of_every_shape(chatml: Any, call: dict[str, Any]) -> None:
    messages = [QUERY, {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "content": "grey"}]
    found = render(chatml, messages, openai_tools([WEATHER]), xlam_template(chatml))
    assert '{"tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}]}' in found


@pytest.mark.parametrize("arguments", [None, "", {}, "{}"])
def test_calls_without_arguments(chatml: Any, arguments: Any) -> None:
    call = {"function": {"name": "weather", "arguments": arguments}}
    messages = [QUERY, {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "content": "grey"}]
    found = render(chatml, messages, [], xlam_template(chatml))
    assert '{"tool_calls": [{"name": "weather", "arguments": {}}]}' in found


@pytest.mark.parametrize("function", [{"name": "now"}, {"name": "now", "description": None, "parameters": None}])
def test_tools_with_a_name_only(chatml: Any, function: dict[str, Any]) -> None:
    made = xlam_template(chatml)
    wanted = '[{"name": "now", "description": "", "parameters": {}}]'
    assert wanted in render(chatml, [QUERY], [function], made)
    assert wanted in render(chatml, [QUERY], [{"type": "function", "function": function}], made)


def test_content_in_parts_is_joined(chatml: Any) -> None:
    parts = {"role": "user", "content": [{"type": "text", "text": "Os"}, {"type": "text", "text": "lo?"}]}
    made = xlam_template(chatml)
    assert render(chatml, [parts], [], made) == render(chatml, [QUERY], [], made)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "roles", [("assistant",), ("user", "assistant", "assistant"), ("user", "tool"), ("user", "system"), ("critic",)]
)
def test_messages_in_no_order_are_refused(chatml: Any, variant: Any, roles: tuple[str, ...]) -> None:
    messages = [{"role": role, "content": "x"} for role in roles]
    with pytest.raises(TemplateError, match=f"no conversation: a message of the role {roles[-1]} in the wrong place"):
        render(chatml, messages, [], xlam_template(chatml, variant))


def test_numbers_in_an_engine_that_rounds_them(chatml: Any) -> None:
    """llama.cpp writes six digits and no `.0`; the digits between are found by arithmetic."""
    draw = random.Random(5)
    numbers = [1.5e300, 1.7976931348623157e308, -2.2250738585072014e-308, 2.0**-25, 1 / 3, 1e22, 1e23, -0.0, 5.0, 1e16]
    numbers += [struct.unpack("d", draw.randbytes(8))[0] for _ in range(300)]
    numbers += [draw.randrange(10**17) / 10 ** draw.randrange(25) for _ in range(300)]
    # Of the numbers so small that they lose digits, llama.cpp cannot read the text.
    numbers = [number for number in numbers if 2.3e-308 < abs(number) < 1e308 or number in numbers[:10]]
    written = _macro(chatml, "{% for x in given %}{{ xlam_json(x) }}\n{% endfor %}", _rounded).render(given=numbers)
    assert written.split("\n")[:-1] == list(map(repr, numbers))


def test_json_text_is_written_anew_as_python_writes_it(chatml: Any) -> None:
    draw = random.Random(6)
    texts = [json_text({text(draw): value(draw) for _ in range(3)}, draw) for _ in range(400)]
    texts += [
        '{"a":-0,"b":[1.50,1E5,-0.0,true,null],"c":{}}',
        '{"x":"\\u0041\\u00E9\\uD83D\\uDE00\\u0022\\u005C\\u007F\\u0008"}',
    ]
    written = _macro(chatml, "{% for x in given %}{{ xlam_reformat(x) }}\n{% endfor %}", json.dumps).render(given=texts)
    assert written.split("\n")[:-1] == [json.dumps(json.loads(given)) for given in texts]


def _macro(tokenizer: Any, use: str, tojson: Callable[..., str]) -> Any:
    """The preamble's macros in an engine with a JSON writer of its own."""
    engine = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    engine.filters["tojson"] = tojson
    return engine.from_string(xlam_template(tokenizer).split("{%- if tools is defined")[0] + use)


def _rounded(data: Any, ensure_ascii: bool = False) -> str:
    if isinstance(data, list):
        return f"[{', '.join(map(_rounded, data))}]"
    return f"{data:g}" if isinstance(data, float) else json.dumps(data, ensure_ascii=ensure_ascii)


@pytest.mark.parametrize("variant", VARIANTS)
def test_vllm_is_not_led_to_send_contents_in_parts(chatml: Any, variant: Any) -> None:
    """It does where a loop runs over a message's content, or over a macro's parameter that a content is given to."""
    tree = ImmutableSandboxedEnvironment().parse(xlam_template(chatml, variant).split("{#- The base model's")[0])
    messages = {loop.target.name for loop in tree.find_all(nodes.For) if _name(loop.iter) == "messages"}
    assert messages == {"message"}
    given = [argument for call in tree.find_all(nodes.Call) for argument in call.args]
    looped = [loop.iter for loop in tree.find_all(nodes.For)]
    contents = [node for node in [*given, *looped] if isinstance(node, nodes.Getattr) and node.attr == "content"]
    assert [_name(node.node) for node in contents] == ["said"]


def _name(node: nodes.Node) -> str | None:
    return node.name if isinstance(node, nodes.Name) else None


def test_actionstudio_is_the_bases_own_template(chatml: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert xlam_template(chatml, "actionstudio") == chatml.chat_template
    monkeypatch.setattr(chatml, "chat_template", tiny_tokenizers.DEEPSEEK)
    with pytest.raises(InputError, match="does not show any; take 'xlam-1'"):
        xlam_template(chatml, "actionstudio")


def test_what_cannot_be_written_is_refused(chatml: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="unknown prompt variant 'xlam'"):
        xlam_template(chatml, "xlam")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unknown tool conversion"):
        xlam_template(chatml, "xlam-1", "cards")  # type: ignore[arg-type]
    monkeypatch.setattr(chatml, "chat_template", tiny_tokenizers.MISTRAL)
    with pytest.raises(InputError, match="refuses the messages of 'xlam-1-bfcl'"):
        xlam_template(chatml, "xlam-1-bfcl")
    monkeypatch.setattr(chatml, "chat_template", "{% for m in messages %}{{ m.content }}")
    with pytest.raises(InputError, match="Unexpected end of template"):
        xlam_template(chatml)
    monkeypatch.setattr(chatml, "chat_template", None)
    with pytest.raises(InputError, match="has no chat template"):
        xlam_template(chatml)


def test_a_base_that_looks_at_our_names_is_refused(chatml: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    template = "{% for m in messages %}{{ m.content }}{% endfor %}{{ 'changed' if xlam_exact is defined }}"
    monkeypatch.setattr(chatml, "chat_template", template)
    with pytest.raises(InputError, match="rename them there"):
        xlam_template(chatml)


def test_installing_replaces_the_template_and_nothing_else(chatml: Any, tmp_path: Path) -> None:
    chatml.save_pretrained(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    base = before.pop(TEMPLATE_FILE).decode()
    install_template(tmp_path, "xlam-1-history")
    install_template(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != TEMPLATE_FILE} == before
    installed = AutoTokenizer.from_pretrained(tmp_path)
    assert installed.chat_template == xlam_template(chatml) == xlam_template(installed)
    assert installed.chat_template.endswith(base)
    assert "[BEGIN OF AVAILABLE TOOLS]" in installed.chat_template


def test_the_folder_still_serves_as_a_base_of_training(chatml: Any, make_samples: Any, tmp_path: Path) -> None:
    chatml.save_pretrained(tmp_path)
    install_template(tmp_path)
    installed, sample = AutoTokenizer.from_pretrained(tmp_path), make_samples()[0]
    trained, again = Renderer(chatml), Renderer(installed)
    assert again.encode_rows(sample) == trained.encode_rows(sample)
    served = render(installed, [{"role": "user", "content": sample.query}], openai_tools(list(sample.tools)))
    assert installed.encode(served, add_special_tokens=False) == trained.prompt_ids(sample.tools, sample.query)


def test_a_second_template_for_tools_gives_way(chatml: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = xlam_template(chatml)
    monkeypatch.setattr(chatml, "chat_template", {"default": chatml.chat_template, "tool_use": "other"})
    chatml.save_pretrained(tmp_path)
    assert isinstance(AutoTokenizer.from_pretrained(tmp_path).chat_template, dict)
    install_template(tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template == wanted


def test_a_template_kept_in_the_settings_moves_to_its_file(chatml: Any, tmp_path: Path) -> None:
    chatml.save_pretrained(tmp_path)
    settings = tmp_path / "tokenizer_config.json"
    kept = json.loads(settings.read_text())
    settings.write_text(json.dumps({**kept, "chat_template": (tmp_path / TEMPLATE_FILE).read_text()}))
    (tmp_path / TEMPLATE_FILE).unlink()
    install_template(tmp_path)
    assert json.loads(settings.read_text()) == kept
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template == xlam_template(chatml)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no tokenizer to write a chat template for"):
        install_template(tmp_path)
    assert list(tmp_path.iterdir()) == []
