"""Conversations and pairs of answers as rows: each turn as it is served, and what is shared is shared."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import tiny_tokenizers

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Preference, Tool, ToolCall, Trajectory, dumps
from data_pipeline.core.turns import turns
from data_pipeline.core.variants import VARIANTS
from data_pipeline.core.xlam_format import render_answer, render_prompt, to_xlam_tools
from data_pipeline.tools.source import open_source
from xlam_train.data.pack import build_tree
from xlam_train.data.render import Renderer
from xlam_train.model import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from xlam_train.data.render import Encoded

TURNS = 8

# With the system's message first, roles in turn and identifiers of nine characters, as Mistral's template wants them.
STRICT_MISTRAL = (
    "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set loud = messages[1:] %}"
    "{% else %}{% set loud = messages %}{% endif %}{% set ns = namespace(n=0) %}{{ bos_token }}"
    "{% for m in loud %}"
    "{% if m['role'] == 'user' or (m['role'] == 'assistant' and not m['tool_calls']) %}"
    "{% if (m['role'] == 'user') != (ns.n % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% set ns.n = ns.n + 1 %}{% endif %}"
    "{% if m['role'] == 'user' %}{% if loop.last and tools %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]"
    "{% endif %}[INST] {% if loop.last and system %}{{ system }}\n\n{% endif %}{{ m['content'] }}[/INST]"
    "{% elif m['tool_calls'] %}[TOOL_CALLS] {{ m['tool_calls'] | tojson }}</s>"
    "{% elif m['role'] == 'tool' %}{% if m['tool_call_id'] | length != 9 %}{{ raise_exception('bad id') }}{% endif %}"
    "[TOOL_RESULTS] {{ m['content'] }}[/TOOL_RESULTS]"
    "{% else %}{{ m['content'] }}</s>{% endif %}{% endfor %}"
)

# The definition of `xlam-1` in turns.py, as a chat template around ChatML.
XLAM_1_TEMPLATE = """
{%- set ns = namespace(open=false, first=true, system='') -%}
{%- for m in messages -%}
{%- if m.role == 'system' -%}{%- set ns.system = m.content -%}
{%- elif m.role == 'assistant' -%}
{{- '<|im_start|>assistant\\n{"tool_calls": [' -}}
{%- for call in m.tool_calls -%}
{{- '{"name": ' + call.function.name | tojson(ensure_ascii=true) + ', "arguments": ' -}}
{{- call.function.arguments | tojson(ensure_ascii=true) + '}' + (', ' if not loop.last else '') -}}
{%- endfor -%}
{{- ']}<|im_end|>\\n' -}}
{%- else -%}
{%- if not ns.open -%}{{- '<|im_start|>user\\n' -}}{%- set ns.open = true -%}{%- endif -%}
{%- if ns.first -%}
{{- (ns.system + '\\n\\n' if ns.system else '') + HEAD + xlam_tools | tojson(ensure_ascii=true) + TAIL -}}
{%- set ns.first = false -%}
{%- endif -%}
{%- set name = 'TOOL RESULT' if m.role == 'tool' else 'QUERY' -%}
{{- '[BEGIN OF ' + name + ']\\n' + m.content + '\\n[END OF ' + name + ']\\n\\n' -}}
{%- if loop.last or loop.nextitem.role == 'assistant' -%}{{- '<|im_end|>\\n' -}}{%- set ns.open = false -%}{%- endif -%}
{%- endif -%}
{%- endfor -%}
{{- '<|im_start|>assistant\\n' -}}
"""


@pytest.fixture(scope="module")
def desk() -> tuple[Tool, ...]:
    """The nine tools of an order desk."""
    return tuple(open_source("bundled:shop_orders").tools)


def said(role: Any, text: str = "", *calls: ToolCall) -> Message:
    return Message(role=role, content=text, tool_calls=calls)


def view(order: int) -> ToolCall:
    return ToolCall(name="view_order", arguments={"order_id": f"ORD-{order:04d}"})


def agent(tools: tuple[Tool, ...]) -> Trajectory:
    """One request that takes many calls, each with its result."""
    messages = [said("user", "Please check every order that I placed this month, one after the other.")]
    for number in range(TURNS):
        messages.append(said("assistant", "", view(number)))
        messages.append(said("tool", dumps({"order_id": f"ORD-{number:04d}", "status": "shipped", "total": 19.5})))
    return Trajectory(id="agent", style="simple", tools=tools, messages=tuple(messages[:-1]))


def talk(tools: tuple[Tool, ...]) -> Trajectory:
    """A user who asks for one thing after the other."""
    messages = [said("system", "Answer for the shop.")]
    for number in range(TURNS):
        messages += [said("user", f"What of order {number}?"), said("assistant", "", view(number))]
        messages += [said("tool", '{"status": "shipped"}'), said("assistant", "It is on its way.")]
    return Trajectory(id="talk", style="simple", tools=tools, messages=tuple(messages))


def as_served(tokenizer: Any, renderer: Renderer, made: Any, row: Encoded) -> None:
    text = tokenizer.apply_chat_template(made.messages, tools=made.tools, tokenize=False, add_generation_prompt=True)
    served = tokenizer.encode(text, add_special_tokens=False)
    answer = tokenizer.encode(made.answer, add_special_tokens=False)
    assert row.ids == [*served, *answer, renderer.end_token_id]
    assert row.trainable == [False] * len(served) + [True] * (len(answer) + 1)


@pytest.mark.parametrize("conversation", [agent, talk])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("style", ["chatml", "llama3", "deepseek"])
def test_every_turn_is_a_row_as_served(
    style: str, variant: Any, conversation: Any, desk: tuple[Tool, ...], make_samples: Callable[..., list[Trajectory]]
) -> None:
    sample = conversation(desk)
    tokenizer = tiny_tokenizers.small(style, make_samples())
    if (style, variant) == ("deepseek", "actionstudio"):
        with pytest.raises(InputError, match=r"data.variant: 'actionstudio' .* does not show any"):
            Renderer(tokenizer, variant)
        return
    renderer = Renderer(tokenizer, variant)
    rows = renderer.encode_rows(sample)
    made = turns(sample, variant)
    assert [row.sample_id for row in rows] == [f"{sample.id}#{number}" for number in range(1, len(made) + 1)]
    for one, row in zip(made, rows, strict=True):
        as_served(tokenizer, renderer, one, row)


def test_mistral_in_its_own_way(desk: tuple[Tool, ...], make_samples: Callable[..., list[Trajectory]]) -> None:
    tokenizer: Any = tiny_tokenizers.small("mistral", make_samples())
    tokenizer.chat_template = STRICT_MISTRAL
    renderer = Renderer(tokenizer, "actionstudio")
    sample = talk(desk)
    rows = renderer.encode_rows(sample)
    for made, row in zip(turns(sample, "actionstudio", mistral=True), rows, strict=True):
        as_served(tokenizer, renderer, made, row)
    start = rows[0].trainable.index(True)
    assert tokenizer.decode(rows[0].ids[start:]).startswith("[TOOL_CALLS]")
    assert rows[0].ids[start] == tokenizer.convert_tokens_to_ids("[TOOL_CALLS]")


def test_a_template_that_refuses_is_told(desk: tuple[Tool, ...], make_samples: Callable[..., list[Trajectory]]) -> None:
    tokenizer = tiny_tokenizers.small("mistral", make_samples())  # knows no system's message
    with pytest.raises(
        InputError, match=r"sample talk#1: .* template refuses its messages \(no role but .*data.variant"
    ):
        Renderer(tokenizer, "xlam-1-bfcl").encode_rows(talk(desk))


def test_a_template_that_changes_past_answers_is_told(
    desk: tuple[Tool, ...], make_samples: Callable[..., list[Trajectory]]
) -> None:
    """Some templates leave out of a past answer what they take for reasoning."""
    tokenizer: Any = tiny_tokenizers.small("chatml", make_samples())
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "{{ m['content'] }}<|im_end|>", "{{ m['content'] if m['role'] == 'user' or loop.last else 'done' }}<|im_end|>"
    )
    with pytest.raises(InputError, match="sample agent#2: the base model's chat template changes earlier answers"):
        Renderer(tokenizer).encode_rows(agent(desk))


@pytest.mark.parametrize("variant", ["xlam-1", "xlam-1-history"])
def test_turns_share_what_they_share(variant: Any, desk: tuple[Tool, ...], smollm2_dir: Path) -> None:
    """The bound of the benchmark: eight turns that call tools cost a fifth of one row a turn."""
    rows = Renderer(load_tokenizer(smollm2_dir), variant).encode_rows(agent(desk))
    assert len(rows) == TURNS
    tree = build_tree(rows)
    share = len(tree.input_ids) / tree.tokens_before
    print(f"{variant}: {len(tree.input_ids)} of {tree.tokens_before} tokens, {share:.3f}")
    assert share <= 1 / 5
    assert int(tree.label_weight.sum()) == sum(sum(row.trainable) for row in rows)


def test_a_later_prompt_goes_on_where_the_answer_ended(desk: tuple[Tool, ...], smollm2_dir: Path) -> None:
    """Each row of `xlam-1` begins with the whole row before it, so that its tree is a single path."""
    rows = Renderer(load_tokenizer(smollm2_dir)).encode_rows(talk(desk))
    for earlier, later in pairwise(rows):
        assert later.ids[: len(earlier.ids)] == earlier.ids
    assert len(build_tree(rows).input_ids) == len(rows[-1].ids)


def test_xlam_1_can_be_a_chat_template(desk: tuple[Tool, ...], make_samples: Callable[..., list[Trajectory]]) -> None:
    """The same bytes from OpenAI messages and a template alone."""
    tokenizer: Any = tiny_tokenizers.small("chatml", make_samples())
    head, _, tail = render_prompt((), "").partition("[]\n[END OF AVAILABLE TOOLS]")
    tail = ("\n[END OF AVAILABLE TOOLS]" + tail).removesuffix("[BEGIN OF QUERY]\n\n[END OF QUERY]\n\n")
    openai = [
        {"role": message.role, "content": message.content}
        | ({"tool_calls": [{"function": call.to_dict()} for call in message.tool_calls]} if message.tool_calls else {})
        for message in talk(desk).messages[:-1]
    ]
    by_template = tokenizer.apply_chat_template(
        openai, chat_template=XLAM_1_TEMPLATE, tokenize=False, HEAD=head, TAIL=tail, xlam_tools=to_xlam_tools(desk)
    )
    made = turns(talk(desk))[-1].messages
    assert by_template == tokenizer.apply_chat_template(made, tokenize=False, add_generation_prompt=True)


def pair(rejected: Message, chosen: Message | None = None) -> Preference:
    tools = (Tool(name="view_order", description="", parameters={"type": "object", "properties": {}}),)
    asked = (said("user", "What of order 1?"),)
    return Preference(
        id="p1",
        style="simple",
        tools=tools,
        messages=asked,
        chosen=chosen or said("assistant", "", view(1)),
        rejected=rejected,
    )


@pytest.fixture(scope="module")
def renderer(tiny_base: Path) -> Renderer:
    return Renderer(load_tokenizer(tiny_base))


@pytest.mark.parametrize(
    ("rejected", "text"),
    [
        (said("assistant", "", view(2)), render_answer([view(2)])),
        (said("assistant"), '{"tool_calls": []}'),
        (said("assistant", "Sure! Order 1 is on its way."), "Sure! Order 1 is on its way."),
        (said("assistant", '{"tool_calls": [{"name": '), '{"tool_calls": [{"name": '),
    ],
)
def test_a_pair_differs_in_its_answers_only(renderer: Renderer, tiny_base: Path, rejected: Message, text: str) -> None:
    tokenizer: Any = load_tokenizer(tiny_base)
    chosen, other = renderer.encode_pair(pair(rejected))
    assert (chosen.sample_id, other.sample_id) == ("p1/chosen", "p1/rejected")
    given = pair(rejected)
    (as_sample,) = renderer.encode_rows(
        Trajectory(id="p1", style="simple", tools=given.tools, messages=(*given.messages, given.chosen))
    )
    assert (chosen.ids, chosen.trainable) == (as_sample.ids, as_sample.trainable)
    start = other.trainable.index(True)
    assert other.ids[:start] == chosen.ids[: chosen.trainable.index(True)]
    assert tokenizer.decode(other.ids[start:]) == f"{text}<|im_end|>"
    assert all(other.trainable[start:])


@pytest.mark.parametrize("rejected", [said("assistant", "", view(1)), said("assistant", render_answer([view(1)]))])
def test_a_pair_of_equal_answers(renderer: Renderer, rejected: Message) -> None:
    with pytest.raises(InputError, match="pair p1: the chosen and the rejected answer are the same; remove the pair"):
        renderer.encode_pair(pair(rejected))


def test_a_rejected_answer_that_ends_in_the_middle(renderer: Renderer) -> None:
    with pytest.raises(InputError, match="sample p1/rejected: the answer contains the end-of-turn token"):
        renderer.encode_pair(pair(said("assistant", "Sure.<|im_end|>Or not.")))


def test_a_pair_without_a_question(renderer: Renderer) -> None:
    with pytest.raises(InputError, match="pair p1: no conversation"):
        renderer.encode_pair(pair(said("assistant")).model_copy(update={"messages": ()}))
