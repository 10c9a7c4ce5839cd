"""What a language model is asked to write: one request for the queries of a tool set, after APIGen.

APIGen (Liu et al. 2024) shows a model the tools and some accepted samples, asks for several queries with their
calls at once as JSON, and varies the prompt by style. Here the styles are those of a plan, each item says which
tool it is about, so that none is left out, and users have a persona and a region where the plan says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data_pipeline.core.queries import shown_schema
from data_pipeline.core.schema import dumps
from data_pipeline.core.seeding import stream
from data_pipeline.generate.prompts_schema import answer_schema
from data_pipeline.llm.settings import LlamaCpp

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from data_pipeline.core.schema import Style, Tool, Trajectory
    from data_pipeline.generate.plan import Plan
    from data_pipeline.llm.settings import Endpoint, Vllm

PROMPT_VERSION = "apigen-1"
"""Goes on record with every sample; another wording is another version."""

SYSTEM = (
    "You write training data for an assistant that calls tools: what users ask, and the exact tool calls that answer "
    "it. You answer with one JSON object and no other text."
)

ASKS: dict[Style, tuple[str, ...]] = {
    "simple": (
        "a request that one call of {tool} answers",
        "a question that takes one call of {tool}",
        "a task of everyday work or life for one call of {tool}",
    ),
    "multiple": (
        "a request that one call of {tool} answers and no other tool could",
        "a request for {tool}, close enough to the other tools that one must read with care",
        "a task where of all tools only {tool} is right, called once",
    ),
    "parallel": (
        "one request that takes two or three calls of {tool}, each with other values",
        "one question about two to four cases at once: a call of {tool} for each",
    ),
    "parallel-multiple": (
        "one request that takes calls of two or more different tools",
        "one task of several parts, each part for another tool, two to four calls in all",
    ),
    "irrelevance": (
        "a request for something that none of the tools does, such as: {stranger}; calls is []",
        "a user who wants this, for which there is no tool here: {stranger}; calls is []",
    ),
    "missing-parameter": (
        "a request that plainly wants {tool} but leaves at least one required argument unsaid, so that nobody could "
        "guess it; it has `incomplete` in place of `calls`: the call with the arguments that are said, and no others",
        "a user who forgets to say a value that {tool} requires; instead of `calls` it has `incomplete`, the call as "
        "far as the request gives it",
    ),
}
"""Wordings of each style's task; a plan's seed chooses."""

TONES = (
    "Vary length and tone: some terse, some polite, some with a word of why.",
    "Write as people type on a phone: short, to the point, not always a full sentence.",
    "Write as people speak to a colleague: natural, with the circumstances where they matter.",
    "Begin each query differently; mix questions, orders and plain statements of a need.",
    "Mix experts who are exact and laymen who describe what they want in everyday words.",
)

RULES = (
    "Every argument value stands in the query or follows from it directly; leave out what the query does not say.",
    "Values are concrete and plausible, of the parameter's type, one of its choices where it lists some.",
    "Queries stand alone, differ from one another, and name neither tools nor parameters.",
)

TOKENS: dict[Style, int] = {
    "simple": 110,
    "multiple": 110,
    "parallel": 220,
    "parallel-multiple": 220,
    "irrelevance": 60,
    "missing-parameter": 110,
}
"""Tokens that an item of each style is reckoned to take, tool calls included."""

MAX_TOKENS = 2048
"""Most tokens of an answer unless the recipe says."""

CHARACTERS_A_TOKEN = 3.0
"""On the safe side: prompts of JSON come to more."""


@dataclass(frozen=True)
class Item:
    """One sample to be written.

    Attributes:
        number: of the sample within its plan.
        style: of the sample.
        ask: the task in words.
        tool: name of the tool it is to call, or '' for any.
    """

    number: int
    style: Style
    ask: str
    tool: str


@dataclass(frozen=True)
class Prompt:
    """One request to a model, and the samples it is for."""

    items: tuple[Item, ...]
    messages: tuple[tuple[str, str], ...]
    schema: dict[str, object]
    max_tokens: int


def write_prompts(plan: Plan, settings: Endpoint | LlamaCpp | Vllm) -> list[Prompt]:
    """The requests for a plan: one, or several where prompt and answer would not fit into one.

    Args:
        plan: what is wanted.
        settings: of the model; how long an answer may get, and where known how much it holds.
    """
    context = settings.context if isinstance(settings, LlamaCpp) else None
    most = settings.max_tokens or MAX_TOKENS
    rng = stream(plan.seed, "prompt")
    tone = rng.choice(TONES)
    items = _items(plan, rng)
    examples = _fitting_examples(plan, items[0], tone, context)
    parts: list[list[Item]] = [[]]
    for item in items:
        longer = [*parts[-1], item]
        if parts[-1] and not _fits(_text(plan, longer, tone, examples), longer, most, context):
            parts.append([item])
        else:
            parts[-1] = longer
    return [_prompt(plan, part, tone, examples, most, context) for part in parts]


def _items(plan: Plan, rng: random.Random) -> list[Item]:
    """The samples wanted, tools dealt out evenly and in an order of the plan's own."""
    demanding = [tool for tool in plan.tools if tool.required]
    dealt = {False: _Deck(plan.tools, rng), True: _Deck(demanding or plan.tools, rng)}
    strangers = iter(plan.strangers)
    items = []
    for number, style in enumerate(plan.styles):
        tool, stranger = "", ""
        if style == "irrelevance":
            stranger = _described(next(strangers, None))
        elif style != "parallel-multiple":
            tool = dealt[style == "missing-parameter"].next()
        items.append(Item(number, style, rng.choice(ASKS[style]).format(tool=tool, stranger=stranger), tool))
    return items


class _Deck:
    """Names in random order, each again only after all others."""

    def __init__(self, tools: Sequence[Tool], rng: random.Random) -> None:
        self._names = [tool.name for tool in tools]
        self._rng = rng
        self._left: list[str] = []

    def next(self) -> str:
        if not self._left:
            self._left = self._rng.sample(self._names, len(self._names))
        return self._left.pop()


def _described(tool: Tool | None) -> str:
    if tool is None:
        return "a thing of another field"
    return f"{tool.name.replace('_', ' ')} ({tool.description.split('. ')[0].rstrip('.')})"


def _fitting_examples(plan: Plan, item: Item, tone: str, context: int | None) -> tuple[Trajectory, ...]:
    """As many as leave half of the context to the answer."""
    examples = plan.examples
    while context and examples and _tokens(_text(plan, [item], tone, examples)) > context / 2:
        examples = examples[:-1]
    return examples


def _fits(text: str, items: Sequence[Item], most: int, context: int | None) -> bool:
    answer = sum(TOKENS[item.style] for item in items)
    return answer <= most and (context is None or _tokens(text) + answer <= context)


def _tokens(text: str) -> int:
    return int((len(SYSTEM) + len(text)) / CHARACTERS_A_TOKEN)


def _prompt(
    plan: Plan, items: Sequence[Item], tone: str, examples: Sequence[Trajectory], most: int, context: int | None
) -> Prompt:
    text = _text(plan, items, tone, examples)
    if context is not None:
        # At least what the items take: a prompt too long for the model is the model's to refuse.
        most = max(min(most, context - _tokens(text)), sum(TOKENS[item.style] for item in items))
    schema = answer_schema(plan.tools, [(item.style, item.tool) for item in items])
    return Prompt(tuple(items), (("system", SYSTEM), ("user", text)), schema, most)


def _text(plan: Plan, items: Sequence[Item], tone: str, examples: Sequence[Trajectory]) -> str:
    tools = "\n".join(dumps(shown_schema(tool)) for tool in plan.tools)
    shown = "\n".join(_example(example) for example in examples)
    asks = "\n".join(f"{place}. {item.ask}" for place, item in enumerate(items, start=1))
    rules = "\n".join(f"- {rule}" for rule in (*RULES, tone, *_users(plan)))
    form = '{"items": [{"query": "...", "calls": [{"name": "...", "arguments": {...}}]}]}'
    return (
        f"Tools:\n{tools}\n\n"
        + (f"Good items, on other tools:\n{shown}\n\n" if shown else "")
        + f"Rules:\n{rules}\n\nAnswer with JSON of this form: {form}\n"
        f"Write exactly {len(items)} items, in this order:\n{asks}"
    )


def _users(plan: Plan) -> list[str]:
    told = [f"Queries are written in the language and region {plan.locale}, with its names, places and ways to write."]
    if plan.persona:
        told.append(f"All queries come from {plan.persona}: what they ask and how fits.")
    return told


def _example(sample: Trajectory) -> str:
    if sample.incomplete is not None:
        return dumps({"query": sample.query, "incomplete": sample.incomplete.to_dict()})
    return dumps({"query": sample.query, "calls": [call.to_dict() for call in sample.calls]})
